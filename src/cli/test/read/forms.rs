//! The forms that lines may have, and the one that is nearest to a line of none of them. Must not know what lines mean.

use super::{
    super::line::{Fault, fault},
    synonyms,
};

/// What happens.
pub(super) const HAPPENS: &[&str] = &[
    "WHO fails",
    "WHO fails \"CAUSE\"",
    "WHO heals",
    "WHO hangs",
    "WHO flaps every 2s",
    "WHO answers in 20ms",
    "WHO loses its route",
    "WHO reports 0.8",
    "WHO reports nothing",
    "drain WHO",
    "drain WHO over 10m",
    "force-up WHO",
    "force-down WHO until 20m",
    "lift WHO",
    "failback WHO",
    "weight WHO 50%",
    "shed WHO 50%",
    "release region NAME",
    "restart",
    "config FILE",
    "config {",
    "reload",
    "reload FILE",
    "reload {",
    "places {",
    "file NAME {",
    "at 10s",
    "pass 10s",
    "ask NAME TYPE",
    "ask NAME TYPE from PREFIX by RESOLVER",
    "expect ADDRESS",
    "expect region NAME",
    "remember N blocks of PREFIX",
    "sample PREFIX REGION 12ms",
    "samples stop",
    "clients PREFIX ask NAME every 1m REGION 12ms",
];

/// What is expected of an answer.
pub(super) const ANSWERS: &[&str] = &[
    "expect ADDRESS",
    "expect region NAME",
    "expect endpoint POOL/NAME",
    "expect cname NAME",
    "expect text \"…\"",
    "expect nodata",
    "expect nxdomain",
    "expect refused",
    "expect servfail",
    "expect formerr",
    "expect silence",
    "expect same",
    "expect other",
    "expect same endpoint",
    "expect same region",
    "expect ADDRESS ttl 30",
    "expect ADDRESS scope 24",
    "expect ADDRESS because REASON, REASON",
];

/// What is expected of many blocks.
pub(super) const BLOCKS: &[&str] = &[
    "expect N of M blocks of PREFIX to region NAME",
    "expect N of M blocks of PREFIX to endpoint NAME",
    "expect N of M blocks of PREFIX to ADDRESS",
    "expect N of M blocks of PREFIX to no endpoint",
    "expect N of M blocks of PREFIX moved",
    "expect N of M blocks of PREFIX moved from region NAME",
];

/// What is known of samples.
pub(super) const SAMPLES: &[&str] = &[
    "sample PREFIX REGION 12ms",
    "sample PREFIX REGION 12ms x10 every 1m",
    "samples stop",
    "samples stop PREFIX",
    "clients PREFIX ask NAME every 1m REGION 12ms REGION 90ms",
];

/// A line that says nothing, with the form that is nearest to it.
pub(super) fn unlike(words: &[&str], forms: &[&'static str]) -> Fault {
    fault(format!("`{}` says nothing", words.join(" ")), nearest(words, forms))
}

/// What to write in the place of a line of none of these forms: the nearest, with the word that was meant where one is
/// nearly right.
pub(super) fn nearest(words: &[&str], forms: &[&'static str]) -> String {
    if let Some((given, meant, form)) = synonyms::meant(words, forms) {
        return told(Some((&given, meant)), form);
    }
    let words = synonyms::without_filling(words);
    // A cause stands behind the verb.
    let has_cause = words.last().is_some_and(|word| !word.to_lowercase().starts_with("fail"));
    let fits = |form: &&&str| has_cause || !form.ends_with("\"CAUSE\"");
    let best = forms.iter().filter(fits).map(|form| (nearness(words, form), *form)).rev();
    match best.max_by_key(|((score, _), _)| *score) {
        // Nothing of the line but its first word is in a form: a name alone.
        Some(((1.., None), "expect ADDRESS")) if is_name(words) => {
            "the nearest forms are `expect region NAME`, `expect endpoint POOL/NAME` and `expect ADDRESS`".to_owned()
        }
        Some(((1.., meant), form)) => told(meant, form),
        _ if forms == HAPPENS && matches!(words, ["region" | "pool" | "canary", ..]) => {
            format!("say what happens to it: {}", told(None, "WHO fails"))
        }
        _ => "write `ask NAME TYPE`, `expect …`, `WHO fails` or another of the forms in docs/testing.md".to_owned(),
    }
}

/// Whether a line expects a single word that begins as names do.
fn is_name(words: &[&str]) -> bool {
    matches!(words, ["expect", word] if word.starts_with(|first: char| first.is_ascii_alphabetic()))
}

/// The form to write, and the word of it that was meant by another.
fn told(meant: Option<(&str, &str)>, form: &str) -> String {
    let subject = if form.contains("WHO") {
        ", where WHO is an endpoint, POOL/ENDPOINT, `region NAME`, `pool NAME` or `canary ADDRESS`"
    } else {
        ""
    };
    let slip = meant.map(|(given, meant)| format!("did you mean `{meant}` by `{given}`? ")).unwrap_or_default();
    format!("{slip}the nearest form is `{form}`{subject}")
}

/// How near a line is to a form, and the word of it that is nearly one of the form's.
fn nearness<'w>(words: &[&'w str], form: &'static str) -> (i32, Option<(&'w str, &'static str)>) {
    let keyword = |word: &&str| word.starts_with(|first: char| first.is_ascii_lowercase());
    let letters = |word: &str| word.starts_with(|first: char| first.is_ascii_alphabetic());
    // The first word says what a line is.
    let first = |at: usize, place: usize| if at == 0 && place == 0 { 4 } else { 0 };
    let (mut score, mut meant, mut missing, mut begun) = (0, None, 0, false);
    for (at, key) in form.split(' ').enumerate().filter(|(_, word)| keyword(word)) {
        let nearest = words.iter().enumerate().filter(|(_, word)| letters(word)).map(|(place, word)| {
            let reach = (key.len() / 3).max(1);
            // `fail` and `fails` are one word, however it is misspelt.
            let lower = word.to_lowercase();
            let bare = strsim::osa_distance(&lower, key.trim_end_matches('s')).max(1);
            let distance = strsim::osa_distance(&lower, key).max(usize::from(lower != **word)).min(bare);
            (if distance <= reach && (distance == 0 || key.len() > 2) { distance } else { usize::MAX }, place, *word)
        });
        match nearest.min() {
            Some((0, place, _)) => {
                score += first(at, place) + if place == at { 7 } else { 6 };
                begun |= at == 0;
            }
            Some((distance, place, word)) if distance < usize::MAX => {
                score += first(at, place) + if place == at { 4 } else { 3 };
                meant = meant.or(Some((word, key)));
                begun |= at == 0;
            }
            _ => missing += 1,
        }
    }
    // Of two forms with the same words in them the one that is as long.
    let length = form.split(' ').count().abs_diff(words.len()) as i32;
    // Regions are named in many lines: what is done with one says the first word.
    (if score > 0 && (begun || !form.contains("region")) { 4 * score - 6 * missing - length } else { 0 }, meant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_form_is_told_and_no_other() {
        for (line, forms, form) in [
            ("eu fail", HAPPENS, "did you mean `fails` by `fail`? the nearest form is `WHO fails`,"),
            ("eu fial", HAPPENS, "did you mean `fails` by `fial`? the nearest form is `WHO fails`,"),
            ("eu loses route", HAPPENS, "the nearest form is `WHO loses its route`,"),
            ("eu flaps 2s", HAPPENS, "the nearest form is `WHO flaps every 2s`,"),
            ("eu answers 20ms", HAPPENS, "the nearest form is `WHO answers in 20ms`,"),
            ("drian region eu", HAPPENS, "did you mean `drain` by `drian`? the nearest form is `drain WHO"),
            ("realod b.toml", HAPPENS, "did you mean `reload` by `realod`? the nearest form is `reload FILE`"),
            ("aks www.example.com A", HAPPENS, "did you mean `ask` by `aks`? the nearest form is `ask NAME TYPE`"),
            ("release eu", HAPPENS, "the nearest form is `release region NAME`"),
            (
                "expect regoin eu",
                ANSWERS,
                "did you mean `region` by `regoin`? the nearest form is `expect region NAME`",
            ),
            ("expect nodta", ANSWERS, "did you mean `nodata` by `nodta`? the nearest form is `expect nodata`"),
            (
                "expect 3 of 4 blocks of 20.0.0.0/8 to regions eu",
                BLOCKS,
                "did you mean `region` by `regions`? the nearest form is `expect N of M blocks of PREFIX to region NAME`",
            ),
            ("expect eu", ANSWERS, "the nearest forms are `expect region NAME`, `expect endpoint POOL/NAME` and"),
            (
                "EXPECT region eu",
                HAPPENS,
                "did you mean `expect` by `EXPECT`? the nearest form is `expect region NAME`",
            ),
            ("heal region eu", HAPPENS, "did you mean `heals` by `heal`? the nearest form is `WHO heals`,"),
            ("fails eu-1", HAPPENS, "the nearest form is `WHO fails`,"),
            ("then wait 5s", HAPPENS, "did you mean `pass` by `wait`? the nearest form is `pass 10s`"),
            ("release region", HAPPENS, "the nearest form is `release region NAME`"),
            ("region eu down", HAPPENS, "did you mean `fails` by `down`? the nearest form is `WHO fails`, where"),
            ("region eu recover", HAPPENS, "did you mean `heals` by `recover`? the nearest form is `WHO heals`,"),
            ("region eu comes back", HAPPENS, "did you mean `heals` by `back`? the nearest form is `WHO heals`,"),
            ("eu-1 failed", HAPPENS, "did you mean `fails` by `failed`? the nearest form is `WHO fails`,"),
            ("web/eu-1 dies", HAPPENS, "did you mean `fails` by `dies`? the nearest form is `WHO fails`,"),
            ("eu-1 goes DOWN", HAPPENS, "did you mean `fails` by `DOWN`? the nearest form is `WHO fails`,"),
            ("wait 3s", HAPPENS, "did you mean `pass` by `wait`? the nearest form is `pass 10s`"),
            ("wait for 3s", HAPPENS, "did you mean `pass` by `wait`? the nearest form is `pass 10s`"),
            ("sleep 3s", HAPPENS, "did you mean `pass` by `sleep`? the nearest form is `pass 10s`"),
            ("load eu-1 = 5", HAPPENS, "did you mean `reports` by `load`? the nearest form is `WHO reports 0.8`,"),
            ("eu-1 load 5", HAPPENS, "did you mean `reports` by `load`? the nearest form is `WHO reports 0.8`,"),
            ("kill eu", HAPPENS, "did you mean `fails` by `kill`? the nearest form is `WHO fails`,"),
            ("down eu-1", HAPPENS, "did you mean `fails` by `down`? the nearest form is `WHO fails`,"),
            ("start eu-1", HAPPENS, "did you mean `heals` by `start`? the nearest form is `WHO heals`,"),
            ("stop eu-1", HAPPENS, "did you mean `fails` by `stop`? the nearest form is `WHO fails`,"),
            ("stop samples", HAPPENS, "the nearest form is `samples stop`"),
            ("up eu-1", HAPPENS, "did you mean `heals` by `up`? the nearest form is `WHO heals`,"),
            ("eu-1 slow 50ms", HAPPENS, "did you mean `answers` by `slow`? the nearest form is `WHO answers in 20ms`,"),
            ("eu-1 times out", HAPPENS, "did you mean `hangs` by `times`? the nearest form is `WHO hangs`,"),
            (
                "force down region eu",
                HAPPENS,
                "did you mean `force-down` by `force down`? the nearest form is `force-down",
            ),
            ("undrain eu", HAPPENS, "did you mean `lift` by `undrain`? the nearest form is `lift WHO`,"),
            ("dig www.example.com A", HAPPENS, "did you mean `ask` by `dig`? the nearest form is `ask NAME TYPE`"),
            ("eu-1 FAILS", HAPPENS, "did you mean `fails` by `FAILS`? the nearest form is `WHO fails`,"),
            ("eu flaps down", HAPPENS, "the nearest form is `WHO flaps every 2s`,"),
            ("restart eu-1", HAPPENS, "the nearest form is `restart`"),
            ("eu-1 returns 503", HAPPENS, "did you mean `fails` by `returns`? the nearest form is `WHO fails`,"),
            ("eu-1 responds with 5xx", HAPPENS, "did you mean `fails` by `responds`? the nearest form is `WHO fails`,"),
            ("eu-1 answers 503", HAPPENS, "did you mean `fails` by `answers`? the nearest form is `WHO fails`,"),
            ("eu-1 returns 200", HAPPENS, "did you mean `heals` by `returns`? the nearest form is `WHO heals`,"),
            ("eu-1 returns", HAPPENS, "did you mean `heals` by `returns`? the nearest form is `WHO heals`,"),
            (
                "eu-1 returns in 50ms",
                HAPPENS,
                "did you mean `answers` by `returns`? the nearest form is `WHO answers in 20ms`,",
            ),
            ("region eu goes away", HAPPENS, "did you mean `fails` by `away`? the nearest form is `WHO fails`,"),
            (
                "partition region eu",
                HAPPENS,
                "did you mean `loses` by `partition`? the nearest form is `WHO loses its route`,",
            ),
            ("region eu", HAPPENS, "say what happens to it: the nearest form is `WHO fails`,"),
            ("pool web xyzzy", HAPPENS, "say what happens to it: the nearest form is `WHO fails`,"),
            ("relaese region eu", HAPPENS, "did you mean `release` by `relaese`? the nearest form is `release region"),
            ("and then wait 5s", HAPPENS, "did you mean `pass` by `wait`? the nearest form is `pass 10s`"),
            ("wait: 5s", HAPPENS, "did you mean `pass` by `wait`? the nearest form is `pass 10s`"),
            ("THEN WAIT 5s", HAPPENS, "did you mean `pass` by `WAIT`? the nearest form is `pass 10s`"),
            ("after 5s", HAPPENS, "did you mean `pass` by `after`? the nearest form is `pass 10s`"),
            ("samples halt", SAMPLES, "the nearest form is `samples stop`"),
            ("what is this", HAPPENS, "write `ask NAME TYPE`"),
        ] {
            let words: Vec<&str> = line.split(' ').collect();
            let told = unlike(&words, forms);
            assert_eq!(told.cause, format!("`{line}` says nothing"));
            assert!(told.remedy.starts_with(form), "{line}: {}", told.remedy);
        }
    }
}
