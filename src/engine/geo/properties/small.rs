//! A small world inside one /16, and the slow reading of its rules: straight from the layers, address by address.

use std::sync::Arc;

use proptest::prelude::*;

use super::super::{
    tests::{at, cities, point, prefix, region, row},
    *,
};
use crate::engine::{
    types::{Family, Millis, RegionId},
    units::{Kilometres, Rtt},
};

/// 256 blocks of one /16.
#[derive(Debug)]
pub(super) struct Small {
    pub(super) base: Prefix,
    databases: Vec<Vec<(Prefix, Location)>>,
    overrides: Vec<(Prefix, Location)>,
    /// Where the clients of resolvers are.
    resolvers: Vec<(Prefix, Location)>,
    /// Prefixes that rules, fences and measurements name.
    nets: Vec<Prefix>,
    pub(super) points: Vec<RegionPoint>,
    cells: Vec<(Whose, RegionId, Measured)>,
    nowhere: Order,
    pub(super) rule: Rule,
}

/// All that clients of one kind can be told apart by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) denied: u64,
    pub(super) within: u64,
    /// By key, for every non-empty set of open regions within a group; none where the set lies beyond `depth`.
    pub(super) answers: Vec<Option<u64>>,
}

/// What would decide beyond `depth` if it held for most of a catchment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Late {
    /// Whether a time or a distance is expected, where one decides.
    pub(super) located: bool,
    /// By key and region, which comes how late.
    places: Vec<Vec<usize>>,
}

impl Late {
    /// The members of a set that come first by a key.
    pub(super) fn first(&self, key: usize, set: u64) -> u64 {
        let places = &self.places[key];
        let members = || (0..places.len()).filter(|region| set >> region & 1 == 1);
        let least = members().map(|region| places[region]).min();
        members().filter(|region| Some(places[*region]) == least).fold(0, |band, region| band | 1 << region)
    }
}

impl Small {
    pub(super) fn atlas(&self) -> Atlas {
        let mut builder = AtlasBuilder::default();
        for database in &self.databases {
            for (prefix, location) in database {
                let fact = builder.fact(location.clone(), "db");
                builder.learn(*prefix, fact);
            }
        }
        stated(builder, &self.overrides, &self.nets)
    }

    pub(super) fn resolvers(&self) -> Atlas {
        stated(AtlasBuilder::default(), &self.resolvers, &self.nets)
    }

    pub(super) fn compile(&self, cuts: Cuts) -> Map {
        self.on(cuts, |ground| Map::compile(ground, &self.rule))
    }

    /// The ground, for a while.
    pub(super) fn on<T>(&self, cuts: Cuts, then: impl FnOnce(&Ground<'_>) -> T) -> T {
        let (atlas, resolvers) = (self.atlas(), self.resolvers());
        then(&Ground {
            atlas: &atlas,
            resolvers: &resolvers,
            points: &self.points,
            measures: &Measures::new(self.cells.iter().copied()),
            nowhere: &self.nowhere,
            model: Model::default(),
            cuts,
        })
    }

    /// The longest prefix that an override, a rule, a fence or a measurement names and that holds a block.
    pub(super) fn named(&self, block: Prefix) -> Option<Prefix> {
        let overrides = self.overrides.iter().map(|(prefix, _)| prefix);
        overrides.chain(&self.nets).filter(|prefix| prefix.contains(block)).max_by_key(|prefix| prefix.len()).copied()
    }

    pub(super) fn block(&self, n: u128) -> Prefix {
        Prefix::from_bits(Family::V4, self.base.bits() | n << 104, 24)
    }

    /// Read straight from the layers: the location of a block, and whether it is special.
    pub(super) fn known(&self, block: Prefix) -> (Option<Location>, bool) {
        let special = special::SPECIAL.iter().map(special::Block::prefix).find(|p| p.contains(block));
        let over = line_of(&self.overrides, block).filter(|(p, _)| special.is_none_or(|s| s.contains(*p)));
        match (over, special) {
            (Some((_, location)), _) => (Some(location.clone()), false),
            (None, Some(special)) => (None, !self.nets.iter().any(|n| special.contains(*n) && n.contains(block))),
            (None, None) => {
                let mut known: Option<Location> = None;
                for database in &self.databases {
                    if let Some((_, new)) = database.iter().find(|(p, _)| p.contains(block)) {
                        let known = known.get_or_insert_default();
                        known.coordinates = known.coordinates.or(new.coordinates);
                        known.country = known.country.or(new.country);
                        known.continent = known.continent.or(new.continent);
                        known.subdivision = known.subdivision.clone().or(new.subdivision.clone());
                        known.asn = known.asn.or(new.asn);
                    }
                }
                (known, false)
            }
        }
    }

    /// Where the clients of a resolver are, when a line says so.
    pub(super) fn behind(&self, resolver: Prefix) -> Option<&Location> {
        let special = special::SPECIAL.iter().map(special::Block::prefix).find(|p| p.contains(resolver));
        let line = line_of(&self.resolvers, resolver).filter(|(p, _)| special.is_none_or(|s| s.contains(*p)));
        line.map(|(_, location)| location)
    }

    /// The named prefixes that hold a block.
    pub(super) fn nets(&self, block: Prefix) -> Vec<Prefix> {
        self.nets.iter().filter(|net| net.contains(block)).copied().collect()
    }

    /// Everything that a client with this location and these named prefixes can be told apart by.
    pub(super) fn told(&self, location: Option<&Location>, nets: &[Prefix]) -> Told {
        self.read(location, nets).0
    }

    /// The same, and what comes first beyond `depth`.
    pub(super) fn read(&self, location: Option<&Location>, nets: &[Prefix]) -> (Told, Late) {
        let rule = &self.rule;
        let meets = |selector: &Selector| match selector {
            Selector::Net(net) => nets.contains(net),
            Selector::Asn(asn) => location.is_some_and(|l| l.asn == Some(*asn)),
            Selector::Subdivision(country, code) => {
                location.is_some_and(|l| l.country == Some(*country) && l.subdivision.as_deref() == Some(&**code))
            }
            Selector::Country(code) => location.is_some_and(|l| l.country == Some(*code)),
            Selector::Continent(code) => location.is_some_and(|l| l.continent == Some(*code)),
            Selector::Unknown => location.is_none_or(|l| l.country.is_none() && l.continent.is_none()),
        };
        let keeps_out =
            |fence: &Fence| !fence.only.is_empty() && !fence.only.iter().any(meets) || fence.never.iter().any(meets);
        let denied = (0..rule.fences.len()).filter(|f| keeps_out(&rule.fences[*f])).fold(0, |set, f| set | 1 << f);
        let is_closed =
            |r: usize| rule.behind.get(r).is_some_and(|s| !s.is_empty() && s.iter().all(|s| s & denied != 0));
        let open = (0..rule.regions.len()).filter(|r| !is_closed(*r)).fold(0, |set, r| set | 1 << r);

        let (rtt, km) = self.milliseconds_and_kilometres(location, nets);
        let is_far = |r: usize| {
            let beyond = |values: &[Option<u32>], limit: Option<u32>| values[r].zip(limit).is_some_and(|(v, l)| v > l);
            beyond(&rtt, rule.limits.rtt.map(|limit| limit.0)) || beyond(&km, rule.limits.distance.map(|limit| limit.0))
        };
        let far = (0..rule.regions.len()).filter(|r| is_far(*r)).fold(0, |set, r| set | 1 << r);
        // What is not known comes last; of unknown clients after what is known, in the order for them.
        let unknown_client = location.and_then(Location::point).is_none();
        let filled = |values: &[Option<u32>]| -> Vec<u32> {
            let place = |r: usize| self.nowhere.iter().find(|(known, _)| known.at() == r && unknown_client);
            let late = |r: usize| place(r).map_or(u32::MAX, |(_, place)| 1_000_000_000 + u32::from(*place) * 1_000_000);
            (0..values.len()).map(|r| values[r].unwrap_or_else(|| late(r))).collect()
        };
        let specific = |selector: &Selector| match selector {
            Selector::Net(net) => 100 + net.len(),
            Selector::Asn(_) => 5,
            Selector::Subdivision(..) => 4,
            Selector::Country(_) => 3,
            Selector::Continent(_) => 2,
            Selector::Unknown => 1,
        };
        let (mut answers, mut places) = (Vec::new(), Vec::new());
        for (at, (key, _)) in rule.keys.iter().enumerate() {
            let later_time = rule.keys[at..].iter().any(|(key, _)| *key != GeoKey::Geo);
            let values = match key {
                GeoKey::Rtt => filled(&rtt),
                GeoKey::Distance => filled(&km),
                GeoKey::Geo => {
                    let preferences = rule.preferences.as_ref().unwrap();
                    let met = preferences.rules.iter().filter(|(selector, _)| meets(selector));
                    let order = met.max_by_key(|(s, _)| specific(s)).map_or(&preferences.default, |(_, order)| order);
                    let place = |r: usize| order.iter().find(|(known, _)| known.at() == r).map(|(_, place)| *place);
                    let last = if order.is_empty() { 0 } else { u32::MAX };
                    (0..rule.regions.len()).map(|r| place(r).map_or(last, u32::from)).collect()
                }
            };
            // 25 ms are a step; from a hundred seconds on it is no time.
            let step = |region: usize| match (key, values[region]) {
                (GeoKey::Rtt, value @ ..1_000_000) => (value / 250, 0),
                (GeoKey::Distance, value @ ..1_000_000) => ((50.0 + (f64::from(value) / 6.5).round()) as u32 / 250, 0),
                (GeoKey::Rtt | GeoKey::Distance, value) => (value, 0),
                (GeoKey::Geo, value) => (value, if later_time { 0 } else { region }),
            };
            let steps: Vec<(u32, usize)> = (0..values.len()).map(step).collect();
            let earlier = |step: &(u32, usize)| -> std::collections::BTreeSet<&(u32, usize)> {
                steps.iter().filter(|other| *other < step).collect()
            };
            places.push(steps.iter().map(|step| earlier(step).len()).collect());
            answers.extend(sets(rule, open).map(|set| ranked(&values, rule, at, set, open)));
        }
        let uses = |wanted: GeoKey| rule.keys.iter().any(|(key, _)| *key == wanted);
        let by_rtt = uses(GeoKey::Rtt) || rule.limits.rtt.is_some();
        let by_place = by_rtt || uses(GeoKey::Distance) || rule.limits.distance.is_some();
        let located = by_place && (km.iter().any(Option::is_some) || by_rtt && rtt.iter().any(Option::is_some));
        let told = Told { denied, within: if rule.limits == Limits::default() { u64::MAX } else { !far }, answers };
        (told, Late { located, places })
    }

    /// What the map says of a catchment, for the same sets.
    pub(super) fn compiled(&self, map: &Map, catchment: u32, open: u64) -> Told {
        let decided =
            move |key, set| (!map.is_beyond_depth(catchment, key, set)).then(|| map.best(catchment, key, set));
        let best = |key| sets(&self.rule, open).map(move |set| decided(key, set));
        Told {
            denied: map.denied(catchment),
            within: map.within(catchment),
            answers: (0..self.rule.keys.len()).flat_map(best).collect(),
        }
    }

    /// The regions, as bits, of which not every endpoint is behind a fence of `denied`.
    pub(super) fn open(&self, denied: u64) -> u64 {
        let closed =
            |r: &usize| self.rule.behind.get(*r).is_some_and(|s| !s.is_empty() && s.iter().all(|s| s & denied != 0));
        (0..self.rule.regions.len()).filter(|r| !closed(r)).fold(0, |set, r| set | 1 << r)
    }

    fn milliseconds_and_kilometres(
        &self,
        location: Option<&Location>,
        nets: &[Prefix],
    ) -> (Vec<Option<u32>>, Vec<Option<u32>>) {
        let plain: Vec<RegionPoint> = self.points.iter().map(|point| RegionPoint { bias: 0, ..*point }).collect();
        let known = |value: u32| (value != u32::MAX).then_some(value);
        let model: Vec<Option<u32>> = row(location, &plain).iter().map(|e| known(e.rtt.0)).collect();
        let km = row(location, &plain).iter().map(|e| known(e.km.0)).collect();
        let specific = |whose: &Whose| match whose {
            Whose::Net(net) => nets.contains(net).then(|| 2 + net.len()),
            Whose::Asn(asn) => location.filter(|l| l.asn == Some(*asn)).map(|_| 1),
            Whose::Country(code) => location.filter(|l| l.country == Some(*code)).map(|_| 0),
        };
        let measured = |r: usize| {
            let cells = self.cells.iter().filter(|(_, region, _)| region.at() == r);
            let held = cells.filter_map(|(whose, _, measured)| Some((specific(whose)?, measured.rtt.0)));
            held.max_by_key(|(specific, _)| *specific).map(|(_, rtt)| rtt)
        };
        let regions = 0..self.points.len();
        let ratio = |r: usize| Some(u64::from(measured(r)?) * 1000 / u64::from(model[r]?));
        let mut ratios: Vec<u64> = regions.clone().filter_map(ratio).collect();
        ratios.sort_unstable();
        let scale = match ratios.len() {
            0 => 1000,
            n if n % 2 == 1 => ratios[n / 2],
            n => (ratios[n / 2 - 1] + ratios[n / 2]) / 2,
        };
        let modelled = |r: usize| {
            let scaled = (u64::from(model[r]?) * scale.max(1000) + 500) / 1000;
            let biased = scaled as i64 + i64::from(self.points[r].bias);
            Some(biased.clamp(0, i64::from(PLACE) - 1) as u32)
        };
        (regions.map(|r| measured(r).or_else(|| modelled(r))).collect(), km)
    }
}

fn stated(mut builder: AtlasBuilder, lines: &[(Prefix, Location)], nets: &[Prefix]) -> Atlas {
    for (prefix, location) in lines {
        let fact = builder.fact(location.clone(), "lines");
        builder.overrule(*prefix, fact);
    }
    nets.iter().for_each(|net| builder.mark(*net));
    builder.finish()
}

fn line_of(lines: &[(Prefix, Location)], block: Prefix) -> Option<&(Prefix, Location)> {
    lines.iter().filter(|(prefix, _)| prefix.contains(block)).max_by_key(|(prefix, _)| prefix.len())
}

/// The uncompiled ranking: what a key leaves of `eligible`, from the values themselves; none beyond `depth`, where these
/// values need not be what decides.
pub(super) fn ranked(values: &[u32], rule: &Rule, key: usize, eligible: u64, open: u64) -> Option<u64> {
    let tolerance = rule.keys[key].1;
    let group = *rule.groups.iter().find(|&&group| eligible & !group == 0).unwrap();
    let mut order: Vec<usize> = (0..values.len()).filter(|r| (group & open) >> r & 1 == 1).collect();
    order.sort_by_key(|&r| (values[r], r));
    order.truncate(usize::from(rule.depth));
    if eligible.count_ones() == 1 {
        return Some(eligible);
    }
    let best = order.into_iter().find(|r| eligible >> r & 1 == 1)?;
    let within = |r: &usize| eligible >> r & 1 == 1 && values[*r] <= values[best].saturating_add(tolerance);
    Some((0..values.len()).filter(within).fold(0, |set, r| set | 1 << r))
}

/// Every non-empty set of open regions within a group.
pub(super) fn sets(rule: &Rule, open: u64) -> impl Iterator<Item = u64> {
    let within = move |set: &u64| set & !open == 0 && rule.groups.iter().any(|group| set & !group == 0);
    (1..1_u64 << rule.regions.len()).filter(within)
}

pub(super) fn location() -> impl Strategy<Value = Location> {
    let place = prop_oneof![
        4 => (0..6_usize).prop_map(|n| at(cities()[n])),
        2 => (-80..80_i32, -180..180_i32).prop_map(|(lat, lon)| at(point(f64::from(lat), f64::from(lon)))),
        2 => Just(Location::default()),
    ];
    let code = prop::option::of(prop::sample::select(vec![*b"DE", *b"US", *b"IN", *b"ZZ"]));
    let rest = (
        prop::option::of(prop::sample::select(vec![*b"EU", *b"NA"])),
        prop::sample::select(vec![None, None, Some("CA"), Some("HE")]),
        prop::sample::select(vec![None, None, Some(64_500), Some(64_501)]),
    );
    (place, code, rest).prop_map(|(place, country, (continent, subdivision, asn))| Location {
        country,
        continent,
        subdivision: subdivision.filter(|_| country.is_some()).map(Into::into),
        asn,
        ..place
    })
}

fn selector(nets: Vec<Prefix>) -> impl Strategy<Value = Selector> {
    let mut kinds = vec![
        Selector::Unknown,
        Selector::Continent(*b"EU"),
        Selector::Continent(*b"NA"),
        Selector::Country(*b"DE"),
        Selector::Country(*b"US"),
        Selector::Subdivision(*b"US", "CA".into()),
        Selector::Subdivision(*b"DE", "HE".into()),
        Selector::Asn(64_500),
        Selector::Asn(64_501),
    ];
    kinds.extend(nets.into_iter().map(Selector::Net));
    prop::sample::select(kinds)
}

fn order(regions: usize) -> impl Strategy<Value = Order> {
    prop::collection::btree_map((0..regions as u16).prop_map(RegionId), 0..3_u16, 1..=regions)
        .prop_map(|order| order.into_iter().collect())
}

fn rule(count: usize, nets: Vec<Prefix>) -> impl Strategy<Value = Rule> {
    let key = (
        prop::sample::select(vec![GeoKey::Rtt, GeoKey::Distance, GeoKey::Geo]),
        prop::sample::select(vec![0, 50, 300, 2000, 100_000]),
    );
    let key = key.prop_map(|(key, tolerance)| (key, if key == GeoKey::Geo { 0 } else { tolerance }));
    let list =
        |most| prop::collection::btree_set(selector(nets.clone()), 0..=most).prop_map(|s| s.into_iter().collect());
    let fence = (list(2), list(1)).prop_map(|(only, never)| Fence { only, never });
    let fences = prop::collection::vec(fence, 0..4);
    let behind = prop::collection::vec(prop::collection::vec(0..8_u64, 0..3), count);
    let rules = prop::collection::btree_map(selector(nets.clone()), order(count), 0..5);
    let default = prop_oneof![Just(Vec::new()), order(count)];
    let limit = |values: Vec<u32>| prop::option::weighted(0.3, prop::sample::select(values));
    (
        prop::collection::vec(key, 0..=2),
        (0..1_u64 << count, 0..=4_u8),
        (fences, behind),
        (rules, default),
        (limit(vec![100, 800, 2000]), limit(vec![500, 6000])),
    )
        .prop_map(move |(keys, (split, depth), (fences, behind), (rules, default), (rtt, distance))| {
            let all = (1_u64 << count) - 1;
            Rule {
                regions: (0..count as u16).map(RegionId).collect(),
                keys,
                groups: [split, all & !split].into_iter().filter(|group| *group != 0).collect(),
                depth,
                preferences: Some(Arc::new(Preferences { rules: rules.into_iter().collect(), default })),
                behind: if fences.is_empty() { Vec::new() } else { behind },
                fences,
                limits: Limits { rtt: rtt.map(Rtt), distance: distance.map(Kilometres) },
            }
        })
}

fn cells(count: usize, nets: &[Prefix]) -> impl Strategy<Value = Vec<(Whose, RegionId, Measured)>> + use<> {
    let mut kinds = vec![Whose::Asn(64_500), Whose::Country(*b"DE"), Whose::Country(*b"US")];
    kinds.extend(nets.iter().copied().map(Whose::Net));
    let measured = prop_oneof![1..500_u32, 500..3000_u32].prop_map(|rtt| Measured {
        rtt: Rtt(rtt),
        samples: None,
        age: Millis(0),
    });
    let cell = ((prop::sample::select(kinds), (0..count as u16).prop_map(RegionId)), measured);
    prop_oneof![Just(Vec::new()), prop::collection::vec(cell, 0..8)].prop_map(|cells| {
        let cells: std::collections::BTreeMap<_, _> = cells.into_iter().collect();
        cells.into_iter().map(|((whose, region), measured)| (whose, region, measured)).collect()
    })
}

pub(super) fn small() -> impl Strategy<Value = Small> {
    let bases = ["20.64.0.0/16", "10.64.0.0/16", "192.0.0.0/16", "198.19.0.0/16"].map(prefix).to_vec();
    let inside = || (16..=24_u8, 0..256_u128, location());
    let point = prop_oneof![
        5 => (0..6_usize, prop::sample::select(vec![0, 0, -300, 150]))
            .prop_map(|(n, bias)| RegionPoint { bias, ..region(cities()[n]) }),
        1 => Just(RegionPoint::default()),
    ];
    let shape = (prop::sample::select(bases), prop::collection::vec((16..=24_u8, 0..256_u128), 0..6), 1..=5_usize);
    shape.prop_flat_map(move |(base, nets, count)| {
        let prefix = move |(len, n): (u8, u128)| Prefix::from_bits(Family::V4, base.bits() | n << 104, len);
        let mut nets: Vec<Prefix> = nets.into_iter().map(prefix).collect();
        nets.sort_unstable();
        nets.dedup();
        let lines = move |lines: Vec<(u8, u128, Location)>| {
            let mut lines: Vec<_> = lines.into_iter().map(|(len, n, l)| (prefix((len, n)), l)).collect();
            lines.sort_by_key(|(prefix, _)| *prefix);
            lines.dedup_by_key(|(prefix, _)| *prefix);
            lines
        };
        let disjoint = move |rows: Vec<(u8, u128, Location)>| {
            let mut kept: Vec<(Prefix, Location)> = Vec::new();
            for (prefix, location) in rows.into_iter().map(|(len, n, l)| (prefix((len, n)), l)) {
                if !kept.iter().any(|(p, _)| p.contains(prefix) || prefix.contains(*p)) {
                    kept.push((prefix, location));
                }
            }
            kept
        };
        let layers = (
            prop::collection::vec(prop::collection::vec(inside(), 0..12).prop_map(disjoint), 0..3),
            prop::collection::vec(inside(), 0..6).prop_map(lines),
            prop::collection::vec(inside(), 0..4).prop_map(lines),
        );
        let world = (
            prop::collection::vec(point.clone(), count),
            cells(count, &nets),
            prop_oneof![Just(Vec::new()), order(count)],
            rule(count, nets.clone()),
        );
        (layers, world).prop_map(move |((databases, overrides, resolvers), (points, cells, nowhere, rule))| Small {
            base,
            databases,
            overrides,
            resolvers,
            nets: nets.clone(),
            points,
            cells,
            nowhere,
            rule,
        })
    })
}
