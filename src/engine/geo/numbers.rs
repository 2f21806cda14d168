//! A hash table whose layout follows from what was put into it, and from nothing else.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, DefaultHasher},
};

/// A hash table without chance: the same input makes the same atlas, to the last number.
pub(super) type Numbers<K, V> = HashMap<K, V, BuildHasherDefault<DefaultHasher>>;
