//! The single writer: one task that drives the [`Node`], publishes what queries read, logs and passes on what changed. It
//! waits for its channels alone; what takes long runs beside it. Must not know what follows from what happens.

use std::{mem, sync::Arc};

use tokio::{
    sync::{broadcast, mpsc, oneshot},
    task::{self, JoinHandle},
    time,
};
use tracing::{error, info, warn};

use super::log_lines::{LogLines, Passing};
use crate::{
    clock::{Clock, duration},
    engine::snapshot::Snapshot,
    net::board::Board,
    node::{
        change::Change,
        input::Configuration,
        input::{ConfigurationId, Input, JobId},
        job::{Job, JobKind, Product},
        machine::{Effects, Node},
        status::Status,
    },
    telemetry::signals::Signals,
};

/// How many inputs may wait. What sends more waits too: probes slow down, the writer never does.
const INPUTS: usize = 4096;
/// How many changes a listener may be behind before it misses some.
const CHANGES: usize = 1024;
/// How many requests may wait.
const REQUESTS: usize = 64;

/// The running writer, as seen by those who send to it and listen to it.
#[derive(Debug)]
pub struct Writer {
    /// Where inputs go. They happen in the order in which they were sent, each at the moment at which it is read.
    pub inputs: mpsc::Sender<Input>,
    /// Where the newest Snapshot is.
    pub board: Arc<Board<Snapshot>>,
    changes: broadcast::Sender<Arc<Change>>,
    alarms: broadcast::Sender<Arc<Change>>,
    requests: mpsc::Sender<Request>,
    task: JoinHandle<()>,
}

/// Something that the writer is asked for, or told of.
#[derive(Debug)]
enum Request {
    /// What people read.
    Status(oneshot::Sender<Status>),
    /// Another configuration is to be in force: the job that compiles it.
    Compile(Box<Configuration>, oneshot::Sender<Job>),
    /// A job has ended; the reply comes when what it made is in force.
    Done(Box<Product>, Option<oneshot::Sender<()>>),
    /// A job has failed.
    Failed(JobId),
}

/// What is logged when nothing can be put in force any more.
pub(super) const ENDED: &str = "the writer has ended: what is served stays as it is; restart the server";

/// The writer has ended: what is served stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the writer has ended")]
pub struct WriterEnded;

/// Asks the writer what people read.
#[derive(Clone, Debug)]
pub struct Wanted(mpsc::Sender<Request>);

impl Wanted {
    /// The status once all that was sent before has happened; none: the writer has ended.
    pub async fn status(&self) -> Option<Status> {
        let (reply, status) = oneshot::channel();
        self.0.send(Request::Status(reply)).await.ok()?;
        status.await.ok()
    }
}

impl Writer {
    /// Starts to drive a node by a clock. What it counts goes to `signals`. Wants a tokio runtime.
    #[must_use]
    pub fn start(node: Node, clock: Clock, signals: Arc<Signals>) -> Self {
        let board = Arc::new(Board::new(Arc::new(node.snapshot())));
        let (inputs, inbox) = mpsc::channel(INPUTS);
        let (changes, _) = broadcast::channel(CHANGES);
        let (alarms, _) = broadcast::channel(CHANGES);
        let (requests, asked) = mpsc::channel(REQUESTS);
        let driver = Driver {
            node,
            clock,
            board: Arc::clone(&board),
            changes: changes.clone(),
            alarms: alarms.clone(),
            signals,
            requests: requests.downgrade(),
            lines: LogLines::default(),
            passing: Passing::default(),
            configurations: 0,
            compiling: None,
        };
        let task = tokio::spawn(driver.work(inbox, asked));
        Self { inputs, board, changes, alarms, requests, task }
    }

    /// Hears every change from now on.
    #[must_use]
    pub fn changes(&self) -> broadcast::Receiver<Arc<Change>> {
        self.changes.subscribe()
    }

    /// Asks what people read: health with its evidence, and what is under way.
    #[must_use]
    pub fn wanted(&self) -> Wanted {
        Wanted(self.requests.clone())
    }

    /// The job that compiles another configuration, for the caller to run beside the serving. What it makes is in force after
    /// [`Self::done`].
    ///
    /// # Errors
    /// The writer has ended.
    pub async fn compile(&self, configuration: Configuration) -> Result<Job, WriterEnded> {
        let (reply, job) = oneshot::channel();
        let request = Request::Compile(Box::new(configuration), reply);
        self.requests.send(request).await.map_err(|_| WriterEnded)?;
        job.await.map_err(|_| WriterEnded)
    }

    /// Hands back what a job made, and returns when it is in force and published.
    ///
    /// # Errors
    /// The writer has ended.
    pub async fn done(&self, product: Product) -> Result<(), WriterEnded> {
        let (reply, done) = oneshot::channel();
        self.requests.send(Request::Done(Box::new(product), Some(reply))).await.map_err(|_| WriterEnded)?;
        done.await.map_err(|_| WriterEnded)
    }

    /// Says that a job has failed.
    pub async fn failed(&self, id: JobId) {
        // Where the writer has ended, it wants no job any more.
        let _ = self.requests.send(Request::Failed(id)).await;
    }

    /// Hears every [alarm](Change::is_alarm) from now on. They come by themselves, so that thousands of other changes at once
    /// let none of them be missed, and before the others of the same moment.
    #[must_use]
    pub fn alarms(&self) -> broadcast::Receiver<Arc<Change>> {
        self.alarms.subscribe()
    }

    /// Ends it, and returns when all that it has to log is logged.
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

/// What the writer's task works with.
struct Driver {
    node: Node,
    clock: Clock,
    board: Arc<Board<Snapshot>>,
    changes: broadcast::Sender<Arc<Change>>,
    alarms: broadcast::Sender<Arc<Change>>,
    signals: Arc<Signals>,
    /// Where jobs say that they have ended.
    requests: mpsc::WeakSender<Request>,
    lines: LogLines,
    passing: Passing,
    /// How many configurations there were beside the first.
    configurations: u64,
    /// What wants the job that compiles the newest of them.
    compiling: Option<oneshot::Sender<Job>>,
}

/// What is answered when all that was sent before has happened.
enum Reply {
    Status(oneshot::Sender<Status>),
    Done(oneshot::Sender<()>),
}

/// What comes of some inputs, until it is passed on.
#[derive(Default)]
struct Batch {
    changes: Vec<Change>,
    publish: bool,
}

impl Driver {
    async fn work(mut self, mut inbox: mpsc::Receiver<Input>, mut asked: mpsc::Receiver<Request>) {
        let mut inputs = Vec::new();
        loop {
            let now = self.clock.now();
            let wake = self.node.next().into_iter().chain(self.lines.next()).min();
            let mut request = None;
            tokio::select! {
                received = inbox.recv_many(&mut inputs, INPUTS) => if received == 0 { return },
                Some(received) = asked.recv() => {
                    request = Some(received);
                    // What was sent before the request has happened when it is answered.
                    inputs.extend(std::iter::from_fn(|| inbox.try_recv().ok()).take(INPUTS));
                }
                // Nothing is polled: the node knows when time alone changes something.
                () = time::sleep(duration(wake.unwrap_or(now).since(now))), if wake.is_some() => {
                    inputs.push(Input::Tick);
                }
            }
            let mut batch = Batch::default();
            for input in inputs.drain(..) {
                self.take(input, &mut batch);
            }
            let mut reply: Option<Reply> = None;
            match request {
                None => {}
                Some(Request::Status(status)) => {
                    // What time alone has changed by now is in it too.
                    self.take(Input::Tick, &mut batch);
                    reply = Some(Reply::Status(status));
                }
                Some(Request::Compile(configuration, job)) => {
                    self.configurations += 1;
                    let id = ConfigurationId(self.configurations);
                    self.node.offer_configuration(id, *configuration);
                    self.compiling = Some(job);
                    self.take(Input::Configuration(id), &mut batch);
                }
                Some(Request::Done(product, done)) => {
                    let id = product.id;
                    self.node.offer_product(*product);
                    self.take(Input::Done(id), &mut batch);
                    reply = done.map(Reply::Done);
                }
                Some(Request::Failed(id)) => self.take(Input::Failed(id), &mut batch),
            }
            self.pass_on(batch);
            match reply {
                None => {}
                Some(Reply::Status(status)) => _ = status.send(self.node.status()),
                Some(Reply::Done(done)) => _ = done.send(()),
            }
        }
    }

    /// Lets something happen.
    fn take(&mut self, input: Input, batch: &mut Batch) {
        let samples = if let Input::Samples(samples) = &input { samples.len() } else { 0 };
        let mut effects = self.node.handle(self.clock.now(), input);
        self.signals.samples_refused.add(effects.refused.len() as u64);
        self.signals.samples.add((samples - effects.refused.len()) as u64);
        batch.publish |= effects.publish;
        if effects.has_turns() {
            // First published: what takes the clients of a lost region is looked up while queries are answered so already.
            self.publish(mem::take(&mut batch.publish));
            self.node.tell_regions(&mut effects);
        }
        let Effects { changes, moved_maps, foreseen, jobs, .. } = effects;
        batch.changes.extend(changes);
        if moved_maps {
            info!("measured round-trip times have moved: their maps are in force");
        }
        for (passes, line) in foreseen.iter().flat_map(|all| self.passing.lines(&self.node.world(), all)) {
            if passes { warn!("{line}") } else { info!("{line}") }
        }
        for job in jobs {
            let id = job.id;
            if self.give_away(job).is_none() {
                self.take(Input::Failed(id), batch);
            }
        }
    }

    fn publish(&self, anything: bool) {
        if anything {
            self.board.publish(Arc::new(self.node.snapshot()));
        }
    }

    /// Publishes, logs and passes on what some inputs changed.
    fn pass_on(&mut self, Batch { changes, publish }: Batch) {
        // Published first: what hears of a change finds it in the newest Snapshot.
        self.publish(publish);
        let numbers = self.node.numbers();
        self.signals.load_gaps.set(numbers.load_gaps);
        self.signals.suppressed.set(numbers.suppressed);
        self.signals.held.set(numbers.held);
        self.signals.isolated.set(numbers.isolated.into());
        let now = self.clock.now();
        let changes: Vec<Arc<Change>> = changes.into_iter().map(Arc::new).collect();
        self.lines.take(now, &changes);
        // A channel without listeners is no error.
        for change in changes.iter().filter(|change| change.is_alarm()) {
            let _ = self.alarms.send(Arc::clone(change));
        }
        for change in changes {
            let _ = self.changes.send(change);
        }
    }

    /// Gives a job to what wants it, or runs it beside the writer. None: nothing wants it any more.
    fn give_away(&mut self, job: Job) -> Option<()> {
        if let JobKind::Configuration(_) = job.kind() {
            return self.compiling.take()?.send(job).ok();
        }
        let requests = self.requests.upgrade()?;
        let (id, kind) = (job.id, job.kind());
        tokio::spawn(async move {
            let request = match task::spawn_blocking(move || job.run()).await {
                Ok(product) => Request::Done(Box::new(product), None),
                Err(error) => {
                    fail(kind, &error);
                    Request::Failed(id)
                }
            };
            // Where the writer has ended, it wants no job any more.
            let _ = requests.send(request).await;
        });
        Some(())
    }
}

/// Logs that a job has failed, by a fault of this program.
fn fail(kind: JobKind, error: &task::JoinError) {
    match kind {
        JobKind::Configuration(_) => error!("the configuration was not compiled: {error}"),
        JobKind::Files => error!("the latency files are not taken over, what they said before goes on: {error}"),
        JobKind::Maps => error!("maps were not made of what is measured now, the old ones stay: {error}"),
        JobKind::Balance => error!("demand was not assigned again, it stays as it is: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::types::Millis;
    use crate::{
        engine::{
            health::fold::{Health, Outcome},
            signal::latency::LatencyRules,
            world::{Draft, Region, Target},
        },
        node::{
            change::Fate,
            overrides::{Act, Override, Scope},
        },
        probing::{
            check::Check,
            monitor::{Calm, Monitor, MonitorId, ProbeKey, Rhythm, Watch},
        },
    };

    const HOUR: u64 = 3_600_000;

    fn key(port: u16) -> Arc<ProbeKey> {
        Arc::new(ProbeKey::new(Check::tcp(port), [192, 0, 2, 1].into()))
    }

    /// A writer whose steered names wait for the first probe round for so many milliseconds.
    fn writer(ports: &[u16], startup_wait: u64) -> Writer {
        let rhythm = Rhythm { interval: Millis(1000), timeout: Millis(800), recheck: Millis(200), fall: 3, rise: 2 };
        let draft = Draft {
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
        };
        let clock = Clock::new();
        let configuration = Configuration {
            draft,
            latency: LatencyRules::default(),
            cells: Vec::new(),
            startup_wait: Millis(startup_wait),
        };
        Writer::start(Node::new(clock.now(), configuration), clock, Arc::default())
    }

    #[tokio::test]
    async fn the_wait_for_the_first_round_ends_without_an_outcome() {
        let writer = writer(&[1, 2], 0);
        let mut changes = writer.changes();
        assert_eq!(*changes.recv().await.unwrap(), Change::Ready { heard: 0, targets: 2, restored: false });
        assert!(writer.board.load().ready);
    }

    #[tokio::test]
    async fn who_hears_of_a_change_finds_it_published() {
        let writer = writer(&[1], HOUR);
        let mut changes = writer.changes();
        let outcome = Outcome::good(1);
        writer.inputs.send(Input::outcome(&key(1), outcome)).await.unwrap();
        assert!(matches!(&*changes.recv().await.unwrap(), Change::Verdict(_)));
        assert!(writer.board.load().ready);
        assert_eq!(writer.wanted().status().await.expect("it runs").targets[0].health, Health::Up);
    }

    #[tokio::test]
    async fn what_comes_together_is_published_once() {
        let writer = writer(&[1, 2, 3], HOUR);
        let mut published = writer.board.subscribe();
        let mut changes = writer.changes();
        // On one thread the writer runs only when this task waits, and the channel has room for all three.
        for port in [1, 2, 3] {
            writer.inputs.try_send(Input::outcome(&key(port), Outcome::good(1))).unwrap();
        }
        while !matches!(&*changes.recv().await.unwrap(), Change::Ready { .. }) {}
        assert_eq!(*published.borrow_and_update(), 1);
    }

    #[tokio::test]
    async fn what_time_changes_is_told_without_another_event() {
        let writer = writer(&[1], HOUR);
        let mut changes = writer.changes();
        let word = Override {
            scope: Scope::Region("eu".into()),
            act: Act::Drain(Millis(20)),
            reason: "kernel".into(),
            author: "ann".into(),
            until: None,
        };
        writer.inputs.send(Input::Override(word)).await.unwrap();
        let mut fates = Vec::new();
        while fates.len() < 2 {
            if let Change::Override(told) = &*changes.recv().await.unwrap() {
                fates.push(told.fate.clone());
            }
        }
        assert_eq!(fates, [Fate::Taken { instead_of: None, begins_in: Millis(0) }, Fate::Done]);
    }
}
