//! `meridian geo lookup`: what is known of an address, who says so, how far each region is, and what that estimate
//! rests on. Must not know how locations are compiled.

use std::{
    io::{self, Write},
    net::IpAddr,
    path::Path,
};

use super::super::exit::Exit;
use crate::{
    engine::{
        geo::{Estimate, Estimator, GeoKey, Ground, How, Map, PLACE, RegionPoint, Rule, normalise},
        steer::locate::{Stand, piece},
        types::{MapId, PerFamily, Prefix, RegionId},
        units::{Kilometres, Rtt},
        world::Draft,
    },
    explain::rests_on,
};

/// How much longer than the nearest still counts as equal, in tenths of a millisecond: the preset `adaptive`.
const TOLERANCE: u32 = 100;
/// How wide a block may be where a policy shares clients out (`ecs.block`'s default).
const BLOCK: PerFamily<u8> = PerFamily::new(16, 32);

/// What `lookup` needs of a configuration.
#[derive(Debug)]
pub(in crate::cli) struct Places {
    draft: Draft,
    points: Vec<RegionPoint>,
}

impl Places {
    /// Of a configuration without errors.
    pub(in crate::cli) fn of(draft: Draft) -> Self {
        let points = draft.regions.iter().map(|region| region.point).collect();
        Self { draft, points }
    }

    fn ground(&self) -> Ground<'_> {
        Ground {
            atlas: &self.draft.atlas,
            resolvers: &self.draft.resolvers,
            points: &self.points,
            measures: &self.draft.measures,
            nowhere: &self.draft.nowhere,
            model: self.draft.model,
            cuts: self.draft.cuts,
        }
    }

    /// The map of a service that knows all the regions (the first 64) and ranks them as `adaptive` does.
    fn nearest(&self) -> Map {
        let rule = Rule {
            regions: (0..self.points.len().min(64) as u16).map(RegionId).collect(),
            keys: vec![(GeoKey::Rtt, TOLERANCE)],
            depth: 3,
            ..Rule::default()
        };
        Map::compile(&self.ground(), &rule)
    }
}

/// Runs the verb.
pub(super) fn lookup(
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
    let map = places.nearest();
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

/// Shows one client: where it is, who says so, the leaf, every region from the nearest on, and the block; and where its
/// clients are taken to be, when it is a resolver.
fn show(places: &Places, map: &Map, client: Prefix, out: &mut dyn Write) -> io::Result<()> {
    let (inside, offset) = normalise(client);
    let spot = places.draft.atlas.find(client);
    writeln!(out, "{client}")?;
    if offset > 0 {
        writeln!(out, "  read as    {inside}, which stands behind {offset} bits")?;
    }
    match (spot.location, spot.special) {
        (Some(location), _) => writeln!(out, "  location   {location}")?,
        (None, true) => {
            writeln!(out, "  location   none: a special-purpose block, answered by the resolver's address")?
        }
        (None, false) if places.draft.nowhere.is_empty() => {
            writeln!(out, "  location   unknown: all regions are equally near")?
        }
        (None, false) => writeln!(out, "  location   unknown: regions in the order of `geo.default`")?,
    }
    writeln!(out, "  source     {}", if spot.source.is_empty() { "none" } else { spot.source })?;
    writeln!(out, "  leaf       {}", spot.leaf)?;
    let nets: Vec<String> = spot.facts.nets().map(|net| net.to_string()).collect();
    if !nets.is_empty() {
        writeln!(out, "  named      {}", nets.join(", "))?;
    }

    let regions: Vec<RegionId> = (0..places.points.len() as u16).map(RegionId).collect();
    let row = Estimator::new(&places.ground()).row(&spot.facts, &regions);
    let names = places.draft.regions.iter().map(|region| &*region.name);
    let mut estimates: Vec<(&str, Estimate)> = names.zip(row).collect();
    estimates.sort_by_key(|(_, estimate)| estimate.rtt);
    let width = estimates.iter().map(|(name, _)| name.len()).max().unwrap_or(0).max("region".len());
    writeln!(out, "  {:width$}  {:>8}  {:>6}  from", "region", "ms", "km")?;
    for (name, row) in estimates {
        let (ms, km) = match row.how {
            How::Measured(..) | How::Modelled(..) => (tenths(row.rtt), known(row.km)),
            How::Order(_) | How::UnknownClient | How::UnknownRegion => ("-".into(), "-".into()),
        };
        writeln!(out, "  {name:width$}  {ms:>8}  {km:>6}  {}", rests_on(row.how))?;
    }
    let Stand { block, special, .. } = piece((inside, true), &[MapId(0)], Some(BLOCK), std::slice::from_ref(map));
    match special {
        Some(len) => writeln!(out, "  block      none of its own; as a client subnet its scope is {}", offset + len)?,
        None => {
            let scope = offset + block.len();
            writeln!(out, "  block      {block}, scope {scope} (all regions by rtt within 10 ms)")?;
        }
    }
    let sender = map.find_sender(inside);
    if sender != map.find(inside) {
        writeln!(out, "  by itself  {}: without a client subnet it is told apart", sender.prefix)?;
    }
    let behind = places.draft.resolvers.find(inside);
    match behind.location {
        Some(location) => writeln!(out, "  resolver   its clients: {location} ({} at {})", behind.source, behind.leaf),
        None => Ok(()),
    }
}

fn tenths(rtt: Rtt) -> String {
    format!("{}.{}", rtt.0 / 10, rtt.0 % 10)
}

fn known(km: Kilometres) -> String {
    if km.0 < PLACE { km.0.to_string() } else { "-".into() }
}
