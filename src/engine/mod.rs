//! THE QUIET ROOM: a question and a picture of the world go in, an answer comes out. Pure: no clock, no randomness,
//! no I/O, no async, no logging, and nothing from the other rooms but what a monitor is. [`respond`] is the query path.

pub mod entries;
pub mod geo;
pub mod health;
pub mod live;
mod prefetch;
pub mod respond;
pub mod signal;
pub mod snapshot;
pub mod steer;
pub mod types;
pub mod units;
pub mod wire;
pub mod world;
pub mod zone;

mod reflect;
mod resolve;
mod serve;
mod targets;
