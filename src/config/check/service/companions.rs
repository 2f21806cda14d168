//! What comes with a service beside its own answer: the canary, the HTTPS record, direct names and the runner-up's.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use toml::Spanned;

use super::{
    super::{
        meant::{MeantPool, MeantService},
        symbols::Names,
        value::{element, items, share, text, whole},
        zone::name,
    },
    ownership::Homes,
};
use crate::{
    config::{
        diagnostics::{Notes, join},
        spec::{HttpsSpec, ServiceSpec},
    },
    engine::{
        units::{Admission, Permille},
        wire::name::Name,
        world::{
            Region,
            policy::{Policy, Spread},
            service::Https,
        },
    },
};

/// A pool that takes a share of the blocks first.
pub(super) fn canary(
    service: &str,
    spec: &ServiceSpec,
    pools: &mut Names<'_>,
    notes: &mut Notes<'_>,
) -> Option<(usize, Admission)> {
    let written = spec.canary.as_ref()?;
    let path = ["services", service, "canary"];
    let canary = written.get_ref();
    for (key, missing) in [("pool", canary.pool.is_none()), ("share", canary.share.is_none())] {
        if missing && notes.is_whole(&path) {
            let message = format!("`{}` is not complete", join(&path));
            let fault = notes.error(written.span(), message, format!("`{key}` is missing"));
            notes.push(fault.remedy("write { pool = \"NAME\", share = \"10%\" }"));
        }
    }
    let parts = share(canary.share.as_ref(), &format!("{}.share", join(&path)), 0, 1..=1000, notes);
    let named = canary.pool.as_ref()?;
    let at = pools.find(&text(named), &format!("service \"{service}\""), notes)?;
    if let Some(first) = items(spec.pools.as_ref()).first()
        && first.get_ref().as_str() == &**named.get_ref()
    {
        let message = format!("the canary of service \"{service}\" has no effect");
        let fault = notes
            .error(named.span(), message, "it is the pool that answers first anyway")
            .also(notes.place(first.span()), "the first pool")
            .remedy("name another pool");
        notes.push(fault);
    }
    Some((at, Permille(parts as u32).admission()))
}

/// The HTTPS record.
pub(super) fn https(service: &str, written: &Spanned<HttpsSpec>, notes: &mut Notes<'_>) -> Https {
    let spec = written.get_ref();
    let at = |key: &str| join(&["services", service, "https", key]);
    let mut alpn: Vec<Box<str>> = Vec::new();
    for item in items(spec.alpn.as_ref()) {
        let given = *element(&item).get_ref();
        let fault = if alpn.iter().any(|known| **known == *given) {
            notes.error(item.span(), format!("`{}` has {given:?} twice", at("alpn")), "here again")
        } else if !(1..=255).contains(&given.len())
            || !given.bytes().all(|octet| octet.is_ascii_graphic() && octet != b',')
        {
            notes.error(
                item.span(),
                format!("`{}` has {given:?}", at("alpn")),
                "one protocol: 1 to 255 visible ASCII characters without a comma",
            )
        } else {
            alpn.push(given.into());
            continue;
        };
        notes.push(fault.remedy("write [\"h2\", \"h3\"]"));
    }
    if alpn.len() > MOST_PROTOCOLS {
        let span = spec.alpn.as_ref().map_or(0..0, Spanned::span);
        let fault = notes.error(span, format!("`{}` is too long", at("alpn")), format!("at most {MOST_PROTOCOLS}"));
        notes.push(fault);
    }
    let port = whole(spec.port.as_ref(), &at("port"), USUAL_PORT, 1..=65_535, notes);
    Https {
        alpn,
        port: (port != USUAL_PORT).then_some(port as u16),
        hints: spec.hints.as_ref().is_none_or(|hints| *hints.get_ref()),
    }
}

const USUAL_PORT: i64 = 443;
const MOST_PROTOCOLS: usize = 8;

/// The names of the service's regions, where it has direct names.
pub(super) fn direct(
    key: &Spanned<String>,
    own: &Name,
    chosen: &[usize],
    spec: &ServiceSpec,
    (pools, regions): (&[MeantPool], &[Region]),
    notes: &mut Notes<'_>,
) -> Vec<(Name, usize)> {
    let Some(written) = spec.direct.as_ref().filter(|direct| *direct.get_ref()) else { return Vec::new() };
    if own.is_wildcard() {
        let fault = notes.error(written.span(), format!("service {own} cannot have direct names"), "it is a wildcard");
        notes.push(fault.remedy("take `direct` out"));
        return Vec::new();
    }
    let used = chosen.iter().filter_map(|at| pools.get(*at));
    let endpoints = used.flat_map(|pool| &pool.endpoints).filter(|endpoint| endpoint.weight > 0);
    let used: BTreeSet<usize> = endpoints.map(|endpoint| endpoint.region).collect();
    let mut found = Vec::new();
    for at in used {
        let Some(region) = regions.get(at) else { continue };
        let label = region.name.as_bytes();
        let fault = if label.contains(&b'.') {
            let message =
                format!("region \"{}\" cannot have a direct name of service \"{}\"", region.name, key.get_ref());
            notes.error(written.span(), message, "its name has a dot and is not one label")
        } else {
            match own.prepend(label) {
                Ok(name) => {
                    found.push((name, at));
                    continue;
                }
                Err(cause) => {
                    let message = format!("service {own} cannot have a direct name for region \"{}\"", region.name);
                    notes.error(written.span(), message, cause.to_string())
                }
            }
        };
        notes.push(fault.remedy("rename the region, or take `direct` out"));
    }
    found
}

/// The name that is answered with the runner-up.
pub(super) fn second(own: &Name, spec: &ServiceSpec, notes: &mut Notes<'_>) -> Option<(Spanned<String>, Name)> {
    let written = spec.second.as_ref()?;
    if own.is_wildcard() {
        let message = format!("service {own} cannot have a second name");
        let fault = notes.error(written.span(), message, "it is a wildcard");
        notes.push(fault.remedy("take `second` out"));
        return None;
    }
    let key = Spanned::new(written.span(), written.get_ref().0.clone());
    let name = name("the second name of a service,", &key, notes)?;
    Some((key, name))
}

/// Takes the names that come with the services; none may be another's.
pub(super) fn claim(
    services: &[(Spanned<String>, MeantService)],
    seconds: &[(Spanned<String>, Name)],
    homes: &mut Homes<'_>,
    notes: &mut Notes<'_>,
) {
    for (key, service) in services {
        for (name, _) in &service.direct {
            homes.claim(key, name, "a direct name", notes);
        }
    }
    for (key, name) in seconds {
        homes.claim(key, name, "a second name", notes);
    }
}

/// Services of one affinity agree on the region where nothing else differs.
pub(super) fn agree(services: &[(Spanned<String>, MeantService)], pools: &[MeantPool], notes: &mut Notes<'_>) {
    if notes.has_errors() {
        return;
    }
    let mut told: Vec<(Range<usize>, Range<usize>, &'static str)> = Vec::new();
    for (at, (key, service)) in services.iter().enumerate() {
        let Some(affinity) = &service.affinity else { continue };
        let same = |(_, other): &&(Spanned<String>, MeantService)| other.affinity.as_ref() == Some(affinity);
        let Some((first, other)) = services.iter().take(at).find(same) else { continue };
        let slots = by_slot(service, pools) || by_slot(other, pools);
        let differ = if slots && service.answers.ttl_max != other.answers.ttl_max {
            "`ttl.max` differs, so their slots do"
        } else if terms(service, pools) != terms(other, pools) {
            "their policies, or the weights of their regions, differ"
        } else {
            continue;
        };
        told.push((key.span(), first.span(), differ));
    }
    for (span, first, differ) in told {
        let fault = notes
            .warning(span, "services of one affinity can disagree on the region", differ)
            .also(notes.place(first), "with this service")
            .remedy("make these alike, or give them affinities of their own");
        notes.push(fault);
    }
}

/// Whether a choice of a service turns over with the slot, which `ttl.max` is the length of.
fn by_slot(service: &MeantService, pools: &[MeantPool]) -> bool {
    let own = service.pools.iter().filter_map(|at| pools.get(*at)).map(|pool| &pool.policy);
    let mut policies = own.map(|policy| service.policy.as_ref().unwrap_or(policy));
    policies.any(|policy| matches!(policy.spread, Spread::Weighted | Spread::RoundRobin))
}

/// How a pool is steered, and the weights of its regions.
type PoolTerms<'m> = (&'m Policy, Vec<(usize, u64)>);

fn terms<'m>(service: &'m MeantService, pools: &'m [MeantPool]) -> Vec<PoolTerms<'m>> {
    let of = |pool: &'m MeantPool| {
        let mut weights: BTreeMap<usize, u64> = BTreeMap::new();
        for endpoint in &pool.endpoints {
            *weights.entry(endpoint.region).or_default() += u64::from(endpoint.weight);
        }
        (service.policy.as_ref().unwrap_or(&pool.policy), weights.into_iter().collect())
    };
    service.pools.iter().filter_map(|at| pools.get(*at)).map(of).collect()
}
