//! The fields of one record's data, one token each, as the `domain` crate's scanners of record data want to read them.
//! Implementing its `Scanner` over our own tokens, and not handing it text, keeps every position, needs no second
//! lexer, and stays clear of the panics of its file scanner. Must not know record types.

use std::{borrow::Cow, fmt, ops::Range};

use domain::{
    base::{
        CharStr,
        name::Name as WireName,
        scan::{ConvertSymbols, EntrySymbol, Scanner, ScannerError, Symbol},
    },
    dep::octseq::str::Str,
};

use super::token::{Octets, Token};
use crate::{config::dns_name, engine::wire::name::Name};

/// Why a field cannot be read.
#[derive(Clone, Debug)]
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

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Complaint {}

impl ScannerError for Complaint {
    fn custom(message: &'static str) -> Self {
        Self::new(match message {
            "decimal number overflow" => "the number is too large for its field",
            "expected decimal number" => "a number is expected",
            "uneven number of hex digits" => "the number of hexadecimal digits is odd",
            "expected hex digits" => "hexadecimal digits are expected",
            other => other,
        })
    }

    fn end_of_entry() -> Self {
        Self::new("a field is missing behind this")
    }

    fn short_buf() -> Self {
        Self::new("the data is too long")
    }

    fn trailing_tokens() -> Self {
        Self::new("nothing more is expected here")
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
        let found = self.peek().ok_or_else(Complaint::end_of_entry)?;
        self.next += 1;
        Ok(found)
    }

    /// Reads the next token as octets.
    pub(super) fn octets(&mut self) -> Result<Vec<u8>, Complaint> {
        let (_, content) = self.take()?;
        Octets::plain(content).ok_or_else(bad_escape)
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
        if self.peek().is_some() { Err(Complaint::trailing_tokens().at(self.next)) } else { Ok(()) }
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

impl Scanner for Fields<'_> {
    type Octets = Vec<u8>;
    type OctetsBuilder = Vec<u8>;
    type Name = WireName<Vec<u8>>;
    type Error = Complaint;

    fn has_space(&self) -> bool {
        true
    }

    fn continues(&mut self) -> bool {
        self.peek().is_some()
    }

    fn scan_symbols<F>(&mut self, mut op: F) -> Result<(), Complaint>
    where
        F: FnMut(Symbol) -> Result<(), Complaint>,
    {
        let (_, content) = self.take()?;
        if content.is_empty() {
            return Err(Complaint::new("a number is expected"));
        }
        symbols(content, &mut op)
    }

    fn scan_entry_symbols<F>(&mut self, mut op: F) -> Result<(), Complaint>
    where
        F: FnMut(EntrySymbol) -> Result<(), Complaint>,
    {
        while self.continues() {
            let (_, content) = self.take()?;
            symbols(content, |symbol| op(symbol.into()))?;
            op(EntrySymbol::EndOfToken)?;
        }
        Ok(())
    }

    fn convert_token<C: ConvertSymbols<Symbol, Complaint>>(&mut self, mut convert: C) -> Result<Vec<u8>, Complaint> {
        let (_, content) = self.take()?;
        let mut out = Vec::new();
        symbols(content, |symbol| {
            out.extend_from_slice(convert.process_symbol(symbol)?.unwrap_or(&[]));
            Ok(())
        })?;
        out.extend_from_slice(convert.process_tail()?.unwrap_or(&[]));
        Ok(out)
    }

    fn convert_entry<C: ConvertSymbols<EntrySymbol, Complaint>>(
        &mut self,
        mut convert: C,
    ) -> Result<Vec<u8>, Complaint> {
        let mut out = Vec::new();
        self.scan_entry_symbols(|symbol| {
            out.extend_from_slice(convert.process_symbol(symbol)?.unwrap_or(&[]));
            Ok(())
        })?;
        out.extend_from_slice(convert.process_tail()?.unwrap_or(&[]));
        Ok(out)
    }

    fn scan_octets(&mut self) -> Result<Vec<u8>, Complaint> {
        self.octets()
    }

    fn scan_ascii_str<F, T>(&mut self, op: F) -> Result<T, Complaint>
    where
        F: FnOnce(&str) -> Result<T, Complaint>,
    {
        let octets = self.octets()?;
        let text = std::str::from_utf8(&octets).ok().filter(|text| text.is_ascii());
        op(text.ok_or_else(|| Complaint::new("only ASCII characters are expected"))?)
    }

    fn scan_name(&mut self) -> Result<Self::Name, Complaint> {
        WireName::from_octets(self.name()?.wire().to_vec()).map_err(|_| Complaint::new("the name is too long"))
    }

    fn scan_charstr(&mut self) -> Result<CharStr<Vec<u8>>, Complaint> {
        CharStr::from_octets(self.octets()?).map_err(|_| long_string())
    }

    fn scan_string(&mut self) -> Result<Str<Vec<u8>>, Complaint> {
        Str::from_utf8(self.octets()?).map_err(|_| Complaint::new("only UTF-8 is expected"))
    }

    fn scan_charstr_entry(&mut self) -> Result<Vec<u8>, Complaint> {
        let mut out = Vec::new();
        while self.continues() {
            let string = self.octets()?;
            out.push(u8::try_from(string.len()).map_err(|_| long_string())?);
            out.extend_from_slice(&string);
        }
        Ok(out)
    }

    fn scan_opt_unknown_marker(&mut self) -> Result<bool, Complaint> {
        Ok(false) // The generic form is read before a scanner is asked.
    }

    fn octets_builder(&mut self) -> Result<Vec<u8>, Complaint> {
        Ok(Vec::new())
    }
}

fn long_string() -> Complaint {
    Complaint::new("a string is longer than 255 octets").remedy("cut it into several strings, each in quotes")
}

fn symbols(content: &str, mut op: impl FnMut(Symbol) -> Result<(), Complaint>) -> Result<(), Complaint> {
    let octets = content.as_bytes();
    let mut at = 0;
    while let Some((symbol, behind)) = Symbol::from_slice_index(octets, at).map_err(|_| bad_escape())? {
        op(symbol)?;
        at = behind;
    }
    Ok(())
}
