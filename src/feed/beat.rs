//! One question's task: wait, ask, report, and again, until it is aborted.

use std::{net::IpAddr, sync::Arc};

use tokio::{
    sync::{Semaphore, mpsc, watch},
    time::{self, Instant},
};
use tracing::{info, warn};

use super::{
    ask,
    error::AskError,
    plan::{Order, Question},
    reading::Meter,
};
use crate::{
    clock::{Clock, duration},
    engine::types::Millis,
    node::input::Input,
    telemetry::signals::Signals,
};

/// No answer may take longer than this, however long the interval.
const PATIENCE: Millis = Millis::seconds(5);
/// Within so long all questions of a new plan have been asked for the first time.
const FIRST: Millis = Millis::seconds(1);

/// What every task needs.
#[derive(Clone)]
pub(super) struct Desk {
    pub(super) client: reqwest::Client,
    pub(super) turns: Arc<Semaphore>,
    pub(super) events: mpsc::Sender<Input>,
    pub(super) clock: Clock,
    pub(super) signals: Arc<Signals>,
}

/// Asks until nobody takes reports any more. A changed interval counts from the last time it was asked.
pub(super) async fn run(
    question: Arc<Question>,
    mut orders: watch::Receiver<Order>,
    mut chance: fastrand::Rng,
    desk: Desk,
) {
    let mut order = orders.borrow_and_update().clone();
    let mut wait = Millis(chance.u64(0..=order.interval.min(FIRST).0));
    let (mut began, mut meter, mut streak, mut turn) = (moment(), Meter::default(), Streak::default(), 0);
    let mut asked = false;
    loop {
        tokio::select! {
            () = time::sleep_until(began + duration(wait)) => {}
            changed = orders.changed() => {
                if changed.is_err() {
                    return;
                }
                order = orders.borrow_and_update().clone();
                // Another interval does not put off the first time.
                wait = if asked { jittered(order.interval, &mut chance) } else { wait.min(order.interval) };
                continue;
            }
        }
        // The semaphore is never closed.
        let Ok(held) = desk.turns.acquire().await else { return };
        (began, asked) = (moment(), true);
        wait = jittered(order.interval, &mut chance);
        let Some(address) = question.addresses.get(turn % question.addresses.len().max(1)).copied() else { return };
        let answer = once(&desk, &question, address, order.interval.min(PATIENCE), &mut meter).await;
        drop(held);
        match answer {
            Ok(load) => {
                if let Some(failed) = streak.end() {
                    info!(%address, "{}", Told { order: &order, question: &question, address, what: What::Back(failed) });
                }
                for scope in load.iter().flat_map(|_| &order.about) {
                    let event = Input::Load { scope: scope.clone(), load: load.unwrap_or_default() };
                    if desk.events.send(event).await.is_err() {
                        return;
                    }
                }
            }
            Err(cause) => {
                desk.signals.load_faults.add(1);
                if streak.go_on() {
                    warn!(%address, "{}", Told { order: &order, question: &question, address, what: What::Failed(&cause) });
                }
                // Another one's counters are not these.
                meter = Meter::default();
                turn += 1;
            }
        }
    }
}

/// The load that an address tells; none: it is the first sight of what only counts up.
async fn once(
    desk: &Desk,
    question: &Question,
    address: IpAddr,
    timeout: Millis,
    meter: &mut Meter,
) -> Result<Option<f64>, AskError> {
    let reading = ask::ask(&desk.client, &question.pull, address, timeout).await?;
    Ok(meter.take(desk.clock.now(), reading)?)
}

/// An interval, up to a twentieth longer or shorter, so that questions do not fall into step.
fn jittered(Millis(interval): Millis, chance: &mut fastrand::Rng) -> Millis {
    Millis(interval - interval / 20 + chance.u64(0..=interval / 10))
}

/// Failures in a row.
#[derive(Debug, Default)]
struct Streak(u64);

impl Streak {
    /// One more; whether it is the first.
    fn go_on(&mut self) -> bool {
        self.0 += 1;
        self.0 == 1
    }

    /// It is over; how many they were, if there were any.
    fn end(&mut self) -> Option<u64> {
        Some(std::mem::take(&mut self.0)).filter(|failed| *failed > 0)
    }
}

/// What is told of a question.
struct Told<'a> {
    order: &'a Order,
    question: &'a Question,
    address: IpAddr,
    what: What<'a>,
}

enum What<'a> {
    Failed(&'a AskError),
    Back(u64),
}

impl std::fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { order: Order { about, .. }, question, address, what } = self;
        f.write_str("the load of ")?;
        if let Some(first) = about.first() {
            write!(f, "{first}")?;
        }
        if about.len() > 1 {
            write!(f, " and {} more", about.len() - 1)?;
        }
        match what {
            What::Failed(cause) => write!(
                f,
                " cannot be read from {address}, {}: {cause}; what was reported last counts until it is too old",
                question.pull.place()
            ),
            What::Back(1) => write!(f, " is read from {address} again, after a failure"),
            What::Back(failed) => write!(f, " is read from {address} again, after {failed} failures"),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "one of the edges where time comes in")]
fn moment() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_streak_is_said_once_and_its_end_once() {
        let mut streak = Streak::default();
        assert_eq!((streak.go_on(), streak.go_on(), streak.go_on()), (true, false, false));
        assert_eq!((streak.end(), streak.end()), (Some(3), None));
        assert!(streak.go_on(), "another one");
    }

    #[test]
    fn questions_do_not_fall_into_step_and_keep_their_interval() {
        let mut chance = fastrand::Rng::with_seed(1);
        let waits: Vec<u64> = (0..1000).map(|_| jittered(Millis(2000), &mut chance).0).collect();
        assert!(waits.iter().all(|wait| (1900..=2100).contains(wait)));
        assert!(waits.iter().any(|wait| *wait < 1910) && waits.iter().any(|wait| *wait > 2090));
    }
}
