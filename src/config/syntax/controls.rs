//! Control characters, which no text of a configuration may hold.

use std::borrow::Cow;

use super::Slip;

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
