//! There and back.

use std::sync::Arc;

use proptest::prelude::*;

mod full;
mod versions;

use super::*;
use crate::{
    engine::{
        health::fold::Outcome,
        types::{Millis, PerFamily},
        units::{Admission, Permille},
        world::{Draft, Target, World},
    },
    node::{change::Change, input::Input, ledger::Ledger},
    probing::{
        check::Check,
        monitor::{Calm, MonitorId, Rhythm, Watch},
    },
};

const RHYTHM: Rhythm = Rhythm { interval: Millis(1000), timeout: Millis(800), recheck: Millis(200), fall: 3, rise: 2 };

fn key(n: u16) -> Arc<ProbeKey> {
    Arc::new(ProbeKey::new(Check::tcp(n), [192, 0, 2, 1].into()))
}

fn world(ports: &[u16]) -> Arc<World> {
    let monitor = Monitor {
        name: "lb".into(),
        watch: Watch::Probe(Check::tcp(0)),
        rhythm: RHYTHM,
        calm: Calm::usual(Millis(1000)),
        source: None,
    };
    let targets = ports.iter().map(|n| Target::probed(MonitorId(0), key(*n))).collect();
    Arc::new(World::seal(Draft { monitors: vec![monitor], targets, ..Draft::default() }))
}

fn see(ledger: &mut Ledger, at: u64, n: u16, letter: char) {
    let outcome = match letter {
        'g' => Outcome::good(1000),
        'n' => Outcome::NoRoute,
        _ => Outcome::Bad("status 503".into()),
    };
    ledger.fold(At(at), Input::outcome(&key(n), outcome));
}

fn restored(ports: &[u16], text: &str, wall: u64) -> (Ledger, Vec<Change>) {
    let saved = decode(text).expect("sound");
    let age = saved.age(wall, Millis(600_000));
    let mut ledger = Ledger::new(world(ports));
    let changes = ledger.fold(At(0), Input::Saved { saved, age });
    (ledger, changes)
}

#[test]
fn a_restart_keeps_who_is_down_and_waits_for_nobody() {
    let mut ledger = Ledger::new(world(&[1, 2]));
    see(&mut ledger, 1000, 1, 'g');
    "gbbb".chars().for_each(|letter| see(&mut ledger, 2000, 2, letter));
    let text = encode(&ledger.status(At(5000)), At(5000), 1_000_000);
    let (mut ledger, changes) = restored(&[1, 2], &text, 1_004_000);
    assert_eq!(
        changes[0],
        Change::Restored {
            used: 2,
            shown: 0,
            unknown: 0,
            age: Some(Millis(4000)),
            down: vec!["192.0.2.1 by lb (status 503)".into()]
        }
    );
    assert!(changes.iter().any(|change| matches!(change, Change::Ready { heard: 2, targets: 2, restored: true })));
    let targets = ledger.status(At(0)).targets;
    assert_eq!([targets[0].health, targets[1].health], [Health::Up, Health::Down]);
    assert_eq!(
        targets[1].restored,
        Some(Restored { health: Health::Down, age: Some(Millis(7000)), used: true, last: Some("status 503".into()) })
    );
    // It went down 7 s ago: of the 10 s of its hold 3 are left.
    see(&mut ledger, 100, 2, 'g');
    see(&mut ledger, 2900, 2, 'g');
    assert_eq!(ledger.status(At(0)).targets[1].health, Health::Down);
    see(&mut ledger, 3000, 2, 'g');
    assert_eq!(ledger.status(At(0)).targets[1].health, Health::Up);
}

#[test]
fn what_is_too_old_or_from_the_future_is_shown_and_not_used() {
    let mut ledger = Ledger::new(world(&[1]));
    see(&mut ledger, 0, 1, 'b');
    let text = encode(&ledger.status(At(0)), At(0), 1_000_000);
    for (wall, age) in [(1_600_001, Some(Millis(600_001))), (999_999, None)] {
        let (ledger, changes) = restored(&[1], &text, wall);
        assert_eq!(changes, [Change::Restored { used: 0, shown: 1, unknown: 0, age, down: Vec::new() }]);
        let status = ledger.status(At(0));
        let record = &status.targets[0];
        assert_eq!((record.health, record.is_heard(), status.ready), (Health::Unknown, false, false));
        assert_eq!(record.restored.as_ref().map(|restored| (restored.health, restored.age)), Some((Health::Down, age)));
    }
    let (_, changes) = restored(&[7], &text, 1_000_000);
    assert_eq!(changes, [Change::Restored { used: 0, shown: 0, unknown: 1, age: Some(Millis(0)), down: Vec::new() }]);
}

#[test]
fn what_is_no_saved_health_is_refused_whole() {
    let mut ledger = Ledger::new(world(&[1, 2]));
    see(&mut ledger, 0, 1, 'g');
    see(&mut ledger, 0, 2, 'g');
    let text = encode(&ledger.status(At(0)), At(0), 0);
    assert_eq!(decode(&text).map(|saved| saved.len()), Ok(2));
    for cut in 0..text.len() - 1 {
        assert!(matches!(decode(&text[..cut]), Err(Unreadable::Garbage(_))), "{}", &text[..cut]);
    }
    let other = text.replacen("\"meridian_health\":2", "\"meridian_health\":3", 1);
    assert_eq!(decode(&other), Err(Unreadable::Version(3)));
    assert!(decode(&text.replace("\"up\"", "\"sideways\"")).is_err());
    assert!(!text.contains("Tcp"), "what is asked is a digest");
}

#[test]
fn each_of_many_is_found_whatever_the_order() {
    let ports: Vec<u16> = (1..=60).collect();
    let mut ledger = Ledger::new(world(&ports));
    ports.iter().for_each(|n| see(&mut ledger, 1000, *n, if n % 3 == 0 { 'b' } else { 'g' }));
    let text = encode(&ledger.status(At(2000)), At(2000), 0);
    let (head, lines) = text.split_once('\n').expect("a head");
    let backwards: Vec<&str> = lines.lines().rev().collect();
    let other: Vec<u16> = ports.iter().rev().copied().collect();
    let (again, _) = restored(&other, &format!("{head}\n{}\n", backwards.join("\n")), 0);
    for (n, record) in other.iter().zip(&again.status(At(0)).targets) {
        assert_eq!(record.health, if n % 3 == 0 { Health::Down } else { Health::Up }, "{n}");
    }
    // One check of one address under two names: each has its own, and a third name the first in the file.
    let line = lines.lines().next().expect("a line");
    let (up, down) = (line.replace("\"lb\"", "\"a\""), line.replace("\"lb\"", "\"b\"").replace("\"up\"", "\"down\""));
    let head = head.replace("\"targets\":60", "\"targets\":2");
    let saved = decode(&format!("{head}\n{down}\n{up}\n")).expect("sound");
    let age = saved.age(0, Millis(1000));
    let health = |name: &str| {
        let monitor = Monitor { name: name.into(), ..world(&[]).monitors[0].clone() };
        saved.record(&key(1), &monitor, age, At(0)).map(|record| record.health)
    };
    assert_eq!(["a", "b", "c"].map(health), [Some(Health::Up), Some(Health::Down), Some(Health::Down)]);
}

proptest! {
    /// Folded, saved and read again it is the same.
    #[test]
    fn a_restart_keeps_state(letters in "[gbn]{1,60}", pace in 1u64..5000) {
        let mut ledger = Ledger::new(world(&[1]));
        letters.chars().enumerate().for_each(|(n, letter)| see(&mut ledger, n as u64 * pace, 1, letter));
        let now = At(letters.len() as u64 * pace);
        let before = ledger.status(now);
        let text = encode(&before, now, 5000);
        let (again, _) = restored(&[1], &text, 5000);
        let after = again.status(At(0));
        let (was, is) = (&before.targets[0], &after.targets[0]);
        let calm = Calm::usual(Millis(1000));
        prop_assert_eq!((was.health, was.good, was.bad, was.span), (is.health, is.good, is.bad, is.span));
        let kept = |record: &Record, now| record.kept(&calm, now).map(|kept| kept.left().map(|left| left.0 / 100));
        prop_assert_eq!(kept(was, now).is_some(), kept(is, At(0)).is_some());
        let points = was.penalty.points(&calm.flap, now) - is.penalty.points(&calm.flap, At(0));
        prop_assert!(points.abs() < 1e-5);
        prop_assert_eq!(encode(&after, At(0), 5000), text);
    }
}

// ----- Slow starts ---------------------------------------------------------------------------------------------------

mod slow_starts {
    use super::*;
    use crate::{
        engine::{
            health::rules::{HealthRules, MaxRegions},
            types::{EndpointId, PoolId, RegionId, TargetId},
            world::{Region, endpoint::Endpoint, policy::Policy, pool::Pool},
        },
        node::status::{SlowStart, SlowStartOf},
    };

    fn probe(last: u8) -> Arc<ProbeKey> {
        Arc::new(ProbeKey::new(Check::tcp(80), [192, 0, 2, last].into()))
    }

    fn ungoverned() -> HealthRules {
        let mut rules = HealthRules::default();
        rules.governor.max_regions = MaxRegions::Share(Permille(1000));
        rules
    }

    /// A pool with endpoints (name, region, last octet), slow over so many milliseconds.
    fn pool(over: u64, own: &[(&str, u16, u8)]) -> Arc<World> {
        let monitor = Monitor {
            name: "lb".into(),
            watch: Watch::Probe(Check::tcp(80)),
            rhythm: RHYTHM,
            calm: Calm::NONE,
            source: None,
        };
        let endpoint = |(n, (name, region, last)): (usize, &(&str, u16, u8))| Endpoint {
            name: (*name).into(),
            region: RegionId(*region),
            v4: Some([192, 0, 2, *last].into()),
            weight: 100,
            targets: PerFamily::new(Some(TargetId(n as u32)), None),
            ..Endpoint::default()
        };
        Arc::new(World::seal(Draft {
            monitors: vec![monitor],
            regions: ["eu", "us"].map(|name| Region { name: name.into(), ..Region::default() }).into(),
            targets: own.iter().map(|(.., last)| Target::probed(MonitorId(0), probe(*last))).collect(),
            pools: vec![Pool {
                name: "web".into(),
                endpoints: own.iter().enumerate().map(endpoint).collect(),
                ..Pool::default()
            }],
            policies: vec![Policy { slow_start: Millis(over), ..Policy::default() }],
            health: ungoverned(),
            ..Draft::default()
        }))
    }

    const OWN: [(&str, u16, u8); 3] = [("eu-1", 0, 1), ("eu-2", 0, 2), ("us-1", 1, 9)];

    fn find(ledger: &mut Ledger, at: u64, last: u8, letters: &str) {
        for letter in letters.chars() {
            let outcome = if letter == 'g' { Outcome::good(1000) } else { Outcome::Bad("status 503".into()) };
            ledger.fold(At(at), Input::outcome(&probe(last), outcome));
        }
    }

    fn begun() -> Ledger {
        let mut ledger = Ledger::new(pool(20_000, &OWN));
        OWN.iter().for_each(|(.., last)| find(&mut ledger, 0, *last, "g"));
        ledger
    }

    /// Another process, so many milliseconds later, under another configuration.
    fn again(ledger: &Ledger, at: u64, later: u64, world: Arc<World>) -> (Ledger, String) {
        let text = encode(&ledger.status(At(at)), At(at), 1_000_000);
        let saved = decode(&text).expect("sound");
        let age = saved.age(1_000_000 + later, Millis(600_000));
        let mut ledger = Ledger::new(world);
        ledger.fold(At(0), Input::Saved { saved, age });
        (ledger, text)
    }

    /// Admission and warmth of each endpoint in percent.
    fn shares(ledger: &Ledger) -> Vec<(u32, u32)> {
        let percent = |share: Admission| (u64::from(share.0) * 100).div_ceil(1 << 20) as u32;
        ledger.snapshot(At(0)).endpoints.iter().map(|row| (percent(row.admission), percent(row.warmth))).collect()
    }

    #[test]
    fn what_was_under_way_goes_on_over_a_restart() {
        let mut ledger = begun();
        find(&mut ledger, 1000, 1, "bbb");
        find(&mut ledger, 2000, 1, "gg");
        let (mut next, _) = again(&ledger, 7000, 0, pool(20_000, &OWN));
        assert_eq!(shares(&next), [(100, 30), (100, 100), (100, 100)]);
        next.fold(At(1000), Input::Tick);
        assert_eq!(shares(&next), [(100, 35), (100, 100), (100, 100)], "and walks on");
        let (next, _) = again(&ledger, 7000, 5000, pool(20_000, &OWN));
        assert_eq!(shares(&next)[0], (100, 55), "what time passed between counts");
        let (next, _) = again(&ledger, 7000, 0, pool(200_000, &OWN));
        assert_eq!(shares(&next)[0], (100, 30), "the same share of another length");
        let (next, _) = again(&ledger, 7000, 0, pool(0, &OWN));
        assert_eq!(shares(&next)[0], (100, 100), "no slow start any more");
        let (next, _) = again(&ledger, 7000, 0, pool(20_000, &[("zz", 0, 1), ("eu-2", 0, 2), ("us-1", 1, 9)]));
        assert_eq!(shares(&next)[0], (100, 30), "it is known by its address");
        let (next, _) = again(&ledger, 7000, 700_000, pool(20_000, &OWN));
        assert_eq!(shares(&next)[0], (100, 100), "too old to be used");
        let (next, _) = again(&ledger, 7000, 60_000, pool(20_000, &OWN));
        assert_eq!(next.status(At(0)).slow_starts, [], "it is over by now");
    }

    #[test]
    fn halted_and_lost_ones_and_those_of_regions_come_back_as_they_were() {
        let mut ledger = begun();
        [1, 2].iter().for_each(|last| find(&mut ledger, 1000, *last, "bbb"));
        find(&mut ledger, 2000, 1, "gg");
        find(&mut ledger, 6500, 1, "b");
        let (mut next, text) = again(&ledger, 7000, 9000, pool(20_000, &OWN));
        assert!(
            text.contains("\"slow_starts\":[{\"pool\":\"web\",\"endpoint\":\"eu-1\",\"of\":[\"192.0.2.1\"]"),
            "{text}"
        );
        assert_eq!(shares(&next)[..2], [(25, 100), (25, 100)], "it stands where it was halted");
        find(&mut next, 100, 1, "g");
        next.fold(At(600), Input::Tick);
        assert_eq!(shares(&next)[0], (30, 100));
        find(&mut next, 700, 1, "bbb");
        let (mut last, _) = again(&next, 800, 0, pool(20_000, &OWN));
        assert_eq!(last.status(At(0)).slow_starts, []);
        find(&mut last, 100, 1, "gg");
        assert_eq!(shares(&last)[0], (5, 100), "what was down begins again, and so does its region");
    }

    #[test]
    fn what_is_new_and_was_not_up_yet_begins_after_the_restart() {
        let more = || pool(20_000, &[OWN[0], OWN[1], ("eu-3", 0, 3), OWN[2]]);
        let mut ledger = begun();
        ledger.configure(At(1000), more());
        let waiting =
            SlowStart { pool: PoolId(0), of: SlowStartOf::Endpoint(EndpointId(2)), way: None, over: Millis(20_000) };
        assert_eq!(ledger.status(At(1000)).slow_starts, [waiting]);
        let (mut next, _) = again(&ledger, 1000, 0, more());
        find(&mut next, 100, 3, "g");
        assert_eq!(shares(&next), [(100, 100), (100, 100), (100, 5), (100, 100)]);
    }

    #[test]
    fn files_of_earlier_programs_have_no_slow_starts() {
        let text = encode(&begun().status(At(0)), At(0), 0);
        assert!(!text.contains("slow_starts") && decode(&text).is_ok());
    }
}
