//! Faults for people and for programs: the place with its excerpt, the cause, the remedy. Must not know how they were
//! found.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Range,
};

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Renderer, Snippet};
use serde::Serialize;

use super::{
    fault::{Fault, FileId, Place, Severity, Sources},
    stray,
};

/// An excerpt of more lines than this shows only the first of them.
const MAX_LINES: usize = 4;
/// How far apart two places of one file may be to stand in one excerpt.
const NEAR: usize = 4000;

/// Puts faults in the order of files and places; those without a place come first.
pub fn sort(faults: &mut [Fault]) {
    faults.sort_by_key(|fault| {
        let place = fault.place.as_ref().map(|place| (place.file, place.span.start, place.span.end));
        (place, fault.severity)
    });
}

/// The most faults of one class that are told one by one: behind so many, the next run tells more.
const MOST: usize = 100;

/// Leaves out what is beyond the first faults of each class, and says how much that is. Of one class are faults whose
/// messages differ only in names and numbers.
pub fn cap(faults: &mut Vec<Fault>) {
    if faults.len() <= MOST {
        return;
    }
    let mut classes: HashMap<(Severity, String), (usize, usize, String)> = HashMap::new();
    let mut order = 0;
    faults.retain(|fault| {
        let (count, ..) = classes.entry((fault.severity, class(&fault.message))).or_insert_with(|| {
            order += 1;
            (0, order, fault.message.clone())
        });
        *count += fault.count;
        *count <= MOST || fault.count > 1
    });
    let mut more: Vec<(usize, usize, String, Severity)> = classes
        .into_iter()
        .filter(|(_, (count, ..))| *count > MOST)
        .map(|((severity, _), (count, order, first))| (order, count - MOST, first, severity))
        .collect();
    more.sort_by_key(|(order, ..)| *order);
    for (_, count, first, severity) in more {
        let kind = if severity == Severity::Error { "errors" } else { "warnings" };
        let left = Fault::bare(format!("{count} more {kind} like the first of them are left out: {first}"));
        let left = Fault { severity, count, ..left };
        faults.push(left.remedy(format!("mend the {MOST} that are told, then check again")));
    }
}

/// A message without what names its place: texts in quotes, and words that hold a digit, a dot, a slash or a colon.
fn class(message: &str) -> String {
    let mut out = String::with_capacity(message.len());
    for (at, part) in message.split(['"', '`']).enumerate() {
        if at % 2 == 1 {
            out.push('_');
            continue;
        }
        for word in part.split_inclusive(' ') {
            let bare = word.trim_end_matches([' ', ',', ':', '.']);
            let named = bare.contains(|c: char| c.is_ascii_digit() || matches!(c, '.' | '/' | ':'));
            out.push_str(if named { "_ " } else { word });
        }
    }
    out
}

/// All faults as text, each with a blank line behind it, and a last line that counts them.
#[must_use]
pub fn text(faults: &[Fault], sources: &Sources, colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let lines = Lines::of(faults, sources);
    let mut out = String::new();
    for fault in faults {
        out.push_str(&renderer.render(&[group(fault, sources, &lines)]));
        out.push_str("\n\n");
    }
    out.push_str(&summary(faults));
    out.push('\n');
    out
}

/// One fault as people read it, without a summary: for a log.
#[must_use]
pub fn one(fault: &Fault, sources: &Sources) -> String {
    let lines = Lines::of(std::slice::from_ref(fault), sources);
    Renderer::plain().render(&[group(fault, sources, &lines)])
}

/// One line that counts errors and warnings.
#[must_use]
pub fn summary(faults: &[Fault]) -> String {
    let count = |severity: Severity| {
        faults.iter().filter(|fault| fault.severity == severity).map(|fault| fault.count).sum::<usize>()
    };
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    let plural = |count: usize, what: &str| match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    };
    match (errors, warnings) {
        (0, 0) => "no faults".to_owned(),
        (0, warnings) => format!("{}, no errors", plural(warnings, "warning")),
        (errors, 0) => plural(errors, "error"),
        (errors, warnings) => format!("{} and {}", plural(errors, "error"), plural(warnings, "warning")),
    }
}

fn group<'a>(fault: &'a Fault, sources: &'a Sources, lines: &Lines) -> Group<'a> {
    let level = match fault.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut group = Group::with_title(level.primary_title(fault.message.as_str()));
    let mut left: Vec<&(Place, String)> = fault.also.iter().collect();
    if let Some(place) = &fault.place {
        let near: Vec<&(Place, String)> = left
            .iter()
            .copied()
            .filter(|(other, _)| other.file == place.file && other.span.start.abs_diff(place.span.start) < NEAR)
            .collect();
        left.retain(|also| !near.iter().any(|other| std::ptr::eq(*other, *also)));
        if let Some(snippet) = excerpt(place, &fault.label, &near, sources, lines) {
            group = group.element(snippet);
        }
    }
    for (place, label) in left {
        if let Some(snippet) = excerpt(place, label, &[], sources, lines) {
            group = group.element(snippet);
        }
    }
    match &fault.remedy {
        Some(remedy) => group.element(Level::HELP.message(remedy.as_str())),
        None => group,
    }
}

/// Where the lines of each file begin: counted once, however many faults there are.
#[derive(Debug)]
struct Lines(BTreeMap<FileId, Vec<usize>>);

impl Lines {
    fn of(faults: &[Fault], sources: &Sources) -> Self {
        let mut lines = BTreeMap::new();
        let places =
            faults.iter().flat_map(|fault| fault.place.iter().chain(fault.also.iter().map(|(place, _)| place)));
        for place in places {
            lines.entry(place.file).or_insert_with(|| {
                let text = sources.get(place.file).map_or("", |source| source.text.as_str());
                std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect()
            });
        }
        Self(lines)
    }

    /// The number of the line that holds an offset, from 1.
    fn number(&self, file: FileId, offset: usize) -> usize {
        self.0.get(&file).map_or(1, |starts| starts.partition_point(|start| *start <= offset))
    }

    /// Line and column of an offset, from 1; columns count characters.
    fn spot(&self, file: FileId, text: &str, offset: usize) -> (usize, usize) {
        let line = self.number(file, offset);
        let start = self.0.get(&file).and_then(|starts| starts.get(line - 1)).copied().unwrap_or(0);
        (line, text.get(start..offset).map_or(0, |before| before.chars().count()) + 1)
    }
}

/// The lines of a place and of those near it, the place's own first.
fn excerpt<'a>(
    place: &Place,
    label: &'a str,
    near: &[&'a (Place, String)],
    sources: &'a Sources,
    lines: &Lines,
) -> Option<Snippet<'a, Annotation<'a>>> {
    let source = sources.get(place.file)?;
    let text = source.text.as_str();
    let main = fit(text, &place.span);
    let others: Vec<(Range<usize>, &str)> =
        near.iter().map(|(place, label)| (fit(text, &place.span), label.as_str())).collect();
    let from = others.iter().map(|(span, _)| span.start).fold(main.start, usize::min);
    let to = others.iter().map(|(span, _)| span.end).fold(main.end, usize::max);
    let from = text[..from].rfind('\n').map_or(0, |at| at + 1);
    let to = text[to..].find('\n').map_or(text.len(), |at| to + at);
    let first = lines.number(place.file, from);
    let within = |span: Range<usize>| span.start - from..span.end - from;
    let main = AnnotationKind::Primary.span(within(main)).label(label);
    let others = others.into_iter().map(|(span, label)| AnnotationKind::Context.span(within(span)).label(label));
    Some(
        Snippet::source(stray::shown(&text[from..to]))
            .path(source.path.as_str())
            .line_start(first)
            .annotation(main)
            .annotations(others),
    )
}

/// A span within the text, at boundaries of characters.
fn boundaries(text: &str, span: &Range<usize>) -> Range<usize> {
    let floor = |mut at: usize| {
        at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = floor(span.start);
    start..floor(span.end).max(start)
}

/// A span within the text that is no longer than a few lines.
fn fit(text: &str, span: &Range<usize>) -> Range<usize> {
    let Range { start, end } = boundaries(text, span);
    let mut breaks = text[start..end].match_indices('\n').map(|(at, _)| start + at);
    match (breaks.next(), breaks.nth(MAX_LINES - 2)) {
        (Some(first), Some(_)) => start..first,
        _ => start..end,
    }
}

/// A fault as a program reads it. Lines and columns count from 1, columns in characters.
#[derive(Serialize)]
struct FaultEntry<'a> {
    severity: &'static str,
    message: &'a str,
    #[serde(flatten)]
    place: Option<Spot<'a>>,
    label: &'a str,
    also: Vec<Also<'a>>,
    remedy: Option<&'a str>,
}

#[derive(Serialize)]
struct Also<'a> {
    #[serde(flatten)]
    place: Option<Spot<'a>>,
    label: &'a str,
}

#[derive(Serialize)]
struct Spot<'a> {
    file: &'a str,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
}

/// All faults as a JSON array.
///
/// # Errors
/// None that a list of texts and numbers could have.
pub fn json(faults: &[Fault], sources: &Sources) -> serde_json::Result<String> {
    let lines = Lines::of(faults, sources);
    let spot = |place: &Place| {
        let source = sources.get(place.file)?;
        let span = boundaries(&source.text, &place.span);
        let (line, column) = lines.spot(place.file, &source.text, span.start);
        let (end_line, end_column) = lines.spot(place.file, &source.text, span.end);
        Some(Spot { file: &source.path, line, column, end_line, end_column })
    };
    let entries: Vec<FaultEntry<'_>> = faults
        .iter()
        .map(|fault| FaultEntry {
            severity: match fault.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            },
            message: &fault.message,
            place: fault.place.as_ref().and_then(spot),
            label: &fault.label,
            also: fault.also.iter().map(|(place, label)| Also { place: spot(place), label }).collect(),
            remedy: fault.remedy.as_deref(),
        })
        .collect();
    serde_json::to_string_pretty(&entries)
}
