//! How the best band shares the clients: which of the equally good gets this one, and whether it takes it.

use arrayvec::ArrayVec;

use super::{
    rank::Field,
    trace::{Step, Trace},
};
use crate::engine::{
    types::{Chance, Millis, Prefix, members},
    units::Admission,
    world::{
        draw::{self, Score, Seed},
        policy::Spread,
        table::Assignment,
    },
};

/// Endpoints of a pool, by position, in the order of the reply.
pub type Chosen = ArrayVec<u8, 64>;

/// What a draw starts from.
#[derive(Clone, Copy, Debug)]
pub struct Drawing<'s> {
    /// The service's seed.
    pub seed: &'s Seed,
    /// The client's block.
    pub block: Prefix,
    /// How long a slot is.
    pub slot: Millis,
    /// Time, the query's number, and what replaces a draw.
    pub chance: Chance,
}

impl Drawing<'_> {
    /// The block's draw, the same for ever, or the one that replaces all. Where there is nothing to draw nobody asks.
    #[must_use]
    pub fn of_block(&self) -> u64 {
        self.chance.draw.unwrap_or_else(|| self.seed.block(self.block))
    }
}

/// Who takes which blocks: endpoints by their rows, regions by what is assigned to them. None: everybody takes all.
#[derive(Clone, Copy, Debug)]
pub struct Doors<'s> {
    /// What is assigned to the pool's regions.
    pub assignment: Option<&'s Assignment>,
    /// The client's catchment.
    pub catchment: u32,
}

/// How much of a choice is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// How many endpoints.
    pub answers: usize,
    /// The position in the schedule of `round-robin`, where it does not follow from the slot: the turn of an endpoint for
    /// which another one stands in.
    pub turn: Option<u64>,
}

/// Chooses as many endpoints of the best band of `eligible` as the policy answers with, no two of what must be distinct; all
/// of it for `all`. An endpoint that is drawn and does not admit the block is passed over, and the next in rank is drawn, so
/// that no block moves whose own choice still takes it; one that starts slowly gives way inside its region alone. `chosen`
/// comes empty, and stays so when none takes the block. `eligible` holds no endpoint of weight 0. Returns the turn of the
/// endpoint that came last, where `round-robin` drew it.
#[inline]
pub fn choose<T: Trace>(
    field: &Field<'_>,
    eligible: u64,
    doors: Option<Doors<'_>>,
    drawing: &Drawing<'_>,
    chosen: &mut Chosen,
    trace: &mut T,
) -> Option<u64> {
    let wanted = Wanted { answers: usize::from(field.policy.answers), turn: None };
    choose_some(field, eligible, doors, drawing, wanted, chosen, trace)
}

/// The same, for so many endpoints.
#[inline]
pub fn choose_some<T: Trace>(
    field: &Field<'_>,
    eligible: u64,
    doors: Option<Doors<'_>>,
    drawing: &Drawing<'_>,
    Wanted { answers, turn: from }: Wanted,
    chosen: &mut Chosen,
    trace: &mut T,
) -> Option<u64> {
    let policy = field.policy;
    let mut draw = Drawn { from, draw: None, had: None };
    let (mut left, mut band) = (eligible, field.rank(eligible, true, trace));
    while band != 0 && chosen.len() < answers {
        if policy.spread == Spread::All {
            let all = all_of(field, left, band, doors, drawing, trace);
            chosen.extend(members(all));
            if !chosen.is_empty() {
                break;
            }
            left &= !band;
            band = field.rank(left, false, trace);
            continue;
        }
        let n = draw_one(field, band, &mut draw, drawing, trace);
        let taking = match door(field, n, doors, drawing) {
            Door::Open => Some(n),
            Door::Slow { number, share } => {
                let named = chosen.iter().fold(0, |set, n| set | 1 << n);
                let region = in_region_of(field, n);
                // Where the region is named already it is not named a second time for what gives way.
                let others = if region & named == 0 { left & region & !spent(field, named) } else { 0 };
                let instead = in_its_stead(field, n, others, doors, &mut draw, drawing, trace);
                if region & named != 0 || instead.is_some() {
                    trace.note(|| Step::Refused { endpoint: field.id(n), number, admission: share });
                    left &= !(1 << n);
                    band &= !(1 << n);
                }
                if region & named == 0 { Some(instead.unwrap_or(n)) } else { None }
            }
            Door::Shut { number, share } => {
                trace.note(|| Step::Refused { endpoint: field.id(n), number, admission: share });
                left &= !(1 << n);
                band &= !(1 << n);
                if band == 0 && chosen.is_empty() {
                    band = field.rank(left, false, trace);
                }
                None
            }
        };
        if let Some(n) = taking {
            chosen.push(n);
            if answers == 1 {
                break;
            }
            band &= !field.table.mates(n, policy.distinct);
        }
    }
    draw.had
}

/// What is drawn for one choice.
#[derive(Debug)]
struct Drawn {
    /// The turn to begin with, where another one than the slot's is wanted.
    from: Option<u64>,
    draw: Option<Draw>,
    /// The turn of the endpoint that came last, where there was one.
    had: Option<u64>,
}

/// One endpoint of a band.
#[inline]
fn draw_one<T: Trace>(field: &Field<'_>, band: u64, drawn: &mut Drawn, drawing: &Drawing<'_>, trace: &mut T) -> u8 {
    if band.is_power_of_two() {
        return band.trailing_zeros() as u8; // nothing to draw
    }
    let spread = field.policy.spread;
    let draw = drawn.draw.get_or_insert_with(|| first_draw(spread, drawing, drawn.from));
    let n = match spread {
        Spread::Hash => rendezvous(field, band, draw.value),
        Spread::RoundRobin => {
            let (n, had) = in_turn(field, band, draw.value);
            drawn.had = Some(had);
            n
        }
        _ => laid_out(field, band, draw.value),
    };
    trace.note(|| Step::Drew { draw: draw.value, of: among(field, band, spread), slot: draw.slot });
    if !matches!(spread, Spread::Hash | Spread::RoundRobin) {
        draw.value = draw::splitmix(draw.value);
    }
    n
}

/// What takes a block that `n` does not take, since it starts slowly: the best of the others of its region that takes
/// it. None: `n` takes it all the same.
#[inline(never)]
fn in_its_stead<T: Trace>(
    field: &Field<'_>,
    n: u8,
    others: u64,
    doors: Option<Doors<'_>>,
    drawn: &mut Drawn,
    drawing: &Drawing<'_>,
    trace: &mut T,
) -> Option<u8> {
    let mut left = others & !(1 << n) & !held(field);
    let mut band = field.rank(left, false, trace);
    while band != 0 {
        let other = draw_one(field, band, drawn, drawing, trace);
        match door(field, other, doors, drawing) {
            Door::Open => return Some(other),
            Door::Slow { number, share } | Door::Shut { number, share } => {
                trace.note(|| Step::Refused { endpoint: field.id(other), number, admission: share });
            }
        }
        left &= !(1 << other);
        band &= !(1 << other);
        if band == 0 {
            band = field.rank(left, false, trace);
        }
    }
    None
}

/// Those of a band that take the block, and what starts slowly where its region has nothing else for it.
#[inline(never)]
fn all_of<T: Trace>(
    field: &Field<'_>,
    left: u64,
    band: u64,
    doors: Option<Doors<'_>>,
    drawing: &Drawing<'_>,
    trace: &mut T,
) -> u64 {
    let is_open = |n: &u8| matches!(door(field, *n, doors, drawing), Door::Open);
    let mut all = members(band).filter(is_open).fold(0, |set, n| set | 1 << n);
    for n in members(band & !all) {
        let (number, share, others) = match door(field, n, doors, drawing) {
            Door::Open => continue,
            Door::Shut { number, share } => (number, share, 0),
            Door::Slow { number, share } => {
                let region = left & in_region_of(field, n) & !held(field);
                let others = members(region).filter(is_open).fold(0, |set, n| set | 1 << n);
                if others == 0 {
                    all |= 1 << n;
                    continue;
                }
                (number, share, if others & band == 0 { field.rank(others, false, trace) } else { others & band })
            }
        };
        trace.note(|| Step::Refused { endpoint: field.id(n), number, admission: share });
        all |= others;
    }
    all
}

/// Puts one of all that are named first, each as often as its weight says, by the query's own number; the others follow
/// it in turn.
#[inline(never)]
pub fn turn<T: Trace>(field: &Field<'_>, chosen: &mut Chosen, drawing: &Drawing<'_>, trace: &mut T) {
    if chosen.len() < 2 {
        return;
    }
    let (set, number) = (chosen.iter().fold(0, |set, n| set | 1 << n), drawing.chance.number());
    let first = laid_out(field, set, number);
    trace.note(|| Step::First { number, of: field.weight_of(set) });
    let at = chosen.iter().position(|n| *n == first).unwrap_or(0);
    chosen.rotate_left(at);
}

/// The endpoints that are up by the governor's hold alone: nothing more is left to them.
fn held(field: &Field<'_>) -> u64 {
    let (up, governed) = (field.row.up, field.row.governed);
    governed.any() & !(up.v4 & !governed.v4 | up.v6 & !governed.v6)
}

/// The endpoints of an endpoint's region.
fn in_region_of(field: &Field<'_>, n: u8) -> u64 {
    field.table.places().get(field.table.place_of(n)).map_or(0, |place| place.endpoints)
}

/// Those that may not be named any more beside what is named.
fn spent(field: &Field<'_>, named: u64) -> u64 {
    members(named).fold(0, |set, n| set | field.table.mates(n, field.policy.distinct))
}

/// What an endpoint that was drawn makes of the block, whose number lies above the share that it takes where it does not
/// take it.
#[derive(Clone, Copy, Debug)]
enum Door {
    /// It takes it.
    Open,
    /// It starts slowly: another one of its region takes it, if there is one.
    Slow { number: Admission, share: Admission },
    /// It does not: what comes next takes it.
    Shut { number: Admission, share: Admission },
}

#[inline]
fn door(field: &Field<'_>, n: u8, doors: Option<Doors<'_>>, drawing: &Drawing<'_>) -> Door {
    let Some(doors) = doors else { return Door::Open };
    let place = field.table.place_of(n);
    let assigned = doors.assignment.map_or(Admission::ALL, |a| a.share(doors.catchment, place));
    let row = field.row_of(n);
    if row.admission.is_all() && row.warmth.is_all() && assigned.is_all() {
        return Door::Open;
    }
    let admission = assigned.of(row.admission);
    let warm = row.warmth.of(admission);
    let number = draw::admission(drawing.of_block(), field.table.places().get(place).map_or(0, |place| place.key));
    match () {
        () if number < warm => Door::Open,
        () if number < admission => Door::Slow { number, share: warm },
        () => Door::Shut { number, share: admission },
    }
}

#[derive(Debug)]
struct Draw {
    value: u64,
    slot: Option<u64>,
}

fn first_draw(spread: Spread, drawing: &Drawing<'_>, turn: Option<u64>) -> Draw {
    if let (Spread::RoundRobin, Some(turn)) = (spread, turn) {
        return Draw { value: turn, slot: None };
    }
    if let Some(value) = drawing.chance.draw {
        return Draw { value, slot: None };
    }
    if spread == Spread::Random {
        return Draw { value: drawing.chance.random, slot: None };
    }
    let block = drawing.of_block();
    let slot = || draw::slot(block, drawing.chance.now, drawing.slot);
    match spread {
        Spread::Hash => Draw { value: block, slot: None },
        // From the block's own start, so that blocks do not walk in step.
        Spread::RoundRobin => {
            let slot = slot();
            Draw { value: slot.wrapping_add(block >> 24), slot: Some(slot) }
        }
        _ => {
            let slot = slot();
            Draw { value: draw::in_slot(block, slot), slot: Some(slot) }
        }
    }
}

/// What a draw is taken among, for the trace.
fn among(field: &Field<'_>, band: u64, spread: Spread) -> u64 {
    if spread == Spread::Hash { 0 } else { field.weight_of(band) }
}

/// The region by rendezvous over its endpoints' weights, then the endpoint in it.
fn rendezvous(field: &Field<'_>, band: u64, seed: u64) -> u8 {
    let mut best: Option<(Score, u64)> = None;
    for place in field.table.places() {
        let here = band & place.endpoints;
        if here != 0 {
            let score = Score::new(seed, place.key, field.weight_of(here));
            if best.is_none_or(|(leader, _)| score.beats(leader)) {
                best = Some((score, here));
            }
        }
    }
    let here = best.map_or(band, |(_, here)| here);
    let mut winner: Option<(Score, u8)> = None;
    for n in members(here).filter(|_| !here.is_power_of_two()) {
        let score = Score::new(seed, field.table.key(n), field.weight(n));
        if winner.is_none_or(|(leader, _)| score.beats(leader)) {
            winner = Some((score, n));
        }
    }
    winner.map_or(here.trailing_zeros() as u8, |(_, n)| n)
}

/// The weights laid end to end, region by region and in name order; the draw falls into one of them.
fn laid_out(field: &Field<'_>, band: u64, draw: u64) -> u8 {
    let mut rest = draw % field.weight_of(band).max(1);
    for place in field.table.places() {
        for n in members(band & place.endpoints) {
            match rest.checked_sub(field.weight(n)) {
                Some(less) => rest = less,
                None => return n,
            }
        }
    }
    band.trailing_zeros() as u8
}

/// The smooth schedule of the regions at a position, and in the region whose turn it is that of its endpoints, at the
/// turns that it has had: in as many slots as the weights sum up to each endpoint comes up exactly its weight. With the
/// turns that the endpoint has had.
fn in_turn(field: &Field<'_>, band: u64, at: u64) -> (u8, u64) {
    let places = || field.table.places().iter().map(|place| band & place.endpoints).filter(|here| *here != 0);
    let weights: ArrayVec<u64, 64> = places().map(|here| field.weight_of(here)).collect();
    let (place, turns) = draw::turn(&weights, at);
    let here = places().nth(place).unwrap_or(band);
    let weights: ArrayVec<u64, 64> = members(here).map(|n| field.weight(n)).collect();
    let (winner, had) = draw::turn(&weights, turns);
    (members(here).nth(winner).unwrap_or(here.trailing_zeros() as u8), had)
}
