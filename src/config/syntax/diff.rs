//! Lines of a diff that were pasted into a file, each with its sign in front.

use std::{borrow::Cow, ops::Range};

use super::{scan::is_ours, slip::Slip};

/// Where texts of several lines go on that begin on a line without a sign of a diff.
fn within_texts(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut open: Option<(&str, usize)> = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let (start, mut rest) = (at, line);
        at += line.len();
        if let Some((triple, from)) = open {
            let Some(close) = rest.find(triple) else { continue };
            if !text[..from].rsplit('\n').next().unwrap_or_default().starts_with(['+', '-', '>', '<']) {
                found.push(from..start + close);
            }
            rest = &rest[close + triple.len()..];
            open = None;
        }
        // Texts that begin and end on the line hold no beginning of another.
        let mut quoted = None;
        let mut letters = rest.char_indices();
        while let Some((place, letter)) = letters.next() {
            match (letter, quoted) {
                ('#', None) => break,
                ('"' | '\'', None) => {
                    let triple = if letter == '"' { "\"\"\"" } else { "\'\'\'" };
                    let Some(inside) = rest[place..].strip_prefix(triple) else {
                        quoted = Some(letter);
                        continue;
                    };
                    match inside.find(triple) {
                        Some(close) => {
                            let behind = place + close + 2 * triple.len();
                            letters.by_ref().take_while(|(at, _)| at + 1 < behind).for_each(drop);
                        }
                        None => {
                            open = Some((triple, at - rest.len() + place));
                            break;
                        }
                    }
                }
                ('\\', Some('"')) => {
                    letters.next();
                }
                (letter, Some(quote)) if letter == quote => quoted = None,
                _ => {}
            }
        }
    }
    found
}

/// The text without the numbers of its lines, octet for octet, if each line begins with its own; and what is told of them.
pub(super) fn unnumbered<'t>(text: &Cow<'t, str>) -> (Cow<'t, str>, Option<Slip>) {
    /// So many lines show that the numbers are those of lines.
    const LEAST: usize = 3;
    let number = |line: &str| -> Option<(usize, usize)> {
        let bare = line.trim_start_matches([' ', '\t']);
        let digits = bare.len() - bare.trim_start_matches(|digit: char| digit.is_ascii_digit()).len();
        let behind = &bare[digits..];
        let sign = behind.trim_start_matches([' ', '\t']).trim_start_matches([':', '|', '\u{2502}']);
        let parts = behind.starts_with([':', '|', '\t', ' ']) || behind.trim().is_empty();
        let length = line.len() - if parts { sign.len() } else { return None };
        Some((bare[..digits].parse().ok()?, length))
    };
    let (mut last, mut count, mut ours, mut clean) = (None, 0, false, String::with_capacity(text.len()));
    for line in text.split_inclusive('\n') {
        let bare = line.trim_end_matches(['\n', '\r']);
        if bare.trim().is_empty() {
            clean.push_str(line);
            continue;
        }
        match number(bare) {
            Some((number, length)) if last.is_none_or(|last| last < number) => {
                last = Some(number);
                count += 1;
                ours |= is_ours(&bare[length..]);
                clean.extend(std::iter::repeat_n(' ', length));
                clean.push_str(&line[length..]);
            }
            _ => return (text.clone(), None),
        }
    }
    if count < LEAST || !ours {
        return (text.clone(), None);
    }
    let start = text.len() - text.trim_start().len();
    let label = "as an editor or `cat -n` shows them";
    let slip = Slip::new(start..start + 1, "the lines begin with their numbers", label);
    (Cow::Owned(clean), Some(slip.remedy("take the numbers out")))
}

/// What begins a diff, and the parts of it.
pub(super) fn is_mark(line: &str) -> bool {
    let is_part = line.strip_prefix("@@ -").is_some_and(|rest| rest.contains(" @@"));
    is_part || line.starts_with("diff --git ")
}

/// The signs of the lines that a diff adds, and of those that it takes out, with a blank behind them or not.
const SIGNS: [(&str, &str); 2] = [("+", "-"), ("> ", "< ")];

/// The text without the signs of added lines and without the lines that were taken out, octet for octet; and what is told
/// of them. A text without added lines is left as it is.
pub(super) fn unmarked<'t>(text: &Cow<'t, str>) -> (Cow<'t, str>, Option<Slip>) {
    let added = |line: &str, sign: &str| line.strip_prefix(sign).is_some_and(is_ours);
    let inside = within_texts(text);
    let is_text =
        |at: usize| inside.get(inside.partition_point(|span| span.end <= at)).is_some_and(|span| span.contains(&at));
    let mut lines = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if !is_text(at) {
            lines.push(line.trim_end_matches(['\n', '\r']));
        }
        at += line.len();
    }
    let signs = SIGNS.into_iter().find(|(plus, minus)| {
        // A key may begin with `-`, a table's header may not.
        let taken_out =
            |line: &str| line.strip_prefix(minus).is_some_and(|rest| rest.starts_with('[') && is_ours(rest));
        lines.iter().any(|line| added(line, plus) || taken_out(line))
    });
    let Some((plus, minus)) = signs else { return (text.clone(), None) };
    let (mut clean, mut first, mut count) = (String::with_capacity(text.len()), None, 0);
    let mut at = 0;
    // A table's name was taken out, and no other has begun.
    let mut headless = false;
    for line in text.split_inclusive('\n') {
        let end = line.trim_end_matches(['\n', '\r']).len();
        // An empty line may have lost the blank of its sign.
        let begins = |sign: &str| !is_text(at) && (line.starts_with(sign) || line.trim_end() == sign.trim_end());
        let (is_added, is_out) = (begins(plus), begins(minus));
        if is_added || is_out {
            first = first.or(Some((at, if is_added { plus } else { minus })));
            count += 1;
        }
        let is_header = |line: &str| line.trim_start().starts_with('[') && is_ours(line);
        headless = match (is_added, is_out) {
            (true, _) => headless && !is_header(&line[plus.len()..]),
            (_, true) => headless || is_header(&line[minus.len()..]),
            _ => headless && !is_header(line),
        };
        if is_added && !headless {
            clean.push(' ');
            clean.push_str(&line[1..]);
        } else if is_out || headless {
            clean.extend(std::iter::repeat_n(' ', end));
            clean.push_str(&line[end..]);
        } else {
            clean.push_str(line);
        }
        at += line.len();
    }
    let slip = first.map(|(at, sign)| {
        let sign = sign.trim_end();
        let more = if count > 1 { format!(", the first of {count} such lines") } else { String::new() };
        let slip = Slip::new(at..at + 1, format!("a line begins with `{sign}`"), format!("as in a diff{more}"));
        slip.remedy(format!(
            "take out the sign of lines that begin with `{}`, and the whole of those that begin with `{}`",
            plus.trim_end(),
            minus.trim_end()
        ))
    });
    (Cow::Owned(clean), slip)
}
