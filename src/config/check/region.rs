//! `[regions]`, `[geo]` and `[latency]`: where things are, which files say where clients are, and how far one is from
//! the other: measured round-trip times, when they count, and the model where there are none. Must not know pools.

use std::path::PathBuf;

use toml::Spanned;

use super::{
    meant::CAPACITY,
    selector::{Groups, fence},
    value::{items, millis, name, real, share, units, whole},
};
use crate::{
    config::{
        diagnostics::{Notes, join},
        fault::Sources,
        geo::{self, Found, InForce, LatencyFiles, NamedFile},
        quantity,
        settings::Latency,
        spec::{LatencySpec, List, ModelSpec, Named, Real, RegionSpec, Spec, SwitchSpec, Text},
    },
    engine::{
        geo::{Coordinates, Model, RegionPoint},
        signal::latency::Terms,
        types::{Millis, PerFamily, Prefix},
        units::{Kilometres, Permille, Rtt},
        world::Region,
    },
};

/// The largest bias to either side, in microseconds.
const FURTHEST: u64 = 1_000_000;
/// How much less than the one in force a database may cover, in parts of a thousand.
const MAX_SHRINK: u64 = 100;
/// A tenth of a millisecond, in which round-trip times are counted.
const TENTH: u64 = 100;

/// What the files of `[geo]` and `[latency]` are read with.
#[derive(Debug)]
pub(crate) struct RegionContext<'m> {
    pub(crate) regions: &'m [Region],
    pub(crate) latency: &'m Latency,
    /// Every prefix that rules, fences and groups name.
    pub(crate) nets: &'m [Prefix],
    /// Where maps are cut.
    pub(crate) finest: PerFamily<u8>,
    /// The geo databases of the configuration in force, where there is one.
    pub(crate) in_force: Option<&'m InForce>,
}

/// Reads the files that `[geo]` and `[latency]` name.
pub(crate) fn geo(
    spec: &Spec,
    around: &RegionContext<'_>,
    files: &mut Vec<PathBuf>,
    sources: &mut Sources,
    notes: &mut Notes<'_>,
) -> (Found, LatencyFiles) {
    let RegionContext { regions, latency: measured, nets, finest, in_force } = *around;
    let max_shrink = share(spec.geo.max_shrink.as_ref(), "geo.max_shrink", MAX_SHRINK, 0..=1000, notes);
    let databases = named_files(spec.geo.databases.as_ref(), "geo.databases", notes);
    let latency = named_files(spec.latency.files.as_ref(), "latency.files", notes);
    let one = |written: &Spanned<Text>| NamedFile {
        path: notes.path(&Spanned::new(written.span(), written.get_ref().0.clone())),
        place: notes.place(written.span()),
    };
    let (overrides, resolvers) = (spec.geo.overrides.as_ref().map(one), spec.geo.resolvers.as_ref().map(one));
    let all = databases.iter().chain(&overrides).chain(&resolvers).chain(&latency);
    files.extend(all.map(|named| named.path.clone()));
    let regions: Vec<&str> = regions.iter().map(|region| &*region.name).collect();
    let again = LatencyFiles::new(&latency, &regions, measured);
    let files = geo::Files {
        databases: &databases,
        in_force,
        max_shrink: Permille(max_shrink as u32),
        overrides: overrides.as_ref(),
        resolvers: resolvers.as_ref(),
        latency: &latency,
        max_prefixes: measured.max_prefixes,
        max_age: Some(measured.terms.max_age),
        nets,
        finest,
        regions: &regions,
        lacks_regions: !notes.has_all(&["regions"]),
    };
    (geo::load(&files, sources, &mut notes.faults), again)
}

/// The files of a list, each once.
fn named_files(written: Option<&Spanned<List>>, path: &str, notes: &mut Notes<'_>) -> Vec<NamedFile> {
    let mut found: Vec<NamedFile> = Vec::new();
    for item in items(written) {
        let named = NamedFile { path: notes.path(&item), place: notes.place(item.span()) };
        if let Some(first) = found.iter().find(|known| known.path == named.path) {
            let fault = notes
                .error(item.span(), format!("`{path}` has \"{}\" twice", item.get_ref()), "here again")
                .also(first.place.clone(), "first here");
            notes.push(fault);
            continue;
        }
        found.push(named);
    }
    found
}

/// `[regions]`, in name order.
pub(crate) fn regions(spec: &Named<RegionSpec>, groups: &mut Groups<'_>, notes: &mut Notes<'_>) -> Vec<Region> {
    if let Some((key, _)) = spec.iter().nth(usize::from(u16::MAX)) {
        let fault = notes.error(key.span(), "there are too many regions", format!("at most {}", u16::MAX));
        notes.push(fault);
    }
    spec.iter()
        .map(|(key, region)| {
            name("region", key, notes);
            let at = |field: &str| join(&["regions", key.get_ref(), field]);
            let (location, bias) = (location(key, region, notes), bias(key, region, notes));
            Region {
                name: key.get_ref().as_str().into(),
                point: RegionPoint { location, bias },
                capacity: real(region.capacity.as_ref(), &at("capacity"), CAPACITY, notes),
                demand: real(region.demand.as_ref(), &at("demand"), 0.0..=*CAPACITY.end(), notes),
                fence: fence(region.fence.as_ref(), &at("fence"), groups, notes),
            }
        })
        .collect()
}

/// What is added to the modelled round-trip time, in tenths of a millisecond. The only duration that has a sign.
fn bias(key: &Spanned<String>, region: &RegionSpec, notes: &mut Notes<'_>) -> i32 {
    let Some(written) = &region.bias else { return 0 };
    let text: &str = written.get_ref();
    let (sign, size) = text.strip_prefix('-').map_or((1, text), |size| (-1, size));
    let at = join(&["regions", key.get_ref(), "bias"]);
    let fault = match quantity::duration(size) {
        Ok(micros) if micros.is_multiple_of(TENTH) && micros <= FURTHEST => return sign * (micros / TENTH) as i32,
        Ok(micros) if micros <= FURTHEST => {
            notes.error(written.span(), format!("`{at}` is too fine"), "it is counted in steps of 100us")
        }
        Ok(_) => notes.error(written.span(), format!("`{at}` is out of range"), "from -1s to 1s"),
        Err(cause) => notes
            .error(written.span(), format!("`{at}` is not a duration"), cause.to_string())
            .remedy("write it as \"20ms\", or \"-20ms\" to draw more clients"),
    };
    notes.push(fault);
    0
}

fn location(key: &Spanned<String>, region: &RegionSpec, notes: &mut Notes<'_>) -> Option<Coordinates> {
    let written = region.location.as_ref()?;
    let path = ["regions", key.get_ref(), "location"];
    let mut axis = |axis: &str, value: &Option<Spanned<Real>>, limit: f64| match value {
        Some(value) if value.get_ref().0.abs() <= limit => Some((value.get_ref().0 * 10_000.0).round() as i32),
        Some(value) => {
            let message = format!("`{}.{axis}` is out of range", join(&path));
            let fault = notes.error(value.span(), message, format!("from -{limit} to {limit} degrees"));
            notes.push(fault);
            None
        }
        None => {
            if notes.is_whole(&path) {
                let message = format!("region \"{}\" has half a location", key.get_ref());
                let fault = notes
                    .error(written.span(), message, format!("`{axis}` is missing"))
                    .remedy("write { lat = 50.11, lon = 8.68 }, in degrees north and east");
                notes.push(fault);
            }
            None
        }
    };
    let (lat, lon) = (axis("lat", &written.get_ref().lat, 90.0), axis("lon", &written.get_ref().lon, 180.0));
    Some(Coordinates { lat: lat?, lon: lon? })
}

const DAY: Millis = Millis::seconds(86_400);

/// When measurements count, and how round trips are reckoned without them.
pub(crate) fn latency(spec: &LatencySpec, notes: &mut Notes<'_>) -> (Latency, Model) {
    let usual = Latency::default();
    let SwitchSpec { ms, percent, hold } = &spec.switch;
    let least = real(ms.as_ref(), "latency.switch.ms", 0.0..=10_000.0, notes).map_or(usual.terms.least, |ms| {
        let tenths = ms * 10.0;
        if (tenths - tenths.round()).abs() > 1e-6 {
            let span = spec.switch.ms.as_ref().map_or(0..0, Spanned::span);
            let fault = notes.error(span, "`latency.switch.ms` is too fine", "it is counted in steps of 0.1");
            notes.push(fault);
        }
        Rtt(tenths.round() as u32)
    });
    let terms = Terms {
        least,
        share: Permille(
            share(percent.as_ref(), "latency.switch.percent", usual.terms.share.0.into(), 0..=1000, notes) as u32
        ),
        hold: millis(hold.as_ref(), "latency.switch.hold", usual.terms.hold, Millis::ZERO..=DAY, notes),
        min_samples: whole(
            spec.min_samples.as_ref(),
            "latency.min_samples",
            usual.terms.min_samples.into(),
            1..=1_000_000,
            notes,
        ) as u32,
        max_age: millis(
            spec.max_age.as_ref(),
            "latency.max_age",
            usual.terms.max_age,
            Millis::seconds(1)..=DAY.times(366),
            notes,
        ),
    };
    let refresh = millis(spec.refresh.as_ref(), "latency.refresh", usual.refresh, Millis::seconds(1)..=DAY, notes);
    let usual_most = usual.max_prefixes as i64;
    let most = whole(spec.max_prefixes.as_ref(), "latency.max_prefixes", usual_most, 1..=10_000_000, notes);
    let ModelSpec { km_per_ms, base } = &spec.model;
    let reckons = Model::default();
    let model = Model {
        base: Rtt(units(base.as_ref(), "latency.model.base", 100, reckons.base.0.into(), 0..=10_000, notes) as u32),
        km_per_ms: Kilometres(whole(
            km_per_ms.as_ref(),
            "latency.model.km_per_ms",
            reckons.km_per_ms.0.into(),
            1..=300,
            notes,
        ) as u32),
    };
    (Latency { terms, refresh, max_prefixes: most as usize }, model)
}
