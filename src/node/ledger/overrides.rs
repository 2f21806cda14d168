//! What operators have said and what it makes of an endpoint. Kept by name, so that it outlives a reload. Must not know
//! health or load.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{members::members, ramp};
use crate::{
    engine::{
        entries,
        types::{At, Millis, PoolId},
        units::{Admission, Permille},
        world::World,
    },
    node::{
        change::{Change, Fate, Told},
        overrides::{Act, Kind, Override, Scope},
    },
};

/// What was said, and what became of it so far.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Said {
    word: Override,
    /// When a timed drain starts to move clients: the caches hold no uncut answer from then on.
    from: At,
    /// How much of it the drain before it had done by then.
    ahead: Millis,
    phase: Phase,
}

/// How far a drain is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Phase {
    Waiting,
    Moving,
    Done,
}

/// All that operators have said, at most one word of a kind for each scope.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Words(#[serde(with = "entries")] BTreeMap<(Scope, Kind), Said>);

/// What the words make of one endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Effect {
    /// How much of the configured weight.
    pub(super) weight: Permille,
    /// Forced up, or down.
    pub(super) force: Option<bool>,
    /// What drains and sheds leave.
    pub(super) admission: Admission,
    /// A drain is done.
    pub(super) drained: bool,
    /// When any of it changes by itself.
    pub(super) next: Option<At>,
}

/// An endpoint by its names.
#[derive(Clone, Copy, Debug)]
pub(super) struct Named<'a> {
    pub(super) region: &'a str,
    pub(super) pool: &'a str,
    pub(super) endpoint: &'a str,
}

impl Scope {
    pub(super) fn is(&self, named: Named<'_>) -> bool {
        match self {
            Self::Region(region) => **region == *named.region,
            Self::Pool(pool) => **pool == *named.pool,
            Self::Endpoint(pool, endpoint) => **pool == *named.pool && **endpoint == *named.endpoint,
        }
    }

    /// Whether the configuration knows the name.
    pub(super) fn is_in(&self, world: &World) -> bool {
        match self {
            Self::Region(region) => world.regions.iter().any(|r| r.name == *region),
            Self::Pool(pool) => world.pools.iter().any(|p| p.name == *pool),
            Self::Endpoint(..) => (0..world.pools.len()).any(|id| self.touches(world, PoolId(id as u32))),
        }
    }

    /// Whether it is about an endpoint of this pool.
    pub(super) fn touches(&self, world: &World, id: PoolId) -> bool {
        members(&world.pools[id.at()])
            .any(|(.., endpoint)| self.is(Named::of(world, &world.pools[id.at()].name, endpoint)))
    }

    /// How narrow it is: the narrower word decides.
    fn rank(&self) -> u8 {
        match self {
            Self::Region(_) => 0,
            Self::Pool(_) => 1,
            Self::Endpoint(..) => 2,
        }
    }
}

impl Said {
    /// The share of blocks that it sends away, and when that changes by itself.
    fn away(&self, now: At) -> (Admission, Option<At>) {
        match self.word.act {
            Act::Drain(over) => {
                let gone = self.gone(now);
                let next = ramp::next(gone, over).map(|gone| self.moment(gone));
                (ramp::parts(ramp::taken(gone, over)), next)
            }
            Act::Shed(parts) => (parts.admission(), None),
            Act::ForceUp | Act::ForceDown | Act::Weight(_) => (Admission::NONE, None),
        }
    }

    /// How much of a drain is done.
    fn gone(&self, now: At) -> Millis {
        now.since(self.from).plus(self.ahead)
    }

    /// As much of a drain that takes `to` as this one has done of its own.
    fn stretched(&self, now: At, to: Millis) -> Millis {
        match self.word.act {
            Act::Drain(over) if !over.is_zero() => {
                let gone = u128::from(self.gone(now).min(over).0) * u128::from(to.0) / u128::from(over.0);
                Millis(gone as u64)
            }
            _ => to,
        }
    }

    /// When so much is.
    fn moment(&self, gone: Millis) -> At {
        self.from.plus(gone.minus(self.ahead))
    }

    fn phase(&self, now: At) -> Phase {
        match self.word.act {
            Act::Drain(over) if self.gone(now) >= over => Phase::Done,
            Act::Drain(_) if now < self.from => Phase::Waiting,
            _ => Phase::Moving,
        }
    }

    /// The next moment at which there is something to tell.
    fn next(&self) -> Option<At> {
        let turn = match (self.word.act, self.phase) {
            (Act::Drain(_), Phase::Waiting) => Some(self.from),
            (Act::Drain(over), Phase::Moving) => Some(self.moment(over)),
            _ => None,
        };
        turn.into_iter().chain(self.word.until).min()
    }

    /// Whether it moves clients in parts.
    fn is_parting(&self, now: At) -> bool {
        match self.word.act {
            Act::Drain(_) => self.phase(now) != Phase::Done,
            Act::Shed(parts) => (Permille(1)..Permille::WHOLE).contains(&parts),
            Act::ForceUp | Act::ForceDown | Act::Weight(_) => false,
        }
    }
}

impl Words {
    /// Takes a word, or says why not. `wait`: how long caches may hold answers that are not cut as a timed drain wants.
    pub(super) fn take(&mut self, now: At, word: Override, wait: Millis, world: &World) -> Change {
        let refused = if !word.scope.is_in(world) {
            Some("nobody is called so")
        } else if word.until.is_some_and(|until| until <= now) {
            Some("its time is over already")
        } else if matches!(word.act, Act::Shed(parts) if parts > Permille::WHOLE) {
            Some("nobody can shed more than all")
        } else {
            None
        };
        if let Some(why) = refused {
            return told(word, now, Fate::Refused(why.into()));
        }
        let key = (word.scope.clone(), word.act.kind());
        let before = self.0.remove(&key);
        // Another word about a drain under way goes on where that one is: no client comes back to leave again.
        let (from, ahead) = match (word.act, &before) {
            (Act::Drain(over), Some(said)) => (said.from.max(now), said.stretched(now, over)),
            (Act::Drain(over), None) if !over.is_zero() => (now.plus(wait), Millis::ZERO),
            _ => (now, Millis::ZERO),
        };
        let mut said = Said { word: word.clone(), from, ahead, phase: Phase::Waiting };
        said.phase = said.phase(now);
        let fate = Fate::Taken {
            instead_of: before.map(|said| said.word.author),
            begins_in: if said.phase == Phase::Waiting { from.since(now) } else { Millis::ZERO },
        };
        self.0.insert(key, said);
        told(word, now, fate)
    }

    /// Takes back what was said of these endpoints.
    pub(super) fn lift(&mut self, now: At, scope: &Scope) -> Vec<Change> {
        let (lifted, kept) = std::mem::take(&mut self.0).into_iter().partition(|((of, _), _)| of == scope);
        self.0 = kept;
        let lifted: BTreeMap<_, Said> = lifted;
        if lifted.is_empty() {
            return vec![Change::NothingToLift(scope.clone())];
        }
        lifted.into_values().map(|said| told(said.word, now, Fate::Lifted)).collect()
    }

    /// Lets time pass: what expires, and which drains begin or are done.
    pub(super) fn pass(&mut self, now: At) -> Vec<Change> {
        let mut changes = Vec::new();
        self.0.retain(|_, said| {
            let over = said.word.until.is_some_and(|until| until <= now);
            if over {
                changes.push(told(said.word.clone(), now, Fate::Expired));
            }
            !over
        });
        for said in self.0.values_mut() {
            let phase = said.phase(now);
            if phase != said.phase {
                said.phase = phase;
                let fate = if phase == Phase::Done { Fate::Done } else { Fate::Begun };
                changes.push(told(said.word.clone(), now, fate));
            }
        }
        changes
    }

    /// The words about endpoints that this configuration does not have.
    pub(super) fn idle(&self, now: At, world: &World) -> Vec<Change> {
        let idle = self.0.values().filter(|said| !said.word.scope.is_in(world));
        idle.map(|said| told(said.word.clone(), now, Fate::Kept)).collect()
    }

    /// The next moment at which there is something to tell.
    pub(super) fn next(&self) -> Option<At> {
        self.0.values().filter_map(Said::next).min()
    }

    /// What they make of an endpoint. Of several, the narrower one decides weight and force; drains and sheds multiply.
    pub(super) fn effect(&self, now: At, named: Named<'_>) -> Effect {
        let mut effect =
            Effect { weight: Permille::WHOLE, force: None, admission: Admission::ALL, drained: false, next: None };
        let (mut weight, mut force) = (None, None);
        for ((scope, _), said) in self.0.iter().filter(|((scope, _), _)| scope.is(named)) {
            let (away, next) = said.away(now);
            effect.admission = away.rest().of(effect.admission);
            effect.next = effect.next.into_iter().chain(next).chain(said.word.until).min();
            let rank = Some(scope.rank());
            match said.word.act {
                Act::Weight(parts) if rank > weight => (weight, effect.weight) = (rank, parts),
                Act::ForceUp if rank > force => (force, effect.force) = (rank, Some(true)),
                Act::ForceDown if rank > force => (force, effect.force) = (rank, Some(false)),
                Act::Drain(_) => effect.drained |= said.phase(now) == Phase::Done,
                _ => {}
            }
        }
        effect
    }

    /// Those who are moved in parts by a word, so that blocks must be as fine as parts are.
    pub(super) fn parted(&self, now: At) -> impl Iterator<Item = &Scope> {
        self.0.values().filter(move |said| said.is_parting(now)).map(|said| &said.word.scope)
    }

    /// All of them.
    pub(super) fn all(&self) -> impl Iterator<Item = &Override> {
        self.0.values().map(|said| &said.word)
    }
}

fn told(word: Override, now: At, fate: Fate) -> Change {
    let left = word.until.map(|until| until.since(now));
    Change::Override(Box::new(Told { word, left, fate }))
}
