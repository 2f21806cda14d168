//! $INCLUDE: what it carries on, and what it must never open.

use std::os::unix::fs::symlink;

use super::*;

/// A folder with `zone/a.zone`, which holds [`HEAD`] and this text, and other files beside it.
fn folder(text: &str, files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("folder");
    fs::create_dir_all(folder.path().join("zone/sub")).expect("folders");
    fs::write(folder.path().join("zone/a.zone"), format!("{HEAD}{text}")).expect("written");
    for (path, text) in files {
        fs::write(folder.path().join(path), text).expect("written");
    }
    folder
}

fn load_in(folder: &tempfile::TempDir) -> Outcome {
    load_file(&folder.path().join("zone/a.zone"))
}

#[test]
fn origin_and_owner_come_back_and_ttl_stays() {
    let folder = folder(
        "w TXT a\n$INCLUDE sub/b.zone in\n  HINFO b b\nx TXT c\n$INCLUDE \"sub/c.zone\"\n",
        &[
            ("zone/sub/b.zone", "$TTL 9\n@ TXT d\n$ORIGIN deep.example.com.\nh TXT e\n$INCLUDE c.zone\n"),
            ("zone/sub/c.zone", "y TXT f\n"),
        ],
    );
    let outcome = load_in(&folder);
    assert_eq!(outcome.faults, [""; 0]);
    assert_eq!(
        outcome.records(),
        [
            "w.Example.com. 3600 TXT 0161",
            "in.Example.com. 9 TXT 0164",
            "h.deep.example.com. 9 TXT 0165",
            "y.deep.example.com. 9 TXT 0166",
            "w.Example.com. 9 HINFO 01620162",
            "x.Example.com. 9 TXT 0163",
            "y.Example.com. 9 TXT 0166",
        ]
    );
}

#[test]
fn faults_inside_an_include_have_its_places() {
    let folder = folder("$INCLUDE sub/b.zone\nw A x\n", &[("zone/sub/b.zone", "\n\tA y\nu A z\n")]);
    assert_eq!(
        load_in(&folder).faults,
        [
            "E 6:5 A data: an IPv4 address is expected",
            "E b.zone:2:4 A data: an IPv4 address is expected",
            "E b.zone:3:5 A data: an IPv4 address is expected",
        ]
    );
}

#[test]
fn nothing_outside_the_folder_is_read() {
    let outside = "the file lies outside the folder of the zone file";
    let no_file = "it is not a regular file";
    let folder = folder("", &[("secret", "s3cret A x\n"), ("zone/plain", "")]);
    let path = |name: &str| folder.path().join(name);
    symlink("../secret", path("zone/link")).expect("link");
    symlink("plain", path("zone/inner")).expect("link");
    symlink("nowhere", path("zone/dangling")).expect("link");
    assert!(std::process::Command::new("mkfifo").arg(path("zone/fifo")).status().expect("mkfifo").success());
    let absolute = path("zone/plain").canonicalize().expect("path").display().to_string();
    for (written, words) in [
        ("../secret", Some(outside)),
        ("sub/../../secret", Some(outside)),
        ("/dev/null", Some(outside)),
        ("link", Some(outside)),
        ("sub", Some(no_file)),
        ("fifo", Some(no_file)),
        ("none", Some("there is no such file")),
        ("dangling", Some("there is no such file")),
        ("inner", None),
        (&absolute, None),
    ] {
        fs::write(path("zone/a.zone"), format!("{HEAD}$INCLUDE {written}\n")).expect("written");
        let outcome = load_in(&folder);
        let expected = words.map(|words| format!("E 5:10 $INCLUDE: {written}: {words}"));
        assert_eq!(outcome.faults, expected.into_iter().collect::<Vec<_>>());
        assert!(!format!("{:?}", outcome.raw).contains("s3cret"));
    }
}

#[test]
fn loops_and_depth_end() {
    let itself = folder("$INCLUDE a.zone\n", &[]);
    assert_eq!(load_in(&itself).faults, ["E 5:10 $INCLUDE: a.zone: the file includes itself"]);
    let ring = folder("$INCLUDE b\n", &[("zone/b", "$INCLUDE sub/../c\n"), ("zone/c", "$INCLUDE b\n")]);
    let told = load_in(&ring).faults;
    let way = ["b", "sub/../c", "b"].map(|file| ring.path().join("zone").join(file).display().to_string());
    let expected = format!("E c:1:10 $INCLUDE: b: the file includes itself by way of others: {}", way.join(" → "));
    assert_eq!(told, [expected]);
    let names: Vec<_> = (0..20).map(|n| (format!("zone/{n}"), format!("$INCLUDE {}\n", n + 1))).collect();
    let files: Vec<_> = names.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let deep = folder("$INCLUDE 0\n", &files);
    assert_eq!(load_in(&deep).faults, ["E 14:1:10 $INCLUDE: files are included more than 16 deep"]);
    let doubling: Vec<_> =
        (0..12).map(|n| (format!("zone/{n}"), format!("$INCLUDE {0}\n$INCLUDE {0}\n", n + 1))).collect();
    let mut files: Vec<_> = doubling.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    files.push(("zone/12", ""));
    let faults = load_in(&folder("$INCLUDE 0\n", &files)).faults;
    assert!(faults.iter().any(|fault| fault.contains("more than 1000 files are included")), "{faults:?}");
}

#[test]
fn a_zone_file_that_cannot_be_read() {
    let folder = folder("", &[]);
    for (path, words) in [("zone/none", "there is no such file"), ("zone/sub", "it is not a regular file but a folder")]
    {
        let path = folder.path().join(path);
        let outcome = load_file(&path);
        assert!(outcome.zone.is_none());
        let expected = format!("E meridian.toml:1:5 zone Example.com.: cannot read {}: {words}", path.display());
        assert_eq!(outcome.faults, [expected]);
    }
}
