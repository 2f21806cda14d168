//! The configuration of a scenario: a file of its own, or text that stands in the scenario. Such text is read as a file
//! in a folder of its own, filled up with what every configuration needs.

use std::{fs, path::Path};

use super::{
    line::Written,
    line::{Fault, fault},
};
use crate::{
    cli::folder::Folder,
    config::{self, Loaded, report},
    sim::Configuration,
};

const SERVER: &str = "[server]\nlisten = [\"127.0.0.1:0\"]\nidentity = \"scenario\"\nstate_dir = \"state\"\n";
const ZONES: &str = "[zones.\"g.test\"]\nfile = \"g.test.zone\"\n";
const ZONE: &str =
    "$ORIGIN g.test.\n$TTL 300\n@ IN SOA ns1 hostmaster 1 7200 900 1209600 60\n@ IN NS ns1\nns1 IN A 192.0.2.53\n";

/// Reads a configuration as `serve` would. `files` stand beside one that stands in the scenario.
pub(super) fn load(scenario: &Path, written: &Written, files: &[(String, String)]) -> Result<Configuration, Fault> {
    let (loaded, there, here) = match written {
        Written::File(name) => {
            let path = scenario.parent().unwrap_or(Path::new("")).join(name);
            (config::load(&path), String::new(), String::new())
        }
        Written::Here(text, line) => unpacked(scenario, text, *line, files)
            .map_err(|error| fault(format!("its files cannot be unpacked: {error}"), "make room for them in TMPDIR"))?,
    };
    let Loaded { sources, faults, config } = loaded;
    let Some(mut config) = config else {
        let said = report::text(&faults, &sources, false);
        let said = if there.is_empty() { said } else { said.replace(&there, &here) };
        return Err(fault(
            format!("the configuration is not sound:\n{said}"),
            "mend it: `meridian check` says the same",
        ));
    };
    if let Written::Here(..) = written {
        config.secret = None; // every run is the same
    }
    Ok(config.into())
}

/// Loads a text as a file, and says where that is and how it is to be called.
fn unpacked(
    scenario: &Path,
    text: &str,
    line: usize,
    files: &[(String, String)],
) -> std::io::Result<(Loaded, String, String)> {
    let folder = Folder::make("test")?;
    fs::write(folder.path().join("g.test.zone"), ZONE)?;
    for (name, text) in files {
        fs::write(folder.path().join(name), text)?;
    }
    let path = folder.path().join("scenario.toml");
    fs::write(&path, whole(text, line))?;
    let loaded = config::load(&path);
    Ok((loaded, path.display().to_string(), scenario.display().to_string()))
}

/// A text with what it leaves out, in which every line has the number that it has in the scenario.
fn whole(text: &str, line: usize) -> String {
    let table: toml::Table = text.parse().unwrap_or_default();
    let version = if table.contains_key("version") { "" } else { "version = 1" };
    let mut whole = format!("{version}{}{text}", "\n".repeat(line));
    for (key, missing) in [("server", SERVER), ("zones", ZONES)] {
        if !table.contains_key(key) {
            whole.push_str(missing);
        }
    }
    whole
}
