//! DNS names as people write them, in a configuration or on a command line: by the rules of zone files (RFC 1035 5.1), and
//! in ASCII, as clients ask for them. Must not know what a name is for.
//!
//! A name outside ASCII is refused, with the form to write in its place. It is made by IDNA 2008 as UTS #46 has it
//! (without the transitional mapping of ß and final ς). Hyphens and underscores are let through wherever they stand, since
//! names in use have them there (`_dmarc`, `r3---sn`), and the rule of STD 3 is one for hosts; lengths are held by the name
//! itself.

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};

use crate::engine::wire::name::{MAX_LABEL, MAX_NAME, Name, NameFault};

/// Why a text is no name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAName {
    /// Why.
    pub cause: String,
    /// What to write, where that is known.
    pub remedy: Option<String>,
}

/// Reads a name; the final dot is optional.
///
/// # Errors
/// Says which rule it breaks, and what to write.
pub fn read(text: &str) -> Result<Name, NotAName> {
    let fault = |cause: String, remedy: Option<String>| Err(NotAName { cause, remedy });
    if text.is_empty() {
        return fault("the name is empty".to_owned(), None);
    }
    if !text.is_ascii() {
        return match in_ascii(text) {
            Some(ascii) => {
                fault(format!("outside ASCII; clients ask for it as {ascii}"), Some(format!("write \"{ascii}\"")))
            }
            None if text.contains(is_odd) => fault(
                "outside ASCII, and with signs that no name has".to_owned(),
                Some("write the name alone, in its ASCII form".to_owned()),
            ),
            None => match a_labels(text).map(|ascii| Name::from_text(&ascii)) {
                Some(Err(error)) => {
                    let is_long = matches!(error, NameFault::LongLabel | NameFault::LongName);
                    let remedy = if is_long { "shorten it" } else { "write its ASCII form" };
                    fault(format!("outside ASCII, and in ASCII no name: {error}"), Some(remedy.to_owned()))
                }
                _ => fault(
                    "outside ASCII, and not a name that IDNA 2008 allows".to_owned(),
                    Some("write its ASCII form".to_owned()),
                ),
            },
        };
    }
    let error = match Name::from_text(text) {
        Ok(name) => return Ok(name),
        Err(error) => error,
    };
    match error {
        NameFault::EmptyLabel => {
            let plain: Vec<&str> = text.split('.').filter(|label| !label.is_empty()).collect();
            let remedy = (!plain.is_empty()).then(|| format!("write \"{}\"", plain.join(".")));
            let label = if text.starts_with('.') {
                "it begins with a dot: a label is empty"
            } else {
                "a label is empty: there are two dots in a row"
            };
            fault(label.to_owned(), remedy)
        }
        NameFault::LongLabel => {
            let long = text.split('.').find(|label| label.len() > MAX_LABEL).unwrap_or_default();
            let start: String = long.chars().take(12).collect();
            fault(
                format!("the label {start}… has {} octets, more than {MAX_LABEL}", long.len()),
                Some("shorten it".to_owned()),
            )
        }
        NameFault::LongName => {
            fault(format!("the name is longer than {MAX_NAME} octets"), Some("shorten it".to_owned()))
        }
        other => fault(
            other.to_string(),
            Some("write the character itself, or `\\DDD`, its octet in three digits".to_owned()),
        ),
    }
}

/// A name outside ASCII as clients ask for it; none where IDNA allows no such name.
#[must_use]
pub fn in_ascii(text: &str) -> Option<String> {
    let ascii = a_labels(text).filter(|_| !text.contains(is_odd))?;
    Name::from_text(&ascii).is_ok().then_some(ascii)
}

/// Whether no name as people write them has this sign, such as those of a URL; it would become a part of an A-label.
fn is_odd(sign: char) -> bool {
    sign.is_ascii() && !sign.is_ascii_alphanumeric() && !matches!(sign, '-' | '_' | '.' | '*')
}

/// A name with its A-labels, which may be too long; none where IDNA allows no such name.
fn a_labels(text: &str) -> Option<String> {
    let made = Uts46::new().to_ascii(text.as_bytes(), AsciiDenyList::EMPTY, Hyphens::Allow, DnsLength::Ignore);
    made.ok().map(std::borrow::Cow::into_owned)
}

/// The name in a URL, or in a text with a port or a path.
#[must_use]
pub fn host_of(text: &str) -> &str {
    let host = text.split_once("://").map_or(text, |(_, rest)| rest);
    let host = host.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    host.split(':').next().unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_outside_ascii_is_refused_with_its_a_label() {
        for (text, ascii) in [
            ("bücher.example.com", "xn--bcher-kva.example.com"),
            ("BÜCHER.Example", "xn--bcher-kva.example"),
            ("*.bücher.example.", "*.xn--bcher-kva.example."),
            ("_dmarc.bücher.example", "_dmarc.xn--bcher-kva.example"),
            ("straße.example", "xn--strae-oqa.example"),
            ("中文。example", "xn--fiq228c.example"),
            ("bu\u{308}cher.example", "xn--bcher-kva.example"),
        ] {
            let NotAName { cause, remedy } = read(text).expect_err(text);
            assert_eq!(cause, format!("outside ASCII; clients ask for it as {ascii}"), "{text}");
            assert_eq!(remedy, Some(format!("write \"{ascii}\"")));
        }
        let long = read(&format!("{}.example", "ü".repeat(70))).expect_err("too long");
        assert!(long.cause.starts_with("outside ASCII, and in ASCII no name: "), "{}", long.cause);
        let empty = read("ü..g.test").expect_err("an empty label");
        assert_eq!(empty.remedy.as_deref(), Some("write its ASCII form"));
        for text in ["http://ü.g.test/", "ü.g.test:53", "ü b.g.test", "ü\\046x.g.test", "ü@g.test"] {
            assert_eq!(read(text).expect_err(text).cause, "outside ASCII, and with signs that no name has", "{text}");
        }
        let none = read("a\u{fffd}.example").expect_err("no character of a name");
        assert_eq!(none.cause, "outside ASCII, and not a name that IDNA 2008 allows");
    }

    #[test]
    fn names_in_ascii_are_read_as_in_zone_files() {
        for text in [
            "www.example.com",
            "www.example.com.",
            "_sip._tcp.example",
            "*.example",
            "xn--bcher-kva.example",
            r"a\.b.example",
            "-a-.b--c.example",
            ".",
        ] {
            assert_eq!(
                read(text).map(|name| name.wire().len()).ok(),
                Name::from_text(text).map(|name| name.wire().len()).ok(),
                "{text}"
            );
            assert!(read(text).is_ok(), "{text}");
        }
        for (text, cause, remedy) in [
            (".www.example", "it begins with a dot: a label is empty", Some("write \"www.example\"")),
            ("www..example", "a label is empty: there are two dots in a row", Some("write \"www.example\"")),
            ("", "the name is empty", None),
            (
                r"a\999.example",
                "a backslash needs a character or three digits up to 255 behind it",
                Some("write the character itself, or `\\DDD`, its octet in three digits"),
            ),
        ] {
            let told = read(text).expect_err(text);
            assert_eq!((told.cause.as_str(), told.remedy.as_deref()), (cause, remedy), "{text}");
        }
        let long = format!("{}.example", "x".repeat(64));
        assert_eq!(read(&long).expect_err("long").cause, "the label xxxxxxxxxxxx… has 64 octets, more than 63");
    }
}
