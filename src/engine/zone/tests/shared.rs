//! What a table takes over from the one before: every zone of which nothing has changed, and nothing else.

use super::*;

/// Zones, services and the reflect name by their texts, after another table.
fn build(zones: &[Arc<ZoneSource>], services: &[&str], reflect: Option<&str>, before: Option<&Table>) -> Table {
    let services: Vec<Name> = services.iter().map(|service| name(service)).collect();
    let services: Vec<&Name> = services.iter().collect();
    Table::build(zones, &services, reflect.map(name).as_ref(), before)
}

/// The zones that both tables share, by their names.
fn shared(table: &Table, before: &Table) -> Vec<String> {
    let is_known = |zone: &Arc<_>| before.zones.iter().any(|known| Arc::ptr_eq(&known.zone, zone));
    let same = table.zones.iter().filter(|placed| is_known(&placed.zone));
    same.map(|placed| placed.zone.inputs.source.apex.to_string()).collect()
}

fn address(last: u8) -> [u8; 4] {
    [192, 0, 2, last]
}

/// A parent with two children, of which it points at one, and a zone beside.
fn family(of_low: u8, of_other: u8) -> [Arc<ZoneSource>; 4] {
    let ds = [0; 36];
    let high = [
        ("low.test", RrType::NS, &b"\x02ns\x03low\x04test\0"[..]),
        ("low.test", RrType::DS, &ds),
        ("other.test", RrType::NS, b"\x02ns\x07example\0"),
    ];
    [
        zone("test", &high),
        zone("low.test", &[("ns.low.test", RrType::A, &address(of_low)), ("www.low.test", RrType::A, &address(9))]),
        zone("other.test", &[("www.other.test", RrType::A, &address(of_other))]),
        zone("beside", &[("www.beside", RrType::A, &address(1))]),
    ]
}

#[test]
fn equal_zones_are_taken_over_although_they_were_read_again() {
    let first = build(&family(1, 1), &["svc.low.test"], Some("who.test"), None);
    let again = build(&family(1, 1), &["svc.low.test"], Some("who.test"), Some(&first));
    assert_eq!(shared(&again, &first), ["test.", "low.test.", "other.test.", "beside."]);
    assert!(again.sources().zip(first.sources()).all(|(new, old)| Arc::ptr_eq(new, old)), "their sources too");
}

#[test]
fn a_change_of_one_zone_compiles_that_zone() {
    let first = build(&family(1, 1), &[], None, None);
    let next = build(&family(1, 2), &[], None, Some(&first));
    assert_eq!(shared(&next, &first), ["test.", "low.test.", "beside."], "the parent takes nothing of `other.test.`");
    assert_eq!(found(&next, "www.other.test"), "here www.other.test.");
}

#[test]
fn a_zone_that_takes_an_address_of_a_changed_one_is_compiled_too() {
    let first = build(&family(1, 1), &[], None, None);
    let next = build(&family(2, 1), &[], None, Some(&first));
    assert_eq!(shared(&next, &first), ["other.test.", "beside."]);
    let Found::Here(apex) = next.find(b"\x04test\0", fold::hash(b"\x04test\0")) else { panic!("an apex") };
    let referral = name("low.test");
    let Found::Here(low) = next.find(referral.wire(), fold::hash(referral.wire())) else { panic!("an apex") };
    assert!(apex.fragments().iter().any(|fragment| fragment.target() == address(2)));
    assert!(low.above().is_some_and(|above| above.is_ok()), "DS of the new parent");
}

#[test]
fn a_parents_ds_compiles_the_parent_alone() {
    let [high, low, other, beside] = family(1, 1);
    let first = build(&[high, Arc::clone(&low), Arc::clone(&other), Arc::clone(&beside)], &[], None, None);
    let high = zone("test", &[("low.test", RrType::NS, b"\x02ns\0")]);
    let next = build(&[high, low, other, beside], &[], None, Some(&first));
    assert_eq!(shared(&next, &first), ["low.test.", "other.test.", "beside."]);
    let apex = name("low.test");
    let Found::Here(low) = next.find(apex.wire(), fold::hash(apex.wire())) else { panic!("an apex") };
    assert_eq!(low.above().map(|above| above.map(|ds| ds.rtype()).map_err(|(_, len)| len)), Some(Err(6)));
}

#[test]
fn services_of_one_zone_do_not_touch_the_others_although_numbers_move() {
    let services = ["b.beside", "svc.low.test"];
    let first = build(&family(1, 1), &services, None, None);
    let next = build(&family(1, 1), &["a.other.test", "b.beside", "svc.low.test"], None, Some(&first));
    assert_eq!(shared(&next, &first), ["test.", "low.test.", "beside."]);
    let number = |table: &Table, text: &str| {
        let name = name(text);
        let Found::Here(node) = table.find(name.wire(), fold::hash(name.wire())) else { panic!("{text}") };
        node.service().map(|id| id.0)
    };
    assert_eq!(services.map(|name| number(&first, name)), [Some(0), Some(1)]);
    assert_eq!(services.map(|name| number(&next, name)), [Some(1), Some(2)]);
    assert_eq!(number(&next, "a.other.test"), Some(0));
    let turned = build(&family(1, 1), &["svc.low.test", "a.other.test", "b.beside"], None, Some(&next));
    assert_eq!(shared(&turned, &next), ["test.", "low.test.", "other.test.", "beside."]);
    assert_eq!(services.map(|name| number(&turned, name)), [Some(2), Some(0)]);
}

#[test]
fn the_reflect_name_compiles_the_zones_that_lose_and_gain_it() {
    let first = build(&family(1, 1), &[], Some("who.other.test"), None);
    let next = build(&family(1, 1), &[], Some("who.beside"), Some(&first));
    assert_eq!(shared(&next, &first), ["test.", "low.test."]);
}

#[test]
fn a_zone_that_comes_or_goes_compiles_the_one_that_it_begins_in() {
    let [high, low, other, beside] = family(1, 1);
    let three = [Arc::clone(&high), low, Arc::clone(&beside)];
    let first = build(&three, &[], None, None);
    let four = [&three[0], &three[1], &other, &three[2]].map(Arc::clone);
    let next = build(&four, &[], None, Some(&first));
    assert_eq!(shared(&next, &first), ["low.test.", "beside."]);
    let last = build(&three, &[], None, Some(&next));
    assert_eq!(shared(&last, &next), ["low.test.", "beside."]);
    assert_eq!(found(&last, "www.other.test"), "cut other.test.");
}
