//! Lines of a diff that were pasted into a file, each with its sign in front.

use std::borrow::Cow;

use super::{Slip, foreign::is_ours};

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
    let signs = SIGNS.into_iter().find(|(plus, minus)| {
        // A key may begin with `-`, a table's header may not.
        let taken_out =
            |line: &str| line.strip_prefix(minus).is_some_and(|rest| rest.starts_with('[') && is_ours(rest));
        text.lines().any(|line| added(line, plus) || taken_out(line))
    });
    let Some((plus, minus)) = signs else { return (text.clone(), None) };
    let (mut clean, mut first, mut count) = (String::with_capacity(text.len()), None, 0);
    let mut at = 0;
    // A table's name was taken out, and no other has begun.
    let mut headless = false;
    for line in text.split_inclusive('\n') {
        let end = line.trim_end_matches(['\n', '\r']).len();
        let (is_added, is_out) = (line.starts_with(plus), line.starts_with(minus));
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
