//! Lines that begin with `$` (RFC 1035 5.1, RFC 2308 4, and $GENERATE as BIND has it). Must not know how files are
//! found and opened.

use std::{ffi::OsString, os::unix::ffi::OsStringExt, path::PathBuf};

use super::{
    fields::complete,
    generate,
    reader::{Line, Reader},
    token::Octets,
};
use crate::{
    config::fault::{Fault, Place},
    engine::wire::name::Name,
};

/// A file to go on with.
#[derive(Debug)]
pub(super) struct Include {
    /// As written, quotes and escapes resolved.
    pub(super) path: PathBuf,
    /// Where it is written.
    pub(super) place: Place,
    /// What completes relative names in it at its start.
    pub(super) origin: Name,
}

const DIRECTIVES: [&str; 4] = ["$ORIGIN", "$TTL", "$INCLUDE", "$GENERATE"];

impl Reader<'_> {
    /// Follows a directive. What it cannot do itself, it returns.
    pub(super) fn directive(&mut self, line: Line<'_>) -> Option<Include> {
        match line.content(0).to_ascii_uppercase().as_str() {
            "$ORIGIN" => self.origin_directive(line),
            "$TTL" => {
                if self.arguments(line, 1, 1, "$TTL 1h") {
                    self.default_ttl = self.ttl(line, 1);
                }
            }
            "$INCLUDE" => return self.include_directive(line),
            "$GENERATE" => {
                if self.arguments(line, 4, usize::MAX, "$GENERATE 1-4 host$ A 192.0.2.$") {
                    generate::run(self, line);
                }
            }
            unknown => {
                let near = DIRECTIVES.into_iter().min_by_key(|known| strsim::damerau_levenshtein(known, unknown));
                let near = near.filter(|known| strsim::damerau_levenshtein(known, unknown) <= 3);
                let message = format!("there is no directive {}", line.content(0));
                let fault = Fault::error(message, line.place(0), "unknown");
                self.findings.push(fault.remedy(match near {
                    Some(near) => format!("did you mean {near}?"),
                    None => format!("known are {}; a name that begins with $ is written \\$", DIRECTIVES.join(", ")),
                }));
                self.findings.lose(None);
            }
        }
        None
    }

    fn origin_directive(&mut self, line: Line<'_>) {
        if !self.arguments(line, 1, 1, "$ORIGIN example.com.") {
            return;
        }
        match complete(line.content(1), &self.origin) {
            Ok((name, doubtful)) => {
                if doubtful {
                    let message = format!("{} has no final dot and becomes {name}", line.content(1));
                    let fault = Fault::warning(message, line.place(1), "relative");
                    self.findings
                        .push(fault.remedy(format!("write {}. with a dot, if that is meant", line.content(1))));
                }
                self.origin = name;
            }
            Err(complaint) => {
                self.complain("$ORIGIN".to_owned(), line, 1, complaint);
                self.findings.lose(None);
            }
        }
    }

    fn include_directive(&mut self, line: Line<'_>) -> Option<Include> {
        if !self.arguments(line, 1, 2, "$INCLUDE hosts.zone") {
            return None;
        }
        let origin = if line.tokens.len() < 3 {
            self.origin.clone()
        } else {
            match complete(line.content(2), &self.origin) {
                Ok((name, _)) => name,
                Err(complaint) => {
                    self.complain("$INCLUDE origin".to_owned(), line, 2, complaint);
                    self.findings.lose(None);
                    return None;
                }
            }
        };
        let Some(path) = Octets::plain(line.content(1)).map(|octets| PathBuf::from(OsString::from_vec(octets))) else {
            self.findings.push(Fault::error("$INCLUDE: the path has a bad escape", line.place(1), "here"));
            self.findings.lose(None);
            return None;
        };
        Some(Include { path, place: line.place(1), origin })
    }

    /// Whether the number of arguments is right; if not, says so.
    fn arguments(&mut self, line: Line<'_>, least: usize, most: usize, example: &str) -> bool {
        let count = line.tokens.len() - 1;
        if (least..=most).contains(&count) {
            return true;
        }
        let word = line.content(0);
        let fault = if count < least {
            Fault::error(format!("{word}: an argument is missing"), line.place(count), "expected behind this")
        } else {
            Fault::error(format!("{word}: one argument too many"), line.place(most + 1), "nothing more is expected")
        };
        self.findings.push(fault.remedy(format!("write it as in `{example}`")));
        self.findings.lose(None);
        false
    }
}
