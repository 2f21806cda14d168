//! What `meridian explain` prints, held by golden files. Draws are fixed, so that nothing depends on the moment.

use std::{fs, path::Path, process::Command};

const EXAMPLE: &str = "zones/example.toml";
const STEERING: &str = "zones/steering.toml";
const FINER: &str = "tests/golden/config/finer.toml";
const BEYOND: &str = "tests/golden/explain/beyond-depth.toml";

fn config(golden: &str) -> &'static str {
    match golden {
        "assigned" | "closed" | "https" => STEERING,
        "finer-alone" | "finer-subnet" => FINER,
        "beyond-depth" => BEYOND,
        _ => EXAMPLE,
    }
}

/// (golden, arguments)
const CASES: &[(&str, &str)] = &[
    ("near", "www.gslb.example.com --client 198.51.100.0/24 --draw c1fe21c29d0875c6"),
    ("region-down", "www.gslb.example.com --client 198.51.100.0/24 --down eu-west --draw 1"),
    ("all-down", "api.gslb.example.com --client 203.0.113.9 --down api/eu-1 --down api/us-1 --down api/ap-1"),
    ("fallback-pool", "www.gslb.example.com --client 203.0.113.0/24 --down us-1 --down eu-1 --down eu-2 --down ap-1"),
    ("no-address", "api.gslb.example.com AAAA --client 203.0.113.9 --draw 0"),
    ("tiers", "api.gslb.example.com --client 2001:db8:1::/48 --draw 7"),
    ("shares", "shares.gslb.example.com --client 192.0.2.1 --draw 45"),
    ("order", "shares.gslb.example.com --client 192.0.2.1 --down shares/eu-1 --down shares/us-1 --draw 2d"),
    ("static", "gslb.example.com SOA --client 192.0.2.1"),
    ("target", "_https._tcp.www.gslb.example.com SRV --client 198.51.100.0/24 --draw c1fe21c29d0875c6"),
    ("special", "www.gslb.example.com --client 10.1.2.0/24 --resolver 198.51.100.53 --draw 3"),
    ("json", "www.gslb.example.com --client 198.51.100.0/24 --draw c1fe21c29d0875c6 --json"),
    // Of `zones/steering.toml`: what the region's loss makes of demand, and who is kept out.
    ("assigned", "shop.gslb.example.com --client 198.51.100.0/24 --down eu-west --draw 1"),
    ("closed", "eu.gslb.example.com --client 198.51.100.0/24 --draw 1"),
    ("family-down", "www.gslb.example.com AAAA --client 203.0.113.9 --draw 0 --down 2001:db8:3::10"),
    (
        "family-lost",
        "www.gslb.example.com AAAA --client 203.0.113.9 --draw 0 --down 2001:db8:1::10 --down 2001:db8:2::10 --down 2001:db8:2::11 --down 2001:db8:3::10",
    ),
    // An override finer than maps are cut counts for a client that asks by itself; with the option most of the block decides.
    ("finer-alone", "test.gslb.example.com --client 198.51.100.170 --draw 1"),
    ("finer-subnet", "test.gslb.example.com --client 198.51.100.170/32 --resolver 192.0.2.53 --draw 1"),
    ("beyond-depth", "www.gslb.example.com --client 20.0.0.0/24 --down fra --down ams --down zrh --draw 1"),
    ("https", "shop.gslb.example.com HTTPS --client 203.0.113.0/24 --draw 1"),
];

#[test]
fn explanations_read_as_they_should() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (name, args) in CASES {
        let run = Command::new(env!("CARGO_BIN_EXE_meridian"))
            .current_dir(root)
            .args(["explain", "-c", config(name)])
            .args(args.split_whitespace())
            .output()
            .expect("it runs");
        let said = String::from_utf8(run.stdout).expect("text") + &String::from_utf8_lossy(&run.stderr);
        assert_eq!(run.status.code(), Some(0), "{name}: {said}");
        let path = root.join(format!("tests/golden/explain/{name}.expected"));
        if std::env::var_os("MERIDIAN_BLESS").is_some() {
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(&path, &said).expect("written");
        }
        assert_eq!(said, fs::read_to_string(&path).unwrap_or_default(), "{name}: bless with MERIDIAN_BLESS=1");
    }
}

/// The README's first question and its answer are what the program says.
#[test]
fn the_readme_does_not_invent() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).expect("README.md");
    let (_, shown) = readme.split_once("$ meridian explain ").expect("an explanation");
    let (args, shown) = shown.split_once('\n').expect("a line");
    let run = Command::new(env!("CARGO_BIN_EXE_meridian"))
        .current_dir(root)
        .arg("explain")
        .args(args.split_whitespace())
        .output()
        .expect("it runs");
    assert_eq!(shown.split("```").next(), Some(&*String::from_utf8_lossy(&run.stdout)));
}

#[test]
fn what_cannot_be_explained_says_why() {
    for (args, why) in [
        ("a..b --client 192.0.2.1", "is no name: a label is empty"),
        ("a.example --client nowhere", "neither an address nor a prefix"),
        ("a.example NOTYPE --client 192.0.2.1", "is no record type"),
        ("a.example --client 192.0.2.1 --down mars", "no endpoint or region has this name"),
    ] {
        let run = Command::new(env!("CARGO_BIN_EXE_meridian"))
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .args(["explain", "-c", "zones/example.toml"])
            .args(args.split_whitespace())
            .output()
            .expect("it runs");
        let said = String::from_utf8_lossy(&run.stderr);
        assert!(run.status.code() == Some(2) && said.contains(why), "{args}: {said}");
    }
}
