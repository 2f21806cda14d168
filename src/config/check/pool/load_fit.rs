//! What pools and loads make of each other: who is reported of, and by whom.

use std::collections::BTreeMap;

use toml::Spanned;

use super::super::meant::{MeantEndpoint, MeantPool};
use crate::{
    config::{
        diagnostics::Notes,
        spec::{PoolSpec, Spec},
    },
    engine::{
        signal::load::{Load, Of},
        types::PerFamily,
        world::Region,
    },
};

/// Says where two loads are about one region, and which endpoints cannot be asked.
pub(crate) fn reported(spec: &Spec, pools: &[MeantPool], loads: &[Load], regions: &[Region], notes: &mut Notes<'_>) {
    // For each region, who reports of it: the load, and the pool that names it.
    let mut reporters: BTreeMap<usize, (usize, &Spanned<String>)> = BTreeMap::new();
    for ((key, written), pool) in spec.pools.iter().zip(pools) {
        let Some((at, load)) = pool.load.and_then(|at| Some((at, loads.get(at)?))) else { continue };
        if load.pull.is_none() {
            continue;
        }
        if load.of == Of::Region {
            let mut told = false;
            for endpoint in pool.endpoints.iter().filter(|endpoint| stands_in(written, endpoint, regions)) {
                let (other, first) = *reporters.entry(endpoint.region).or_insert((at, key));
                if other == at || told {
                    continue;
                }
                told = true;
                let name = regions.get(endpoint.region).map_or("", |region| &region.name);
                let span = written.load.as_ref().map_or(key.span(), Spanned::span);
                let other = loads.get(other).map_or("", |load| &load.name);
                let fault = notes
                    .error(span, format!("two loads are about region \"{name}\""), format!("\"{}\" is", load.name))
                    .also(notes.place(first.span()), format!("this pool names \"{other}\", which is too"))
                    .remedy("name one load in all pools of a region, or say `of = \"endpoint\"`");
                notes.push(fault);
            }
        }
        for endpoint in pool.endpoints.iter().filter(|endpoint| endpoint.reach() == PerFamily::default()) {
            let asked =
                |other: &&MeantEndpoint| other.region == endpoint.region && other.reach() != PerFamily::default();
            if load.of == Of::Region && pool.endpoints.iter().any(|other| asked(&other)) {
                continue;
            }
            let Some((own, spec)) = written.endpoints.get_key_value(endpoint.name.as_str()) else { continue };
            // An address that is written and cannot be read has a fault of its own.
            let probed = spec.probe.as_ref().is_some_and(|probe| probe.get_ref().address.is_some());
            if spec.address.is_some() || probed || !notes.is_whole(&["pools", &pool.name, "endpoints", &endpoint.name])
            {
                continue;
            }
            let message = format!("endpoint \"{}/{}\" has no address to ask for its load", pool.name, endpoint.name);
            let fault = notes.warning(own.span(), message, "it counts as loaded as the others of its pool are");
            notes.push(fault.remedy("add `probe = { address = [\"192.0.2.1\"] }`"));
        }
    }
}

/// Whether an endpoint names the region that it was put in: one whose region is not known is in none.
fn stands_in(pool: &PoolSpec, endpoint: &MeantEndpoint, regions: &[Region]) -> bool {
    let written = pool.endpoints.get(endpoint.name.as_str()).and_then(|spec| spec.region.as_ref());
    let region = regions.get(endpoint.region);
    written.zip(region).is_some_and(|(written, region)| written.get_ref().0 == *region.name)
}
