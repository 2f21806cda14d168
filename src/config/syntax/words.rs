//! What the parser says, in our words: only of what nothing else here knows.

use std::ops::Range;

use super::Slip;

/// Parts of the parser's messages, with what is wrong, what to expect, and what to do.
const WORDS: [(&str, &str, &str, &str); 24] = [
    ("recursion", "brackets are nested too deeply", "no value is nested so deeply", "write it in fewer"),
    ("duplicate key", "a name stands twice", "here again", "keep one of them"),
    ("unclosed", "a bracket is never closed", "it is still open here", "close it"),
    ("missing comma", "a comma is missing", "in front of this", "part the items by `,`"),
    ("extra comma", "a value is missing", "in front of this comma", "take one comma out"),
    ("missing value", "a value is missing", "a value is expected here", "write it, or take the key out"),
    ("key with no value", "a key has no value", "`=` and a value are expected", "write `key = value`"),
    ("extra `=`", "a line has two `=`", "the second", "put text that holds `=` in quotes"),
    ("missing key", "a key is missing", "a key is expected here", "write `key = value`"),
    ("missing assignment", "`=` is missing", "between key and value", "write `key = value`"),
    ("must be quoted", "text must be in quotes", "without quotes it is no value", "put it in quotes"),
    (
        "radix",
        "a number is not written so",
        "digits behind `0x`, `0o` or `0b`, without a sign",
        "write it in decimal digits",
    ),
    ("leading zero", "a number begins with 0", "digits without it are expected", "take the 0 out"),
    ("numeric", "a number is not written so", "one sign and digits are expected", "write it in decimal digits"),
    ("`_` may only", "a number is not written so", "`_` stands only between digits", "write it in decimal digits"),
    ("escape", "an escape is not understood", "a backslash begins it", "double the backslash, or use single quotes"),
    (
        "unicode",
        "an escape is not understood",
        "`\\u` has four hexadecimal digits, `\\U` eight",
        "write the character itself",
    ),
    (
        "carriage return",
        "a line ends with CR alone",
        "LF, or CR and LF, is expected",
        "save the file with LF at the end of lines",
    ),
    ("comment character", "a comment holds a character that is no text", "here", "take it out"),
    ("unquoted key", "a key must be in quotes", "without quotes: letters, digits, `-`, `_`", "put it in quotes"),
    ("multi-line", "a key goes over several lines", "here", "write it on one line"),
    ("opening", "a bracket closes nothing", "no bracket is open here", "take it out"),
    ("datetime", "a date is not written so", "such as 2026-11-28", "put text in quotes"),
    (
        "unexpected",
        "this is not understood here",
        "the line should end before this",
        "put text in quotes, and each key on its own line",
    ),
];

/// A fault that the parser found.
pub(super) fn slip(text: &str, said: &str, span: Range<usize>) -> Slip {
    let span = span.start.min(text.len())..span.end.min(text.len());
    match WORDS.iter().find(|(part, ..)| said.contains(part)) {
        Some((_, message, label, remedy)) => Slip::new(span, *message, *label).remedy(*remedy),
        None => Slip::new(span, "the text is not understood here", "`key = value` or `[table]` is expected")
            .remedy("put text in quotes"),
    }
}
