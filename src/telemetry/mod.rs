//! What happened, counted: one block of counters for each worker, summed when somebody looks; and in words. Must not know
//! anything that could feed back into a decision; that [`answers`] tell who asks for how much is why they stand apart.

pub mod answers;
pub mod causes;
pub mod counters;
pub mod log;
pub mod received;
pub mod signals;
