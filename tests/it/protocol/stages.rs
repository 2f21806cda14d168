//! One path, three ways to walk it: `respond` silently, `respond` with a recording, and `read`, `touch`, `finish` as a batch
//! takes them. All give the same octets, in every state of health.

use std::sync::{Arc, LazyLock};

use meridian::{
    engine::{
        respond::{self, Answered},
        snapshot::Snapshot,
        steer::trace::{Recording, Silent},
        types::{At, Chance, Origin, UnixMillis},
        wire::reply::ResponseClass,
        world::World,
    },
    node::ledger::Ledger,
};
use proptest::prelude::*;

use super::*;

const ZONE: &str = concat!(
    "www TXT x\nalias CNAME near\ntwice CNAME alias\nsub NS ns.sub\nns.sub A 192.0.2.60\nd DNAME w\n",
    "@ MX 10 near\n@ MX 20 ns1\nns1 A 192.0.2.53\nns1 AAAA 2001:db8::53\n",
);

const CONFIG: &str = r#"
[regions.r]
location = { lat = 50.11, lon = 8.68 }
[regions.s]
location = { lat = 39.04, lon = -77.49 }
[regions.t]
[monitors.m]
tcp = { port = 80 }
[geo]
overrides = "OVERRIDES"
[pools.near]
monitor = "m"
policy = "adaptive"
[pools.near.endpoints]
a = { region = "r", address = ["192.0.2.10", "2001:db8::10"], weight = 3 }
b = { region = "s", address = ["192.0.2.11"] }
c = { region = "t", address = ["2001:db8::12"] }
[pools.hash]
monitor = "m"
policy = "ip-hash"
[pools.hash.endpoints]
a = { region = "r", address = ["192.0.2.20"], weight = 3 }
b = { region = "s", address = ["192.0.2.21", "2001:db8::21"] }
[pools.draw]
monitor = "m"
policy = "random"
[pools.draw.endpoints]
a = { region = "r", address = ["192.0.2.30"] }
b = { region = "s", address = ["192.0.2.31"] }
[pools.turn]
monitor = "m"
policy = "round-robin"
[pools.turn.endpoints]
a = { region = "r", address = ["192.0.2.40"] }
b = { region = "s", address = ["192.0.2.41"], weight = 7 }
[services."near.example.test"]
pools = ["near", "hash"]
[services."hash.example.test"]
pools = ["hash"]
when_all_down = "servfail"
[services."draw.example.test"]
pools = ["draw", "turn"]
when_all_down = "nodata"
[services."*.w.example.test"]
pools = ["turn"]
when_all_down = { address = ["192.0.2.99", "2001:db8::99"] }
[services."example.test"]
pools = ["turn", "draw"]
when_all_down = "serve-all"
"#;

static WORLD: LazyLock<Arc<World>> = LazyLock::new(|| {
    let overrides = concat!(env!("CARGO_MANIFEST_DIR"), "/geoip/overrides.csv");
    world(&[("example.test", ZONE)], &CONFIG.replace("OVERRIDES", overrides))
});

fn name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "near", "NEAR", "hash", "draw", "q.w", "a.b.w", "w", "@", "www", "alias", "twice", "x.sub", "q.d", "none", "!",
    ])
}

fn queries() -> impl Strategy<Value = Ask> {
    let subnet = prop_oneof![
        3 => Just(None),
        3 => (any::<[u8; 4]>(), 0..=32u8).prop_map(|(octets, len)| Some((octets.to_vec(), len, 1))),
        2 => (any::<[u8; 16]>(), 0..=128u8).prop_map(|(octets, len)| Some((octets.to_vec(), len, 2))),
    ];
    let rtype = prop::sample::select(vec![1u16, 28, 5, 6, 2, 15, 16, 65, 255, 43]);
    (name(), rtype, subnet, any::<bool>(), any::<bool>(), any::<[u8; 4]>()).prop_map(
        |(name, rtype, subnet, edns, tcp, source)| {
            let mut query = match name {
                "@" => ask("example.test A"),
                "!" => ask("example.org A"),
                name => ask(&format!("{name}.example.test A")),
            };
            query.rtype = rtype;
            query.source = std::net::IpAddr::from(source);
            if tcp {
                query = query.tcp();
            }
            match subnet {
                Some((octets, len, family)) => {
                    let mut address = octets[..usize::from(len).div_ceil(8)].to_vec();
                    if let (Some(last), 1..) = (address.last_mut(), len % 8) {
                        *last &= 0xff << (8 - len % 8);
                    }
                    query.option(8, &[&[0, family, len, 0], &*address].concat())
                }
                None if edns => query.size(1232),
                None => query,
            }
        },
    )
}

fn octets(buffer: &[u8], sent: Answered) -> Option<Vec<u8>> {
    match sent {
        Answered::Reply { len, .. } => Some(buffer[..len].to_vec()),
        Answered::Silence | Answered::NotReady => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn silent_taped_and_staged_replies_are_the_same_octets(
        query in queries(),
        up in any::<u32>(),
        unheard in prop::option::weighted(0.1, any::<u32>()),
        chance in (any::<u32>(), any::<u64>(), prop::option::of(any::<u64>())),
    ) {
        let snapshot = match unheard {
            Some(_) => started(&WORLD),
            None => judged(&WORLD, |target| up >> (target % 32) & 1 == 1),
        };
        let chance = Chance { now: UnixMillis(u64::from(chance.0) * 1000), random: chance.1, draw: chance.2 };
        let origin = Origin { source: query.source, transport: query.transport };
        let packet = query.packet();
        let buffer = || {
            let mut buffer = vec![0x5a; ask::ROOM];
            buffer[..packet.len()].copy_from_slice(&packet);
            buffer
        };
        let (mut one, mut two, mut three) = (buffer(), buffer(), buffer());
        let sent = respond::respond(&snapshot, &mut one, packet.len(), origin, chance, &mut Silent);
        let (answered, silent) = (sent, octets(&one, sent));
        let mut recording = Recording::default();
        let sent = respond::respond(&snapshot, &mut two, packet.len(), origin, chance, &mut recording);
        prop_assert_eq!(&silent, &octets(&two, sent), "with a recording");
        let read = respond::read(&three[..packet.len()]).expect("a query");
        respond::touch(&snapshot, &read);
        let staged = respond::finish(&snapshot, &mut three, &read, origin, chance, &mut Silent);
        prop_assert_eq!(&silent, &octets(&three, staged), "in stages");
        match silent {
            Some(reply) => {
                let reply = sound(&packet, &reply);
                let Answered::Reply { class, rcode, truncated, .. } = answered else { unreachable!("there is a reply") };
                prop_assert_eq!((rcode as u16, truncated), (reply.rcode(), reply.tc()));
                let expected = match reply.rcode() {
                    NOERROR if !reply.answers().is_empty() => ResponseClass::Answer,
                    NOERROR if reply.authority().iter().any(|rr| rr.rtype == NS) => ResponseClass::Referral,
                    NOERROR => ResponseClass::NoData,
                    NXDOMAIN => ResponseClass::NxDomain,
                    _ => ResponseClass::Error,
                };
                prop_assert!(truncated || class == expected, "{:?} and not {:?}", class, expected);
                prop_assert!(reply.rcode() != SERVFAIL || recording.0.len() > 1, "SERVFAIL is a decision only");
                // P97, P101: the option in, the option out
                let sent = query.opt.as_ref().and_then(|(.., options)| options.get(4..));
                let back = reply.subnet().map(|(family, source, _, address)| [&[0, family as u8, source, 0], &*address].concat());
                prop_assert_eq!(sent, back.as_deref());
                // P102: negative answers and referrals hold for everybody
                if reply.authority().iter().any(|rr| matches!(rr.rtype, SOA | NS)) || reply.rcode() != NOERROR {
                    prop_assert_eq!(reply.subnet().map_or(0, |(_, _, scope, _)| scope), 0);
                }
                // DESIGN 5: never empty by accident
                if matches!(query.rtype, 1) && query.name == wire("near.example.test") {
                    prop_assert!(!reply.answers().is_empty() || reply.authority().iter().any(|rr| rr.rtype == SOA));
                }
            }
            None => {
                prop_assert!(unheard.is_some(), "only before the first probe round");
                prop_assert_eq!(&three, &buffer(), "NotReady leaves the packet as it was");
            }
        }
    }
}

/// A server that has not heard of any probe yet.
fn started(world: &Arc<World>) -> Snapshot {
    Ledger::new(Arc::clone(world)).snapshot(At(0))
}
