//! The text of a scenario to what its lines say. Must not know what comes of it.

mod apart;
mod ask;
mod expect;
mod forms;
mod happens;
mod samples;
mod synonyms;

use super::{
    line::{Fault, fault},
    line::{Line, Written},
    words::{millis, words},
};
use crate::{engine::types::Millis, sim::Happening};

/// The first line of a file of places.
const PLACES: &str = "prefix,continent,country,subdivision,city,lat,lon,asn\n";

/// The lines with their numbers, each read or told why not.
pub(super) fn read(text: &str) -> Vec<(usize, Result<Line, Fault>)> {
    let mut found = Vec::new();
    let mut lines = text.lines().enumerate().map(|(n, line)| (n + 1, line));
    while let Some((number, line)) = lines.next() {
        let words = match words(line) {
            Ok(words) => words,
            Err(fault) => {
                found.push((number, Err(fault)));
                continue;
            }
        };
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words[..] {
            [] => {}
            [ref head @ .., "{"] => {
                let (mut block, mut closed) = (String::new(), false);
                for (_, inner) in lines.by_ref() {
                    closed = inner == "}";
                    if closed {
                        break;
                    }
                    block.push_str(inner);
                    block.push('\n');
                }
                found.push((number, self::block(head, block, closed, number)));
            }
            ref words => found.extend(statement(words).into_iter().map(|said| (number, said))),
        }
    }
    found
}

fn block(head: &[&str], text: String, closed: bool, line: usize) -> Result<Line, Fault> {
    if !closed {
        let cause = format!("`{} {{` is not closed", head.join(" "));
        return Err(fault(cause, "end it with a line that holds `}` and nothing else, at its very start"));
    }
    match head {
        ["config"] => Ok(Line::Config(Written::Here(text, line))),
        ["reload"] => Ok(Line::Reload(Some(Written::Here(text, line)))),
        ["places"] => Ok(Line::File("o.csv".into(), format!("{PLACES}{text}"))),
        ["file", name] => {
            let plain = !name.contains('/') && !name.starts_with('.');
            let line = plain.then(|| Line::File((*name).into(), text));
            line.ok_or_else(|| fault(format!("{name} is not the name of a file alone"), "write it without a folder"))
        }
        other => {
            let cause = format!("no block is called `{}`", other.join(" "));
            Err(fault(cause, "there are `config {`, `reload {`, `places {` and `file NAME {`"))
        }
    }
}

/// A line of one or two things: a moment, and what happens then.
fn statement(words: &[&str]) -> Vec<Result<Line, Fault>> {
    match *words {
        ["at", moment] => vec![millis(moment).map(|Millis(moment)| Line::At(moment))],
        ["at", moment, ref rest @ ..] => vec![millis(moment).map(|Millis(moment)| Line::At(moment)), one(rest)],
        ref rest => vec![one(rest)],
    }
}

fn one(words: &[&str]) -> Result<Line, Fault> {
    match *words {
        ["config", file] => Ok(Line::Config(Written::File(file.into()))),
        ["reload"] => Ok(Line::Reload(None)),
        ["reload", file] => Ok(Line::Reload(Some(Written::File(file.into())))),
        ["restart"] => Ok(Line::Restart),
        ["pass", long] => millis(long).map(Line::Pass),
        ["ask", name, rtype, ref rest @ ..] => ask::ask(name, rtype, rest).map(Line::Ask),
        ["expect", ref rest @ ..] => expect::expect(rest),
        ["remember", ref rest @ ..] => expect::blocks(rest).map(Line::Remember),
        ["sample" | "samples" | "clients", ..] => samples::samples(words).map(Happening::Samples).map(Line::Happens),
        ref rest => happens::happens(rest).map(Line::Happens),
    }
}
