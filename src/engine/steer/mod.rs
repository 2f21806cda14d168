//! THE HEART: who is eligible, how they rank, which the draw picks, and why. Must not know DNS messages, time,
//! randomness or the configuration's format. Takes parts, never the Snapshot.
//!
//! `decide` is the ladder: pools in fallback order, then `when_all_down`. In each pool: eligible → rank → spread.

pub mod draw;
pub mod eligible;
pub mod locate;
pub mod policy;
pub mod row;
pub mod spread;
pub mod table;
pub mod trace;

use eligible::{Belief, Gate};
use locate::Client;
use policy::{Endpoint, Fallback, Key, Policy, Pool, Service};
use row::{EndpointRow, PoolRow, members};
use spread::{Chosen, Drawing};
use table::PoolTable;
use trace::{Rung, Step, Trace, TtlFrom};

use super::{
    geo::{Estimator, Ground, Map},
    types::{Chance, EndpointId, PoolId},
};

/// What a decision reads.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'s> {
    /// All pools.
    pub pools: &'s [Pool],
    /// Their tables.
    pub tables: &'s [PoolTable],
    /// Their live rows.
    pub rows: &'s [PoolRow],
    /// All policies.
    pub policies: &'s [Policy],
    /// All maps.
    pub maps: &'s [Map],
    /// What the maps were compiled from, for the trace.
    pub ground: Ground<'s>,
    /// All endpoints.
    pub endpoints: &'s [Endpoint],
    /// The endpoints' live rows.
    pub live: &'s [EndpointRow],
}

/// What was decided for a name, whatever the type.
#[derive(Clone, Debug)]
pub struct Decision {
    /// What is answered.
    pub verdict: Verdict,
    /// The TTL in seconds.
    pub ttl: u32,
    /// How far down the ladder.
    pub rung: Rung,
}

/// What is answered.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// These endpoints of this pool; `living`: only their families that are not known to be dead.
    Endpoints {
        /// The pool.
        pool: PoolId,
        /// Positions in the pool, in the order of the reply.
        chosen: Chosen,
        /// Whether a family that is known to be dead is withheld.
        living: bool,
    },
    /// The addresses that `when_all_down` lists.
    Listed,
    /// Nothing, as `when_all_down` says.
    NoData,
    /// A failure, as `when_all_down` says.
    ServFail,
}

/// Decides which endpoints a client of a service gets.
pub fn decide<T: Trace>(
    parts: &Parts<'_>,
    service: &Service,
    seed: &draw::Seed,
    client: &Client,
    chance: Chance,
    trace: &mut T,
) -> Decision {
    let drawing = Drawing { seed, block: client.block, slot: u64::from(service.ttl_max) * 1000, chance };
    let mut calm = Calm { change_in: u32::MAX, guess: false };
    for &id in &service.pools {
        if let Some(chosen) = from_pool(parts, id, Belief::Measured, client, &drawing, &mut calm, trace) {
            trace.note(|| Step::Rung(Rung::Preferred));
            let ttl = calm.ttl(service, trace);
            let verdict = Verdict::Endpoints { pool: id, chosen, living: true };
            return Decision { verdict, ttl, rung: Rung::Preferred };
        }
        trace.note(|| Step::PassedOver(id));
    }
    trace.note(|| Step::Rung(Rung::AllDown));
    let verdict = all_down(parts, service, client, &drawing, trace);
    trace.note(|| Step::Ttl(service.ttl_min, TtlFrom::Uncertain));
    Decision { verdict, ttl: service.ttl_min, rung: Rung::AllDown }
}

/// The last rung.
fn all_down<T: Trace>(
    parts: &Parts<'_>,
    service: &Service,
    client: &Client,
    drawing: &Drawing<'_>,
    trace: &mut T,
) -> Verdict {
    match &service.when_all_down {
        Fallback::IgnoreHealth => {
            let mut calm = Calm { change_in: u32::MAX, guess: true };
            for &id in &service.pools {
                if let Some(chosen) = from_pool(parts, id, Belief::Ignored, client, drawing, &mut calm, trace) {
                    return Verdict::Endpoints { pool: id, chosen, living: false };
                }
            }
            Verdict::ServFail // only weights of 0 remain, which are never lifted
        }
        Fallback::ServeAll => {
            for &id in &service.pools {
                let all = parts.tables.get(id.at()).map_or(0, |t| t.weighted);
                if all != 0 {
                    let first = parts.pools.get(id.at()).map_or(0, |p| p.first.0);
                    members(all).for_each(|n| trace.note(|| Step::Chosen(EndpointId(first + u32::from(n)))));
                    return Verdict::Endpoints { pool: id, chosen: members(all).collect(), living: false };
                }
            }
            Verdict::ServFail
        }
        Fallback::NoData => Verdict::NoData,
        Fallback::ServFail | Fallback::Refused | Fallback::LastKnown | Fallback::Cname(_) => Verdict::ServFail,
        Fallback::Addresses(_) => Verdict::Listed,
    }
}

/// One pool: eligible → rank → spread. None when nobody in it may answer.
fn from_pool<T: Trace>(
    parts: &Parts<'_>,
    id: PoolId,
    belief: Belief,
    client: &Client,
    drawing: &Drawing<'_>,
    calm: &mut Calm,
    trace: &mut T,
) -> Option<Chosen> {
    let (pool, table, row) = (parts.pools.get(id.at())?, parts.tables.get(id.at())?, parts.rows.get(id.at())?);
    let policy = parts.policies.get(pool.policy.at())?;
    trace.note(|| Step::Pool(id));
    let endpoint = |n: u8| EndpointId(pool.first.0 + u32::from(n));
    let gate = Gate::new(row, table.weighted, belief);
    for n in (0..pool.count).filter(|_| T::ON) {
        trace.note(|| Step::Candidate(endpoint(n), gate.verdict(n)));
    }
    let up = row.up[0] | row.up[1];
    let rising = (row.rising[0] | row.rising[1]) & !up;
    calm.wait_for(rising & table.weighted, endpoint, parts.live);
    let eligible = gate.set();
    if eligible == 0 {
        return None;
    }
    let band = rank(parts, pool, table, policy, eligible, client, trace);
    let chosen = spread::choose(table, band, policy.spread, policy.answers, drawing, trace);
    let picked = chosen.iter().fold(0u64, |set, n| set | 1 << n);
    calm.wait_for((row.falling[0] | row.falling[1]) & picked, endpoint, parts.live);
    calm.guess |= gate.is_guess();
    for &n in &chosen {
        trace.note(|| Step::Chosen(endpoint(n)));
    }
    Some(chosen)
}

/// The best band: each key in turn leaves those within its tolerance of the best.
fn rank<T: Trace>(
    parts: &Parts<'_>,
    pool: &Pool,
    table: &PoolTable,
    policy: &Policy,
    eligible: u64,
    client: &Client,
    trace: &mut T,
) -> u64 {
    let map = pool.map.and_then(|id| Some((id, parts.maps.get(id.at())?)));
    let piece = map.map(|(id, map)| (id, map, map.find(client.prefix)));
    if let Some((id, _, piece)) = piece {
        trace.note(|| Step::Catchment(id, piece.catchment, piece.prefix));
    }
    let mut band = eligible;
    let mut geo_key = 0;
    for &(key, _) in &policy.prefer {
        let before = band;
        band = match (key, piece) {
            (Key::Order, _) => table.first_in_order(band),
            (Key::Rtt | Key::Distance | Key::Geo, Some((_, map, piece))) => {
                let regions = map.best(piece.catchment, geo_key, table.rule_regions(band));
                geo_key += 1;
                table.in_rule_regions(band, regions)
            }
            (Key::Rtt | Key::Distance | Key::Geo, None) | (Key::Load | Key::Response, _) => band,
        };
        for n in members(before).filter(|_| T::ON) {
            trace.note(|| Step::Ranked {
                key,
                endpoint: EndpointId(pool.first.0 + u32::from(n)),
                value: value(parts, table, key, n, EndpointId(pool.first.0 + u32::from(n)), client),
                kept: band >> n & 1 == 1,
            });
        }
    }
    band
}

/// The number behind an endpoint's place in a band, from the same estimate that the maps were compiled from.
fn value(parts: &Parts<'_>, table: &PoolTable, key: Key, n: u8, id: EndpointId, client: &Client) -> u32 {
    let estimate = || {
        let region = parts.endpoints.get(id.at())?.region;
        let facts = parts.ground.atlas.find(client.prefix).facts;
        Estimator::new(&parts.ground).row(&facts, &[region]).pop()
    };
    match key {
        Key::Order => table.order(n),
        Key::Rtt => estimate().map_or(u32::MAX, |e| e.rtt),
        Key::Distance => estimate().map_or(u32::MAX, |e| e.km),
        Key::Geo | Key::Load | Key::Response => u32::MAX,
    }
}

/// How long what a decision rests on cannot change.
struct Calm {
    change_in: u32,
    guess: bool,
}

impl Calm {
    fn wait_for(&mut self, moving: u64, id: impl Fn(u8) -> EndpointId, live: &[EndpointRow]) {
        for n in members(moving) {
            self.change_in = self.change_in.min(live.get(id(n).at()).map_or(u32::MAX, |row| row.change_in));
        }
    }

    fn ttl<T: Trace>(&self, service: &Service, trace: &mut T) -> u32 {
        let (ttl, from) = match self.change_in {
            _ if self.guess => (service.ttl_min, TtlFrom::Uncertain),
            u32::MAX => (service.ttl_max, TtlFrom::Calm),
            wait => ((wait / 1000).clamp(service.ttl_min, service.ttl_max), TtlFrom::ChangeIn(wait)),
        };
        trace.note(|| Step::Ttl(ttl, from));
        ttl
    }
}
