//! Scenarios: what an operator would recognise, as text with time in it. No sockets, no sleeping: probes are played by
//! the monitor's own rhythm, their outcomes folded into the real Ledger, questions answered by the real engine.
//!
//! The lines of a `.scn` file (`#` starts a comment):
//!
//! | line | meaning |
//! |---|---|
//! | `config {` … `}` | the configuration behind `[server]`; g.test is its zone, o.csv what `places` says |
//! | `places {` … `}` | lines `prefix,continent,country,subdivision,city,lat,lon,asn` |
//! | `reload {` … `}` | another configuration, now |
//! | `at 10s …`, `pass 30s` | time goes on to a moment, by a while; probes that are due are run |
//! | `eu fails "status 503"`, `heals`, `hangs`, `loses its route` | from now on; `eu v6` is one family, `web/eu` one pool's |
//! | `ask NAME TYPE [from PREFIX] [by RESOLVER]` | a question, whose answer the next lines expect |
//! | `expect ADDRESS… \| nodata \| servfail \| silence [ttl N] [scope N] [because …]` | what comes back |
//! | `expect same`, `expect other` | the addresses of the last answer to that name and client, or others |
//!
//! Reasons are separated by commas: `eu up, failing, trusted, ignored` (why it may answer), `eu down, unknown,
//! weightless` (why not), `eu kept by rtt`, `eu behind by rtt`, `web passed over`, `rung preferred`, `rung all-down`,
//! `calm`, `changing`, `uncertain` (the TTL).

mod play;
mod text;

use std::{fs, path::PathBuf};

const FOLDER: &str = "tests/scenarios";

#[test]
fn every_scenario_comes_out_as_written() {
    let entries = fs::read_dir(FOLDER).expect("the folder of scenarios");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "scn"));
    paths.sort();
    assert!(paths.len() >= 10, "{} scenarios", paths.len());
    let mut wrong = Vec::new();
    for path in &paths {
        let written = fs::read_to_string(path).expect("text");
        wrong.extend(play::play(&path.display().to_string(), &written));
    }
    assert!(wrong.is_empty(), "{} expectations failed:\n{}", wrong.len(), wrong.join("\n"));
}

const TINY: &str = "config {
[monitors.m]
tcp = { port = 80 }
[regions.here]
location = { lat = 1, lon = 1 }
[pools.p]
monitor = \"m\"
[pools.p.endpoints.a]
region = \"here\"
address = \"192.0.2.1\"
[services.\"www.g.test\"]
pools = [\"p\"]
}
";

#[test]
fn what_is_wrong_is_told_with_its_line() {
    let told = |lines: &str| play::play("x.scn", &format!("{TINY}{lines}"));
    assert_eq!(told("pass 1s\nask www.g.test A\nexpect 192.0.2.1 ttl 30 because a up, calm\n"), Vec::<String>::new());
    for (lines, line, word) in [
        ("pass 1s\nask www.g.test A\nexpect 192.0.2.2\n", 16, "192.0.2.1"),
        ("pass 1s\nask www.g.test A\nexpect 192.0.2.1 ttl 5\n", 16, "30"),
        ("pass 1s\nask www.g.test A\nexpect 192.0.2.1 because a down\n", 16, "a down"),
        ("pass 1s\nexpect 192.0.2.1\n", 15, "ask"),
        ("pass 1s\nask www.g.test A from nowhere\n", 15, "nowhere"),
        ("pass soon\n", 14, "soon"),
        ("at 5s\nat 6s b fails\n", 15, "no endpoint"),
        ("at 5s\nat 4s\n", 15, "before"),
        ("hope\n", 14, "hope"),
        ("reload {\nnever ends", 14, "closed"),
    ] {
        let faults = told(lines);
        assert_eq!(faults.len(), 1, "{lines}: {faults:?}");
        assert!(faults[0].starts_with(&format!("x.scn:{line}: ")), "{lines}: {faults:?}");
        assert!(faults[0].contains(word), "{lines}: {faults:?}");
    }
}
