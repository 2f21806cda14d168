//! From what is known of addresses to catchments: each class of facts that a rule tells apart gets its row, and classes
//! whose rows are alike are one catchment. Must not know where in the address space they lie.

use super::{
    Coordinates, Estimate, Estimator, Facts, GeoKey, Ground, How, Location, PLACE, Preferences, Rule, Whose,
    atlas::{Atlas, Layer},
    estimate::measured_as,
    marks::Numbers,
    ranking::{Rows, Shape},
    select::{Fences, Selectors, places},
    trie::extent,
};
use crate::engine::{geo::Limits, types::Family};

/// What a leaf of a map says: the catchment, and whether it is a block of its own that says nothing of the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Leaf(pub(super) u32);

impl Leaf {
    /// Special-purpose and embedding blocks: never joined with a neighbour.
    const FENCED: u32 = 1 << 30;
    /// Fenced, and kept however coarse the map is cut.
    const PINNED: u32 = 1 << 29;
    /// No cell: nothing is said here.
    pub(super) const NONE: Self = Self(u32::MAX >> 1);

    #[inline]
    pub(super) fn fenced(self) -> bool {
        self.0 & Self::FENCED != 0
    }

    pub(super) fn pinned(self) -> bool {
        self.0 & Self::PINNED != 0
    }

    #[inline]
    pub(super) fn catchment(self) -> u32 {
        self.0 & !(Self::FENCED | Self::PINNED)
    }
}

/// Catchments, and who is of which.
pub(super) struct Classes {
    /// For each entry of the atlas its cell.
    pub(super) cells: Vec<Leaf>,
    /// For each entry of the resolvers' atlas the catchment of the clients behind it.
    pub(super) behind: Vec<u32>,
    /// The catchments' rows. The first is that of clients of whom nothing is known.
    pub(super) rows: Rows,
}

/// The facts of a client that a rule tells apart, and no others, so that few rows are made of many locations. The place
/// from which distances are reckoned, who is measured, which geo rule holds and which fences keep the client out.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Class {
    point: Option<Coordinates>,
    measured: Vec<Whose>,
    preferred: Option<usize>,
    denied: u64,
}

/// A class that was met: its catchment, and what decides for that one beyond `depth` if this class covers most of it.
struct Met {
    catchment: u32,
    costs: Vec<u8>,
    /// Whether a time or a distance is expected of it, where the rule goes by one.
    located: bool,
    /// Whether any address is of it: what one source says may have been replaced everywhere.
    used: bool,
    /// How much of the address space is of it.
    extent: u128,
}

impl Classes {
    pub(super) fn of(ground: &Ground<'_>, rule: &Rule, shape: &Shape) -> Self {
        let estimator = Estimator::new(ground);
        let (mut rows, mut met) = (Rows::default(), Vec::new());
        let mut numbers = Numbers::default();
        let mut of = |reading: &RuleReading<'_>, facts: &Facts<'_>| -> u32 {
            *numbers.entry(reading.class(facts)).or_insert_with(|| {
                met.push(reading.meet(facts, &estimator, shape, &mut rows));
                (met.len() - 1) as u32
            })
        };
        let known = RuleReading::new(ground, ground.atlas, rule);
        let nowhere = of(&known, &ground.atlas.unknown());
        let class = |entry| match ground.atlas.kind(entry) {
            Layer::Ordinary => of(&known, &ground.atlas.facts(entry)),
            Layer::Special(_) | Layer::Embedding(_) => nowhere,
        };
        let classes: Vec<u32> = (0..ground.atlas.entries()).map(class).collect();
        let resolvers = RuleReading::new(ground, ground.resolvers, rule);
        let behind = |entry| match ground.resolvers.known(entry) {
            Some(_) => of(&resolvers, &ground.resolvers.facts(entry)),
            None => nowhere, // the sender is looked up like any other client
        };
        let behind: Vec<u32> = (0..ground.resolvers.entries()).map(behind).collect();

        if shape.width > 0 {
            for family in Family::BOTH {
                let trie = ground.atlas.trie(family);
                trie.leaves(trie.root(), 0, 0, &mut |entry, _, depth| {
                    if ground.atlas.kind(entry) == Layer::Ordinary {
                        let met: &mut Met = &mut met[classes[entry as usize] as usize];
                        (met.used, met.extent) = (true, met.extent.saturating_add(extent(depth)));
                    }
                });
                let trie = ground.resolvers.trie(family);
                trie.leaves(trie.root(), 0, 0, &mut |entry, _, _| met[behind[entry as usize] as usize].used = true);
            }
            rows.keep_costs(representatives(&met, rows.len()).into_iter().map(|met| met.costs.as_slice()));
        }
        let cell = |(entry, class): (u32, &u32)| {
            let catchment = met[*class as usize].catchment;
            Leaf(match ground.atlas.kind(entry) {
                kind if kind.is_pinned() => catchment | Leaf::FENCED | Leaf::PINNED,
                Layer::Special(_) | Layer::Embedding(_) => catchment | Leaf::FENCED,
                Layer::Ordinary => catchment,
            })
        };
        let cells = (0..).zip(&classes).map(cell).collect();
        let behind = behind.into_iter().map(|class| met[class as usize].catchment).collect();
        Self { cells, behind, rows }
    }
}

/// For each catchment a class with the cost row that holds for most of it; of equal ones the first. Where a time or a
/// distance decides, classes of which none is expected count only where there is no other: one region is as good as
/// another for them.
fn representatives(met: &[Met], catchments: usize) -> Vec<&Met> {
    let mut alike: Vec<(&Met, u128)> = Vec::new();
    let mut known = Numbers::default();
    for met in met {
        let at = *known.entry((met.catchment, met.costs.as_slice(), met.located, met.used)).or_insert_with(|| {
            alike.push((met, 0));
            alike.len() - 1
        });
        alike[at].1 = alike[at].1.saturating_add(met.extent);
    }
    let mut first: Vec<Option<(&Met, u128)>> = vec![None; catchments];
    for (met, extent) in alike {
        let slot = &mut first[met.catchment as usize];
        if slot.is_none_or(|(known, most)| (met.used, met.located, extent) > (known.used, known.located, most)) {
            *slot = Some((met, extent));
        }
    }
    // Every catchment was numbered for a class.
    first.into_iter().flatten().map(|(met, _)| met).collect()
}

/// A rule as it is read for the clients of one atlas.
struct RuleReading<'a> {
    ground: &'a Ground<'a>,
    rule: &'a Rule,
    fences: Option<Fences>,
    preferences: Option<(&'a Preferences, Selectors<usize>)>,
    by_rtt: bool,
    by_place: bool,
}

impl<'a> RuleReading<'a> {
    fn new(ground: &'a Ground<'a>, atlas: &Atlas, rule: &'a Rule) -> Self {
        let uses = |key: GeoKey| rule.keys.iter().any(|(used, _)| *used == key);
        let by_rtt = uses(GeoKey::Rtt) || rule.limits.rtt.is_some();
        let preferences = rule.preferences.as_deref().filter(|_| uses(GeoKey::Geo));
        Self {
            ground,
            rule,
            fences: (!rule.fences.is_empty()).then(|| Fences::new(&rule.fences, atlas.marks())),
            preferences: preferences.map(|preferences| (preferences, preferences.index(atlas.marks()))),
            by_rtt,
            by_place: by_rtt || uses(GeoKey::Distance) || rule.limits.distance.is_some(),
        }
    }

    fn preferred(&self, facts: &Facts<'_>) -> Option<usize> {
        self.preferences.as_ref().and_then(|(preferences, index)| preferences.chosen(index, facts))
    }

    fn denied(&self, facts: &Facts<'_>) -> u64 {
        self.fences.as_ref().map_or(0, |fences| fences.against(facts))
    }

    fn class(&self, facts: &Facts<'_>) -> Class {
        let point = facts.location.filter(|_| self.by_place).and_then(Location::point);
        let is_measured = |whose: &Whose| !self.ground.measures.of(*whose).is_empty();
        Class {
            point: point.map(|(point, _)| point),
            measured: match self.by_rtt {
                true => measured_as(self.ground, facts).filter(is_measured).collect(),
                false => Vec::new(),
            },
            preferred: self.preferred(facts),
            denied: self.denied(facts),
        }
    }

    /// A class that is met for the first time: clients with these facts.
    fn meet(&self, facts: &Facts<'_>, estimator: &Estimator<'_>, shape: &Shape, rows: &mut Rows) -> Met {
        let (row, values, within) = self.values(facts, estimator);
        let is_known = |of: &Estimate| of.km.0 < PLACE || self.by_rtt && matches!(of.how, How::Measured(..));
        Met {
            catchment: rows.number(shape, self.rule, &values, self.denied(facts), within),
            costs: shape.costs(self.rule, &values, self.ground.model),
            located: row.iter().any(is_known),
            used: false,
            extent: 0,
        }
    }

    /// The estimates for clients with these facts, the values by key and region, and the regions within the limits.
    fn values(&self, facts: &Facts<'_>, estimator: &Estimator<'_>) -> (Vec<Estimate>, Vec<Vec<u32>>, u64) {
        let rule = self.rule;
        let row = if self.by_place { estimator.row(facts, &rule.regions) } else { Vec::new() };
        let of_row = |value: fn(&Estimate) -> u32| row.iter().map(value).collect();
        let value = |key: &(GeoKey, u32)| match (key.0, &self.preferences) {
            (GeoKey::Rtt, _) => of_row(|estimate| estimate.rtt.0),
            (GeoKey::Distance, _) => of_row(|estimate| estimate.km.0),
            (GeoKey::Geo, Some((preferences, _))) => places(preferences.order(self.preferred(facts)), &rule.regions),
            (GeoKey::Geo, None) => vec![0; rule.regions.len()],
        };
        let values: Vec<Vec<u32>> = rule.keys.iter().map(value).collect();
        let beyond = |(at, estimate): (usize, &Estimate)| u64::from(!estimate.is_within(rule.limits)) << at;
        let within = match rule.limits {
            Limits { rtt: None, distance: None } => u64::MAX,
            _ => !row.iter().enumerate().map(beyond).fold(0, |set, bit| set | bit),
        };
        (row, values, within)
    }
}

/// Whether clients with these facts, of the ground's atlas, are of a catchment. Slow: for people.
pub(super) fn is_of(
    ground: &Ground<'_>,
    (rule, shape, rows): (&Rule, &Shape, &Rows),
    facts: &Facts<'_>,
    catchment: u32,
) -> bool {
    let reading = RuleReading::new(ground, ground.atlas, rule);
    let (_, values, within) = reading.values(facts, &Estimator::new(ground));
    rows.is(catchment, shape, rule, &values, reading.denied(facts), within)
}
