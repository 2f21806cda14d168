//! What a running server is made of between probes and answers: ledger, balancing and measured round trips, put together as
//! `app` puts them together. Must not know what happens in a simulation, or who asks.

use std::sync::Arc;

use super::{Configuration, Refusal};
use crate::{
    app::Measuring,
    engine::{
        health::fold::Record,
        snapshot::Snapshot,
        types::{At, TargetId},
        wire::reply::Counted,
        world::{World, policy::Key, pool::Route},
    },
    node::{
        balance::Balance,
        ledger::{Event, Ledger},
        samples::Samples,
        saved,
        status::Status,
    },
    telemetry::signals::Signals,
};

/// How often it is looked whether demand has to go elsewhere, in milliseconds.
const BEAT: u64 = 1000;

/// The parts, put together.
#[derive(Debug)]
pub(super) struct Wiring {
    ledger: Ledger,
    world: Arc<World>,
    /// When the wait of steered names for the first probe round ends; none once it is over.
    wait: Option<u64>,
    /// When what moves with time alone was worked out last.
    ticked: Option<u64>,
    /// What is measured of round trips.
    measuring: Measuring,
    /// Samples of round trips.
    pub(super) samples: Samples,
    balance: Balance,
    /// When it is looked at next where demand goes.
    beat: u64,
    /// What has been answered since it was looked at last.
    answers: Vec<Counted>,
}

/// What time alone does before anything else that is due at the same moment, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    /// Steered names have waited long enough for the first probe round.
    EndOfWait,
    /// Measured round trips may count for something else.
    Measured,
    /// What moves with time alone is worked out.
    Tick,
}

impl Wiring {
    /// A process that starts now.
    pub(super) fn new(configuration: Configuration, now: At) -> Self {
        let (samples, wait) = (Samples::new(Arc::new(Signals::default())), now.0 + configuration.startup_wait);
        let mut measuring = Measuring::new(configuration.latency);
        let world = sealed(configuration, now, &mut measuring, &samples, None);
        Self {
            ledger: Ledger::new(Arc::clone(&world)),
            world,
            wait: Some(wait),
            ticked: None,
            measuring,
            samples,
            balance: Balance::default(),
            beat: now.0 + BEAT,
            answers: Vec::new(),
        }
    }

    /// Another configuration is in force from now on.
    pub(super) fn reload(&mut self, configuration: Configuration, now: At) {
        self.world = sealed(configuration, now, &mut self.measuring, &self.samples, Some(&self.world));
        self.fold(now, Event::World(Arc::clone(&self.world)));
    }

    /// The process dies and comes back at once: it knows what it had saved. `wall` is the Unix time in milliseconds.
    pub(super) fn restart(&mut self, configuration: Configuration, now: At, wall: u64) -> Result<(), Refusal> {
        let text = saved::encode(&self.ledger.status(now), now, wall);
        let saved = saved::decode(&text).map_err(|why| Refusal::Bug(why.to_string()))?;
        *self = Self::new(configuration, now);
        let age = saved.age(wall, self.world.health.restore_age);
        self.fold(now, Event::Restored { saved: Arc::new(saved), age });
        Ok(())
    }

    pub(super) fn world(&self) -> &Arc<World> {
        &self.world
    }

    /// What queries read.
    pub(super) fn snapshot(&self, now: At) -> Snapshot {
        self.ledger.snapshot(now)
    }

    /// What people read.
    pub(super) fn status(&self, now: At) -> Status {
        self.ledger.status(now)
    }

    /// What is known of a target.
    pub(super) fn record(&self, target: TargetId) -> &Record {
        self.ledger.record(target)
    }

    pub(super) fn fold(&mut self, now: At, event: Event) {
        self.ledger.fold(now, event);
    }

    /// Takes note of an answer: balancing goes by it.
    pub(super) fn answered(&mut self, answer: Counted) {
        self.answers.push(answer);
    }

    /// What time alone does next, and when.
    pub(super) fn due(&self, now: At) -> Option<(u64, Due)> {
        let measured = self.measuring.due(&self.samples).map(|At(due)| due);
        // A tick works out all that has changed by its moment: there is none twice.
        let tick = self.ledger.next_tick(now).map(|At(due)| due).filter(|due| self.ticked != Some(*due));
        let all = [(self.wait, Due::EndOfWait), (measured, Due::Measured), (tick, Due::Tick)];
        all.into_iter().filter_map(|(moment, due)| Some((moment?, due))).min()
    }

    /// Does what was due at a moment.
    pub(super) fn pass(&mut self, now: At, (moment, due): (u64, Due)) {
        match due {
            Due::EndOfWait => {
                self.wait = None;
                self.fold(now, Event::Deadline);
            }
            Due::Measured => self.measure(now),
            Due::Tick => {
                self.ticked = Some(moment);
                self.fold(now, Event::Tick);
            }
        }
    }

    /// Maps are compiled again by what is measured now, where anything has moved.
    fn measure(&mut self, now: At) {
        if self.samples.is_fresh() {
            self.measuring.hear(now, self.samples.tell(now, &self.world.atlas));
        }
        let measures = self.measuring.make(now, &self.world.regions);
        if !measures.says_what(&self.world.measures) {
            self.world = Arc::new(self.world.measured(measures));
            self.fold(now, Event::World(Arc::clone(&self.world)));
        }
    }

    /// When demand is assigned next, after all else that is due at the same moment. None where no demand is assigned: a
    /// month passes at once there.
    pub(super) fn balances(&self) -> Option<u64> {
        self.world.routes.iter().any(|route| self.is_assigned(route)).then_some(self.beat)
    }

    /// Whether the demand of a route is assigned to regions.
    fn is_assigned(&self, route: &Route) -> bool {
        let policy = self.world.policies.get(route.policy.at());
        policy.is_some_and(|policy| policy.shed.is_some() || policy.prefer.iter().any(|(key, _)| *key == Key::Load))
    }

    /// Demand goes where there is room for it, by what has been asked since the last time.
    pub(super) fn balance(&mut self, now: At) {
        self.beat = now.0 + BEAT;
        let snapshot = self.snapshot(now);
        let answers = std::mem::take(&mut self.answers);
        let answers: Vec<_> = answers.iter().map(|of| (of.route, of.catchment, u64::from(of.ttl))).collect();
        if let Some(assigned) = self.balance.tick(now, &snapshot, &answers) {
            let (of, assignments) = (Arc::clone(&snapshot.world), assigned.clone());
            self.fold(now, Event::Assign { of, assignments });
        }
    }
}

/// A world with maps by what is measured now. What it has in common with the one before is shared.
fn sealed(
    configuration: Configuration,
    now: At,
    measuring: &mut Measuring,
    samples: &Samples,
    before: Option<&World>,
) -> Arc<World> {
    let Configuration { mut draft, latency, cells, .. } = configuration;
    let regions = draft.regions.iter().map(|region| region.name.clone());
    samples.set(&latency.terms, latency.max_prefixes, regions);
    measuring.import(now, latency, cells);
    draft.measures = measuring.make(now, &draft.regions);
    Arc::new(World::seal_after(draft, before))
}
