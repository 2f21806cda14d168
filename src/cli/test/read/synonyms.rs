//! Words that people write for those of the forms. Must not know what lines mean.

/// What is written in the place of a form: words, the word of the form that they stand for, and the form.
type Synonyms = (&'static [&'static str], &'static str, &'static str);

/// Words that say how something behaves, behind its name.
const BEHAVES: &[Synonyms] = &[
    (
        &[
            "fail",
            "down",
            "dies",
            "die",
            "died",
            "dead",
            "crash",
            "crashes",
            "crashed",
            "failed",
            "failing",
            "failure",
            "break",
            "breaks",
            "broke",
            "broken",
            "stop",
            "stops",
            "stopped",
            "kill",
            "kills",
            "killed",
            "offline",
            "lost",
            "unhealthy",
            "refuse",
            "refuses",
            "disconnects",
            "disappears",
            "vanishes",
            "away",
            "leaves",
            "gone",
            "outage",
            "shutdown",
        ],
        "fails",
        "WHO fails",
    ),
    (
        &[
            "heal",
            "up",
            "recover",
            "recovers",
            "recovered",
            "return",
            "returns",
            "returned",
            "back",
            "restore",
            "restores",
            "restored",
            "revive",
            "revives",
            "revived",
            "healthy",
            "healed",
            "works",
            "working",
            "start",
            "starts",
            "started",
            "online",
            "ok",
            "alive",
            "repaired",
            "fixed",
            "fix",
            "succeeds",
        ],
        "heals",
        "WHO heals",
    ),
    (
        &[
            "hang",
            "hung",
            "hanging",
            "timeout",
            "timeouts",
            "times",
            "freeze",
            "freezes",
            "frozen",
            "stall",
            "stalls",
            "stuck",
            "blackhole",
            "blackholes",
            "silent",
        ],
        "hangs",
        "WHO hangs",
    ),
    (&["flap", "flapping", "bounce", "bounces", "oscillates", "toggles"], "flaps", "WHO flaps every 2s"),
    (
        &[
            "slow", "slows", "slower", "latency", "delay", "delays", "delayed", "responds", "respond", "takes", "rtt",
            "lags",
        ],
        "answers",
        "WHO answers in 20ms",
    ),
    (
        &["unreachable", "unroutable", "partition", "partitioned", "partitions", "isolate", "isolated", "noroute"],
        "loses",
        "WHO loses its route",
    ),
    (&["load", "loaded", "loads", "cpu", "busy", "usage", "utilisation", "utilization"], "reports", "WHO reports 0.8"),
    (&["undrain", "undrained", "enable", "enabled"], "lift", "lift WHO"),
    (&["drained", "draining", "drains", "disable", "disabled", "maintenance"], "drain", "drain WHO"),
];

/// Words that begin a line.
const BEGINS: &[Synonyms] = &[
    (&["wait", "waits", "sleep", "advance", "elapse", "skip", "tick", "delay", "after"], "pass", "pass 10s"),
    (&["undrain", "undo", "unforce", "cancel", "remove", "clear", "enable"], "lift", "lift WHO"),
    (&["disable", "evacuate", "maintenance", "empty"], "drain", "drain WHO"),
    (&["query", "dig", "resolve", "lookup", "request", "question"], "ask", "ask NAME TYPE"),
    (&["assert", "should", "want", "verify", "check", "answer"], "expect", "expect ADDRESS"),
    (&["reboot", "respawn"], "restart", "restart"),
    (&["note", "record", "save"], "remember", "remember N blocks of PREFIX"),
    (&["include", "use", "conf", "configuration"], "config", "config FILE"),
    (&["set-weight", "reweight"], "weight", "weight WHO 50%"),
    (&["throttle", "limit", "divert"], "shed", "shed WHO 50%"),
];

/// Two words in the place of one that begins a line.
const PAIRS: &[(&[&str], &[&str], &str, &str)] = &[
    (&["force", "mark", "forced"], &["down"], "force-down", "force-down WHO until 20m"),
    (&["force", "mark", "forced"], &["up"], "force-up", "force-up WHO"),
    (&["fail"], &["back"], "failback", "failback WHO"),
];

/// What was written, the word of a form that it stands for, and the form.
pub(super) type Meant = (String, &'static str, &'static str);

/// Verbs that say what comes back, and words between them and that.
const GIVES: &[&str] = &[
    "return", "returns", "returned", "respond", "responds", "reply", "replies", "serves", "gives", "sends", "answers",
];
const BETWEEN: &[&str] = &["with", "status", "http", "code", "in", "after", "a", "an"];

/// Words in front of a line that say nothing of their own.
const BEFORE: &[&str] = &["then", "and", "now", "next", "finally", "please"];

/// A line without the words in front of it that say nothing.
pub(super) fn without_filling<'w>(words: &'w [&'w str]) -> &'w [&'w str] {
    let filling = words.iter().take_while(|word| BEFORE.contains(&bare(word).as_str()) || bare(word).is_empty());
    words.get(filling.count()..).unwrap_or_default()
}

/// Whether a word begins a line that lets time pass.
pub(super) fn passes(word: &str) -> bool {
    let word = bare(word);
    word == "pass" || BEGINS.iter().any(|(list, meant, _)| *meant == "pass" && list.contains(&word.as_str()))
}

/// A word in small letters, without the signs of a sentence around it.
fn bare(word: &str) -> String {
    word.trim_matches([':', ';', ',', '.', '!']).to_lowercase()
}

/// What a verb that says what comes back stands for: a status that tells of a fault, one that does not, or a time.
fn given_back(lower: &[String], at: usize) -> Option<(&'static str, &'static str)> {
    if at == 0 || !GIVES.contains(&lower[at].as_str()) {
        return None;
    }
    let what = lower[at + 1..].iter().find(|word| !BETWEEN.contains(&word.as_str()))?;
    let digits = what.len() - what.trim_start_matches(|digit: char| digit.is_ascii_digit()).len();
    match (what.as_bytes(), &what[digits..]) {
        ([b'4' | b'5', ..], "" | "xx" | "s") if what.len() == 3 => Some(("fails", "WHO fails")),
        ([b'1'..=b'3', ..], "" | "xx") if what.len() == 3 => Some(("heals", "WHO heals")),
        (_, "us" | "ms" | "s") if digits > 0 && lower[at] != "answers" => Some(("answers", "WHO answers in 20ms")),
        _ if what.starts_with("error") || what.starts_with("nothing") => Some(("fails", "WHO fails")),
        _ => None,
    }
}

/// The form that a line's words stand for, none of which begins a form or is the verb of one.
pub(super) fn meant(words: &[&str], forms: &[&'static str]) -> Option<Meant> {
    let words = without_filling(words);
    let lower: Vec<String> = words.iter().map(|word| bare(word)).collect();
    let first = lower.first()?.as_str();
    let given = |at: usize| words[at].trim_matches([':', ';', ',', '.', '!']).to_owned();
    let is_time =
        lower.get(1).is_some_and(|word| word == "for" || word.starts_with(|first: char| first.is_ascii_digit()));
    if is_time && first != "pass" && passes(first) {
        return Some((given(0), "pass", "pass 10s"));
    }
    if let Some((at, (word, form))) = (1..words.len()).find_map(|at| Some((at, given_back(&lower, at)?))) {
        return Some((given(at), word, form));
    }
    let is_verb =
        |word: &str| forms.iter().any(|form| form.strip_prefix("WHO ").is_some_and(|rest| is_first(word, rest)));
    let samples = lower.iter().any(|word| word.starts_with("sample"));
    if forms.iter().any(|form| is_first(first, form)) || lower[1..].iter().any(|word| is_verb(word)) || samples {
        return None;
    }
    let has = |list: &[&str], at: usize| lower.get(at).is_some_and(|word| list.contains(&word.as_str()));
    if let Some((.., word, form)) = PAIRS.iter().find(|(one, other, ..)| has(one, 0) && has(other, 1)) {
        return Some((format!("{} {}", words[0], words[1]), word, form));
    }
    if let Some((.., word, form)) = BEGINS.iter().find(|(list, ..)| has(list, 0)) {
        return Some((given(0), word, form));
    }
    // Behind a name, or in front of it. The nearer to the end, the more it is the verb.
    let places = (1..words.len()).rev().chain([0]);
    places.into_iter().find_map(|at| {
        let (_, word, form) = BEHAVES.iter().find(|(list, ..)| has(list, at))?;
        Some((given(at), *word, *form))
    })
}

/// Whether a word is the first of a form.
fn is_first(word: &str, form: &str) -> bool {
    form.split(' ').next() == Some(word)
}
