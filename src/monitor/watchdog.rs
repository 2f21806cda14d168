//! Whether probes run as they should: those that begin late are counted with the cause, targets that fall silent are
//! told, and nothing of it is ever guessed at by anybody who reads health. Must not know what an outcome means.

use std::{sync::Arc, time::Duration};

use tracing::{error, info, warn};

use crate::{
    clock::duration,
    engine::types::At,
    probing::{millis::Millis, monitor::Rhythm},
    telemetry::signals::{Number, Signals},
};

/// A probe is late when it begins later than it was due by more than this part of its interval.
const TOLERATED: u64 = 10;
/// Late probes are told at most once in so long.
const TOLD: Millis = Millis::seconds(10);
/// A target that is silent for so many intervals, and a moment, has fallen silent.
const SILENT: u64 = 3;
const MOMENT: Millis = Millis::seconds(1);

/// What made a probe late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// The process had no processor for it in time.
    Busy,
    /// `health.rate` did not allow it.
    Budget,
    /// As many probes as open files allow were under way.
    Turns,
}

/// What is counted between two tellings.
#[derive(Debug)]
pub(super) struct Watchdog {
    signals: Arc<Signals>,
    /// By cause, in the order of [`Cause`].
    late: [Number; 3],
    latest: Number,
}

/// What has been told.
#[derive(Debug, Default)]
pub(super) struct Reported {
    late_at: Option<At>,
    silent: bool,
}

/// A target as the watchdog sees it.
#[derive(Clone, Debug)]
pub(super) struct Sight {
    /// For people.
    pub(super) name: String,
    /// How long ago it was heard of.
    pub(super) age: Millis,
    pub(super) rhythm: Rhythm,
}

impl Watchdog {
    pub(super) fn new(signals: Arc<Signals>) -> Self {
        Self { signals, late: Default::default(), latest: Number::default() }
    }

    /// A probe begins; it has waited so long beyond its moment, for these reasons.
    pub(super) fn began(&self, waited: [(Cause, Duration); 3], interval: Millis) {
        self.signals.probes.add(1);
        let whole: Duration = waited.iter().map(|(_, wait)| *wait).sum();
        if whole <= duration(interval) / TOLERATED as u32 {
            return;
        }
        let most = waited.iter().max_by_key(|(_, wait)| *wait);
        if let Some((cause, _)) = most {
            self.late[*cause as usize].add(1);
        }
        let late = whole.as_millis() as u64;
        self.signals.late.add(1);
        self.signals.latest.raise(late);
        self.latest.raise(late);
    }

    /// A probe ended without having been asked.
    pub(super) fn unasked(&self) {
        self.signals.unasked.add(1);
    }

    /// Tells what has to be told at `now`, once a second; `silent`: the targets that have fallen silent.
    pub(super) fn tell(&self, now: At, told: &mut Reported, silent: &[Sight], of: usize) {
        if told.late_at.is_none_or(|at| now.since(at) >= TOLD) {
            let late = [&self.late[0], &self.late[1], &self.late[2]].map(Number::take);
            let latest = self.latest.take();
            if late != [0; 3] {
                told.late_at = Some(now);
                warn!("{}", sentence(late, latest));
            }
        }
        let oldest = silent.iter().max_by_key(|sight| sight.age);
        self.signals.prober_age.set(oldest.map_or(0, |sight| sight.age.0));
        match oldest {
            Some(oldest) if !told.silent => error!("{}", silence(silent.len(), of, oldest)),
            None if told.silent => info!("every target is heard of again"),
            _ => {}
        }
        told.silent = oldest.is_some();
    }
}

impl Sight {
    /// Whether nothing was heard of it for longer than its rhythm can explain.
    pub(super) fn is_silent(&self) -> bool {
        let Rhythm { interval, timeout, .. } = self.rhythm;
        self.age > interval.times(SILENT).plus(timeout).plus(MOMENT)
    }
}

fn silence(silent: usize, of: usize, oldest: &Sight) -> String {
    let (name, long) = (&oldest.name, oldest.age.0 as f64 / 1000.0);
    if silent == 1 {
        let among = if of == 1 { String::new() } else { format!(", one of {of} targets,") };
        return format!(
            "{name}{among} has fallen silent for {long:.1} s: its health stays as it was until it is heard of again"
        );
    }
    format!(
        "{silent} of {of} targets have fallen silent, {name} for {long:.1} s: their health stays as it was until they are \
         heard of again"
    )
}

fn sentence(late: [u64; 3], latest: u64) -> String {
    let causes = [
        "this node is too busy",
        "`health.rate` allows no more probes in a second",
        "as many probes as open files allow were under way",
    ];
    let count: u64 = late.iter().sum();
    let mut named: Vec<(u64, &str)> = late.into_iter().zip(causes).filter(|(count, _)| *count > 0).collect();
    named.sort_by_key(|(count, _)| u64::MAX - count);
    let named: Vec<String> = named.iter().map(|(count, cause)| format!("{cause} ({count})")).collect();
    let (probes, began) = if count == 1 { ("probe", "") } else { ("probes", "the latest ") };
    format!("{count} {probes} began late, {began}by {latest} ms: {}", named.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn what_begins_late_is_counted_with_its_cause() {
        let signals = Arc::new(Signals::default());
        let watchdog = Watchdog::new(Arc::clone(&signals));
        watchdog.began([(Cause::Busy, ms(40)), (Cause::Budget, ms(60)), (Cause::Turns, ms(0))], Millis(1000));
        assert_eq!((signals.probes.get(), signals.late.get()), (1, 0), "a tenth of the interval is in time");
        watchdog.began([(Cause::Busy, ms(41)), (Cause::Budget, ms(60)), (Cause::Turns, ms(0))], Millis(1000));
        watchdog.began([(Cause::Busy, ms(0)), (Cause::Budget, ms(60)), (Cause::Turns, ms(240))], Millis(1000));
        assert_eq!((signals.probes.get(), signals.late.get(), signals.latest.get()), (3, 2, 300));
        assert_eq!([0, 1, 2].map(|n| watchdog.late[n].get()), [0, 1, 1]);
    }

    #[test]
    fn late_probes_read_as_a_sentence() {
        assert_eq!(sentence([1, 0, 0], 12), "1 probe began late, by 12 ms: this node is too busy (1)");
        assert_eq!(
            sentence([2, 30, 0], 2300),
            "32 probes began late, the latest by 2300 ms: `health.rate` allows no more probes in a second (30), this \
             node is too busy (2)"
        );
    }

    #[test]
    fn silence_is_what_the_rhythm_cannot_explain() {
        let rhythm = Rhythm { interval: Millis(1000), timeout: Millis(800), recheck: Millis(200), fall: 3, rise: 2 };
        let sight = |age| Sight { name: "192.0.2.1".into(), age, rhythm };
        assert!(!sight(Millis(4800)).is_silent());
        assert!(sight(Millis(4801)).is_silent());
        let signals = Arc::new(Signals::default());
        let (watchdog, mut told) = (Watchdog::new(Arc::clone(&signals)), Reported::default());
        watchdog.tell(At(0), &mut told, &[sight(Millis(4801)), sight(Millis(9000))], 3);
        assert_eq!((signals.prober_age.get(), told.silent), (9000, true));
        let rest = "fallen silent, 192.0.2.1 for 9.0 s: their health stays as it was until they are heard of again";
        assert_eq!(silence(2, 3, &sight(Millis(9000))), format!("2 of 3 targets have {rest}"));
        let rest = "has fallen silent for 9.0 s: its health stays as it was until it is heard of again";
        assert_eq!(silence(1, 1, &sight(Millis(9000))), format!("192.0.2.1 {rest}"));
        assert_eq!(silence(1, 3, &sight(Millis(9000))), format!("192.0.2.1, one of 3 targets, {rest}"));
        watchdog.tell(At(1000), &mut told, &[], 3);
        assert_eq!((signals.prober_age.get(), told.silent), (0, false));
    }
}
