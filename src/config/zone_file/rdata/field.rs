//! One field of a record's data: how it is read from tokens, how many octets it takes on the wire, and how it is shown
//! again. Must not know which types have it.

use std::{
    fmt::Write as _,
    net::{Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use data_encoding::{BASE64, HEXLOWER, HEXUPPER};

use super::bitmap;
use crate::{
    config::zone_file::fields::{self, Complaint, Fields, NotSeconds},
    engine::wire::{
        name::{MAX_LABEL, MAX_NAME, Name, write_text},
        rr::RrType,
    },
};

/// What stands in a place of a record's data.
#[derive(Clone, Copy, Debug)]
pub(super) enum RdataField {
    /// A number of one octet.
    U8,
    /// A number of two octets.
    U16,
    /// A number of four octets.
    U32,
    /// A number of eight octets.
    U64,
    /// A number of one octet, some of whose values have words.
    Word8(Words),
    /// A number of two octets, some of whose values have words.
    Word16(Words),
    /// A span of time by this name, in seconds or with units.
    Timer(&'static str),
    /// A moment: YYYYMMDDHHMMSS, or seconds since 1970 (RFC 4034 3.2).
    Moment,
    /// A record type.
    Type,
    /// Record types to the end, as windows of bits (RFC 4034 4.1.2).
    Types,
    /// Record types to the end, as one run of bits (RFC 2535 5.2).
    OldTypes,
    /// A name.
    Name,
    /// A name that stands for a mailbox.
    Mailbox,
    /// An IPv4 address.
    Address4,
    /// An IPv6 address.
    Address6,
    /// 64 bits as four groups of hexadecimal digits (RFC 6742 2.1.2).
    Locator,
    /// So many octets in hexadecimal with hyphens (RFC 7043).
    Eui(u8),
    /// A character-string.
    String,
    /// A character-string that may be left out, at the end.
    OptionalString,
    /// One character-string or more, to the end.
    Strings,
    /// A character-string of so many decimal digits or more.
    Digits(u8),
    /// The tag of CAA.
    Tag,
    /// One token whose octets go on to the end.
    Octets,
    /// Hexadecimal digits to the end.
    Hex,
    /// Base64 to the end.
    Base64,
    /// Base64 to the end, which another field may say is empty.
    KeyBase64,
    /// What is like no other.
    Special(&'static Special),
}

/// Words for some values of a number, in capitals. Of several for one value any is read, and the first is shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Words {
    /// Each with its value.
    pub(super) known: &'static [(&'static str, u16)],
    /// Whether the word is shown, or the number.
    pub(super) shown: bool,
}

/// A field with code of its own. It may take several tokens.
#[derive(Debug)]
pub(super) struct Special {
    /// Reads it and appends its octets.
    pub(super) read: fn(&mut Fields<'_>, &mut Vec<u8>) -> Result<(), Complaint>,
    /// How many of these octets it takes; none where they are not valid.
    pub(super) measure: fn(&[u8]) -> Option<usize>,
    /// Shows octets that have been measured.
    pub(super) show: fn(&[u8], &mut String),
}

impl RdataField {
    /// Reads the field and appends its octets.
    pub(super) fn read(self, fields: &mut Fields<'_>, wire: &mut Vec<u8>) -> Result<(), Complaint> {
        match self {
            Self::U8 => wire.push(fields.number::<u8>()?),
            Self::U16 => wire.extend(fields.number::<u16>()?.to_be_bytes()),
            Self::U32 => wire.extend(fields.number::<u32>()?.to_be_bytes()),
            Self::U64 => wire.extend(fields.number::<u64>()?.to_be_bytes()),
            Self::Word8(words) => match words.find(fields) {
                Some(number) => wire.push(number as u8),
                None => wire.push(words.number(fields)?),
            },
            Self::Word16(words) => match words.find(fields) {
                Some(number) => wire.extend(number.to_be_bytes()),
                None => wire.extend(words.number::<u16>(fields)?.to_be_bytes()),
            },
            Self::Timer(name) => wire.extend(timer(name, fields)?.to_be_bytes()),
            Self::Moment => wire.extend(moment(fields)?.to_be_bytes()),
            Self::Type => wire.extend(rtype(fields)?.0.to_be_bytes()),
            Self::Types => bitmap::windows(&rtypes(fields)?, wire),
            Self::OldTypes => bitmap::old(&rtypes(fields)?, wire)?,
            Self::Name => wire.extend_from_slice(fields.name()?.wire()),
            Self::Mailbox => wire.extend_from_slice(mailbox(fields)?.wire()),
            Self::Address4 => {
                let address: Option<Ipv4Addr> = text(fields)?.and_then(|text| text.parse().ok());
                wire.extend(address.ok_or_else(|| Complaint::new("an IPv4 address is expected"))?.octets());
            }
            Self::Address6 => {
                let address: Option<Ipv6Addr> = text(fields)?.and_then(|text| text.parse().ok());
                wire.extend(address.ok_or_else(|| Complaint::new("an IPv6 address is expected"))?.octets());
            }
            Self::Locator => {
                let form = "four groups of hexadecimal digits are expected, as in 2001:db8:1:2";
                let groups: Option<Vec<u16>> = word(fields)?.split(':').map(|group| hex_number(group, 4)).collect();
                let groups = groups.filter(|groups| groups.len() == 4).ok_or_else(|| Complaint::new(form))?;
                wire.extend(groups.into_iter().flat_map(u16::to_be_bytes));
            }
            Self::Eui(count) => {
                let octets: Option<Vec<u8>> = word(fields)?
                    .split('-')
                    .map(|pair| hex_number(pair, 2).filter(|_| pair.len() == 2).map(|octet| octet as u8))
                    .collect();
                let form = || Complaint::new(format!("{count} pairs of hexadecimal digits with hyphens are expected"));
                wire.extend(octets.filter(|octets| octets.len() == usize::from(count)).ok_or_else(form)?);
            }
            Self::String => string(&fields.octets()?, wire)?,
            Self::OptionalString if fields.peek().is_none() => {}
            Self::OptionalString => string(&fields.octets()?, wire)?,
            Self::Strings => {
                if fields.peek().is_none() {
                    return Err(Complaint::new("at least one string is expected").at(fields.last()));
                }
                while fields.peek().is_some() {
                    string(&fields.octets()?, wire)?;
                }
            }
            Self::Digits(least) => {
                let octets = fields.octets()?;
                if !octets.iter().all(u8::is_ascii_digit) {
                    return Err(Complaint::new("only decimal digits are expected"));
                }
                if octets.len() < usize::from(least) {
                    return Err(Complaint::new(format!("at least {least} decimal digits are expected")));
                }
                string(&octets, wire)?;
            }
            Self::Tag => {
                let octets = fields.octets()?;
                tag(&octets)?;
                string(&octets, wire)?;
            }
            Self::Octets => wire.extend(fields.octets()?),
            Self::Hex => wire.extend(fields.hex()?),
            Self::Base64 | Self::KeyBase64 => wire.extend(fields.base64()?),
            Self::Special(special) => (special.read)(fields, wire)?,
        }
        Ok(())
    }

    /// How many octets the field takes at the start of these; none where it cannot stand there.
    pub(super) fn measure(self, wire: &[u8]) -> Option<usize> {
        let length = match self {
            Self::U8 | Self::Word8(_) => 1,
            Self::U16 | Self::Word16(_) | Self::Type => 2,
            Self::U32 | Self::Address4 | Self::Moment => 4,
            Self::Timer(_) => {
                let seconds = u32::from_be_bytes(*wire.first_chunk()?);
                return (seconds <= fields::MAX_TTL).then_some(4);
            }
            Self::U64 | Self::Locator => 8,
            Self::Address6 => 16,
            Self::Eui(count) => usize::from(count),
            Self::Name | Self::Mailbox => return name(wire),
            Self::String => 1 + usize::from(*wire.first()?),
            Self::OptionalString if wire.is_empty() => 0,
            Self::OptionalString => 1 + usize::from(*wire.first()?),
            Self::Digits(least) => {
                let digits = wire.get(1..=usize::from(*wire.first()?))?;
                return (digits.len() >= usize::from(least) && digits.iter().all(u8::is_ascii_digit))
                    .then_some(1 + digits.len());
            }
            Self::Strings => {
                let mut at = 0;
                while at < wire.len() {
                    at += 1 + usize::from(wire[at]);
                }
                at.max(1)
            }
            Self::Tag => 1 + usize::from(*wire.first()?),
            Self::Types => return bitmap::are_windows(wire).then_some(wire.len()),
            Self::OldTypes => return bitmap::is_old(wire).then_some(wire.len()),
            Self::Octets | Self::Hex | Self::Base64 | Self::KeyBase64 => wire.len(),
            Self::Special(special) => (special.measure)(wire)?,
        };
        (length <= wire.len()).then_some(length)
    }

    /// Shows the octets of the field as a zone file would write them.
    pub(super) fn show(self, wire: &[u8], out: &mut String) {
        let number = || number_of(wire);
        // Writing to a string does not fail.
        _ = match self {
            Self::U8 | Self::U16 | Self::U32 | Self::U64 | Self::Timer(_) => write!(out, "{}", number()),
            Self::Moment => {
                out.push_str(&date(number()));
                Ok(())
            }
            Self::Word8(words) | Self::Word16(words) => match words.of(number()) {
                Some(word) if words.shown && number() > 0 => write!(out, "{word}"),
                _ => write!(out, "{}", number()),
            },
            Self::Type => write!(out, "{}", RrType(number() as u16)),
            Self::Types | Self::OldTypes => {
                let types = if matches!(self, Self::Types) { bitmap::of_windows(wire) } else { bitmap::of_old(wire) };
                let names: Vec<String> = types.iter().map(ToString::to_string).collect();
                write!(out, "{}", names.join(" "))
            }
            Self::Name | Self::Mailbox => write_text(wire, out),
            Self::Address4 => match wire.first_chunk::<4>() {
                Some(octets) => write!(out, "{}", Ipv4Addr::from(*octets)),
                None => Ok(()),
            },
            Self::Address6 => match wire.first_chunk::<16>() {
                Some(octets) => write!(out, "{}", Ipv6Addr::from(*octets)),
                None => Ok(()),
            },
            Self::Locator => {
                let groups: Vec<String> = wire.chunks(2).map(|group| format!("{:x}", number_of(group))).collect();
                write!(out, "{}", groups.join(":"))
            }
            Self::Eui(_) => {
                let pairs: Vec<String> = wire.iter().map(|octet| HEXLOWER.encode(&[*octet])).collect();
                write!(out, "{}", pairs.join("-"))
            }
            Self::String | Self::OptionalString | Self::Strings | Self::Digits(_) => {
                let (mut rest, mut first) = (wire, true);
                while let Some((&length, behind)) = rest.split_first() {
                    let (string, next) = behind.split_at(usize::from(length).min(behind.len()));
                    if !first {
                        out.push(' ');
                    }
                    quoted(string, out);
                    (rest, first) = (next, false);
                }
                Ok(())
            }
            Self::Tag => write!(out, "{}", String::from_utf8_lossy(wire.get(1..).unwrap_or_default())),
            Self::Octets => {
                quoted(wire, out);
                Ok(())
            }
            Self::Hex => write!(out, "{}", HEXUPPER.encode(wire)),
            Self::Base64 | Self::KeyBase64 => write!(out, "{}", BASE64.encode(wire)),
            Self::Special(special) => {
                (special.show)(wire, out);
                Ok(())
            }
        };
    }
}

impl Words {
    /// The number that the next token's word stands for, which is read then.
    fn find(self, fields: &mut Fields<'_>) -> Option<u16> {
        let (token, content) = fields.peek()?;
        let found = self.known.iter().find(|(word, _)| !token.quoted && word.eq_ignore_ascii_case(content));
        let number = found.map(|(_, number)| *number)?;
        fields.take().ok()?;
        Some(number)
    }

    /// Reads a plain number. Where a word stands that is not known, the known ones are named.
    fn number<N: FromStr>(self, fields: &mut Fields<'_>) -> Result<N, Complaint> {
        let is_word = fields.peek().is_some_and(|(_, content)| content.starts_with(|c: char| c.is_ascii_alphabetic()));
        let number = fields.number();
        if !is_word {
            return number;
        }
        let words: Vec<&str> = self.known.iter().map(|(word, _)| *word).collect();
        number.map_err(|complaint| complaint.remedy(format!("write a number, or one of {}", words.join(", "))))
    }

    fn of(self, number: u64) -> Option<&'static str> {
        self.known.iter().find(|(_, value)| u64::from(*value) == number).map(|(word, _)| *word)
    }
}

/// Octets as one number.
fn number_of(octets: &[u8]) -> u64 {
    octets.iter().fold(0, |number, octet| number << 8 | u64::from(*octet))
}

/// The next token, which must have no quotes.
pub(super) fn word<'e>(fields: &mut Fields<'e>) -> Result<&'e str, Complaint> {
    let (token, content) = fields.take()?;
    if token.quoted {
        return Err(Complaint::new("a word is expected, without quotes"));
    }
    Ok(content)
}

/// The next token with its escapes resolved; none where it is not text.
fn text(fields: &mut Fields<'_>) -> Result<Option<String>, Complaint> {
    Ok(String::from_utf8(fields.octets()?).ok())
}

/// A number of one to `most` hexadecimal digits.
pub(super) fn hex_number(digits: &str, most: usize) -> Option<u16> {
    let plain = (1..=most).contains(&digits.len()) && digits.bytes().all(|octet| octet.is_ascii_hexdigit());
    u16::from_str_radix(digits, 16).ok().filter(|_| plain)
}

/// Appends a character-string.
pub(super) fn string(octets: &[u8], wire: &mut Vec<u8>) -> Result<(), Complaint> {
    let long =
        || Complaint::new("a string is longer than 255 octets").remedy("cut it into several strings, each in quotes");
    wire.push(u8::try_from(octets.len()).map_err(|_| long())?);
    wire.extend_from_slice(octets);
    Ok(())
}

/// Shows a string in quotes.
pub(super) fn quoted(octets: &[u8], out: &mut String) {
    out.push('"');
    for &octet in octets {
        match octet {
            b'"' | b'\\' => out.extend(['\\', char::from(octet)]),
            b' '..=b'~' => out.push(char::from(octet)),
            _ => out.push_str(&format!("\\{octet:03}")),
        }
    }
    out.push('"');
}

/// RFC 8659 4.1.
pub(super) fn tag(octets: &[u8]) -> Result<(), Complaint> {
    if octets.is_empty() {
        return Err(Complaint::new("the tag of CAA is empty").remedy("write issue, issuewild or iodef (RFC 8659 4.1)"));
    }
    if !octets.iter().all(u8::is_ascii_alphanumeric) {
        return Err(Complaint::new("CAA tag contains invalid character")
            .remedy("a tag has letters and digits alone (RFC 8659 4.1)"));
    }
    Ok(())
}

/// How many octets a whole, uncompressed name takes at the start of these.
pub(super) fn name(wire: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        match usize::from(*wire.get(at)?) {
            0 => return (at < MAX_NAME).then_some(at + 1),
            length if length > MAX_LABEL => return None,
            length => at += 1 + length,
        }
    }
}

fn timer(name: &str, fields: &mut Fields<'_>) -> Result<u32, Complaint> {
    let (token, content) = fields.take()?;
    match fields::seconds(content) {
        Ok(value) if !token.quoted => Ok(value),
        Err(NotSeconds::Large) => Err(Complaint::new(format!("the {name} time is over 2147483647 seconds"))),
        _ => {
            let complaint = Complaint::new(format!("the {name} time is expected"));
            Err(complaint.remedy("write seconds, or units as in `1h30m`"))
        }
    }
}

/// Seconds since 1970 modulo 2³², from a date or a number.
fn moment(fields: &mut Fields<'_>) -> Result<u32, Complaint> {
    let content = word(fields)?;
    let expected = || Complaint::new("a moment is expected").remedy("write YYYYMMDDHHMMSS, or seconds since 1970");
    if content.len() != 14 {
        return content
            .parse()
            .ok()
            .filter(|_| content.bytes().all(|octet| octet.is_ascii_digit()))
            .ok_or_else(expected);
    }
    let part = |from: usize, to: usize| {
        content.get(from..to).filter(|text| text.bytes().all(|octet| octet.is_ascii_digit()))?.parse::<u64>().ok()
    };
    let date = || {
        let (year, month, day) = (part(0, 4)?, part(4, 6)?, part(6, 8)?);
        let (hour, minute, second) = (part(8, 10)?, part(10, 12)?, part(12, 14)?);
        let lengths = months(year);
        let length = *lengths.get(usize::try_from(month).ok()?.checked_sub(1)?)?;
        if year < 1970 || !(1..=length).contains(&day) || hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        let years: u64 = (1970..year).map(|year| months(year).iter().sum::<u64>()).sum();
        let months: u64 = lengths.iter().take(usize::try_from(month).ok()? - 1).sum();
        Some(((years + months + day - 1) * 24 + hour) * 3600 + minute * 60 + second)
    };
    date().map(|seconds| seconds as u32).ok_or_else(expected)
}

/// Seconds since 1970 as YYYYMMDDHHMMSS.
fn date(seconds: u64) -> String {
    let (mut days, rest) = (seconds / 86_400, seconds % 86_400);
    let (mut year, mut month) = (1970, 0);
    while let Some(&length) = months(year).get(month)
        && days >= length
    {
        days -= length;
        (year, month) = if month == 11 { (year + 1, 0) } else { (year, month + 1) };
    }
    let (month, day) = (month + 1, days + 1);
    format!("{year:04}{month:02}{day:02}{:02}{:02}{:02}", rest / 3600, rest / 60 % 60, rest % 60)
}

/// The days of a year's months.
fn months(year: u64) -> [u64; 12] {
    let leap = year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    [31, 28 + u64::from(leap), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
}

fn rtype(fields: &mut Fields<'_>) -> Result<RrType, Complaint> {
    let content = word(fields)?;
    RrType::from_text(content).ok_or_else(|| Complaint::new(format!("there is no record type {content}")))
}

fn rtypes(fields: &mut Fields<'_>) -> Result<Vec<RrType>, Complaint> {
    let mut types = Vec::new();
    while fields.peek().is_some() {
        types.push(rtype(fields)?);
    }
    Ok(types)
}

fn mailbox(fields: &mut Fields<'_>) -> Result<Name, Complaint> {
    if let Some((_, mailbox)) = fields.peek()
        && let Some((local, host)) = mailbox.split_once('@')
        && !local.is_empty()
        && !local.ends_with('\\')
    {
        let host = host.trim_end_matches('.');
        let remedy = format!("write it as a name: {}.{host}.", local.replace('.', "\\."));
        return Err(Complaint::new("the mailbox is written with `@`").at(fields.position()).remedy(remedy));
    }
    fields.name()
}
