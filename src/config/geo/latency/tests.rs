//! Lines of latency files, good and bad, and files against each other.

use std::net::IpAddr;

use super::*;
use crate::config::geo::files::NamedFile;

const REGIONS: &[&str] = &["eu-west", "us-east"];

fn net(text: &str) -> Whose {
    let (address, len) = text.split_once('/').unwrap();
    Whose::Net(Prefix::new(address.parse::<IpAddr>().unwrap(), len.parse().unwrap()))
}

/// The good lines of a text that is 7 ms old, and each fault as `line:column message | remedy`.
fn lines(text: &str) -> (Vec<(Whose, String, Reading)>, Vec<String>) {
    let (mut sources, mut faults) = (Sources::default(), Vec::new());
    let file = sources.add("latency.csv", text);
    let lines = read(file, Millis(7), REGIONS, &sources, &mut faults);
    let written = faults.iter().map(|fault| {
        let (line, column) = sources.line_column(fault.place.as_ref().unwrap());
        format!("{line}:{column} {} | {}", fault.message, fault.remedy.as_deref().unwrap())
    });
    (lines.into_iter().map(|line| (line.whose, line.region.into(), line.reading)).collect(), written.collect())
}

#[test]
fn clients_are_prefixes_as_numbers_and_countries() {
    let (found, faults) = lines(
        "region,client,ms,samples\n\
         eu-west,198.51.100.0/24,12.5,40\n\
         eu-west, 2001:db8:2::/48 ,12.46,5\n\
         us-east,AS64500,90,\n\
         us-east,de,0.04,1\n",
    );
    assert_eq!(faults, [""; 0]);
    let reading = |rtt, samples: Option<u32>| Reading {
        rtt,
        samples,
        age: if samples.is_some() { Millis(7) } else { Millis(0) },
    };
    assert_eq!(
        found,
        [
            (net("198.51.100.0/24"), "eu-west".into(), reading(Rtt(125), Some(40))),
            (net("2001:db8:2::/48"), "eu-west".into(), reading(Rtt(125), Some(5))),
            (Whose::Asn(64_500), "us-east".into(), reading(Rtt(900), None)),
            (Whose::Country(*b"DE"), "us-east".into(), reading(Rtt(1), Some(1))),
        ]
    );
    let (found, faults) = lines("client,region,ms\nDE,eu-west,3\n");
    assert_eq!((found[0].2, faults), (reading(Rtt(30), None), vec![]), "without the column all are statements");
}

#[test]
fn every_bad_field_is_a_fault_at_its_own_place() {
    let (found, faults) = lines(
        "client,region,ms,samples\n\
         198.51.100.128/25,eu-west,1,1\n\
         2001:db8::/49,eu-west,1,1\n\
         AS0,eu-wets,x,-1\n\
         XX,nowhere,0,1.5\n\
         ,,,\n\
         ::ffff:192.0.2.0/120,eu-west,10001,1\n\
         DE,us-east,nan,1\n\
         GB,us-east,90\n\
         FR,us-east,90,1\n\
         FR,us-east,91,1\n",
    );
    assert_eq!(found.len(), 3);
    assert_eq!(
        faults,
        [
            "4:1 `AS0` is no AS number | write AS and the number, as AS64500",
            "4:5 `eu-wets` is no region | did you mean `eu-west`?",
            "4:13 `x` is not a number | write milliseconds, as 12.5",
            "4:15 `-1` is no number of samples | write how many measurements it is made from; leave it empty for a statement",
            "5:1 `XX` is no country | write the two letters of ISO 3166-1, as DE; GB for the United Kingdom",
            "5:4 `nowhere` is no region | name a region of the configuration, or take the line out",
            "5:12 `0` is no round-trip time | write milliseconds above 0, up to 10000",
            "5:14 `1.5` is no number of samples | write how many measurements it is made from; leave it empty for a statement",
            "6:1 this line has no client | write a prefix, an AS number as AS64500, or a country as DE",
            "6:2 this line has no region | name the region that was measured",
            "6:3 this line has no round-trip time | write milliseconds, as 12.5",
            "7:1 `::ffff:192.0.2.0/120` is a form of IPv4, whose clients are looked up as IPv4 | write 192.0.2.0/24",
            "7:30 `10001` is no round-trip time | write milliseconds above 0, up to 10000",
            "8:12 `nan` is no round-trip time | write milliseconds above 0, up to 10000",
            "9:1 this line has 3 fields, the header has 4 | write a comma for every column, and quotes around a name that holds one",
            "11:1 FR to us-east is there twice | take one of them out",
        ]
    );
}

#[test]
fn a_header_names_the_three_columns_that_every_file_has() {
    let header = |text: &str| lines(text).1;
    assert_eq!(
        header("client,ms\n"),
        ["1:1 the header has no column `region` | start with `client,region,ms,samples`"]
    );
    assert_eq!(
        header("client,region,rtt\n"),
        [
            "1:15 there is no column `rtt` | the columns are client, region, ms, samples",
            "1:1 the header has no column `ms` | start with `client,region,ms,samples`",
        ]
    );
    assert_eq!(header(""), ["1:1 latency.csv has no header line | start with `client,region,ms,samples`"]);
}

#[test]
fn the_last_file_has_a_cell_and_prefixes_are_counted_over_all() {
    let folder = tempfile::tempdir().unwrap();
    let mut sources = Sources::default();
    let config = sources.add("meridian.toml", "the configuration");
    let put = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        NamedFile { path, place: Place { file: config, span: 4..17 } }
    };
    let files = [
        put("a.csv", "client,region,ms\n192.0.2.0/24,eu-west,10\nDE,eu-west,20\n"),
        put("b.csv", "client,region,ms\n198.51.100.0/24,eu-west,30\nDE,eu-west,40\nDE,us-east,90\n"),
    ];
    let mut load = |max_prefixes| {
        let mut faults = Vec::new();
        let files = Files { latency: &files, max_prefixes, regions: REGIONS, ..Files::default() };
        let found = super::super::load(&files, &mut sources, &mut faults);
        (found, faults.into_iter().map(|fault| fault.label).collect::<Vec<_>>())
    };
    let (found, faults) = load(2);
    assert_eq!(faults, [""; 0]);
    let cells: Vec<_> = found.cells.iter().map(|line| (line.whose.to_string(), line.reading.rtt.0)).collect();
    let cells: Vec<_> = cells.iter().map(|(whose, rtt)| (&**whose, *rtt)).collect();
    assert_eq!(cells, [("192.0.2.0/24", 100), ("DE", 400), ("198.51.100.0/24", 300), ("DE", 900)]);
    // What is measured is a leaf of both atlases.
    let Whose::Net(prefix) = net("192.0.2.0/24") else { panic!("a net") };
    for atlas in [&found.atlas, &found.resolvers] {
        assert_eq!(atlas.find(Prefix::host(prefix.address())).facts.nets().collect::<Vec<_>>(), [prefix]);
    }
    assert_eq!(load(1).1, ["2 with this file; at most 1"]);
}

#[test]
fn a_file_of_measurements_that_are_too_old_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut sources = Sources::default();
    let config = sources.add("meridian.toml", "the configuration");
    let mut told = |text: &str, max_age| {
        let path = folder.path().join("a.csv");
        fs::write(&path, text).unwrap();
        let files = [NamedFile { path, place: Place { file: config, span: 4..17 } }];
        let files = Files { latency: &files, max_prefixes: 9, max_age, regions: REGIONS, ..Files::default() };
        let mut faults = Vec::new();
        super::super::load(&files, &mut sources, &mut faults);
        faults.into_iter().map(|fault| fault.label).collect::<Vec<_>>()
    };
    let measured = "client,region,ms,samples\nDE,eu-west,20,9\n";
    assert_eq!(told(measured, Some(Millis(0))), ["written 0 h ago, which is beyond `latency.max_age`"]);
    assert_eq!(told(measured, Some(Millis(86_400_000))), [""; 0]);
    assert_eq!(told("client,region,ms\nDE,eu-west,20\n", Some(Millis(0))), [""; 0], "a statement does not age");
}

#[test]
fn the_committed_file_is_good() {
    let (found, faults) = {
        let (mut sources, mut faults) = (Sources::default(), Vec::new());
        let file = sources.add("latency.csv", include_str!("../../../../geoip/latency.csv"));
        (read(file, Millis(0), &["ap-south", "eu-west", "us-east"], &sources, &mut faults), faults)
    };
    assert!(faults.is_empty(), "{faults:?}");
    assert!(found.iter().all(|line| line.reading.samples.is_none()), "a statement, so that it does not age");
    assert_eq!(found.len(), 8);
}
