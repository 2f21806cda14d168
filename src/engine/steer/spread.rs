//! How the best band shares the clients: which of the equally good gets this one.

use arrayvec::ArrayVec;

use super::{
    draw::{self, Score, Seed},
    policy::Spread,
    row::members,
    table::PoolTable,
    trace::{Step, Trace},
};
use crate::engine::types::{Chance, Prefix};

/// Endpoints of a pool, by position, in the order of the reply.
pub type Chosen = ArrayVec<u8, 64>;

/// What a draw starts from.
#[derive(Clone, Copy, Debug)]
pub struct Drawing<'s> {
    /// The service's seed.
    pub seed: &'s Seed,
    /// The client's block.
    pub block: Prefix,
    /// Milliseconds of a slot.
    pub slot: u64,
    /// Time, the query's number, and what replaces a draw.
    pub chance: Chance,
}

/// Chooses up to `answers` endpoints of the band, at most one of each region; all of it for `all`. The band holds no
/// endpoint of weight 0.
pub fn choose<T: Trace>(
    pool: &PoolTable,
    band: u64,
    spread: Spread,
    answers: u8,
    drawing: &Drawing<'_>,
    trace: &mut T,
) -> Chosen {
    let mut chosen = Chosen::new();
    if spread == Spread::All {
        chosen.extend(members(band));
        return chosen;
    }
    if band.is_power_of_two() {
        chosen.push(band.trailing_zeros() as u8); // nothing to draw
        return chosen;
    }
    let mut draw = first_draw(spread, drawing);
    let mut left = band;
    while left != 0 && chosen.len() < usize::from(answers) {
        let n = match spread {
            Spread::Hash => rendezvous(pool, left, draw.value),
            Spread::RoundRobin => in_turn(pool, left, draw.value),
            _ => laid_out(pool, left, draw.value),
        };
        trace.note(|| Step::Drew { draw: draw.value, of: among(pool, left, spread), slot: draw.slot });
        chosen.push(n);
        left &= !pool.region_of(n);
        if !matches!(spread, Spread::Hash | Spread::RoundRobin) {
            draw.value = draw::splitmix(draw.value);
        }
    }
    chosen
}

struct Draw {
    value: u64,
    slot: Option<u64>,
}

fn first_draw(spread: Spread, drawing: &Drawing<'_>) -> Draw {
    if let Some(value) = drawing.chance.draw {
        return Draw { value, slot: None };
    }
    if spread == Spread::Random {
        return Draw { value: drawing.chance.random, slot: None };
    }
    let block = drawing.seed.block(drawing.block);
    let slot = draw::slot(block, drawing.chance.now.0, drawing.slot);
    match spread {
        Spread::Hash => Draw { value: block, slot: None },
        // From the block's own start, so that blocks do not walk in step.
        Spread::RoundRobin => Draw { value: slot.wrapping_add(block >> 24), slot: Some(slot) },
        _ => Draw { value: draw::in_slot(block, slot), slot: Some(slot) },
    }
}

/// What a draw is taken among, for the trace.
fn among(pool: &PoolTable, band: u64, spread: Spread) -> u64 {
    if spread == Spread::Hash { 0 } else { members(band).map(|n| pool.weight(n)).sum() }
}

/// The region by rendezvous over its endpoints' weights, then the endpoint in it.
fn rendezvous(pool: &PoolTable, band: u64, seed: u64) -> u8 {
    let mut best: Option<(Score, u64)> = None;
    for (key, endpoints) in pool.regions() {
        let here = band & endpoints;
        if here != 0 {
            let score = Score::new(seed, key, members(here).map(|n| pool.weight(n)).sum());
            if best.is_none_or(|(leader, _)| score.beats(leader)) {
                best = Some((score, here));
            }
        }
    }
    let here = best.map_or(band, |(_, here)| here);
    let mut winner: Option<(Score, u8)> = None;
    for n in members(here).filter(|_| !here.is_power_of_two()) {
        let score = Score::new(seed, pool.key(n), pool.weight(n));
        if winner.is_none_or(|(leader, _)| score.beats(leader)) {
            winner = Some((score, n));
        }
    }
    winner.map_or(here.trailing_zeros() as u8, |(_, n)| n)
}

/// The weights laid end to end, region by region and in name order; the draw falls into one of them.
fn laid_out(pool: &PoolTable, band: u64, draw: u64) -> u8 {
    let total: u64 = members(band).map(|n| pool.weight(n)).sum();
    let mut rest = draw % total.max(1);
    for (_, endpoints) in pool.regions() {
        for n in members(band & endpoints) {
            match rest.checked_sub(pool.weight(n)) {
                Some(less) => rest = less,
                None => return n,
            }
        }
    }
    band.trailing_zeros() as u8
}

/// The smooth schedule at a position.
fn in_turn(pool: &PoolTable, band: u64, at: u64) -> u8 {
    let weights: ArrayVec<u64, 64> = members(band).map(|n| pool.weight(n)).collect();
    let winner = draw::scheduled(&weights, at);
    members(band).nth(winner).unwrap_or(band.trailing_zeros() as u8)
}
