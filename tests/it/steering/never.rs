//! Never empty, never across a fence: over random fences, outcomes, operators' words, their expiry, loads and reloads.

use std::sync::Arc;

use meridian::{
    engine::{
        snapshot::Snapshot,
        steer::trace::{Rung, Step},
        types::{At, EndpointId, Millis},
        units::{Admission, Permille},
        wire::rr::Rcode,
        world::World,
    },
    node::{
        input::Input,
        ledger::Ledger,
        overrides::{Act, Override, Scope},
    },
};
use proptest::prelude::*;

use super::lab::{A, Question, SECRET, Told, at, draft, listen, outcome, prefix};

/// Where clients are: (prefix, continent, country); the last is nowhere.
const CLIENTS: [(&str, &str, &str); 5] = [
    ("20.0.0.0/24", "EU", "DE"),
    ("20.1.0.0/24", "EU", "FR"),
    ("20.2.0.0/24", "NA", "US"),
    ("20.3.0.0/24", "AS", ""),
    ("20.4.0.0/24", "", ""),
];

/// Fences, and which of the clients each keeps out, read by hand.
const FENCES: [(&str, [bool; 5]); 8] = [
    ("", [false; 5]),
    ("", [false; 5]),
    ("only = [\"continent:EU\"]", [false, false, true, true, true]),
    ("never = [\"country:DE\"]", [true, false, false, false, false]),
    ("only = [\"country:US\", \"unknown\"]", [true, true, false, true, false]),
    ("never = [\"net:20.0.0.0/15\"]", [true, true, false, false, false]),
    ("only = [\"net:20.0.0.0/14\"], never = [\"continent:AS\"]", [false, false, false, true, true]),
    ("never = [\"unknown\", \"country:FR\"]", [false, true, false, false, true]),
];

/// A pool: its fence, and for each of its endpoints (region, weight, fence).
type Pool = (usize, Vec<(usize, u32, usize)>);

/// A configuration.
#[derive(Clone, Debug)]
struct Site {
    regions: [usize; 3],
    pools: Vec<Pool>,
    policy: usize,
    pool_terms: &'static str,
    terms: &'static str,
    /// Whether the last pool is the canary, where there are two.
    canary: bool,
}

const POLICIES: [&str; 7] = [
    "prefer = [\"rtt\"]\nspread = \"hash\"\nslow_start = \"20s\"",
    "prefer = []\nspread = \"weighted\"",
    "prefer = [\"rtt\"]\nspread = \"all\"",
    "prefer = [\"distance\"]\nspread = \"round-robin\"\nanswers = 2\nlimit = { rtt = \"30ms\" }",
    "prefer = []\nspread = \"random\"",
    "prefer = [\"geo\", \"load\"]\nspread = \"hash\"\n[policies.t.geo]\ndefault = [\"r2\"]\n\
     [policies.t.geo.country]\nDE = [\"r1\", \"r0\"]",
    "prefer = [\"response\"]\nspread = \"hash\"\nanswers = 3\ndistinct = \"none\"",
];

/// What a service may say of itself besides.
const TERMS: [&str; 4] = ["", "families = \"leave\"\n", "families = \"apart\"\n", "ecs = true\n"];

impl Site {
    fn text(&self) -> String {
        let fence = |at: usize| match FENCES[at].0 {
            "" => String::new(),
            rules => format!("fence = {{ {rules} }}\n"),
        };
        let mut text = String::from("[geo]\noverrides = \"o.csv\"\n[monitors.m]\ntcp = { port = 80 }\n");
        for (n, (lat, lon)) in [(50, 8), (39, -77), (19, 72)].iter().enumerate() {
            text += &format!("[regions.r{n}]\nlocation = {{ lat = {lat}, lon = {lon} }}\n{}", fence(self.regions[n]));
        }
        text += &format!("[policies.t]\n{}\n", POLICIES[self.policy]);
        for (p, (own, endpoints)) in self.pools.iter().enumerate() {
            text += &format!("[pools.p{p}]\nmonitor = \"m\"\npolicy = \"t\"\n{}{}", self.pool_terms, fence(*own));
            for (e, (region, weight, own)) in endpoints.iter().enumerate() {
                text += &format!(
                    "[pools.p{p}.endpoints.e{e}]\nregion = \"r{region}\"\naddress = \"192.0.2.{}\"\nweight = {weight}\n{}",
                    10 * p + e + 1,
                    fence(*own)
                );
            }
        }
        let pools: Vec<String> = (0..self.own()).map(|p| format!("\"p{p}\"")).collect();
        let canary = if self.has_canary() { "canary = { pool = \"p1\", share = \"40%\" }\n" } else { "" };
        text + &format!(
            "[services.\"www.g.test\"]\npools = [{}]\nwhen_fenced = \"refused\"\ndirect = true\n\
             second = \"next.g.test\"\n{}{canary}",
            pools.join(", "),
            self.terms
        )
    }

    fn has_canary(&self) -> bool {
        self.canary && self.pools.len() == 2
    }

    /// How many of the pools are the service's in fallback order.
    fn own(&self) -> usize {
        self.pools.len() - usize::from(self.has_canary())
    }

    fn world(&self) -> Arc<World> {
        let mut places = String::from("prefix,continent,country,subdivision,city,lat,lon,asn\n");
        for (prefix, continent, country) in CLIENTS.iter().filter(|(_, continent, _)| !continent.is_empty()) {
            places += &format!("{prefix},{continent},{country},,,,,\n");
        }
        let mut draft = draft(&self.text(), &[("o.csv", &places)]);
        draft.secret = SECRET;
        Arc::new(World::seal(draft))
    }

    /// Whether the fences of an endpoint let the n-th client in.
    fn lets_in(&self, pool: usize, endpoint: usize, client: usize) -> bool {
        let (own, endpoints) = &self.pools[pool];
        let (region, _, fence) = endpoints[endpoint];
        ![self.regions[region], *own, fence].iter().any(|at| FENCES[*at].1[client])
    }
}

fn site() -> impl Strategy<Value = Site> {
    let fence = || 0..FENCES.len();
    let endpoint = (0..3_usize, prop::sample::select(vec![0_u32, 1, 1, 3]), fence());
    let pool = (fence(), prop::collection::vec(endpoint, 1..=3));
    let terms = prop::sample::select(vec!["", "min_healthy = \"70%\"\n", "panic = \"60%\"\n"]);
    let service = (prop::sample::select(TERMS.to_vec()), any::<bool>());
    (prop::array::uniform3(fence()), prop::collection::vec(pool, 1..=2), 0..POLICIES.len(), terms, service).prop_map(
        |(regions, mut pools, policy, pool_terms, (terms, canary))| {
            pools.iter_mut().for_each(|(_, endpoints)| endpoints[0].1 = endpoints[0].1.max(1));
            Site { regions, pools, policy, pool_terms, terms, canary }
        },
    )
}

/// Something that happens.
#[derive(Clone, Debug)]
enum Deed {
    Probed(usize, char),
    Said(Scope, Act, Option<u64>),
    Lifted(Scope),
    Passed(u64),
    Loaded(Scope, f64),
    Reloaded(bool),
}

fn scope() -> impl Strategy<Value = Scope> {
    prop_oneof![
        (0..3).prop_map(|n| Scope::Region(format!("r{n}").into())),
        (0..2).prop_map(|n| Scope::Pool(format!("p{n}").into())),
        (0..2, 0..3).prop_map(|(p, e)| Scope::Endpoint(format!("p{p}").into(), format!("e{e}").into())),
    ]
}

fn deed() -> impl Strategy<Value = Deed> {
    let act = prop::sample::select(vec![
        Act::Drain(Millis(0)),
        Act::Drain(Millis(60_000)),
        Act::ForceUp,
        Act::ForceDown,
        Act::ForceDown,
        Act::Weight(Permille(0)),
        Act::Weight(Permille(2500)),
        Act::Shed(Permille(1000)),
        Act::Shed(Permille(300)),
    ]);
    prop_oneof![
        4 => (0..6_usize, prop::sample::select(vec!['g', 'b', 'b', 'n'])).prop_map(|(n, what)| Deed::Probed(n, what)),
        1 => (0..6_usize).prop_map(|n| Deed::Probed(n, 'g')),
        3 => (scope(), act, prop::option::of(0..90_000_u64)).prop_map(|(scope, act, until)| Deed::Said(scope, act, until)),
        1 => scope().prop_map(Deed::Lifted),
        2 => (0..40_000_u64).prop_map(Deed::Passed),
        1 => (scope(), 0.0..3.0).prop_map(|(scope, load)| Deed::Loaded(scope, load)),
        1 => any::<bool>().prop_map(Deed::Reloaded),
    ]
}

fn chosen(told: &Told) -> Vec<EndpointId> {
    told.steps.iter().filter_map(|step| if let Step::Chosen(id) = step { Some(*id) } else { None }).collect()
}

/// Holds every client's answer to what the fences say and to never being empty: that of the service, of its runner-up and
/// of each of its direct names.
fn hold(site: &Site, snapshot: &Snapshot) -> Result<(), TestCaseError> {
    let names = [("www.g.test".to_owned(), None), ("next.g.test".to_owned(), None)];
    let direct = (0..3).map(|region| (format!("r{region}.www.g.test"), Some(region)));
    for (name, region) in names.into_iter().chain(direct) {
        let here = |own: usize| region.is_none_or(|region| region == own);
        let pools = &site.pools[..site.own()];
        if !pools.iter().any(|(_, endpoints)| endpoints.iter().any(|(own, weight, _)| *weight > 0 && here(*own))) {
            continue; // there is no such name, or nobody who could ever answer it
        }
        for (n, (client, ..)) in CLIENTS.iter().enumerate() {
            let told = listen(snapshot, &Question::new(&name, A).with(prefix(client)), at(0)).expect("ready");
            let open = |(p, (_, endpoints)): (usize, &Pool)| {
                let can = |(e, (own, weight, _)): (usize, &(usize, u32, usize))| {
                    *weight > 0 && here(*own) && site.lets_in(p, e, n)
                };
                endpoints.iter().enumerate().any(can)
            };
            let is_canary = |id: &EndpointId| site.has_canary() && id.0 >= snapshot.world.pools[1].first.0;
            let chosen = chosen(&told);
            let closed = !pools.iter().enumerate().any(open);
            if closed && !chosen.last().is_some_and(is_canary) {
                prop_assert_eq!(
                    told.answer.rcode,
                    Rcode::Refused,
                    "{} {}: `when_fenced`, never `when_all_down`",
                    name,
                    client
                );
                prop_assert!(told.steps.contains(&Step::Rung(Rung::Fenced)));
                prop_assert!(told.answer.addresses.is_empty());
                continue;
            }
            prop_assert_eq!(told.answer.rcode, Rcode::NoError, "{} {}", name, client);
            prop_assert!(!told.answer.addresses.is_empty(), "{} {}: {:?}", name, client, told.steps);
            for id in chosen {
                let own = |pool: &&meridian::engine::world::pool::Pool| pool.first.0 <= id.0;
                let pool = snapshot.world.pools.iter().filter(own).max_by_key(|pool| pool.first).expect("a pool");
                let (p, e) = (usize::from(pool.name.ends_with('1')), (id.0 - pool.first.0) as usize);
                prop_assert!(site.lets_in(p, e, n), "{} got p{}/e{} across a fence: {:?}", client, p, e, told.steps);
                prop_assert!(site.pools[p].1[e].1 > 0, "weight 0 is never lifted");
                prop_assert!(here(site.pools[p].1[e].0), "{} is answered from another region", name);
            }
        }
    }
    for (pool, row) in snapshot.world.pools.iter().zip(&snapshot.pools) {
        let all = (1_u64 << pool.count()) - 1;
        let sets =
            [row.up.v4, row.down.v4, row.out, row.drained, row.weighted, row.partial, row.slow, row.moving, row.last];
        prop_assert!(sets.iter().all(|set| set & !all == 0), "{:?}", row);
        for n in 0..u32::from(pool.count()) {
            let live = snapshot.endpoints[(pool.first.0 + n) as usize];
            prop_assert_eq!(live.admission < Admission::ALL, row.partial >> n & 1 == 1);
            prop_assert_eq!(live.warmth < Admission::ALL, row.slow >> n & 1 == 1);
            prop_assert_eq!(live.weight > 0, row.weighted >> n & 1 == 1);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_event_empties_a_name_or_crosses_a_fence(
        first in site(),
        second in site(),
        deeds in prop::collection::vec(deed(), 1..40),
    ) {
        let sites = [&first, &second];
        let worlds = [first.world(), second.world()];
        let mut now = 0;
        let mut current = 0;
        let mut ledger = Ledger::new(Arc::clone(&worlds[0]));
        ledger.end_wait(At(now));
        for deed in deeds {
            now += 1;
            let event = match deed {
                Deed::Probed(n, what) => {
                    let targets = &worlds[current].targets;
                    let Some(target) = targets.get(n % targets.len().max(1)) else { continue };
                    Input::outcome(target.key().expect("probed"), outcome(what))
                }
                Deed::Said(scope, act, until) => {
                    let until = until.map(|ms| At(now + ms));
                    Input::Override(Override { scope, act, reason: "test".into(), author: "somebody".into(), until })
                }
                Deed::Lifted(scope) => Input::Lift(scope),
                Deed::Passed(ms) => {
                    now += ms;
                    Input::Tick
                }
                Deed::Loaded(scope, load) => Input::Load { scope, load },
                Deed::Reloaded(other) => {
                    current = usize::from(other);
                    ledger.configure(At(now), Arc::clone(&worlds[current]));
                    Input::Tick
                }
            };
            ledger.fold(At(now), event);
            hold(sites[current], &ledger.snapshot(At(now)))?;
        }
    }
}
