//! Why nothing was learned of a load: what was answered cannot be read, or nothing was answered. Must not know what a load
//! influences.

use std::io;

use crate::{command::NotRun, engine::types::Millis, telemetry::causes};

/// Why an answer says nothing of a load. Texts of the other side are quoted, and cut where they are long.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub(super) enum ReadError {
    #[error("{0} is no number")]
    NotANumber(Box<str>),
    #[error("{} is no load: a number from 0 to below 1e12 is", short(*.0))]
    NotALoad(f64),
    #[error("what it is divided by is 0")]
    DividedByZero,
    #[error("the page is HTML, not {expected}")]
    Html { expected: Box<str> },
    #[error("the page is empty, not {expected}")]
    EmptyPage { expected: Box<str> },
    #[error("the page is not {expected}: it begins with {start}")]
    AnotherForm { expected: Box<str>, start: Box<str> },
    #[error("this HAProxy has no column `{0}`")]
    NoColumn(&'static str),
    #[error("`{column}` of {backend}/{server} is empty")]
    EmptyColumn { column: &'static str, backend: Box<str>, server: Box<str> },
    #[error("there is no server {server:?} in the backend {backend:?}")]
    NoServer { server: Box<str>, backend: Box<str> },
    #[error("there is no backend {0:?}")]
    NoBackend(Box<str>),
    #[error("{0} is not what answers an agent check")]
    NotAnAgent(Box<str>),
    #[error("{0} says nothing of load: a share such as \"75%\" does")]
    NoShare(Box<str>),
    #[error("no number that fits")]
    NumberDoesNotFit,
    #[error("what is at {pointer:?} is no number: {found}")]
    NoNumberAt { pointer: Box<str>, found: Box<str> },
    #[error("there is nothing at {0:?}")]
    NothingAt(Box<str>),
    #[error("a line of `{metric}` is broken: {line}")]
    BrokenLine { metric: Box<str>, line: Box<str> },
    #[error("a series of `{metric}` is {value}, which is no load")]
    SeriesIsNoLoad { metric: Box<str>, value: f64 },
    #[error("there is no series of `{metric}`{}", if *.labelled { " with these labels" } else { "" })]
    NoSeries { metric: Box<str>, labelled: bool },
}

/// A number for people: three hundred digits say no more than a power of ten.
fn short(value: f64) -> String {
    if value.is_finite() && value.abs() >= 1e15 { format!("{value:e}") } else { value.to_string() }
}

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum AskError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("{}", causes::of(.0))]
    Http(#[from] reqwest::Error),
    #[error("{}", causes::of(.0))]
    Connection(#[source] io::Error),
    #[error("no whole answer within {} ms", timeout.0)]
    Late { timeout: Millis },
    #[error("status {0}")]
    Status(u16),
    #[error("the page is longer than 1 MiB")]
    LongPage,
    #[error("the {0} cannot be sent in a request")]
    Unsendable(&'static str),
    #[error(transparent)]
    NotRun(#[from] NotRun),
    #[error("it ended with code {code}{}", said(.line))]
    Code { code: i32, line: Option<String> },
    #[error("it was ended by signal {signal}{}", said(.line))]
    Signal { signal: i32, line: Option<String> },
    #[error("it had not ended after {} ms{}", timeout.0, said(.line))]
    Killed { timeout: Millis, line: Option<String> },
    #[error("it printed more than a number")]
    LongOutput,
}

/// What a command said last of its errors, to be put behind how it ended.
fn said(line: &Option<String>) -> String {
    line.as_ref().map(|line| format!(": {line}")).unwrap_or_default()
}
