//! What is kept of what a command prints: the beginning, for whoever reads it, and the end, for whoever tells people.

use std::mem;

use tokio::io::{AsyncRead, AsyncReadExt};

/// So many octets are kept from the beginning.
const HEAD: usize = 4096;
/// And so many before the end.
const TAIL: usize = 512;
/// No line that people are told is longer, in characters.
const LINE: usize = 200;

/// What a command printed, as far as it is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    head: Vec<u8>,
    tail: Vec<u8>,
    /// How many octets it was.
    total: u64,
}

impl Kept {
    /// Reads to the end, keeping little.
    pub(super) async fn read(&mut self, pipe: Option<impl AsyncRead + Unpin>) {
        let Some(mut pipe) = pipe else { return };
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = pipe.read(&mut buffer).await {
            self.take(&buffer[..count]);
        }
    }

    fn take(&mut self, octets: &[u8]) {
        self.total += octets.len() as u64;
        let room = (HEAD - self.head.len()).min(octets.len());
        self.head.extend_from_slice(&octets[..room]);
        self.tail.extend_from_slice(octets);
        if self.tail.len() > TAIL {
            let rest = self.tail.split_off(self.tail.len() - TAIL);
            drop(mem::replace(&mut self.tail, rest));
        }
    }

    /// The first 4 KiB of it.
    #[must_use]
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// Whether [`head`](Self::head) is all of it.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.total == self.head.len() as u64
    }

    /// The last line that says something, for people: without what would disturb a terminal or a log, and cut where it
    /// is long. None: there was none.
    #[must_use]
    pub fn last_line(&self) -> Option<String> {
        let text = String::from_utf8_lossy(&self.tail);
        let line = text.lines().rev().map(str::trim).find(|line| !line.is_empty())?;
        let shown = |letter: char| if letter.is_control() { ' ' } else { letter };
        Some(line.chars().take(LINE).map(shown).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(parts: &[&[u8]]) -> Kept {
        let mut kept = Kept::default();
        parts.iter().for_each(|part| kept.take(part));
        kept
    }

    #[test]
    fn beginning_and_end_are_kept_and_nothing_between() {
        let many = [b'x'; 3000];
        let long = kept(&[b"first\n", &many, &many, b"\nthe", b" last\n\n"]);
        assert_eq!((long.head().len(), long.is_whole()), (HEAD, false));
        assert!(long.head().starts_with(b"first\n"));
        assert!(long.tail.len() <= TAIL);
        assert_eq!(long.last_line().as_deref(), Some("the last"));
        let short = kept(&[b"all"]);
        assert_eq!((short.head(), short.is_whole()), (&b"all"[..], true));
    }

    #[test]
    fn a_line_for_people_is_short_and_plain() {
        assert_eq!(kept(&[b"\x1b[31mred\tand \xff\r\n"]).last_line().as_deref(), Some(" [31mred and \u{fffd}"));
        assert_eq!(kept(&[&[b'y'; 600]]).last_line().map(|line| line.len()), Some(LINE));
        assert_eq!(kept(&[b" \n\n"]).last_line(), None);
        assert_eq!(kept(&[]).last_line(), None);
    }
}
