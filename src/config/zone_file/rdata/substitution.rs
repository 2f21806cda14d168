//! The substitution expression of NAPTR (RFC 3402 3.2): `!pattern!replacement!i`, with any delimiter. Must not know what the
//! record's other fields say.

use regex::bytes::Regex;

use crate::config::zone_file::fields::Complaint;

/// Checks the expression in the data of a NAPTR record, which are otherwise valid. An empty one says that there is none.
pub(super) fn inspect(wire: &[u8]) -> Result<(), Complaint> {
    let mut rest = wire.get(4..).unwrap_or_default();
    let mut string = &[][..];
    for _ in 0..3 {
        let Some((length, behind)) = rest.split_first() else { return Ok(()) };
        let Some((octets, behind)) = behind.split_at_checked(usize::from(*length)) else { return Ok(()) };
        (string, rest) = (octets, behind);
    }
    check(string).map_err(|why| {
        Complaint::new(format!("the substitution {why}")).remedy("write it as `!pattern!replacement!` (RFC 3402 3.2)")
    })
}

fn check(expression: &[u8]) -> Result<(), &'static str> {
    let Some((delimiter, rest)) = expression.split_first() else { return Ok(()) };
    if delimiter.is_ascii_digit() || matches!(delimiter, b'\\' | b'i') {
        return Err("begins with a sign that is no delimiter");
    }
    let (pattern, rest) = until(*delimiter, rest).ok_or("has no second delimiter")?;
    let (replacement, flags) = until(*delimiter, rest).ok_or("has no third delimiter")?;
    if !flags.iter().all(|flag| *flag == b'i') {
        return Err("has a flag other than `i` behind its third delimiter");
    }
    // What is not UTF-8 is for no library to judge.
    let Ok(pattern) = std::str::from_utf8(&pattern) else { return Ok(()) };
    let pattern = Regex::new(pattern).map_err(|_| "has a pattern that is no regular expression")?;
    let mut octets = replacement.iter();
    while let Some(octet) = octets.next() {
        let Some(digit) = octets.as_slice().first().filter(|next| *octet == b'\\' && next.is_ascii_digit()) else {
            continue;
        };
        octets.next();
        let group = usize::from(digit - b'0');
        if group == 0 || group >= pattern.captures_len() {
            return Err("names a group that its pattern does not have");
        }
    }
    Ok(())
}

/// What stands before the next delimiter, and what behind it. One with a backslash is a sign like others, without it.
fn until(delimiter: u8, octets: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let (mut before, mut at) = (Vec::new(), 0);
    loop {
        match *octets.get(at)? {
            b'\\' if octets.get(at + 1) == Some(&delimiter) => {
                before.push(delimiter);
                at += 2;
            }
            b'\\' => {
                before.extend([b'\\', *octets.get(at + 1)?]);
                at += 2;
            }
            octet if octet == delimiter => return Some((before, &octets[at + 1..])),
            octet => {
                before.push(octet);
                at += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_held_to_rfc_3402() {
        for sound in [
            "",
            "!^.*$!sip:info@example.com!",
            r"!^(\+441632960083)$!sip:\1@example.com!",
            "!^x$!y!i",
            r"/a\/b/c\/d/",
            r"!^(.)(.)$!\2\1!",
            "!!x!",
            r"!([[:digit:]]{2,})!\1!",
        ] {
            assert_eq!(check(sound.as_bytes()), Ok(()), "{sound}");
        }
        for (broken, why) in [
            ("(", "has no second delimiter"),
            ("!a", "has no second delimiter"),
            ("!a!b", "has no third delimiter"),
            (r"!a\!b!c", "has no third delimiter"),
            ("!a!b!x", "has a flag other than `i` behind its third delimiter"),
            ("!(!b!", "has a pattern that is no regular expression"),
            (r"!a!\1!", "names a group that its pattern does not have"),
            (r"!(a)!\0!", "names a group that its pattern does not have"),
            ("1a1b1", "begins with a sign that is no delimiter"),
            (r"\a\b\", "begins with a sign that is no delimiter"),
            ("iaibi", "begins with a sign that is no delimiter"),
        ] {
            assert_eq!(check(broken.as_bytes()), Err(why), "{broken}");
        }
    }
}
