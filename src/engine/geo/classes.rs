//! From what is known of addresses to catchments: each class of facts that a rule tells apart gets its row, and classes
//! whose rows are alike are one catchment. Must not know where in the address space they lie.

use super::{
    Coordinates, Cuts, Estimate, Estimator, Facts, GeoKey, Ground, Location, Preferences, Rule, Whose,
    atlas::{Atlas, Kind, Table},
    estimate::measured_as,
    ranking::{Rows, Shape},
    select::{Fences, Index, places},
    special::SPECIAL,
};

/// What a leaf of a map says: the catchment, and whether it is a block of its own that says nothing of the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Cell(pub(super) u32);

impl Cell {
    /// Special-purpose and embedding blocks: never joined with a neighbour.
    const FENCED: u32 = 1 << 30;
    /// Fenced, and kept however coarse the map is cut.
    const PINNED: u32 = 1 << 29;

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
    pub(super) cells: Vec<Cell>,
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

impl Classes {
    pub(super) fn of(ground: &Ground<'_>, rule: &Rule, shape: &Shape) -> Self {
        let estimator = Estimator::new(ground);
        let mut rows = Rows::default();
        let known = Reading::new(ground, ground.atlas, rule);
        let nowhere = known.number(&Facts::nobody(ground.atlas), &estimator, shape, &mut rows);
        let mut classes = Table::default();
        let mut of = |reading: &Reading<'_>, facts: &Facts<'_>| {
            let class = reading.class(facts);
            match classes.get(&class) {
                Some(number) => *number,
                None => {
                    let number = reading.number(facts, &estimator, shape, &mut rows);
                    classes.insert(class, number);
                    number
                }
            }
        };
        let cell = |entry| {
            Cell(match ground.atlas.kind(entry) {
                Kind::Embedding(_) => nowhere | Cell::FENCED | Cell::PINNED,
                Kind::Special(n) if pinned(n) => nowhere | Cell::FENCED | Cell::PINNED,
                Kind::Special(_) => nowhere | Cell::FENCED,
                Kind::Ordinary => of(&known, &ground.atlas.facts(entry)),
            })
        };
        let cells = (0..ground.atlas.entries()).map(cell).collect();
        let resolvers = Reading::new(ground, ground.resolvers, rule);
        let behind = |entry| match ground.resolvers.kind(entry) {
            Kind::Ordinary => of(&resolvers, &ground.resolvers.facts(entry)),
            Kind::Special(_) | Kind::Embedding(_) => nowhere,
        };
        let behind = (0..ground.resolvers.entries()).map(behind).collect();
        Self { cells, behind, rows }
    }
}

/// Special-purpose blocks so small that even the default cuts would swallow them (`::`, `::1`, 100::/64).
fn pinned(special: u8) -> bool {
    let prefix = SPECIAL[usize::from(special)].prefix();
    prefix.len() > Cuts::default().finest[prefix.family().at()]
}

/// A rule as it is read for the clients of one atlas.
struct Reading<'a> {
    ground: &'a Ground<'a>,
    rule: &'a Rule,
    fences: Option<Fences>,
    preferences: Option<(&'a Preferences, Index<usize>)>,
    by_rtt: bool,
    by_place: bool,
}

impl<'a> Reading<'a> {
    fn new(ground: &'a Ground<'a>, atlas: &Atlas, rule: &'a Rule) -> Self {
        let uses = |key: GeoKey| rule.keys.iter().any(|(used, _)| *used == key);
        let by_rtt = uses(GeoKey::Rtt) || rule.limits[0].is_some();
        let preferences = rule.preferences.as_deref().filter(|_| uses(GeoKey::Geo));
        Self {
            ground,
            rule,
            fences: (!rule.fences.is_empty()).then(|| Fences::new(&rule.fences, atlas.marks())),
            preferences: preferences.map(|preferences| (preferences, preferences.index(atlas.marks()))),
            by_rtt,
            by_place: by_rtt || uses(GeoKey::Distance) || rule.limits[1].is_some(),
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

    /// The number of the catchment of clients with these facts.
    fn number(&self, facts: &Facts<'_>, estimator: &Estimator<'_>, shape: &Shape, rows: &mut Rows) -> u32 {
        let rule = self.rule;
        let row = if self.by_place { estimator.row(facts, &rule.regions) } else { Vec::new() };
        let of_row = |value: fn(&Estimate) -> u32| row.iter().map(value).collect();
        let value = |key: &(GeoKey, u32)| match (key.0, &self.preferences) {
            (GeoKey::Rtt, _) => of_row(|estimate| estimate.rtt),
            (GeoKey::Distance, _) => of_row(|estimate| estimate.km),
            (GeoKey::Geo, Some((preferences, _))) => places(preferences.order(self.preferred(facts)), &rule.regions),
            (GeoKey::Geo, None) => vec![0; rule.regions.len()],
        };
        let values: Vec<Vec<u32>> = rule.keys.iter().map(value).collect();
        let beyond = |(at, estimate): (usize, &Estimate)| u64::from(!estimate.is_within(rule.limits)) << at;
        let within = match rule.limits {
            [None, None] => u64::MAX,
            _ => !row.iter().enumerate().map(beyond).fold(0, |set, bit| set | bit),
        };
        rows.number(shape, rule, &values, self.denied(facts), within)
    }
}
