//! What `check --lint` claims of a configuration is what the engine does: over random configurations each sentence that says
//! "never", "last", "only" or "no effect" is held against answers in many states of health, for clients of every kind.

use std::{collections::BTreeSet, fmt::Write, sync::Arc};

use meridian::engine::{
    snapshot::Snapshot,
    steer::trace::{Lack, Rung, Step},
    types::{EndpointId, PoolId, RouteId},
    units::Admission,
    world::{
        World,
        pool::{Pool, Route},
    },
};
use proptest::prelude::*;

use super::lab::{A, Lab, Question, Told, at, draft, linted, listen, prefix};

/// Where clients are: a place, another, a country only, and nowhere.
const PLACES: &str = "prefix,continent,country,subdivision,city,lat,lon,asn
20.0.0.0/16,EU,DE,,,50.11,8.68,
20.1.0.0/16,NA,US,,,39.04,-77.49,
20.2.0.0/16,EU,GB,,,,,
20.3.0.0/16,AS,,,,,,64500
";
/// For each client its prefix, its country, and whether it has a place.
const CLIENTS: [(&str, &str, bool); 5] = [
    ("20.0.0.0/24", "DE", true),
    ("20.1.0.0/24", "US", true),
    ("20.2.0.0/24", "GB", true),
    ("20.3.0.0/24", "", false),
    ("20.4.0.0/24", "", false),
];
const SPOTS: [&str; 3] = ["{ lat = 50.0, lon = 8.0 }", "{ lat = 39.0, lon = -77.0 }", "{ lat = 19.0, lon = 72.0 }"];
const GEO: &str = "geo.default = [\"r0\"]\ngeo.country = { US = [\"r1\"], GB = [\"r0\", \"r1\"] }";
const POLICIES: [&str; 10] = [
    "prefer = []\nspread = \"random\"",
    "prefer = [\"rtt\"]\ntolerance.rtt = \"0ms\"",
    "prefer = [\"distance\"]",
    "prefer = [\"order\"]",
    "prefer = [\"rtt\"]\nlimit = { rtt = \"60ms\" }",
    "prefer = [\"geo\"]\nGEO",
    "prefer = [\"rtt\", \"geo\"]\nGEO",
    "prefer = [\"order\"]\nshed = { low = 0.5, high = 0.9 }",
    "prefer = [\"order\", \"rtt\"]\nanswers = 2",
    "prefer = [\"geo\", \"distance\"]\nGEO",
];
const FENCES: [&str; 4] = ["", "", "only = [\"country:US\"]", "never = [\"continent:EU\", \"unknown\"]"];
const HEALTHY: [&str; 4] = ["1", "\"50%\"", "\"67%\"", "\"100%\""];

#[derive(Clone, Debug)]
struct PoolPlan {
    monitored: bool,
    policy: usize,
    min_healthy: usize,
    /// For each endpoint: region, weight, fence.
    endpoints: Vec<(usize, u32, usize)>,
}

#[derive(Clone, Debug)]
struct Site {
    located: [bool; 3],
    places: bool,
    ordered: bool,
    pools: Vec<PoolPlan>,
    /// The service's own policy.
    policy: Option<usize>,
    /// Whether the list of each `order` is written backwards.
    backwards: bool,
}

impl Site {
    fn text(&self) -> String {
        let mut text = String::from("[monitors.m]\ntcp = { port = 80 }\n[loads.l]\nexec = { command = [\"true\"] }\n");
        match (self.places, self.ordered) {
            (true, _) => text.push_str("[geo]\noverrides = \"o.csv\"\n"),
            (false, true) => text.push_str("[geo]\ndefault = [\"r1\", \"r0\"]\n"),
            (false, false) => {}
        }
        for (n, spot) in SPOTS.iter().enumerate() {
            let _ = writeln!(text, "[regions.r{n}]");
            if self.located[n] {
                let _ = writeln!(text, "location = {spot}");
            }
        }
        for (n, policy) in POLICIES.iter().enumerate() {
            let _ = writeln!(text, "[policies.t{n}]\n{}", policy.replace("GEO", GEO));
        }
        let mut host = 0;
        for (n, pool) in self.pools.iter().enumerate() {
            let mut order: Vec<String> = (0..pool.endpoints.len()).map(|e| format!("\"p{n}e{e}\"")).collect();
            if self.backwards {
                order.reverse();
            }
            let monitor = if pool.monitored { "monitor = \"m\"\n" } else { "" };
            let _ = writeln!(
                text,
                "[pools.p{n}]\n{monitor}policy = \"t{}\"\nload = \"l\"\nmin_healthy = {}\norder = [{}]",
                pool.policy,
                HEALTHY[pool.min_healthy],
                order.join(", ")
            );
            for (e, (region, weight, fence)) in pool.endpoints.iter().enumerate() {
                host += 1;
                let _ = writeln!(
                    text,
                    "[pools.p{n}.endpoints.p{n}e{e}]\nregion = \"r{region}\"\naddress = \"192.0.2.{host}\"\nweight = {weight}"
                );
                if !FENCES[*fence].is_empty() {
                    let _ = writeln!(text, "fence = {{ {} }}", FENCES[*fence]);
                }
            }
        }
        let pools: Vec<String> = (0..self.pools.len()).map(|n| format!("\"p{n}\"")).collect();
        let policy = self.policy.map_or(String::new(), |n| format!("policy = \"t{n}\"\n"));
        let _ = writeln!(
            text,
            "[services.\"www.g.test\"]\npools = [{}]\n{policy}second = \"next.g.test\"\ndirect = true\nwhen_fenced = \"refused\"",
            pools.join(", ")
        );
        text
    }

    /// The names that the service answers: its own, the runner-up's, and one for each of its regions.
    fn names(&self) -> Vec<String> {
        let regions: BTreeSet<usize> = self.pools.iter().flat_map(|pool| &pool.endpoints).map(|e| e.0).collect();
        let direct = regions.iter().map(|region| format!("r{region}.www.g.test"));
        ["www.g.test".to_owned(), "next.g.test".to_owned()].into_iter().chain(direct).collect()
    }

    /// The first key of the policy in force in a pool.
    fn first_key(&self, pool: usize) -> &'static str {
        let policy = POLICIES[self.policy.unwrap_or(self.pools[pool].policy)];
        policy.split(['[', ']']).nth(1).and_then(|keys| keys.split('"').nth(1)).unwrap_or_default()
    }
}

fn site() -> impl Strategy<Value = Site> {
    let endpoint = (0..3usize, prop::sample::select(vec![0u32, 1, 1, 1, 3]), 0..FENCES.len());
    let pool = (any::<bool>(), 0..POLICIES.len(), 0..HEALTHY.len(), prop::collection::vec(endpoint, 1..4)).prop_map(
        |(monitored, policy, min_healthy, mut endpoints)| {
            endpoints[0].1 = 1; // `check` refuses a pool whose weights are all 0
            PoolPlan { monitored, policy, min_healthy, endpoints }
        },
    );
    let policy = prop_oneof![2 => Just(None), 1 => (0..POLICIES.len()).prop_map(Some)];
    (any::<[bool; 3]>(), prop::bool::weighted(0.8), any::<bool>(), prop::collection::vec(pool, 1..4), policy).prop_map(
        |(located, places, ordered, pools, policy)| Site { located, places, ordered, pools, policy, backwards: false },
    )
}

/// One answer: what was asked, by which client, and how it came about.
struct Seen {
    name: String,
    client: usize,
    told: Told,
}

/// The pool of an endpoint, as it is configured.
fn pool_of(world: &World, id: EndpointId) -> (usize, &Pool) {
    let own = |(_, pool): &(usize, &Pool)| pool.first.0 <= id.0 && id.0 < pool.first.0 + u32::from(pool.count());
    let pools = world.pools.iter().enumerate();
    let mut pools = pools.filter(own);
    let (_, pool) = pools.next().expect("a pool");
    (pool.name[1..].parse().expect("a number"), pool)
}

fn chosen(steps: &[Step]) -> Vec<EndpointId> {
    steps.iter().filter_map(|step| if let Step::Chosen(id) = step { Some(*id) } else { None }).collect()
}

/// The snapshot with every endpoint of a policy that sheds taking nothing.
fn shedding(mut snapshot: Snapshot) -> Snapshot {
    let world = Arc::clone(&snapshot.world);
    for (at, (pool, row)) in world.pools.iter().zip(&mut snapshot.pools).enumerate() {
        let of = |route: &Route| route.pool.at() == at && world.policies[route.policy.at()].shed.is_some();
        if world.routes.iter().any(of) {
            row.partial = (1 << pool.count()) - 1;
            let first = pool.first.at();
            snapshot.endpoints[first..first + usize::from(pool.count())]
                .iter_mut()
                .for_each(|row| row.admission = Admission::NONE);
        }
    }
    snapshot
}

/// Answers in every state of health of up to four targets (others share their state), to all names and clients.
fn answers(site: &Site, world: &Arc<World>) -> Vec<Seen> {
    let mut lab = Lab { ledger: meridian::node::ledger::Ledger::new(Arc::clone(world)), world: Arc::clone(world) };
    let targets = world.targets.len();
    let mut seen = Vec::new();
    for state in 0..1u32 << targets.min(4) {
        let letters: Vec<&str> = (0..targets).map(|n| if state >> (n % 4) & 1 == 1 { "b" } else { "g" }).collect();
        let may_shed = world.policies.iter().any(|policy| policy.shed.is_some());
        for sheds in if may_shed { &[false, true][..] } else { &[false][..] } {
            let snapshot = lab.healths(&letters);
            let snapshot = if *sheds { shedding(snapshot) } else { snapshot };
            for name in site.names() {
                for (client, (net, ..)) in CLIENTS.iter().enumerate() {
                    let question = Question::new(&name, A).with(prefix(net));
                    let told = listen(&snapshot, &question, at(0)).expect("ready");
                    seen.push(Seen { name: name.clone(), client, told });
                }
            }
        }
    }
    seen
}

/// What stands in quotes in a sentence.
fn quoted(text: &str) -> Vec<&str> {
    text.split('"').skip(1).step_by(2).collect()
}

/// Whether endpoint `id`, which was chosen, had a better one beside it: eligible in the same pool on the same attempt, not
/// refused, and in one of these regions.
fn passed_by(world: &World, steps: &[Step], id: EndpointId, better: impl Fn(&str) -> bool) -> bool {
    let at = steps.iter().position(|step| *step == Step::Chosen(id)).expect("chosen");
    let start = steps[..at].iter().rposition(|step| matches!(step, Step::Pool(_))).unwrap_or(0);
    let refused = |other: &EndpointId| {
        steps[start..at].iter().any(|step| matches!(step, Step::Refused { endpoint, .. } if endpoint == other))
    };
    steps[start..at].iter().any(|step| match step {
        Step::Candidate(other, Ok(_)) => {
            let region = &world.regions[world[*other].region.at()].name;
            better(region) && !refused(other)
        }
        _ => false,
    })
}

/// The regions that a client's geo rule lists.
fn listed(client: usize) -> &'static [&'static str] {
    match CLIENTS[client].1 {
        "US" => &["r1"],
        "GB" => &["r0", "r1"],
        _ => &["r0"],
    }
}

/// Holds one finding against all answers. Says whether it is one that is understood.
fn hold(site: &Site, world: &World, seen: &[Seen], (message, label): &(String, String)) -> Result<bool, TestCaseError> {
    let region_of = |id: EndpointId| &*world.regions[world[id].region.at()].name;
    let names = quoted(message);
    let each = || seen.iter().flat_map(|seen| chosen(&seen.told.steps).into_iter().map(move |id| (seen, id)));
    let story = |seen: &Seen| format!("{message} ({label})\n{} {}: {:#?}", seen.name, seen.client, seen.told.steps);
    if message.ends_with("can never be chosen") {
        for (seen, id) in each() {
            let endpoint = format!("{}/{}", pool_of(world, id).1.name, world[id].name);
            let is_it = if message.starts_with("region") { region_of(id) == names[0] } else { endpoint == names[0] };
            prop_assert!(!is_it, "{}", story(seen));
        }
    } else if message.ends_with("never comes to its later pools") {
        let last = site.pools.len() - 1;
        for (seen, id) in each().filter(|(seen, _)| seen.name == "www.g.test") {
            prop_assert!(pool_of(world, id).0 != last, "{}", story(seen));
        }
    } else if message.starts_with("no geo rule of policy") {
        let pools: Vec<usize> =
            (0..site.pools.len()).filter(|n| format!("t{}", site.pools[*n].policy) == names[0]).collect();
        for (seen, id) in each().filter(|(_, id)| region_of(*id) == names[1]) {
            if pools.contains(&pool_of(world, id).0) && site.policy.is_none() {
                // Where no client is located, all go by the default.
                let lists = if site.places { listed(seen.client) } else { &["r0"][..] };
                let by = passed_by(world, &seen.told.steps, id, |region| lists.contains(&region));
                prop_assert!(!by, "{}", story(seen));
            }
        }
    } else if message.ends_with("has no location") && label.contains("it comes last") {
        let (by, pool) = (quoted(label)[0], quoted(label)[1]);
        for (seen, id) in each().filter(|(seen, id)| region_of(*id) == names[0] && CLIENTS[seen.client].2) {
            let (n, own) = pool_of(world, id);
            if *own.name == *pool && site.first_key(n) == by && site.places {
                let located = |region: &str| site.located[region[1..].parse::<usize>().expect("a number")];
                prop_assert!(!passed_by(world, &seen.told.steps, id, located), "{}", story(seen));
            }
        }
    } else if message.ends_with("nothing says where they are") && label.contains("equally near") {
        let by = quoted(label)[0];
        for seen in seen {
            let mut pool = None;
            for step in &seen.told.steps {
                match step {
                    Step::Pool(id) => pool = Some(*id),
                    Step::Ranked { key, endpoint, kept, .. } if *pool_of(world, *endpoint).1.name == *names[0] => {
                        let key = format!("{key:?}").to_lowercase();
                        prop_assert!(key != by || *kept, "{pool:?} {}", story(seen));
                    }
                    _ => {}
                }
            }
        }
    } else if message.ends_with("for some clients") {
        let pool = world.pools.iter().position(|pool| *pool.name == *names[0]);
        let id = PoolId(pool.expect("a pool") as u32);
        if site.policy.is_none() {
            let lacks = |seen: &Seen| {
                let lack = |step: &Step| matches!(step, Step::PassedOver(pool, Lack::TooFew | Lack::NoneEligible) if *pool == id);
                seen.told.steps.iter().any(lack)
            };
            let short = (0..CLIENTS.len()).any(|client| {
                let mut own = seen.iter().filter(|seen| seen.name == "www.g.test" && seen.client == client);
                own.all(|seen| lacks(seen) || !seen.told.steps.contains(&Step::Pool(RouteId(id.0))))
            });
            prop_assert!(short, "{message}: {label}");
        }
    } else if message.starts_with("`services.") && message.ends_with("when_fenced` has no effect") {
        for seen in seen {
            prop_assert!(!seen.told.steps.contains(&Step::Rung(Rung::Fenced)), "{}", story(seen));
        }
    } else if message.ends_with("has no monitor") {
        for seen in seen {
            let down = seen.told.steps.iter().find(|step| match step {
                Step::Candidate(id, Err(why)) => {
                    *pool_of(world, *id).1.name == *names[0]
                        && matches!(
                            why,
                            meridian::engine::live::eligible::Exclusion::Down
                                | meridian::engine::live::eligible::Exclusion::Unknown
                        )
                }
                _ => false,
            });
            prop_assert!(down.is_none(), "{}", story(seen));
        }
    } else if !(message.starts_with("the order of pool") && message.ends_with("has no effect")) {
        return Ok(false);
    }
    Ok(true)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_finding_says_what_the_engine_does(site in site()) {
        let (text, files) = (site.text(), [("o.csv", PLACES)]);
        let findings = linted(&text, &files);
        let world = Arc::new(World::seal(draft(&text, &files)));
        let seen = answers(&site, &world);
        for finding in &findings {
            hold(&site, &world, &seen, finding)?;
        }
        // An order that has no effect may be written backwards.
        let vain = |n: usize| findings.iter().any(|(message, _)| *message == format!("the order of pool \"p{n}\" has no effect"));
        if (0..site.pools.len()).all(vain) {
            let other = Site { backwards: true, ..site.clone() };
            let world = Arc::new(World::seal(draft(&other.text(), &files)));
            for (one, two) in seen.iter().zip(answers(&other, &world)) {
                prop_assert_eq!(&one.told.answer, &two.told.answer, "{} {}", one.name, one.client);
            }
        }
    }
}

/// Each kind of sentence comes up among random configurations, so that the property above holds something.
#[test]
fn every_kind_of_finding_comes_up() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut left = vec![
        "can never be chosen",
        "never comes to its later pools",
        "no geo rule of policy",
        "has no location",
        "nothing says where they are",
        "for some clients",
        "when_fenced` has no effect",
        "has no monitor",
        "the order of pool",
    ];
    let mut runner = TestRunner::deterministic();
    for _ in 0..400 {
        let site = site().new_tree(&mut runner).expect("a site").current();
        let findings = linted(&site.text(), &[("o.csv", PLACES)]);
        left.retain(|kind| !findings.iter().any(|(message, _)| message.contains(kind)));
        if left.is_empty() {
            return;
        }
    }
    panic!("never found: {left:?}");
}
