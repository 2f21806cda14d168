//! What became different, as values; and each as the sentence that an operator reads. Must not know who listens.

mod difference;
mod event;
mod governed;
pub mod pairs;
mod region;
mod sentence;
mod shaping;
mod verdict;

pub(super) use self::verdict::of_parts;
pub use self::{
    difference::{Difference, Names, Serial, Source},
    event::Change,
    governed::{Believed, Held, Late, LetGo},
    region::{Move, RegionTurn},
    shaping::{Fate, Pace, Told},
    verdict::{Because, Keeper, KeptDown, Standing, Verdict},
};
