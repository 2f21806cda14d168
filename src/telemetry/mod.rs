//! What happened, counted: one block of counters for each worker, summed when it is read; and in words: our own, and those
//! that other programs send, which every reader takes from here, so that all treat alike what surrounds them. Must not know
//! anything that could feed back into a decision; that [`answers`] tell who asks for how much is why they stand apart.

pub mod answers;
pub mod causes;
pub mod counters;
pub mod log;
pub mod signals;

use std::borrow::Cow;

/// The octets without a byte order mark in front, which is no part of a text (RFC 8259 8.1, RFC 3629 6).
#[must_use]
pub fn unmarked(octets: &[u8]) -> &[u8] {
    octets.strip_prefix(b"\xef\xbb\xbf").unwrap_or(octets)
}

/// The text of octets, without a byte order mark in front; what is not UTF-8 is replaced.
#[must_use]
pub fn text(octets: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(unmarked(octets))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_mark_in_front_is_no_part_of_a_text() {
        assert_eq!(text(b"\xef\xbb\xbf{}\r\n"), "{}\r\n");
        assert_eq!(text(b"a\xef\xbb\xbf"), "a\u{feff}");
        assert_eq!(text(b"\xef\xbb"), "\u{fffd}");
    }
}
