//! Whole zone files through the front door.

mod faults;
mod includes;
mod invariants;
mod records;
mod types;

use std::fs;

use super::*;
use crate::config::fault::Severity;

/// Four lines that make a zone complete; what a test adds begins on line 5.
const HEAD: &str = "$TTL 1h\n@ SOA ns1 hostmaster 1 1h 15m 1w 5m\n@ NS ns1\nns1 A 192.0.2.1\n";

/// What came of a zone file.
struct Outcome {
    zone: Option<LoadedZone>,
    /// `E` or `W`, `file:` unless it is the zone file, line:column, message.
    faults: Vec<String>,
    raw: Vec<Fault>,
}

impl Outcome {
    /// Records behind the three of [`HEAD`] as `owner ttl type hex`.
    fn records(&self) -> Vec<String> {
        let records = self.zone.iter().flat_map(|zone| zone.zone.records.iter().skip(3));
        records
            .map(|record| {
                let hex: String = record.rdata.iter().map(|octet| format!("{octet:02x}")).collect();
                format!("{} {} {} {hex}", record.owner, record.ttl, record.rtype)
            })
            .collect()
    }
}

/// Loads `path` as the zone example.com, with three services in it.
fn load_file(path: &Path) -> Outcome {
    let apex = Name::from_text("Example.com").expect("name");
    let mut sources = Sources::default();
    let named = Place { file: sources.add("meridian.toml", "the configuration"), span: 4..8 };
    let steered = ["steered.example.com", "*.apps.example.com", "steered.sub.example.com"];
    let steered = steered.iter().map(|text| Name::from_text(text).expect(text)).collect();
    let mut raw = Vec::new();
    let zone = load(path, &apex, &named, &steered, &mut sources, &mut raw);
    let shown = |fault: &Fault| {
        let place = fault.place.as_ref().expect("every fault of a zone has a place");
        let (line, column) = sources.line_column(place);
        let severity = if fault.severity == Severity::Error { 'E' } else { 'W' };
        let source = Path::new(&sources.get(place.file).expect("known file").path).file_name().expect("name");
        let file = match source.to_str().expect("UTF-8") {
            "a.zone" => String::new(),
            other => format!("{other}:"),
        };
        format!("{severity} {file}{line}:{column} {}", fault.message)
    };
    if let Some(zone) = &zone {
        assert_eq!(zone.zone.records.len(), zone.places.len());
    }
    Outcome { zone, faults: raw.iter().map(shown).collect(), raw }
}

/// Loads these octets as the file of the zone example.com.
fn load_octets(octets: &[u8]) -> Outcome {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("a.zone");
    fs::write(&path, octets).expect("written");
    load_file(&path)
}

/// Loads [`HEAD`] and this text behind it.
fn load_text(text: &str) -> Outcome {
    load_octets(format!("{HEAD}{text}").as_bytes())
}
