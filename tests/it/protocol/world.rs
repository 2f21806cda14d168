//! A Snapshot from text: zone files and a configuration in a temporary folder, loaded and sealed by the very code that
//! serves.

use std::{fmt::Write, fs, sync::Arc};

use meridian::{
    config::{self, report},
    engine::{
        health::fold::Outcome,
        snapshot::Snapshot,
        types::At,
        world::{Draft, World},
    },
    node::{input::Input, ledger::Ledger},
};

/// The start of every zone here.
pub const HEAD: &str = "$TTL 300\n@ SOA ns1 Host.Master 1 7200 900 1209600 60\n  NS ns1\n  NS ns2.example.net.\n";

/// Zones by name and text (behind [`HEAD`]), and the rest of the configuration.
pub fn world(zones: &[(&str, &str)], config: &str) -> Arc<World> {
    let zones: Vec<(&str, String)> = zones.iter().map(|(name, text)| (*name, format!("{HEAD}{text}"))).collect();
    let zones: Vec<(&str, &str)> = zones.iter().map(|(name, text)| (*name, &**text)).collect();
    whole_world(&zones, config)
}

/// Zones by name and text, the rest of the configuration, and what is changed in it once it is read.
pub fn changed(zones: &[(&str, &str)], config: &str, change: impl FnOnce(&mut Draft)) -> Arc<World> {
    let zones: Vec<(&str, String)> = zones.iter().map(|(name, text)| (*name, format!("{HEAD}{text}"))).collect();
    let zones: Vec<(&str, &str)> = zones.iter().map(|(name, text)| (*name, &**text)).collect();
    let mut draft = draft(&zones, config);
    change(&mut draft);
    Arc::new(World::seal(draft))
}

/// Zones by name and whole text, and the rest of the configuration.
pub fn whole_world(zones: &[(&str, &str)], config: &str) -> Arc<World> {
    Arc::new(World::seal(draft(zones, config)))
}

fn draft(zones: &[(&str, &str)], config: &str) -> Draft {
    let folder = tempfile::tempdir().expect("folder");
    let mut text = String::from("version = 1\n");
    if !config.contains("[server]") {
        text += "[server]\nidentity = \"test-1\"\n";
    }
    for (number, (name, zone)) in zones.iter().enumerate() {
        fs::write(folder.path().join(format!("{number}.zone")), zone).expect("written");
        writeln!(text, "[zones.'{name}']\nfile = \"{number}.zone\"").expect("text");
    }
    let path = folder.path().join("meridian.toml");
    fs::write(&path, text + config).expect("written");
    let loaded = config::load(&path);
    let said = report::text(&loaded.faults, &loaded.sources, false);
    let mut draft = loaded.config.unwrap_or_else(|| panic!("{said}")).draft;
    draft.secret = *b"sixteen octets!!";
    draft
}

/// Everything is up.
pub fn healthy(world: &Arc<World>) -> Snapshot {
    judged(world, |_| true)
}

/// Targets, by number, are up or down.
pub fn judged(world: &Arc<World>, up: impl Fn(usize) -> bool) -> Snapshot {
    let mut ledger = Ledger::new(Arc::clone(world));
    for (number, target) in world.targets.iter().enumerate() {
        let outcome = if up(number) { Outcome::good(1) } else { Outcome::Bad("down".into()) };
        ledger.fold(At(0), Input::outcome(target.key().expect("probed"), outcome));
    }
    ledger.snapshot(At(0))
}

/// Static zones, ready to be asked.
pub fn serve(zones: &[(&str, &str)]) -> Snapshot {
    healthy(&world(zones, ""))
}

/// One static zone `example.test`.
pub fn example(text: &str) -> Snapshot {
    serve(&[("example.test", text)])
}
