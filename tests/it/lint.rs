//! What `check --lint` finds in sound configurations, word for word.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use meridian::{
    config::{self, fault::Severity, report},
    lint,
};

const GOLDEN: &str = "tests/golden/lint";

/// `MERIDIAN_BLESS=1` writes what is said now; the change is then read like any other.
#[test]
fn every_lint_is_told_as_it_should() {
    let entries = fs::read_dir(GOLDEN).expect("the folder of goldens");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("entry").path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    assert!(files.len() >= 9, "{} goldens", files.len());
    let mut wrong = Vec::new();
    for path in files {
        let linted = lint::lint(&path);
        let said = report::text(&linted.faults, &linted.sources, false);
        let expected = path.with_extension("expected");
        if env::var_os("MERIDIAN_BLESS").is_some() {
            fs::write(&expected, &said).expect("written");
        } else if fs::read_to_string(&expected).ok().as_deref() != Some(&said) {
            wrong.push(format!("{}:\n{said}", expected.display()));
        }
        assert!(linted.faults.iter().all(|fault| fault.severity == Severity::Warning), "{}", path.display());
        assert!(linted.faults.iter().all(|fault| fault.remedy.is_some()), "{}", path.display());
        let plain = config::load(&path);
        assert!(plain.faults.len() < linted.faults.len(), "{} is for the lint", path.display());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_example_is_without_findings() {
    let linted = lint::lint(Path::new("zones/example.toml"));
    assert_eq!(report::text(&linted.faults, &linted.sources, false), "no faults\n");
}

#[test]
fn findings_end_the_program_with_one() {
    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_meridian")).arg("check").args(arguments).output().expect("ran");
        output.status.code()
    };
    let file = "tests/golden/lint/coordinates.toml";
    assert_eq!(run(&["-c", file]), Some(0));
    assert_eq!(run(&["--lint", "-c", file]), Some(1));
    assert_eq!(run(&["--lint", "-c", "zones/example.toml"]), Some(0));
    assert_eq!(run(&["--lint", "-c", "tests/golden/config/none.toml"]), Some(2));
}
