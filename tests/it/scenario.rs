//! Scenarios, played by the very code of `meridian test`: what an operator would recognise, as text with time in it.
//! `docs/testing.md` has the lines that a scenario may hold.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use meridian::cli::test::{Played, play, play_file};

const FOLDER: &str = "tests/scenarios";

#[test]
fn every_scenario_comes_out_as_written() {
    let entries = fs::read_dir(FOLDER).expect("the folder of scenarios");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "scn"));
    paths.sort();
    assert!(paths.len() >= 16, "{} scenarios", paths.len());
    let wrong: String = paths.iter().map(|path| play_file(path).to_string()).collect();
    assert!(wrong.is_empty(), "{} expectations failed:\n{wrong}", wrong.lines().count());
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

fn tiny(lines: &str) -> Vec<String> {
    let played: Played = play(Path::new("x.scn"), &format!("{TINY}{lines}"));
    played.to_string().lines().map(str::to_owned).collect()
}

#[test]
fn what_comes_is_as_expected() {
    for lines in [
        "pass 1s\nask www.g.test A\nexpect 192.0.2.1 ttl 30 because a up, a chosen, calm\n",
        "ask www.g.test A\nexpect silence\n",
        "pass 1s\nask www.g.test A\nexpect region here\nexpect endpoint a\nexpect endpoint p/a\n",
        "pass 1s\nask www.g.test AAAA\nexpect nodata ttl 5\nask none.g.test A\nexpect nxdomain\nask www.example A\nexpect refused\n",
        "pass 1s\nask www.g.test A\nask www.g.test A\nexpect same\nexpect same endpoint\nexpect same region\n",
        "region here fails # what is behind is not read\nat 5s\nask www.g.test A\nexpect 192.0.2.1 because a ignored, rung all-down\n",
        "a flaps every 10s\nat 5s\nask www.g.test A\nexpect because a ignored\nat 15s\nask www.g.test A\nexpect because a up\n",
        "pass 1s\nask www.g.test A\nremember 1 blocks of 20.0.0.0/8\nexpect 1 of 1 blocks of 20.0.0.0/8 to region here\n\
         expect 0-1 of 1 blocks of 20.0.0.0/8 to 192.0.2.1\nexpect 0 of 1 blocks of 20.0.0.0/8 moved\n",
    ] {
        assert_eq!(tiny(lines), Vec::<String>::new(), "{lines}");
    }
}

#[test]
fn a_scenario_is_a_regular_file() {
    for (path, cause) in [
        ("/dev/zero", "it is not a regular file but a device"),
        ("tests", "it is not a regular file but a folder; name a file in it"),
    ] {
        let told = play_file(Path::new(path)).to_string();
        assert!(told.contains(&format!("it cannot be read: {cause}")), "{told}");
    }
}

/// They once sought the block that comes behind the resolver's for ever.
#[test]
fn nothing_is_counted_where_the_resolver_speaks_for_its_clients() {
    let two = TINY.replace("[services", "[pools.p.endpoints.b]\nregion = \"here\"\naddress = \"192.0.2.2\"\n[services");
    let counted = "pass 1s\nask www.g.test A\nexpect 9 of 9 blocks of 0.0.0.0/0 to region here\n";
    for (ours, theirs) in
        [("pools = [\"p\"]", "pools = [\"p\"]\necs = false"), ("[monitors.m]", "ecs.from = [\"none\"]\n[monitors.m]")]
    {
        let played = play(Path::new("x.scn"), &format!("{}{counted}", two.replace(ours, theirs))).to_string();
        assert!(played.contains("www.g.test. is answered by the resolver, whatever the client subnet"), "{played}");
    }
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    for (lines, line, word) in [
        ("pass 1s\nask www.g.test A\nexpect 192.0.2.2\n", 16, "expected 192.0.2.2, got 192.0.2.1 ttl 30, because a up"),
        ("pass 1s\nask www.g.test A\nexpect 192.0.2.1 ttl 5\n", 16, "expected ttl 5, got 192.0.2.1 ttl 30"),
        ("pass 1s\nask www.g.test A\nexpect 192.0.2.1 because a down\n", 16, "expected because a down, got"),
        ("pass 1s\nask www.g.test A\nexpect nodata\n", 16, "expected nodata"),
        ("ask www.g.test A\nexpect 192.0.2.1\n", 15, "got silence"),
        ("pass 1s\nask www.g.test A\nexpect 0 of 1 blocks of 20.0.0.0/8 to region here\n", 16, "got 1"),
        ("pass 1s\nexpect 192.0.2.1\n", 15, "ask"),
        ("pass 1s\nask www.g.test A from nowhere\n", 15, "nowhere is no prefix"),
        ("pass 1s\nask www.g.test A from 192.0.2.1/24\n", 15, "192.0.2.0/24"),
        ("pass 1s\nask www.g.test A\nexpect same\n", 16, "not asked before"),
        ("pass 1s\nask www.g.test A\nexpect region there\n", 16, "there is here"),
        ("pass 1s\nask www.g.test A\nexpect 1 of 2 blocks of 20.0.0.0/8 to no endpoint\n", 16, "only 1 blocks"),
        ("pass 1s\nask www.g.test A\nexpect 1 of 1 blocks of 20.0.0.0/8 moved\n", 16, "remember"),
        ("pass soon\n", 14, "soon"),
        ("at 5s\nat 6s b fails\n", 15, "no endpoint is called b; there is p/a"),
        ("here fails\n", 14, "write `region here`"),
        ("at 5s\nat 4s\n", 15, "before"),
        ("at 5s\ndrain a until 4s\n", 15, "`until` is a moment"),
        ("shed a 101%\n", 14, "at most 100%"),
        ("hope\n", 14, "hope"),
        ("config {\n}\n", 14, "reload"),
        ("reload {\nnever ends", 14, "is not closed"),
        ("reload \"none.toml\"\n", 14, "none.toml"),
    ] {
        let faults = tiny(lines);
        assert!(faults[0].starts_with(&format!("x.scn:{line}: ")), "{lines}: {faults:?}");
        assert!(faults.join("\n").contains(word), "{lines}: {faults:?}");
        assert!(faults.iter().filter(|line| line.starts_with("x.scn:")).count() == 1, "{lines}: {faults:?}");
    }
}

#[test]
fn the_example_has_a_scenario_that_comes_out() {
    let played = play_file(Path::new("zones/example.scn"));
    assert_eq!(played.to_string(), "");
    let docs = fs::read_to_string("docs/testing.md").expect("docs");
    let counted = format!("1 scenario, {} expectations: all as expected", played.expectations);
    assert!(docs.contains(&counted), "docs/testing.md says otherwise than {counted}");
}

/// The lines of a configuration that stands in a scenario are told by their numbers there.
#[test]
fn a_configuration_in_a_scenario_is_told_its_faults_where_they_are() {
    let played = play(
        Path::new("x.scn"),
        "# one\n\nconfig {\n[regions.here]\nlocation = { lat = 91, lon = 1 }\n}\nask www.g.test A\n",
    );
    let told = played.to_string();
    assert!(told.contains("x.scn:3: the configuration is not sound:") && told.contains("--> x.scn:5:"), "{told}");
}

#[test]
fn the_program_ends_with_what_came_of_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let good = folder.path().join("good.scn");
    let bad = folder.path().join("bad.scn");
    let broken = folder.path().join("broken.scn");
    fs::write(&good, format!("{TINY}pass 1s\nask www.g.test A\nexpect 192.0.2.1\n")).expect("written");
    fs::write(&bad, format!("{TINY}pass 1s\nask www.g.test A\nexpect 192.0.2.2\n")).expect("written");
    fs::write(&broken, "hope\n").expect("written");
    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_meridian"))
            .current_dir(folder.path())
            .arg("test")
            .args(arguments)
            .output()
            .expect("it runs");
        (output.status.code(), String::from_utf8(output.stdout).expect("text"))
    };
    assert_eq!(run(&["good.scn"]), (Some(0), "1 scenario, 1 expectation: all as expected\n".to_owned()));
    let (code, said) = run(&["-v", "good.scn"]);
    assert_eq!(code, Some(0));
    assert!(
        said.starts_with("good.scn:15: at 1s, www.g.test. A by 9.9.9.9\n    192.0.2.1 ttl 30, because a up"),
        "{said}"
    );
    let by_response = TINY.replace("monitor = \"m\"", "monitor = \"m\"\npolicy = \"least-response-time\"");
    fs::write(folder.path().join("times.scn"), format!("{by_response}a answers in 20ms\npass 9s\nask www.g.test A\n"))
        .expect("written");
    let (_, said) = run(&["-v", "times.scn"]);
    assert!(said.contains("\n    a 192.0.2.1 answers in 20.0 ms on average, p50 20.0, p95 20.0 of "), "{said}");
    let (code, said) = run(&["good.scn", "bad.scn"]);
    assert_eq!(code, Some(1));
    assert!(said.starts_with("bad.scn:16: expected 192.0.2.2, got 192.0.2.1 ttl 30, because a up"), "{said}");
    assert!(said.ends_with("2 scenarios, 2 expectations: 1 failed\n"), "{said}");
    let (code, said) = run(&["bad.scn", "broken.scn", "none.scn"]);
    assert_eq!(code, Some(2));
    assert!(said.contains("broken.scn:1: `hope` says nothing; write "), "{said}");
    assert!(said.contains("none.scn: it cannot be read: "), "{said}");
    let (code, said) = run(&["--json", "bad.scn"]);
    let report: serde_json::Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!((code, &report["failed"], &report["faults"]), (Some(1), &1.into(), &0.into()));
    let finding = &report["scenarios"][0]["findings"][0];
    assert_eq!((&finding["kind"], &finding["line"]), (&"failed".into(), &16.into()));
    assert_eq!(finding["because"][0], "a up");
    assert_eq!(report["scenarios"][0]["questions"][0]["answer"], "192.0.2.1 ttl 30");
}
