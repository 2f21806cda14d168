//! One hook: what waits to be told, how often anything may be, and the telling itself. Must not know what is told.

use std::{collections::VecDeque, mem, sync::Arc};

use reqwest::{Certificate, Client, redirect};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time,
};
use tracing::{debug, info, warn};

use super::{
    event::Event,
    not_told::{NoClient, NotTold},
};
use crate::{
    clock::duration,
    command::{Command, End, Queue},
    config::settings::{Hook, Occasion, Rate, Tell},
    engine::types::{At, Millis},
    telemetry::signals::Signals,
};

/// So many wait at most, beside those that are urgent; a hook that is so far behind misses the next ones.
const WAITING: usize = 64;
const USER_AGENT: &str = concat!("meridian/", env!("CARGO_PKG_VERSION"));

/// A bucket of tokens: full at first, and filled again evenly.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Bucket {
    rate: Rate,
    /// In parts of a token, of which one has as many as `rate.per` has milliseconds.
    left: u64,
    at: At,
}

impl Bucket {
    pub(crate) fn new(rate: Rate, now: At) -> Self {
        Self { rate, left: u64::from(rate.count) * rate.per.0, at: now }
    }

    /// Takes one, if there is one.
    pub(crate) fn take(&mut self, now: At) -> bool {
        let Rate { count, per: Millis(per) } = self.rate;
        let full = u64::from(count) * per;
        self.left = self.left.saturating_add(now.since(self.at).times(count.into()).0).min(full);
        self.at = self.at.max(now);
        let enough = self.left >= per;
        if enough {
            self.left -= per;
        }
        enough
    }
}

/// What a hook did not come to tell.
#[derive(Debug, Default)]
struct Left {
    urgent: VecDeque<String>,
    others: VecDeque<String>,
}

impl Left {
    fn len(&self) -> usize {
        self.urgent.len() + self.others.len()
    }
}

/// What a hook is yet to tell.
struct Inbox {
    urgent: mpsc::UnboundedReceiver<String>,
    others: mpsc::Receiver<String>,
    left: Left,
}

impl Inbox {
    /// The next message: first what is urgent, of both kinds first what is left from before. None: there will be no more.
    async fn next(&mut self) -> Option<String> {
        if let Some(text) = self.left.urgent.pop_front() {
            return Some(text);
        }
        if let Ok(text) = self.urgent.try_recv() {
            return Some(text);
        }
        if let Some(text) = self.left.others.pop_front() {
            return Some(text);
        }
        tokio::select! {
            biased;
            Some(text) = self.urgent.recv() => Some(text),
            text = self.others.recv() => text,
        }
    }

    /// What has not been told.
    fn close(mut self) -> Left {
        self.urgent.close();
        self.others.close();
        while let Ok(text) = self.urgent.try_recv() {
            self.left.urgent.push_back(text);
        }
        while let Ok(text) = self.others.try_recv() {
            self.left.others.push_back(text);
        }
        self.left
    }
}

/// A hook at work. Dropped, it ends with what it is at.
#[derive(Debug)]
pub(crate) struct Teller {
    pub(crate) hook: Hook,
    /// For each kind of event that was told, what is left of its rate; urgent ones have none.
    buckets: Vec<(Occasion, Bucket)>,
    /// How many were left out since the last that was told.
    left_out: u64,
    /// Without an end: regions turn no faster than hold-downs and flap penalties let them, and none of it may be lost.
    urgent: mpsc::UnboundedSender<String>,
    queue: mpsc::Sender<String>,
    /// Dropped, it ends the task.
    stays: oneshot::Sender<()>,
    task: JoinHandle<Left>,
}

impl Teller {
    /// Starts it. One of the same name `before` it leaves it what waits. Wants a tokio runtime.
    pub(crate) fn start(hook: Hook, before: Option<Self>, now: At, signals: Arc<Signals>) -> Self {
        let (urgent, first) = mpsc::unbounded_channel();
        let (queue, others) = mpsc::channel(WAITING);
        let inbox = Inbox { urgent: first, others, left: Left::default() };
        let (stays, gone) = oneshot::channel();
        let buckets = hook.on.iter().map(|kind| (*kind, Bucket::new(hook.rate, now))).collect();
        let left_out = before.as_ref().map_or(0, |before| before.left_out);
        let before = before.map(|before| before.task);
        let task = tokio::spawn(tell_all(hook.clone(), before, inbox, gone, signals));
        Self { hook, buckets, left_out, urgent, queue, stays, task }
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

    /// Lets it tell an event. One that is not urgent is left out when the rate of its kind or the queue is used up; then
    /// that is counted, and the next message says so. `text` makes the text of it from how many were left out.
    pub(crate) fn tell(&mut self, now: At, event: &Event, text: impl FnOnce(&Hook, u64) -> String) -> bool {
        if event.is_urgent() {
            let text = text(&self.hook, mem::take(&mut self.left_out));
            return self.urgent.send(text).is_ok();
        }
        let bucket = self.buckets.iter_mut().find(|(kind, _)| *kind == event.kind);
        let place = self.queue.try_reserve().ok().filter(|_| bucket.is_none_or(|(_, bucket)| bucket.take(now)));
        match place {
            Some(place) => {
                place.send(text(&self.hook, mem::take(&mut self.left_out)));
                true
            }
            None => {
                if self.left_out == 0 {
                    let Rate { count, per } = self.hook.rate;
                    warn!(
                        "hook {} has more to tell than {count} in {} s of one kind, or is slow: some of it is left out",
                        self.hook.name,
                        per.0 / 1000
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

/// One after the other, so that those of one urgency come in order; first what the one `before` it has left. What is left
/// when it is `gone` is given back.
async fn tell_all(
    hook: Hook,
    before: Option<JoinHandle<Left>>,
    mut inbox: Inbox,
    mut gone: oneshot::Receiver<()>,
    signals: Arc<Signals>,
) -> Left {
    // It ends with what it is at, which takes no longer than its timeout.
    if let Some(before) = before {
        inbox.left = before.await.unwrap_or_default();
    }
    let client = match &hook.tell {
        Tell::Post { trust, .. } => client(trust.as_ref().map(|trust| trust.pem())),
        Tell::Command(_) => Err(NoClient::Command),
    };
    let client = client.map_err(Arc::new);
    let mut failed = 0u64;
    loop {
        let text = tokio::select! {
            biased;
            _ = &mut gone => None,
            text = inbox.next() => text,
        };
        let Some(text) = text else { break };
        signals.hooks.add(1);
        let told = match &hook.tell {
            Tell::Command(words) => run(words, text, hook.timeout).await,
            Tell::Post { url, headers, .. } => match &client {
                Ok(client) => post(client, url, headers, text, hook.timeout).await,
                Err(cause) => Err(NotTold::NoClient(Arc::clone(cause))),
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
    inbox.close()
}

async fn run(words: &[String], text: String, timeout: Millis) -> Result<(), NotTold> {
    let mut command = Command::new(words.to_vec(), duration(timeout));
    command.input = text.into_bytes();
    command.queue = Queue::Telling;
    let ended = command.run().await?;
    let said = ended.errors.last_line().or_else(|| ended.output.last_line());
    let said = said.map_or(String::new(), |line| format!(": {line}"));
    match ended.end {
        End::Code(0) => Ok(()),
        End::Code(code) => Err(NotTold::Code { code, said }),
        End::Signal(signal) => Err(NotTold::Signal { signal, said }),
        End::Killed => Err(NotTold::Killed { timeout, said }),
    }
}

fn client(pem: Option<&str>) -> Result<Client, NoClient> {
    // Who was first decides; every part of this process wants the same one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = Client::builder().user_agent(USER_AGENT).no_proxy().redirect(redirect::Policy::none());
    if let Some(pem) = pem {
        let trusted = Certificate::from_pem_bundle(pem.as_bytes()).map_err(NoClient::Certificates)?;
        builder = builder.tls_certs_only(trusted);
    }
    builder.build().map_err(NoClient::Client)
}

async fn post(
    client: &Client,
    url: &str,
    headers: &[(Box<str>, crate::config::settings::Hidden)],
    text: String,
    timeout: Millis,
) -> Result<(), NotTold> {
    let mut request = client.post(url).header("content-type", "application/json").body(text);
    for (name, value) in headers {
        request = request.header(&**name, value.reveal());
    }
    let answer = time::timeout(duration(timeout), request.send()).await;
    match answer {
        Err(_) => Err(NotTold::Silent(timeout)),
        Ok(Ok(response)) if response.status().is_success() => Ok(()),
        Ok(Ok(response)) => Err(NotTold::Status(response.status().as_u16())),
        // Without the address, in which there may be a secret.
        Ok(Err(error)) => Err(NotTold::Request(error.without_url())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{engine::types::UnixMillis, node::change::Change};

    /// A hook whose command never ends, with a rate of two of each kind.
    fn hook() -> Hook {
        Hook {
            name: "pager".into(),
            on: vec![Occasion::Endpoint, Occasion::Region, Occasion::Governor, Occasion::Reload],
            tell: Tell::Command(vec!["/bin/sleep".into(), "1000".into()]),
            timeout: Millis(60_000),
            rate: Rate { count: 2, per: Millis(3_600_000) },
        }
    }

    fn event(kind: Occasion) -> Event {
        let change = match kind {
            Occasion::Governor => Change::Isolated { canaries: 1 },
            _ => Change::World { kept: 0, fresh: 0, gone: 0, what: Box::default() },
        };
        let mut event = Event::of(&change, UnixMillis(0)).unwrap();
        event.kind = kind;
        event
    }

    #[tokio::test]
    async fn each_kind_has_a_budget_of_its_own_and_regions_and_the_governor_need_none() {
        let mut teller = Teller::start(hook(), None, At(0), Arc::default());
        let mut told = |kind| teller.tell(At(0), &event(kind), |_, left_out| left_out.to_string());
        assert_eq!([Occasion::Endpoint; 4].map(&mut told), [true, true, false, false]);
        assert_eq!([Occasion::Reload; 3].map(&mut told), [true, true, false], "endpoints have used up their own");
        for kind in [Occasion::Region, Occasion::Governor] {
            assert!((0..200).all(|_| told(kind)), "more than a queue holds");
        }
    }

    #[tokio::test]
    async fn what_is_urgent_is_told_first_and_what_was_left_before_what_is_new() {
        let (urgent, first) = mpsc::unbounded_channel();
        let (queue, others) = mpsc::channel(WAITING);
        let left = Left { urgent: ["u0".to_owned()].into(), others: ["o0".to_owned()].into() };
        let mut inbox = Inbox { urgent: first, others, left };
        for text in ["o1", "o2"] {
            queue.try_send(text.to_owned()).unwrap();
        }
        urgent.send("u1".to_owned()).unwrap();
        let mut told = Vec::new();
        for _ in 0..3 {
            told.push(inbox.next().await.unwrap());
        }
        urgent.send("u2".to_owned()).unwrap();
        told.push(inbox.next().await.unwrap());
        assert_eq!(told, ["u0", "u1", "o0", "u2"]);
        urgent.send("u3".to_owned()).unwrap();
        let left = inbox.close();
        assert_eq!((left.urgent, left.others), (["u3".to_owned()].into(), ["o1".to_owned(), "o2".to_owned()].into()));
    }

    #[test]
    fn a_bucket_gives_so_many_at_once_and_fills_evenly() {
        let mut bucket = Bucket::new(Rate { count: 3, per: Millis(60_000) }, At(5));
        let mut taken = |at: u64| bucket.take(At(at));
        assert_eq!([5, 5, 5, 5].map(&mut taken), [true, true, true, false]);
        assert_eq!([20_004, 20_005, 20_006].map(&mut taken), [false, true, false], "one in a third of the time");
        assert_eq!([10_000_000; 4].map(&mut taken), [true, true, true, false], "never more than full");
    }
}
