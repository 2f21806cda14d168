//! The single writer: one task that receives events, folds them into the [`Ledger`], says what changed and publishes.
//! It waits for nobody but its channel.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{broadcast, mpsc, oneshot},
    task::JoinHandle,
    time,
};
use tracing::{error, info, warn};

use super::{
    board::Board,
    change::{
        Change, Fate, Standing, Verdict,
        pairs::{LogLine, Pairs},
    },
    clock::Clock,
    ledger::{Event, Ledger},
};
use crate::{
    engine::{
        health::fold::{Health, Kept},
        snapshot::Snapshot,
        world::World,
    },
    node::status::Status,
    telemetry::signals::Signals,
};

/// How many events may wait. Who sends more waits too: probes slow down, the writer never does.
const EVENTS: usize = 4096;
/// How many changes a listener may be behind before it misses some.
const CHANGES: usize = 1024;
/// How many may wait for a status.
const REQUESTS: usize = 64;

/// The running writer, as seen by those who send to it and listen to it.
#[derive(Debug)]
pub struct Writer {
    /// Where events go. They are folded in the order in which they were sent.
    pub events: mpsc::Sender<Event>,
    /// Where the newest Snapshot is.
    pub board: Arc<Board<Snapshot>>,
    changes: broadcast::Sender<Arc<Change>>,
    alarms: broadcast::Sender<Arc<Change>>,
    wanted: Wanted,
    task: JoinHandle<()>,
}

/// Asks the writer what people read.
#[derive(Clone, Debug)]
pub struct Wanted(mpsc::Sender<oneshot::Sender<Status>>);

impl Wanted {
    /// The status once all that was sent before is folded; none: the writer has ended.
    pub async fn status(&self) -> Option<Status> {
        let (reply, status) = oneshot::channel();
        self.0.send(reply).await.ok()?;
        status.await.ok()
    }
}

impl Writer {
    /// Starts the writer with `world` in force; steered names wait at most `startup_wait` for the first probe round.
    /// What it counts goes to `signals`. Wants a tokio runtime.
    #[must_use]
    pub fn start(world: Arc<World>, clock: Clock, startup_wait: Duration, signals: Arc<Signals>) -> Self {
        let ledger = Ledger::new(world);
        let board = Arc::new(Board::new(Arc::new(ledger.snapshot(clock.now()))));
        let (events, inbox) = mpsc::channel(EVENTS);
        let (changes, _) = broadcast::channel(CHANGES);
        let (alarms, _) = broadcast::channel(CHANGES);
        let outlets = Outlets { board: Arc::clone(&board), changes: changes.clone(), alarms: alarms.clone(), signals };
        let (wanted, requests) = mpsc::channel(REQUESTS);
        let task = tokio::spawn(write(ledger, (inbox, requests), outlets, clock, startup_wait));
        Self { events, board, changes, alarms, wanted: Wanted(wanted), task }
    }

    /// Hears every change from now on.
    #[must_use]
    pub fn changes(&self) -> broadcast::Receiver<Arc<Change>> {
        self.changes.subscribe()
    }

    /// Asks what people read: health with its evidence, and what is under way.
    #[must_use]
    pub fn wanted(&self) -> Wanted {
        self.wanted.clone()
    }

    /// Hears every [alarm](Change::is_alarm) from now on. They come by themselves, so that thousands of other changes at once
    /// let none of them be missed, and before the others of the same moment.
    #[must_use]
    pub fn alarms(&self) -> broadcast::Receiver<Arc<Change>> {
        self.alarms.subscribe()
    }

    /// Ends it, and returns when all that it has to say is said.
    pub async fn end(mut self) {
        self.task.abort();
        let _ended = (&mut self.task).await;
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Where what became of events goes.
struct Outlets {
    board: Arc<Board<Snapshot>>,
    changes: broadcast::Sender<Arc<Change>>,
    alarms: broadcast::Sender<Arc<Change>>,
    signals: Arc<Signals>,
}

/// Lines on their way to the log. What waits when the writer ends is said then.
#[derive(Default)]
struct Lines(Pairs);

impl Drop for Lines {
    fn drop(&mut self) {
        self.0.flush().iter().for_each(say);
    }
}

async fn write(
    mut ledger: Ledger,
    (mut inbox, mut requests): (mpsc::Receiver<Event>, mpsc::Receiver<oneshot::Sender<Status>>),
    Outlets { board, changes, alarms, signals }: Outlets,
    clock: Clock,
    startup_wait: Duration,
) {
    let deadline = time::sleep(startup_wait);
    tokio::pin!(deadline);
    let mut batch = Vec::new();
    let mut lines = Lines::default();
    loop {
        let now = clock.now();
        let tick = ledger.next_tick(now).into_iter().chain(lines.0.next()).min();
        let mut reply = None;
        tokio::select! {
            received = inbox.recv_many(&mut batch, EVENTS) => if received == 0 { return },
            Some(request) = requests.recv() => {
                reply = Some(request);
                // What was sent before the request is in its answer.
                batch.extend(std::iter::from_fn(|| inbox.try_recv().ok()).take(EVENTS));
            }
            () = &mut deadline, if !board.load().ready => batch.push(Event::Deadline),
            // Nothing is polled: the ledger knows when time alone changes something.
            () = time::sleep(Duration::from_millis(tick.unwrap_or(now).since(now))), if tick.is_some() => {
                batch.push(Event::Tick);
            }
        }
        let mut told: Vec<Change> = batch.drain(..).flat_map(|event| ledger.fold(clock.now(), event)).collect();
        // Published first: who hears of a change finds it in the newest Snapshot.
        if ledger.take_stirred() || !told.is_empty() {
            board.publish(Arc::new(ledger.snapshot(clock.now())));
        }
        signals.load_gaps.set(ledger.load_gaps());
        signals.suppressed.set(ledger.suppressed());
        signals.held.set(ledger.held_regions());
        signals.isolated.set(ledger.is_isolated().into());
        let now = clock.now();
        // Only now: what takes the clients of a lost region is looked up while queries are answered so already.
        ledger.tell_regions(now, &mut told);
        let told: Vec<Arc<Change>> = told.into_iter().map(Arc::new).collect();
        for change in &told {
            lines.0.take(now, change).iter().for_each(say);
        }
        lines.0.pass(now).iter().for_each(say);
        // That none listens is no fault.
        for change in told.iter().filter(|change| change.is_alarm()) {
            let _ = alarms.send(Arc::clone(change));
        }
        for change in told {
            let _ = changes.send(change);
        }
        if let Some(reply) = reply {
            let _ = reply.send(ledger.status(clock.now()));
        }
    }
}

/// Logs a line at the level of its weight.
fn say(line: &LogLine) {
    let change = match line {
        LogLine::One(change) => &**change,
        LogLine::Both(first, second) => {
            let addresses = format!("{}, {}", first.address, second.address);
            return say_verdict(second, &addresses, line);
        }
    };
    match change {
        Change::Verdict(verdict) => say_verdict(verdict, &verdict.address.to_string(), line),
        Change::Region(turn) => {
            let region = &*turn.region;
            match turn.to {
                Health::Up => info!(region, "{turn}"),
                _ => error!(region, "{turn}"),
            }
        }
        Change::Kept(kept) => {
            let (address, monitor) = (kept.address, &*kept.monitor);
            match kept.kept {
                Kept::Manual => warn!(%address, monitor, "{kept}"),
                Kept::Hold(_) | Kept::Flap(_) => info!(%address, monitor, "{kept}"),
            }
        }
        Change::Restored { shown: 0, age: Some(_), .. } => info!("{change}"),
        Change::Restored { .. } => warn!("{change}"),
        Change::Failback { now: 0, later: 0, .. } => warn!("{change}"),
        Change::Failback { .. } => info!("{change}"),
        Change::Override(told) => match told.fate {
            Fate::Refused(_) | Fate::Kept => warn!("{change}"),
            _ => info!("{change}"),
        },
        Change::World { what, .. } if what.is_suspect() => warn!("{change}"),
        Change::Ready { heard, targets, .. } if heard < targets => warn!("{change}"),
        Change::Held(_) | Change::Isolated { .. } => error!("{change}"),
        // What counts late is no smaller for that.
        Change::Believed(late) if late.pools.iter().any(Standing::is_empty) => error!("{change}"),
        Change::LetGo(told) if told.empty && told.pools.iter().any(Standing::is_empty) => error!("{change}"),
        Change::LetGo(_) | Change::NotHeld(_) | Change::Believed(_) | Change::SeesCanaries { .. } => warn!("{change}"),
        Change::Shed { .. } | Change::NothingToLift(_) | Change::Reports { silent: Some(_), .. } => warn!("{change}"),
        Change::Ready { .. } | Change::World { .. } | Change::SlowStart { .. } | Change::Reports { .. } => {
            info!("{change}");
        }
    }
}

/// Logs a line of a verdict, or of two of which this is the second.
fn say_verdict(verdict: &Verdict, address: &str, line: &LogLine) {
    let monitor = &*verdict.monitor;
    match verdict.transition.to {
        Health::Down if verdict.empties_a_pool() => error!(%address, monitor, "{line}"),
        Health::Down | Health::Unknown => warn!(%address, monitor, "{line}"),
        Health::Up => info!(%address, monitor, "{line}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        engine::{
            health::fold::Outcome,
            world::{Draft, Region, Target},
        },
        node::overrides::{Act, Override, Whom},
        probing::{
            check::Check,
            monitor::{Calm, Monitor, MonitorId, ProbeKey, Rhythm, Watch},
        },
    };

    const HOUR: Duration = Duration::from_secs(3600);

    fn key(port: u16) -> Arc<ProbeKey> {
        Arc::new(ProbeKey::new(Check::tcp(port), [192, 0, 2, 1].into()))
    }

    fn world(ports: &[u16]) -> Arc<World> {
        let rhythm = Rhythm { interval: 1000, timeout: 800, recheck: 200, fall: 3, rise: 2 };
        Arc::new(World::seal(Draft {
            monitors: vec![Monitor {
                name: "lb".into(),
                watch: Watch::Probe(Check::tcp(0)),
                rhythm,
                calm: Calm::NONE,
                source: None,
            }],
            regions: vec![Region { name: "eu".into(), ..Region::default() }],
            targets: ports.iter().map(|port| Target::probed(MonitorId(0), key(*port))).collect(),
            ..Draft::default()
        }))
    }

    #[tokio::test]
    async fn the_wait_for_the_first_round_ends_without_an_outcome() {
        let writer = Writer::start(world(&[1, 2]), Clock::new(), Duration::ZERO, Arc::default());
        let mut changes = writer.changes();
        assert_eq!(*changes.recv().await.unwrap(), Change::Ready { heard: 0, targets: 2, restored: false });
        assert!(writer.board.load().ready);
    }

    #[tokio::test]
    async fn who_hears_of_a_change_finds_it_published() {
        let writer = Writer::start(world(&[1]), Clock::new(), HOUR, Arc::default());
        let mut changes = writer.changes();
        let outcome = Outcome::good(1);
        writer.events.send(Event::Outcome { key: key(1), outcome }).await.unwrap();
        assert!(matches!(&*changes.recv().await.unwrap(), Change::Verdict(_)));
        assert!(writer.board.load().ready);
        assert_eq!(writer.wanted().status().await.expect("it runs").targets[0].health, Health::Up);
    }

    #[tokio::test]
    async fn what_comes_together_is_published_once() {
        let writer = Writer::start(world(&[1, 2, 3]), Clock::new(), HOUR, Arc::default());
        let mut published = writer.board.subscribe();
        let mut changes = writer.changes();
        // On one thread the writer runs only when this task waits, and the channel has room for all three.
        for port in [1, 2, 3] {
            writer.events.try_send(Event::Outcome { key: key(port), outcome: Outcome::good(1) }).unwrap();
        }
        while !matches!(&*changes.recv().await.unwrap(), Change::Ready { .. }) {}
        assert_eq!(*published.borrow_and_update(), 1);
    }

    #[tokio::test]
    async fn what_time_changes_is_told_without_another_event() {
        let writer = Writer::start(world(&[1]), Clock::new(), HOUR, Arc::default());
        let mut changes = writer.changes();
        let word = Override {
            whom: Whom::Region("eu".into()),
            act: Act::Drain(20),
            reason: "kernel".into(),
            author: "ann".into(),
            until: None,
        };
        writer.events.send(Event::Override(word)).await.unwrap();
        let mut fates = Vec::new();
        while fates.len() < 2 {
            if let Change::Override(told) = &*changes.recv().await.unwrap() {
                fates.push(told.fate.clone());
            }
        }
        assert_eq!(fates, [Fate::Taken { instead_of: None, begins_in: 0 }, Fate::Done]);
    }
}
