//! Whether fences can leave a client nothing. Clients are stood for by every combination of what the fences mention;
//! facts are taken as independent, since overrides may state any of them alone.

use std::collections::BTreeSet;

use crate::{
    config::check::{MeantEndpoint, MeantPool, MeantService},
    engine::{
        geo::{Fence, Selector},
        types::Prefix,
        world::Region,
    },
};

/// Beyond so many comparisons it is taken for granted that somebody can be left out.
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
