//! What holds for all health together: how much automation may empty at once, and what shows that this node itself is
//! the one in trouble.

use crate::engine::types::{Prefix, TargetId};

/// `[health]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthRules {
    /// How much automation may empty.
    pub governor: Governor,
    /// Targets that must answer while this node itself is well; empty: it cannot tell.
    pub canaries: Vec<TargetId>,
    /// Milliseconds after which saved health is shown, not used.
    pub restore_age: u64,
    /// Probes in a second.
    pub rate: Rate,
    /// Whom probes may reach; `any` leaves out link-local and metadata addresses.
    pub allow: Allow,
}

/// How much automation may empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Governor {
    /// Regions in one window.
    pub max_regions: MaxRegions,
    /// Milliseconds of the window.
    pub window: u64,
    /// Milliseconds after which a held region is let go.
    pub release: u64,
}

/// A number of regions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaxRegions {
    /// So many.
    Count(u32),
    /// So many thousandths of those that have endpoints, rounded up.
    Share(u32),
}

/// Probes in a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Of all targets.
    pub total: u32,
    /// To one address.
    pub per_target: u32,
}

/// Whom probes may reach.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allow {
    /// Everybody but link-local addresses, among them those where clouds tell secrets.
    pub any: bool,
    /// These, whatever they are.
    pub listed: Vec<Prefix>,
}

impl Default for Rate {
    fn default() -> Self {
        Self { total: 5000, per_target: 20 }
    }
}

impl Default for HealthRules {
    fn default() -> Self {
        Self {
            governor: Governor { max_regions: MaxRegions::Share(500), window: 60_000, release: 600_000 },
            canaries: Vec::new(),
            restore_age: 600_000,
            rate: Rate::default(),
            allow: Allow { any: true, listed: Vec::new() },
        }
    }
}
