//! Where the checks write down what they find: faults with their places, and which tables lost an entry on the way.
//! Must not know what any key means.

use std::{collections::BTreeSet, ops::Range, path::PathBuf};

use toml::Spanned;

use super::fault::{Fault, FileId, Loses, Place, Severity, SourceMap, Torn};

/// The faults of one load, as they are found.
#[derive(Debug)]
pub(crate) struct Notes<'m> {
    map: &'m SourceMap,
    /// What was found.
    pub(crate) faults: Vec<Fault>,
    torn: TornLines,
    wounded: BTreeSet<String>,
    lost: BTreeSet<String>,
    /// Tables that lost an entry of their own.
    thinned: BTreeSet<String>,
    /// Names of tables that stand in a table of no use: what refers to one of them is not blamed.
    displaced: BTreeSet<String>,
    doubts: Vec<Range<usize>>,
    search: Search,
}

impl<'m> Notes<'m> {
    pub(crate) fn new(map: &'m SourceMap, faults: Vec<Fault>) -> Self {
        let mut notes = Self {
            map,
            faults,
            torn: TornLines::new(map),
            wounded: BTreeSet::new(),
            lost: BTreeSet::new(),
            thinned: BTreeSet::new(),
            displaced: BTreeSet::new(),
            doubts: map.doubts.clone(),
            search: Search { left: Search::MOST },
        };
        for torn in &map.torn {
            let Loses::Entry(table) = &torn.loses else { continue };
            if table.is_empty() {
                notes.wounded.insert(String::new());
            }
            let table: Vec<&str> = table.iter().map(String::as_str).collect();
            notes.wound(&table);
            notes.thinned.insert(join(&table));
        }
        notes
    }

    /// The place of a span.
    pub(crate) fn place(&self, span: Range<usize>) -> Place {
        self.map.place(&span)
    }

    /// What a written path means: relative to the file that it stands in.
    pub(crate) fn path(&self, written: &Spanned<String>) -> PathBuf {
        self.map.path(&written.span(), written.get_ref())
    }

    /// An error at `span`, to be completed and [pushed](Self::push).
    pub(crate) fn error(&self, span: Range<usize>, message: impl Into<String>, label: impl Into<String>) -> Fault {
        Fault::error(message, self.place(span), label)
    }

    /// A warning at `span`, to be completed and [pushed](Self::push).
    pub(crate) fn warning(&self, span: Range<usize>, message: impl Into<String>, label: impl Into<String>) -> Fault {
        Fault::warning(message, self.place(span), label)
    }

    /// A remedy for a name of the configuration's that is not known, as [`suggest`] gives it, while there are not too many
    /// of them among too many.
    pub(crate) fn suggest<'a>(&mut self, given: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> String {
        self.search.suggest(given, known)
    }

    /// Takes in a fault, unless its line has a syntax fault, which explains it.
    pub(crate) fn push(&mut self, fault: Fault) {
        let explained = fault.place.as_ref().is_some_and(|place| self.torn.holds(place));
        if !explained {
            self.faults.push(fault);
        }
    }

    /// An error about a thing that stands in two places: at the later one, with the earlier beside it.
    pub(crate) fn twice(&self, one: Range<usize>, other: Range<usize>, message: impl Into<String>) -> Fault {
        let (first, again) = if one.start <= other.start { (one, other) } else { (other, one) };
        self.error(again, message, "here again").also(self.place(first), "first here")
    }

    /// Notes that the entry `path` was taken out of its table, with a fault of its own. What is then missing from the
    /// tables around it is no further fault.
    pub(crate) fn wound(&mut self, path: &[&str]) {
        let mut whole = String::new();
        for part in path {
            whole = dotted(&whole, part);
            self.wounded.insert(whole.clone());
        }
        if let Some((_, around)) = path.split_last() {
            self.thinned.insert(join(around));
        }
        self.lost.insert(whole);
    }

    /// Notes that a table of this name stands where no table is read, with a fault of its own.
    pub(crate) fn displace(&mut self, name: &str) {
        self.displaced.insert(name.to_owned());
    }

    /// Whether all names of a table of names are known, so that one that is not among them does not exist.
    pub(crate) fn knows_all(&self, table: &str) -> bool {
        !self.lost.contains(table) && !self.torn.may_lack(table)
    }

    /// Whether a key at an offset may be of another table, whose name could not be read. Then any table may lack one.
    pub(crate) fn is_doubtful(&mut self, at: usize) -> bool {
        let found = self.doubts.iter().any(|doubt| doubt.contains(&at));
        self.torn.anything |= found;
        found
    }

    /// Whether a name that the table of names at `path` lacks does not exist. It may where the table, or the entry of that
    /// name, could not be read.
    pub(crate) fn lacks(&self, path: &[&str], name: &str) -> bool {
        let table = join(path);
        let lost = (1..=path.len()).any(|length| self.lost.contains(&join(&path[..length])));
        let found = lost || self.lost.contains(&dotted(&table, name)) || self.displaced.contains(name);
        !found && !self.torn.may_lack(&table)
    }

    /// Whether all entries of the table of names at `path` were read, so that they can be counted.
    pub(crate) fn has_all(&self, path: &[&str]) -> bool {
        let table = join(path);
        let lost = (1..=path.len()).any(|length| self.lost.contains(&join(&path[..length])));
        !lost && self.displaced.is_empty() && !self.thinned.contains(&table) && !self.torn.may_lack(&table)
    }

    /// Whether the table at `path` is whole, so that what it lacks was never there.
    pub(crate) fn is_whole(&self, path: &[&str]) -> bool {
        !path.iter().any(|part| self.displaced.contains(*part)) && self.is_whole_at(&join(path))
    }

    /// The same for a path as TOML writes it.
    pub(crate) fn is_whole_at(&self, path: &str) -> bool {
        // What is lost takes everything in it along.
        let lost = || path.match_indices('.').any(|(dot, _)| self.lost.contains(&path[..dot]));
        !self.wounded.contains(path) && !lost() && !self.torn.anything
    }

    /// Whether nothing was taken out anywhere: only then is it certain that a thing is never used.
    pub(crate) fn is_untouched(&self) -> bool {
        self.torn.lines.is_empty() && self.wounded.is_empty()
    }

    /// Whether an error was found.
    pub(crate) fn has_errors(&self) -> bool {
        self.faults.iter().any(|fault| fault.severity == Severity::Error)
    }

    /// All that was found.
    pub(crate) fn into_faults(self) -> Vec<Fault> {
        self.faults
    }
}

/// The lines that syntax faults are on, and what they may have lost: looked up for every other fault.
#[derive(Debug)]
struct TornLines {
    /// By file and start.
    lines: Vec<(FileId, Range<usize>)>,
    /// Any table may lack anything.
    anything: bool,
    /// The tables that lack an entry; the outermost has no name.
    tables: BTreeSet<String>,
}

impl TornLines {
    fn new(map: &SourceMap) -> Self {
        let torn = &map.torn;
        let place = |torn: &Torn| {
            let Place { file, span } = map.place(&torn.line);
            (file, span)
        };
        let mut lines: Vec<(FileId, Range<usize>)> = torn.iter().map(place).collect();
        lines.sort_by_key(|(file, span)| (*file, span.start));
        let tables = torn.iter().filter_map(|torn| match &torn.loses {
            Loses::Entry(path) => match &**path {
                [] => Some(String::new()),
                [only] => Some(only.clone()),
                _ => None,
            },
            _ => None,
        });
        let tables = tables.collect();
        Self { lines, anything: torn.iter().any(|torn| torn.loses == Loses::Anything), tables }
    }

    fn holds(&self, place: &Place) -> bool {
        let at = self.lines.partition_point(|(file, line)| (*file, line.start) <= (place.file, place.span.start));
        let before = at.checked_sub(1).and_then(|at| self.lines.get(at));
        before.is_some_and(|(file, line)| *file == place.file && place.span.start <= line.end)
    }

    /// Whether a table of names may lack a name.
    fn may_lack(&self, table: &str) -> bool {
        self.anything || self.tables.contains("") || self.tables.contains(table)
    }
}

/// The path of a key, as TOML writes it: keys with other characters than letters, digits, `-` and `_` are quoted.
pub(crate) fn dotted(path: &str, key: &str) -> String {
    let bare =
        !key.is_empty() && key.bytes().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_'));
    let dot = if path.is_empty() { "" } else { "." };
    if bare { format!("{path}{dot}{key}") } else { format!("{path}{dot}\"{}\"", key.escape_debug()) }
}

/// The path of several keys, as TOML writes it.
pub(crate) fn join(path: &[&str]) -> String {
    path.iter().fold(String::new(), |path, key| dotted(&path, key))
}

/// The known word that was most likely meant: near enough that a slip of the hand explains the difference.
pub(crate) fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = given.to_lowercase();
    let reach = (folded.chars().count() / 3).max(1);
    known
        .into_iter()
        .filter(|word| word.len().abs_diff(folded.len()) <= reach)
        .map(|word| (strsim::osa_distance(&folded, &word.to_lowercase()), word))
        .filter(|(distance, _)| *distance <= reach)
        // Of equally near words the one that differs in its signs rather than in its letters.
        .min_by_key(|(distance, word)| (*distance, strsim::osa_distance(&letters(&folded), &letters(word))))
        .map(|(_, word)| word)
}

fn letters(word: &str) -> String {
    word.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// How many names are still compared in search of those that were meant: thousands of wrong names among thousands, as a
/// program writes them, are not worth minutes.
#[derive(Debug)]
struct Search {
    left: usize,
}

impl Search {
    const MOST: usize = 1_000_000;

    fn suggest<'a>(&mut self, given: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> String {
        if self.left == 0 {
            return "there are too many such faults to look for the name that was meant".to_owned();
        }
        self.left = self.left.saturating_sub(known.clone().into_iter().count());
        suggest(given, known)
    }
}

/// A remedy for a name that is not known: the one that was meant, or all that there are.
pub(crate) fn suggest<'a>(given: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> String {
    if let Some(word) = nearest(given, known.clone()) {
        return format!("did you mean \"{word}\"?");
    }
    let all: Vec<&str> = known.into_iter().collect();
    let shown: Vec<String> = all.iter().take(8).map(|word| format!("\"{word}\"")).collect();
    let more = if all.len() > shown.len() { format!(" and {} more", all.len() - shown.len()) } else { String::new() };
    if shown.is_empty() { "none is configured".to_owned() } else { format!("there is {}{more}", shown.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognised_and_a_different_word_is_not() {
        assert_eq!(nearest("lisen", ["listen", "identity"]), Some("listen"));
        assert_eq!(nearest("LISTEN", ["listen", "identity"]), Some("listen"));
        assert_eq!(nearest("eu-wset", ["us-west", "eu-west"]), Some("eu-west"));
        assert_eq!(nearest("serve-fail", ["serve-all", "servfail"]), Some("servfail"));
        assert_eq!(nearest("colour", ["listen", "identity"]), None);
    }

    #[test]
    fn thousands_of_wrong_names_among_thousands_are_not_all_looked_for() {
        let names: Vec<String> = (0..1000).map(|n| format!("lb-{n}")).collect();
        let looked = std::cell::Cell::new(0usize);
        let known = names.iter().map(|name| {
            looked.set(looked.get() + 1);
            name.as_str()
        });
        let mut search = Search { left: Search::MOST };
        let remedies: Vec<String> = (0..10_000).map(|_| search.suggest("lb-1000", known.clone())).collect();
        assert_eq!(remedies[0], "did you mean \"lb-100\"?");
        assert_eq!(remedies[9999], "there are too many such faults to look for the name that was meant");
        assert!(looked.get() <= 3 * Search::MOST, "{}", looked.get());
    }

    #[test]
    fn keys_are_quoted_where_toml_wants_it() {
        assert_eq!(join(&["services", "www.example.com", "ttl"]), "services.\"www.example.com\".ttl");
    }
}
