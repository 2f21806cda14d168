//! Meridian: a GSLB authoritative DNS server.
//!
//! As a library it is two things. **Decide**: build a [`World`] from a [`Draft`], or from configuration files by
//! [`config::load`](load); say how its endpoints stand in a [`Snapshot`]; and ask [`Snapshot::decide`] which of them a client
//! is answered with, and why (`examples/decide.rs` does it in 30 lines). **Read configurations**: [`load`] reads files, and
//! [`report`] says what is wrong with them. Everything else is public for this package's own tests and benchmarks alone: it
//! is hidden from this documentation, and changes without notice.
//!
//! The rooms, and which rooms each may import (`tests/it/house.rs` holds it): probing, command → nothing; engine → probing;
//! telemetry → engine; config → probing, engine; node → probing, engine; clock → engine; net → probing, engine, node, telemetry;
//! monitor, feed → those and clock, command, http; app → all of these; client → config, engine; explain → client, engine; sim → client, config, probing,
//! engine, node; lint → config, probing, engine, sim; cli → app,
//! config, engine, explain, lint, sim, node, telemetry.

#[doc(hidden)]
pub mod app;
#[doc(hidden)]
pub mod cli;
mod client;
#[doc(hidden)]
pub mod clock;
#[doc(hidden)]
pub mod command;
#[doc(hidden)]
pub mod config;
#[doc(hidden)]
pub mod engine;
#[doc(hidden)]
pub mod explain;
#[doc(hidden)]
pub mod feed;
mod http;
#[doc(hidden)]
pub mod lint;
#[doc(hidden)]
pub mod monitor;
#[doc(hidden)]
pub mod net;
#[doc(hidden)]
pub mod node;
#[doc(hidden)]
pub mod probing;
#[doc(hidden)]
pub mod sim;
#[doc(hidden)]
pub mod telemetry;

pub use crate::engine::world::{
    endpoint::{Distinct, Endpoint},
    pool::{Pool, Route, Threshold},
    service::{Canary, Fallback, Families, Service},
};
#[doc(inline)]
pub use config::{Config, Loaded, load, report};
#[doc(inline)]
pub use engine::{
    live::{
        EndpointState,
        eligible::{Exclusion, Standing},
    },
    snapshot::Snapshot,
    steer::{
        Decision, Verdict,
        trace::{Recording, Rung, Silent, Step, Trace},
    },
    types::{Chance, Family, MapId, Millis, PolicyId, PoolId, Prefix, RegionId, RouteId, ServiceId, UnixMillis},
    units::{Admission, Kilometres, Permille, Rtt, Ttl},
    wire::name::{Name, NameFault},
    world::{
        Draft, Region, World,
        policy::{Key, Policy, Spread},
    },
};
