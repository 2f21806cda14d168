//! Hostile files, layers, and lines of CSV.

use std::{fs, net::IpAddr, path::Path};

use mmdb_writer::{Value, Writer, ipnet::IpNet};

use super::{
    super::fault::{FileId, Severity},
    overrides::OverrideLine,
    *,
};
use crate::engine::{
    geo::{Coordinates, Cuts, GeoKey, Ground, Location, Map, Measures, Model, RegionPoint, Rule},
    types::{Prefix, RegionId},
};

mod layouts;

fn prefix(text: &str) -> Prefix {
    let (address, len) = text.split_once('/').unwrap();
    Prefix::new(address.parse::<IpAddr>().unwrap(), len.parse().unwrap())
}

/// The good lines of a text, and each fault as `line:column message | remedy`.
fn table(text: &str) -> (Vec<OverrideLine>, Vec<String>) {
    let (mut sources, mut faults) = (Sources::default(), Vec::new());
    let file = sources.add("overrides.csv", text);
    let lines = overrides::read(file, &sources, &mut faults);
    let written = faults.iter().map(|fault| {
        let (line, column) = sources.line_column(fault.place.as_ref().unwrap());
        format!("{line}:{column} {} | {}", fault.message, fault.remedy.as_deref().unwrap())
    });
    (lines, written.collect())
}

const HEADER: &str = "prefix,continent,country,subdivision,city,lat,lon,asn\n";

/// A folder with files, and the names by which a configuration would know them.
struct Folder {
    folder: tempfile::TempDir,
    sources: Sources,
    config: FileId,
}

impl Folder {
    fn new() -> Self {
        let mut sources = Sources::default();
        let config = sources.add("meridian.toml", "the configuration");
        Self { folder: tempfile::tempdir().unwrap(), sources, config }
    }

    fn named(&self, name: &str) -> NamedFile {
        NamedFile { path: self.folder.path().join(name), place: Place { file: self.config, span: 4..17 } }
    }

    fn put(&self, name: &str, bytes: &[u8]) -> NamedFile {
        fs::write(self.folder.path().join(name), bytes).unwrap();
        self.named(name)
    }

    /// Loads databases, then overrides; faults as (severity, message: label).
    fn load(&mut self, databases: &[NamedFile], overrides: Option<&NamedFile>) -> (Atlas, Vec<(Severity, String)>) {
        let mut faults = Vec::new();
        let files = Files { databases, overrides, ..Files::default() };
        let atlas = load(&files, &mut self.sources, &mut faults).atlas;
        for fault in &faults {
            assert!(fault.place.is_some() && fault.remedy.is_some(), "{fault:?}");
        }
        (atlas, faults.into_iter().map(|f| (f.severity, format!("{}: {}", f.message, f.label))).collect())
    }
}

/// The one error that loading this database makes.
fn refusal(bytes: &[u8]) -> String {
    let mut folder = Folder::new();
    let named = folder.put("db.mmdb", bytes);
    let (_, faults) = folder.load(&[named], None);
    let [(Severity::Error, text)] = &faults[..] else { panic!("{faults:?}") };
    text.replace(&*folder.folder.path().to_string_lossy(), "")
}

fn built(text: &str) -> Vec<u8> {
    let (lines, faults) = table(text);
    assert_eq!(faults, [""; 0]);
    write(&lines).unwrap()
}

fn foreign(kind: &str, network: &str, record: Value) -> Vec<u8> {
    let mut writer = Writer::builder(kind).description(&[("en", "test")]).build();
    writer.insert_value(network.parse::<IpNet>().unwrap(), record).unwrap();
    writer.to_bytes().unwrap()
}

// ----- Lines -------------------------------------------------------------------------------------------------

#[test]
fn columns_come_in_any_order_and_names_may_hold_commas() {
    let text = "\u{feff}# ours\r\n\r\ncity,prefix,country,lat,lon,ASN\r\n\"Washington, D.C.\", 192.0.2.0/24 ,us,38.9072,-77.0369,64500\r\n";
    let (lines, faults) = table(text);
    assert_eq!(faults, [""; 0]);
    let expected = Location {
        country: Some(*b"US"),
        city: Some("Washington, D.C.".into()),
        coordinates: Some(Coordinates { lat: 389_072, lon: -770_369 }),
        asn: Some(64_500),
        ..Location::default()
    };
    assert_eq!(lines.len(), 1);
    assert_eq!((lines[0].prefix, &lines[0].location), (prefix("192.0.2.0/24"), &expected));
    assert_eq!(&text[lines[0].place.span.clone()], "192.0.2.0/24");
}

#[test]
fn an_as_number_may_have_as_before_it() {
    for written in ["64500", "AS64500", "as64500", "As64500"] {
        let (lines, faults) = table(&format!("prefix,asn\n192.0.2.0/24,{written}\n"));
        assert_eq!(faults, [""; 0], "{written}");
        assert_eq!(lines[0].location.asn, Some(64_500), "{written}");
    }
    for written in ["AS", "AS0", "AS 64500", "AS+1", "AS4294967296", "Ä1"] {
        let (_, faults) = table(&format!("prefix,asn\n192.0.2.0/24,{written}\n"));
        assert_eq!(faults.len(), 1, "{written}: {faults:?}");
    }
}

#[test]
fn every_bad_field_is_a_fault_at_its_own_place() {
    let (lines, faults) = table(&format!(
        "# a comment\n{HEADER}\
         192.0.2.1/24,EU,DE,HE,Frankfurt,50.1,8.7,64500\n\
         198.51.100.0/33,XX,UK,US-CA,x,91,181,ASAS64500\n\n\
         # another\n\
         203.0.113.0,,,,,,,\n\
         nonsense/8,,,CA,,1,,\n\
         ,,,,,,,\n\
         2002:c000:201::/48,,,,,,,0\n\
         10.0.0.0/8,EU\n\
         172.16.0.0/12,EU,DE,,,nan,1e3,\n\
         100.64.0.0/10,EU,DE,HE,\"Frankfurt, Main\",50.1,8.7,64500\n"
    ));
    assert_eq!(lines.len(), 1);
    assert_eq!(
        faults,
        [
            "3:1 `192.0.2.1/24` has bits set beyond its length | write 192.0.2.0/24",
            "4:1 `198.51.100.0/33` has a length that does not exist | write /0 to /32",
            "4:17 `XX` is no continent | write one of AF, AN, AS, EU, NA, OC, SA",
            "4:20 `UK` is no country | write the two letters of ISO 3166-1, as DE; GB for the United Kingdom",
            "4:23 `US-CA` names the country too | write `CA`",
            "4:31 `91` is not on the globe | write decimal degrees from -90 to 90",
            "4:34 `181` is not on the globe | write decimal degrees from -180 to 180",
            "4:38 `ASAS64500` is no AS number | write a number from 1 to 4294967295, as 64500 or AS64500",
            "7:1 `203.0.113.0` has no length | write 203.0.113.0/32 for this one address",
            "8:1 `nonsense/8` does not start with an address | write it as 192.0.2.0/24 or 2001:db8::/48",
            "8:18 `1` stands alone | give lat and lon, or neither",
            "8:14 `CA` is a subdivision of no country | give the country too",
            "9:1 this line has no prefix | every line needs one, as 192.0.2.0/24",
            "10:1 `2002:c000:201::/48` is a form of IPv4, whose clients are looked up as IPv4 | write 192.0.2.1/32",
            "10:26 `0` is no AS number | write a number from 1 to 4294967295, as 64500 or AS64500",
            "11:1 this line has 2 fields, the header has 8 | write a comma for every column, and quotes around a name \
             that holds one",
            "12:23 `nan` is not on the globe | write decimal degrees from -90 to 90",
            "12:27 `1e3` is not on the globe | write decimal degrees from -180 to 180",
        ]
    );
}

#[test]
fn a_prefix_that_is_there_twice_shows_both() {
    let (mut sources, mut faults) = (Sources::default(), Vec::new());
    let file = sources.add("o.csv", format!("{HEADER}192.0.2.0/24,,DE,,,,,\n# between\n192.0.2.0/24,,FR,,,,,\n"));
    assert_eq!(overrides::read(file, &sources, &mut faults).len(), 1);
    let [fault] = &faults[..] else { panic!("{faults:?}") };
    assert_eq!(fault.message, "192.0.2.0/24 is there twice");
    assert_eq!(sources.line_column(fault.place.as_ref().unwrap()), (4, 1));
    assert_eq!(sources.line_column(&fault.also[0].0), (2, 1));
}

#[test]
fn an_open_quote_swallows_no_other_line() {
    let (lines, faults) = table(&format!(
        "{HEADER}192.0.2.0/24,,DE,,\"Berlin,,,\n198.51.100.0/24,,XQ,,,,,\n203.0.113.0/24,,IN,,,,,\n10.0.0.0/8,,DE,,\"x,,,"
    ));
    assert_eq!(lines.iter().map(|line| line.prefix).collect::<Vec<_>>(), [prefix("203.0.113.0/24")]);
    assert_eq!(faults[0], "2:19 a quote is not closed on its line | close it, or double it where it is part of a name");
    assert!(faults[1].starts_with("3:18 `XQ` is no country"));
    assert!(faults[2].starts_with("5:1 this line has 5 fields"), "{}", faults[2]);
}

#[test]
fn headers_are_checked_too() {
    let (_, faults) = table("prefix,contry,city,City\n");
    assert_eq!(faults[0], "1:8 there is no column `contry` | did you mean `country`?");
    assert_eq!(faults[1], "1:20 the column `City` is there twice | take one of them out");
    let (_, faults) = table("192.0.2.0/24,EU\n");
    assert_eq!(faults.len(), 3);
    assert!(faults[2].starts_with("1:1 the header has no column `prefix`"));
    let (_, faults) = table("# nothing\n\n");
    assert!(faults[0].starts_with("3:1 overrides.csv has no header line"));
}

#[test]
fn other_separators_are_named_once() {
    for (text, said) in [
        ("prefix;country\n192.0.2.0/24;DE\n", "1:7 the fields are parted by `;`, not by commas"),
        ("prefix\tcountry\n192.0.2.0/24\tDE\n", "1:7 the fields are parted by tabs, not by commas"),
        ("# places\nprefix|country\n192.0.2.0/24|DE\n", "2:7 the fields are parted by `|`, not by commas"),
    ] {
        let (lines, faults) = table(text);
        assert!(lines.is_empty() && faults.len() == 1, "{faults:?}");
        assert!(faults[0].starts_with(said), "{faults:?}");
    }
    let (_, faults) = table("prefix,country\n192.0.2.0/24;DE\n");
    assert_eq!(faults, ["2:1 this line has 1 field, the header has 2 | part the fields by commas, as in the header"]);
    let (lines, faults) = table("\u{feff}prefix,country\r\n192.0.2.0/24,DE\r\n");
    assert_eq!((lines.len(), faults.len()), (1, 0), "a mark and CR LF are no part of the data: {faults:?}");
}

// ----- Databases ---------------------------------------------------------------------------------------------

#[test]
fn what_is_written_is_read_back_and_the_longest_prefix_wins() {
    let text = format!(
        "{HEADER}198.51.100.128/25,EU,DE,HE,Frankfurt,50.1109,8.6821,64500\n\
         198.51.0.0/16,NA,US,NY,New York,40.7128,-74.006,\n\
         2001:db8::/32,,,,,,,64501\n"
    );
    let mut folder = Folder::new();
    let named = folder.put("demo.mmdb", &built(&text));
    let (atlas, faults) = folder.load(&[named], None);
    assert_eq!(faults, []);
    for line in table(&text).0 {
        let spot = atlas.find(Prefix::host(line.prefix.address()));
        assert_eq!((spot.location, spot.source), (Some(&line.location), "demo.mmdb"), "{}", line.prefix);
    }
    assert_eq!(atlas.find(prefix("198.51.100.200/32")).leaf, prefix("198.51.100.128/25"));
    assert_eq!(atlas.find(prefix("198.51.100.100/32")).location.unwrap().country, Some(*b"US"));
}

#[test]
fn of_several_databases_the_first_that_knows_a_field_has_it_and_overrides_win() {
    let mut folder = Folder::new();
    let country = Value::map([("country", Value::map([("iso_code", Value::from("DE"))]))]);
    let first = folder.put("country.mmdb", &foreign("GeoLite2-Country", "20.0.0.0/9", country));
    let asn = Value::map([("autonomous_system_number", Value::from(64_500_u32))]);
    let second = folder.put("asn.mmdb", &foreign("GeoLite2-ASN", "20.0.0.0/8", asn));
    let overrides = folder.put("o.csv", format!("{HEADER}20.1.0.0/16,,FR,,,,,\n").as_bytes());
    let (atlas, faults) = folder.load(&[first, second], Some(&overrides));
    assert_eq!(faults, []);
    let both = atlas.find(prefix("20.2.0.0/16"));
    let location = both.location.unwrap();
    assert_eq!((location.country, location.asn), (Some(*b"DE"), Some(64_500)));
    assert_eq!(both.source, "country.mmdb, asn.mmdb");
    let over = atlas.find(prefix("20.1.2.0/24"));
    assert_eq!((over.location.unwrap().country, over.location.unwrap().asn), (Some(*b"FR"), None));
    assert_eq!(over.source, "o.csv");
}

#[test]
fn files_that_are_no_databases_are_refused_where_they_are_named() {
    let mut folder = Folder::new();
    let (_, faults) = folder.load(&[folder.named("none.mmdb")], Some(&folder.named("none.csv")));
    assert_eq!(faults.len(), 2);
    assert!(
        faults.iter().all(|(severity, text)| *severity == Severity::Error && text.contains("there is no such file"))
    );
    let (_, faults) = folder.load(&[NamedFile { path: folder.folder.path().into(), ..folder.named("") }], None);
    assert!(faults[0].1.ends_with("it is not a regular file but a folder"), "{faults:?}");
    if Path::new("/dev/zero").exists() {
        let (_, faults) = folder.load(&[NamedFile { path: "/dev/zero".into(), ..folder.named("") }], None);
        assert!(faults[0].1.contains("it is not a regular file but a device"), "{faults:?}");
    }
    assert_eq!(refusal(b""), "/db.mmdb is not a MaxMind database, or was cut short: it is empty");
    assert_eq!(refusal(&[7; 70_000]), "/db.mmdb is not a MaxMind database, or was cut short: it has no metadata");
    let text = refusal(&foreign("GeoIP2-Anonymous-IP", "20.0.0.0/8", Value::map([("x", Value::from(1_u32))])));
    let expected = "the geo database /db.mmdb does not say where addresses are: its type is `GeoIP2-Anonymous-IP`, and its \
                    first records have no field that is read";
    assert_eq!(text, expected);
}

#[test]
fn odd_fields_count_as_unknown_with_a_warning() {
    let far = Value::map([("latitude", Value::from(f64::NAN)), ("longitude", Value::from(8.0))]);
    let country = Value::map([("iso_code", Value::from("DEU"))]);
    let mut folder = Folder::new();
    let record =
        Value::map([("country", country), ("location", far), ("autonomous_system_number", Value::from(1_u32))]);
    let named = folder.put("odd.mmdb", &foreign("X-City", "20.0.0.0/8", record));
    let (atlas, faults) = folder.load(&[named.clone(), named], None);
    assert_eq!(faults.len(), 3);
    assert!(faults.iter().all(|(severity, _)| *severity == Severity::Warning));
    assert!(
        faults[0].1.contains("`country.iso_code` is no code of a country: 1 record, first at 20.0.0.0/8"),
        "{faults:?}"
    );
    assert!(faults[1].1.contains("`location` is not on the globe"));
    assert!(faults[2].1.contains("named twice"));
    let location = atlas.find(prefix("20.0.0.1/32")).location.unwrap();
    assert_eq!(location, &Location { asn: Some(1), ..Location::default() });
}

/// Reads a spoilt database: it must not panic, and either loads or says what is wrong.
fn spoilt(folder: &mut Folder, bytes: &[u8]) -> bool {
    let named = folder.put("spoilt.mmdb", bytes);
    let (_, faults) = folder.load(&[named], None);
    faults.iter().any(|(severity, _)| *severity == Severity::Error)
}

const DEMO: &[u8] = include_bytes!("../../../geoip/demo-city.mmdb");

#[test]
fn a_database_that_was_cut_is_refused_whole() {
    let mut folder = Folder::new();
    for len in (0..DEMO.len()).step_by(1 << 10).chain(DEMO.len() - 200..DEMO.len()) {
        assert!(spoilt(&mut folder, &DEMO[..len]), "cut at {len}");
    }
    assert!(!spoilt(&mut folder, DEMO));
}

#[test]
fn no_flipped_bit_makes_a_panic() {
    let (mut folder, mut bytes) = (Folder::new(), DEMO.to_vec());
    let (mut state, mut refused) = (0x9e37_79b9_7f4a_7c15_u64, 0);
    for _ in 0..10_000 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (at, bit) = ((state >> 33) as usize % bytes.len(), 1 << (state >> 30 & 7));
        bytes[at] ^= bit;
        refused += u32::from(spoilt(&mut folder, &bytes));
        bytes[at] ^= bit;
    }
    assert!(refused > 1000, "only {refused} were noticed");
}

#[test]
fn no_lie_in_the_metadata_makes_a_panic() {
    let (mut folder, mut bytes) = (Folder::new(), DEMO.to_vec());
    let metadata = bytes.windows(11).rposition(|window| window == b"MaxMind.com").unwrap();
    for at in metadata..bytes.len() {
        let kept = bytes[at];
        for lie in [0, 1, 0x7f, 0xff] {
            bytes[at] = lie;
            spoilt(&mut folder, &bytes);
        }
        bytes[at] = kept;
    }
}

// ----- The files in geoip/ -----------------------------------------------------------------------------------

#[test]
fn the_committed_database_is_what_its_lines_make() {
    let bytes = built(include_str!("../../../geoip/demo-city.csv"));
    assert!(bytes == DEMO, "make it again: meridian geo build geoip/demo-city.csv -o geoip/demo-city.mmdb");
}

#[test]
fn the_committed_overrides_and_resolvers_are_good() {
    let (lines, faults) = table(include_str!("../../../geoip/overrides.csv"));
    assert_eq!((lines.len(), faults), (3, vec![]));
    let (lines, faults) = table(include_str!("../../../geoip/resolvers.csv"));
    assert_eq!((lines.len(), faults), (3, vec![]));
}

#[test]
fn the_demonstration_has_a_client_near_each_of_its_regions() {
    let mut folder = Folder::new();
    let database = folder.put("demo-city.mmdb", DEMO);
    let (atlas, faults) = folder.load(&[database], None);
    assert_eq!(faults, []);
    // Name order: ap-south, eu-west, us-east.
    let points = [(190_760, 728_777), (501_109, 86_821), (390_438, -774_874)]
        .map(|(lat, lon)| RegionPoint { location: Some(Coordinates { lat, lon }), bias: 0 });
    let rule = Rule {
        regions: (0..3).map(RegionId).collect(),
        keys: vec![(GeoKey::Rtt, 100)],
        groups: vec![0b111],
        depth: 3,
        ..Rule::default()
    };
    let ground = Ground {
        atlas: &atlas,
        resolvers: &Atlas::default(),
        points: &points,
        measures: &Measures::default(),
        nowhere: &Vec::new(),
        model: Model::default(),
        cuts: Cuts::default(),
    };
    let map = Map::compile(&ground, &rule);
    for (client, nearest, scope) in [
        ("203.0.113.0/24", 0b001, 24),
        ("198.51.100.0/24", 0b010, 24),
        ("192.0.2.0/24", 0b100, 24),
        ("2001:db8:3::/56", 0b001, 48),
        ("2001:db8:2::/56", 0b010, 48),
        ("2001:db8:1::/56", 0b100, 48),
        // Nobody knows: all are equally near.
        ("1.2.3.0/24", 0b111, 8),
    ] {
        let piece = map.find(prefix(client));
        assert_eq!((map.best(piece.catchment, 0, 0b111), piece.prefix.len()), (nearest, scope), "{client}");
    }
}
