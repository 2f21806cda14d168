//! Configuration files, good and broken: what `check` says of each, word for word.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use meridian::config::{self, Loaded, report};
use proptest::prelude::*;

const GOLDEN: &str = "tests/golden/config";
const EXAMPLE: &str = "zones/example.toml";
const STEERING: &str = "zones/steering.toml";
const LOAD: &str = "zones/load.toml";

/// Paths in goldens are relative to the package, where tests are run.
fn render(loaded: &Loaded) -> String {
    report::text(&loaded.faults, &loaded.sources, false)
}

fn goldens() -> Vec<PathBuf> {
    let entries = fs::read_dir(GOLDEN).expect("the folder of goldens");
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.expect("entry").path()).collect();
    found.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    found.sort();
    found
}

/// `MERIDIAN_BLESS=1` writes what is said now; the change is then read like any other.
#[test]
fn every_broken_file_is_told_all_its_faults() {
    let bless = env::var_os("MERIDIAN_BLESS").is_some();
    let mut wrong = Vec::new();
    let files = goldens();
    assert!(files.len() >= 25, "{} goldens", files.len());
    for path in files {
        let loaded = config::load(&path);
        let said = render(&loaded);
        let expected = path.with_extension("expected");
        if bless {
            fs::write(&expected, &said).expect("written");
        } else if fs::read_to_string(&expected).ok().as_deref() != Some(&said) {
            wrong.push(format!("{}:\n{said}", expected.display()));
        }
        assert!(!loaded.faults.is_empty(), "{} is a broken file", path.display());
        assert_eq!(loaded.config.is_some(), loaded.count().0 == 0, "{}", path.display());
        report::json(&loaded.faults, &loaded.sources).expect("JSON");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_examples_are_without_fault() {
    for example in [EXAMPLE, STEERING, LOAD] {
        let loaded = config::load(Path::new(example));
        assert_eq!(render(&loaded), "no faults\n", "{example}");
        assert!(loaded.config.is_some(), "{example}");
    }
}

/// What is said of an example in which one text was put in the place of another: each fault as `line: message`, and the
/// first remedy.
fn mutated(example: &str, changes: &[(&str, &str)]) -> (Vec<String>, String) {
    let mut text = fs::read_to_string(example).expect(example);
    for (from, to) in changes {
        assert!(text.contains(from), "{from} stands in {example}");
        text = text.replacen(from, to, 1);
    }
    let folder = tempfile::tempdir().expect("folder");
    let text = text.replace("\"../", concat!("\"", env!("CARGO_MANIFEST_DIR"), "/"));
    fs::copy("zones/gslb.example.com.zone", folder.path().join("gslb.example.com.zone")).expect("copied");
    let file = folder.path().join("meridian.toml");
    fs::write(&file, &text).expect("written");
    let loaded = config::load(&file);
    let told = loaded.faults.iter().map(|fault| {
        let line = fault.place.as_ref().map_or(0, |place| text[..place.span.start].matches('\n').count() + 1);
        let meant = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
        format!("{meant} | {}", fault.message)
    });
    let remedy = loaded.faults.first().and_then(|fault| fault.remedy.clone()).unwrap_or_default();
    (told.collect(), remedy)
}

#[test]
fn nothing_false_follows_from_a_fault_of_the_examples() {
    let mut wrong = Vec::new();
    for (example, from, to, message) in [
        // A region that could not be read is not missed by the lines of a latency file.
        (STEERING, "[regions.us-east]", "[regions/us-east]", "the table's name is not understood"),
        (STEERING, "[regions.us-east]", "regions.us-east:", "a table begins with its name in brackets"),
        (STEERING, "[regions.us-east]", "[regions.us-east.]", "the table's name `regions.us-east.` has an empty part"),
        (STEERING, "[regions.us-east]", "[REGIONS.US-EAST]", "unknown key `REGIONS`"),
        (STEERING, "[regions.us-east]", "[\"regions.us-east\"]", "unknown key `\"regions.us-east\"`"),
        // A cname that could not be read is one all the same.
        (
            STEERING,
            "\ncname  = \"a.cdn.example.net\"",
            "\ncname = 5",
            "`pools.others.endpoints.cdn-a.cname` has the wrong type",
        ),
        (STEERING, "\"a.cdn.example.net\"", "\"a.cdn.example.net", "a text is not closed"),
        (STEERING, "\ncname  = \"a", "\ncnmae = \"a", "unknown key `pools.others.endpoints.cdn-a.cnmae`"),
        // Keys below a header that is none are of no table, not of the one before.
        (EXAMPLE, "[monitors.port]", "port", "`port` has no value"),
        (EXAMPLE, "[monitors.port]", "port:", "a table begins with its name in brackets"),
        (EXAMPLE, "[monitors.port]", "- port:", "a table begins with its name in brackets"),
        (EXAMPLE, "[monitors.port]", "**port**", "a table's name stands in square brackets"),
        (EXAMPLE, "[monitors.port]", "\"monitors.port\" = {", "`{` is never closed"),
        // `answers` that could not be read are not one.
        (STEERING, "answers  = 2", "answers = \"5\"", "`policies.two.answers` has the wrong type"),
        (STEERING, "answers  = 2", "answers = 0", "`policies.two.answers` is out of range"),
        (STEERING, "answers  = 2", "answers = two", "text must be in quotes"),
        (STEERING, "answers  = 2", "anwsers = 2", "unknown key `policies.two.anwsers`"),
    ] {
        let (told, _) = mutated(example, &[(from, to)]);
        let line = to.trim_start();
        let expected = told.len() == 1 && told[0].contains(line) && told[0].ends_with(&format!("| {message}"));
        if !expected {
            wrong.push(format!("{line}: {told:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_told_to_be_written_in_the_examples_is_right() {
    let location = "location = { lat = 50.11, lon = 8.68 }";
    let mut wrong = Vec::new();
    for (from, to, remedy) in [
        (
            "tcp      = { port = 443 }",
            "tcp = {\nport = 443",
            "add `}` behind its keys, with commas between them, or write `[monitors.port.tcp]` for the table of the keys below",
        ),
        ("[monitors.port]", "port:", "write `[monitors.port]`, and its keys below"),
        ("[monitors.port]", "**port**", "write `[monitors.port]`"),
        ("[monitors.port]", "monitors: port", "write `[monitors.port]`"),
        ("[monitors.port]", "monitors[\"port\"]", "write `[monitors.port]`"),
        ("[monitors.port]", "monitors.port {", "write `[monitors.port]` on a line of its own, and its keys below"),
        (
            "[services.\"api.gslb.example.com\"]",
            "services: api.gslb.example.com",
            "write `[services.\"api.gslb.example.com\"]`",
        ),
        (
            "[services.\"api.gslb.example.com\"]",
            "\"api.gslb.example.com\":",
            "write `[services.\"api.gslb.example.com\"]`, and its keys below",
        ),
        (
            "[services.\"api.gslb.example.com\"]",
            "[\"api.gslb.example.com\"]",
            "write `[services.\"api.gslb.example.com\"]` for a service, `[zones.\"api.gslb.example.com\"]` for a zone",
        ),
        ("[pools.web.endpoints.eu-1]", "endpoints.eu-1:", "write `[pools.web.endpoints.eu-1]`, and its keys below"),
        ("[log]", "LOG:", "write `[log]`, and its keys below"),
        ("identity     = \"ns1.example\"", "identity", "write `identity = \u{2026}`"),
        ("[monitors.port]", "[monitors port]", "write `[monitors.port]`"),
        ("[monitors.port]", "[monitors > port]", "write `[monitors.port]`"),
        ("[monitors.port]", "[monitors: port]", "write `[monitors.port]`"),
        ("[pools.web.endpoints.eu-1]", "eu-1:", "write `[pools.web.endpoints.eu-1]`, and its keys below"),
        ("fall     = 3", "fall = [", "add `]` behind its items"),
        ("[\"127.0.0.1:5300\", \"[::1]:5300\"]", "[", "add `]` behind its items"),
        (
            "[services.\"www.gslb.example.com\"]",
            "[\"services.www.gslb.example.com\"]",
            "write `[services.\"www.gslb.example.com\"]`",
        ),
        ("[zones.\"gslb.example.com\"]", "[\"zones.gslb.example.com\"]", "write `[zones.\"gslb.example.com\"]`"),
        ("[pools.web.endpoints.us-1]", "[\"pools.web.endpoints.us-1\"]", "write `[pools.web.endpoints.us-1]`"),
        (
            "[services.\"www.gslb.example.com\"]",
            "[services/www.gslb.example.com]",
            "write `[services.\"www.gslb.example.com\"]`",
        ),
        ("[monitors.port]", "[monitors->port]", "write `[monitors.port]`"),
        ("[monitors.port]", "[monitors/port]", "write `[monitors.port]`"),
        ("[monitors.port]", "[monitors.p\u{f6}rt]", "write `[monitors.port]`, or another such name"),
        ("[pools.web.endpoints.us-1]", "[pools->web->endpoints->us-1]", "write `[pools.web.endpoints.us-1]`"),
        (location, "location = (50.11, 8.68)", "write `{ lat = 50.11, lon = 8.68 }`"),
        (location, "location = 50.11, 8.68", "write `{ lat = 50.11, lon = 8.68 }`"),
        (location, "location = lat = 50.11, lon = 8.68 }", "write `{ lat = 50.11, lon = 8.68 }`"),
        ("lat = 50.11", "lat = N50.11", "write 50.11"),
        ("max_size       = 1232", "max_size = 1232.", "write 1232"),
        ("host = \"www.example.com\"", "host = &quot;www.example.com&quot;", "write \"www.example.com\""),
        ("[log]", "```toml\n[log]", "take out the lines that begin so"),
    ] {
        let (told, said) = mutated(EXAMPLE, &[(from, to)]);
        if told.len() != 1 || said != remedy {
            wrong.push(format!("{to}: {said}\n{told:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn one_run_tells_faults_of_ten_kinds() {
    let loaded = config::load(Path::new("tests/golden/config/ten-kinds.toml"));
    let mut messages: Vec<&str> = loaded.faults.iter().map(|fault| fault.message.as_str()).collect();
    messages.dedup();
    assert_eq!(messages.len(), 10, "{messages:#?}");
}

#[test]
fn a_file_that_is_not_there_is_no_finding_but_a_failure() {
    let loaded = config::load(Path::new("tests/golden/config/none.toml"));
    assert!(!loaded.was_read());
    assert_eq!(loaded.count(), (1, 0));
    assert!(!config::load(Path::new("tests")).was_read(), "a folder");
}

/// The faults of a file, each with its message, label and remedy on one line.
fn said(path: &Path) -> Vec<String> {
    let faults = config::load(path).faults;
    let line = |fault: &config::fault::Fault| {
        format!("{} | {} | {}", fault.message, fault.label, fault.remedy.as_deref().unwrap_or_default())
    };
    faults.iter().map(line).collect()
}

#[test]
fn a_file_that_cannot_be_read_is_told_why_and_what_to_do() {
    let folder = tempfile::tempdir().expect("folder");
    let at = |name: &str| folder.path().join(name);
    fs::write(at("meridian.toml"), "version = 1\n").expect("written");
    std::os::unix::fs::symlink("gone.toml", at("link.toml")).expect("linked");
    std::os::unix::fs::symlink("round.toml", at("round.toml")).expect("linked");
    let made = Command::new("mkfifo").arg(at("pipe")).status().expect("mkfifo");
    assert!(made.success());
    for (path, cause, remedy) in [
        (
            folder.path().to_owned(),
            "it is not a regular file but a folder",
            format!("name a file in it: {}", at("meridian.toml").display()),
        ),
        (at("meridan.toml"), "there is no such file", format!("did you mean {}?", at("meridian.toml").display())),
        (at("none/x.toml"), "there is no such file", format!("there is no folder {} either", at("none").display())),
        (at("meridian.toml/x"), "a part of its path is a file", "correct the path".to_owned()),
        (at("link.toml"), "it is a link to gone.toml, which is not there", "correct the link".to_owned()),
        (at("round.toml"), "its links lead in a circle", "correct the links".to_owned()),
        (at("pipe"), "it is not a regular file but a pipe", "write what comes from there to a file".to_owned()),
        (
            PathBuf::from("/dev/null"),
            "it is not a regular file but a device",
            "write what comes from there to a file".to_owned(),
        ),
        (at("${HOME}/x.toml"), "`${HOME}` is taken as it stands", "write the path out".to_owned()),
    ] {
        let said = said(&path);
        assert_eq!(said.len(), 1, "{said:#?}");
        assert!(said[0].contains(cause) && said[0].contains(&remedy), "{}", said[0]);
    }
    // The same words for files that a configuration names.
    fs::write(at("main.toml"), "version = 1\ninclude = [\"pipe\"]\n[zones.\"example.com\"]\nfile = \"pipe\"\n")
        .expect("written");
    let said = said(&at("main.toml"));
    assert_eq!(said.iter().filter(|said| said.contains("it is not a regular file but a pipe")).count(), 2, "{said:#?}");
}

#[test]
fn a_server_that_cannot_start_says_what_to_do() {
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("meridian.toml");
    let serve = |listen: &str, state_dir: &str| {
        let server = format!("[server]\nlisten = [\"{listen}\"]\nidentity = \"x\"\nstate_dir = \"{state_dir}\"\n");
        let zone = concat!(env!("CARGO_MANIFEST_DIR"), "/zones/gslb.example.com.zone");
        fs::write(&file, format!("version = 1\n{server}[zones.\"gslb.example.com\"]\nfile = \"{zone}\"\n"))
            .expect("written");
        let run = Command::new(env!("CARGO_BIN_EXE_meridian")).arg("serve").arg("-c").arg(&file).output().expect("ran");
        (run.status.code(), String::from_utf8(run.stderr).expect("text"))
    };
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("bound").to_string();
    let (code, said) = serve(&address, "state");
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains(&format!("cannot listen on {address} over TCP: address in use; ")), "{said}");
    assert!(
        said.contains(&format!("`ss -lntup 'sport = :{}'` shows which", taken.local_addr().expect("bound").port())),
        "{said}"
    );
    let (code, said) = serve("192.0.2.1:0", "state");
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("this host has no such address; `ip address` shows those that it has"), "{said}");
    // A folder that nothing can be made in, whatever the user.
    let (code, said) = serve("127.0.0.1:0", "/proc/meridian");
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("there is none, and it cannot be made: "), "{said}");
}

/// Thousands of faults of one kind are told as far as they are read, and counted.
#[test]
fn faults_of_one_class_are_capped_at_a_hundred_and_the_others_are_not() {
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("meridian.toml");
    let mut text =
        "version = 1\n[server]\nlisten = [\"127.0.0.1:0\"]\nidentity = \"x\"\nstate_dir = \"s\"\ncolour = 1\n"
            .to_owned();
    (0..350).for_each(|n| text.push_str(&format!("[pools.p{n}]\npolicy = \"none{n}\"\n")));
    fs::write(&file, text).expect("written");
    let loaded = config::load(&file);
    let of = |part: &str| loaded.faults.iter().filter(|fault| fault.message.contains(part)).count();
    assert_eq!(of("unknown key `server.colour`"), 1);
    assert_eq!(of("policy \"none"), 101);
    let left = loaded.faults.iter().find(|fault| fault.count > 1).expect("the rest is told");
    assert!(left.message.starts_with("250 more errors like the first of them are left out: "), "{}", left.message);
    assert!(loaded.count().0 >= 351, "{:?}", loaded.count());
    assert!(report::text(&loaded.faults, &loaded.sources, false).contains(&format!("{} errors", loaded.count().0)));
}

#[test]
fn syntax_faults_are_capped_too() {
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("meridian.toml");
    let lines: String = (0..1000).map(|n| format!("[regions.r{n}]\nbias: \"{n}ms\"\n")).collect();
    fs::write(&file, format!("version = 1\n{lines}")).expect("written");
    let loaded = config::load(&file);
    let colons =
        loaded.faults.iter().filter(|fault| fault.message == "a key and its value are separated by `=`").count();
    assert_eq!(colons, 100);
    assert!(loaded.faults.iter().any(|fault| fault.message.starts_with("900 more errors")));
    assert_eq!(loaded.faults[0].place.as_ref().map(|place| loaded.sources.line_column(place)), Some((3, 5)));
}

#[test]
fn check_prints_faults_and_ends_with_what_they_mean() {
    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_meridian")).arg("check").args(arguments).output().expect("ran");
        (output.status.code(), String::from_utf8(output.stdout).expect("text"))
    };
    assert_eq!(run(&["-c", EXAMPLE]), (Some(0), "no faults\n".to_owned()));
    assert_eq!(run(&["-c", "tests/golden/config/warnings.toml"]).0, Some(0));
    assert_eq!(run(&["-c", "tests/golden/config/ten-kinds.toml"]).0, Some(1));
    assert_eq!(run(&["-c", "tests/golden/config/none.toml"]).0, Some(2));
    let (code, json) = run(&["-c", "tests/golden/config/coordinates.toml", "--json"]);
    assert_eq!(code, Some(1));
    let faults: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(faults[0]["severity"], "error");
    assert_eq!(faults[0]["file"], "tests/golden/config/coordinates.toml");
    assert_eq!(
        (&faults[0]["line"], &faults[0]["column"], &faults[0]["end_column"]),
        (&8.into(), &20.into(), &22.into())
    );
    assert_eq!(faults.as_array().map(Vec::len), Some(3));
}

#[test]
fn loading_makes_nothing() {
    let folder = tempfile::tempdir().expect("folder");
    for name in ["example.toml", "gslb.example.com.zone"] {
        fs::copy(Path::new("zones").join(name), folder.path().join(name)).expect(name);
    }
    let loaded = config::load(&folder.path().join("example.toml"));
    let left: Vec<_> = fs::read_dir(folder.path()).expect("folder").collect();
    assert_eq!(left.len(), 2);
    assert!(loaded.was_read());
}

/// One way to spoil a text.
#[derive(Clone, Debug)]
enum Spoil {
    Delete(usize),
    Duplicate(usize),
    Swap(usize, usize),
    Octets(usize, Vec<u8>),
    Cut(usize),
}

fn spoil() -> impl Strategy<Value = Spoil> {
    let at = 0..10_000usize;
    prop_oneof![
        at.clone().prop_map(Spoil::Delete),
        at.clone().prop_map(Spoil::Duplicate),
        (at.clone(), at.clone()).prop_map(|(one, other)| Spoil::Swap(one, other)),
        (at.clone(), octets()).prop_map(|(at, octets)| Spoil::Octets(at, octets)),
        at.prop_map(Spoil::Cut),
    ]
}

fn octets() -> impl Strategy<Value = Vec<u8>> {
    let word = prop::sample::select(vec![
        "\"",
        "'",
        "\"\"\"",
        "[",
        "]]",
        "{",
        "}",
        "=",
        ",",
        "\n",
        "\r",
        "#",
        ".",
        "0",
        "-1",
        "1e400",
        "nan",
        "true",
        "99999999999999999999999999999999999999999999999999",
        "\u{feff}",
        "é",
        "\0",
        "[server]\n",
        "version = 1\n",
        "\\u12",
    ]);
    prop_oneof![word.prop_map(|word| word.as_bytes().to_vec()), prop::collection::vec(any::<u8>(), 1..4)]
}

fn spoiled(text: &str, spoils: &[Spoil]) -> Vec<u8> {
    let mut octets = text.as_bytes().to_vec();
    for spoil in spoils {
        let mut lines: Vec<Vec<u8>> = octets.split_inclusive(|octet| *octet == b'\n').map(<[u8]>::to_vec).collect();
        if lines.is_empty() {
            break;
        }
        let count = lines.len();
        match spoil {
            Spoil::Delete(at) => {
                lines.remove(at % count);
            }
            Spoil::Duplicate(at) => lines.insert(at % count, lines[at % count].clone()),
            Spoil::Swap(one, other) => lines.swap(one % count, other % count),
            Spoil::Octets(at, new) => {
                let at = at % (octets.len() + 1);
                octets.splice(at..at, new.iter().copied());
                continue;
            }
            Spoil::Cut(at) => {
                octets.truncate(at % (octets.len() + 1));
                continue;
            }
        }
        octets = lines.concat();
    }
    octets
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is done to a good file: it loads or it is told why, and the telling itself never fails.
    #[test]
    fn a_spoiled_file_never_panics(
        spoils in prop::collection::vec(spoil(), 1..12),
        example in prop::sample::select(vec![EXAMPLE, STEERING]),
    ) {
        let text = fs::read_to_string(example).expect("the example");
        let text = text.replace("\"../", concat!("\"", env!("CARGO_MANIFEST_DIR"), "/"));
        let folder = tempfile::tempdir().expect("folder");
        fs::copy("zones/gslb.example.com.zone", folder.path().join("gslb.example.com.zone")).expect("copied");
        let path = folder.path().join("spoiled.toml");
        fs::write(&path, spoiled(&text, &spoils)).expect("written");
        let loaded = config::load(&path);
        prop_assert_eq!(loaded.config.is_some(), loaded.count().0 == 0);
        for fault in &loaded.faults {
            prop_assert!(!fault.message.is_empty());
            let Some(place) = &fault.place else { continue };
            let source = loaded.sources.get(place.file).expect("a fault's file was read");
            prop_assert!(place.span.start <= place.span.end && place.span.end <= source.text.len(), "{:?}", fault);
        }
        let said = render(&loaded);
        prop_assert!(said.ends_with('\n'));
        report::json(&loaded.faults, &loaded.sources).expect("JSON");
    }
}
