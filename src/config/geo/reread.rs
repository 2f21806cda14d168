//! The latency files of a configuration that is in force, read again by the same reader when they have changed. Must not
//! know what reads them again, nor when.

use std::{fs, os::unix::fs::MetadataExt, path::Path};

use super::{
    files::{Files, NamedFile},
    latency,
};
use crate::{
    config::{
        fault::{Fault, Place, Severity, Sources},
        report,
        settings::Latency,
    },
    engine::types::Millis,
};

/// By what a file is known to be the one that was read: device, inode, size, and when it was written in seconds and
/// nanoseconds. None: there is none.
pub type Stamp = Option<(u64, u64, u64, i64, i64)>;

/// The latency files, with what it takes to read them.
#[derive(Clone, Debug, Default)]
pub struct LatencyFiles {
    named: Vec<NamedFile>,
    /// What was there when the configuration was read; taken before, so that no change is overlooked.
    stamps: Vec<Stamp>,
    regions: Vec<Box<str>>,
    max_prefixes: usize,
    max_age: Millis,
}

/// What came of reading them again.
#[derive(Debug)]
pub struct Reread {
    /// The texts that were read.
    pub sources: Sources,
    /// Everything that is wrong with them.
    pub faults: Vec<Fault>,
    /// What they say; none with an error among the faults.
    pub cells: Option<Vec<latency::RttCell>>,
}

impl LatencyFiles {
    pub(crate) fn new(named: &[NamedFile], regions: &[&str], latency: &Latency) -> Self {
        Self {
            named: named.to_vec(),
            stamps: named.iter().map(|named| stamp(&named.path)).collect(),
            regions: regions.iter().map(|region| Box::from(*region)).collect(),
            max_prefixes: latency.max_prefixes,
            max_age: latency.terms.max_age,
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.named.is_empty()
    }

    /// What was there when the configuration was read.
    #[must_use]
    pub fn stamps(&self) -> &[Stamp] {
        &self.stamps
    }

    /// What is there now.
    #[must_use]
    pub fn look(&self) -> Vec<Stamp> {
        self.named.iter().map(|named| stamp(&named.path)).collect()
    }

    /// Reads them again.
    #[must_use]
    pub fn read(&self) -> Reread {
        let (mut sources, mut faults) = (Sources::default(), Vec::new());
        // The configuration's own text is gone; what is wrong with a whole file is told at its beginning.
        let at_itself = |named: &NamedFile| {
            let file = sources.add(named.path.display().to_string(), "");
            NamedFile { path: named.path.clone(), place: Place { file, span: 0..0 } }
        };
        let named: Vec<NamedFile> = self.named.iter().map(at_itself).collect();
        let regions: Vec<&str> = self.regions.iter().map(|region| &**region).collect();
        let files = Files {
            latency: &named,
            max_prefixes: self.max_prefixes,
            max_age: Some(self.max_age),
            regions: &regions,
            ..Files::default()
        };
        let lines = latency::read_all(&files, &mut sources, &mut faults);
        report::sort(&mut faults);
        let sound = faults.iter().all(|fault| fault.severity != Severity::Error);
        let cells = sound.then(|| lines.iter().map(latency::LatencyLine::cell).collect());
        Reread { sources, faults, cells }
    }
}

fn stamp(path: &Path) -> Stamp {
    let about = fs::metadata(path).ok()?;
    Some((about.dev(), about.ino(), about.size(), about.mtime(), about.mtime_nsec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_again_is_what_is_there_now() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("l.csv");
        fs::write(&path, "client,region,ms\nDE,eu,20\n").unwrap();
        let mut sources = Sources::default();
        let place = Place { file: sources.add("c.toml", "files"), span: 0..5 };
        let files = LatencyFiles::new(&[NamedFile { path: path.clone(), place }], &["eu"], &Latency::default());
        assert_eq!(files.look(), files.stamps());
        let said = |files: &LatencyFiles| {
            let Reread { sources, faults, cells } = files.read();
            let places: Vec<_> =
                faults.iter().map(|fault| sources.line_column(fault.place.as_ref().unwrap())).collect();
            (cells.map(|cells| cells.iter().map(|(_, reading)| reading.rtt.0).collect::<Vec<_>>()), places)
        };
        assert_eq!(said(&files), (Some(vec![200]), vec![]));
        fs::write(&path, "client,region,ms\nDE,eu,21\nFR,eu,x\n").unwrap();
        assert_ne!(files.look(), files.stamps());
        assert_eq!(said(&files), (None, vec![(3, 7)]));
        fs::remove_file(&path).unwrap();
        assert_eq!((said(&files), files.look()), ((None, vec![(1, 1)]), vec![None]));
    }
}
