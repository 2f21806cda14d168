//! What `build` writes and refuses, and what `lookup` shows.

use std::{net::IpAddr, sync::Arc};

use clap::Parser;

use super::*;
use crate::engine::{
    geo::{AtlasBuilder, Coordinates, Location, Measured, Measures, RegionPoint, Whose},
    types::{Millis, Prefix, RegionId},
    units::Rtt,
    world::{Draft, Region},
};

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    geo: Geo,
}

/// The exit, and what was written to each stream.
fn run(args: &[&str], draft: Option<Draft>) -> (Exit, String, String) {
    let args = Cli::try_parse_from([&["geo"], args].concat()).unwrap();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let load = |_: &Path, _: &mut dyn Write| draft.map(Places::of).ok_or(Exit::Finding);
    let exit = super::run(args.geo, load, &mut out, &mut err);
    (exit, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
}

fn draft() -> Draft {
    let frankfurt = Coordinates { lat: 501_109, lon: 86_821 };
    let new_york = Coordinates { lat: 407_128, lon: -740_060 };
    let mut builder = AtlasBuilder::default();
    let location = Location { country: Some(*b"DE"), city: Some("Frankfurt".into()), ..Location::default() };
    let there = builder.fact(Location { coordinates: Some(frankfurt), ..location.clone() }, "demo.mmdb");
    let country = builder.fact(Location { country: Some(*b"US"), ..Location::default() }, "demo.mmdb");
    builder.learn(Prefix::new(IpAddr::from([198, 51, 100, 0]), 24), there);
    builder.learn(Prefix::new(IpAddr::from([24, 0, 0, 0]), 8), country);
    let region = |name: &str, location| Region {
        name: name.into(),
        point: RegionPoint { location, bias: 0 },
        ..Region::default()
    };
    let regions = vec![region("dark", None), region("eu-west", Some(frankfurt)), region("us-east", Some(new_york))];
    Draft { atlas: Arc::new(builder.finish()), regions, ..Draft::default() }
}

#[test]
fn build_writes_a_database_whole_or_names_every_fault() {
    let folder = tempfile::tempdir().unwrap();
    let (csv, mmdb) = (folder.path().join("a.csv"), folder.path().join("a.mmdb"));
    let args = ["build", csv.to_str().unwrap(), "-o", mmdb.to_str().unwrap()];
    let (exit, _, err) = run(&args, None);
    assert!(exit == Exit::Failed && err.contains("cannot read"), "{err}");

    fs::write(&csv, "prefix,country\n192.0.2.0/24,DE\n198.51.100.7/24,QQ\n").unwrap();
    let (exit, out, err) = run(&args, None);
    assert_eq!((exit, &*out), (Exit::Finding, ""));
    assert!(err.contains("error: `198.51.100.7/24` has bits set beyond its length") && err.contains("a.csv:3:1"));
    assert!(err.contains("help: write 198.51.100.0/24") && err.contains("a.csv:3:17") && err.contains("`QQ`"), "{err}");
    assert!(!mmdb.exists());

    fs::write(&csv, "prefix,country\n192.0.2.0/24,DE\n").unwrap();
    let (exit, out, err) = run(&args, None);
    assert_eq!((exit, &*err), (Exit::Fine, ""));
    assert!(out.contains("1 prefixes"));
    let database = maxminddb::Reader::from_source(fs::read(&mmdb).unwrap()).unwrap();
    database.verify().unwrap();
    assert!(database.lookup(IpAddr::from([192, 0, 2, 9])).unwrap().has_data());
    // Nothing but the two files is left behind.
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);

    let (exit, _, err) = run(&["build", csv.to_str().unwrap(), "-o", csv.to_str().unwrap()], None);
    assert!(exit == Exit::Failed && err.contains("overwrite its own source"), "{err}");

    let nowhere = folder.path().join("none/a.mmdb");
    let (exit, _, err) = run(&["build", csv.to_str().unwrap(), "-o", nowhere.to_str().unwrap()], None);
    assert!(exit == Exit::Failed && err.contains("cannot write"), "{err}");
}

#[test]
fn lookup_shows_location_source_leaf_row_and_block() {
    let (exit, out, _) = run(&["lookup", "-c", "x.toml", "::ffff:198.51.100.7"], Some(draft()));
    assert_eq!(exit, Exit::Fine);
    assert_eq!(
        out,
        "::ffff:198.51.100.7/128\n  \
         read as    198.51.100.7/32, which stands behind 96 bits\n  \
         location   Frankfurt, DE, 50.11 8.68\n  \
         source     demo.mmdb\n  \
         leaf       198.51.100.0/24\n  \
         region         ms      km  from\n  \
         eu-west       5.0       0  the client's coordinates\n  \
         us-east     100.4    6203  the client's coordinates\n  \
         dark            -       -  nothing: the region has no location\n  \
         block      198.51.100.0/24, scope 120 (all regions by rtt within 10 ms)\n"
    );
}

#[test]
fn lookup_tells_country_special_and_unknown_apart() {
    let (_, out, _) = run(&["lookup", "-c", "x", "24.1.2.0/24", "10.0.0.1", "2a00::/16"], Some(draft()));
    let shown: Vec<&str> = out.split("\n\n").collect();
    assert!(shown[0].contains("location   US\n") && shown[0].contains("where the country's people live"));
    assert!(shown[0].contains("block      24.1.0.0/16, scope 16"), "{}", shown[0]);
    assert!(shown[1].contains("special-purpose block") && shown[1].contains("private use (RFC 1918)"));
    assert!(shown[2].contains("location   unknown") && shown[2].contains("source     none"));
}

#[test]
fn lookup_fails_on_what_is_no_address_and_passes_on_how_loading_ended() {
    let (exit, out, err) = run(&["lookup", "-c", "x", "192.0.2.1", "fra", "192.0.2.0/33"], Some(draft()));
    assert_eq!((exit, &*out), (Exit::Failed, ""));
    assert!(err.contains("`fra`") && err.contains("`192.0.2.0/33`"));
    assert_eq!(run(&["lookup", "-c", "x", "192.0.2.1"], None).0, Exit::Finding);
}

#[test]
fn lookup_shows_what_is_measured_what_is_named_and_who_stands_behind_a_resolver() {
    let mut draft = draft();
    let net = |a, len| Prefix::new(IpAddr::from([198, 51, a, 0]), len);
    let mut builder = AtlasBuilder::default();
    let there = draft.atlas.find(net(100, 24)).location.cloned().unwrap();
    let fact = builder.fact(there.clone(), "demo.mmdb");
    builder.learn(net(100, 24), fact);
    builder.mark(net(0, 16));
    builder.mark(net(100, 24));
    draft.atlas = Arc::new(builder.finish());
    let mut builder = AtlasBuilder::default();
    let fact = builder.fact(there, "resolvers.csv");
    builder.overrule(net(0, 16), fact);
    draft.resolvers = Arc::new(builder.finish());
    let measured = |rtt, samples| Measured { rtt, samples, age: Millis(10_800_000) };
    // 12.5 ms where the model says 5: the unmeasured region is scaled by 2.5.
    draft.measures = Arc::new(Measures::new([
        (Whose::Net(net(0, 16)), RegionId(1), measured(Rtt(125), Some(12))),
        (Whose::Country(*b"DE"), RegionId(0), measured(Rtt(700), None)),
    ]));
    let (exit, out, _) = run(&["lookup", "-c", "x", "198.51.100.7"], Some(draft));
    assert_eq!(exit, Exit::Fine);
    assert_eq!(
        out,
        "198.51.100.7/32\n  \
         location   Frankfurt, DE, 50.11 8.68\n  \
         source     demo.mmdb\n  \
         leaf       198.51.100.0/24\n  \
         named      198.51.100.0/24, 198.51.0.0/16\n  \
         region         ms      km  from\n  \
         eu-west      12.5       0  measured for 198.51.0.0/16: 12 samples, 3 h old\n  \
         dark         70.0       -  stated for DE\n  \
         us-east     251.0    6203  the client's coordinates, times 2.500 like what is measured\n  \
         block      198.51.100.0/24, scope 24 (all regions by rtt within 10 ms)\n  \
         resolver   its clients: Frankfurt, DE, 50.11 8.68 (resolvers.csv at 198.51.0.0/16)\n"
    );
}
