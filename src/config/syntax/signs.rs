//! Single characters and escapes: those that look like TOML's and are others (typographic quotes, blanks of a
//! typesetter), control characters, which no text of a configuration may hold, and backslashes in quotes that begin no
//! escape. Must not know where in a text they stand.

use std::{borrow::Cow, ops::Range};

use toml::de::DeValue;

use super::slip::Slip;

/// Whether it looks like a quote.
pub(super) fn is_quote(letter: char) -> bool {
    matches!(letter, '\u{2018}'..='\u{201f}' | '\u{2032}'..='\u{2037}' | '\u{275b}'..='\u{275e}' | '\u{301d}'..='\u{301f}' | '«' | '»' | '‹' | '›' | '＂' | '＇' | '`' | '´' | '「' | '」' | '『' | '』')
}

/// What HTML writes in the place of quotes.
pub(super) const ENTITIES: [&str; 8] = ["&quot;", "&#34;", "&#x22;", "&apos;", "&#39;", "&#x27;", "&ldquo;", "&#8220;"];

/// Whether it looks like a blank, or like nothing.
pub(super) fn is_blank(letter: char) -> bool {
    matches!(
        letter,
        '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200f}' | '\u{2028}'..='\u{202f}' | '\u{205f}'..='\u{2064}' | '\u{3000}' | '\u{feff}' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{ad}'
    )
}

/// A blank that is none.
pub(super) fn blank(span: Range<usize>, letter: char) -> Slip {
    let what = match letter {
        '\u{a0}' | '\u{202f}' => "a no-break space",
        '\u{feff}' => "a byte order mark, which may stand only at the start of a file",
        '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{ad}' => "an invisible character",
        '\u{b}' | '\u{c}' => "a control character",
        _ => "a blank of another kind",
    };
    let label = format!("U+{:04X}: {what}", u32::from(letter));
    Slip::new(span, "a character looks like a blank and is none", label).remedy("put a blank in its place")
}

/// Quotes that are none around a text.
pub(super) fn quotes(span: Range<usize>, inside: &str) -> Slip {
    let label = "typographic quotes, as a word processor makes them";
    Slip::new(span, "these quotes are not those of a keyboard", label).remedy(format!("write \"{inside}\""))
}

/// What stands between a quote that is none and the next quote on the line, and how long all of it is.
pub(super) fn between(text: &str) -> Option<(&str, usize)> {
    let open = text.chars().next()?.len_utf8();
    let line = text.split('\n').next().unwrap_or_default();
    let inside = &line[open..];
    // An apostrophe within double quotes closes nothing.
    let single = |letter: char| {
        matches!(
            letter,
            '\u{2018}'
                ..='\u{201b}' | '\u{2032}' | '\u{2035}' | '\u{275b}' | '\u{275c}' | '‹' | '›' | '＇' | '`' | '´' | '\''
        )
    };
    let first = single(text.chars().next()?);
    let closes = |letter: char| (is_quote(letter) || letter == '"' || letter == '\'') && single(letter) == first;
    let close = inside.find(closes)?;
    let letter = inside[close..].chars().next()?;
    Some((&inside[..close], open + close + letter.len_utf8()))
}

/// The text that one in quotes stands for.
pub(super) fn unescaped(quoted: &str) -> String {
    match DeValue::parse(quoted).map(toml::Spanned::into_inner) {
        Ok(DeValue::String(text)) => text.into_owned(),
        _ => quoted.trim_matches(['"', '\'']).to_owned(),
    }
}

/// The text with others in their place, octet for octet, and what they are.
pub(super) fn replaced(text: &str) -> (Cow<'_, str>, Vec<Slip>) {
    let octets = text.as_bytes();
    let is_lone = |at: usize| octets[at] == b'\r' && octets.get(at + 1) != Some(&b'\n');
    let is_control = |at: usize| matches!(octets[at], 0..=8 | 0xb | 0xc | 0xe..=0x1f | 0x7f);
    let (mut returns, mut controls) = (Vec::new(), Vec::new());
    for at in 0..octets.len() {
        if is_lone(at) {
            returns.push(at);
        } else if is_control(at) {
            controls.push(at);
        }
    }
    if returns.is_empty() && controls.is_empty() {
        return (Cow::Borrowed(text), Vec::new());
    }
    let clean: String = text
        .char_indices()
        .map(|(at, letter)| match letter {
            '\r' if is_lone(at) => '\n',
            letter if letter.is_ascii() && is_control(at) => ' ',
            letter => letter,
        })
        .collect();
    let more = |found: &[usize]| match found.len() - 1 {
        0 => String::new(),
        more => format!(", and {more} more behind it"),
    };
    let mut slips = Vec::new();
    if let Some(&at) = returns.first() {
        let label = format!("the first{}", more(&returns));
        let slip = Slip::new(at..at, "a line ends with CR alone", label);
        slips.push(slip.remedy("save the file with LF, or CR and LF, at the end of lines"));
    }
    if let Some(&at) = controls.first() {
        let label = format!("U+{:04X}{}", octets[at], more(&controls));
        let message = if octets[at] == 0 { "the file holds a NUL octet" } else { "the file holds a control character" };
        slips
            .push(Slip::new(at..at + 1, message, label).remedy("take it out; in text in quotes write it as an escape"));
    }
    (Cow::Owned(clean), slips)
}

/// Where the first backslash of a text in double quotes is that begins no escape, and how long it is with its letter.
pub(super) fn bad_escape(inside: &str) -> Option<(usize, usize)> {
    let mut at = 0;
    while let Some(next) = inside.get(at..).and_then(|rest| rest.find('\\')) {
        at += next;
        if let Some(length) = no_escape_length(&inside[at..]) {
            return Some((at, length));
        }
        at += 2;
    }
    None
}

/// How long a backslash is with its letter, if both are no escape.
pub(super) fn no_escape_length(text: &str) -> Option<usize> {
    let digits = |count: usize| digits_of(text, count).is_some_and(|number| char::from_u32(number).is_some());
    let escape = text.chars().nth(1);
    let is_sound = match escape {
        Some('b' | 't' | 'n' | 'f' | 'r' | 'e' | '"' | '\\') => true,
        Some('x') => digits(2),
        Some('u') => digits(4),
        Some('U') => digits(8),
        _ => false,
    };
    (!is_sound).then(|| 1 + escape.map_or(0, char::len_utf8))
}

/// The number behind a backslash and its letter, of so many hexadecimal digits.
fn digits_of(escape: &str, count: usize) -> Option<u32> {
    let digits = escape.get(2..2 + count).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
    u32::from_str_radix(digits, 16).ok()
}

/// What is told of such a backslash.
pub(super) fn no_escape(text: &str, sign: Range<usize>) -> Slip {
    let written = &text[sign.clone()];
    let count = if written.ends_with('U') { 8 } else { 4 };
    if written.ends_with(['u', 'U'])
        && let Some(number) = digits_of(&text[sign.start..], count)
    {
        let whole = sign.start..sign.end + count;
        let label = match number {
            0xd800..=0xdfff => "half of a pair, as UTF-16 has it, and no character",
            _ => "the last character is 10FFFF",
        };
        let slip = Slip::new(whole.clone(), format!("`{}` stands for no character", &text[whole]), label);
        return slip.remedy("write the character itself, or `\\U` and the eight digits of its number");
    }
    let slip = if written.ends_with(['u', 'U', 'x']) {
        let label = "behind `\\u` stand four hexadecimal digits, behind `\\U` eight, behind `\\x` two";
        Slip::new(sign, format!("`{written}` lacks its digits"), label)
    } else {
        Slip::new(sign, format!("`{written}` is no escape"), "a backslash begins one in quotes")
    };
    slip.remedy("double the backslash, or put the text in single quotes")
}
