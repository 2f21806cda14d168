//! Which selectors a client meets by what it is known by: the only place that says what a selector means. Must not
//! know regions or distances.

use super::{Facts, Fence, Order, Preferences, Selector, marks::MarkTable, marks::Numbers};
use crate::engine::types::RegionId;

impl std::fmt::Display for Selector {
    /// In the configuration's own spelling.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let code = |[a, b]: &[u8; 2]| [char::from(*a), char::from(*b)].iter().collect::<String>();
        match self {
            Self::Continent(continent) => write!(f, "continent:{}", code(continent)),
            Self::Country(country) => write!(f, "country:{}", code(country)),
            Self::Subdivision(country, subdivision) => write!(f, "subdivision:{}-{subdivision}", code(country)),
            Self::Asn(asn) => write!(f, "asn:{asn}"),
            Self::Net(prefix) => write!(f, "net:{prefix}"),
            Self::Unknown => f.write_str("unknown"),
        }
    }
}

/// Selectors, so laid out that those which a client meets are found without trying all.
#[derive(Debug)]
pub(super) struct Selectors<T> {
    nets: Numbers<u32, T>,
    asns: Numbers<u32, T>,
    countries: Numbers<[u8; 2], Country<T>>,
    continents: Numbers<[u8; 2], T>,
    unknown: Option<T>,
}

#[derive(Debug)]
struct Country<T> {
    whole: Option<T>,
    subdivisions: Vec<(Box<str>, T)>,
}

impl<T> Selectors<T> {
    /// Lays selectors out; `join` puts together what one selector stands for twice. A net that is no mark of the atlas
    /// would select no client: the builder of the atlas marks every net that is named.
    pub(super) fn new<'s>(
        selectors: impl IntoIterator<Item = (&'s Selector, T)>,
        marks: &MarkTable,
        join: impl Fn(&mut T, T),
    ) -> Self {
        let mut index = Self {
            nets: Numbers::default(),
            asns: Numbers::default(),
            countries: Numbers::default(),
            continents: Numbers::default(),
            unknown: None,
        };
        for (selector, value) in selectors {
            match selector {
                Selector::Net(prefix) => match marks.number(*prefix) {
                    Some(number) => put(&mut index.nets, number, value, &join),
                    None => debug_assert!(false, "{prefix} is not marked"),
                },
                Selector::Asn(asn) => put(&mut index.asns, *asn, value, &join),
                Selector::Subdivision(country, code) => {
                    let known = &mut index.country(*country).subdivisions;
                    match known.iter_mut().find(|(known, _)| known == code) {
                        Some((_, old)) => join(old, value),
                        None => known.push((code.clone(), value)),
                    }
                }
                Selector::Country(code) => set(&mut index.country(*code).whole, value, &join),
                Selector::Continent(code) => put(&mut index.continents, *code, value, &join),
                Selector::Unknown => set(&mut index.unknown, value, &join),
            }
        }
        index
    }

    fn country(&mut self, code: [u8; 2]) -> &mut Country<T> {
        self.countries.entry(code).or_insert_with(|| Country { whole: None, subdivisions: Vec::new() })
    }

    /// What the selectors stand for that a client meets, the most specific first: net (longest), ASN, subdivision,
    /// country, continent, unknown.
    pub(super) fn met<'i>(&'i self, facts: &Facts<'i>) -> impl Iterator<Item = &'i T> {
        let location = facts.location;
        let nets = (!self.nets.is_empty()).then(|| facts.chain().filter_map(|(number, _)| self.nets.get(&number)));
        let asn = location.and_then(|location| self.asns.get(&location.asn?));
        let country = location.and_then(|location| self.countries.get(&location.country?));
        let subdivision = country.and_then(|country| {
            let code = location?.subdivision.as_ref()?;
            country.subdivisions.iter().find(|(known, _)| known == code).map(|(_, value)| value)
        });
        let continent = location.and_then(|location| self.continents.get(&location.continent?));
        let unknown = self.unknown.as_ref().filter(|_| facts.is_unknown());
        let others = [asn, subdivision, country.and_then(|country| country.whole.as_ref()), continent, unknown];
        nets.into_iter().flatten().chain(others.into_iter().flatten())
    }
}

fn put<K: Eq + std::hash::Hash, T>(table: &mut Numbers<K, T>, key: K, value: T, join: &impl Fn(&mut T, T)) {
    match table.get_mut(&key) {
        Some(old) => join(old, value),
        None => _ = table.insert(key, value),
    }
}

fn set<T>(slot: &mut Option<T>, value: T, join: &impl Fn(&mut T, T)) {
    match slot {
        Some(old) => join(old, value),
        None => *slot = Some(value),
    }
}

// ----- Fences ------------------------------------------------------------------------------------------------

/// Fences, laid out: which of them keep a client out.
#[derive(Debug)]
pub(super) struct Fences {
    only: Selectors<u64>,
    never: Selectors<u64>,
    /// Those that have an `only`.
    closed: u64,
}

impl Fences {
    /// At most 64.
    pub(super) fn new(fences: &[Fence], marks: &MarkTable) -> Self {
        let union = |bits: &mut u64, more: u64| *bits |= more;
        let listed = |list: fn(&Fence) -> &[Selector]| {
            let each = fences.iter().zip(0..64_u32);
            each.flat_map(move |(fence, bit)| list(fence).iter().map(move |selector| (selector, 1_u64 << bit)))
        };
        let closed = fences.iter().zip(0..64_u32).filter(|(fence, _)| !fence.only.is_empty());
        Self {
            only: Selectors::new(listed(|fence| &fence.only), marks, union),
            never: Selectors::new(listed(|fence| &fence.never), marks, union),
            closed: closed.fold(0, |bits, (_, bit)| bits | 1 << bit),
        }
    }

    /// The fences that keep a client out, as bits.
    pub(super) fn against(&self, facts: &Facts<'_>) -> u64 {
        let all = |index: &Selectors<u64>| index.met(facts).fold(0, |bits, more| bits | more);
        self.closed & !all(&self.only) | all(&self.never)
    }
}

// ----- Geo rules ---------------------------------------------------------------------------------------------

impl Preferences {
    /// The order that holds for a client, and the selector that says so; none: the default.
    #[must_use]
    pub fn of(&self, facts: &Facts<'_>) -> (Option<&Selector>, &Order) {
        match self.chosen(&self.index(facts.marks), facts).and_then(|at| self.rules.get(at)) {
            Some((selector, order)) => (Some(selector), order),
            None => (None, &self.default),
        }
    }

    /// The place of a region for a client; `u32::MAX` for one that the client's order leaves out.
    #[must_use]
    pub fn place(&self, facts: &Facts<'_>, region: RegionId) -> u32 {
        places(self.of(facts).1, &[region]).pop().unwrap_or(u32::MAX)
    }

    /// The rules by number, laid out.
    pub(super) fn index(&self, marks: &MarkTable) -> Selectors<usize> {
        Selectors::new(self.rules.iter().enumerate().map(|(at, (selector, _))| (selector, at)), marks, |_, _| {})
    }

    /// The number of the most specific rule that a client meets.
    pub(super) fn chosen(&self, index: &Selectors<usize>, facts: &Facts<'_>) -> Option<usize> {
        index.met(facts).next().copied()
    }

    /// The order of a rule by number; none: the default.
    pub(super) fn order(&self, chosen: Option<usize>) -> &Order {
        chosen.and_then(|at| self.rules.get(at)).map_or(&self.default, |(_, order)| order)
    }
}

/// The place of each region in an order. Without any order all are equally good; a region that is not in it comes last.
pub(super) fn places(order: &Order, regions: &[RegionId]) -> Vec<u32> {
    let place =
        |region| order.iter().find(|(known, _)| known == region).map_or(u32::MAX, |(_, place)| u32::from(*place));
    if order.is_empty() { vec![0; regions.len()] } else { regions.iter().map(place).collect() }
}
