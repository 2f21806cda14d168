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
    (&["unreachable", "unroutable", "partitioned", "isolated", "noroute"], "loses", "WHO loses its route"),
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

/// The form that a line's words stand for, none of which begins a form or is the verb of one.
pub(super) fn meant(words: &[&str], forms: &[&'static str]) -> Option<Meant> {
    let words = match words {
        ["then" | "and" | "now", rest @ ..] => rest,
        words => words,
    };
    let lower: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
    let first = lower.first()?.as_str();
    let is_verb =
        |word: &str| forms.iter().any(|form| form.strip_prefix("WHO ").is_some_and(|rest| is_first(word, rest)));
    let samples = lower.iter().any(|word| word.starts_with("sample"));
    if forms.iter().any(|form| is_first(first, form)) || lower[1..].iter().any(|word| is_verb(word)) || samples {
        return None;
    }
    let given = |at: usize| words[at].to_owned();
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
