//! Random zones, changed one thing at a time: a table that takes zones over from the one before says of every name what a
//! table says that was built from nothing, and it compiles no zone that the change does not touch.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::engine::wire::fragment::Fragment;

const LABELS: [&str; 3] = ["a", "b", "*"];
const TYPES: [RrType; 12] = [
    RrType::A,
    RrType::NS,
    RrType::CNAME,
    RrType::SOA,
    RrType::MX,
    RrType::TXT,
    RrType::AAAA,
    RrType::SRV,
    RrType::DNAME,
    RrType::DS,
    RrType::SVCB,
    RrType::HTTPS,
];

/// Where zones begin.
const APEXES: [&str; 6] = ["z", "a.z", "b.z", "a.a.z", "b.b.z", "b.a.a.z"];

/// A name below `z.`, or `z.` itself: most of the time one of a few, so that records point at something.
fn names() -> impl Strategy<Value = Name> {
    const FEW: [&str; 10] = ["z", "b.z", "*.z", "a.z", "b.a.z", "*.a.z", "b.b.z", "a.b.b.z", "*.b.b.z", "b.b.a.z"];
    let any = prop::collection::vec(prop::sample::select(&LABELS[..]), 0..=3);
    let any = any.prop_map(|labels| labels.iter().rev().fold(name("z"), |above, label| below(&above, label)));
    prop_oneof![4 => prop::sample::select(&FEW[..]).prop_map(name), 1 => any]
}

fn below(above: &Name, label: &str) -> Name {
    above.prepend(label.as_bytes()).expect("a short name")
}

/// One thing that comes if it is not there, and goes if it is.
#[derive(Clone, Debug)]
enum Change {
    Zone(Name),
    Record(Name, RrType, Name, u8),
    Service(Name),
    Reflect(Name),
}

fn change() -> impl Strategy<Value = Change> {
    let rtype = prop::sample::select(vec![
        RrType::A,
        RrType::A,
        RrType::AAAA,
        RrType::NS,
        RrType::NS,
        RrType::DS,
        RrType::MX,
        RrType::SRV,
        RrType::SRV,
        RrType::HTTPS,
        RrType::TXT,
        RrType::CNAME,
        RrType::DNAME,
    ]);
    prop_oneof![
        1 => prop::sample::select(&APEXES[..]).prop_map(|apex| Change::Zone(name(apex))),
        12 => (names(), rtype, names(), 0..2u8).prop_map(|(owner, rtype, target, n)| Change::Record(owner, rtype, target, n)),
        3 => names().prop_map(Change::Service),
        1 => names().prop_map(Change::Reflect),
    ]
}

/// What is served.
#[derive(Debug)]
struct Served {
    zones: Vec<Arc<ZoneSource>>,
    services: BTreeSet<Name>,
    reflect: Option<Name>,
}

impl Served {
    fn build(&self, before: Option<&Table>) -> Table {
        let services: Vec<&Name> = self.services.iter().collect();
        Table::build(&self.zones, &services, self.reflect.as_ref(), before)
    }

    /// Makes a change, and says at which names.
    fn change(&mut self, change: &Change, to: prop::sample::Index) -> Vec<Name> {
        match change {
            Change::Zone(apex) => {
                match self.zones.iter().position(|zone| zone.apex == *apex) {
                    Some(at) => _ = self.zones.remove(at),
                    None => self.zones.push(zone(&apex.to_string(), &[])),
                }
                vec![apex.clone()]
            }
            Change::Record(owner, rtype, target, n) => {
                // Sometimes a zone says things of names in lower ones.
                let around: Vec<usize> =
                    (0..self.zones.len()).filter(|at| owner.is_within(&self.zones[*at].apex)).collect();
                if around.is_empty() {
                    return Vec::new();
                }
                let closest = around.iter().copied().max_by_key(|at| self.zones[*at].apex.wire().len());
                let at = if to.index(4) > 0 { closest.unwrap_or(0) } else { *to.get(&around) };
                let zone = Arc::make_mut(&mut self.zones[at]);
                let record =
                    ZoneRecord { owner: owner.clone(), rtype: *rtype, ttl: Ttl(300), rdata: data(*rtype, target, *n) };
                match zone.records.iter().position(|known| *known == record) {
                    Some(at) => _ = zone.records.remove(at),
                    None => zone.records.push(record),
                }
                vec![zone.apex.clone()]
            }
            Change::Service(name) => {
                if !self.services.remove(name) {
                    self.services.insert(name.clone());
                }
                vec![name.clone()]
            }
            Change::Reflect(name) => {
                let before = self.reflect.replace(name.clone());
                before.into_iter().chain([name.clone()]).collect()
            }
        }
    }
}

fn data(rtype: RrType, target: &Name, n: u8) -> Box<[u8]> {
    let before: &[u8] = match rtype {
        RrType::A => return [192, 0, 2, n].into(),
        RrType::AAAA => return [n; 16].into(),
        RrType::TXT => return [1, n].into(),
        RrType::DS => return [n; 36].into(),
        RrType::MX | RrType::SVCB | RrType::HTTPS => &[0, n],
        RrType::SRV => &[0, n, 0, 1, 0, 80],
        _ => &[],
    };
    // Of the second sort some stand for their owner.
    let target = if n == 1 && target.wire().len() < 5 { &[0] } else { target.wire() };
    [before, target].concat().into()
}

/// Every name of up to four labels below `z.`, and some outside.
fn questions() -> Vec<Name> {
    let mut last = vec![name("z")];
    let mut all = [".", "a", "y.z.x", "zz"].map(name).to_vec();
    for _ in 0..5 {
        all.extend(last.iter().cloned());
        last = last.iter().flat_map(|above| LABELS.map(|label| below(above, label))).collect();
    }
    all
}

/// All that a query may read of a name; numbers that are a zone's own are replaced by what they stand for.
fn picture(table: &Table, question: &Name) -> String {
    let (word, node) = match table.find(question.wire(), fold::hash(question.wire())) {
        Found::NotOurs => return "not ours".into(),
        Found::Here(node) => ("here", node),
        Found::Cut(node) => ("cut", node),
        Found::Redirect(node, _) => ("redirect", node),
        Found::NoName(node) => ("none below", node),
    };
    let bare = |fragment: &Fragment| {
        let mut bare = fragment.clone();
        bare.extras.clear();
        format!("{bare:?}")
    };
    let whole = |fragment: &Fragment| {
        let extras = fragment.extras.iter().map(|extra| match extra.of {
            Held::Rrset(number) => {
                (extra.at, extra.required, format!("{:?}", node.fragments().get(number as usize).map(bare)))
            }
            Held::Service(number) => (extra.at, extra.required, format!("{:?}", node.service_of(number))),
        });
        (bare(fragment), extras.collect::<Vec<_>>())
    };
    let sets = TYPES.map(|rtype| node.rrset(rtype).map(whole));
    format!(
        "{word} {:?} {:?} {:?} {:?} {} {} {sets:?} {:?} {:?}",
        Name::from_wire(node.name()),
        node.kind(),
        table.sources().nth(node.zone().at()).map(|source| &source.apex),
        node.service(),
        node.is_reflect(),
        node.has_records(),
        node.negative(),
        node.above(),
    )
}

/// What the changes ran into, so that a generator gone dull is noticed.
#[derive(Debug, Default)]
struct Met {
    tables: u32,
    /// Zones that were taken over.
    shared: u32,
    /// Zones that take addresses of lower ones, and services.
    addresses: u32,
    services: u32,
}

fn compare(changes: &[(Change, prop::sample::Index)], met: &mut Met) -> Result<(), TestCaseError> {
    let zones = ["z", "a.z", "b.b.z"].map(|apex| zone(apex, &[])).to_vec();
    let mut served = Served { zones, services: BTreeSet::new(), reflect: None };
    let (mut before, questions) = (served.build(None), questions());
    for (change, to) in changes {
        let touched = served.change(change, *to);
        let (after, fresh) = (served.build(Some(&before)), served.build(None));
        for question in &questions {
            prop_assert_eq!(picture(&after, question), picture(&fresh, question), "{} after {:?}", question, change);
        }
        for placed in &after.zones {
            let apex = &placed.zone.inputs.source.apex;
            let known = before.zones.iter().find(|known| known.zone.inputs.source.apex == *apex);
            let shared = known.is_some_and(|known| Arc::ptr_eq(&known.zone, &placed.zone));
            let untouched = touched.iter().all(|name| !name.is_within(apex));
            prop_assert!(shared || !untouched, "{} is compiled again after {:?}", apex, change);
            met.shared += u32::from(shared);
            let taken = &placed.zone.inputs.taken;
            met.addresses += u32::from(taken.values().any(|taken| !taken.addresses.is_empty()));
            met.services += u32::from(taken.values().any(|taken| taken.service.is_some()));
        }
        met.tables += 1;
        before = after;
    }
    Ok(())
}

#[test]
fn a_table_after_another_is_the_table_that_is_built_from_nothing() {
    let config = ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() };
    let met = std::cell::RefCell::new(Met::default());
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let changes = prop::collection::vec((change(), any::<prop::sample::Index>()), 20..60);
    let ran = runner.run(&changes, |changes| compare(&changes, &mut met.borrow_mut()));
    if let Err(fault) = ran {
        panic!("{fault}");
    }
    let met = met.into_inner();
    let enough = [met.shared, met.addresses, met.services].into_iter().all(|n| n > met.tables / 50);
    assert!(enough, "every kind is met: {met:?}");
}
