//! Runs commands of the operator's: so many at once, each for so long, with all that it started, and no more of its
//! output kept than people read. Must not know what a command is for.
//!
//! A command leads a process group of its own. When it ends, when its time is over and when whoever waits for it gives
//! up, the whole group is killed, so that nothing it started in the background piles up. Only what leaves the group of
//! its own will (`setsid`) gets away.

mod kept;
#[cfg(test)]
mod tests;

use std::{
    env, io,
    os::{fd::OwnedFd, unix::process::ExitStatusExt},
    process::Stdio,
    time::Duration,
};

use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};
use tokio::{
    io::{AsyncWriteExt, Interest, unix::AsyncFd},
    process::{self, Child, ChildStderr, ChildStdin, ChildStdout},
    runtime::Handle,
    sync::{Semaphore, SemaphorePermit},
    time::{self, Instant},
};

pub use self::kept::Kept;

/// So many of a queue run at once in this process; the others wait for their turn, and their time does not run yet.
const AT_ONCE: usize = 32;
static ASKING: Semaphore = Semaphore::const_new(AT_ONCE);
static TELLING: Semaphore = Semaphore::const_new(AT_ONCE);

/// Where programs are looked for when this process itself was not told.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Who waits for whom: commands of one queue never wait for those of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queue {
    /// Those that say what is so: probes, loads.
    Asking,
    /// Those that are told something.
    Telling,
}

impl Queue {
    fn turns(self) -> &'static Semaphore {
        match self {
            Self::Asking => &ASKING,
            Self::Telling => &TELLING,
        }
    }
}

/// A command to be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The program, by path or to be looked for in `PATH`, and its arguments. No shell reads them.
    pub words: Vec<String>,
    /// All of its environment beside `PATH`.
    pub environment: Vec<(String, String)>,
    /// What it reads; empty: the end at once.
    pub input: Vec<u8>,
    /// How long it may take.
    pub timeout: Duration,
    /// With whom it waits for its turn.
    pub queue: Queue,
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// By itself, with this exit code.
    Code(i32),
    /// By this signal, which was none of ours.
    Signal(i32),
    /// Its time was over, and it was killed.
    Killed,
}

/// What came of a command.
#[derive(Clone, Debug)]
pub struct Ended {
    /// How it ended.
    pub end: End,
    /// How long it took.
    pub took: Duration,
    /// What it printed.
    pub output: Kept,
    /// What it printed as errors.
    pub errors: Kept,
}

/// Why a command was not run; the text says what to do.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each is the program as it was named, and what the system said")]
pub enum NotRun {
    /// There are no words.
    #[error("no program is named")]
    Nameless,
    /// There is no such file, or not the interpreter that it names.
    #[error("there is no program {program}, or none that its first line names")]
    Missing { program: String, source: io::Error },
    /// The file, or a folder on its path, is not open to this user.
    #[error("{program} may not be run by this user: see its mode and its folders'")]
    Forbidden { program: String, source: io::Error },
    /// It is for another machine, or a script that does not name its interpreter.
    #[error("{program} is no program for this machine: a script begins with #!")]
    Foreign { program: String, source: io::Error },
    /// Anything else that the system says of the program.
    #[error("{program} could not be started: {source}")]
    Unstarted { program: String, source: io::Error },
    /// This node is out of processes, descriptors or memory.
    #[error("{0}")]
    Short(#[source] io::Error),
}

impl Command {
    /// A command without input or environment, that is asked something.
    #[must_use]
    pub fn new(words: Vec<String>, timeout: Duration) -> Self {
        Self { words, environment: Vec::new(), input: Vec::new(), timeout, queue: Queue::Asking }
    }

    /// Runs it, once it is its turn. When the future is dropped the command dies with it.
    ///
    /// # Errors
    /// When it could not be started.
    pub async fn run(&self) -> Result<Ended, NotRun> {
        let turn = self.queue.turns().acquire().await.ok();
        let began = moment();
        let (mut group, pipes) = self.start(turn)?;
        let (mut output, mut errors) = (Kept::default(), Kept::default());
        let talk = async {
            tokio::join!(
                feed(pipes.input, &self.input),
                output.read(pipes.output),
                errors.read(pipes.errors),
                group.end()
            )
        };
        // The end of the leader counts, though somebody who got away may hold on to its output until time is over.
        let _ = time::timeout_at(began + self.timeout, talk).await;
        let (end, took) = match group.ended {
            Some((end, at)) => (end, at.saturating_duration_since(began)),
            None => (End::Killed, self.timeout),
        };
        Ok(Ended { end, took, output, errors })
    }

    fn start(&self, turn: Option<SemaphorePermit<'static>>) -> Result<(Group, Pipes), NotRun> {
        let Some((program, arguments)) = self.words.split_first() else {
            return Err(NotRun::Nameless);
        };
        let input = if self.input.is_empty() { Stdio::null() } else { Stdio::piped() };
        let mut child = process::Command::new(program)
            .args(arguments)
            .env_clear()
            .env("PATH", env::var_os("PATH").unwrap_or_else(|| PATH.into()))
            .envs(self.environment.iter().map(|(key, value)| (key, value)))
            .process_group(0)
            .stdin(input)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| not_run(program, error))?;
        let pipes = Pipes { input: child.stdin.take(), output: child.stdout.take(), errors: child.stderr.take() };
        let pid = child.id().and_then(|id| Pid::from_raw(id as i32));
        let mut group = Group { child: Some(child), pid, over: None, ended: None, turn };
        // Where this fails the group is killed on the way out.
        group.over = Some(group.watch().map_err(|error| not_run(program, error))?);
        Ok((group, pipes))
    }
}

/// The ends that stay here.
struct Pipes {
    input: Option<ChildStdin>,
    output: Option<ChildStdout>,
    errors: Option<ChildStderr>,
}

/// A command that runs, and all that it started. It dies when this is dropped, and its turn is over when it is dead.
struct Group {
    child: Option<Child>,
    pid: Option<Pid>,
    /// Readable when the leader has ended.
    over: Option<AsyncFd<OwnedFd>>,
    ended: Option<(End, Instant)>,
    turn: Option<SemaphorePermit<'static>>,
}

impl Group {
    #[expect(
        deprecated,
        reason = "unsound only for types that lie of their descriptor; an owned one is sound, and the successor is unsafe"
    )]
    fn watch(&self) -> io::Result<AsyncFd<OwnedFd>> {
        let pid = self.pid.ok_or(io::ErrorKind::NotFound)?;
        AsyncFd::with_interest(pidfd_open(pid, PidfdFlags::NONBLOCK)?, Interest::READABLE)
    }

    /// Waits for the leader, and kills whom it leaves behind.
    async fn end(&mut self) {
        if let Some(over) = &self.over {
            let _ = over.readable().await;
        }
        let at = moment();
        // Before it is waited for: until then nobody else can have its number.
        self.kill();
        let Some(child) = &mut self.child else { return };
        let end = match child.wait().await {
            Ok(status) => match (status.code(), status.signal()) {
                (Some(code), _) => End::Code(code),
                (None, signal) => End::Signal(signal.unwrap_or_default()),
            },
            Err(_) => End::Killed,
        };
        self.ended = Some((end, at));
    }

    fn kill(&self) {
        if let Some(pid) = self.pid {
            // Who is gone already needs no killing.
            let _ = kill_process_group(pid, Signal::KILL);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if self.ended.is_some() {
            return;
        }
        self.kill();
        let (child, turn) = (self.child.take(), self.turn.take());
        if let (Some(mut child), Ok(runtime)) = (child, Handle::try_current()) {
            // One that cannot die yet, being stuck in the kernel, keeps its turn: they do not pile up.
            runtime.spawn(async move {
                let _ = child.wait().await;
                drop(turn);
            });
        }
    }
}

/// Gives a command what it reads, and then the end. One that does not want it all is free not to.
async fn feed(pipe: Option<ChildStdin>, input: &[u8]) {
    if let Some(mut pipe) = pipe {
        let _ = pipe.write_all(input).await;
    }
}

fn not_run(program: &str, source: io::Error) -> NotRun {
    let program = program.to_owned();
    match source.raw_os_error() {
        Some(libc::EAGAIN | libc::ENOMEM | libc::EMFILE | libc::ENFILE) => NotRun::Short(source),
        Some(libc::ENOENT) => NotRun::Missing { program, source },
        Some(libc::EACCES) => NotRun::Forbidden { program, source },
        Some(libc::ENOEXEC) => NotRun::Foreign { program, source },
        _ => NotRun::Unstarted { program, source },
    }
}

#[expect(clippy::disallowed_methods, reason = "one of the edges where time comes in")]
fn moment() -> Instant {
    Instant::now()
}
