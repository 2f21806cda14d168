//! What many targets use and only needs to be made once: kept while one of them has it.

use std::{
    collections::HashMap,
    fmt,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError, Weak},
};

/// Things by what they were made from.
pub(super) struct Shared<K, V>(Mutex<HashMap<K, Weak<V>>>);

impl<K: Eq + Hash, V> Shared<K, V> {
    /// The thing that `key` stands for, by `make` unless a target has it already.
    ///
    /// # Errors
    /// Whatever `make` says.
    pub(super) fn get<E>(&self, key: K, make: impl FnOnce(&K) -> Result<V, E>) -> Result<Arc<V>, E> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = kept.get(&key).and_then(Weak::upgrade) {
            return Ok(known);
        }
        let made = Arc::new(make(&key)?);
        kept.retain(|_, thing| thing.strong_count() > 0);
        kept.insert(key, Arc::downgrade(&made));
        Ok(made)
    }
}

impl<K, V> Default for Shared<K, V> {
    fn default() -> Self {
        Self(Mutex::new(HashMap::new()))
    }
}

impl<K, V> fmt::Debug for Shared<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    #[test]
    fn a_thing_is_made_once_and_goes_with_its_last_user() {
        let shared: Shared<u8, u8> = Shared::default();
        let get = |key, value| {
            let Ok(got) = shared.get(key, |_| Ok::<_, Infallible>(value));
            got
        };
        let one = get(1, 10);
        assert!(Arc::ptr_eq(&one, &get(1, 11)));
        drop(one);
        assert_eq!(*get(1, 12), 12, "no target had it any more");
        let _two = get(2, 20);
        assert_eq!(shared.0.lock().expect("whole").len(), 1, "what no target has is swept");
        assert_eq!(shared.get(3, |_| Err("no")).err(), Some("no"));
    }
}
