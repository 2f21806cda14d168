//! Meridian: a GSLB authoritative DNS server.
//!
//! The rooms, and who may import whom (`tests/it/house.rs` holds it): engine → nothing; telemetry → engine; config →
//! engine; state → engine, telemetry; command → nothing; net → engine, telemetry, state; monitor, feed → those and command;
//! app → all; cli → app, config, engine, state, telemetry.

pub mod app;
pub mod cli;
pub mod command;
pub mod config;
pub mod engine;
pub mod feed;
mod http;
pub mod monitor;
pub mod net;
pub mod state;
pub mod telemetry;
