//! Targets that are made of others, and what is told of those that are kept down.

use super::*;
use crate::{
    engine::{
        types::{Millis, PerFamily, RouteId},
        units::Rtt,
        world::Asks,
    },
    probing::monitor::Watch,
};

const CALM: Calm = Calm { hold: Millis(10_000), ..Calm::NONE };

/// One endpoint, judged by `needed` of the monitors a, b and c.
fn composed(needed: u32, calm: Calm) -> Arc<World> {
    let mut draft = draft(RHYTHM, "web eu 192.0.2.1");
    draft.monitors =
        ["a", "b", "c", "site"].map(|name| Monitor { name: name.into(), calm, ..draft.monitors[0].clone() }).into();
    let of: Vec<TargetId> = (0..3).map(TargetId).collect();
    draft.monitors[3].watch = Watch::Several { needed, of: (0..3).map(MonitorId).collect() };
    draft.targets = (0..3).map(|n| Target::probed(MonitorId(n), part(n as u16))).collect();
    let asks = Asks::Several { needed, of, address: "192.0.2.1".parse().expect("an address") };
    draft.targets.push(Target { monitor: MonitorId(3), asks });
    draft.pools[0].monitor = Some(MonitorId(3));
    draft.endpoints_mut().next().expect("an endpoint").targets = PerFamily::new(Some(TargetId(3)), None);
    draft.services =
        vec![Service { routes: vec![RouteId(0)], ..Service::new(Name::from_text("g.test.").expect("a name")) }];
    Arc::new(World::seal(draft))
}

fn part(n: u16) -> Arc<ProbeKey> {
    Arc::new(ProbeKey::new(Check::tcp(80 + n), "192.0.2.1".parse().expect("an address")))
}

fn see(ledger: &mut Ledger, at: u64, letters: &str) -> Vec<String> {
    let mut told = Vec::new();
    for (n, letter) in letters.chars().enumerate().filter(|(_, letter)| *letter != '-') {
        let found =
            if letter == 'g' { Outcome::good(1000 * (n as u64 + 1)) } else { Outcome::Bad("status 503".into()) };
        let changes = ledger.fold(At(at), Input::outcome(&part(n as u16), found));
        told.extend(changes.iter().map(ToString::to_string));
    }
    told
}

#[test]
fn a_verdict_follows_those_of_the_parts() {
    let mut ledger = Ledger::new(composed(2, Calm::NONE));
    assert_eq!(see(&mut ledger, 0, "g--"), ["192.0.2.1 is up by a: the first probe answered in 1.0 ms"]);
    assert!(!ledger.snapshot(At(0)).ready, "two of three are unheard");
    assert_eq!(
        see(&mut ledger, 0, "-g-"),
        [
            "192.0.2.1 is up by b: the first probe answered in 2.0 ms",
            "web/eu 192.0.2.1 is up: a is up, b is up, c is unknown, and 2 of 3 must be up; web has 1 of 1 endpoints up",
        ]
    );
    see(&mut ledger, 0, "--b");
    assert!(ledger.snapshot(At(0)).ready, "a target of targets is no further one to wait for");
    // The one that still may fall has to turn first.
    see(&mut ledger, 0, "-b-");
    let snapshot = ledger.snapshot(At(0));
    assert_eq!((snapshot.pools[0].falling, snapshot.endpoints[0].change_in), (PerFamily::new(1, 0), 400));
    see(&mut ledger, 0, "-b-");
    let told = see(&mut ledger, 0, "-b-");
    let last =
        "web/eu 192.0.2.1 is down: a is up, b is down, c is down, and 2 of 3 must be up; web has 0 of 1 endpoints up";
    assert_eq!(told.last().map(String::as_str), Some(last));
    let record = &ledger.status(At(0)).targets[3];
    assert_eq!(record.evidence.last().map(|(_, outcome)| outcome.is_good()), Some(Some(false)));
    see(&mut ledger, 0, "--g");
    assert_eq!(ledger.snapshot(At(0)).endpoints[0].change_in, 200, "one more good probe of c");
    assert_eq!(see(&mut ledger, 0, "--g").len(), 2);
}

#[test]
fn it_changes_when_so_many_parts_have_turned_as_it_takes() {
    let mut ledger = Ledger::new(composed(1, Calm::NONE));
    see(&mut ledger, 0, "ggg");
    see(&mut ledger, 0, "bb-");
    assert_eq!(ledger.snapshot(At(0)).endpoints[0].change_in, u32::MAX, "c keeps it up");
    see(&mut ledger, 0, "b-b");
    assert_eq!(ledger.snapshot(At(0)).endpoints[0].change_in, 400, "the slowest of three");
}

#[test]
fn it_answers_as_soon_as_its_parts_do_on_average() {
    let mut ledger = Ledger::new(composed(1, Calm::NONE));
    see(&mut ledger, 0, "g-g");
    assert_eq!(ledger.took(TargetId(3)), Some(Rtt(20)), "tenths of a millisecond");
}

#[test]
fn a_reload_keeps_what_the_parts_say() {
    let mut ledger = Ledger::new(composed(3, Calm::NONE));
    see(&mut ledger, 500, "ggg");
    let told = ledger.configure(At(900), composed(2, Calm::NONE));
    assert!(matches!(told[0], Change::World { kept: 4, fresh: 0, gone: 0, .. }), "{told:?}");
    let record = &ledger.status(At(900)).targets[3];
    assert_eq!((record.health, record.since), (Health::Up, At(500)));
    ledger.configure(At(1000), world(RHYTHM, "web eu 192.0.2.1"));
    assert_eq!(ledger.status(At(1000)).targets[0].health, Health::Up, "a of them is asked on");
}

#[test]
fn who_is_kept_down_is_told_and_counted_and_let_back_by_a_word() {
    let mut ledger = Ledger::new(world_of(CALM));
    let see = |ledger: &mut Ledger, at, letter: &str| {
        let found = if letter == "g" { outcome("good") } else { outcome("status-503") };
        let changes = ledger.fold(At(at), Input::outcome(&key("192.0.2.1"), found));
        changes.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    for letter in ["g", "b", "b", "b", "g"] {
        see(&mut ledger, 1000, letter);
    }
    let told = see(&mut ledger, 2500, "g");
    assert_eq!(told, ["web/eu 192.0.2.1 has recovered, but stays down for 9 s yet: its hold-down is not over"]);
    assert_eq!((see(&mut ledger, 3000, "g").len(), ledger.suppressed()), (0, 1));
    let back = |ledger: &mut Ledger, scope: &str| {
        let changes = ledger.fold(At(3000), Input::Failback(subject(scope)));
        changes.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(
        back(&mut ledger, "web/us"),
        ["nothing to let back: no target of web/us is down, or an operator has let it back before"]
    );
    assert_eq!(
        back(&mut ledger, "web"),
        [
            "an operator lets pool web back: 1 up by that, 0 as soon as they have recovered",
            "web/eu 192.0.2.1 is up again: it has recovered, and an operator lets it back; web has 1 of 1 endpoints up",
        ]
    );
    assert_eq!(ledger.suppressed(), 1);
}

fn world_of(calm: Calm) -> Arc<World> {
    let mut draft = draft(RHYTHM, "web eu 192.0.2.1");
    draft.monitors[0].calm = calm;
    Arc::new(World::seal(draft))
}

proptest! {
    /// A reload that changes nothing but times changes no state.
    #[test]
    fn other_intervals_change_no_state(letters in "[gb]{1,40}", interval in 100u64..100_000, hold in 0u64..100_000) {
        let calm = Calm { hold: Millis(5000), clear: 3, ..Calm::usual(Millis(1000)) };
        let mut ledger = Ledger::new(world_of(calm));
        for (n, letter) in letters.chars().enumerate() {
            let found = if letter == 'g' { outcome("good") } else { outcome("status-503") };
            ledger.fold(At(n as u64 * 1000), Input::outcome(&key("192.0.2.1"), found));
        }
        let now = At(letters.len() as u64 * 1000);
        let before = ledger.status(now).targets;
        let mut draft = draft(Rhythm { interval: Millis(interval), timeout: Millis(interval), recheck: Millis(interval), ..RHYTHM }, "web eu 192.0.2.1");
        draft.monitors[0].calm = Calm { hold: Millis(hold), ..calm };
        ledger.configure(now, Arc::new(World::seal(draft)));
        prop_assert_eq!(before, ledger.status(now).targets);
    }
}
