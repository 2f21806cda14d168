//! One thing that is wrong with a configuration: where, what, and what to do about it; and the texts and the map by
//! which an offset becomes a place. Every part of the loader reports with these; none of them stops at the first.

use std::{
    ops::Range,
    path::{Path, PathBuf},
};

/// The texts that a load has read, so that a fault can show its place.
#[derive(Debug, Default)]
pub struct Sources {
    files: Vec<Source>,
}

/// One file that was read.
#[derive(Debug)]
pub struct Source {
    /// The path as a person would write it.
    pub path: String,
    /// The whole text.
    pub text: String,
}

/// A file of [`Sources`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u32);

/// A stretch of one file, in octets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Which file.
    pub file: FileId,
    /// From where to where; empty at the end of a file or where something is missing.
    pub span: Range<usize>,
}

/// Whether a fault stops the configuration from being used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The configuration is refused.
    Error,
    /// It is used, but somebody should look.
    Warning,
}

/// One thing that is wrong.
#[derive(Clone, Debug)]
pub struct Fault {
    /// How bad.
    pub severity: Severity,
    /// What is wrong, in one line, naming the thing.
    pub message: String,
    /// Where; none when no file could be read.
    pub place: Option<Place>,
    /// What stands at the place, or why it is wrong: printed beside the excerpt.
    pub label: String,
    /// Another place that belongs to it (the first of two, say), with its label.
    pub also: Vec<(Place, String)>,
    /// What to do about it.
    pub remedy: Option<String>,
    /// How many it stands for: more than one where others of its class are left out.
    pub count: usize,
}

impl Sources {
    /// Adds a text and returns its number.
    pub fn add(&mut self, path: impl Into<String>, text: impl Into<String>) -> FileId {
        self.files.push(Source { path: path.into(), text: text.into() });
        FileId((self.files.len() - 1) as u32)
    }

    /// The file with this number.
    #[must_use]
    pub fn get(&self, file: FileId) -> Option<&Source> {
        self.files.get(file.0 as usize)
    }

    /// The file that was read from this path, as a person would write it.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<FileId> {
        self.files.iter().position(|source| source.path == path).map(|at| FileId(at as u32))
    }

    /// Line and column of the start of a place, from 1; columns count characters.
    #[must_use]
    pub fn line_column(&self, place: &Place) -> (usize, usize) {
        let Some(source) = self.get(place.file) else { return (1, 1) };
        let mut start = place.span.start.min(source.text.len());
        while !source.text.is_char_boundary(start) {
            start -= 1;
        }
        let before = &source.text[..start];
        let line = before.bytes().filter(|&b| b == b'\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        (line, column)
    }
}

/// What a syntax fault makes uncertain.
#[derive(Clone, Debug)]
pub(crate) struct Torn {
    /// The line that it is on: what else is wrong there follows from it.
    pub(crate) line: Range<usize>,
    /// What may lack what was written.
    pub(crate) loses: Loses,
}

/// What may lack something that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Loses {
    /// Nothing: it is plain what was meant.
    Nothing,
    /// The table at this path.
    Entry(Vec<String>),
    /// Any table.
    Anything,
}

/// Where each file of a configuration lies on one line of offsets over all of them, and what of it could not be read.
#[derive(Debug)]
pub(crate) struct SourceMap {
    /// Where each begins, with the folder that its paths are relative to.
    pub(crate) files: Vec<(usize, FileId, PathBuf)>,
    /// Where the syntax is broken.
    pub(crate) torn: Vec<Torn>,
    /// Where keys may be of another table than the one that they are read in.
    pub(crate) doubts: Vec<Range<usize>>,
}

impl SourceMap {
    /// The place of a span.
    pub(crate) fn place(&self, span: &Range<usize>) -> Place {
        let (start, file, _) = self.file(span.start);
        Place { file, span: span.start.saturating_sub(start)..span.end.saturating_sub(start) }
    }

    /// What a path written at `span` means: relative to the file that it stands in.
    pub(crate) fn path(&self, span: &Range<usize>, written: &str) -> PathBuf {
        self.file(span.start).2.join(written)
    }

    fn file(&self, offset: usize) -> (usize, FileId, &Path) {
        let at = self.files.partition_point(|(start, ..)| *start <= offset).saturating_sub(1);
        match self.files.get(at) {
            Some((start, file, folder)) => (*start, *file, folder),
            None => (0, FileId(0), Path::new("")),
        }
    }
}

impl Fault {
    /// An error without a remedy as yet.
    #[must_use]
    pub fn error(message: impl Into<String>, place: Place, label: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            message: message.into(),
            place: Some(place),
            label: label.into(),
            also: Vec::new(),
            remedy: None,
            count: 1,
        }
    }

    /// A warning without a remedy as yet.
    #[must_use]
    pub fn warning(message: impl Into<String>, place: Place, label: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(message, place, label) }
    }

    /// An error about a file as a whole, or about no file at all.
    #[must_use]
    pub fn bare(message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            message: message.into(),
            place: None,
            label: String::new(),
            also: Vec::new(),
            remedy: None,
            count: 1,
        }
    }

    /// Says what to do about it.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// Names another place that belongs to it.
    #[must_use]
    pub fn also(mut self, place: Place, label: impl Into<String>) -> Self {
        self.also.push((place, label.into()));
        self
    }
}
