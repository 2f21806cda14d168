//! Text as other programs send it: a byte order mark in front of it is no part of it (RFC 8259 8.1, RFC 3629 6). Every
//! reader of text that comes from elsewhere goes through here, so that all treat alike what surrounds it. Must not know
//! what the text says.

use std::borrow::Cow;

/// The octets without a byte order mark in front.
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
