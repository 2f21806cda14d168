//! One node of a service, without input and output: everything that can happen to it is an [`Input`](input::Input) with its
//! moment, and [`machine`] says what follows. Must not know how probes are run, DNS messages, the configuration's text, tasks,
//! clocks or files.

pub mod answers;
pub mod balance;
pub mod change;
pub mod facts;
pub mod format;
pub mod input;
pub mod job;
pub mod ledger;
pub mod machine;
pub mod measuring;
pub mod overrides;
pub mod samples;
pub mod saved;
pub mod status;
