//! One hook: what waits to be told, how often anything may be, and the telling itself. Must not know what is told.

use std::{collections::VecDeque, mem, sync::Arc, time::Duration};

use reqwest::{Certificate, Client, redirect};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time,
};
use tracing::{debug, info, warn};

use crate::{
    command::{Command, End, Queue},
    config::settings::{Hook, Rate, Tell},
    engine::types::At,
    telemetry::{causes, signals::Signals},
};

/// So many wait at most; a hook that is so far behind misses the next ones.
const WAITING: usize = 64;
const USER_AGENT: &str = concat!("meridian/", env!("CARGO_PKG_VERSION"));

/// A bucket of tokens: full at first, and filled again evenly.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Bucket {
    rate: Rate,
    /// In parts of a token, of which one has `rate.per`.
    left: u64,
    at: At,
}

impl Bucket {
    pub(crate) fn new(rate: Rate, now: At) -> Self {
        Self { rate, left: u64::from(rate.count) * rate.per, at: now }
    }

    /// Takes one, if there is one.
    pub(crate) fn take(&mut self, now: At) -> bool {
        let Rate { count, per } = self.rate;
        let full = u64::from(count) * per;
        self.left = self.left.saturating_add(now.since(self.at).saturating_mul(count.into())).min(full);
        self.at = self.at.max(now);
        let enough = self.left >= per;
        if enough {
            self.left -= per;
        }
        enough
    }
}

/// What a hook did not come to tell.
type Left = VecDeque<String>;

/// A hook at work. Dropped, it ends with what it is at.
#[derive(Debug)]
pub(crate) struct Teller {
    pub(crate) hook: Hook,
    bucket: Bucket,
    /// How many were left out since the last that was told.
    left_out: u64,
    queue: mpsc::Sender<String>,
    /// Dropped, it ends the task.
    stays: oneshot::Sender<()>,
    task: JoinHandle<Left>,
}

impl Teller {
    /// Starts it. One of the same name `before` it leaves it what waits. Wants a tokio runtime.
    pub(crate) fn start(hook: Hook, before: Option<Self>, now: At, signals: Arc<Signals>) -> Self {
        let (queue, inbox) = mpsc::channel(WAITING);
        let (stays, gone) = oneshot::channel();
        let bucket = Bucket::new(hook.rate, now);
        let left_out = before.as_ref().map_or(0, |before| before.left_out);
        let before = before.map(|before| before.task);
        let task = tokio::spawn(tell_all(hook.clone(), before, inbox, gone, signals));
        Self { hook, bucket, left_out, queue, stays, task }
    }

    /// Ends it: nobody wants it told any more. What waits is dropped, and that is said. Wants a tokio runtime.
    pub(crate) fn dismiss(self, signals: Arc<Signals>) {
        let Self { hook, stays, task, .. } = self;
        drop(stays);
        tokio::spawn(async move {
            let left = task.await.map_or(0, |left| left.len());
            if left > 0 {
                signals.hooks_failed.add(left as u64);
                warn!("hook {} is gone from the configuration: {} not told any more", hook.name, messages(left));
            }
        });
    }

    /// Lets it tell something, unless its rate or its queue is over; then that is counted, and the next one says so.
    /// `text` makes the text of it from how many were left out.
    pub(crate) fn tell(&mut self, now: At, text: impl FnOnce(&Hook, u64) -> String) -> bool {
        let place = self.queue.try_reserve().ok().filter(|_| self.bucket.take(now));
        match place {
            Some(place) => {
                place.send(text(&self.hook, mem::take(&mut self.left_out)));
                true
            }
            None => {
                if self.left_out == 0 {
                    let Rate { count, per } = self.hook.rate;
                    warn!(
                        "hook {} has more to tell than {count} in {} s, or is slow: some of it is left out",
                        self.hook.name,
                        per / 1000
                    );
                }
                self.left_out += 1;
                false
            }
        }
    }

    /// Counts what it was never given.
    pub(crate) fn miss(&mut self, count: u64) {
        self.left_out += count;
    }

    /// Whether it is still at work.
    pub(crate) fn is_alive(&self) -> bool {
        !self.task.is_finished()
    }
}

fn messages(count: usize) -> String {
    match count {
        1 => "1 message that waited is".to_owned(),
        count => format!("{count} messages that waited are"),
    }
}

/// One after the other, so that they come in order; first what the one `before` it has left. What is left when it is
/// `gone` is given back.
async fn tell_all(
    hook: Hook,
    before: Option<JoinHandle<Left>>,
    mut inbox: mpsc::Receiver<String>,
    mut gone: oneshot::Receiver<()>,
    signals: Arc<Signals>,
) -> Left {
    // It ends with what it is at, which takes no longer than its timeout.
    let mut left = match before {
        Some(before) => before.await.unwrap_or_default(),
        None => Left::new(),
    };
    let client = match &hook.tell {
        Tell::Post { trust, .. } => client(trust.as_ref().map(|trust| trust.pem())),
        Tell::Command(_) => Err("it runs a command".to_owned()),
    };
    let mut failed = 0u64;
    loop {
        let text = tokio::select! {
            biased;
            _ = &mut gone => None,
            text = async { if left.is_empty() { inbox.recv().await } else { left.pop_front() } } => text,
        };
        let Some(text) = text else { break };
        signals.hooks.add(1);
        let told = match &hook.tell {
            Tell::Command(words) => run(words, text, hook.timeout).await,
            Tell::Post { url, headers, .. } => match &client {
                Ok(client) => post(client, url, headers, text, hook.timeout).await,
                Err(cause) => Err(cause.clone()),
            },
        };
        match told {
            // Whoever carries the pager knows already; whoever reads that it was not wants to know when it is again.
            Ok(()) => match mem::take(&mut failed) {
                0 => debug!("hook {} was told", hook.name),
                1 => info!("hook {} is told again, after once when it was not", hook.name),
                times => info!("hook {} is told again, after {times} times when it was not", hook.name),
            },
            Err(cause) => {
                signals.hooks_failed.add(1);
                failed += 1;
                warn!("hook {} was not told: {cause}", hook.name);
            }
        }
    }
    inbox.close();
    while let Ok(text) = inbox.try_recv() {
        left.push_back(text);
    }
    left
}

async fn run(words: &[String], text: String, timeout: u64) -> Result<(), String> {
    let timeout = Duration::from_millis(timeout);
    let mut command = Command::new(words.to_vec(), timeout);
    command.input = text.into_bytes();
    command.queue = Queue::Telling;
    let ended = command.run().await.map_err(|not_run| not_run.text().to_owned())?;
    let said = ended.errors.last_line().or_else(|| ended.output.last_line());
    let said = said.map_or(String::new(), |line| format!(": {line}"));
    match ended.end {
        End::Code(0) => Ok(()),
        End::Code(code) => Err(format!("its command ended with exit code {code}{said}")),
        End::Signal(signal) => Err(format!("signal {signal} ended its command{said}")),
        End::Killed => Err(format!("its command took longer than {} ms{said}", timeout.as_millis())),
    }
}

fn client(pem: Option<&str>) -> Result<Client, String> {
    // Who was first decides; every part of this process wants the same one.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let mut builder = Client::builder().user_agent(USER_AGENT).no_proxy().redirect(redirect::Policy::none());
    if let Some(pem) = pem {
        let trusted = Certificate::from_pem_bundle(pem.as_bytes()).map_err(|error| error.to_string())?;
        builder = builder.tls_certs_only(trusted);
    }
    builder.build().map_err(|error| format!("no HTTP client can be made: {error}"))
}

async fn post(
    client: &Client,
    url: &str,
    headers: &[(Box<str>, crate::config::settings::Hidden)],
    text: String,
    timeout: u64,
) -> Result<(), String> {
    let mut request = client.post(url).header("content-type", "application/json").body(text);
    for (name, value) in headers {
        request = request.header(&**name, value.reveal());
    }
    let answer = time::timeout(Duration::from_millis(timeout), request.send()).await;
    match answer {
        Err(_) => Err(format!("no answer within {timeout} ms")),
        Ok(Ok(response)) if response.status().is_success() => Ok(()),
        Ok(Ok(response)) => Err(format!("status {}", response.status().as_u16())),
        // Without the address, in which there may be a secret.
        Ok(Err(error)) => Err(causes::of(&error.without_url()).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_gives_so_many_at_once_and_fills_evenly() {
        let mut bucket = Bucket::new(Rate { count: 3, per: 60_000 }, At(5));
        let mut taken = |at: u64| bucket.take(At(at));
        assert_eq!([5, 5, 5, 5].map(&mut taken), [true, true, true, false]);
        assert_eq!([20_004, 20_005, 20_006].map(&mut taken), [false, true, false], "one in a third of the time");
        assert_eq!([10_000_000; 4].map(&mut taken), [true, true, true, false], "never more than full");
    }
}
