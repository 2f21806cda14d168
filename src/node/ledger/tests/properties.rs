//! Whatever happens in whatever order: rows are consistent, what is over leaves no trace, and the order of what is
//! independent does not matter.

use super::*;
use crate::node::overrides::Kind;

const POOLS: &str = "shop eu-a 192.0.2.1,2001:db8::1
                     web eu-a 192.0.2.1
                     web eu-b 192.0.2.2
                     web us 192.0.2.3,2001:db8::3
                     web! us-free 192.0.2.9";
const LESS: &str = "web eu-b 192.0.2.2
                    web us 192.0.2.3,2001:db8::3";
const ADDRESSES: [&str; 5] = ["192.0.2.1", "2001:db8::1", "192.0.2.2", "192.0.2.3", "2001:db8::3"];
const SCOPES: [&str; 7] = ["eu", "us", "web", "shop", "web/eu-b", "web/us", "shop/eu-a"];
const ACTS: [&str; 10] = [
    "drain=0",
    "drain=1",
    "drain=45000",
    "drain=600000",
    "up",
    "down",
    "weight=0",
    "weight=1500",
    "shed=250",
    "shed=1000",
];

#[derive(Clone, Debug)]
enum Doing {
    Probe(usize, bool),
    Say(usize, usize, Option<u64>),
    Lift(usize),
    Load(usize, u32),
    Tick,
    Reload(usize),
}

fn doing() -> impl Strategy<Value = Doing> {
    prop_oneof![
        8 => (0..ADDRESSES.len(), any::<bool>()).prop_map(|(who, good)| Doing::Probe(who, good)),
        3 => (0..SCOPES.len(), 0..ACTS.len(), prop::option::of(1u64..100_000)).prop_map(|(of, act, until)| Doing::Say(of, act, until)),
        1 => (0..SCOPES.len()).prop_map(Doing::Lift),
        3 => (0..SCOPES.len(), 0u32..300).prop_map(|(of, load)| Doing::Load(of, load)),
        2 => Just(Doing::Tick),
        1 => (0usize..3).prop_map(Doing::Reload),
    ]
}

fn configuration(which: usize) -> Arc<World> {
    let (text, slow_start) = [(POOLS, 60_000), (POOLS, 0), (LESS, 30_000)][which];
    configured(text, slow_start)
}

/// The same, where nothing starts slowly.
fn at_once(which: usize) -> Arc<World> {
    configured([POOLS, POOLS, LESS][which], 0)
}

fn configured(text: &str, slow_start: u64) -> Arc<World> {
    shaped(text, |draft| {
        // What operators take out is not for the governor to count, so what they said would leave traces.
        ungoverned(draft);
        draft.policies[0].slow_start = Millis(slow_start);
        draft.policies[0].shed = Some(Watermarks { low: Permille(700), high: Permille(950) });
        if let Some(endpoint) = draft.endpoints_mut().nth(1) {
            endpoint.weight = 7;
        }
    })
}

fn event(at: u64, doing: &Doing) -> Input {
    match doing {
        Doing::Probe(who, good) => {
            Input::outcome(&key(ADDRESSES[*who]), outcome(if *good { "good" } else { "status-503" }))
        }
        Doing::Say(of, act, left) => {
            let until = left.map(|left| (at + left).to_string());
            said(SCOPES[*of], ACTS[*act], until.as_deref())
        }
        Doing::Lift(of) => Input::Lift(subject(SCOPES[*of])),
        Doing::Load(of, load) => Input::Load { scope: subject(SCOPES[*of]), load: f64::from(*load) },
        Doing::Tick => Input::Tick,
        Doing::Reload(_) => unreachable!("a reload is no input of the ledger"),
    }
}

/// Lets it happen; the configurations of a day are made by `world`.
fn happen(ledger: &mut Ledger, now: u64, doing: &Doing, world: impl Fn(usize) -> Arc<World>) -> Vec<Change> {
    match doing {
        Doing::Reload(which) => ledger.configure(At(now), world(*which)),
        _ => ledger.fold(At(now), event(now, doing)),
    }
}

/// What an override of one kind says of an endpoint, by the narrowest.
fn narrowest(ledger: &Ledger, kind: Kind, pool: &str, endpoint: &str) -> Option<Act> {
    let region = if endpoint.starts_with("us") { "us" } else { "eu" };
    let about = [Scope::Endpoint(pool.into(), endpoint.into()), Scope::Pool(pool.into()), Scope::Region(region.into())];
    about
        .iter()
        .find_map(|scope| ledger.overrides().find(|word| word.scope == *scope && word.act.kind() == kind))
        .map(|word| word.act)
}

fn consistent(ledger: &Ledger, now: u64) -> Result<(), TestCaseError> {
    let snapshot = ledger.snapshot(At(now));
    for (pool, row) in snapshot.world.pools.iter().zip(&snapshot.pools) {
        let all = (1u64 << pool.count()) - 1;
        for set in [row.up.v4, row.up.v6, row.down.v4, row.down.v6, row.falling.v4, row.rising.v6, row.out, row.drained]
        {
            prop_assert_eq!(set & !all, 0, "within the pool");
        }
        prop_assert_eq!((row.weighted | row.partial | row.slow | row.moving | row.last) & !all, 0);
        prop_assert_eq!(row.drained & row.out, 0, "who is out is not drained too");
        prop_assert!(Family::BOTH.into_iter().all(|of| row.up[of] & row.down[of] == 0
            && row.falling[of] & !row.up[of] == 0
            && row.rising[of] & !row.down[of] == 0));
        for (position, index, endpoint) in members(pool) {
            let (live, has) = (&snapshot.endpoints[index], |set: u64| set >> position & 1 == 1);
            prop_assert!(live.admission <= Admission::ALL && live.warmth <= Admission::ALL);
            prop_assert_eq!(has(row.partial), live.admission < Admission::ALL);
            prop_assert_eq!(has(row.slow), live.warmth < Admission::ALL);
            prop_assert_eq!(has(row.weighted), live.weight > 0);
            prop_assert!(!has(row.drained) || live.admission == Admission::NONE);
            prop_assert!(!has(row.moving) || live.change_in < u32::MAX);
            prop_assert!(live.change_in % 200 == 0 || live.change_in == u32::MAX, "whole seconds, or rechecks");
            let parts = match narrowest(ledger, Kind::Weight, &pool.name, &endpoint.name) {
                Some(Act::Weight(parts)) => parts,
                _ => Permille::WHOLE,
            };
            prop_assert_eq!(live.weight, (endpoint.weight * parts.0).div_ceil(1000));
            let force = narrowest(ledger, Kind::Force, &pool.name, &endpoint.name);
            prop_assert_eq!(has(row.out), force == Some(Act::ForceDown));
            if force == Some(Act::ForceUp) {
                let families = [endpoint.v4.is_some(), endpoint.v6.is_some()];
                prop_assert_eq!([has(row.up.v4), has(row.up.v6)], families);
                prop_assert!(!has(row.down.v4) && !has(row.down.v6));
            }
        }
    }
    Ok(())
}

fn day() -> impl Strategy<Value = Vec<(u64, Doing)>> {
    prop::collection::vec((prop_oneof![Just(0), 1u64..2000, 1000u64..60_000], doing()), 0..40)
}

proptest! {
    /// Rows are consistent after every event.
    #[test]
    fn rows_are_always_consistent(day in day()) {
        let mut ledger = Ledger::new(configuration(0));
        let mut now = 0;
        for (wait, doing) in &day {
            now += wait;
            let before = ledger.snapshot(At(now));
            ledger.take_stirred();
            happen(&mut ledger, now, doing, configuration);
            consistent(&ledger, now)?;
            prop_assert!(ledger.take_stirred() || !ledger.differs_from(&before), "what is different is published");
            ledger.fold(At(now), Input::Tick);
            consistent(&ledger, now)?;
            prop_assert!(ledger.due().is_none_or(|at| at.0 > now), "what is due has been done");
        }
    }

    /// It makes no difference whether the ledger is told that time passes.
    #[test]
    fn ticks_change_nothing_that_time_does_not(day in day()) {
        let (mut ticked, mut left_alone) = (Ledger::new(configuration(0)), Ledger::new(configuration(0)));
        let mut now = 0;
        for (wait, doing) in &day {
            while let Some(at) = ticked.due().filter(|at| at.0 <= now + wait) {
                ticked.fold(at, Input::Tick);
            }
            now += wait;
            happen(&mut ticked, now, doing, configuration);
            happen(&mut left_alone, now, doing, configuration);
        }
        ticked.fold(At(now), Input::Tick);
        left_alone.fold(At(now), Input::Tick);
        prop_assert!(!ticked.differs_from(&left_alone.snapshot_of(&ticked)));
    }

    /// Words that are over leave no trace: the rows are those of a ledger that never heard them. What a word has taken
    /// out may have to start slowly again, and others of its region beside it: that is left out here.
    #[test]
    fn what_is_over_leaves_no_trace(day in day()) {
        let (mut spoken, mut silent) = (Ledger::new(at_once(0)), Ledger::new(at_once(0)));
        let mut now = 0;
        for (wait, doing) in day.iter().filter(|(_, doing)| !matches!(doing, Doing::Load(..) | Doing::Lift(_))) {
            now += wait;
            happen(&mut spoken, now, doing, at_once);
            if !matches!(doing, Doing::Say(..)) {
                happen(&mut silent, now, doing, at_once);
            }
        }
        for of in SCOPES {
            spoken.fold(At(now), Input::Lift(subject(of)));
        }
        silent.fold(At(now), Input::Tick);
        prop_assert!(!spoken.differs_from(&silent.snapshot_of(&spoken)));
    }

    /// Overrides of different scopes, outcomes of different targets and reports of different regions may overtake one
    /// another.
    #[test]
    fn the_order_of_independent_events_does_not_matter(
        words in prop::collection::btree_map(0..SCOPES.len(), 0..ACTS.len(), 0..5),
        loads in prop::collection::btree_map(0usize..2, 0u32..300, 0..3),
        good in prop::collection::vec(any::<bool>(), ADDRESSES.len()),
        order in Just((0..14usize).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        // What is raised from weight 0 starts slowly, so overrides to weight 0 and from it depend on each other there.
        let from_zero = words.values().any(|act| ACTS[*act] == "weight=0");
        let world = if from_zero { at_once } else { configuration };
        let mut events: Vec<Doing> = good.iter().enumerate().map(|(who, good)| Doing::Probe(who, *good)).collect();
        events.extend(words.iter().map(|(of, act)| Doing::Say(*of, *act, Some(50_000))));
        let folded = |order: &[usize]| {
            let mut ledger = Ledger::new(world(0));
            for doing in order.iter().filter_map(|n| events.get(*n)) {
                happen(&mut ledger, 1000, doing, configuration);
            }
            ledger
        };
        let straight: Vec<usize> = (0..14).collect();
        let (mut mixed, mut sorted) = (folded(&order), folded(&straight));
        // Reports come to both when everything else is told, in either order.
        loads.iter().for_each(|(of, load)| drop(happen(&mut sorted, 2000, &Doing::Load(*of, *load), configuration)));
        loads.iter().rev().for_each(|(of, load)| drop(happen(&mut mixed, 2000, &Doing::Load(*of, *load), configuration)));
        // Who was up last is a matter of order.
        mixed.facts.last = sorted.facts.last.clone();
        mixed.derive_all(At(2000));
        sorted.derive_all(At(2000));
        prop_assert!(!mixed.differs_from(&sorted.snapshot_of(&mixed)));
        mixed.fold(At(300_000), Input::Tick);
        sorted.fold(At(300_000), Input::Tick);
        prop_assert!(!mixed.differs_from(&sorted.snapshot_of(&mixed)));
    }
}

impl Ledger {
    /// Its snapshot, as if it were of another ledger's configuration, which looks the same.
    fn snapshot_of(&self, other: &Self) -> Snapshot {
        Snapshot { world: Arc::clone(&other.world), ..self.snapshot(At(0)) }
    }
}
