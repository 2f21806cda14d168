//! The table against the reference: small random zones, every name that they could know, several types.

use std::{
    collections::HashSet,
    sync::{Arc, LazyLock},
};

use meridian::engine::{
    snapshot::Snapshot,
    types::Transport,
    units::Ttl,
    wire::{name::Name, rr::RrType},
    world::{World, service::Service},
    zone::{ZoneRecord as Wire, ZoneSource},
};
use proptest::prelude::*;

use super::{
    reference::{Code, Labels, Outcome, Record, Type, Zone, closest, look_up, within},
    *,
};

const LABELS: [&str; 4] = ["a", "b", "c", "*"];

/// One thing to put into a zone, if the rules of loading allow it there.
#[derive(Clone, Debug)]
struct Wish {
    zone: prop::sample::Index,
    owner: Labels,
    what: What,
    target: Labels,
}

#[derive(Clone, Copy, Debug)]
enum What {
    Record(Type),
    Service,
}

fn labels(most: usize) -> impl Strategy<Value = Labels> {
    prop::collection::vec(prop::sample::select(&LABELS[..]), 0..=most)
}

fn wish() -> impl Strategy<Value = Wish> {
    let what = prop_oneof![
        4 => Just(What::Record(Type::A)),
        2 => Just(What::Record(Type::Txt)),
        4 => Just(What::Record(Type::Ns)),
        1 => Just(What::Record(Type::Ds)),
        4 => Just(What::Record(Type::Cname)),
        2 => Just(What::Record(Type::Dname)),
        3 => Just(What::Service),
    ];
    let target = prop_oneof![9 => labels(4).prop_map(|l| [&*l, &["z"]].concat()), 1 => Just(vec!["elsewhere"])];
    (any::<prop::sample::Index>(), labels(4), what, target).prop_map(|(zone, owner, what, target)| Wish {
        zone,
        owner,
        what,
        target,
    })
}

/// Zones that loading would let through, in any order of wishes; the first wish for a place wins.
fn zones() -> impl Strategy<Value = Vec<Zone>> {
    let nested = prop_oneof![2 => Just(Vec::new()), 3 => prop::collection::vec(labels(3), 1..3)];
    (nested, prop::collection::vec(wish(), 0..16)).prop_map(|(nested, wishes)| {
        let mut apexes: Vec<Labels> = vec![vec!["z"]];
        for apex in nested {
            let apex = [&*apex, &["z"]].concat();
            if apex[0] != "*" && !apexes.contains(&apex) {
                apexes.push(apex);
            }
        }
        let mut zones: Vec<Zone> = apexes.into_iter().map(|apex| start(&apex)).collect();
        for wish in wishes {
            let at = wish.zone.index(zones.len());
            let owner = [&*wish.owner, &*zones[at].apex].concat();
            match wish.what {
                What::Record(rtype) if fits(&zones[at], &owner, rtype) => {
                    zones[at].records.push(Record { owner, rtype, target: wish.target });
                }
                What::Service if closest(&zones, &owner).is_some_and(|zone| may_steer(zone, &owner)) => {
                    let home =
                        zones.iter().position(|zone| Some(&zone.apex) == closest(&zones, &owner).map(|z| &z.apex));
                    zones[home.expect("home")].services.push(owner);
                }
                _ => {}
            }
        }
        zones
    })
}

fn start(apex: &Labels) -> Zone {
    let of = |rtype| Record { owner: apex.clone(), rtype, target: vec!["ns"] };
    Zone { apex: apex.clone(), records: vec![of(Type::Soa), of(Type::Ns)], services: Vec::new() }
}

/// Whether the loader would take one more RRset (P50, P58, P64 and the rules between services and zones).
fn fits(zone: &Zone, owner: &Labels, rtype: Type) -> bool {
    let at = |record: &&Record| record.owner == *owner;
    let own = || zone.records.iter().filter(at);
    let below = |name: &Labels, other: &Labels| name != other && within(name, other);
    let steered = zone.services.contains(owner);
    !own().any(|record| matches!(record.rtype, Type::Cname) || record.rtype == rtype)
        && match rtype {
            Type::Cname => own().next().is_none() && !steered,
            Type::Dname => {
                !zone.records.iter().any(|record| below(&record.owner, owner))
                    && !zone.services.iter().any(|service| below(service, owner))
            }
            Type::Ns => owner[0] != "*" && !zone.services.iter().any(|service| within(service, owner)),
            Type::Ds => *owner != zone.apex,
            Type::A => !steered,
            _ => true,
        }
        && !zone.records.iter().any(|record| record.rtype == Type::Dname && below(owner, &record.owner))
}

fn may_steer(zone: &Zone, owner: &Labels) -> bool {
    let cut = |record: &&Record| {
        record.rtype == Type::Ns && record.owner != zone.apex && within(owner, &record.owner)
            || record.rtype == Type::Dname && record.owner != *owner && within(owner, &record.owner)
    };
    let own = |record: &&Record| record.owner == *owner && matches!(record.rtype, Type::A | Type::Cname);
    !zone.services.contains(owner) && !zone.records.iter().any(|record| cut(&record) || own(&record))
}

fn name(labels: &[&str]) -> Name {
    Name::from_text(&(labels.join(".") + ".")).expect("a name")
}

fn number(rtype: Type) -> u16 {
    match rtype {
        Type::A => 1,
        Type::Ns => 2,
        Type::Cname => 5,
        Type::Soa => 6,
        Type::Hinfo => 13,
        Type::Txt => 16,
        Type::Aaaa => 28,
        Type::Dname => 39,
        Type::Ds => 43,
        Type::Any => 255,
    }
}

fn data(record: &Record) -> Vec<u8> {
    let target = || name(&record.target).wire().to_vec();
    match record.rtype {
        Type::Soa => [&target(), b"\x01h\0\0\0\0\x01\0\0\0\x01\0\0\0\x01\0\0\0\x01\0\0\0\x3c".as_slice()].concat(),
        Type::Ns | Type::Cname | Type::Dname => target(),
        Type::A => vec![192, 0, 2, 1],
        Type::Txt => b"\x01t".to_vec(),
        _ => vec![0; 36],
    }
}

/// A service of both families, to be given any name.
static SERVICE: LazyLock<Arc<World>> = LazyLock::new(|| {
    let config = concat!(
        "[regions.r]\n[pools.p]\n[pools.p.endpoints.e]\nregion = \"r\"\naddress = [\"192.0.2.10\", \"2001:db8::10\"]\n",
        "[services.'www.example.test']\npools = [\"p\"]\n",
    );
    world(&[("example.test", "")], config)
});

/// The zones, in an order of their own, as a server would have them that had other ones before.
fn serve_these(zones: &[Zone], turned: bool, before: Option<&World>) -> Snapshot {
    let mut draft = meridian::engine::world::Draft {
        regions: SERVICE.regions.to_vec(),
        pools: SERVICE.pools.to_vec(),
        policies: SERVICE.policies.to_vec(),
        udp_max: 1232,
        ..Default::default()
    };
    for zone in zones {
        let records = zone.records.iter().map(|record| Wire {
            owner: name(&record.owner),
            rtype: RrType(number(record.rtype)),
            ttl: Ttl(300),
            rdata: data(record).into(),
        });
        draft.zones.push(Arc::new(ZoneSource { apex: name(&zone.apex), records: records.collect() }));
        let service =
            |owner: &Labels| Service { name: name(owner), maps: Vec::new(), cut: None, ..SERVICE.services[0].clone() };
        draft.services.extend(zone.services.iter().map(service));
    }
    if turned {
        draft.zones.reverse();
        draft.services.reverse();
    }
    healthy(&Arc::new(World::seal_after(draft, before)))
}

/// An RRset by owner and type.
type Set = (Vec<u8>, u16);
/// Code, AA, the RRsets in answer and the one in authority.
type Told = (u16, bool, Vec<Set>, Option<Set>);

/// The reply in the reference's words.
fn told(reply: &Strict) -> Told {
    let sets = |section: &[Rr]| {
        let mut seen = HashSet::new();
        let sets = section.iter().map(|rr| (rr.owner.to_ascii_lowercase(), rr.rtype));
        sets.filter(|set| seen.insert(set.clone())).collect::<Vec<_>>()
    };
    let authority = sets(reply.authority());
    assert!(authority.len() <= 1, "one RRset in authority: {reply:?}");
    (reply.rcode(), reply.aa(), sets(reply.answers()), authority.into_iter().next())
}

fn expected(outcome: &Outcome) -> Told {
    let set = |(owner, rtype): &(Labels, Type)| (name(owner).wire().to_vec(), number(*rtype));
    let code = match outcome.code {
        Code::NoError => NOERROR,
        Code::NxDomain => NXDOMAIN,
        Code::Refused => REFUSED,
    };
    (code, outcome.aa, outcome.answers.iter().map(set).collect(), outcome.authority.as_ref().map(set))
}

/// Every name of up to four labels below `z`, and some outside.
fn questions() -> Vec<Labels> {
    let mut all: Vec<Labels> = vec![vec!["z"]];
    let mut last = all.clone();
    for _ in 0..4 {
        last = last.iter().flat_map(|name| LABELS.map(|label| [&[label], &**name].concat())).collect();
        all.extend(last.iter().cloned());
    }
    all.extend([vec![], vec!["a"], vec!["zz"], vec!["a", "y"], vec!["z", "y"], vec!["c", "b", "a", "c", "b", "z"]]);
    all
}

/// What chains, cuts and synthesis ran into, so that a generator gone dull is noticed.
#[derive(Debug, Default)]
struct Met {
    referrals: u32,
    redirects: u32,
    chains: u32,
    synthesised: u32,
    names: u32,
}

fn compare(zones: &[Zone], turned: bool, before: &mut Option<Arc<World>>, met: &mut Met) -> Result<(), TestCaseError> {
    let snapshot = serve_these(zones, turned, before.as_deref());
    *before = Some(Arc::clone(&snapshot.world));
    for question in questions() {
        for rtype in
            [Type::A, Type::Ds, Type::Cname, Type::Txt, Type::Any, Type::Ns, Type::Dname, Type::Aaaa, Type::Soa]
        {
            let outcome = look_up(zones, &question, rtype);
            let query = Ask { name: name(&question).wire().to_vec(), rtype: number(rtype), ..ask(". A") }.tcp();
            let packet = query.packet();
            let reply = send(&snapshot, &packet, Transport::Tcp).expect("a reply");
            let reply = strict::read(&reply).map_err(TestCaseError::fail)?;
            prop_assert_eq!(told(&reply), expected(&outcome), "{} {:?}", question.join("."), rtype);
            met.names += 1;
            met.referrals += u32::from(matches!(outcome.authority, Some((_, Type::Ns))));
            met.redirects += u32::from(outcome.answers.iter().any(|(_, rtype)| *rtype == Type::Dname));
            met.chains += u32::from(outcome.answers.len() > 1);
            let owned =
                |zone: &Zone| zone.records.iter().any(|r| r.owner == question) || zone.services.contains(&question);
            met.synthesised += u32::from(!outcome.answers.is_empty() && !zones.iter().any(owned));
        }
    }
    Ok(())
}

#[test]
fn the_table_finds_what_the_reference_finds() {
    let config = ProptestConfig { cases: 250, failure_persistence: None, ..ProptestConfig::default() };
    let met = std::cell::RefCell::new(Met::default());
    let mut runner = proptest::test_runner::TestRunner::new(config);
    // Every other world follows the one that was made last, whose zones have other records under the same names.
    let last = std::cell::RefCell::new(None);
    let ran = runner.run(&(zones(), any::<bool>(), any::<bool>()), |(zones, turned, follows)| {
        let mut before = last.take().filter(|_| follows);
        let compared = compare(&zones, turned, &mut before, &mut met.borrow_mut());
        last.replace(before);
        compared
    });
    if let Err(fault) = ran {
        panic!("{fault}");
    }
    let met = met.into_inner();
    let enough = [met.referrals, met.redirects, met.chains, met.synthesised].into_iter().all(|n| n > met.names / 500);
    assert!(enough, "every kind is met: {met:?}");
}
