//! THE QUIET ROOM: a question and a picture of the world go in, an answer comes out. Pure: no clock, no randomness,
//! no I/O, no async, no logging, and nothing from the other rooms.

pub mod geo;
pub mod health;
pub mod snapshot;
pub mod steer;
pub mod types;
pub mod wire;
pub mod zone;
