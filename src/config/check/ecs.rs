//! `[ecs]`: who is believed, and how maps and blocks are cut. Must not know what is answered.

use toml::Spanned;

use super::{
    meant::Lengths,
    policy::Policies,
    selector::{Acls, sources},
    service::Homes,
    value::{items, text, whole},
    zone::name,
};
use crate::{
    config::{
        diagnostics::Notes,
        fault::{Fault, Place},
        geo::Found,
        quantity,
        spec::{EcsSpec, Field, LengthsSpec},
    },
    engine::{
        geo::{Atlas, Cuts, Selector, Whose},
        types::{Family, PerFamily, Prefix},
        world::{Reflect, policy::Policy},
    },
};

/// The bits of an address, by family.
const BITS: PerFamily<u8> = PerFamily::new(32, 128);

/// The keys of tables with a length for each family.
const KEYS: PerFamily<&str> = PerFamily::new("v4", "v6");

/// `ecs.from`: whose option is believed.
pub(crate) fn from(spec: &EcsSpec, acls: &mut Acls<'_>, notes: &mut Notes<'_>) -> Vec<Prefix> {
    let any = ["0.0.0.0/0", "::/0"].into_iter().filter_map(|text| quantity::prefix(text).ok());
    let Some(written) = &spec.from else { return any.collect() };
    let found = sources(written, "ecs.from", acls, notes);
    if items(Some(written)).is_empty() && notes.is_whole(&["ecs", "from"]) {
        let fault = notes
            .error(written.span(), "`ecs.from` is empty", "it does not say who is believed")
            .remedy("write \"none\" to believe no sender");
        notes.push(fault);
    }
    found
}

/// `ecs.block`, `ecs.widest`, `ecs.finest`.
pub(crate) fn lengths(spec: &EcsSpec, notes: &mut Notes<'_>) -> Lengths {
    let usual = Cuts::default();
    let finest = pair(&spec.finest, "ecs.finest", usual.finest, PerFamily::new(8, 16), BITS, notes);
    let widest = pair(&spec.widest, "ecs.widest", usual.widest, PerFamily::new(0, 0), BITS, notes);
    let usual = PerFamily::new(finest.v4.min(16), finest.v6.min(32));
    let block = pair(&spec.block, "ecs.block", usual, PerFamily::new(0, 0), BITS, notes);
    for (key, written, lengths) in [("widest", &spec.widest, widest), ("block", &spec.block, block)] {
        let Some(written) = written else { continue };
        for (family, given) in Family::BOTH.into_iter().zip([&written.get_ref().v4, &written.get_ref().v6]) {
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
    default: PerFamily<u8>,
    from: PerFamily<u8>,
    to: PerFamily<u8>,
    notes: &mut Notes<'_>,
) -> PerFamily<u8> {
    let Some(written) = written else { return default };
    let LengthsSpec { v4, v6 } = written.get_ref();
    let mut one = |key: &str, given: &Field<_>, family: Family| {
        let bounds = i64::from(from[family])..=i64::from(to[family]);
        whole(given.as_ref(), &format!("{path}.{key}"), default[family].into(), bounds, notes) as u8
    };
    PerFamily::new(one("v4", v4, Family::V4), one("v6", v6, Family::V6))
}

/// What is written for prefixes beside fences: overrides, geo rules, latency lines.
#[derive(Debug)]
pub(crate) struct Written<'m> {
    pub(crate) cuts: Cuts,
    /// The policies in use.
    pub(crate) used: Vec<&'m Policy>,
    /// Whether anything is ranked by the location that a client subnet has.
    pub(crate) by_subnet: bool,
    pub(crate) geo: &'m Found,
}

/// Maps are cut at `ecs.finest`, except around fences. A block cannot be finer; what is said of a finer prefix holds for
/// clients that ask by themselves, and not for those that stand in a client subnet.
pub(crate) fn holds(spec: &EcsSpec, written: &Written<'_>, policies: &Policies<'_>, notes: &mut Notes<'_>) {
    let finest = written.cuts.finest;
    let mut finer: Vec<(&str, String, Prefix, Place)> = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    for policy in &written.used {
        if seen.contains(&&*policy.name) {
            continue;
        }
        seen.push(&policy.name);
        let sticky = policy.sticky.unwrap_or_default();
        if let Some(family) = Family::BOTH.into_iter().find(|family| sticky[*family] > finest[*family]) {
            let key = KEYS[family];
            let label = format!("`ecs.finest.{key}` is {}: maps are cut there", finest[family]);
            let message = format!("the `sticky` of policy \"{}\" is finer than `ecs.finest`", policy.name);
            let given = spec.finest.as_ref().map(Spanned::span);
            let at = policies.sticky_at(&policy.name).or_else(|| given.clone()).unwrap_or(0..0);
            let mut fault = notes.error(at.clone(), message, label);
            if let Some(given) = given.filter(|given| *given != at) {
                fault = fault.also(notes.place(given), "written here");
            }
            let remedy = format!("write `ecs.finest = {{ {key} = {} }}`, or shorten `sticky`", sticky[family]);
            notes.push(fault.remedy(remedy));
        }
        for (selector, _) in policy.preferences.iter().flat_map(|preferences| &preferences.rules) {
            if let Selector::Net(net) = selector
                && let Some(at) = policies.net_at(&policy.name, *net)
            {
                finer.push((
                    "geo rules",
                    format!("the geo rule for {net} of policy \"{}\"", policy.name),
                    *net,
                    notes.place(at),
                ));
            }
        }
    }
    // An override that says what most of the prefix around it says loses nothing.
    let Found { atlas, overrides, cells, .. } = written.geo;
    let is_lost = |prefix: Prefix| !atlas.prevails(prefix, prefix.cut(finest[prefix.family()]));
    for (prefix, place) in overrides.iter().filter(|(prefix, _)| is_lost(*prefix)) {
        finer.push(("overrides", format!("the override for {prefix}"), *prefix, place.clone()));
    }
    for line in cells {
        if let Whose::Net(prefix) = line.whose {
            let what = format!("the round trip from {prefix} to {}", line.region);
            finer.push(("round trips", what, prefix, line.place.clone()));
        }
    }
    finer.retain(|(.., prefix, _)| written.by_subnet && prefix.len() > finest[prefix.family()]);
    warn_finer(&finer, finest, atlas, notes);
}

/// One warning for each prefix that is finer than maps are cut; of a kind at most [`MOST`], the last of which says how many
/// more there are.
fn warn_finer(finer: &[(&str, String, Prefix, Place)], finest: PerFamily<u8>, atlas: &Atlas, notes: &mut Notes<'_>) {
    /// More of them are one habit.
    const MOST: usize = 10;
    for (at, (kind, what, prefix, place)) in finer.iter().enumerate() {
        let before = finer[..at].iter().filter(|(other, ..)| other == kind).count();
        if before >= MOST {
            continue;
        }
        let more = finer[at + 1..].iter().filter(|(other, ..)| other == kind).count();
        let family = prefix.family();
        let around = prefix.cut(finest[family]);
        let more = match (before + 1 == MOST, more) {
            (false, _) | (_, 0) => String::new(),
            (true, more) => format!("; so it is for {more} more {kind}"),
        };
        let fences = if *kind == "overrides" { ", and where a fence tells its clients apart" } else { "" };
        let decides = match atlas.is_mostly_special(around) {
            true => format!("for a client subnet the sender decides, since most of {around} is special-purpose space"),
            false => format!("for a client subnet most of {around} decides"),
        };
        let label = format!("it counts for clients that ask without a client subnet{fences}; {decides}{more}");
        let fault = Fault::warning(format!("{what} is finer than `ecs.finest`"), place.clone(), label);
        let key = KEYS[family];
        let remedy = format!("write `ecs.finest = {{ {key} = {} }}` if it is to count for both", prefix.len());
        notes.push(fault.remedy(remedy));
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
