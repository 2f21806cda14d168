//! Records of every layout and type that the format allows: what is understood counts, what is not is reported and unknown.

use super::*;

/// A database of networks with a record each, one network after the other from 20.0.0.0/16 on.
fn of(kind: &str, records: &[Value]) -> Vec<u8> {
    let mut writer = Writer::builder(kind).description(&[("en", "test")]).build();
    for (n, record) in records.iter().enumerate() {
        writer.insert_value(format!("20.{n}.0.0/16").parse::<IpNet>().unwrap(), record.clone()).unwrap();
    }
    writer.to_bytes().unwrap()
}

/// What is known of each network, and the faults, each as text.
fn read(kind: &str, records: &[Value]) -> (Vec<Location>, Vec<String>) {
    let mut folder = Folder::new();
    let named = folder.put("db.mmdb", &of(kind, records));
    let (atlas, faults) = folder.load(&[named], None);
    let at = |n: usize| atlas.find(prefix(&format!("20.{n}.0.0/16"))).location.cloned().unwrap_or_default();
    let path = format!("{}/", folder.folder.path().display());
    let text = |(severity, text): &(Severity, String)| format!("{severity:?} {}", text.replace(&path, ""));
    ((0..records.len()).map(at).collect(), faults.iter().map(text).collect())
}

fn map<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::map(entries)
}

fn nested(country: &str) -> (&'static str, Value) {
    ("country", map([("iso_code", Value::from(country))]))
}

fn germany() -> Location {
    Location { country: Some(*b"DE"), ..Location::default() }
}

#[test]
fn a_number_counts_whatever_its_width() {
    let widths = [
        Value::U16(64_500),
        Value::U32(64_500),
        Value::U64(64_500),
        Value::U128(64_500),
        Value::I32(64_500),
        Value::Double(64_500.0),
        Value::Float(64_500.0),
        Value::from("64500"),
        Value::from("AS64500"),
        Value::from("as64500 Example Org"),
    ];
    for key in ["autonomous_system_number", "asn", "as_number", "asnum", "AutonomousSystemNumber"] {
        let records = widths.clone().map(|number| map([(key, number)]));
        let (found, faults) = read("Test-ASN", &records);
        assert_eq!(faults, [""; 0], "{key}");
        assert!(found.iter().all(|location| location.asn == Some(64_500)), "{key}: {found:?}");
    }
    let whole = [Value::U16(50), Value::I32(-8), Value::Float(50.5), Value::Double(-8.25), Value::from("50.5")];
    let record = |n: &Value| map([("location", map([("latitude", n.clone()), ("longitude", n.clone())]))]);
    let (found, faults) = read("Test-City", &whole.each_ref().map(record));
    assert_eq!(faults, [""; 0]);
    let expected = [500_000, -80_000, 505_000, -82_500, 505_000];
    assert!(
        found.iter().zip(expected).all(|(l, n)| l.coordinates == Some(Coordinates { lat: n, lon: n })),
        "{found:?}"
    );
}

#[test]
fn a_number_that_cannot_be_is_unknown_and_reported() {
    let numbers = [
        Value::U64(1 << 32),
        Value::U128(u128::MAX),
        Value::I32(-1),
        Value::Double(1.5),
        Value::from("ASx"),
        Value::from("AS"),
        Value::from("+5"),
    ];
    let records = numbers.map(|number| map([("autonomous_system_number", number), nested("DE")]));
    let (found, faults) = read("Test-ASN", &records);
    assert_eq!(found, vec![germany(); 7]);
    let expected = "Warning in the geo database db.mmdb `autonomous_system_number` is no AS number: 7 records, first at \
                    20.0.0.0/16; the field counts as unknown";
    assert_eq!(faults, [expected]);
    // None is announced there.
    let (found, faults) = read("Test-ASN", &[map([("asn", Value::U32(0)), nested("DE")])]);
    assert_eq!((found, faults), (vec![germany()], vec![]));
}

#[test]
fn a_field_of_another_shape_is_unknown_and_reported_with_its_first_network() {
    let is = |field: &str, why: &str| {
        format!(
            "Warning in the geo database db.mmdb `{field}` is {why} is expected: 1 record, first at 20.1.0.0/16; the field \
             counts as unknown"
        )
    };
    for (key, value, field, why) in [
        ("city", Value::from("Frankfurt"), "city", "text where a map"),
        ("city", map([("names", Value::from("Frankfurt"))]), "city.names", "text where a map"),
        ("city", map([("names", map([("en", Value::U16(7))]))]), "city.names.en", "a number where text"),
        ("continent", Value::from("EU"), "continent", "text where a map"),
        ("continent", map([("code", Value::Array(vec![]))]), "continent.code", "a list where text"),
        ("subdivisions", Value::from("HE"), "subdivisions", "text where a list"),
        ("subdivisions", map([("iso_code", Value::from("HE"))]), "subdivisions", "a map where a list"),
        ("subdivisions", Value::Array(vec![Value::from("HE")]), "subdivisions", "text where a map"),
        ("location", Value::from("50.1,8.7"), "location", "text where a map"),
        (
            "location",
            map([("latitude", Value::Bool(true)), ("longitude", Value::U16(8))]),
            "location.latitude",
            "of another type where a number",
        ),
        ("traits", Value::Bytes(vec![1]), "traits", "of another type where a map"),
        ("asn", Value::Array(vec![]), "asn", "a list where a number"),
    ] {
        let (found, faults) = read("Test-City", &[map([nested("DE")]), map([nested("DE"), (key, value)])]);
        assert_eq!(found, vec![germany(); 2], "{key}");
        assert_eq!(faults, [is(field, why)]);
    }
    let (found, faults) =
        read("Test-City", &[map([nested("DE")]), map([("country", map([("iso_code", Value::U16(7))]))])]);
    assert_eq!(found, [germany(), Location::default()]);
    assert_eq!(faults, [is("country.iso_code", "a number where text")]);
    let (_, faults) = read("Test-City", &[map([nested("DE")]), Value::from("DE")]);
    assert_eq!(faults[0].replace("the record", "`the record`"), is("the record", "text where a map"));
}

#[test]
fn flat_layouts_of_free_databases_are_read() {
    let text = |entries: &[(&str, &str)]| {
        Value::Map(entries.iter().map(|(key, value)| ((*key).to_owned(), Value::from(*value))).collect())
    };
    let point = Some(Coordinates { lat: 501_100, lon: 86_800 });
    let whole = Location {
        continent: Some(*b"EU"),
        country: Some(*b"DE"),
        city: Some("Frankfurt".into()),
        coordinates: point,
        ..Location::default()
    };
    let numbered = Location { continent: Some(*b"EU"), asn: Some(64_500), ..germany() };
    let frankfurt = Location { continent: None, ..whole.clone() };
    for (kind, record, expected) in [
        (
            "Test-Country",
            text(&[("country", "DE"), ("continent", "EU")]),
            Location { continent: Some(*b"EU"), ..germany() },
        ),
        ("x", text(&[("country_code", "DE")]), germany()),
        (
            "x",
            text(&[("country", "DE"), ("continent", "EU"), ("city", "Frankfurt"), ("lat", "50.11"), ("lng", "8.68")]),
            whole,
        ),
        (
            "x",
            map([
                ("country_code", Value::from("DE")),
                ("city", Value::from("Frankfurt")),
                ("state1", Value::from("Hesse")),
                ("latitude", Value::Float(50.11)),
                ("longitude", Value::Float(8.68)),
                ("postcode", Value::from("")),
            ]),
            frankfurt.clone(),
        ),
        ("x", text(&[("country", "DE"), ("city", "Frankfurt"), ("loc", "50.11,8.68")]), frankfurt),
        // Names stand beside codes; only the codes are read.
        (
            "lite",
            text(&[
                ("asn", "AS64500"),
                ("as_name", "Example"),
                ("country", "Germany"),
                ("country_code", "DE"),
                ("continent", "Europe"),
                ("continent_code", "EU"),
            ]),
            numbered.clone(),
        ),
        ("x", text(&[("country", "DE"), ("continent", "Europe"), ("asn", "64500")]), numbered),
        (
            "x",
            text(&[("country", "DE"), ("region", "Hesse"), ("region_code", "HE")]),
            Location { subdivision: Some("HE".into()), ..germany() },
        ),
        // Nothing is known there.
        (
            "x",
            text(&[("country_code", "-"), ("city", "-"), ("latitude", "0.0"), ("longitude", "0.0")]),
            Location::default(),
        ),
        ("x", text(&[("country_code", ""), ("asn", "")]), Location::default()),
    ] {
        assert_eq!(read(kind, std::slice::from_ref(&record)), (vec![expected], vec![]), "{kind} {record:?}");
    }
}

#[test]
fn a_nested_code_goes_before_a_flat_one_and_a_number_may_be_in_a_map() {
    let both = map([nested("DE"), ("country_code", Value::from("US")), ("continent_code", Value::from("NA"))]);
    let (found, faults) = read("Test-Country", &[map([nested("DE")]), both]);
    assert_eq!((found[1].country, found[1].continent, faults), (Some(*b"DE"), Some(*b"NA"), vec![]));
    for key in ["number", "asn", "autonomous_system_number"] {
        let record = map([("asn", map([(key, Value::from("AS64500")), ("name", Value::from("Example"))]))]);
        let (found, faults) = read("x", &[record]);
        assert_eq!((found[0].asn, faults), (Some(64_500), vec![]), "{key}");
    }
    let english = || map([("names", map([("en", Value::from("Europe"))]))]);
    for (record, fault) in [
        (map([("country", map([("code", Value::from("DE"))]))]), "`country` is a map without `iso_code`"),
        (map([nested("DE"), ("continent", english())]), "`continent` is a map without `code`"),
        (map([nested("DE"), ("city", map([("name", Value::from("Berlin"))]))]), "`city` is a map without `names`"),
        (
            map([nested("DE"), ("location", map([("lat", Value::Float(50.1))]))]),
            "`location` is a map without `latitude`",
        ),
        (
            map([("country", Value::from("DE")), ("lat", Value::Float(50.1))]),
            "`lat` has a latitude or a longitude alone",
        ),
    ] {
        let (_, faults) = read("x", &[record]);
        assert!(faults.len() == 1 && faults[0].contains(fault), "{fault}: {faults:?}");
    }
    // MaxMind's maps need not have it.
    let beside = map([("geoname_id", Value::from("1"))]);
    let bare =
        map([nested("DE"), ("continent", beside), ("location", map([("time_zone", Value::from("Europe/Berlin"))]))]);
    assert_eq!(read("Test-City", &[bare]), (vec![germany()], vec![]));
    let (found, faults) = read("x", &[map([("asn", map([("name", Value::from("Example"))]))])]);
    assert_eq!(found[0].asn, None);
    assert!(faults[0].contains("`asn` is a map without a number: 1 record, first at 20.0.0.0/16"), "{faults:?}");
}

#[test]
fn the_first_records_show_the_layout() {
    let flat = map([("country", Value::from("DE"))]);
    let (found, faults) =
        read("Test-Country", &[flat.clone(), map([("country", Value::from("IT"))]), map([nested("FR")])]);
    assert_eq!(found[0], germany());
    assert_eq!((found[2].country, faults), (Some(*b"FR"), vec![]), "a map says what it is");
    let (found, faults) = read("Test-Country", &[map([nested("FR")]), flat]);
    assert_eq!(found[1], Location::default());
    assert!(
        faults[0].contains("`country` is text where a map is expected: 1 record, first at 20.1.0.0/16"),
        "{faults:?}"
    );
}

#[test]
fn all_sources_know_the_same_countries() {
    for code in ["QQ", "UK", "EU", "ZZ", "DEU", "d"] {
        let (found, faults) = read("Test-Country", &[map([nested("DE")]), map([nested(code)])]);
        assert_eq!(found[1], Location::default(), "{code}");
        assert!(faults[0].contains("`country.iso_code` is no code of a country: 1 record"), "{faults:?}");
        assert!(table(&format!("{HEADER}192.0.2.0/24,,{code},,,,,\n")).1[0].contains("is no country"));
    }
    for code in ["XK", "xk", "AX", "BV", "GS"] {
        let (found, faults) = read("Test-Country", &[map([nested(code)])]);
        assert_eq!((found[0].country, faults.len()), (overrides::country(code).ok(), 0));
    }
    let (found, faults) = read("x", &[map([("country", Value::from("DE")), ("continent", Value::from("XX"))])]);
    assert_eq!(found, [germany()]);
    assert!(faults[0].contains("`continent` is no continent"), "{faults:?}");
}

#[test]
fn a_database_without_a_description_is_not_damaged() {
    let mut folder = Folder::new();
    let mut writer = Writer::builder("").build();
    writer.insert_value("20.0.0.0/16".parse::<IpNet>().unwrap(), map([nested("DE")])).unwrap();
    let named = folder.put("db.mmdb", &writer.to_bytes().unwrap());
    let (atlas, faults) = folder.load(&[named], None);
    assert_eq!(faults, []);
    assert_eq!(atlas.find(prefix("20.0.0.0/16")).location, Some(&germany()));
}
