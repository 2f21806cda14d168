//! What one policy table says on top of what it extends. Must not know how tables extend each other.

use std::{ops::Range, sync::Arc};

use toml::Spanned;

use super::{
    super::value::{distance, element, items, millis, real, share, text, units, whole, word},
    geo::{GeoRules, RulesContext},
};
use crate::{
    config::{
        diagnostics::{Notes, join},
        presets::{self, Preset, key_name, spread_name},
        spec::{LengthsSpec, LimitSpec, PolicySpec, Real, ShedSpec, ToleranceSpec, Whole},
    },
    engine::{
        geo::Limits,
        types::{Family, Millis, PerFamily},
        units::{Kilometres, Permille, Rtt},
        world::{
            endpoint::{Distinct, MAX_ENDPOINTS},
            policy::{Key, Policy, Spread, Watermarks},
        },
    },
};

/// Bounds of the length of a block.
#[derive(Clone, Copy, Debug)]
struct BlockLengths {
    widest: u8,
    finest: u8,
}

/// The widest and the finest blocks that `sticky` can ask for: the usual block, and the finest scope.
const STICKY: PerFamily<BlockLengths> =
    PerFamily::new(BlockLengths { widest: 16, finest: 24 }, BlockLengths { widest: 32, finest: 56 });
/// Nothing is ten seconds away: the bound of round-trip times, in tenths of a millisecond.
const FAR: u64 = 100_000;
/// The most regions whose order can be kept.
const MAX_DEPTH: i64 = 64;
const HOUR: Millis = Millis::seconds(3600);

/// What a policy says, whatever it extends.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    pub(super) prefer: Vec<Key>,
    rtt: Rtt,
    distance: Kilometres,
    load: Permille,
    response: Rtt,
    limits: Limits,
    depth: u8,
    spread: Spread,
    sticky: Option<PerFamily<u8>>,
    answers: u8,
    distinct: Distinct,
    shed: Option<Watermarks>,
    slow_start: Millis,
    pub(super) geo: GeoRules,
    /// Where `sticky` is written.
    pub(super) sticky_at: Option<Range<usize>>,
    /// Whether `extends`, `prefer` and `spread` could be read: only then is it certain that a key has no effect.
    pub(super) is_certain: bool,
    /// Whether `answers` could be read, wherever it is written.
    knows_answers: bool,
}

impl From<&Preset> for Terms {
    fn from(preset: &Preset) -> Self {
        Self {
            prefer: preset.prefer.to_vec(),
            rtt: preset.rtt,
            distance: preset.distance,
            load: preset.load,
            response: preset.response,
            limits: Limits::default(),
            depth: presets::DEPTH,
            spread: preset.spread,
            sticky: preset.sticky,
            answers: preset.answers,
            distinct: Distinct::Region,
            shed: None,
            slow_start: Millis::ZERO,
            geo: GeoRules::default(),
            sticky_at: None,
            is_certain: true,
            knows_answers: true,
        }
    }
}

impl Terms {
    pub(super) fn policy(&self, name: &str) -> Policy {
        let tolerance = |key: &Key| match key {
            Key::Order | Key::Geo => 0,
            Key::Rtt => self.rtt.0,
            Key::Distance => self.distance.0,
            Key::Load => self.load.0,
            Key::Response => self.response.0,
        };
        let mut policy = Policy {
            name: name.into(),
            prefer: self.prefer.iter().map(|key| (*key, tolerance(key))).collect(),
            spread: self.spread,
            sticky: self.sticky,
            answers: self.answers,
            depth: self.depth,
            distinct: self.distinct,
            limits: self.limits,
            preferences: self.geo.preferences.clone().map(Arc::new),
            shed: self.shed,
            slow_start: self.slow_start,
        };
        if !policy.asks_block() {
            policy.sticky = None;
        }
        if !self.prefer.contains(&Key::Geo) {
            policy.preferences = None;
        }
        policy
    }
}

/// What a table says on top of what it extends.
pub(super) fn overlay(
    base: Terms,
    name: &str,
    spec: &PolicySpec,
    around: &mut RulesContext<'_, '_>,
    notes: &mut Notes<'_>,
) -> Terms {
    let mut terms = base;
    let at = |key: &str| join(&["policies", name, key]);
    terms.is_certain &= ["extends", "prefer", "spread"].iter().all(|key| notes.is_whole(&["policies", name, key]));
    if let Some(written) = &spec.prefer {
        let keys = [Key::Order, Key::Geo, Key::Rtt, Key::Distance, Key::Load, Key::Response];
        let keys = keys.map(|key| (key_name(key), key));
        let mut prefer: Vec<(Key, Range<usize>)> = Vec::new();
        for item in items(Some(written)) {
            let Some(key) = word(element(&item), &at("prefer"), &keys, &[], notes) else {
                terms.is_certain = false;
                continue;
            };
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
        match word(text(spread), &at("spread"), &words, &[], notes) {
            Some(spread) => terms.spread = spread,
            None => terms.is_certain = false,
        }
    }
    tolerance(&mut terms, name, spec, notes);
    limit(&mut terms, name, spec, notes);
    depth(&mut terms, name, spec, notes);
    sticky(&mut terms, name, spec, notes);
    shed(&mut terms, name, spec, notes);
    terms.slow_start =
        millis(spec.slow_start.as_ref(), &at("slow_start"), terms.slow_start, Millis::ZERO..=HOUR, notes);
    let has_effect = terms.prefer.contains(&Key::Geo) || !terms.is_certain;
    terms.geo.overlay((name, spec), has_effect, around, notes);
    answers(&mut terms, name, spec, notes);
    terms
}

/// How many endpoints an answer names, and what no two of them have in common.
fn answers(terms: &mut Terms, name: &str, spec: &PolicySpec, notes: &mut Notes<'_>) {
    let at = |key: &str| join(&["policies", name, key]);
    let answers = whole(spec.answers.as_ref(), &at("answers"), terms.answers.into(), 1..=MAX_ENDPOINTS as i64, notes);
    terms.answers = answers as u8;
    if let Some(distinct) = &spec.distinct {
        let words = [("region", Distinct::Region), ("group", Distinct::Group), ("none", Distinct::Nothing)];
        terms.distinct = word(text(distinct), &at("distinct"), &words, &[], notes).unwrap_or(terms.distinct);
    }
    let names_all = terms.spread == Spread::All;
    let in_range = |count: &Spanned<Whole>| (1..=MAX_ENDPOINTS as i64).contains(&count.get_ref().0);
    terms.knows_answers = match &spec.answers {
        Some(count) => in_range(count),
        None => terms.knows_answers && notes.is_whole(&["policies", name, "answers"]),
    };
    let vain = [
        ("answers", spec.answers.as_ref().map(Spanned::span), names_all),
        ("distinct", spec.distinct.as_ref().map(Spanned::span), names_all || terms.knows_answers && terms.answers == 1),
    ];
    for (key, span, in_vain) in vain {
        if let (Some(span), true) = (span, in_vain && terms.is_certain) {
            let (label, remedy) = match names_all {
                true => ("the spread \"all\" names everybody", "take it out, or choose another spread"),
                false => ("an answer names one endpoint", "take it out, or set `answers`"),
            };
            let fault = notes.error(span, format!("`{}` has no effect", at(key)), label);
            notes.push(fault.remedy(remedy));
        }
    }
}

fn tolerance(terms: &mut Terms, name: &str, spec: &PolicySpec, notes: &mut Notes<'_>) {
    let Some(written) = &spec.tolerance else { return };
    let at = |key: &str| join(&["policies", name, "tolerance", key]);
    let ToleranceSpec { rtt, distance: km, load, response } = written.get_ref();
    terms.rtt = Rtt(units(rtt.as_ref(), &at("rtt"), 100, terms.rtt.0.into(), 0..=FAR, notes) as u32);
    terms.distance = distance(km.as_ref(), &at("distance"), terms.distance, Kilometres(0), notes);
    terms.load = Permille(share(load.as_ref(), &at("load"), terms.load.0.into(), 0..=1000, notes) as u32);
    terms.response =
        Rtt(units(response.as_ref(), &at("response"), 100, terms.response.0.into(), 0..=FAR, notes) as u32);
    let places = [
        (Key::Rtt, rtt.as_ref().map(Spanned::span)),
        (Key::Distance, km.as_ref().map(Spanned::span)),
        (Key::Load, load.as_ref().map(Spanned::span)),
        (Key::Response, response.as_ref().map(Spanned::span)),
    ];
    for (key, span) in places {
        if let Some(span) = span
            && !terms.prefer.contains(&key)
            && terms.is_certain
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

fn limit(terms: &mut Terms, name: &str, spec: &PolicySpec, notes: &mut Notes<'_>) {
    let Some(written) = &spec.limit else { return };
    let at = |key: &str| join(&["policies", name, "limit", key]);
    let LimitSpec { rtt, distance: km } = written.get_ref();
    if rtt.is_some() {
        let base = terms.limits.rtt.map_or(FAR, |limit| limit.0.into());
        terms.limits.rtt = Some(Rtt(units(rtt.as_ref(), &at("rtt"), 100, base, 1..=FAR, notes) as u32));
    }
    if km.is_some() {
        let base = terms.limits.distance.unwrap_or(Kilometres(1));
        terms.limits.distance = Some(distance(km.as_ref(), &at("distance"), base, Kilometres(1), notes));
    }
}

fn depth(terms: &mut Terms, name: &str, spec: &PolicySpec, notes: &mut Notes<'_>) {
    let Some(written) = &spec.depth else { return };
    let at = join(&["policies", name, "depth"]);
    terms.depth = whole(Some(written), &at, terms.depth.into(), 1..=MAX_DEPTH, notes) as u8;
    let ranks = |key: &Key| matches!(key, Key::Geo | Key::Rtt | Key::Distance);
    if !terms.prefer.iter().any(ranks) && terms.is_certain {
        let label = format!("policy \"{name}\" does not go by where clients are");
        let fault = notes.error(written.span(), format!("`{at}` has no effect"), label);
        notes.push(fault.remedy("take it out, or prefer \"geo\", \"rtt\" or \"distance\""));
    }
}

fn shed(terms: &mut Terms, name: &str, spec: &PolicySpec, notes: &mut Notes<'_>) {
    let Some(written) = &spec.shed else { return };
    let whole = join(&["policies", name, "shed"]);
    let ShedSpec { low, high } = written.get_ref();
    let mark = |key: &str, number: &Option<Spanned<Real>>, notes: &mut Notes<'_>| -> Option<Permille> {
        let at = format!("{whole}.{key}");
        let parts = real(number.as_ref(), &at, 0.01..=1.0, notes)? * 1000.0;
        if (parts - parts.round()).abs() > 1e-6 {
            let span = number.as_ref().map_or(0..0, Spanned::span);
            let fault = notes.error(span, format!("`{at}` is too fine"), "it is counted in steps of 0.001");
            notes.push(fault);
            return None;
        }
        Some(Permille(parts.round() as u32))
    };
    let (base_low, base_high) = (terms.shed.map(|shed| shed.low), terms.shed.map(|shed| shed.high));
    let marks = (mark("low", low, notes).or(base_low), mark("high", high, notes).or(base_high));
    let missing = |number: &Option<Spanned<Real>>, base: Option<Permille>| number.is_none() && base.is_none();
    match marks {
        (Some(low), Some(high)) if low < high => terms.shed = Some(Watermarks { low, high }),
        (Some(_), Some(_)) => {
            let fault =
                notes.error(written.span(), format!("`{whole}` ends before it starts"), "`low` must be below `high`");
            notes.push(fault.remedy("write { low = 0.7, high = 0.95 }"));
        }
        _ if (missing(low, base_low) || missing(high, base_high)) && notes.is_whole_at(&whole) => {
            let key = if missing(low, base_low) { "low" } else { "high" };
            let fault =
                notes.error(written.span(), format!("`{whole}` is half a range"), format!("`{key}` is missing"));
            notes.push(fault.remedy("write { low = 0.7, high = 0.95 }"));
        }
        _ => {}
    }
}

fn sticky(terms: &mut Terms, name: &str, spec: &PolicySpec, notes: &mut Notes<'_>) {
    let Some(written) = &spec.sticky else { return };
    let at = |key: &str| join(&["policies", name, "sticky", key]);
    let LengthsSpec { v4, v6 } = written.get_ref();
    let base = terms.sticky.unwrap_or(STICKY.map(|bounds| bounds.widest));
    let mut length = |key: &str, written: Option<&Spanned<Whole>>, family: Family| {
        let BlockLengths { widest, finest } = STICKY[family];
        let bounds = widest.into()..=finest.into();
        whole(written, &at(key), base[family].into(), bounds, notes) as u8
    };
    terms.sticky = Some(PerFamily::new(length("v4", v4.as_ref(), Family::V4), length("v6", v6.as_ref(), Family::V6)));
    terms.sticky_at = Some(written.span());
    if matches!(terms.spread, Spread::Random | Spread::All) && terms.is_certain {
        let spread = spread_name(terms.spread);
        let message = format!("`{}` has no effect", join(&["policies", name, "sticky"]));
        let fault = notes
            .error(written.span(), message, format!("the spread \"{spread}\" does not go by the client's block"))
            .remedy("take it out, or choose the spread \"hash\"");
        notes.push(fault);
    }
}
