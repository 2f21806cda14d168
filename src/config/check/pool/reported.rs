//! What pools and loads make of each other: who is reported of, and by whom.

use std::collections::BTreeMap;

use toml::Spanned;

use super::super::MeantPool;
use crate::{
    config::{notes::Notes, spec::Spec},
    engine::{
        signal::load::{Load, Of},
        snapshot::Region,
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
            for endpoint in &pool.endpoints {
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
        for endpoint in pool.endpoints.iter().filter(|endpoint| endpoint.reach() == [None, None]) {
            let asked =
                |other: &&super::super::MeantEndpoint| other.region == endpoint.region && other.reach() != [None, None];
            if load.of == Of::Region && pool.endpoints.iter().any(|other| asked(&other)) {
                continue;
            }
            let Some((own, _)) = written.endpoints.iter().find(|(own, _)| *own.get_ref() == endpoint.name) else {
                continue;
            };
            let message = format!("endpoint \"{}/{}\" has no address to ask for its load", pool.name, endpoint.name);
            let fault = notes.warning(own.span(), message, "it counts as loaded as the others of its pool are");
            notes.push(fault.remedy("add `probe = { address = [\"192.0.2.1\"] }`"));
        }
    }
}
