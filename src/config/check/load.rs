//! `[loads]`: where reports of load come from. Must not know whose they are.

use toml::Spanned;

use super::value::{millis, name};
use crate::{
    config::{
        notes::{Notes, join},
        spec::{LoadSpec, Named},
    },
    engine::signal::load::Load,
};

const MAX_AGE: u64 = 10_000;
const SMOOTH: u64 = 10_000;
const HOUR: u64 = 3_600_000;

/// `[loads]`, in name order.
pub(crate) fn loads(spec: &Named<LoadSpec>, notes: &mut Notes<'_>) -> Vec<Load> {
    spec.iter().map(|(key, load)| one(key, load, notes)).collect()
}

fn one(key: &Spanned<String>, spec: &LoadSpec, notes: &mut Notes<'_>) -> Load {
    name("load", key, notes);
    let at = |field: &str| join(&["loads", key.get_ref(), field]);
    if spec.push.is_none() && notes.is_whole(&["loads", key.get_ref()]) {
        let message = format!("load \"{}\" has no kind", key.get_ref());
        let fault = notes.error(key.span(), message, "it does not say how the load is reported");
        notes.push(fault.remedy("add `push = {}`"));
    }
    Load {
        name: key.get_ref().as_str().into(),
        max_age: millis(spec.max_age.as_ref(), &at("max_age"), MAX_AGE, 100..=HOUR, notes),
        smooth: millis(spec.smooth.as_ref(), &at("smooth"), SMOOTH, 0..=HOUR, notes),
    }
}
