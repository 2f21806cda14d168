//! The presets: policies under names that everybody knows, each no more than a `[policies]` table. Must not know pools.

use crate::engine::{
    types::PerFamily,
    units::{Kilometres, Permille, Rtt},
    world::policy::{Key, Spread},
};

/// A policy that needs no table.
#[derive(Clone, Copy, Debug)]
pub struct Preset {
    /// Its name, which no table may take.
    pub name: &'static str,
    /// What it does, in one line.
    pub about: &'static str,
    /// Rank: keys compared in turn.
    pub prefer: &'static [Key],
    /// How much worse than the best still counts as equal in `rtt`.
    pub rtt: Rtt,
    /// The same in `distance`.
    pub distance: Kilometres,
    /// The same in `load`, as a share of the capacity.
    pub load: Permille,
    /// The same in `response`.
    pub response: Rtt,
    /// How the equal-best share.
    pub spread: Spread,
    /// Block lengths finer than the default.
    pub sticky: Option<PerFamily<u8>>,
    /// How many endpoints an answer names.
    pub answers: u8,
}

/// What a pool has that names no policy, and what a policy extends that names nothing else.
pub const DEFAULT: &str = "adaptive";

/// How many regions keep their order for each client.
pub const DEPTH: u8 = 3;

const PLAIN: Preset = Preset {
    name: "",
    about: "",
    prefer: &[],
    rtt: Rtt(0),
    distance: Kilometres(0),
    load: Permille(0),
    response: Rtt(0),
    spread: Spread::Hash,
    sticky: None,
    answers: 1,
};

/// The preset of [`DEFAULT`].
pub const ADAPTIVE: Preset = Preset {
    name: "adaptive",
    about: "nearest by milliseconds, within 10 ms equally near, shared by weighted hash of the block",
    prefer: &[Key::Rtt],
    rtt: Rtt(100),
    ..PLAIN
};

/// All presets, in name order.
pub const PRESETS: [Preset; 11] = [
    ADAPTIVE,
    Preset {
        name: "failover",
        about: "the first that works, in the pool's order; equal places share by hash",
        prefer: &[Key::Order],
        ..PLAIN
    },
    Preset {
        name: "geo",
        about: "by the region order of the most specific rule that matches the client; equal places share by hash",
        prefer: &[Key::Geo],
        ..PLAIN
    },
    Preset {
        name: "ip-hash",
        about: "weighted hash of the client's /24 or /56: a client keeps its endpoint",
        sticky: Some(PerFamily::new(24, 56)),
        ..PLAIN
    },
    Preset { name: "latency", about: "the fewest milliseconds, without tolerance", prefer: &[Key::Rtt], ..PLAIN },
    Preset {
        name: "least-load",
        about: "the least loaded for its capacity; within 10 % equally loaded, shared by weighted hash of the block",
        prefer: &[Key::Load],
        load: Permille(100),
        ..PLAIN
    },
    Preset {
        name: "least-response-time",
        about: "the quickest to answer its probes, slower by its load; within 10 ms equally quick, shared by hash",
        prefer: &[Key::Response],
        response: Rtt(100),
        ..PLAIN
    },
    Preset { name: "proximity", about: "the fewest kilometres, without tolerance", prefer: &[Key::Distance], ..PLAIN },
    Preset { name: "random", about: "by weight, drawn anew for every query", spread: Spread::Random, ..PLAIN },
    Preset {
        name: "round-robin",
        about: "in turn by slots of ttl.max, weights kept",
        spread: Spread::RoundRobin,
        ..PLAIN
    },
    Preset {
        name: "weighted",
        about: "by weight; a block's choice changes with the slot",
        spread: Spread::Weighted,
        ..PLAIN
    },
];

/// The preset of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.name == name)
}

/// What a key is called in `prefer`.
#[must_use]
pub fn key_name(key: Key) -> &'static str {
    match key {
        Key::Order => "order",
        Key::Rtt => "rtt",
        Key::Distance => "distance",
        Key::Geo => "geo",
        Key::Load => "load",
        Key::Response => "response",
    }
}

/// What a spread is called.
#[must_use]
pub fn spread_name(spread: Spread) -> &'static str {
    match spread {
        Spread::Weighted => "weighted",
        Spread::RoundRobin => "round-robin",
        Spread::Hash => "hash",
        Spread::Random => "random",
        Spread::All => "all",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_order() {
        let names: Vec<&str> = PRESETS.iter().map(|preset| preset.name).collect();
        assert!(names.is_sorted());
        assert_eq!(find(DEFAULT).map(|preset| preset.about), Some(ADAPTIVE.about));
    }
}
