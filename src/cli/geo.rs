//! `meridian geo`: make a database from text, and show what is known of an address. Must not know how locations are
//! compiled.

use std::{
    fs,
    io::{self, Write},
    net::IpAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::{Args, Subcommand};

use super::Exit;
use crate::{
    config::{
        fault::{Severity, Sources},
        geo::{table, write},
        report,
    },
    engine::{
        geo::{Atlas, Cuts, Estimate, GeoKey, Ground, How, Map, Measures, Model, RegionPoint, Rule, normalise, row},
        steer::locate::piece,
        types::{MapId, Prefix, RegionId},
    },
};

/// Where addresses are.
#[derive(Debug, Args)]
pub(super) struct Geo {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Makes an MMDB from lines of prefix,continent,country,subdivision,city,lat,lon,asn.
    Build {
        /// The lines, under a header.
        csv: PathBuf,
        /// The database to write; replaced whole, or not at all.
        #[arg(short, long, value_name = "FILE")]
        output: PathBuf,
    },
    /// Shows where clients are, who says so, how far each region is, and the block that they share an answer with.
    Lookup {
        /// The configuration, whose databases, overrides and regions are used.
        #[arg(short, long, value_name = "FILE")]
        config: PathBuf,
        /// Addresses or prefixes.
        #[arg(required = true, value_name = "IP")]
        clients: Vec<String>,
    },
}

/// What `lookup` needs of a configuration.
#[derive(Debug)]
pub(super) struct Places {
    /// Where addresses are.
    pub(super) atlas: Arc<Atlas>,
    /// The regions by name, in name order.
    pub(super) regions: Vec<(Box<str>, RegionPoint)>,
}

/// Runs the verb. `load` reads a configuration; when it cannot, it has told why and says how to end.
pub(super) fn run(
    args: Geo,
    load: impl FnOnce(&Path, &mut dyn Write) -> Result<Places, Exit>,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Exit {
    let done = match args.verb {
        Verb::Build { csv, output } => build(&csv, &output, out, err),
        Verb::Lookup { config, clients } => lookup(&config, &clients, load, out, err),
    };
    // Nobody is left to tell when the streams themselves fail.
    done.unwrap_or(Exit::Failed)
}

// ----- build -------------------------------------------------------------------------------------------------

fn build(csv: &Path, output: &Path, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<Exit> {
    let text = match fs::read(csv).map(String::from_utf8) {
        Ok(Ok(text)) => text,
        Ok(Err(_)) => {
            writeln!(err, "error: {} is not UTF-8: save it as UTF-8", csv.display())?;
            return Ok(Exit::Failed);
        }
        Err(error) => {
            writeln!(err, "error: cannot read {}: {error}", csv.display())?;
            return Ok(Exit::Failed);
        }
    };
    let mut sources = Sources::default();
    let mut faults = Vec::new();
    let file = sources.add(csv.display().to_string(), text);
    let lines = table::read(file, &sources, &mut faults);
    if !faults.is_empty() {
        err.write_all(report::text(&faults, &sources, false).as_bytes())?;
    }
    if faults.iter().any(|fault| fault.severity == Severity::Error) {
        return Ok(Exit::Finding);
    }
    if fs::canonicalize(output).is_ok_and(|there| fs::canonicalize(csv).is_ok_and(|here| here == there)) {
        writeln!(err, "error: {} would overwrite its own source: name another file with -o", output.display())?;
        return Ok(Exit::Failed);
    }
    let bytes = match write(&lines) {
        Ok(bytes) => bytes,
        Err(error) => {
            writeln!(err, "error: {} cannot be made into a database: {error}", csv.display())?;
            return Ok(Exit::Finding);
        }
    };
    if let Err(error) = replace(output, &bytes) {
        writeln!(err, "error: cannot write {}: {error}", output.display())?;
        return Ok(Exit::Failed);
    }
    writeln!(out, "{}: {} prefixes, {} octets", output.display(), lines.len(), bytes.len())?;
    Ok(Exit::Fine)
}

/// Writes beside the file and renames, so that a reader sees the old one or the new one.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let name = path.file_name().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "it names no file"))?;
    let mut beside = name.to_os_string();
    beside.push(format!(".{}.tmp", std::process::id()));
    let beside = path.with_file_name(beside);
    let written = fs::File::create(&beside).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, path)
    });
    if written.is_err() {
        // What stopped the writing is the news; that its remains cannot be taken away is not.
        let _ = fs::remove_file(&beside);
    }
    written
}

// ----- lookup ------------------------------------------------------------------------------------------------

fn lookup(
    config: &Path,
    clients: &[String],
    load: impl FnOnce(&Path, &mut dyn Write) -> Result<Places, Exit>,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> io::Result<Exit> {
    let mut prefixes = Vec::with_capacity(clients.len());
    for text in clients {
        match client(text) {
            Some(prefix) => prefixes.push(prefix),
            None => writeln!(err, "error: `{text}` is no address and no prefix: write 192.0.2.1 or 192.0.2.0/24")?,
        }
    }
    if prefixes.len() < clients.len() {
        return Ok(Exit::Failed);
    }
    let places = match load(config, err) {
        Ok(places) => places,
        Err(exit) => return Ok(exit),
    };
    let map = nearest(&places);
    for (at, prefix) in prefixes.into_iter().enumerate() {
        if at > 0 {
            writeln!(out)?;
        }
        show(&places, &map, prefix, out)?;
    }
    Ok(Exit::Fine)
}

/// An address or a prefix. Bits beyond the length are cleared, as they are in an ECS option.
fn client(text: &str) -> Option<Prefix> {
    match text.split_once('/') {
        None => text.parse().ok().map(Prefix::host),
        Some((address, len)) => {
            let address: IpAddr = address.parse().ok()?;
            let len = len.parse().ok().filter(|len| *len <= Prefix::host(address).len())?;
            Some(Prefix::new(address, len))
        }
    }
}

/// How much longer than the nearest still counts as equal, in tenths of a millisecond: the preset `adaptive`.
const TOLERANCE: u32 = 100;
/// How wide a block may be where a policy shares clients out (`ecs.block`'s default).
const BLOCK: [u8; 2] = [16, 32];

/// The map of a service that knows all the regions (the first 64) and ranks them as `adaptive` does.
#[must_use]
pub(super) fn nearest(places: &Places) -> Map {
    let points: Vec<RegionPoint> = places.regions.iter().map(|(_, point)| *point).collect();
    let count = points.len().min(64);
    let rule = Rule {
        regions: (0..count as u16).map(RegionId).collect(),
        keys: vec![(GeoKey::Rtt, TOLERANCE)],
        groups: Vec::new(),
        depth: 3,
        ..Rule::default()
    };
    let ground = Ground {
        atlas: &places.atlas,
        resolvers: &Atlas::default(),
        points: &points,
        measures: &Measures::default(),
        nowhere: &Vec::new(),
        model: Model::default(),
        cuts: Cuts::default(),
    };
    Map::compile(&ground, &rule)
}

/// Shows one client: where it is, who says so, the leaf, every region from the nearest on, and the block.
///
/// # Errors
/// When `out` does not take it.
pub(super) fn show(places: &Places, map: &Map, client: Prefix, out: &mut dyn Write) -> io::Result<()> {
    let (inside, offset) = normalise(client);
    let spot = places.atlas.find(client);
    writeln!(out, "{client}")?;
    if offset > 0 {
        writeln!(out, "  read as    {inside}, which stands behind {offset} bits")?;
    }
    match (spot.location, spot.special) {
        (Some(location), _) => writeln!(out, "  location   {location}")?,
        (None, true) => {
            writeln!(out, "  location   none: a special-purpose block, answered by the resolver's address")?
        }
        (None, false) => writeln!(out, "  location   unknown: all regions are equally near")?,
    }
    writeln!(out, "  source     {}", if spot.source.is_empty() { "none" } else { spot.source })?;
    writeln!(out, "  leaf       {}", spot.leaf)?;

    let points: Vec<RegionPoint> = places.regions.iter().map(|(_, point)| *point).collect();
    let mut estimates: Vec<(&str, Estimate)> =
        places.regions.iter().map(|(name, _)| &**name).zip(row(spot.location, &points)).collect();
    estimates.sort_by_key(|(_, estimate)| estimate.rtt);
    let width = estimates.iter().map(|(name, _)| name.len()).max().unwrap_or(0).max("region".len());
    writeln!(out, "  {:width$}  {:>8}  {:>6}  from", "region", "ms", "km")?;
    for (name, Estimate { rtt, km, how }) in estimates {
        let (ms, km) = match how {
            How::Coordinates | How::Centroid => (format!("{}.{}", rtt / 10, rtt % 10), km.to_string()),
            How::UnknownClient | How::UnknownRegion => ("-".into(), "-".into()),
        };
        let from = match how {
            How::Coordinates => "the client's coordinates",
            How::Centroid => "where the country's people live",
            How::UnknownClient => "nothing: the client's place is unknown",
            How::UnknownRegion => "nothing: the region has no location",
        };
        writeln!(out, "  {name:width$}  {ms:>8}  {km:>6}  {from}")?;
    }
    let (_, block, special) = piece(inside, &[MapId(0)], Some(BLOCK), std::slice::from_ref(map));
    match special {
        Some(len) => writeln!(out, "  block      none of its own; as a client subnet its scope is {}", offset + len),
        None => {
            let scope = offset + block.len();
            writeln!(out, "  block      {block}, scope {scope} (all regions by rtt within 10 ms)")
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::engine::geo::{AtlasBuilder, Coordinates, Location};

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        geo: Geo,
    }

    /// The exit, and what was written to each stream.
    fn run(args: &[&str], places: Option<Places>) -> (Exit, String, String) {
        let args = Cli::try_parse_from([&["geo"], args].concat()).unwrap();
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let load = |_: &Path, _: &mut dyn Write| places.ok_or(Exit::Finding);
        let exit = super::run(args.geo, load, &mut out, &mut err);
        (exit, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
    }

    fn places() -> Places {
        let frankfurt = Coordinates { lat: 501_109, lon: 86_821 };
        let new_york = Coordinates { lat: 407_128, lon: -740_060 };
        let mut builder = AtlasBuilder::default();
        let location = Location { country: Some(*b"DE"), city: Some("Frankfurt".into()), ..Location::default() };
        let there = builder.fact(Location { coordinates: Some(frankfurt), ..location.clone() }, "demo.mmdb");
        let country = builder.fact(Location { country: Some(*b"US"), ..Location::default() }, "demo.mmdb");
        builder.learn(Prefix::new(IpAddr::from([198, 51, 100, 0]), 24), there);
        builder.learn(Prefix::new(IpAddr::from([24, 0, 0, 0]), 8), country);
        let region = |name: &str, location| (name.into(), RegionPoint { location, bias: 0 });
        let regions = vec![region("dark", None), region("eu-west", Some(frankfurt)), region("us-east", Some(new_york))];
        Places { atlas: Arc::new(builder.finish()), regions }
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
        assert!(
            err.contains("help: write 198.51.100.0/24") && err.contains("a.csv:3:17") && err.contains("`QQ`"),
            "{err}"
        );
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
        let (exit, out, _) = run(&["lookup", "-c", "x.toml", "::ffff:198.51.100.7"], Some(places()));
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
        let (_, out, _) = run(&["lookup", "-c", "x", "24.1.2.0/24", "10.0.0.1", "2a00::/16"], Some(places()));
        let shown: Vec<&str> = out.split("\n\n").collect();
        assert!(shown[0].contains("location   US\n") && shown[0].contains("where the country's people live"));
        assert!(shown[0].contains("block      24.1.0.0/16, scope 16"), "{}", shown[0]);
        assert!(shown[1].contains("special-purpose block") && shown[1].contains("private use (RFC 1918)"));
        assert!(shown[2].contains("location   unknown") && shown[2].contains("source     none"));
    }

    #[test]
    fn lookup_fails_on_what_is_no_address_and_passes_on_how_loading_ended() {
        let (exit, out, err) = run(&["lookup", "-c", "x", "192.0.2.1", "fra", "192.0.2.0/33"], Some(places()));
        assert_eq!((exit, &*out), (Exit::Failed, ""));
        assert!(err.contains("`fra`") && err.contains("`192.0.2.0/33`"));
        assert_eq!(run(&["lookup", "-c", "x", "192.0.2.1"], None).0, Exit::Finding);
    }
}
