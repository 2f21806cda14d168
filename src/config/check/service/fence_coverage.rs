//! What fences leave to the clients of a service: whether they can leave one nothing, and families that some clients
//! miss while others have them. Clients are stood for by every combination of what the fences mention; facts are taken
//! as independent, since overrides may state any of them alone. An empty answer is kept for every client of a resolver
//! (RFC 7871 7.4), so that clients lose the family too that would get it. Must not know health.

use std::collections::BTreeSet;

use toml::Spanned;

use crate::{
    config::{
        check::meant::{MeantEndpoint, MeantPool, MeantService},
        diagnostics::Notes,
        spec::Spec,
    },
    engine::{
        geo::{Fence, Selector},
        types::{Family, Prefix},
        world::Region,
    },
};

/// Beyond so many comparisons it is taken for granted that some client can be left out.
const MOST: usize = 2_000_000;

/// A client that stands for others.
#[derive(Clone, Copy, Debug)]
struct Client<'f> {
    continent: Option<[u8; 2]>,
    country: Option<[u8; 2]>,
    subdivision: Option<&'f str>,
    asn: Option<u32>,
    net: Option<Prefix>,
}

impl Client<'_> {
    fn is(&self, selector: &Selector) -> bool {
        match selector {
            Selector::Continent(code) => self.continent == Some(*code),
            Selector::Country(code) => self.country == Some(*code),
            Selector::Subdivision(country, code) => self.country == Some(*country) && self.subdivision == Some(code),
            Selector::Asn(number) => self.asn == Some(*number),
            Selector::Net(prefix) => self.net.is_some_and(|net| prefix.contains(net)),
            Selector::Unknown => self.continent.is_none() && self.country.is_none(),
        }
    }

    fn is_outside(&self, fence: &Fence) -> bool {
        let within = fence.only.is_empty() || fence.only.iter().any(|selector| self.is(selector));
        !within || fence.never.iter().any(|selector| self.is(selector))
    }

    fn is_kept_out<'f>(&self, mut ways: impl Iterator<Item = &'f [Fence]>) -> bool {
        ways.all(|fences| fences.iter().any(|fence| self.is_outside(fence)))
    }
}

/// A place that no selector mentions.
const ELSEWHERE: [u8; 2] = *b"??";

/// Whether some client is outside of everything that a service, or one of its direct names, could answer with.
pub(super) fn can_be(service: &MeantService, pools: &[MeantPool], regions: &[Region]) -> bool {
    let ways = ways(service, pools, regions);
    // The ways of the name itself, and those of each direct name.
    let mut names: Vec<Vec<&[Fence]>> = vec![ways.iter().map(|(_, fences)| fences.as_slice()).collect()];
    for (_, region) in &service.direct {
        names.push(ways.iter().filter(|(at, _)| at == region).map(|(_, fences)| fences.as_slice()).collect());
    }
    names.retain(|ways| !ways.is_empty() && ways.iter().all(|fences| !fences.is_empty()));
    if service.fence.is_open() && names.is_empty() {
        return false;
    }
    let fences: BTreeSet<&Fence> = ways.iter().flat_map(|(_, fences)| fences).chain([&service.fence]).collect();
    let mentioned: BTreeSet<&Selector> =
        fences.iter().flat_map(|fence| fence.only.iter().chain(&fence.never)).collect();
    let cost = ways.len() * names.len().max(1);
    let outside = |client: &Client<'_>| {
        client.is_outside(&service.fence) || names.iter().any(|ways| client.is_kept_out(ways.iter().copied()))
    };
    clients(&mentioned, cost).is_none_or(|clients| clients.iter().any(outside))
}

/// Whether some client is outside of everything that either of two services could answer with.
pub(super) fn can_be_of_both(both: [&MeantService; 2], pools: &[MeantPool], regions: &[Region]) -> bool {
    let sides = both.map(|service| (&service.fence, ways(service, pools, regions)));
    let fences = sides.iter().flat_map(|(own, ways)| ways.iter().flat_map(|(_, fences)| fences).chain([*own]));
    let mentioned: BTreeSet<&Selector> = fences.flat_map(|fence| fence.only.iter().chain(&fence.never)).collect();
    let cost = sides.iter().map(|(_, ways)| ways.len()).sum();
    let outside = |client: &Client<'_>| {
        let kept_out = |ways: &[(usize, Vec<Fence>)]| client.is_kept_out(ways.iter().map(|(_, fences)| &**fences));
        sides.iter().all(|(own, ways)| client.is_outside(own) || !ways.is_empty() && kept_out(ways))
    };
    clients(&mentioned, cost).is_some_and(|clients| clients.iter().any(outside))
}

/// Whether some client is left endpoints of a pool, and none that `has` what others have: one that it is left, and one of
/// the others.
pub(super) fn without<'p>(
    pool: &'p MeantPool,
    regions: &[Region],
    has: impl Fn(&MeantEndpoint) -> bool,
) -> Option<(&'p MeantEndpoint, &'p MeantEndpoint)> {
    let weighted = pool.endpoints.iter().filter(|endpoint| endpoint.weight > 0);
    let ways: Vec<(&MeantEndpoint, Vec<Fence>)> =
        weighted.map(|endpoint| (endpoint, pool.fences_of(endpoint, regions))).collect();
    let (other, _) = ways.iter().find(|(endpoint, _)| has(endpoint))?;
    if ways.iter().any(|(endpoint, fences)| has(endpoint) && fences.is_empty()) {
        return None;
    }
    let mentioned: BTreeSet<&Selector> =
        ways.iter().flat_map(|(_, fences)| fences).flat_map(|fence| fence.only.iter().chain(&fence.never)).collect();
    clients(&mentioned, ways.len())?.iter().find_map(|client| {
        let is_open =
            |(_, fences): &&(&MeantEndpoint, Vec<Fence>)| !fences.iter().any(|fence| client.is_outside(fence));
        let (first, _) = ways.iter().find(is_open)?;
        let none = !ways.iter().filter(is_open).any(|(endpoint, _)| has(endpoint));
        none.then_some((*first, *other))
    })
}

/// Each endpoint that a service could answer with: its region, and the fences that it stands behind.
fn ways(service: &MeantService, pools: &[MeantPool], regions: &[Region]) -> Vec<(usize, Vec<Fence>)> {
    let used = service.pools.iter().filter_map(|at| pools.get(*at));
    let endpoints = used.flat_map(|pool| pool.endpoints.iter().map(move |endpoint| (pool, endpoint)));
    let weighted = endpoints.filter(|(_, endpoint)| endpoint.weight > 0);
    weighted.map(|(pool, endpoint)| (endpoint.region, pool.fences_of(endpoint, regions))).collect()
}

/// One client for each combination of what is mentioned, or elsewhere, or not known; none where they are too many.
fn clients<'f>(mentioned: &BTreeSet<&'f Selector>, cost: usize) -> Option<Vec<Client<'f>>> {
    let mut continents: BTreeSet<Option<[u8; 2]>> = [None, Some(ELSEWHERE)].into();
    let mut countries: BTreeSet<(Option<[u8; 2]>, Option<&str>)> = [(None, None), (Some(ELSEWHERE), None)].into();
    let mut numbers: BTreeSet<Option<u32>> = [None].into();
    let mut nets: BTreeSet<Option<Prefix>> = [None].into();
    for selector in mentioned {
        match selector {
            Selector::Continent(code) => _ = continents.insert(Some(*code)),
            Selector::Country(code) => _ = countries.insert((Some(*code), None)),
            Selector::Subdivision(country, code) => {
                countries.extend([(Some(*country), None), (Some(*country), Some(&**code))]);
            }
            Selector::Asn(number) => _ = numbers.insert(Some(*number)),
            Selector::Net(prefix) => _ = nets.insert(Some(*prefix)),
            Selector::Unknown => {}
        }
    }
    let all = [continents.len(), countries.len(), numbers.len(), nets.len(), cost.max(1)];
    if all.into_iter().try_fold(1_usize, usize::checked_mul).is_none_or(|all| all > MOST) {
        return None;
    }
    let mut clients = Vec::new();
    for continent in continents {
        for (country, subdivision) in &countries {
            for asn in &numbers {
                let at = |net: &Option<Prefix>| Client {
                    continent,
                    country: *country,
                    subdivision: *subdivision,
                    asn: *asn,
                    net: *net,
                };
                clients.extend(nets.iter().map(at));
            }
        }
    }
    Some(clients)
}

/// How many services a warning names.
const SHOWN: usize = 3;

/// Warns, with both places, of pools of a service that differ in families, and of endpoints of a pool that do while some
/// clients can only be answered from those without.
pub(super) fn differ(
    found: &[(Spanned<String>, MeantService)],
    spec: &Spec,
    (steered, regions): (&[MeantPool], &[Region]),
    notes: &mut Notes<'_>,
) {
    let mut seen: Vec<(usize, usize, Family, Vec<&str>)> = Vec::new();
    for (key, service) in found {
        for (lacks, has, family) in among_pools(service, steered, regions) {
            match seen.iter_mut().find(|(a, b, f, _)| (*a, *b, *f) == (lacks, has, family)) {
                Some((.., services)) => services.push(key.get_ref()),
                None => seen.push((lacks, has, family, vec![key.get_ref()])),
            }
        }
    }
    for (lacks, has, family, services) in seen {
        pools(spec, steered, (lacks, has, family), &services, notes);
    }
    let used = |at: usize| found.iter().any(|(_, service)| own(service).any(|pool| pool == at));
    for (at, pool) in steered.iter().enumerate().filter(|(at, _)| used(*at)) {
        for family in Family::BOTH {
            fences(spec, (at, pool), family, regions, notes);
            names(spec, (at, pool), family, notes);
        }
    }
}

fn has(endpoint: &MeantEndpoint, family: Family) -> bool {
    endpoint.addresses()[family].is_some() || endpoint.cname.is_some()
}

fn weighted(pool: &MeantPool) -> impl Iterator<Item = &MeantEndpoint> {
    pool.endpoints.iter().filter(|endpoint| endpoint.weight > 0)
}

/// The pools that a service can be answered from.
fn own(service: &MeantService) -> impl Iterator<Item = usize> {
    service.pools.iter().copied().chain(service.canary.map(|(pool, _)| pool))
}

/// Each pool without a family that another one of the service has, with that one.
fn among_pools(service: &MeantService, steered: &[MeantPool], regions: &[Region]) -> Vec<(usize, usize, Family)> {
    let always = |at: &usize| {
        let pool = steered.get(*at);
        pool.is_some_and(|pool| pool.is_always_up(service.policy.as_ref().unwrap_or(&pool.policy), regions))
    };
    let reached = service.pools.iter().position(always).map_or(service.pools.len(), |last| last + 1);
    let canary = service.canary.map(|(pool, _)| pool);
    let pools: Vec<usize> = service.pools[..reached].iter().copied().chain(canary).collect();
    let mut found = Vec::new();
    for family in Family::BOTH {
        let with = |at: &&usize| steered.get(**at).is_some_and(|pool| weighted(pool).any(|e| has(e, family)));
        let Some(first) = pools.iter().find(with) else { continue };
        found.extend(pools.iter().filter(|at| !with(at)).map(|lacks| (*lacks, *first, family)));
    }
    found
}

fn pools(
    spec: &Spec,
    steered: &[MeantPool],
    (lacks, has, family): (usize, usize, Family),
    services: &[&str],
    notes: &mut Notes<'_>,
) {
    let pool = |at: usize| Some((steered.get(at)?, spec.pools.keys().nth(at)?));
    let (Some((lacks, key)), Some((has, other))) = (pool(lacks), pool(has)) else { return };
    let who = match services {
        [one] => format!("service \"{one}\" loses"),
        several => {
            let shown: Vec<String> = several.iter().take(SHOWN).map(|name| format!("\"{name}\"")).collect();
            let more = several.len() - shown.len();
            let more = if more == 0 { String::new() } else { format!(" and {more} more") };
            format!("services {}{more} lose", shown.join(", "))
        }
    };
    let message = format!("{who} {family} when pool \"{}\" answers", lacks.name);
    let label = format!("it has no {family} address: {} is empty then, and resolvers keep that", rtype(family));
    let fault = notes
        .warning(key.span(), message, label)
        .also(notes.place(other.span()), format!("pool \"{}\" has {family}", has.name))
        .remedy(format!("give an endpoint of \"{}\" an {family} address, or take {family} out of both", lacks.name));
    notes.push(fault);
}

fn fences(spec: &Spec, (at, pool): (usize, &MeantPool), family: Family, regions: &[Region], notes: &mut Notes<'_>) {
    let Some((open, closed)) = without(pool, regions, |endpoint| has(endpoint, family)) else { return };
    let place = |endpoint: &MeantEndpoint| spans(spec, at, &endpoint.name);
    let message = format!("fences of pool \"{}\" keep clients apart that differ in {family}", pool.name);
    let label =
        format!("some clients are left this and no {family}: {} is empty, and resolvers keep that", rtype(family));
    let fault = notes
        .warning(place(open), message, label)
        .also(notes.place(place(closed)), format!("it has {family}, for others"))
        .remedy(format!("give \"{}/{}\" an {family} address", pool.name, open.name));
    notes.push(fault);
}

/// Addresses without a family beside another name, which may have it.
fn names(spec: &Spec, (at, pool): (usize, &MeantPool), family: Family, notes: &mut Notes<'_>) {
    let Some(name) = weighted(pool).find(|endpoint| endpoint.cname.is_some()) else { return };
    let mut addresses = weighted(pool).filter(|endpoint| endpoint.cname.is_none()).peekable();
    let Some(first) = addresses.peek().copied() else { return };
    if addresses.any(|endpoint| has(endpoint, family)) {
        return;
    }
    let message =
        format!("the addresses of pool \"{}\" have no {family}, and it has another name beside them", pool.name);
    let label = format!("clients that get addresses get no {}, and resolvers keep that for the others", rtype(family));
    let fault = notes
        .warning(spans(spec, at, &first.name), message, label)
        .also(notes.place(spans(spec, at, &name.name)), "this is another name")
        .remedy(format!("make two pools of it, or give one of the others an {family} address"));
    notes.push(fault);
}

fn rtype(family: Family) -> &'static str {
    if family == Family::V4 { "A" } else { "AAAA" }
}

/// Where an endpoint's name is written.
fn spans(spec: &Spec, pool: usize, endpoint: &str) -> std::ops::Range<usize> {
    let keys = spec.pools.values().nth(pool).into_iter().flat_map(|pool| pool.endpoints.keys());
    keys.into_iter().find(|key| key.get_ref() == endpoint).map_or(0..0, Spanned::span)
}
