//! Live rows: what changes in milliseconds, one small row for each pool and each endpoint. The writer makes them, the
//! query reads them.

pub mod eligible;
mod row;
mod state;

pub use row::{EndpointRow, PoolRow};
pub use state::EndpointState;
