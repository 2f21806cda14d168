//! Lines that begin with `$` (RFC 1035 5.1, RFC 2308 4, and $GENERATE as BIND has it: one line that stands for many
//! records, with a counter in owner and data). Must not know how files are found and opened, nor what records mean.

use std::{ffi::OsString, os::unix::ffi::OsStringExt, path::PathBuf};

use super::{
    fields::complete,
    reader::{EntryTokens, Reader},
    token::{Entry, Octets, Token},
};
use crate::{
    config::fault::{Fault, Place},
    engine::wire::{name::Name, rr::RrType},
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
    pub(super) fn directive(&mut self, line: EntryTokens<'_>) -> Option<Include> {
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
                    generate(self, line);
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

    fn origin_directive(&mut self, line: EntryTokens<'_>) {
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

    fn include_directive(&mut self, line: EntryTokens<'_>) -> Option<Include> {
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
    fn arguments(&mut self, line: EntryTokens<'_>, least: usize, most: usize, example: &str) -> bool {
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

/// The most records that one directive may make: a /16 of reverse names.
const MOST: u64 = 65_536;
/// The largest counter and offset.
const LARGEST: i64 = i32::MAX as i64;
/// The widest number that a form may ask for; a label has no room for more.
const WIDEST: usize = 63;

/// Makes the records of one directive: range, owner, `[TTL] [class] type`, data.
fn generate(reader: &mut Reader<'_>, line: EntryTokens<'_>) {
    let Some((start, stop, step)) = range(line.content(1)) else {
        let fault = Fault::error(format!("{} is no range", line.content(1)), line.place(1), "a range is expected");
        reader.findings.push(fault.remedy("write START-STOP or START-STOP/STEP, as in `1-10/2`"));
        reader.findings.lose(None);
        return;
    };
    let count = (stop - start) as u64 / step as u64 + 1;
    if count > MOST {
        let message = format!("$GENERATE would make {count} records");
        let fault = Fault::error(message, line.place(1), format!("more than {MOST}"));
        reader.findings.push(fault.remedy("write several directives, if so many are meant"));
        reader.findings.lose(None);
        return;
    }
    let mut value = start;
    while value <= stop {
        let before = reader.findings.errors();
        match expand(line, value) {
            Ok((text, tokens)) => {
                reader.record(EntryTokens { file: line.file, text: &text, tokens: &tokens, indented: false });
            }
            Err((token, message)) => {
                let fault = Fault::error(format!("$GENERATE: {message}"), line.place(token), "the form is not valid");
                reader.findings.push(fault.remedy("write $, or ${OFFSET,WIDTH,BASE} with BASE one of d o x X n N"));
                reader.findings.lose(None);
            }
        }
        // What is wrong with one is wrong with all: said once.
        if reader.findings.errors() > before {
            return;
        }
        value += step;
    }
}

fn range(text: &str) -> Option<(i64, i64, i64)> {
    let (bounds, step) = text.split_once('/').unwrap_or((text, "1"));
    let (start, stop) = bounds.split_once('-')?;
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit());
        text.parse::<i64>().ok().filter(|&number| digits && number <= LARGEST)
    };
    let (start, stop, step) = (number(start)?, number(stop)?, number(step)?);
    (start <= stop && step > 0).then_some((start, stop, step))
}

/// The line of one counter value: its text, and tokens that blame the directive's own.
fn expand(line: EntryTokens<'_>, value: i64) -> Result<(String, Vec<Token>), (usize, &'static str)> {
    let mut text = String::new();
    let mut tokens = Vec::new();
    let rest = &line.tokens[2..];
    // BIND's rule: data in quotes are the whole of the data, spaces and all. But a string that is one stays one.
    let kind = line.content(line.tokens.len() - 2).to_ascii_uppercase();
    let whole = |token: &Token, content: &str| {
        token.quoted && rest.len() > 1 && (!matches!(kind.as_str(), "TXT" | "SPF") || content.contains('"'))
    };
    for (offset, token) in rest.iter().enumerate() {
        let number = offset + 2;
        let content = substitute(line.content(number), value).map_err(|message| (number, message))?;
        let last = offset + 1 == rest.len();
        let data = content.replace("\\\"", "\"");
        if last && whole(token, &data) && type_before(line, number) {
            let mut entry = Entry::default();
            entry.read(&data, 0);
            if !entry.slips.is_empty() {
                return Err((number, "the data in quotes are not well-formed"));
            }
            let shift = text.len();
            tokens.extend(entry.tokens.into_iter().map(|inner| Token {
                text: inner.text.start + shift..inner.text.end + shift,
                span: token.span.clone(),
                ..inner
            }));
            text.push_str(&data);
        } else {
            let start = text.len();
            text.push_str(&content);
            tokens.push(Token { text: start..text.len(), ..token.clone() });
        }
        text.push(' ');
    }
    Ok((text, tokens))
}

/// Whether the token before this one is the type: only then is this one all of the data.
fn type_before(line: EntryTokens<'_>, number: usize) -> bool {
    number.checked_sub(1).is_some_and(|before| {
        let quoted = line.tokens.get(before).is_some_and(|token| token.quoted);
        !quoted && RrType::from_text(line.content(before)).is_some()
    })
}

/// Puts the counter in place of `$` and `${offset,width,base}`; `\$` and `$$` are a plain `$`.
fn substitute(content: &str, value: i64) -> Result<String, &'static str> {
    let mut out = String::with_capacity(content.len() + 8);
    let mut rest = content;
    while let Some(at) = rest.find(['$', '\\']) {
        let (before, found) = rest.split_at(at);
        out.push_str(before);
        if let Some(behind) = found.strip_prefix("\\$").or_else(|| found.strip_prefix("$$")) {
            // Escaped again, so that no later reading takes it for more than a character.
            out.push_str("\\$");
            rest = behind;
        } else if let Some(behind) = found.strip_prefix('\\') {
            let length = behind.chars().next().map_or(0, char::len_utf8);
            out.push_str(&found[..1 + length]);
            rest = &behind[length..];
        } else if let Some(behind) = found.strip_prefix("${") {
            let (form, behind) = behind.split_once('}').ok_or("`${` without `}`")?;
            out.push_str(&formed(form, value)?);
            rest = behind;
        } else {
            out.push_str(&value.to_string());
            rest = &found[1..];
        }
    }
    out.push_str(rest);
    Ok(out)
}

fn formed(form: &str, value: i64) -> Result<String, &'static str> {
    let mut parts = form.split(',');
    let offset: i64 = parts.next().unwrap_or("").parse().map_err(|_| "the offset is no number")?;
    let width = parts.next().map_or(Ok(0), str::parse::<usize>).map_err(|_| "the width is no number")?;
    let base = parts.next().unwrap_or("d");
    if parts.next().is_some() {
        return Err("a form has three parts at most");
    }
    if width > WIDEST {
        return Err("the width is over 63");
    }
    let number = value.checked_add(offset).and_then(|number| i32::try_from(number).ok());
    // Below zero only digits of bits have a meaning: as BIND, those of 32 bits.
    let number = number.filter(|number| *number >= 0 || base != "d");
    let number = number.ok_or("with the offset the counter is negative or too large")?;
    Ok(match base {
        "d" => format!("{number:0width$}"),
        "o" => format!("{number:0width$o}"),
        "x" => format!("{number:0width$x}"),
        "X" => format!("{number:0width$X}"),
        "n" => nibbles(&format!("{number:x}"), width),
        "N" => nibbles(&format!("{number:X}"), width),
        _ => return Err("the base is none of d o x X n N"),
    })
}

/// Hexadecimal digits from the last to the first with dots between, as reverse names want them. The width counts dots; as in
/// BIND an even one that is not used up by digits ends with a dot.
fn nibbles(digits: &str, width: usize) -> String {
    let (mut out, mut digits, mut left) = (String::new(), digits.bytes().rev(), width);
    loop {
        out.push(digits.next().map_or('0', char::from));
        left = left.saturating_sub(1);
        if left > 0 || digits.len() > 0 {
            out.push('.');
            left = left.saturating_sub(1);
        }
        if left == 0 && digits.len() == 0 {
            return out;
        }
    }
}
