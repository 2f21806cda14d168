//! Files whose octets are not all UTF-8, as text: each octet outside it becomes one character of a private range, so that
//! nothing is lost, columns stay what an editor shows, and the octet can be had back. Must not know what a file means.

use std::borrow::Cow;

/// The character that would stand for octet 0; those of 0x80 to 0xff are in use. They lie in a private-use area. Where a
/// file holds one of them as UTF-8, its three octets are kept as three of them.
const FIRST: u32 = 0xef00;

/// Octets as text.
pub(super) fn text(octets: Vec<u8>) -> String {
    let octets = match String::from_utf8(octets) {
        Ok(text) if !text.contains(is_stray) => return text,
        Ok(text) => text.into_bytes(),
        Err(error) => error.into_bytes(),
    };
    let mut text = String::with_capacity(octets.len() + 64);
    for chunk in octets.utf8_chunks() {
        for character in chunk.valid().chars() {
            if is_stray(character) {
                text.extend(character.encode_utf8(&mut [0; 4]).bytes().filter_map(stray));
            } else {
                text.push(character);
            }
        }
        text.extend(chunk.invalid().iter().copied().filter_map(stray));
    }
    text
}

/// Whether a character stands for an octet that is not UTF-8.
fn is_stray(character: char) -> bool {
    (FIRST + 0x80..=FIRST + 0xff).contains(&u32::from(character))
}

/// The character for an octet of 0x80 and above.
fn stray(octet: u8) -> Option<char> {
    char::from_u32(FIRST + u32::from(octet)).filter(|_| !octet.is_ascii())
}

/// The octet that the character at the start of these stands for, if it is such a one; the character has three octets.
pub(super) fn octet(utf8: &[u8]) -> Option<u8> {
    match *utf8 {
        [0xee, second @ (0xbe | 0xbf), third, ..] => Some(0x80 | (second & 1) << 6 | third & 0x3f),
        _ => None,
    }
}

/// A text as people are shown it: with the sign for "no character" where an octet is not UTF-8. Offsets stay as they are.
pub(super) fn shown(text: &str) -> Cow<'_, str> {
    if text.contains(is_stray) { Cow::Owned(text.replace(is_stray, "\u{fffd}")) } else { Cow::Borrowed(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The octets that a text stands for.
    fn back(text: &str) -> Vec<u8> {
        let (mut rest, mut octets) = (text.as_bytes(), Vec::new());
        while let [first, behind @ ..] = rest {
            match octet(rest) {
                Some(octet) => (octets.push(octet), rest = &rest[3..]).1,
                None => (octets.push(*first), rest = behind).1,
            }
        }
        octets
    }

    #[test]
    fn every_octet_comes_back_and_takes_one_column() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(back(&text(all.clone())), all);
        assert_eq!(text(all).chars().count(), 256);
        for octets in
            [&b"caf\xe9"[..], "café".as_bytes(), "\u{ef80}\u{efff}\u{ef7f}".as_bytes(), b"\xee\xbe", b"\xff\xc3"]
        {
            assert_eq!(back(&text(octets.to_vec())), octets);
        }
        assert_eq!(text("café".into()), "café");
        let latin = text(b"caf\xe9 \xe8".to_vec());
        assert_eq!(shown(&latin), "caf\u{fffd} \u{fffd}");
        assert_eq!(shown(&latin).len(), latin.len());
    }
}
