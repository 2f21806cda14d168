//! The fields of one record's data, one token each: numbers, names, octets, hexadecimal digits, base64, and spans of
//! time (plain seconds, or numbers with units as in `1h30m`). Must not know record types, nor what is timed.

use std::{borrow::Cow, ops::Range, str::FromStr};

use data_encoding::{BASE64_MIME_PERMISSIVE, DecodeKind, Encoding, HEXUPPER_PERMISSIVE};

use super::token::{Octets, Token};
use crate::{config::dns_name, engine::wire::name::Name};

/// Why a field cannot be read.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub(super) struct Complaint {
    /// What is wrong, in a few words.
    pub(super) message: Cow<'static, str>,
    /// The number of the token to blame; none: the one that was read last.
    pub(super) token: Option<usize>,
    /// What to do, where that is not plain.
    pub(super) remedy: Option<Cow<'static, str>>,
}

impl Complaint {
    /// About the token that was read last.
    pub(super) fn new(message: impl Into<Cow<'static, str>>) -> Self {
        Self { message: message.into(), token: None, remedy: None }
    }

    /// About this token.
    pub(super) fn at(mut self, token: usize) -> Self {
        self.token = Some(token);
        self
    }

    /// Says what to do.
    pub(super) fn remedy(mut self, remedy: impl Into<Cow<'static, str>>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }
}

/// Tokens to be read one after the other.
#[derive(Debug)]
pub(super) struct Fields<'e> {
    text: &'e str,
    tokens: &'e [Token],
    next: usize,
    end: usize,
    origin: &'e Name,
    doubts: Vec<usize>,
}

impl<'e> Fields<'e> {
    /// The tokens `range` of an entry whose contents stand in `text`.
    pub(super) fn new(text: &'e str, tokens: &'e [Token], range: Range<usize>, origin: &'e Name) -> Self {
        Self { text, tokens, next: range.start, end: range.end, origin, doubts: Vec::new() }
    }

    /// The number of the token that comes next.
    pub(super) fn position(&self) -> usize {
        self.next
    }

    /// The number of the token that was read last.
    pub(super) fn last(&self) -> usize {
        self.next.saturating_sub(1)
    }

    /// Tokens whose relative names end with the very labels that complete them: a final dot was forgotten, as a rule.
    pub(super) fn into_doubts(self) -> Vec<usize> {
        self.doubts
    }

    /// The next token, if any, without reading it.
    pub(super) fn peek(&self) -> Option<(&'e Token, &'e str)> {
        let token = self.tokens.get(self.next).filter(|_| self.next < self.end)?;
        Some((token, self.text.get(token.text.clone()).unwrap_or("")))
    }

    /// Reads the next token.
    pub(super) fn take(&mut self) -> Result<(&'e Token, &'e str), Complaint> {
        let found = self.peek().ok_or_else(|| Complaint::new("a field is missing behind this"))?;
        self.next += 1;
        Ok(found)
    }

    /// Reads the next token as octets.
    pub(super) fn octets(&mut self) -> Result<Vec<u8>, Complaint> {
        let (_, content) = self.take()?;
        Octets::plain(content).ok_or_else(bad_escape)
    }

    /// Reads the next token as a decimal number.
    pub(super) fn number<N: FromStr>(&mut self) -> Result<N, Complaint> {
        let (_, content) = self.take()?;
        if content.is_empty() || !content.bytes().all(|octet| octet.is_ascii_digit()) {
            return Err(Complaint::new("a number is expected"));
        }
        content.parse().map_err(|_| Complaint::new("the number is too large for its field"))
    }

    /// Reads all tokens that are left as hexadecimal digits.
    pub(super) fn hex(&mut self) -> Result<Vec<u8>, Complaint> {
        self.decoded(&HEXUPPER_PERMISSIVE, u8::is_ascii_hexdigit, |kind| match kind {
            DecodeKind::Length => "the number of hexadecimal digits is odd",
            _ => "hexadecimal digits are expected",
        })
    }

    /// Reads all tokens that are left as base64.
    pub(super) fn base64(&mut self) -> Result<Vec<u8>, Complaint> {
        let is_sign = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'/' | b'=');
        self.decoded(&BASE64_MIME_PERMISSIVE, is_sign, |kind| match kind {
            DecodeKind::Length => "base64 comes in groups of four characters, and the last one is not whole",
            DecodeKind::Padding => "`=` ends base64, once or twice",
            _ => "base64 is expected: letters, digits, `+` and `/`",
        })
    }

    /// Reads all tokens that are left; `is_sign`: what an encoding is written with; `why`: what to say of a fault.
    fn decoded(
        &mut self,
        encoding: &Encoding,
        is_sign: fn(&u8) -> bool,
        why: fn(DecodeKind) -> &'static str,
    ) -> Result<Vec<u8>, Complaint> {
        let (mut joined, mut ends) = (String::new(), Vec::new());
        while self.peek().is_some() {
            let (_, content) = self.take()?;
            joined.push_str(content);
            ends.push((joined.len(), self.last()));
        }
        let blamed = |at: usize| ends.iter().find(|(end, _)| at < *end).map_or(self.last(), |(_, token)| *token);
        // A sign of another alphabet is looked for first: the decoder tells of the length before it.
        if let Some(foreign) = joined.bytes().position(|octet| !is_sign(&octet)) {
            return Err(Complaint::new(why(DecodeKind::Symbol)).at(blamed(foreign)));
        }
        if let Some(more) = padded_inside(&joined) {
            return Err(Complaint::new(why(DecodeKind::Padding)).at(blamed(more)));
        }
        encoding.decode(joined.as_bytes()).map_err(|error| match error.kind {
            DecodeKind::Length => Complaint::new(why(error.kind)),
            kind => Complaint::new(why(kind)).at(blamed(error.position)),
        })
    }

    /// Reads the next token as a name; relative ones are completed.
    pub(super) fn name(&mut self) -> Result<Name, Complaint> {
        let (token, content) = self.take()?;
        if token.quoted {
            return Err(Complaint::new("a name is expected, without quotes"));
        }
        let (name, doubtful) = complete(content, self.origin)?;
        if doubtful {
            self.doubts.push(self.last());
        }
        Ok(name)
    }

    /// The number of the next token that follows another without white space, if any.
    pub(super) fn first_glued(&self) -> Option<usize> {
        (self.next + 1..self.end).find(|&number| self.tokens.get(number).is_some_and(|token| token.glued))
    }

    /// Fails unless every token was read.
    pub(super) fn end(&self) -> Result<(), Complaint> {
        if self.peek().is_some() { Err(Complaint::new("nothing more is expected here").at(self.next)) } else { Ok(()) }
    }
}

fn bad_escape() -> Complaint {
    Complaint::new("a backslash needs a character or three digits up to 255 behind it")
}

/// Reads a name as a master file writes it: `@` is the origin, and what has no final dot is completed by it. Says too
/// whether it was relative and yet ends with the origin's own labels.
pub(super) fn complete(content: &str, origin: &Name) -> Result<(Name, bool), Complaint> {
    if content == "@" {
        return Ok((origin.clone(), false));
    }
    if !content.is_ascii() {
        let remedy = match dns_name::in_ascii(content) {
            Some(ascii) => format!("write {ascii}: clients ask for it so; other octets are written as `\\DDD`"),
            None => "write it in its `xn--` form, or each octet as `\\DDD`".to_owned(),
        };
        return Err(Complaint::new("a name holds characters outside ASCII").remedy(remedy));
    }
    let written = Name::from_text(content).map_err(|fault| Complaint::new(fault.to_string()))?;
    let trimmed = content.trim_end_matches('.');
    let escapes = trimmed.len() - trimmed.trim_end_matches('\\').len();
    if content.ends_with('.') && escapes.is_multiple_of(2) {
        return Ok((written, false));
    }
    let doubtful = origin.wire().len() > 1 && written.is_within(origin);
    let labels = written.wire().split_last().map_or(&[][..], |(_, labels)| labels);
    let name = Name::from_wire(&[labels, origin.wire()].concat())
        .map_err(|_| Complaint::new(format!("the name is longer than 255 octets once {origin} completes it")))?;
    Ok((name, doubtful))
}

/// Octets of a text in hexadecimal digits.
pub(super) fn hex(text: &str) -> Option<Vec<u8>> {
    HEXUPPER_PERMISSIVE.decode(text.as_bytes()).ok()
}

/// Octets of a text in base64.
pub(super) fn base64(text: &str) -> Option<Vec<u8>> {
    BASE64_MIME_PERMISSIVE.decode(text.as_bytes()).ok().filter(|_| padded_inside(text).is_none())
}

/// Where base64 goes on behind its padding, which a decoder takes for another text that follows.
fn padded_inside(text: &str) -> Option<usize> {
    let padding = text.find('=')?;
    text.bytes().enumerate().skip(padding).find(|(_, octet)| *octet != b'=').map(|(at, _)| at)
}

/// The largest TTL (RFC 2181 8).
pub(super) const MAX_TTL: u32 = i32::MAX as u32;

/// Why a text is no span of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotSeconds {
    /// It does not have the form.
    Form,
    /// It is over 2³¹ − 1.
    Large,
}

/// Reads digits alone, or runs of digits each with one of `s m h d w` in any case behind it.
pub(super) fn seconds(text: &str) -> Result<u32, NotSeconds> {
    if !text.starts_with(|first: char| first.is_ascii_digit()) {
        return Err(NotSeconds::Form);
    }
    let (mut sum, mut number) = (0u64, None::<u64>);
    let mut units = false;
    for octet in text.bytes() {
        if octet.is_ascii_digit() {
            // Saturated far above the limit, so that a long number is large and not malformed.
            number = Some((number.unwrap_or(0) * 10 + u64::from(octet - b'0')).min(1 << 40));
            continue;
        }
        let unit = match octet.to_ascii_lowercase() {
            b's' => 1,
            b'm' => 60,
            b'h' => 3_600,
            b'd' => 86_400,
            b'w' => 604_800,
            _ => return Err(NotSeconds::Form),
        };
        sum = sum.saturating_add(number.take().ok_or(NotSeconds::Form)? * unit);
        units = true;
    }
    match number {
        Some(_) if units => return Err(NotSeconds::Form),
        Some(number) => sum = number,
        None => {}
    }
    u32::try_from(sum).ok().filter(|&seconds| seconds <= MAX_TTL).ok_or(NotSeconds::Large)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_add_up_and_the_limit_is_exact() {
        for (text, value) in [
            ("0", Ok(0)),
            ("3600", Ok(3600)),
            ("1h30m", Ok(5400)),
            ("1W2d3H4m5S", Ok(604_800 + 172_800 + 10_800 + 240 + 5)),
            ("2147483647", Ok(MAX_TTL)),
            ("2147483648", Err(NotSeconds::Large)),
            ("99999999999999999999999999", Err(NotSeconds::Large)),
            ("9999999999999999999w", Err(NotSeconds::Large)),
            ("1h30", Err(NotSeconds::Form)),
            ("h", Err(NotSeconds::Form)),
            ("1hh", Err(NotSeconds::Form)),
            ("-1", Err(NotSeconds::Form)),
            ("1.5h", Err(NotSeconds::Form)),
            ("", Err(NotSeconds::Form)),
        ] {
            assert_eq!(seconds(text), value, "{text}");
        }
    }
}
