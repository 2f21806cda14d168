//! `[services]`: names that are answered from pools, and the zones that hold them.

mod alias;
mod companions;
mod existing;
mod fallback;
mod fence_coverage;
mod ownership;

use std::{net::IpAddr, ops::Range};

use toml::Spanned;

use self::fallback::TtlBounds;
use super::{
    meant::{MeantPool, MeantService},
    policy::Policies,
    pool::suits,
    selector::{Groups, fence},
    symbols::Names,
    value::{items, millis, text, word},
    zone::name,
};
use crate::{
    config::{
        diagnostics::{Notes, join},
        spec::{Field, ServiceSpec, Spec, Text},
    },
    engine::{
        types::{Family, Millis},
        units::Ttl,
        wire::{name::Name, rr::RrType},
        world::{
            Region,
            policy::{Key, Policy},
            service::{Fallback, Families, Service},
        },
    },
};
pub(crate) use ownership::Homes;

const TTL: TtlBounds = TtlBounds { max: Ttl(30), min: Ttl(5) };
/// The longest time in which failing over can be an objective.
const DAY: Millis = Millis::seconds(86_400);

/// What a service may name, and what else is known when it is read.
#[derive(Debug)]
pub(crate) struct ServiceContext<'a, 's> {
    pub(crate) steered: &'a [MeantPool],
    pub(crate) regions: &'a [Region],
    pub(crate) pools: &'a mut Names<'s>,
    pub(crate) policies: &'a mut Policies<'s>,
    pub(crate) groups: &'a mut Groups<'s>,
}

/// What services have that do not say.
#[derive(Debug)]
struct Defaults {
    ttl: TtlBounds,
    when_all_down: Fallback,
    when_fenced: Option<Fallback>,
    families: Families,
    ecs: bool,
}

/// `[services]`, in canonical order of their names.
pub(crate) fn services(
    spec: &Spec,
    around: &mut ServiceContext<'_, '_>,
    homes: &mut Homes<'_>,
    notes: &mut Notes<'_>,
) -> Vec<MeantService> {
    let own = &spec.defaults.service;
    let at = |key: &str| format!("defaults.service.{key}");
    let defaults = Defaults {
        ttl: fallback::ttl(&at("ttl"), &own.ttl, TTL, notes),
        when_all_down: fallback::when_all_down(own.when_all_down.as_ref(), &at("when_all_down"), notes)
            .unwrap_or(Fallback::IgnoreHealth),
        when_fenced: fallback::when_fenced(own.when_fenced.as_ref(), &at("when_fenced"), notes),
        families: families(&own.families, &at("families"), Families::Apart, notes),
        ecs: own.ecs.as_ref().is_none_or(|ecs| *ecs.get_ref()),
    };
    let (mut found, mut seconds) = (Vec::new(), Vec::new());
    for (key, service) in &spec.services {
        let Some(meant) = one(key, service, spec, &defaults, around, &mut seconds, notes) else { continue };
        if !homes.serve(key, &meant.answers.name, notes) {
            continue;
        }
        let own: &[RrType] = match meant.answers.https {
            Some(_) => &[RrType::A, RrType::AAAA, RrType::HTTPS],
            None => &[RrType::A, RrType::AAAA],
        };
        homes.home(key, &meant.answers.name, "service", own, notes);
        found.push((key.clone(), meant));
    }
    companions::claim(&found, &seconds, homes, notes);
    alias::aliases(&found, around.steered, homes, notes);
    alias::pointed(&found, around.steered, homes, notes);
    let certain = if notes.has_errors() { &[] } else { found.as_slice() };
    for (key, meant) in certain {
        let lost = spec.services.get(key).and_then(|service| service.when_all_down.as_ref());
        if let (Some(lost), Fallback::Addresses(list)) = (lost, &meant.answers.when_all_down) {
            let label =
                |rtype: &str| format!("{rtype} is empty once no endpoint has it alive, and resolvers keep that");
            one_family(key, ("when_all_down", list, lost.span()), &label, meant, around, notes);
        }
        let written = spec.services.get(key).and_then(|service| service.when_fenced.as_ref());
        closed(key, meant, written.map(Spanned::span), around, notes);
        if let (Some(written), Some(Fallback::Cname(target))) = (written, &meant.answers.when_fenced) {
            let other = alias::serving(target, certain, homes);
            fenced_again(key, [meant, other.unwrap_or(meant)], written.span(), around, notes);
        }
    }
    companions::agree(&found, around.steered, notes);
    if !notes.has_errors() {
        fence_coverage::differ(&found, spec, (around.steered, around.regions), notes);
    }
    let mut found: Vec<MeantService> = found.into_iter().map(|(_, service)| service).collect();
    found.sort_by(|a, b| a.answers.name.cmp(&b.answers.name));
    found
}

fn one(
    key: &Spanned<String>,
    service: &ServiceSpec,
    spec: &Spec,
    defaults: &Defaults,
    around: &mut ServiceContext<'_, '_>,
    seconds: &mut Vec<(Spanned<String>, Name)>,
    notes: &mut Notes<'_>,
) -> Option<MeantService> {
    let written = key.get_ref();
    let at = |field: &str| join(&["services", written, field]);
    let chosen = chosen(key, service, around, notes);
    let pools: Vec<usize> = chosen.iter().map(|(at, _)| *at).collect();
    let canary = companions::canary(written, service, around.pools, notes);
    let policy = service.policy.as_ref().map(|policy| own_policy(policy, written, &pools, spec, around, notes));
    never_reached(written, &chosen, policy.as_ref(), around, notes);
    let ttl = fallback::ttl(&at("ttl"), &service.ttl, defaults.ttl, notes);
    let when_all_down = fallback::when_all_down(service.when_all_down.as_ref(), &at("when_all_down"), notes);
    let when_fenced = fallback::when_fenced(service.when_fenced.as_ref(), &at("when_fenced"), notes);
    let fence = fence(service.fence.as_ref(), &at("fence"), around.groups, notes);
    let affinity = service.affinity.as_ref().and_then(|affinity| self::affinity(affinity, &at("affinity"), notes));
    let objective = service.objective.as_ref();
    let objective =
        objective.map(|_| millis(objective, &at("objective"), Millis::ZERO, Millis::seconds(1)..=DAY, notes));
    let https = service.https.as_ref().map(|https| companions::https(written, https, notes));
    let families = families(&service.families, &at("families"), defaults.families, notes);
    let own = name("service", key, notes)?;
    let direct = companions::direct(key, &own, &pools, service, (around.steered, around.regions), notes);
    let second = companions::second(&own, service, notes);
    seconds.extend(second.clone());
    let mut answers = Service {
        ttl_max: ttl.max,
        ttl_min: ttl.min,
        when_all_down: when_all_down.unwrap_or_else(|| defaults.when_all_down.clone()),
        when_fenced: when_fenced.or_else(|| defaults.when_fenced.clone()),
        families,
        ecs: service.ecs.as_ref().map_or(defaults.ecs, |ecs| *ecs.get_ref()),
        https,
        objective,
        ..Service::new(own)
    };
    if let Some(affinity) = &affinity {
        answers.affinity = affinity.as_bytes().into();
    }
    let second = second.map(|(_, name)| name);
    Some(MeantService { answers, pools, policy, canary, affinity, fence, direct, second })
}

/// Where fences can leave a client nothing, what it gets must be said; elsewhere it is said in vain.
fn closed(
    key: &Spanned<String>,
    service: &MeantService,
    written: Option<Range<usize>>,
    around: &ServiceContext<'_, '_>,
    notes: &mut Notes<'_>,
) {
    let can_be = fence_coverage::can_be(service, around.steered, around.regions);
    let fault = match (can_be, &service.answers.when_fenced, written) {
        (true, None, _) => {
            let message = format!("service \"{}\" does not say `when_fenced`", key.get_ref());
            let fault = notes.error(key.span(), message, "its fences can leave a client nothing");
            fault.remedy("add `when_fenced = { address = [\"192.0.2.99\"] }`, { cname = \"…\" }, \"servfail\", \"refused\" or \"nodata\"")
        }
        (false, Some(_), Some(span)) => {
            let message = format!("`{}` has no effect", join(&["services", key.get_ref(), "when_fenced"]));
            let fault = notes.warning(span, message, "no fence can leave a client nothing");
            fault.remedy("take it out")
        }
        (true, Some(Fallback::Addresses(list)), Some(span)) => {
            let label = |rtype: &str| {
                format!("resolvers keep the empty {rtype} for all their clients, inside the fence and outside")
            };
            return one_family(key, ("when_fenced", list, span), &label, service, around, notes);
        }
        _ => return,
    };
    notes.push(fault);
}

/// Warns of addresses to fall back to that lack a family which endpoints of the service have: an empty answer is kept for
/// every client of a resolver (RFC 7871 7.4).
fn one_family(
    key: &Spanned<String>,
    (field, list, span): (&str, &[IpAddr], Range<usize>),
    label: &dyn Fn(&str) -> String,
    service: &MeantService,
    around: &ServiceContext<'_, '_>,
    notes: &mut Notes<'_>,
) {
    let pools = service.pools.iter().filter_map(|at| around.steered.get(*at));
    let endpoints: Vec<_> = pools.flat_map(|pool| &pool.endpoints).map(|endpoint| endpoint.addresses()).collect();
    let lacks = Family::BOTH.into_iter().find(|family| {
        endpoints.iter().any(|families| families[*family].is_some())
            && !list.iter().any(|address| Family::of(*address) == *family)
    });
    let Some(family) = lacks else { return };
    let rtype = match family {
        Family::V4 => "A",
        Family::V6 => "AAAA",
    };
    let path = join(&["services", key.get_ref(), field]);
    let fault = notes.warning(span, format!("`{path}` holds no {family} address"), label(rtype));
    notes.push(fault.remedy(format!("add an {family} address, as the endpoints have one")));
}

/// Whether those whom a service's fences leave nothing are sent to another one that has nothing for them either.
fn fenced_again(
    key: &Spanned<String>,
    [service, other]: [&MeantService; 2],
    written: Range<usize>,
    around: &ServiceContext<'_, '_>,
    notes: &mut Notes<'_>,
) {
    let told = match &other.answers.when_fenced {
        Some(Fallback::NoData) => "nodata",
        Some(Fallback::Refused) => "refused",
        Some(Fallback::ServFail) => "servfail",
        _ => return,
    };
    if !fence_coverage::can_be_of_both([service, other], around.steered, around.regions) {
        return;
    }
    let name = &other.answers.name;
    let message = format!("`{}` leads behind a fence", join(&["services", key.get_ref(), "when_fenced"]));
    let label = format!("{name} has {told} for some of those who are sent there");
    let fault = notes.warning(written, message, label);
    notes.push(fault.remedy(format!("open {name} to them, or name what stands behind no fence")));
}

/// The policy that a service has for all its pools.
fn own_policy(
    written: &Spanned<Text>,
    service: &str,
    pools: &[usize],
    spec: &Spec,
    around: &mut ServiceContext<'_, '_>,
    notes: &mut Notes<'_>,
) -> Policy {
    let policy = around.policies.find(Some(text(written)), notes);
    let ordered = policy.prefer.iter().any(|(key, _)| *key == Key::Order);
    for at in pools {
        let (Some((key, pool)), Some(meant)) = (spec.pools.iter().nth(*at), around.steered.get(*at)) else { continue };
        suits(written.span(), &policy, meant, notes);
        let tiered = pool.endpoints.values().all(|endpoint| endpoint.tier.is_some());
        if ordered && pool.order.is_none() && !tiered && notes.is_whole(&["pools", key.get_ref()]) {
            let message = format!("pool \"{}\" has no order", key.get_ref());
            let label = format!("policy \"{}\" of service \"{service}\" prefers \"order\"", policy.name);
            let fault = notes.error(written.span(), message, label).also(notes.place(key.span()), "this pool");
            notes.push(fault.remedy("add `order` to the pool, or a `tier` to each of its endpoints"));
        }
    }
    policy
}

fn families(written: &Field<Text>, path: &str, default: Families, notes: &mut Notes<'_>) -> Families {
    const WORDS: [(&str, Families); 2] = [("apart", Families::Apart), ("leave", Families::Leave)];
    if let Some(written) = written
        && text(written).get_ref().eq_ignore_ascii_case("withhold")
    {
        let label = "it made a type empty for every client when one region lost that family";
        let fault = notes
            .error(written.span(), format!("`{path}` cannot be \"withhold\" any more"), label)
            .remedy("write \"apart\", the default: another endpoint of the pool answers for a family that is down; or \"leave\": down in one family is out for both");
        notes.push(fault);
        return default;
    }
    let given = written.as_ref().and_then(|written| word(text(written), path, &WORDS, &[], notes));
    given.unwrap_or(default)
}

fn affinity(written: &Spanned<Text>, path: &str, notes: &mut Notes<'_>) -> Option<String> {
    let text: &str = written.get_ref();
    if (1..=255).contains(&text.len()) && text.bytes().all(|octet| octet.is_ascii_graphic()) {
        return Some(text.to_owned());
    }
    let label = "1 to 255 visible ASCII characters";
    let fault = notes.error(written.span(), format!("`{path}` cannot be {text:?}"), label);
    notes.push(fault);
    None
}

fn chosen(
    key: &Spanned<String>,
    spec: &ServiceSpec,
    around: &mut ServiceContext<'_, '_>,
    notes: &mut Notes<'_>,
) -> Vec<(usize, Range<usize>)> {
    let service = key.get_ref();
    let mut chosen: Vec<(usize, Range<usize>)> = Vec::new();
    for item in items(spec.pools.as_ref()) {
        let given = Spanned::new(item.span(), item.get_ref().as_str());
        let Some(at) = around.pools.find(&given, &format!("service \"{service}\""), notes) else { continue };
        match chosen.iter().find(|(known, _)| *known == at) {
            Some((_, first)) => {
                let message = format!("service \"{service}\" names pool {:?} twice", given.get_ref());
                let fault =
                    notes.error(item.span(), message, "here again").also(notes.place(first.clone()), "first here");
                notes.push(fault);
            }
            None => chosen.push((at, item.span())),
        }
    }
    if items(spec.pools.as_ref()).is_empty() && notes.is_whole(&["services", service]) {
        let span = spec.pools.as_ref().map_or_else(|| key.span(), Spanned::span);
        let fault = notes.error(span, format!("service \"{service}\" has no pools"), "there is nothing to answer with");
        notes.push(fault.remedy("add `pools = [\"NAME\"]`, in fallback order"));
    }
    chosen
}

/// A pool without a monitor is always up: none behind it ever answers. `policy`: the service's own.
fn never_reached(
    service: &str,
    chosen: &[(usize, Range<usize>)],
    policy: Option<&Policy>,
    around: &ServiceContext<'_, '_>,
    notes: &mut Notes<'_>,
) {
    if notes.has_errors() {
        return;
    }
    let always = |(at, _): &(usize, Range<usize>)| {
        let pool = around.steered.get(*at);
        pool.is_some_and(|pool| pool.is_always_up(policy.unwrap_or(&pool.policy), around.regions))
    };
    let Some(at) = chosen.iter().position(always) else { return };
    if let (Some((_, before)), Some((_, behind))) = (chosen.get(at), chosen.get(at + 1)) {
        let message = format!("service \"{service}\" never comes to its later pools");
        let fault = notes
            .warning(behind.clone(), message, "never reached")
            .also(notes.place(before.clone()), "this pool has no monitor and is always up")
            .remedy("give it a monitor, or put it last");
        notes.push(fault);
    }
}
