//! Prefixes that decide nothing: geo rules and override lines that narrower ones cover wholly, or that repeat what a
//! wider one says.

use super::{
    super::{
        fault::{Fault, Sources},
        geo::table,
        notes::Notes,
    },
    Subject,
};
use crate::engine::{
    geo::{Order, Selector},
    types::Prefix,
};

pub(super) fn lint(subject: &Subject<'_>, sources: &Sources, notes: &mut Notes<'_>) {
    let mut told: Vec<&str> = Vec::new();
    for policy in &subject.world.policies {
        let Some(preferences) = policy.preferences.as_ref().filter(|_| !told.contains(&&*policy.name)) else {
            continue;
        };
        told.push(&policy.name);
        let nets = preferences.rules.iter().filter_map(|(selector, order)| match selector {
            Selector::Net(prefix) => Some((*prefix, order)),
            _ => None,
        });
        let mut nets: Vec<(Prefix, &Order)> = nets.collect();
        nets.sort_by_key(|(prefix, _)| *prefix);
        for (prefix, idle) in idle(&nets) {
            let message = format!("the geo rule for {prefix} in policy \"{}\" decides nothing", policy.name);
            let fault = notes.warning(subject.policy_at(&policy.name), message, idle.label());
            notes.push(fault.remedy("take it out"));
        }
    }
    overrides(subject, sources, notes);
}

fn overrides(subject: &Subject<'_>, sources: &Sources, notes: &mut Notes<'_>) {
    let Some(written) = &subject.spec.geo.overrides else { return };
    let path = notes.path(&toml::Spanned::new(written.span(), written.get_ref().0.clone()));
    let Some(file) = sources.find(&path.display().to_string()) else { return };
    // It has been read without errors before.
    let mut lines = table::read(file, sources, &mut Vec::new());
    lines.sort_by_key(|line| line.prefix);
    let nets: Vec<_> = lines.iter().map(|line| (line.prefix, &line.location)).collect();
    for (prefix, idle) in idle(&nets) {
        let Some(line) = lines.iter().find(|line| line.prefix == prefix) else { continue };
        let message = format!("the override for {prefix} decides nothing");
        notes.push(Fault::warning(message, line.place.clone(), idle.label()).remedy("take it out"));
    }
}

/// Why a prefix decides nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Idle {
    /// Narrower ones cover all of it.
    Covered,
    /// It says what this wider one says.
    Repeats(Prefix),
}

impl Idle {
    fn label(self) -> String {
        match self {
            Self::Covered => "narrower ones cover all of it".into(),
            Self::Repeats(wider) => format!("it says what the one for {wider} says"),
        }
    }
}

/// The prefixes of a sorted list that decide nothing.
fn idle<T: PartialEq>(nets: &[(Prefix, T)]) -> Vec<(Prefix, Idle)> {
    let mut found = Vec::new();
    // The wider ones that hold the present one, the narrowest last.
    let mut around: Vec<usize> = Vec::new();
    for (at, (prefix, says)) in nets.iter().enumerate() {
        while around.last().is_some_and(|wider| !nets[*wider].0.contains(*prefix)) {
            around.pop();
        }
        let inside = nets[at + 1..].partition_point(|(other, _)| prefix.contains(*other));
        let inside = &nets[at + 1..at + 1 + inside];
        match around.last().map(|wider| &nets[*wider]) {
            _ if !inside.is_empty() && is_covered(*prefix, inside) => found.push((*prefix, Idle::Covered)),
            Some((wider, same)) if same == says => found.push((*prefix, Idle::Repeats(*wider))),
            _ => {}
        }
        around.push(at);
    }
    found
}

/// Whether prefixes that all lie inside one leave nothing of it. They are sorted.
fn is_covered<T>(whole: Prefix, inside: &[(Prefix, T)]) -> bool {
    match inside.first() {
        None => false,
        Some((first, _)) if *first == whole => true,
        Some(_) => {
            let bit = 1_u128 << (127 - u32::from(whole.len()));
            let half = |bits| Prefix::from_bits(whole.family(), bits, whole.len() + 1);
            let (low, high) = (half(whole.bits()), half(whole.bits() | bit));
            let split = inside.partition_point(|(prefix, _)| low.contains(*prefix));
            is_covered(low, &inside[..split]) && is_covered(high, &inside[split..])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(nets: &[(&str, u8)]) -> Vec<(String, Idle)> {
        let prefix = |text: &str| {
            let (address, len) = text.split_once('/').unwrap();
            Prefix::new(address.parse().unwrap(), len.parse().unwrap())
        };
        let mut nets: Vec<(Prefix, u8)> = nets.iter().map(|(text, says)| (prefix(text), *says)).collect();
        nets.sort();
        idle(&nets).into_iter().map(|(prefix, idle)| (prefix.to_string(), idle)).collect()
    }

    #[test]
    fn what_decides_nothing_is_found_and_nothing_else() {
        assert_eq!(found(&[("10.0.0.0/8", 1), ("10.0.0.0/9", 2), ("10.128.0.0/10", 3)]), []);
        let covered = found(&[("10.0.0.0/8", 1), ("10.0.0.0/9", 2), ("10.128.0.0/10", 3), ("10.192.0.0/10", 4)]);
        assert_eq!(covered, [("10.0.0.0/8".into(), Idle::Covered)]);
        let wider = Prefix::new([10, 0, 0, 0].into(), 8);
        assert_eq!(found(&[("10.0.0.0/8", 1), ("10.1.0.0/16", 1)]), [("10.1.0.0/16".into(), Idle::Repeats(wider))]);
        assert_eq!(found(&[("10.0.0.0/8", 1), ("10.1.0.0/16", 2), ("10.1.1.0/24", 1)]), []);
        assert_eq!(found(&[("::/0", 1), ("2001:db8::/32", 2), ("0.0.0.0/0", 1), ("20.0.0.0/8", 2)]), []);
        assert_eq!(found(&[("0.0.0.0/0", 1), ("0.0.0.0/1", 2), ("128.0.0.0/1", 2)]).len(), 1);
    }
}
