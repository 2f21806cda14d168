//! Meridian: a GSLB authoritative DNS server.
//!
//! The rooms, and which rooms each may import (`tests/it/house.rs` holds it): probing, command → nothing; engine → probing;
//! telemetry → engine; config → probing, engine; state → those and telemetry; net → those and state; monitor, feed → those and
//! command; app → all; cli → app, config, probing, engine, state, telemetry.

pub mod app;
pub mod cli;
pub mod command;
pub mod config;
pub mod engine;
pub mod feed;
mod http;
pub mod monitor;
pub mod net;
pub mod probing;
pub mod state;
pub mod telemetry;
