//! Where log lines go: to standard error, as text or JSON, through a queue. Whoever logs never waits for whoever
//! reads; what the queue cannot take is counted, and the count is logged instead. Must not know what is logged.

use std::{
    fmt, io,
    io::{IsTerminal, Write},
    mem,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
        mpsc::{self, Receiver, SyncSender},
    },
    thread,
    time::Duration,
};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::{
    Layer, Registry,
    fmt::{MakeWriter, layer},
    layer::SubscriberExt,
    reload,
    util::SubscriberInitExt,
};

/// Lines that may wait for the reader of standard error.
const QUEUE: usize = 8192;
/// How long the end of the process waits for that reader.
const PATIENCE: Duration = Duration::from_millis(500);

/// The form of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// The log of the process. Dropping it waits for the lines that are queued, but not for long.
pub struct Log {
    sink: Sink,
    layer: reload::Handle<Box<dyn Layer<Registry> + Send + Sync>, Registry>,
}

impl Log {
    /// Starts the process's log: from `level` on, in `form`.
    ///
    /// # Errors
    /// When the process has a log already, or no thread for it can be made.
    pub fn start(level: LevelFilter, form: Form) -> io::Result<Self> {
        let sink = Sink::start(io::stderr(), QUEUE)?;
        let (layer, handle) = reload::Layer::new(shape(&sink, level, form));
        tracing_subscriber::registry().with(layer).try_init().map_err(io::Error::other)?;
        Ok(Self { sink, layer: handle })
    }

    /// Writes a text as it stands, by the way of the lines.
    pub fn put(&self, text: String) {
        self.sink.put(text.into_bytes());
    }

    /// Changes level and form, for the lines from now on.
    pub fn set(&self, level: LevelFilter, form: Form) {
        // It fails only when the process's log is gone, and then there is nobody to tell.
        let _ = self.layer.reload(shape(&self.sink, level, form));
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.sink.flush();
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log").finish_non_exhaustive()
    }
}

fn shape(sink: &Sink, level: LevelFilter, form: Form) -> Box<dyn Layer<Registry> + Send + Sync> {
    let base = layer().with_writer(sink.clone()).with_target(false).log_internal_errors(false);
    match form {
        Form::Text => Box::new(level.and_then(base.with_ansi(io::stderr().is_terminal()))),
        Form::Json => Box::new(level.and_then(base.json().flatten_event(true))),
    }
}

/// The near end of the queue.
#[derive(Clone)]
struct Sink {
    queue: SyncSender<Entry>,
    lost: Arc<AtomicU64>,
}

enum Entry {
    Line(Vec<u8>),
    /// Everything before this is out.
    Flush(SyncSender<()>),
}

impl Sink {
    fn start(out: impl Write + Send + 'static, length: usize) -> io::Result<Self> {
        let (queue, entries) = mpsc::sync_channel(length);
        let lost = Arc::new(AtomicU64::new(0));
        let sink = Self { queue, lost: Arc::clone(&lost) };
        thread::Builder::new().name("log".into()).spawn(move || drain(&entries, out, &lost))?;
        Ok(sink)
    }

    fn put(&self, text: Vec<u8>) {
        if !text.is_empty() && self.queue.try_send(Entry::Line(text)).is_err() {
            self.lost.fetch_add(1, Relaxed);
        }
    }

    fn flush(&self) {
        let (done, wait) = mpsc::sync_channel(1);
        if self.queue.try_send(Entry::Flush(done)).is_ok() {
            // A reader that does not read must not keep the process.
            let _ = wait.recv_timeout(PATIENCE);
        }
    }
}

/// The far end of the queue. A line that cannot be written is lost: there is nowhere to say so.
fn drain(entries: &Receiver<Entry>, mut out: impl Write, lost: &AtomicU64) {
    while let Ok(entry) = entries.recv() {
        match entry {
            Entry::Line(line) => drop(out.write_all(&line)),
            Entry::Flush(done) => {
                let _ = out.flush();
                let _ = done.try_send(());
            }
        }
        let missing = lost.swap(0, Relaxed);
        if missing > 0 {
            let _ = writeln!(out, "{missing} log lines are lost: standard error was not read in time");
        }
    }
}

impl<'a> MakeWriter<'a> for Sink {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line { sink: self, text: Vec::new() }
    }
}

/// One event being written; queued when it is dropped.
struct Line<'a> {
    sink: &'a Sink,
    text: Vec<u8>,
}

impl Write for Line<'_> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        self.sink.put(mem::take(&mut self.text));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// A reader that takes nothing until it is let.
    struct Gate {
        open: Receiver<()>,
        taken: Arc<Mutex<Vec<u8>>>,
    }

    impl Write for Gate {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            let _ = self.open.recv();
            self.taken.lock().unwrap().extend_from_slice(octets);
            Ok(octets.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn who_logs_never_waits_and_what_is_lost_is_counted() {
        let (open, gate) = mpsc::channel();
        let taken = Arc::new(Mutex::new(Vec::new()));
        let sink = Sink::start(Gate { open: gate, taken: Arc::clone(&taken) }, 2).unwrap();
        for i in 0..50 {
            writeln!(sink.make_writer(), "line {i}").unwrap();
        }
        drop(open);
        let (done, wait) = mpsc::sync_channel(1);
        sink.queue.send(Entry::Flush(done)).unwrap();
        wait.recv().unwrap();
        let text = String::from_utf8(taken.lock().unwrap().clone()).unwrap();
        let written = text.lines().filter(|line| line.starts_with("line ")).count();
        let lost: usize =
            text.lines().filter_map(|line| line.split_once(" log lines are lost")?.0.parse::<usize>().ok()).sum();
        assert!(text.starts_with("line 0\n"), "{text}");
        assert!(lost >= 47, "{text}");
        assert_eq!(written + lost, 50, "{text}");
    }
}
