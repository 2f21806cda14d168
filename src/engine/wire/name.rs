//! Domain names in wire form: length octet, label, … and the zero octet. Case is kept, and never distinguishes two
//! names (RFC 4343 3). Must not know what any name holds.

use std::fmt;

/// The most octets a name may take, its length octets and final zero counted (RFC 1035 2.3.4).
pub const MAX_NAME: usize = 255;
/// The most octets of one label.
pub const MAX_LABEL: usize = 63;

/// An absolute, uncompressed name. Equality, order and hash ignore ASCII case and nothing else.
#[derive(Clone)]
pub struct Name(Box<[u8]>);

impl Default for Name {
    /// The root.
    fn default() -> Self {
        Self(Box::new([0]))
    }
}

/// Why a text or a run of octets is no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameFault {
    /// A label of no octets, as in `a..b`.
    EmptyLabel,
    /// A label of more than 63 octets.
    LongLabel,
    /// More than 255 octets in all.
    LongName,
    /// A backslash that no character or three-digit number up to 255 follows.
    BadEscape,
    /// Octets that end inside the name, or a compression pointer.
    Cut,
}

impl fmt::Display for NameFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EmptyLabel => "a label is empty",
            Self::LongLabel => "a label is longer than 63 octets",
            Self::LongName => "the name is longer than 255 octets",
            Self::BadEscape => "a backslash needs a character or three digits up to 255 behind it",
            Self::Cut => "the name is cut short",
        })
    }
}

impl std::error::Error for NameFault {}

impl Name {
    /// The root.
    #[must_use]
    pub fn root() -> Self {
        Self(Box::new([0]))
    }

    /// Reads presentation format (RFC 1035 5.1): labels between dots, `\X` and `\DDD` escapes, the final dot
    /// optional, `.` alone the root.
    ///
    /// # Errors
    /// Says which rule of names the text breaks.
    pub fn from_text(text: &str) -> Result<Self, NameFault> {
        if text == "." {
            return Ok(Self::root());
        }
        let mut wire = vec![0u8];
        let mut start = 0;
        let mut octets = text.bytes();
        let close = |wire: &mut Vec<u8>, start: usize| {
            let len = wire.len() - start - 1;
            match len {
                0 => Err(NameFault::EmptyLabel),
                1..=MAX_LABEL => {
                    wire[start] = len as u8;
                    Ok(())
                }
                _ => Err(NameFault::LongLabel),
            }
        };
        while let Some(octet) = octets.next() {
            match octet {
                b'.' => {
                    close(&mut wire, start)?;
                    start = wire.len();
                    wire.push(0);
                }
                b'\\' => {
                    let first = octets.next().ok_or(NameFault::BadEscape)?;
                    if first.is_ascii_digit() {
                        let mut digit = || octets.next().filter(u8::is_ascii_digit).ok_or(NameFault::BadEscape);
                        let (second, third) = (digit()?, digit()?);
                        let value = [first, second, third].iter().fold(0u16, |v, d| v * 10 + u16::from(d - b'0'));
                        wire.push(u8::try_from(value).map_err(|_| NameFault::BadEscape)?);
                    } else {
                        wire.push(first);
                    }
                }
                other => wire.push(other),
            }
        }
        if wire.len() - start > 1 {
            close(&mut wire, start)?;
            wire.push(0);
        } else if start == 0 {
            return Err(NameFault::EmptyLabel);
        }
        if wire.len() > MAX_NAME { Err(NameFault::LongName) } else { Ok(Self(wire.into())) }
    }

    /// Takes over octets in wire form: exactly one uncompressed name and nothing behind it.
    ///
    /// # Errors
    /// When they are not that.
    pub fn from_wire(wire: &[u8]) -> Result<Self, NameFault> {
        let mut at = 0;
        loop {
            match *wire.get(at).ok_or(NameFault::Cut)? {
                0 if at + 1 == wire.len() => break,
                0 => return Err(NameFault::Cut),
                len if len as usize > MAX_LABEL => return Err(NameFault::Cut),
                len => at += 1 + len as usize,
            }
        }
        if wire.len() > MAX_NAME { Err(NameFault::LongName) } else { Ok(Self(wire.into())) }
    }

    /// The octets, as they go on the wire.
    #[must_use]
    pub fn wire(&self) -> &[u8] {
        &self.0
    }

    /// The same name in small letters.
    #[must_use]
    pub fn folded(&self) -> Self {
        Self(self.0.to_ascii_lowercase().into())
    }

    /// The labels, leftmost first, without the root.
    #[must_use]
    pub fn labels(&self) -> Labels<'_> {
        Labels(&self.0)
    }

    /// The name and every name above it down to the root, in wire form.
    pub(in crate::engine) fn tails(&self) -> impl Iterator<Item = &[u8]> {
        std::iter::successors(Some(&*self.0), |name| {
            name.get(usize::from(*name.first()?) + 1..).filter(|above| !above.is_empty())
        })
    }

    /// The name without its leftmost label; none for the root.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        let first = usize::from(*self.0.first()?);
        (first != 0).then(|| Self(self.0[first + 1..].into()))
    }

    /// Whether this name is `other` or lies below it.
    #[must_use]
    pub fn is_within(&self, other: &Self) -> bool {
        let mut rest = &*self.0;
        while rest.len() > other.0.len() {
            rest = &rest[rest[0] as usize + 1..];
        }
        rest.eq_ignore_ascii_case(&other.0)
    }

    /// Whether the leftmost label is `*` (RFC 4592 2.1.1).
    #[must_use]
    pub fn is_wildcard(&self) -> bool {
        self.0.starts_with(b"\x01*")
    }

    /// This name with one more label in front.
    ///
    /// # Errors
    /// When the label or the name gets too long.
    pub fn prepend(&self, label: &[u8]) -> Result<Self, NameFault> {
        match label.len() {
            0 => return Err(NameFault::EmptyLabel),
            1..=MAX_LABEL => {}
            _ => return Err(NameFault::LongLabel),
        }
        let mut wire = Vec::with_capacity(self.0.len() + label.len() + 1);
        wire.push(label.len() as u8);
        wire.extend_from_slice(label);
        wire.extend_from_slice(&self.0);
        if wire.len() > MAX_NAME { Err(NameFault::LongName) } else { Ok(Self(wire.into())) }
    }
}

/// The labels of a name in wire form, leftmost first.
#[derive(Clone, Debug)]
pub struct Labels<'a>(&'a [u8]);

impl<'a> Iterator for Labels<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let len = usize::from(*self.0.first()?);
        if len == 0 {
            return None;
        }
        let label = self.0.get(1..=len)?;
        self.0 = &self.0[len + 1..];
        Some(label)
    }
}

/// Writes a name in wire form as people read it: with a final dot, and escapes where RFC 1035 5.1 wants them.
pub fn write_text(wire: &[u8], out: &mut impl fmt::Write) -> fmt::Result {
    let mut any = false;
    for label in Labels(wire) {
        any = true;
        for &octet in label {
            match octet {
                b'.' | b'\\' | b'"' | b'(' | b')' | b';' | b'@' | b'$' => write!(out, "\\{}", octet as char)?,
                0x21..=0x7e => out.write_char(octet as char)?,
                _ => write!(out, "\\{octet:03}")?,
            }
        }
        out.write_char('.')?;
    }
    if any { Ok(()) } else { out.write_char('.') }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_text(&self.0, f)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_text(&self.0, f)
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for Name {}

impl std::hash::Hash for Name {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        for octet in &self.0 {
            state.write_u8(octet.to_ascii_lowercase());
        }
    }
}

impl Ord for Name {
    /// Canonical order (RFC 4034 6.1): by labels from the right, each as folded octets.
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        canonical(&self.0, &other.0)
    }
}

/// The canonical order of two names in wire form.
pub(in crate::engine) fn canonical(ours: &[u8], theirs: &[u8]) -> std::cmp::Ordering {
    type All<'n> = arrayvec::ArrayVec<&'n [u8], 128>;
    let (ours, theirs): (All<'_>, All<'_>) = (Labels(ours).collect(), Labels(theirs).collect());
    let folded =
        |(a, b): (&&[u8], &&[u8])| a.iter().map(u8::to_ascii_lowercase).cmp(b.iter().map(u8::to_ascii_lowercase));
    let mut differing = ours.iter().rev().zip(theirs.iter().rev()).map(folded).filter(|order| order.is_ne());
    differing.next().unwrap_or_else(|| ours.len().cmp(&theirs.len()))
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_wire_agree() {
        for (text, wire) in [
            ("www.Example.com", &b"\x03www\x07Example\x03com\0"[..]),
            (".", b"\0"),
            (r"a\.b.\000\255.", b"\x03a.b\x02\0\xff\0"),
        ] {
            let name = Name::from_text(text).expect(text);
            assert_eq!(name.wire(), wire);
            assert_eq!(Name::from_text(&name.to_string()).expect("printed").wire(), wire);
        }
    }

    #[test]
    fn the_limits_are_exact() {
        let label = "x".repeat(63);
        let longest = format!("{label}.{label}.{label}.{}", "x".repeat(61));
        assert_eq!(Name::from_text(&longest).map(|n| n.wire().len()), Ok(255));
        assert_eq!(Name::from_text(&format!("{longest}x")).err(), Some(NameFault::LongName));
        assert_eq!(Name::from_text(&"x".repeat(64)).err(), Some(NameFault::LongLabel));
        assert_eq!(Name::from_text("a..b").err(), Some(NameFault::EmptyLabel));
        assert_eq!(Name::from_text("").err(), Some(NameFault::EmptyLabel));
        assert_eq!(Name::from_text(r"a\256").err(), Some(NameFault::BadEscape));
        assert_eq!(Name::from_text(r"a\").err(), Some(NameFault::BadEscape));
    }

    #[test]
    fn order_is_canonical() {
        // RFC 4034 6.1's own example.
        let order = [
            "example",
            "a.example",
            "yljkjljk.a.example",
            "Z.a.example",
            "zABC.a.EXAMPLE",
            "z.example",
            r"\001.z.example",
            "*.z.example",
            r"\200.z.example",
        ];
        let names: Vec<_> = order.iter().map(|t| Name::from_text(t).expect(t)).collect();
        assert!(names.is_sorted() && names.windows(2).all(|w| w[0] < w[1]));
    }

    #[test]
    fn within_goes_by_whole_labels_and_folds_case() {
        let name = |t: &str| Name::from_text(t).expect(t);
        assert!(name("a.EXAMPLE.com").is_within(&name("example.com")));
        assert!(name("example.com").is_within(&name("example.com")));
        assert!(!name("badexample.com").is_within(&name("example.com")));
        assert!(!name("com").is_within(&name("example.com")));
        assert_eq!(name("A.b"), name("a.B"));
    }
}
