//! Both families of an endpoint that turn within a second are one line: holds a verdict back until the other family's comes,
//! or the second is over. Time is an argument. Must not know where lines go.
//!
//! A verdict waits only while the other family of the same endpoints has another health: nothing else is ever held back,
//! and what would stand before its verdict waits behind it.

use std::{fmt, sync::Arc};

use super::{Verdict, event::Change};
use crate::engine::types::{At, Millis};

/// How long a verdict waits for that of the other family.
const WAIT: Millis = Millis::seconds(1);

/// What is to be logged as one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogLine {
    /// One change.
    One(Arc<Change>),
    /// Equal verdicts on both families of the same endpoints, in the order in which they came.
    Both(Box<Verdict>, Box<Verdict>),
}

/// Verdicts that wait, the oldest first.
#[derive(Debug, Default)]
pub struct Pairs(Vec<Waiting>);

#[derive(Debug)]
struct Waiting {
    until: At,
    verdict: Box<Verdict>,
    /// What follows from it.
    behind: Vec<Arc<Change>>,
}

impl Pairs {
    /// Takes in a change and gives out what is to be logged now.
    pub fn take(&mut self, now: At, change: &Arc<Change>) -> Vec<LogLine> {
        let mut lines = self.pass(now);
        match &**change {
            Change::Verdict(verdict) => {
                // It has turned again before the other family came.
                if let Some(at) = self.0.iter().position(|w| w.verdict.address == verdict.address && is_of(w, verdict))
                {
                    self.0.remove(at).give(&mut lines);
                }
                if let Some(at) = self.0.iter().position(|waiting| is_other(waiting, verdict)) {
                    let Waiting { verdict: first, behind, .. } = self.0.remove(at);
                    lines.push(LogLine::Both(first, verdict.clone()));
                    lines.extend(behind.into_iter().map(LogLine::One));
                } else if verdict.other.is_some_and(|other| other != verdict.transition.to) {
                    let until = now.plus(WAIT);
                    self.0.push(Waiting { until, verdict: verdict.clone(), behind: Vec::new() });
                } else {
                    lines.push(LogLine::One(Arc::clone(change)));
                }
            }
            Change::SlowStart { endpoint, .. } => {
                match self.0.iter_mut().find(|waiting| waiting.verdict.endpoints.contains(endpoint)) {
                    Some(waiting) => waiting.behind.push(Arc::clone(change)),
                    None => lines.push(LogLine::One(Arc::clone(change))),
                }
            }
            // What is said of regions and of everything stands behind the verdicts that it follows from.
            Change::Region(_)
            | Change::Held(_)
            | Change::LetGo(_)
            | Change::Believed(_)
            | Change::Isolated { .. }
            | Change::SeesCanaries { .. }
            | Change::World { .. }
            | Change::Ready { .. } => {
                lines.extend(self.flush());
                lines.push(LogLine::One(Arc::clone(change)));
            }
            _ => lines.push(LogLine::One(Arc::clone(change))),
        }
        lines
    }

    /// Gives out what has waited for long enough.
    pub fn pass(&mut self, now: At) -> Vec<LogLine> {
        let over = self.0.partition_point(|waiting| waiting.until <= now);
        let mut lines = Vec::new();
        self.0.drain(..over).for_each(|waiting| waiting.give(&mut lines));
        lines
    }

    /// Gives out all that waits.
    pub fn flush(&mut self) -> Vec<LogLine> {
        self.pass(At(u64::MAX))
    }

    /// When something has waited for long enough.
    #[must_use]
    pub fn next(&self) -> Option<At> {
        self.0.first().map(|waiting| waiting.until)
    }
}

impl Waiting {
    fn give(self, lines: &mut Vec<LogLine>) {
        lines.push(LogLine::One(Arc::new(Change::Verdict(self.verdict))));
        lines.extend(self.behind.into_iter().map(LogLine::One));
    }
}

/// Whether a verdict is of the same monitor on the same endpoints as one that waits.
fn is_of(waiting: &Waiting, verdict: &Verdict) -> bool {
    waiting.verdict.monitor == verdict.monitor && waiting.verdict.endpoints == verdict.endpoints
}

/// Whether a verdict is that of the other family for which one waits.
fn is_other(waiting: &Waiting, verdict: &Verdict) -> bool {
    is_of(waiting, verdict)
        && waiting.verdict.address.is_ipv4() != verdict.address.is_ipv4()
        && waiting.verdict.transition.to == verdict.transition.to
}

impl fmt::Display for LogLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(change) => change.fmt(f),
            Self::Both(first, second) => super::verdict::both(f, first, second),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use crate::{
        engine::health::fold::{Health, Transition},
        node::change::{Because, Pace, Standing},
    };

    /// A verdict on an address of `web/NAME`; `other`: the health of the other family.
    fn verdict(name: &str, address: &str, to: Health, other: Option<Health>) -> Arc<Change> {
        let from = if to == Health::Down { Health::Up } else { Health::Down };
        let found: Box<str> = if address.starts_with("192.0.2.9") { "status 503" } else { "connection refused" }.into();
        Arc::new(Change::Verdict(Box::new(Verdict {
            at: At(0),
            address: address.parse::<IpAddr>().unwrap(),
            monitor: "lb".into(),
            transition: Transition { from, to },
            because: Because::Probes { first: false, count: 3, among: 3, findings: vec![(found, 3)] },
            endpoints: vec![format!("web/{name}").into()],
            pools: vec![Standing { pool: "web".into(), up: 1, held: 0, unknown: 0, of: 2 }],
            held: None,
            other,
        })))
    }

    fn texts(lines: &[LogLine]) -> Vec<String> {
        lines.iter().map(ToString::to_string).collect()
    }

    const NONE: [&str; 0] = [];

    #[test]
    fn both_families_that_go_within_a_second_are_one_line() {
        let mut pairs = Pairs::default();
        let (four, six) = (
            verdict("eu-1", "192.0.2.1", Health::Down, Some(Health::Up)),
            verdict("eu-1", "2001:db8::1", Health::Down, Some(Health::Down)),
        );
        assert_eq!(texts(&pairs.take(At(1000), &four)), NONE);
        assert_eq!(pairs.next(), Some(At(2000)));
        assert_eq!(
            texts(&pairs.take(At(1999), &six)),
            [
                "web/eu-1 192.0.2.1 and 2001:db8::1 are down: 3 of the last 3 probes failed: connection refused; web has \
              1 of 2 endpoints up"
            ]
        );
        assert_eq!((pairs.next(), texts(&pairs.pass(At(9000)))), (None, vec![]));
    }

    #[test]
    fn what_differs_between_the_families_is_said_of_each() {
        let mut pairs = Pairs::default();
        pairs.take(At(0), &verdict("eu-1", "192.0.2.9", Health::Down, Some(Health::Up)));
        assert_eq!(
            texts(&pairs.take(At(1), &verdict("eu-1", "2001:db8::1", Health::Down, Some(Health::Down)))),
            [
                "web/eu-1 192.0.2.9 and 2001:db8::1 are down: 3 of the last 3 probes failed: status 503, and of the other \
              3 of the last 3 probes failed: connection refused; web has 1 of 2 endpoints up"
            ]
        );
    }

    #[test]
    fn a_second_apart_they_are_two_lines_and_the_first_waits_no_longer() {
        let mut pairs = Pairs::default();
        pairs.take(At(0), &verdict("eu-1", "192.0.2.1", Health::Down, Some(Health::Up)));
        assert_eq!(texts(&pairs.pass(At(999))), NONE);
        assert_eq!(pairs.pass(At(1000)).len(), 1);
        let late = pairs.take(At(1001), &verdict("eu-1", "2001:db8::1", Health::Down, Some(Health::Down)));
        assert!(matches!(&late[..], [LogLine::One(_)]), "{late:?}");
        // It comes without a look at the time in between, too.
        pairs.take(At(5000), &verdict("eu-1", "192.0.2.1", Health::Up, Some(Health::Down)));
        let both = pairs.take(At(6000), &verdict("eu-1", "2001:db8::1", Health::Up, Some(Health::Up)));
        assert!(matches!(&both[..], [LogLine::One(_), LogLine::One(_)]), "{both:?}");
    }

    #[test]
    fn one_family_alone_waits_for_nothing() {
        let mut pairs = Pairs::default();
        for other in [None, Some(Health::Down)] {
            let lines = pairs.take(At(0), &verdict("eu-1", "192.0.2.1", Health::Down, other));
            assert!(matches!(&lines[..], [LogLine::One(_)]), "{lines:?}");
        }
    }

    #[test]
    fn verdicts_of_other_endpoints_and_other_turns_are_never_joined() {
        let mut pairs = Pairs::default();
        let wait = |pairs: &mut Pairs, now, change| pairs.take(At(now), &change).len();
        assert_eq!(wait(&mut pairs, 0, verdict("eu-1", "192.0.2.1", Health::Down, Some(Health::Up))), 0);
        assert_eq!(wait(&mut pairs, 1, verdict("eu-2", "2001:db8::2", Health::Down, Some(Health::Up))), 0);
        // The first turns back: what waits is said, and the new one waits for nothing, for both are up again.
        let back = pairs.take(At(2), &verdict("eu-1", "192.0.2.1", Health::Up, Some(Health::Up)));
        assert!(matches!(&back[..], [LogLine::One(_), LogLine::One(_)]), "{back:?}");
        assert_eq!(pairs.flush().len(), 1);
    }

    #[test]
    fn what_follows_from_a_verdict_stands_behind_it() {
        let mut pairs = Pairs::default();
        pairs.take(At(0), &verdict("eu-1", "192.0.2.1", Health::Up, Some(Health::Down)));
        let start =
            |name: &str| Arc::new(Change::SlowStart { endpoint: name.into(), over: Millis(1000), pace: Pace::Back });
        assert_eq!(pairs.take(At(1), &start("web/us-1")), [LogLine::One(start("web/us-1"))]);
        assert_eq!(pairs.take(At(1), &start("web/eu-1")), []);
        let ready = Arc::new(Change::Isolated { canaries: 1 });
        let lines = pairs.take(At(2), &ready);
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[1..], [LogLine::One(start("web/eu-1")), LogLine::One(ready)]);
    }
}
