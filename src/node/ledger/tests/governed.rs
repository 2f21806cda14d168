//! The governor and the canaries: what operators read, and what holds whatever happens in whatever order.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::{
    engine::{
        health::rules::{Governor, MaxRegions},
        wire::edns::Notice,
    },
    node::saved,
};

/// Endpoints whose region is the first word of their name.
const FOUR: &str = "api a-1 192.0.2.11
                    api c-1 192.0.2.31
                    web a-1 192.0.2.11,2001:db8::11
                    web a-2 192.0.2.12
                    web b-1 192.0.2.21
                    web b-2 192.0.2.22
                    web c-1 192.0.2.31
                    web c-2 192.0.2.32
                    web d-1 192.0.2.41";
const CANARIES: [&str; 2] = ["203.0.113.1", "203.0.113.2"];
const REGIONS: [&str; 4] = ["a", "b", "c", "d"];

fn governed(text: &str, canaries: usize, edit: impl FnOnce(&mut Draft)) -> Arc<World> {
    let mut draft = draft(RHYTHM, text);
    draft.regions = REGIONS.map(|name| Region { name: name.into(), ..Region::default() }).into();
    for endpoint in draft.endpoints_mut() {
        let name = endpoint.name.split('-').next().unwrap_or_default().to_owned();
        let at = REGIONS.iter().position(|region| **region == *name).expect("a region");
        endpoint.region = RegionId(at as u16);
    }
    for address in &CANARIES[..canaries] {
        draft.health.canaries.push(TargetId(draft.targets.len() as u32));
        draft.targets.push(Target::probed(MonitorId(0), key(address)));
    }
    edit(&mut draft);
    Arc::new(World::seal(draft))
}

const SMALL: &str = "web a-1 192.0.2.1
                     web b-1 192.0.2.2";

#[test]
fn the_operator_reads_that_a_region_is_held_and_why_it_is_no_longer() {
    let mut ledger = all_up(&governed(SMALL, 0, |_| {}));
    play(
        &mut ledger,
        "1000 192.0.2.1 status-503
         1200 192.0.2.1 status-503
         1400 192.0.2.1 status-503   | web/a-1 192.0.2.1 is down: 3 of the last 3 probes failed: status 503; web has 1 of 2 endpoints up
         1500 192.0.2.2 status-503
         1700 192.0.2.2 status-503
         1900 192.0.2.2 status-503   | web/b-1 192.0.2.2 is down: 3 of the last 3 probes failed: status 503; it is held and counts as before beside an endpoint that is up; web has 0 of 2 endpoints up and 1 held & region b is held up against its probes: a of 2 regions has gone within 1 min already; web/b-1 counts as up until the probes are good again, a reload sets its weight to 0 (an operator's word comes with the control plane), or 10 min have passed
         2000 release a              | region a is not held: there is nothing to let go
         2000 release b              | region b is held no longer, after 100 ms: an operator has let it go; web/b-1 counts as down from now on; web has 0 of 2 endpoints up
         3000 192.0.2.2 good
         3200 192.0.2.2 good         | web/b-1 192.0.2.2 is up again: 2 good probes in a row, the last answered in 1.0 ms; web has 1 of 2 endpoints up
         4000 192.0.2.2 refused
         4200 192.0.2.2 refused
         4400 192.0.2.2 refused      | web/b-1 192.0.2.2 is down: 3 of the last 3 probes failed: refused; it is held and counts as before beside an endpoint that is up; web has 0 of 2 endpoints up and 1 held & region b is held up against its probes: a of 2 regions has gone within 1 min already; web/b-1 counts as up until the probes are good again, a reload sets its weight to 0 (an operator's word comes with the control plane), or 10 min have passed
         5000 192.0.2.1 good
         5200 192.0.2.1 good         | web/a-1 192.0.2.1 is up again: 2 good probes in a row, the last answered in 1.0 ms; web has 2 of 2 endpoints up
         6000 192.0.2.2 good
         6200 192.0.2.2 good         | web/b-1 192.0.2.2 is up again: 2 good probes in a row, the last answered in 1.0 ms; web has 2 of 2 endpoints up & region b is held no longer, after 1800 ms: there is nothing left to hold",
    );
    assert_eq!(ledger.held_regions(), 0);
}

/// What another process knows that starts so many milliseconds after this one was killed at `at`.
fn restarted(ledger: &Ledger, at: u64, later: u64, edit: impl Fn(String) -> String) -> (Ledger, Vec<String>) {
    let world = Arc::clone(&ledger.world);
    let text = edit(saved::encode(&ledger.status(At(at)), At(at), 1_000_000));
    let saved = saved::decode(&text).expect("sound");
    let age = saved.age(1_000_000 + later, Millis(600_000));
    let mut ledger = Ledger::new(world);
    let changes = ledger.fold(At(3), Input::Saved { saved, age });
    (ledger, changes.iter().map(ToString::to_string).collect())
}

#[test]
fn a_hold_outlives_the_process_and_goes_on() {
    let mut ledger = all_up(&governed(SMALL, 0, |_| {}));
    for address in ["192.0.2.1", "192.0.2.2"] {
        for at in [1000, 1200, 1400] {
            ledger.fold(At(at), Input::outcome(&key(address), outcome("refused")));
        }
    }
    let (mut again, told) = restarted(&ledger, 11_400, 20_000, |text| text);
    assert_eq!(
        told,
        [
            "health of 2 targets is restored, 20 s old; down: web/b-1 192.0.2.2 (refused) and web/a-1 192.0.2.1 (refused)",
            "region b is held up against its probes: it was before the restart, for 30 s; web/b-1 counts as up until the \
         probes are good again, a reload sets its weight to 0 (an operator's word comes with the control plane), or 570 s have passed",
            "steered names are answered: health of all 2 targets is known from before",
        ]
    );
    assert_eq!(again.held_regions(), 1);
    // It was held at 1400 of the first process, and 30 s have passed by the moment 3 of the second.
    play(
        &mut again,
        "30003  192.0.2.1 good
         30203  192.0.2.1 good | web/a-1 192.0.2.1 is up again: 2 good probes in a row, the last answered in 1.0 ms; web has 2 of 2 endpoints up
         570002 tick
         570003 tick           | region b is held no longer, after 10 min: that is as long as a region may be held; web/b-1 counts as down from now on; web has 1 of 2 endpoints up",
    );
}

#[test]
fn a_window_outlives_the_process() {
    let fails = |ledger: &mut Ledger, address: &str, from: u64| -> Vec<String> {
        let probe = |at| ledger.fold(At(at), Input::outcome(&key(address), outcome("refused")));
        [from, from + 200, from + 400].into_iter().flat_map(probe).map(|change| change.to_string()).collect()
    };
    let mut ledger = all_up(&governed(SMALL, 0, |_| {}));
    fails(&mut ledger, "192.0.2.1", 1000);
    let is_held = |told: Vec<String>| told.iter().any(|text| text.starts_with("region b is held up"));
    // It was emptied at 1400; the window of a minute ends 30 s after the start of the second process, at 3.
    for (at, held) in [(29_602, true), (29_603, false)] {
        let (mut again, _) = restarted(&ledger, 11_400, 20_000, |text| text);
        assert_eq!(is_held(fails(&mut again, "192.0.2.2", at)), held, "{at}");
    }
    // A file of an earlier program knows nothing of it.
    let old = |text: String| {
        let (head, rest) = text.split_once('\n').expect("a head");
        let (before, _) = head.split_once(",\"governor\"").expect("something to leave out");
        format!("{before}}}\n{rest}")
    };
    let (mut again, told) = restarted(&ledger, 11_400, 0, old);
    assert!(told[0].starts_with("health of 2 targets is restored"), "{told:?}");
    assert!(!is_held(fails(&mut again, "192.0.2.2", 100)));
    // What is too old to be believed holds nobody.
    let (mut again, _) = restarted(&ledger, 11_400, 600_001, |text| text);
    assert!(!is_held(fails(&mut again, "192.0.2.2", 100)));
}

/// One that the file or a reload leaves without monitored endpoints takes no place of another's in the window.
#[test]
fn a_region_without_endpoints_is_not_of_those_that_may_go() {
    let (three, two) =
        ("web a-1 192.0.2.1\nweb b-1 192.0.2.2\nweb c-1 192.0.2.3", "web b-1 192.0.2.2\nweb c-1 192.0.2.3");
    let world = |text| governed(text, 0, |draft| draft.health.governor.max_regions = MaxRegions::Count(1));
    let fails = |ledger: &mut Ledger, address: &str, from: u64| {
        for at in [from, from + 200, from + 400] {
            ledger.fold(At(at), Input::outcome(&key(address), outcome("refused")));
        }
        ledger.held_regions()
    };
    for restart in [false, true] {
        let mut ledger = all_up(&world(three));
        assert_eq!(fails(&mut ledger, "192.0.2.1", 1000), 0);
        if restart {
            let saved = saved::decode(&saved::encode(&ledger.status(At(2000)), At(2000), 2001)).expect("sound");
            let age = saved.age(2001, Millis(600_000));
            ledger = Ledger::new(world(two));
            ledger.fold(At(2000), Input::Saved { saved, age });
        } else {
            ledger.configure(At(2000), world(two));
        }
        assert_eq!(fails(&mut ledger, "192.0.2.2", 3000), 0, "restart: {restart}");
        assert_eq!(fails(&mut ledger, "192.0.2.3", 4000), 1, "restart: {restart}");
    }
}

#[test]
fn a_hold_ends_when_a_reload_takes_away_what_was_held() {
    let mut ledger = all_up(&governed(SMALL, 0, |_| {}));
    for address in ["192.0.2.1", "192.0.2.2"] {
        for at in [1000, 1200, 1400] {
            ledger.fold(At(at), Input::outcome(&key(address), outcome("refused")));
        }
    }
    assert_eq!(ledger.held_regions(), 1);
    let moved = governed("web a-1 192.0.2.1\nweb b-1 192.0.2.3", 0, |_| {});
    let told: Vec<String> = ledger.configure(At(2000), moved).iter().map(ToString::to_string).collect();
    let over = "region b is held no longer, after 600 ms: there is nothing left to hold";
    assert!(told.iter().any(|line| line == over), "{told:?}");
    assert_eq!((ledger.held_regions(), ledger.due()), (0, None));
}

#[test]
fn a_region_is_held_in_a_world_with_a_service_without_routes() {
    let mut ledger = all_up(&governed(SMALL, 0, |draft| {
        draft.services.push(Service::new(Name::from_text("bare.example").expect("a name")));
    }));
    for address in ["192.0.2.1", "192.0.2.2"] {
        for at in [1000, 1200, 1400] {
            ledger.fold(At(at), Input::outcome(&key(address), outcome("refused")));
        }
    }
    assert_eq!(ledger.held_regions(), 1);
}

#[test]
fn a_hold_lasts_as_long_as_it_may_to_the_millisecond() {
    let mut ledger = all_up(&governed(SMALL, 0, |_| {}));
    for address in ["192.0.2.1", "192.0.2.2"] {
        for at in [1000, 1200, 1400] {
            ledger.fold(At(at), Input::outcome(&key(address), outcome("refused")));
        }
    }
    assert_eq!(ledger.due(), Some(At(61_400)), "the window has room, which says nothing yet");
    play(
        &mut ledger,
        "61400  tick
         601399 tick
         601400 tick | region b is held no longer, after 10 min: that is as long as a region may be held; web/b-1 counts as down from now on; web has 0 of 2 endpoints up",
    );
    assert_eq!(ledger.due(), None);
}

#[test]
fn the_operator_reads_that_this_node_is_alone() {
    let mut ledger = all_up(&governed(SMALL, 2, |_| {}));
    play(
        &mut ledger,
        "1000 203.0.113.1 refused
         1000 203.0.113.2 refused
         1200 203.0.113.1 refused
         1200 203.0.113.2 refused
         1300 192.0.2.1 refused
         1310 192.0.2.1 refused
         1320 192.0.2.1 refused   | web/a-1 192.0.2.1 is down: 3 of the last 3 probes failed: refused; it counts as before until a canary has answered; web has 2 of 2 endpoints up
         1400 203.0.113.1 refused | 203.0.113.1 is down by lb: 3 of the last 3 probes failed: refused
         1400 203.0.113.2 refused | 203.0.113.2 is down by lb: 3 of the last 3 probes failed: refused & this node sees none of its 2 canaries: its own network is in trouble, and no failure of a target is believed until one probe round after one answers again",
    );
    assert!(ledger.is_isolated());
    let noticed = |ledger: &Ledger| ledger.snapshot(At(0)).pools.iter().map(|row| row.notice).collect::<Vec<_>>();
    assert_eq!(noticed(&ledger), [Some(Notice::Blind)]);
    play(
        &mut ledger,
        "9400 203.0.113.2 good    | a canary answers again, after 8 s: failures of targets are believed again one probe round from now
         11199 tick
         11200 tick               | web/a-1 192.0.2.1 counts as down from now on: a canary has answered since; web has 1 of 2 endpoints up",
    );
    assert_eq!(noticed(&ledger), [None]);
}

#[test]
fn the_operator_reads_why_what_was_found_before_counts_now() {
    let mut ledger = all_up(&governed(SMALL, 1, |_| {}));
    play(
        &mut ledger,
        "1000 192.0.2.1 refused
         1200 192.0.2.1 refused
         1400 192.0.2.1 refused | web/a-1 192.0.2.1 is down: 3 of the last 3 probes failed: refused; it counts as before until a canary has answered; web has 2 of 2 endpoints up",
    );
    let told = |ledger: &mut Ledger, world: Arc<World>| -> Vec<String> {
        let changes = ledger.configure(At(2000), world);
        changes.iter().filter(|change| matches!(change, Change::Believed(_))).map(ToString::to_string).collect()
    };
    let now = "web/a-1 192.0.2.1 counts as down from now on: there are no canaries any more to wait for; web has 1 of 2 endpoints up";
    assert_eq!(told(&mut ledger, governed(SMALL, 0, |_| {})), [now]);

    let two = "web a-1 192.0.2.1
               web b-1 192.0.2.2
               web b-2 192.0.2.3";
    let mut ledger = all_up(&governed(two, 0, |_| {}));
    for address in ["192.0.2.1", "192.0.2.2", "192.0.2.3"] {
        for at in [1000, 1200, 1400] {
            ledger.fold(At(at), Input::outcome(&key(address), outcome("refused")));
        }
    }
    assert_eq!(
        told(&mut ledger, governed(two, 0, |draft| draft.identity = "b".into())),
        [""; 0],
        "a reload lets nobody go"
    );
    play(
        &mut ledger,
        "3000 192.0.2.3 good
         3200 192.0.2.3 good | web/b-2 192.0.2.3 is up again: 2 good probes in a row, the last answered in 1.0 ms; web has 1 of 3 endpoints up & region b is held no longer, after 1800 ms: there is nothing left to hold & web/b-1 192.0.2.2 counts as down from now on: its region is held no longer; web has 1 of 3 endpoints up",
    );
}

#[test]
fn one_is_not_many() {
    let mut ledger = all_up(&world(Rhythm { fall: 1, rise: 1, ..RHYTHM }, "web a-1 192.0.2.1"));
    play(
        &mut ledger,
        "1000 192.0.2.1 refused | web/a-1 192.0.2.1 is down: the last probe failed: refused; web has 0 of 1 endpoints up
         2000 192.0.2.1 good    | web/a-1 192.0.2.1 is up again: the last probe answered in 1.0 ms; web has 1 of 1 endpoints up",
    );
    let told = |ledger: &mut Ledger, world| ledger.configure(At(3000), world)[0].to_string();
    let other = world(RHYTHM, "web a-1 192.0.2.1");
    // Its monitor asks by other numbers.
    assert_eq!(
        told(&mut ledger, other),
        "the configuration is in force: 1 target keeps its health, 0 new, 0 gone; changed: 1 pool (web)"
    );
    let first = Ledger::new(world(RHYTHM, "web a-1 192.0.2.1")).end_wait(At(0))[0].to_string();
    assert_eq!(
        first,
        "steered names are answered: the wait is over, but the only target has not been heard of and counts as unknown"
    );
}

#[test]
fn who_recovers_unbelieved_need_not_wait() {
    let mut ledger = all_up(&governed(SMALL, 1, |draft| {
        draft.monitors[0].calm = Calm { manual: true, ..Calm::usual(Millis(1000)) };
    }));
    play(
        &mut ledger,
        "1000 192.0.2.1 refused
         1200 192.0.2.1 refused
         1400 192.0.2.1 refused | web/a-1 192.0.2.1 is down: 3 of the last 3 probes failed: refused; it counts as before until a canary has answered; web has 2 of 2 endpoints up
         1600 192.0.2.1 good
         1700 203.0.113.1 good
         1800 192.0.2.1 good    | web/a-1 192.0.2.1 is up again: 2 good probes in a row, the last answered in 1.0 ms; web has 2 of 2 endpoints up",
    );
    assert_eq!(ledger.due(), None);
}

#[derive(Clone, Copy, Debug)]
enum Doing {
    /// The n-th of all that is probed.
    Probe(usize, bool),
    Release(usize),
    /// Everything is asked, and a set of it fails.
    Round(u16),
    Reload(usize),
    /// Killed, and started again so much later.
    Restart(u64),
}

fn doing() -> impl Strategy<Value = Doing> {
    prop_oneof![
        6 => (0usize..16, any::<bool>()).prop_map(|(who, good)| Doing::Probe(who, good)),
        8 => any::<u16>().prop_map(Doing::Round),
        1 => (0..REGIONS.len()).prop_map(Doing::Release),
        1 => (0usize..2).prop_map(Doing::Reload),
        1 => prop_oneof![Just(0u64), 0u64..100_000].prop_map(Doing::Restart),
    ]
}

/// Regions with an endpoint that is up.
fn alive(ledger: &Ledger) -> BTreeSet<RegionId> {
    let snapshot = ledger.snapshot(At(0));
    let pools = snapshot.world.pools.iter().zip(&snapshot.pools);
    pools
        .flat_map(|(pool, row)| {
            let up = row.up.any();
            members(pool).filter(move |(n, ..)| up >> n & 1 == 1).map(|(.., endpoint)| endpoint.region)
        })
        .collect()
}

/// Follows a ledger and says what is wrong.
struct Watch {
    rules: Governor,
    alive: BTreeSet<RegionId>,
    /// What automation has emptied, and when.
    emptied: Vec<(u64, RegionId)>,
    /// When each canary was heard last, and whether it answered.
    canaries: BTreeMap<IpAddr, bool>,
}

impl Watch {
    fn look(&mut self, ledger: &Ledger, now: u64, operator: bool) -> Result<(), TestCaseError> {
        let alive = alive(ledger);
        let gone: Vec<RegionId> = self.alive.difference(&alive).copied().collect();
        if !operator {
            self.emptied.extend(gone.iter().map(|region| (now, *region)));
            prop_assert!(gone.is_empty() || self.canaries.is_empty() || self.canaries.values().any(|good| *good));
        }
        let window = self.emptied.iter().filter(|(at, _)| now - at < self.rules.window.0);
        let distinct: BTreeSet<RegionId> = window.map(|(_, region)| *region).collect();
        prop_assert!(distinct.len() <= self.rules.max_regions.of(REGIONS.len()), "{distinct:?} at {now}");
        self.alive = alive;
        // A recovery is never held, and nobody counts as anything but what it was found to be or had been.
        let snapshot = ledger.snapshot(At(now));
        for (pool, row) in snapshot.world.pools.iter().zip(&snapshot.pools) {
            for (n, _, endpoint) in members(pool) {
                let has = |set: u64| set >> n & 1 == 1;
                for (at, id) in Family::BOTH.into_iter().filter_map(|at| Some((at, endpoint.targets[at].as_ref()?))) {
                    let found = ledger.record(*id).health;
                    prop_assert!(found != Health::Up || has(row.up[at]), "a recovery is held");
                    prop_assert!(found == Health::Down || !has(row.down[at]), "down that was not found so");
                    prop_assert!(found != Health::Down || has(row.down[at]) || has(row.held), "not down, and not held");
                }
            }
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Automation never empties more than its share in any window, never holds a recovery, and empties nothing while no
    /// canary answers; and time never hangs.
    #[test]
    fn never_more_than_the_share(
        day in prop::collection::vec((prop_oneof![Just(200u64), 1000u64..20_000, 50_000u64..70_000, Just(600_000)], doing()), 1..60),
        canaries in 0usize..3,
        max in prop_oneof![(1u32..4).prop_map(MaxRegions::Count), (1u32..=1000).prop_map(|parts| MaxRegions::Share(Permille(parts)))],
    ) {
        let configured = |which: usize| governed(FOUR, canaries, |draft| {
            draft.health.governor.max_regions = max;
            if which == 1 {
                draft.monitors[0].calm = Calm::usual(Millis(1000));
            }
        });
        let world = configured(0);
        let mut ledger = all_up(&world);
        let keys: Vec<Arc<ProbeKey>> = world.targets.iter().filter_map(Target::key).cloned().collect();
        let addresses: BTreeMap<IpAddr, bool> = CANARIES[..canaries].iter().map(|a| (a.parse().expect(a), true)).collect();
        let mut watch = Watch { rules: world.health.governor, alive: alive(&ledger), emptied: Vec::new(), canaries: addresses };
        let mut now = 0;
        for (wait, doing) in day {
            let (mut ticks, end) = (0, now + wait);
            while let Some(at) = ledger.due().filter(|at| at.0 <= end) {
                now = at.0;
                ledger.fold(at, Input::Tick);
                watch.look(&ledger, now, false)?;
                ticks += 1;
                prop_assert!(ticks < 10_000, "time hangs");
            }
            now = end;
            let probe = |ledger: &mut Ledger, watch: &mut Watch, key: &Arc<ProbeKey>, good: bool| {
                if let Some(known) = watch.canaries.get_mut(&key.address) {
                    *known = good;
                }
                let outcome = outcome(if good { "good" } else { "refused" });
                ledger.fold(At(now), Input::outcome(key, outcome));
                watch.look(ledger, now, false)
            };
            match doing {
                Doing::Probe(who, good) => probe(&mut ledger, &mut watch, &keys[who % keys.len()], good)?,
                Doing::Round(fails) => {
                    for _ in 0..3 {
                        for (n, key) in keys.iter().enumerate() {
                            probe(&mut ledger, &mut watch, key, fails >> n & 1 == 0)?;
                        }
                    }
                }
                Doing::Release(region) => {
                    ledger.fold(At(now), Input::Release(REGIONS[region].into()));
                    watch.look(&ledger, now, true)?;
                }
                Doing::Reload(which) => {
                    ledger.configure(At(now), configured(which));
                    watch.look(&ledger, now, false)?;
                }
                Doing::Restart(later) => {
                    let text = saved::encode(&ledger.status(At(now)), At(now), 1 + now);
                    let saved = saved::decode(&text).expect("sound");
                    now += later;
                    let age = saved.age(1 + now, Millis(600_000));
                    ledger = Ledger::new(Arc::clone(&ledger.world));
                    ledger.fold(At(now), Input::Saved { saved, age });
                    watch.look(&ledger, now, false)?;
                }
            }
        }
    }
}
