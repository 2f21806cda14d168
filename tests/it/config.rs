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
