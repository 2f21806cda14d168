//! Scope this node cannot ask, and why. Its own lack says nothing of a target, so no verdict ever tells of it: whoever
//! is never asked would look as if all were well. Told once for each cause. Must not know what an outcome means for health.

use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use tracing::{info, warn};

use crate::{
    engine::{
        health::fold::Outcome,
        types::{At, Millis},
    },
    probing::{check::Check, monitor::ProbeKey},
};

/// A cause that was not seen for so long is told again when it comes back.
const OVER: Millis = Millis::seconds(10);

type Causes = HashMap<Arc<ProbeKey>, Box<str>>;

/// Those of whom the newest probe could not be asked.
#[derive(Debug, Default)]
pub(super) struct Unasked {
    now: Mutex<Causes>,
    /// How many they are, so that the many who are asked wait for nobody.
    count: AtomicUsize,
}

/// What has been told: causes, each with when it was seen last.
#[derive(Debug, Default)]
pub(super) struct Told(BTreeMap<Box<str>, At>);

impl Unasked {
    /// Takes in the newest outcome of a target.
    pub(super) fn take(&self, key: &Arc<ProbeKey>, outcome: &Outcome) {
        match outcome {
            // Who reads a file says what is wrong with it, and what becomes of that.
            Outcome::Unasked(why) if !matches!(key.check, Check::File(_)) => {
                self.change(|causes| _ = causes.insert(Arc::clone(key), why.clone()));
            }
            _ => self.forget(key),
        }
    }

    /// It is probed no more, or was asked.
    pub(super) fn forget(&self, key: &Arc<ProbeKey>) {
        if self.count.load(Ordering::Relaxed) > 0 {
            self.change(|causes| _ = causes.remove(key));
        }
    }

    /// Forgets whoever is not probed. A task that is stopped may be in the middle of telling, and be heard behind its end.
    pub(super) fn keep(&self, is_probed: impl Fn(&ProbeKey) -> bool) {
        if self.count.load(Ordering::Relaxed) > 0 {
            self.change(|causes| causes.retain(|key, _| is_probed(key)));
        }
    }

    fn change(&self, with: impl FnOnce(&mut Causes)) {
        let mut causes = self.causes();
        with(&mut causes);
        self.count.store(causes.len(), Ordering::Relaxed);
    }

    fn causes(&self) -> MutexGuard<'_, Causes> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells what has to be told at `now`, once a second.
    pub(super) fn tell(&self, now: At, told: &mut Told) {
        for text in self.news(now, told) {
            warn!("{text}");
        }
        if told.is_over(now) {
            info!("there is no target any more that cannot be asked");
        }
    }

    /// A sentence for each cause that was not told yet.
    fn news(&self, now: At, told: &mut Told) -> Vec<String> {
        if self.count.load(Ordering::Relaxed) == 0 {
            return Vec::new();
        }
        let mut scope: BTreeMap<Box<str>, (usize, IpAddr)> = BTreeMap::new();
        for (key, why) in self.causes().iter() {
            let (count, first) = scope.entry(why.clone()).or_insert((0, key.address));
            (*count, *first) = (*count + 1, key.address.min(*first));
        }
        let new = |(why, (count, first)): (Box<str>, (usize, IpAddr))| {
            let known = told.0.insert(why.clone(), now).is_some();
            (!known).then(|| match count {
                1 => format!("{first} cannot be asked, which says nothing of it: {why}"),
                _ => format!("{count} targets cannot be asked, {first} among them, which says nothing of them: {why}"),
            })
        };
        scope.into_iter().filter_map(new).collect()
    }
}

impl Told {
    /// Forgets what has not been the case for a while; true: that was the last of it.
    fn is_over(&mut self, now: At) -> bool {
        let before = self.0.len();
        self.0.retain(|_, seen| now.since(*seen) < OVER);
        before > 0 && self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(last: u8) -> Arc<ProbeKey> {
        Arc::new(ProbeKey::new(Check::tcp(80), [192, 0, 2, last].into()))
    }

    fn lacking(what: &str) -> Outcome {
        Outcome::Unasked(what.into())
    }

    #[test]
    fn a_cause_is_told_once_with_how_many_it_keeps_from_being_asked() {
        let (unasked, mut told) = (Unasked::default(), Told::default());
        unasked.take(&key(1), &Outcome::good(1));
        assert!(unasked.news(At(0), &mut told).is_empty() && !told.is_over(At(0)));
        unasked.take(&key(2), &lacking("no rights"));
        unasked.take(&key(1), &lacking("no rights"));
        unasked.take(&key(3), &lacking("no such program"));
        assert_eq!(
            unasked.news(At(0), &mut told),
            [
                "2 targets cannot be asked, 192.0.2.1 among them, which says nothing of them: no rights",
                "192.0.2.3 cannot be asked, which says nothing of it: no such program",
            ]
        );
        unasked.take(&key(2), &lacking("no rights"));
        assert!(unasked.news(At(1000), &mut told).is_empty(), "once");
        unasked.take(&key(1), &Outcome::Bad("refused".into()));
        unasked.take(&key(2), &Outcome::NoRoute);
        unasked.forget(&key(3));
        assert!(unasked.news(At(2000), &mut told).is_empty());
        assert_eq!([10_999, 11_000, 12_000].map(|now| told.is_over(At(now))), [false, true, false]);
    }

    #[test]
    fn who_is_heard_behind_its_end_is_forgotten() {
        let (unasked, mut told) = (Unasked::default(), Told::default());
        unasked.forget(&key(1));
        unasked.take(&key(1), &lacking("no rights"));
        unasked.take(&key(2), &lacking("no such program"));
        unasked.keep(|probed| *probed == *key(2));
        let news = unasked.news(At(0), &mut told);
        assert_eq!(news, ["192.0.2.2 cannot be asked, which says nothing of it: no such program"]);
    }

    #[test]
    fn what_comes_and_goes_is_not_told_each_time() {
        let (unasked, mut told) = (Unasked::default(), Told::default());
        let mut said = 0;
        for now in (0..60_000).step_by(1000) {
            unasked.take(&key(1), &if now % 2000 == 0 { lacking("too busy") } else { Outcome::good(1) });
            said += unasked.news(At(now), &mut told).len() + usize::from(told.is_over(At(now)));
        }
        assert_eq!(said, 1);
    }
}
