//! What a name holds: static records, a service, a cut, nothing. Must not know health or a pool's insides.

mod build;
mod compile;
mod compiled;
mod extras;
mod index;
mod inputs;
mod lower;
mod source;
pub mod table;

#[cfg(test)]
mod tests;

pub use source::{ZoneRecord, ZoneSource};
