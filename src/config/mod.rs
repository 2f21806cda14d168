//! Text to a checked, compiled configuration, or to the whole list of what is wrong with it. Must not know sockets,
//! tasks or health.

pub mod fault;
pub mod geo;
pub mod settings;
pub mod zone_file;
