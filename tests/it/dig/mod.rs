//! What users see: the real binary on a loopback port, asked by the real `dig`.

mod agree;
mod answer;
mod backend;
mod held;
mod life;
mod loss;
mod names;
mod order;
mod pair;
pub mod probed;
mod regions;
mod reload;
mod resolver;
mod restart;
mod server;
mod state;
mod steering;
mod types;
mod zones;

pub use answer::{Answer, dig};
pub use backend::Backend;
pub use server::Server;
