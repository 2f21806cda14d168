//! Small worlds, and days of them written as text: a moment in milliseconds, an address, what a probe of it found; or
//! what an operator says, what load is reported.

mod drain;
mod governed;
mod load;
mod overrides;
mod parts;
mod properties;
mod regions;
mod reload;
mod slow_start;

use std::net::IpAddr;

use proptest::prelude::*;

use super::*;
use crate::{
    engine::{
        health::{
            fold::{Health, Outcome},
            rules::MaxRegions,
        },
        live::PoolRow,
        signal::load::Load,
        types::{Family, Millis, PerFamily, RegionId, RouteId},
        units::{Admission, Permille},
        wire::name::Name,
        world::{
            Draft, Region, Target,
            endpoint::Endpoint,
            policy::{Policy, Watermarks},
            pool::Pool,
            service::Service,
        },
    },
    node::overrides::Act,
    probing::{
        check::Check,
        monitor::{Calm, Monitor, MonitorId, ProbeKey, Rhythm, Watch},
    },
};

const RHYTHM: Rhythm = Rhythm { interval: Millis(1000), timeout: Millis(800), recheck: Millis(200), fall: 3, rise: 2 };

fn key(address: &str) -> Arc<ProbeKey> {
    Arc::new(ProbeKey::new(Check::tcp(80), address.parse().expect(address)))
}

/// A world from lines `pool endpoint address[,address]`, the pools' lines together. A pool whose name ends in `!` has
/// no monitor. Targets are numbered backwards, so that a test that goes by position fails.
fn world(rhythm: Rhythm, text: &str) -> Arc<World> {
    Arc::new(World::seal(draft(rhythm, text)))
}

fn draft(rhythm: Rhythm, text: &str) -> Draft {
    let monitor =
        Monitor { name: "lb".into(), watch: Watch::Probe(Check::tcp(80)), rhythm, calm: Calm::NONE, source: None };
    let mut world = Draft { monitors: vec![monitor], ..Draft::default() };
    let mut keys: Vec<Arc<ProbeKey>> = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.contains('!')) {
        for address in line.rsplit(' ').next().unwrap_or_default().split(',') {
            if !keys.contains(&key(address)) {
                keys.insert(0, key(address));
            }
        }
    }
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let [pool, name, addresses] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let monitored = !pool.ends_with('!');
        if world.pools.last().is_none_or(|last| &*last.name != pool) {
            world.pools.push(Pool { name: pool.into(), monitor: monitored.then_some(MonitorId(0)), ..Pool::default() });
        }
        let mut endpoint = Endpoint {
            name: name.into(),
            region: RegionId(0),
            v4: None,
            v6: None,
            weight: 100,
            order: 0,
            ..Endpoint::default()
        };
        for address in addresses.split(',') {
            let ip: IpAddr = address.parse().expect(address);
            match ip {
                IpAddr::V4(v4) => endpoint.v4 = Some(v4),
                IpAddr::V6(v6) => endpoint.v6 = Some(v6),
            }
            let target = keys.iter().position(|k| *k == key(address)).map(|i| TargetId(i as u32));
            endpoint.targets[Family::of(ip)] = target.filter(|_| monitored);
        }
        world.pools.last_mut().expect("there is one").endpoints.push(endpoint);
    }
    world.targets = keys.into_iter().map(|key| Target::probed(MonitorId(0), key)).collect();
    world
}

/// The same with what shaping wants: regions `eu` and `us` by the endpoints' names, each with a capacity of 100; pools
/// that name a load of 10 s, unsmoothed; and one service of all of them, whose blocks are not cut. Its `ttl.max` is 30 s.
fn shaped(text: &str, edit: impl FnOnce(&mut Draft)) -> Arc<World> {
    let mut world = draft(RHYTHM, text);
    world.regions =
        ["eu", "us"].map(|name| Region { name: name.into(), capacity: Some(100.0), ..Region::default() }).into();
    for endpoint in world.endpoints_mut() {
        endpoint.region = RegionId(u16::from(endpoint.name.starts_with("us")));
    }
    world.loads = vec![Load { name: "push".into(), max_age: Millis(10_000), smooth: Millis(0), ..Load::default() }];
    world.pools.iter_mut().for_each(|pool| pool.load = Some("push".into()));
    world.policies = vec![Policy::default()];
    let mut service = Service::new(Name::from_text("www.g.test.").expect("a name"));
    service.routes = (0..world.pools.len() as u32).map(RouteId).collect();
    world.services = vec![service];
    edit(&mut world);
    Arc::new(World::seal(world))
}

/// Any number of regions may go at once.
fn ungoverned(draft: &mut Draft) {
    draft.health.governor.max_regions = MaxRegions::Share(Permille(1000));
}

/// Everybody is up since the moment 0.
fn all_up(world: &Arc<World>) -> Ledger {
    let mut ledger = Ledger::new(Arc::clone(world));
    for target in world.targets.iter() {
        ledger.fold(At(0), Input::outcome(target.key().expect("probed"), outcome("good")));
    }
    ledger
}

/// `eu` and `us` are regions, `web` is a pool, `web/eu` an endpoint.
fn subject(word: &str) -> Scope {
    match word.split_once('/') {
        Some((pool, endpoint)) => Scope::Endpoint(pool.into(), endpoint.into()),
        None if matches!(word, "eu" | "us") => Scope::Region(word.into()),
        None => Scope::Pool(word.into()),
    }
}

fn act(word: &str) -> Act {
    let number = |text: &str| text.parse::<u64>().expect(text);
    match word.split_once('=') {
        None if word == "up" => Act::ForceUp,
        None if word == "down" => Act::ForceDown,
        Some(("drain", over)) => Act::Drain(Millis(number(over))),
        Some(("weight", parts)) => Act::Weight(Permille(number(parts) as u32)),
        Some(("shed", parts)) => Act::Shed(Permille(number(parts) as u32)),
        _ => panic!("no act is called {word}"),
    }
}

fn said(scope: &str, act: &str, until: Option<&str>) -> Input {
    Input::Override(Override {
        scope: subject(scope),
        act: self::act(act),
        reason: "kernel".into(),
        author: "ann".into(),
        until: until.map(|at| At(at.parse().expect(at))),
    })
}

/// What queries read of each endpoint: weight, admission in percent, and letters for up, down, out, drained.
fn shares(ledger: &Ledger) -> String {
    let snapshot = ledger.snapshot(At(0));
    let mut words = Vec::new();
    for (pool, row) in snapshot.world.pools.iter().zip(&snapshot.pools) {
        for (position, index, _) in members(pool) {
            let has = |set: u64| set >> position & 1 == 1;
            let live = &snapshot.endpoints[index];
            let letters: String = [('u', row.up.any()), ('d', row.down.any()), ('o', row.out), ('D', row.drained)]
                .iter()
                .filter_map(|(letter, set)| has(*set).then_some(*letter))
                .collect();
            let percent = live.admission.fraction() * 100.0;
            words.push(format!("{}*{}{letters}", live.weight, (percent * 10.0).round() / 10.0));
        }
    }
    words.join(" ")
}

fn outcome(word: &str) -> Outcome {
    match word {
        "good" => Outcome::good(1000),
        "no-route" => Outcome::NoRoute,
        bad => Outcome::Bad(bad.replace('-', " ").into()),
    }
}

/// Plays lines `moment address outcome [| what changes …]` and holds the ledger to what they say.
fn play(ledger: &mut Ledger, text: &str) {
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (event, expected) = line.split_once('|').map_or((line, ""), |(a, b)| (a, b.trim()));
        let words: Vec<&str> = event.split_whitespace().collect();
        let moment = |at: &str| At(at.parse().expect(at));
        let (at, event) = match words[..] {
            [at, "deadline"] => {
                let told: Vec<String> = ledger.end_wait(moment(at)).iter().map(ToString::to_string).collect();
                assert_eq!(told.join(" & "), expected, "at {line}");
                continue;
            }
            [at, "tick"] => (at, Input::Tick),
            [at, "release", region] => (at, Input::Release(region.into())),
            [at, "lift", of] => (at, Input::Lift(subject(of))),
            [at, "load", of, load] => (at, Input::Load { scope: subject(of), load: load.parse().expect(load) }),
            [at, "say", of, what] => (at, said(of, what, None)),
            [at, "say", of, what, "until", until] => (at, said(of, what, Some(until))),
            [at, address, found] => (at, Input::outcome(&key(address), outcome(found))),
            _ => panic!("{line}"),
        };
        let changes = ledger.fold(moment(at), event);
        let told: Vec<String> = changes.iter().map(ToString::to_string).collect();
        assert_eq!(told.join(" & "), expected, "at {line}");
    }
}

fn healths(ledger: &Ledger) -> Vec<(IpAddr, Health)> {
    let status = ledger.status(At(0));
    status.world.targets.iter().map(|t| t.address()).zip(status.targets.iter().map(|r| r.health)).collect()
}

const TWO: &str = "web eu 192.0.2.1
                   web us 192.0.2.2";

#[test]
fn the_operator_reads_what_changed_and_why() {
    let mut ledger = Ledger::new(world(RHYTHM, TWO));
    play(
        &mut ledger,
        "0    192.0.2.1 good               | web/eu 192.0.2.1 is up: the first probe answered in 1.0 ms; web has 1 of 2 endpoints up
         5    192.0.2.2 status-503         | web/us 192.0.2.2 is down: the first probe failed: status 503; web has 1 of 2 endpoints up & steered names are answered: all 2 targets have been probed
         1000 192.0.2.1 connection-refused
         1200 192.0.2.1 status-503
         1400 192.0.2.1 status-503         | web/eu 192.0.2.1 is down: 3 of the last 3 probes failed: status 503 (2), connection refused (1); web has 0 of 2 endpoints up
         2000 192.0.2.2 good
         2200 192.0.2.2 good               | web/us 192.0.2.2 is up again: 2 good probes in a row, the last answered in 1.0 ms; web has 1 of 2 endpoints up",
    );
}

#[test]
fn a_pool_is_emptied_only_when_nobody_may_still_be_up() {
    let mut ledger = Ledger::new(world(RHYTHM, TWO));
    let mut down = |address: &str| {
        let event = Input::outcome(&key(address), outcome("status-503"));
        match ledger.fold(At(0), event).remove(0) {
            Change::Verdict(verdict) => verdict.empties_a_pool(),
            other => panic!("{other:?}"),
        }
    };
    assert!(!down("192.0.2.1"));
    assert!(down("192.0.2.2"));
}

#[test]
fn a_shared_target_names_everybody_who_rests_on_it() {
    let told = |text: &str| {
        let mut ledger = Ledger::new(world(RHYTHM, text));
        ledger.fold(At(0), Input::outcome(&key("192.0.2.1"), outcome("good")))[0].to_string()
    };
    let why = "the first probe answered in 1.0 ms;";
    assert_eq!(
        told("shop eu 192.0.2.1\nweb eu 192.0.2.1\nweb us 192.0.2.2"),
        format!(
            "192.0.2.1 is up for shop/eu and web/eu: {why} shop has 1 of 1 endpoints up, web has 1 of 2 endpoints up"
        )
    );
    assert_eq!(
        told("a eu 192.0.2.1\nb eu 192.0.2.1\nc eu 192.0.2.1\nd eu 192.0.2.1\ne eu 192.0.2.1"),
        format!(
            "192.0.2.1 is up for a/eu, b/eu, c/eu and 2 more: {why} a, b, c and 2 more have 1 of 1 endpoints up each"
        )
    );
}

#[test]
fn steered_names_wait_for_every_target_or_the_deadline_and_never_again() {
    let mut ledger = Ledger::new(world(RHYTHM, TWO));
    assert!(!ledger.snapshot(At(0)).ready);
    play(
        &mut ledger,
        "0    192.0.2.1 no-route
         3000 deadline | steered names are answered: the wait is over, but 1 of 2 targets has not been heard of and counts as unknown
         3001 deadline",
    );
    ledger.configure(At(4000), world(RHYTHM, "web new 192.0.2.9"));
    assert!(ledger.snapshot(At(4000)).ready, "a reload never takes steered names back");
    assert!(Ledger::new(world(RHYTHM, "web! eu 192.0.2.1")).snapshot(At(0)).ready, "nothing to wait for");
}

#[test]
fn rows_say_who_may_answer() {
    // One endpoint of two families, one without a monitor, for each state of the two families' targets.
    for (v4, v6, up, down) in [
        ("", "", [0, 0], [0, 0]),
        ("g", "g", [1, 1], [0, 0]),
        ("g", "b", [1, 0], [0, 1]),
        ("b", "g", [0, 1], [1, 0]),
        ("b", "b", [0, 0], [1, 1]),
        ("g", "", [1, 0], [0, 0]),
        ("b", "", [0, 0], [1, 0]),
        ("b", "n", [0, 0], [1, 0]),
        ("n", "n", [0, 0], [0, 0]),
        ("g", "n", [1, 0], [0, 0]),
    ] {
        let mut ledger = Ledger::new(world(RHYTHM, "web both 192.0.2.1,2001:db8::1\nweb! free 192.0.2.2"));
        for (address, letters) in [("192.0.2.1", v4), ("2001:db8::1", v6)] {
            for letter in letters.chars() {
                let word = match letter {
                    'g' => "good",
                    'n' => "no-route",
                    _ => "status-503",
                };
                ledger.fold(At(0), Input::outcome(&key(address), outcome(word)));
            }
        }
        let snapshot = ledger.snapshot(At(0));
        let last = up[0] | up[1];
        let last_at = if last == 0 { 0 } else { u64::MAX };
        let [up, down] = [up, down].map(|[v4, v6]| PerFamily::new(v4, v6));
        let row = PoolRow { up, down, weighted: 1, last, last_in: up, last_at, ..PoolRow::default() };
        assert_eq!(snapshot.pools[0], row, "v4 {v4:?}, v6 {v6:?}");
        let free = PoolRow {
            up: PerFamily::new(1, 0),
            weighted: 1,
            last: 1,
            last_in: PerFamily::new(1, 0),
            last_at: u64::MAX,
            ..PoolRow::default()
        };
        assert_eq!(snapshot.pools[1], free);
    }
}

#[test]
fn rows_say_what_may_change_soon() {
    let mut ledger = Ledger::new(shaped(TWO, |_| {}));
    let mut rows = Vec::new();
    for found in ["good", "status-503", "status-503", "status-503", "good", "good"] {
        ledger.fold(At(0), Input::outcome(&key("192.0.2.2"), outcome(found)));
        let snapshot = ledger.snapshot(At(0));
        rows.push((snapshot.pools[0].falling.v4, snapshot.pools[0].rising.v4, snapshot.endpoints[1].change_in));
        assert_eq!(snapshot.endpoints[0].change_in, u32::MAX);
    }
    let calm = (0, 0, u32::MAX);
    assert_eq!(rows, [calm, (2, 0, 400), (2, 0, 200), calm, (0, 2, 200), calm]);
}

#[test]
fn a_reload_carries_health_by_what_is_probed() {
    let mut ledger = Ledger::new(world(RHYTHM, TWO));
    ledger.fold(At(0), Input::outcome(&key("192.0.2.1"), outcome("good")));
    ledger.fold(At(0), Input::outcome(&key("192.0.2.2"), outcome("status-503")));
    let next = "a other 192.0.2.9
                web renamed 192.0.2.2";
    let changes = ledger.configure(At(10), world(RHYTHM, next));
    assert!(matches!(&changes[..], [Change::World { kept: 1, fresh: 1, gone: 1, .. }]), "{changes:?}");
    let carried = [("192.0.2.2", Health::Down), ("192.0.2.9", Health::Unknown)];
    assert_eq!(healths(&ledger), carried.map(|(address, health)| (address.parse().expect(address), health)));
    // What a probe of a target that is gone finds is nobody's business.
    let before = ledger.snapshot(At(10));
    play(&mut ledger, "20 192.0.2.1 status-503");
    assert!(!ledger.differs_from(&before));
    // Back again, it starts unknown.
    ledger.configure(At(30), world(RHYTHM, TWO));
    assert_eq!(healths(&ledger)[1], ("192.0.2.1".parse().expect("an address"), Health::Unknown));
}

#[test]
fn an_outcome_that_says_nothing_new_is_not_worth_publishing() {
    let mut ledger = Ledger::new(world(RHYTHM, TWO));
    let good = || Input::outcome(&key("192.0.2.1"), outcome("good"));
    ledger.fold(At(0), good());
    let published = ledger.snapshot(At(0));
    ledger.fold(At(1000), good());
    assert!(!ledger.differs_from(&published));
    ledger.configure(At(2000), world(RHYTHM, TWO));
    assert!(ledger.differs_from(&published), "another world, though it looks the same");
}

const THREE: &str = "shop a 192.0.2.1,2001:db8::1
                     web a 192.0.2.1
                     web b 192.0.2.2";
const ADDRESSES: [&str; 3] = ["192.0.2.1", "2001:db8::1", "192.0.2.2"];

fn day() -> impl Strategy<Value = Vec<(usize, bool)>> {
    prop::collection::vec((0..ADDRESSES.len(), any::<bool>()), 0..60)
}

fn fold(ledger: &mut Ledger, at: u64, (who, good): (usize, bool)) -> Vec<Change> {
    let outcome = outcome(if good { "good" } else { "status-503" });
    ledger.fold(At(at), Input::outcome(&key(ADDRESSES[who]), outcome))
}

proptest! {
    /// Events of different targets may overtake one another: what is true in the end is the same.
    #[test]
    fn the_order_among_targets_does_not_matter(day in day()) {
        let (mut mixed, mut sorted) = (Ledger::new(world(RHYTHM, THREE)), Ledger::new(world(RHYTHM, THREE)));
        for event in &day {
            fold(&mut mixed, 0, *event);
        }
        let mut by_target = day;
        by_target.sort_by_key(|(who, _)| *who);
        for event in by_target {
            fold(&mut sorted, 0, event);
        }
        prop_assert_eq!(healths(&mixed), healths(&sorted));
        let (mut mixed, sorted) = (mixed.snapshot(At(0)), sorted.snapshot(At(0)));
        // Who was up last is a matter of order.
        let last = |(mixed, sorted): (&mut PoolRow, &PoolRow)| (mixed.last, mixed.last_in) = (sorted.last, sorted.last_in);
        mixed.pools.iter_mut().zip(&sorted.pools).for_each(last);
        prop_assert_eq!(mixed.pools, sorted.pools);
        prop_assert_eq!(mixed.endpoints, sorted.endpoints);
        prop_assert_eq!(mixed.ready, sorted.ready);
    }

    /// Nobody who is up goes down without `fall` bad outcomes in a row, first verdicts apart.
    #[test]
    fn nothing_goes_down_early(day in day()) {
        let mut ledger = Ledger::new(world(RHYTHM, THREE));
        let mut bad = [0; ADDRESSES.len()];
        for event in day {
            bad[event.0] = if event.1 { 0 } else { bad[event.0] + 1 };
            for change in fold(&mut ledger, 0, event) {
                if let Change::Verdict(verdict) = change
                    && (verdict.transition.from, verdict.transition.to) == (Health::Up, Health::Down)
                {
                    prop_assert_eq!(bad[event.0], RHYTHM.fall);
                }
            }
        }
    }

    /// A reload that changes only times and counts changes no health, whenever it comes.
    #[test]
    fn another_rhythm_keeps_health(day in day(), cut in 0usize..60) {
        let mut ledger = Ledger::new(world(RHYTHM, THREE));
        for event in day.iter().take(cut) {
            fold(&mut ledger, 0, *event);
        }
        let before = healths(&ledger);
        let up: Vec<PerFamily<u64>> = ledger.snapshot(At(0)).pools.iter().map(|row| row.up).collect();
        let other = Rhythm { interval: Millis(5000), recheck: Millis(1000), fall: 5, ..RHYTHM };
        let changes = ledger.configure(At(1), world(other, THREE));
        let kept = matches!(&changes[..], [Change::World { kept: 3, fresh: 0, gone: 0, .. }]);
        prop_assert!(kept, "{:?}", changes);
        prop_assert_eq!(before, healths(&ledger));
        prop_assert_eq!(up, ledger.snapshot(At(0)).pools.iter().map(|row| row.up).collect::<Vec<_>>());
    }
}
