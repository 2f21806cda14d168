//! Characters that look like those of TOML and are others: typographic quotes, blanks of a typesetter.

use std::ops::Range;

use toml::de::DeValue;

use super::Slip;

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
