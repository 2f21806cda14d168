//! Text to a checked, compiled configuration, or to the whole list of what is wrong with it. Must not know sockets,
//! tasks or health.
//!
//! Three types, in this order: what was written (`spec`, the only part that knows serde), what was meant (`check`), what
//! is served ([`Draft`], sealed into a World).

mod check;
mod compile;
pub(crate) mod diagnostics;
pub mod dns_name;
mod document;
pub mod fault;
pub mod geo;
mod include;
pub mod presets;
mod probing;
pub(crate) mod quantity;
pub mod report;
mod schema;
pub mod secret;
pub mod settings;
pub(crate) mod spec;
mod stray;
mod syntax;
pub mod unreadable;
pub mod zone_file;

use std::path::{Path, PathBuf};

pub use self::quantity::QuantityError;

use crate::engine::{geo::Whose, signal::latency::Reading, world::Draft};
use diagnostics::Notes;
use fault::{Fault, Severity, Sources};
use settings::{Latency, Log, Server};
use spec::Spec;

/// A duration as text, as everywhere in a configuration, in microseconds.
///
/// # Errors
/// What is wrong with it.
pub fn duration(text: &str) -> Result<u64, QuantityError> {
    quantity::duration(text)
}

/// What came of reading a configuration.
#[derive(Debug)]
pub struct Loaded {
    /// The texts that were read.
    pub sources: Sources,
    /// Everything that is wrong, in the order of files and places.
    pub faults: Vec<Fault>,
    /// The configuration; none with an error among the faults.
    pub config: Option<Config>,
}

/// A configuration without errors.
#[derive(Debug)]
pub struct Config {
    /// What answers are made from, before it is sealed. Its secret is zero while [`Config::secret`] is none.
    pub draft: Draft,
    /// How the server listens and where it keeps its state.
    pub server: Server,
    /// What is logged, and how.
    pub log: Log,
    /// When measured round-trip times count.
    pub latency: Latency,
    /// What the latency files say: by client and region.
    pub cells: Vec<((Whose, Box<str>), Reading)>,
    /// Who is told what changes.
    pub hooks: Vec<settings::Hook>,
    /// Reads them again.
    pub latency_files: geo::LatencyFiles,
    /// The secret, when its file exists; else [`secret::ensure`] makes one.
    pub secret: Option<[u8; 16]>,
    /// Every file that was read: a change of any of them is a change of the configuration.
    pub files: Vec<PathBuf>,
    /// The geo databases, with which the next reading compares what it finds.
    pub databases: geo::InForce,
    /// The patterns of `include` that match no file, as they were written.
    pub unmatched: Vec<String>,
}

impl Loaded {
    /// Whether the file itself could be read, however wrong it may be.
    #[must_use]
    pub fn was_read(&self) -> bool {
        self.sources.get(fault::FileId(0)).is_some()
    }

    /// How many errors and how many warnings there are.
    #[must_use]
    pub fn count(&self) -> (usize, usize) {
        let count =
            |severity| self.faults.iter().filter(|fault| fault.severity == severity).map(|fault| fault.count).sum();
        (count(Severity::Error), count(Severity::Warning))
    }
}

/// Reads the configuration `path` and everything that it names. Writes nothing.
#[must_use]
pub fn load(path: &Path) -> Loaded {
    read(path, None, |_, config, _, _| Some(config))
}

/// What a server is called to its operator: its identity, or the host's name where DNS clients are not to know it.
#[must_use]
pub fn node(server: &Server) -> String {
    if server.identity.is_empty() { check::server::host_name() } else { server.identity.clone() }
}

/// Reads the configuration `path` while another one is in force: a geo database that covers much less than the one
/// `in_force` is not taken.
#[must_use]
pub fn reload(path: &Path, in_force: &geo::InForce) -> Loaded {
    read(path, Some(in_force), |_, config, _, _| Some(config))
}

/// Reads everything. `then` is given a configuration without errors, with what was written and where, and may find more.
pub(crate) fn read(
    path: &Path,
    in_force: Option<&geo::InForce>,
    then: impl FnOnce(&Spec, Config, &Sources, &mut Notes<'_>) -> Option<Config>,
) -> Loaded {
    let mut sources = Sources::default();
    let (mut faults, mut unmatched) = (Vec::new(), Vec::new());
    let texts = document::gather(path, &mut unmatched, &mut sources, &mut faults);
    if texts.is_empty() {
        return Loaded { sources, faults, config: None };
    }
    let mut document = document::parse(&texts, &mut faults);
    let table = std::mem::take(&mut document.table);
    let mut notes = Notes::new(&document.map, faults);
    let spec = spec::read::read(table, &mut notes);
    let meant = check::check(&spec, in_force, &mut sources, &mut notes);
    let (mut shared, mut hurry, mut partial) = (0, None, Vec::new());
    let config = (!notes.has_errors()).then(|| {
        let mut files: Vec<PathBuf> = texts.iter().map(|text| text.path.clone()).collect();
        files.extend(meant.files.iter().cloned());
        let (secret, server, log, latency) = (meant.secret, meant.server.clone(), meant.log, meant.latency);
        let cells = meant.geo.cells.iter().map(geo::latency::LatencyLine::cell).collect();
        let latency_files = meant.latency_files.clone();
        let hooks = meant.hooks.clone();
        let databases = meant.geo.databases.clone();
        let draft;
        (draft, shared) = compile::compile(meant);
        hurry = probing::over_budget(&draft);
        partial = probing::partial_canaries(&draft);
        Config { secret, server, log, latency, cells, latency_files, hooks, files, databases, unmatched, draft }
    });
    let config = config.and_then(|config| then(&spec, config, &sources, &mut notes));
    let mut faults = notes.into_faults();
    report::sort(&mut faults);
    if shared > 0 {
        let message =
            format!("{shared} pools share a map of all their regions: there are more than 64 sets of regions");
        let fault = Fault { severity: Severity::Warning, ..Fault::bare(message) };
        faults.push(fault.remedy("their ECS scopes are longer than they would have to be; use fewer sets of regions"));
    }
    if let Some((wanted, total)) = hurry {
        let message =
            format!("probes want to begin {wanted} times a second, and `health.rate.total` lets {total} of them");
        let fault = Fault { severity: Severity::Warning, ..Fault::bare(message) };
        faults.push(fault.remedy("raise it, or lengthen intervals: what is beyond the rate comes late"));
    }
    for (address, endpoint) in partial {
        let message = format!("canary {address} is what endpoint \"{endpoint}\" is judged by");
        let fault = Fault { severity: Severity::Warning, ..Fault::bare(message) };
        faults.push(
            fault.remedy(
                "a canary is somebody else: the fall of this one is never believed while no other canary answers",
            ),
        );
    }
    expand(&mut faults, &sources, texts.len());
    report::cap(&mut faults);
    Loaded { sources, faults, config }
}

/// Says of errors at texts that a shell would have expanded that nothing is expanded here: that is their cause.
fn expand(faults: &mut [Fault], sources: &Sources, files: usize) {
    for fault in faults.iter_mut().filter(|fault| fault.severity == Severity::Error) {
        let Some(place) = fault.place.as_ref().filter(|place| (place.file.0 as usize) < files) else { continue };
        let text = sources.get(place.file).and_then(|source| source.text.get(place.span.clone())).unwrap_or_default();
        let Some(inside) = text.strip_prefix(['"', '\'']).map(|rest| rest.trim_end_matches(['"', '\''])) else {
            continue;
        };
        if let Some(part) = unreadable::unexpanded(inside).filter(|_| !inside.contains('\n')) {
            fault.label = format!("`{part}` is taken as it stands");
            fault.remedy = Some("write it out: variables and `~` are not expanded in a configuration".to_owned());
        }
    }
}
