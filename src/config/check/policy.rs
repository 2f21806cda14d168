//! `[policies]`: presets, `extends` and tables to whole policies. Must not know pools.

use std::collections::{BTreeMap, BTreeSet};

use toml::Spanned;

use super::value::{items, name, text, units, whole, word};
use crate::{
    config::{
        notes::{Notes, join, suggest},
        presets::{self, Preset, key_name, spread_name},
        quantity,
        schema::{Mark, SIGNALS, STEERING, not_yet},
        spec::{Named, PolicySpec, StickySpec, ToleranceSpec, Whole},
    },
    engine::steer::policy::{Distinct, Key, MAX_ENDPOINTS, Policy, Spread},
};

/// The widest and the finest blocks that `sticky` can ask for: the usual block, and the finest scope.
const STICKY: [(i64, i64); 2] = [(16, 24), (32, 56)];

/// What a policy says, whatever it extends.
#[derive(Clone, Debug)]
struct Terms {
    prefer: Vec<Key>,
    /// By key: `rtt` in tenths of a millisecond, `distance` in kilometres.
    rtt: u32,
    distance: u32,
    spread: Spread,
    sticky: Option<[u8; 2]>,
    answers: u8,
}

impl From<&Preset> for Terms {
    fn from(preset: &Preset) -> Self {
        Self {
            prefer: preset.prefer.to_vec(),
            rtt: preset.rtt,
            distance: preset.distance,
            spread: preset.spread,
            sticky: preset.sticky,
            answers: preset.answers,
        }
    }
}

impl Terms {
    fn policy(&self, name: &str) -> Policy {
        let tolerance = |key: &Key| match key {
            Key::Order => 0,
            Key::Rtt => self.rtt,
            Key::Distance => self.distance,
            Key::Geo | Key::Load | Key::Response => 0,
        };
        let mut policy = Policy {
            name: name.into(),
            prefer: self.prefer.iter().map(|key| (*key, tolerance(key))).collect(),
            spread: self.spread,
            sticky: self.sticky,
            answers: self.answers,
            depth: presets::DEPTH,
            distinct: Distinct::Region,
            limits: [None; 2],
            preferences: None,
            shed: None,
            slow_start: 0,
        };
        if !policy.asks_block() {
            policy.sticky = None;
        }
        policy
    }
}

/// All policies by name.
#[derive(Debug)]
pub(crate) struct Policies<'s> {
    spec: &'s Named<PolicySpec>,
    terms: BTreeMap<&'s str, Terms>,
    used: BTreeSet<String>,
}

impl<'s> Policies<'s> {
    /// Resolves every table.
    pub(crate) fn resolve(spec: &'s Named<PolicySpec>, notes: &mut Notes<'_>) -> Self {
        let mut policies = Self { spec, terms: BTreeMap::new(), used: BTreeSet::new() };
        for key in spec.keys() {
            name("policy", key, notes);
            let taken = key.get_ref().as_str();
            if presets::find(taken).is_some() || presets::LATER.contains(&taken) {
                let fault = notes
                    .error(
                        key.span(),
                        format!("policy \"{taken}\" takes the name of a preset"),
                        "presets keep their names",
                    )
                    .remedy(format!("give it another name, with `extends = \"{taken}\"`"));
                notes.push(fault);
            }
            policies.chain(key, notes);
        }
        policies
    }

    /// The policy that a pool names, or the default.
    pub(crate) fn find(&mut self, written: Option<Spanned<&str>>, notes: &mut Notes<'_>) -> Policy {
        let (name, span) = written.map_or((presets::DEFAULT, 0..0), |name| (*name.get_ref(), name.span()));
        self.used.insert(name.to_owned());
        if let Some(terms) = self.terms.get(name) {
            return terms.policy(name);
        }
        if let Some(preset) = presets::find(name) {
            return Terms::from(preset).policy(name);
        }
        self.absent(&Spanned::new(span, name), notes);
        Terms::from(&presets::ADAPTIVE).policy(name)
    }

    /// Tables that no pool names, directly or through another.
    pub(crate) fn unused(&self) -> Vec<&'s Spanned<String>> {
        self.spec.keys().filter(|key| !self.used.contains(key.get_ref())).collect()
    }

    fn absent(&self, name: &Spanned<&str>, notes: &mut Notes<'_>) {
        let given = *name.get_ref();
        let known = self.spec.keys().map(|key| key.get_ref().as_str()).chain(presets::PRESETS.iter().map(|p| p.name));
        let fault = if presets::LATER.contains(&given) {
            let mark = if given == "geo" { STEERING } else { SIGNALS };
            not_yet(notes, name.span(), &format!("the preset \"{given}\""), mark)
        } else if notes.knows_all("policies") {
            notes
                .error(name.span(), format!("policy \"{given}\" does not exist"), "neither a table nor a preset")
                .remedy(suggest(given, known))
        } else {
            return;
        };
        notes.push(fault);
    }

    /// Resolves one table and all that it extends, the furthest first.
    fn chain(&mut self, key: &'s Spanned<String>, notes: &mut Notes<'_>) {
        let mut chain: Vec<(&'s Spanned<String>, &'s PolicySpec)> = Vec::new();
        let mut next = Some(key.get_ref().as_str());
        let mut base = Terms::from(&presets::ADAPTIVE);
        while let Some(name) = next.take() {
            if let Some(terms) = self.terms.get(name) {
                base = terms.clone();
            } else if let Some(start) = chain.iter().position(|(key, _)| key.get_ref() == name) {
                let fault = round(&chain[start..], name, notes);
                notes.push(fault);
            } else if let Some(pair) = self.spec.get_key_value(name) {
                chain.push(pair);
                next = Some(pair.1.extends.as_ref().map_or(presets::DEFAULT, |extends| &extends.get_ref().0));
                // A table of the preset's own name was told already, and must not be its own base.
                if next == Some(presets::DEFAULT) {
                    next = None;
                }
            } else if let Some(preset) = presets::find(name) {
                base = Terms::from(preset);
            } else if let Some(extends) = chain.last().and_then(|(_, spec)| spec.extends.as_ref()) {
                self.absent(&text(extends), notes);
            }
        }
        for (key, spec) in chain.into_iter().rev() {
            if let Some(extends) = &spec.extends {
                self.used.insert(extends.get_ref().0.clone());
            }
            base = overlay(base, key.get_ref(), spec, notes);
            self.terms.insert(key.get_ref(), base.clone());
        }
    }
}

fn round(chain: &[(&Spanned<String>, &PolicySpec)], name: &str, notes: &Notes<'_>) -> crate::config::fault::Fault {
    let names: Vec<String> = chain.iter().map(|(key, _)| format!("\"{}\"", key.get_ref())).collect();
    let message = match names.len() {
        1 => format!("policy \"{name}\" extends itself"),
        _ => format!("policies {} extend each other in a circle", names.join(", ")),
    };
    let mut places = chain.iter().filter_map(|(_, spec)| spec.extends.as_ref());
    let first = places.next().map_or(0..0, Spanned::span);
    let fault = notes.error(first, message, "this leads back to itself").remedy("let one of them extend a preset");
    places.fold(fault, |fault, place| fault.also(notes.place(place.span()), "by way of this"))
}

/// What a table says on top of what it extends.
fn overlay(base: Terms, name: &str, spec: &PolicySpec, notes: &mut Notes<'_>) -> Terms {
    let mut terms = base;
    let at = |key: &str| join(&["policies", name, key]);
    if let Some(written) = &spec.prefer {
        const KEYS: [(&str, Key); 3] = [("order", Key::Order), ("rtt", Key::Rtt), ("distance", Key::Distance)];
        const LATER: [(&str, Mark); 3] = [("geo", STEERING), ("load", SIGNALS), ("response", SIGNALS)];
        let mut prefer: Vec<(Key, std::ops::Range<usize>)> = Vec::new();
        for item in items(Some(written)) {
            let given = Spanned::new(item.span(), item.get_ref().as_str());
            let Some(key) = word(given, &at("prefer"), &KEYS, &LATER, notes) else { continue };
            if let Some((_, first)) = prefer.iter().find(|(known, _)| *known == key) {
                let fault = notes
                    .error(item.span(), format!("`{}` has {:?} twice", at("prefer"), item.get_ref()), "here again")
                    .also(notes.place(first.clone()), "first here");
                notes.push(fault);
            } else {
                prefer.push((key, item.span()));
            }
        }
        terms.prefer = prefer.into_iter().map(|(key, _)| key).collect();
    }
    if let Some(spread) = &spec.spread {
        let words = [Spread::Weighted, Spread::RoundRobin, Spread::Hash, Spread::Random, Spread::All];
        let words = words.map(|spread| (spread_name(spread), spread));
        terms.spread = word(text(spread), &at("spread"), &words, &[], notes).unwrap_or(terms.spread);
    }
    tolerance(&mut terms, name, spec, notes);
    sticky(&mut terms, name, spec, notes);
    let answers = whole(spec.answers.as_ref(), &at("answers"), terms.answers.into(), 1..=MAX_ENDPOINTS as i64, notes);
    terms.answers = answers as u8;
    if let Some(answers) = &spec.answers
        && terms.spread == Spread::All
    {
        let fault = notes
            .error(answers.span(), format!("`{}` has no effect", at("answers")), "the spread \"all\" names everybody")
            .remedy("take it out, or choose another spread");
        notes.push(fault);
    }
    terms
}

fn tolerance(terms: &mut Terms, name: &str, spec: &PolicySpec, notes: &mut Notes<'_>) {
    let Some(written) = &spec.tolerance else { return };
    let at = |key: &str| join(&["policies", name, "tolerance", key]);
    let ToleranceSpec { rtt, distance } = written.get_ref();
    // Tenths of a millisecond; nothing is ten seconds away.
    terms.rtt = units(rtt.as_ref(), &at("rtt"), 100, terms.rtt.into(), 0..=100_000, notes) as u32;
    if let Some(written) = distance {
        // No two points are further apart than half the globe.
        let fault = match quantity::distance(written.get_ref()) {
            Ok(km @ 0..=20_040) => {
                terms.distance = km as u32;
                None
            }
            Ok(_) => Some(notes.error(
                written.span(),
                format!("`{}` is out of range", at("distance")),
                "from 0km to 20040km, half the globe",
            )),
            Err(cause) => Some(
                notes
                    .error(written.span(), format!("`{}` is not a distance", at("distance")), cause)
                    .remedy("write it as \"500km\""),
            ),
        };
        if let Some(fault) = fault {
            notes.push(fault);
        }
    }
    let places = [(Key::Rtt, rtt.as_ref().map(Spanned::span)), (Key::Distance, distance.as_ref().map(Spanned::span))];
    for (key, span) in places {
        if let Some(span) = span
            && !terms.prefer.contains(&key)
            && notes.is_whole(&["policies", name, "prefer"])
        {
            let key = key_name(key);
            let fault = notes
                .error(
                    span,
                    format!("`{}` has no effect", at(key)),
                    format!("policy \"{name}\" does not prefer \"{key}\""),
                )
                .remedy(format!("add \"{key}\" to `prefer`, or take the tolerance out"));
            notes.push(fault);
        }
    }
}

fn sticky(terms: &mut Terms, name: &str, spec: &PolicySpec, notes: &mut Notes<'_>) {
    let Some(written) = &spec.sticky else { return };
    let at = |key: &str| join(&["policies", name, "sticky", key]);
    let StickySpec { v4, v6 } = written.get_ref();
    let base = terms.sticky.unwrap_or(STICKY.map(|(widest, _)| widest as u8));
    let mut length = |key: &str, written: Option<&Spanned<Whole>>, family: usize| {
        let (from, to) = STICKY[family];
        whole(written, &at(key), base[family].into(), from..=to, notes) as u8
    };
    terms.sticky = Some([length("v4", v4.as_ref(), 0), length("v6", v6.as_ref(), 1)]);
    if matches!(terms.spread, Spread::Random | Spread::All) {
        let spread = spread_name(terms.spread);
        let message = format!("`{}` has no effect", join(&["policies", name, "sticky"]));
        let fault = notes
            .error(written.span(), message, format!("the spread \"{spread}\" does not go by the client's block"))
            .remedy("take it out, or choose the spread \"hash\"");
        notes.push(fault);
    }
}
