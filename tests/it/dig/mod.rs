//! What users see: the real binary on a loopback port, asked by the real `dig`.

mod answer;
mod backend;
mod life;
mod server;
mod steering;
mod zones;

pub use answer::Answer;
pub use backend::Backend;
pub use server::Server;
