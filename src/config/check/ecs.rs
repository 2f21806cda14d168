//! `[ecs]`: who is believed, and how maps and blocks are cut. Must not know what is answered.

use std::ops::Range;

use toml::Spanned;

use super::{
    acl::{Acls, sources},
    service::Homes,
    value::{items, text, whole},
    zone::name,
};
use crate::{
    config::{
        notes::Notes,
        quantity,
        spec::{EcsSpec, Field, LengthsSpec},
    },
    engine::{
        geo::{Cuts, Selector},
        snapshot::Reflect,
        steer::policy::Policy,
        types::Prefix,
    },
};

/// The bits of an address, by family.
const BITS: [u8; 2] = [32, 128];

/// How maps and blocks are cut.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lengths {
    pub(crate) cuts: Cuts,
    /// A policy that can split a catchment splits it at least so finely.
    pub(crate) block: [u8; 2],
}

/// `ecs.from`: whose option is believed.
pub(crate) fn from(spec: &EcsSpec, acls: &mut Acls<'_>, notes: &mut Notes<'_>) -> Vec<Prefix> {
    let any = ["0.0.0.0/0", "::/0"].into_iter().filter_map(|text| quantity::prefix(text).ok());
    let Some(written) = &spec.from else { return any.collect() };
    let found = sources(written, "ecs.from", acls, notes);
    if items(Some(written)).is_empty() && notes.is_whole(&["ecs", "from"]) {
        let fault = notes
            .error(written.span(), "`ecs.from` is empty", "it does not say who is believed")
            .remedy("write \"none\" when nobody is");
        notes.push(fault);
    }
    found
}

/// `ecs.block`, `ecs.widest`, `ecs.finest`.
pub(crate) fn lengths(spec: &EcsSpec, notes: &mut Notes<'_>) -> Lengths {
    let usual = Cuts::default();
    let finest = pair(&spec.finest, "ecs.finest", usual.finest, [8, 16], BITS, notes);
    let widest = pair(&spec.widest, "ecs.widest", usual.widest, [0, 0], BITS, notes);
    let usual = [16.min(finest[0]), 32.min(finest[1])];
    let block = pair(&spec.block, "ecs.block", usual, [0, 0], BITS, notes);
    for (key, written, lengths) in [("widest", &spec.widest, widest), ("block", &spec.block, block)] {
        let Some(written) = written else { continue };
        for (family, given) in [&written.get_ref().v4, &written.get_ref().v6].into_iter().enumerate() {
            if let Some(given) = given
                && lengths[family] > finest[family]
            {
                let message = format!("`ecs.{key}` is finer than `ecs.finest`");
                let fault = notes.error(given.span(), message, format!("`ecs.finest` is {} there", finest[family]));
                notes.push(fault.remedy("shorten it, or lengthen `ecs.finest`"));
            }
        }
    }
    Lengths { cuts: Cuts { widest, finest }, block }
}

fn pair(
    written: &Field<LengthsSpec>,
    path: &str,
    default: [u8; 2],
    from: [u8; 2],
    to: [u8; 2],
    notes: &mut Notes<'_>,
) -> [u8; 2] {
    let Some(written) = written else { return default };
    let LengthsSpec { v4, v6 } = written.get_ref();
    let mut one = |key: &str, given: &Field<_>, at: usize| {
        let bounds = i64::from(from[at])..=i64::from(to[at]);
        whole(given.as_ref(), &format!("{path}.{key}"), default[at].into(), bounds, notes) as u8
    };
    [one("v4", v4, 0), one("v6", v6, 1)]
}

/// Maps are cut at `ecs.finest`, except around fences: what is told apart more finely would not be.
pub(crate) fn holds<'m>(
    spec: &EcsSpec,
    cuts: &Cuts,
    policies: impl Iterator<Item = &'m Policy>,
    notes: &mut Notes<'_>,
) {
    let at: Range<usize> = spec.finest.as_ref().map_or(0..0, Spanned::span);
    let told = |what: String, needed: u8, family: usize, notes: &mut Notes<'_>| {
        let key = ["v4", "v6"][family];
        let label = format!("`ecs.finest.{key}` is {}: maps are cut there", cuts.finest[family]);
        let fault = notes.error(at.clone(), format!("{what} is finer than `ecs.finest`"), label);
        notes.push(fault.remedy(format!("write `ecs.finest = {{ {key} = {needed} }}`, or use a wider prefix")));
    };
    let mut told_of: Vec<&str> = Vec::new();
    for policy in policies {
        if told_of.contains(&&*policy.name) {
            continue;
        }
        told_of.push(&policy.name);
        let sticky = policy.sticky.unwrap_or_default();
        if let Some(family) = (0..2).find(|family| sticky[*family] > cuts.finest[*family]) {
            told(format!("the `sticky` of policy \"{}\"", policy.name), sticky[family], family, notes);
        }
        for (selector, _) in policy.preferences.iter().flat_map(|preferences| &preferences.rules) {
            let Selector::Net(net) = selector else { continue };
            let family = net.family().at();
            if net.len() > cuts.finest[family] {
                told(format!("the geo rule for {net} of policy \"{}\"", policy.name), net.len(), family, notes);
            }
        }
    }
}

/// `ecs.reflect`: the name that tells a client what it is taken for.
pub(crate) fn reflect(
    spec: &EcsSpec,
    acls: &mut Acls<'_>,
    homes: &mut Homes<'_>,
    notes: &mut Notes<'_>,
) -> Option<Reflect> {
    let written = spec.reflect.as_ref()?;
    let reflect = written.get_ref();
    for (key, missing) in [("name", reflect.name.is_none()), ("allow", reflect.allow.is_none())] {
        if missing && notes.is_whole(&["ecs", "reflect"]) {
            let fault = notes.error(written.span(), "`ecs.reflect` is not complete", format!("`{key}` is missing"));
            notes.push(fault.remedy("write { name = \"whoami.example.com\", allow = [\"192.0.2.0/24\"] }"));
        }
    }
    let allow = reflect.allow.as_ref().map(|allow| sources(allow, "ecs.reflect.allow", acls, notes));
    let key = text(reflect.name.as_ref()?);
    let key = Spanned::new(key.span(), (*key.get_ref()).to_owned());
    let own = name("`ecs.reflect`", &key, notes)?;
    homes.claim(&key, &own, "the name of `ecs.reflect`", notes);
    Some(Reflect { name: own, allow: allow? })
}
