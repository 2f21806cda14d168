//! Lines of `client,region,ms[,samples]`: measured round-trip times. Every bad line is a fault at its own place; the good
//! ones are read all the same. Must not know when a measurement counts.

use super::{
    super::fault::{Fault, Place, Sources},
    Files,
};
use crate::engine::{geo::Whose, signal::latency::Reading};

/// One good line.
#[derive(Clone, Debug)]
pub struct Line {
    /// Whose round trips.
    pub whose: Whose,
    /// The region's name.
    pub region: Box<str>,
    /// What the line says of them.
    pub reading: Reading,
    /// Where the client is written.
    pub place: Place,
}

/// Reads the latency files. A region that is not there is a fault, as are more prefixes than allowed.
pub(super) fn read_all(_files: &Files<'_>, _sources: &mut Sources, _faults: &mut Vec<Fault>) -> Vec<Line> {
    Vec::new()
}
