//! The simulator: a configuration in virtual time, to which things happen. Targets fail and heal, operators speak, loads and
//! round-trip times are reported, clients ask. Probes run by the monitors' own timing, what they find goes to the ledger
//! that serves, and questions go to the engine that serves, so a run is the same each time it is played. Scenarios are a
//! language on top of it; explanations suppose with it what is down, lint asks it what would happen. Must not know the text of scenarios, command lines,
//! sockets or real time.

mod ask;
mod assert;
mod because;
mod clients;
mod driver;
mod failures;
mod happening;
mod probes;
mod refusal;
mod resolve;
mod rtt;
mod runner;
mod shares;
mod suppose;
mod what_if;

pub use ask::{Answer, Ask};
pub use assert::{Expectation, Expected, Missed, Unmet};
pub use clients::Clients;
pub use driver::Driver;
pub use failures::without_family;
pub use failures::{Failover, slowest_failover};
pub use failures::{GivesWay, all_probes_fail};
pub use happening::{Behaviour, Happening, Samples, Who};
pub use refusal::{Bug, Refusal};
pub use runner::{Asked, Simulation};
pub use shares::{Blocks, Fare};
pub use suppose::{Impossible, Part, Supposed, Supposition, Why, suppose};
pub use what_if::{Moves, what_if};

pub use crate::node::input::Configuration;
