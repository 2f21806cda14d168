//! `meridian geo`: make a database from text, and show what is known of an address. Must not know how locations are
//! compiled.

mod lookup;

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};

pub(super) use lookup::Places;
use lookup::lookup;

use super::exit::Exit;
use crate::config::{
    fault::{Severity, Sources},
    geo::{overrides, write},
    report,
    unreadable::{Unreadable, unwritable},
};

/// Where addresses are.
#[derive(Debug, Args)]
pub(super) struct Geo {
    #[command(subcommand)]
    verb: GeoVerb,
}

#[derive(Debug, Subcommand)]
enum GeoVerb {
    /// Makes an MMDB from lines of prefix,continent,country,subdivision,city,lat,lon,asn.
    Build {
        /// The lines, under a header.
        csv: PathBuf,
        /// The database to write; replaced whole, or not at all.
        #[arg(short, long, value_name = "FILE")]
        output: PathBuf,
    },
    /// Shows where clients are, who says so, how far each region is, and the block that they share an answer with.
    Lookup {
        /// The configuration, whose databases, overrides and regions are used.
        #[arg(short, long, value_name = "FILE")]
        config: PathBuf,
        /// Addresses or prefixes.
        #[arg(required = true, value_name = "IP")]
        clients: Vec<String>,
    },
}

/// Runs the verb. `load` reads a configuration; when it cannot, it has told why and says how to end.
pub(super) fn run(
    args: Geo,
    load: impl FnOnce(&Path, &mut dyn Write) -> Result<Places, Exit>,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Exit {
    let done = match args.verb {
        GeoVerb::Build { csv, output } => build(&csv, &output, out, err),
        GeoVerb::Lookup { config, clients } => lookup(&config, &clients, load, out, err),
    };
    // Nobody is left to tell when the streams themselves fail.
    done.unwrap_or(Exit::Failed)
}

// ----- build -------------------------------------------------------------------------------------------------

fn build(csv: &Path, output: &Path, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<Exit> {
    let about = fs::metadata(csv);
    let other = about.as_ref().ok().and_then(|about| Unreadable::kind(csv, about));
    let read = match (about, other) {
        (_, Some(other)) => Err(other),
        (Err(error), None) => Err(Unreadable::of(csv, &error)),
        (Ok(_), None) => fs::read(csv).map_err(|error| Unreadable::of(csv, &error)),
    };
    let text = match read.map(String::from_utf8) {
        Ok(Ok(text)) => text,
        Ok(Err(_)) => {
            writeln!(err, "error: {} is not UTF-8: save it as UTF-8", csv.display())?;
            return Ok(Exit::Failed);
        }
        Err(Unreadable { cause, remedy }) => {
            writeln!(err, "error: cannot read {}: {cause}; {remedy}", csv.display())?;
            return Ok(Exit::Failed);
        }
    };
    let mut sources = Sources::default();
    let mut faults = Vec::new();
    let file = sources.add(csv.display().to_string(), text);
    let lines = overrides::read(file, &sources, &mut faults);
    report::cap(&mut faults);
    if !faults.is_empty() {
        err.write_all(report::text(&faults, &sources, false).as_bytes())?;
    }
    if faults.iter().any(|fault| fault.severity == Severity::Error) {
        return Ok(Exit::Finding);
    }
    if fs::canonicalize(output).is_ok_and(|there| fs::canonicalize(csv).is_ok_and(|here| here == there)) {
        writeln!(err, "error: {} would overwrite its own source: name another file with -o", output.display())?;
        return Ok(Exit::Failed);
    }
    let bytes = match write(&lines) {
        Ok(bytes) => bytes,
        Err(error) => {
            writeln!(err, "error: {} cannot be made into a database: {error}", csv.display())?;
            return Ok(Exit::Finding);
        }
    };
    if let Err(error) = replace(output, &bytes) {
        let Unreadable { cause, remedy } = unwritable(output, &error, "name another file with -o");
        writeln!(err, "error: cannot write {}: {cause}; {remedy}", output.display())?;
        return Ok(Exit::Failed);
    }
    writeln!(out, "{}: {} prefixes, {} octets", output.display(), lines.len(), bytes.len())?;
    Ok(Exit::Fine)
}

/// Writes beside the file and renames, so that a reader sees the old one or the new one.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let name = path.file_name().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "it names no file"))?;
    let mut beside = name.to_os_string();
    beside.push(format!(".{}.tmp", std::process::id()));
    let beside = path.with_file_name(beside);
    let written = fs::File::create(&beside).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, path)
    });
    if written.is_err() {
        // What stopped the writing is the news; that its remains cannot be taken away is not.
        let _ = fs::remove_file(&beside);
    }
    written
}

#[cfg(test)]
mod tests;
