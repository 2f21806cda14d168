//! What is probed, and where a load is read from, as plain data: checks, monitors, load sources, and the identity under
//! which a check is remembered. Must not know how any of it is asked, nor what an answer means.

pub mod check;
pub mod identity;
pub mod millis;
pub mod monitor;
pub mod pull;
