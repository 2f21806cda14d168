//! A line to its words, and words to times, shares, prefixes and names. Must not know what a scenario is.

use std::net::IpAddr;

use super::line::{Fault, fault};
use crate::{
    config::dns_name::{self, NotAName},
    engine::{
        types::{Millis, Prefix},
        wire::name::Name,
    },
};

/// A line's words, and its texts in quotes; commas are words of their own. `#` begins a comment.
pub(super) fn words(line: &str) -> Result<Vec<String>, Fault> {
    let mut found: Vec<String> = Vec::new();
    let mut rest = line;
    while let Some(at) = rest.find(['"', '#']) {
        plain(&rest[..at], &mut found);
        if rest[at..].starts_with('#') {
            return Ok(found);
        }
        let (text, behind) =
            rest[at + 1..].split_once('"').ok_or_else(|| fault("a quote is not closed", "write \"…\" on one line"))?;
        found.push(text.to_owned());
        rest = behind;
    }
    plain(rest, &mut found);
    Ok(found)
}

fn plain(text: &str, found: &mut Vec<String>) {
    found.extend(text.replace(',', " , ").split_whitespace().map(str::to_owned));
}

/// The longest time of a scenario: every probe of it is played.
const LONGEST: Millis = Millis::seconds(168 * 3600);

/// A while, or how long after the beginning a moment is.
pub(super) fn millis(text: &str) -> Result<Millis, Fault> {
    let found = measured(text, &[("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000)])
        .map(Millis)
        .ok_or_else(|| fault(format!("{text} is no time"), "write 500ms, 10s, 5m or 1h"))?;
    if found > LONGEST {
        return Err(fault(format!("{text} is too long"), "a scenario plays every probe: write a week, 168h, at most"));
    }
    Ok(found)
}

/// A while in microseconds.
pub(super) fn micros(text: &str) -> Result<u64, Fault> {
    measured(text, &[("us", 1), ("ms", 1000), ("s", 1_000_000)])
        .ok_or_else(|| fault(format!("{text} is no time to answer in"), "write 500us, 20ms or 1s"))
}

/// A share in parts of a thousand.
pub(super) fn share(text: &str) -> Result<u32, Fault> {
    let parts = text.strip_suffix('%').and_then(|number| {
        let (whole, tenth) = number.split_once('.').unwrap_or((number, "0"));
        let tenth = tenth.parse::<u32>().ok().filter(|_| tenth.len() == 1)?;
        whole.parse::<u32>().ok()?.checked_mul(10)?.checked_add(tenth)
    });
    parts.ok_or_else(|| fault(format!("{text} is no share"), "write 50% or 12.5%"))
}

fn measured(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let split = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(split);
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

/// A prefix, with no bit set beyond its length.
pub(super) fn prefix(text: &str) -> Result<Prefix, Fault> {
    let net: ipnet::IpNet =
        text.parse().map_err(|_| fault(format!("{text} is no prefix"), "write 192.0.2.0/24 or 2001:db8::/48"))?;
    if net.trunc() != net {
        return Err(fault(format!("{text} has bits set beyond its length"), format!("write {}", net.trunc())));
    }
    Ok(Prefix::new(net.addr(), net.prefix_len()))
}

/// An address.
pub(super) fn address(text: &str) -> Result<IpAddr, Fault> {
    text.parse().map_err(|_| fault(format!("{text} is no address"), "write 192.0.2.53 or 2001:db8::53"))
}

/// A name.
pub(super) fn name(text: &str) -> Result<Name, Fault> {
    dns_name::read(text).map_err(|NotAName { cause, remedy }| {
        fault(format!("{text} is no name: {cause}"), remedy.unwrap_or_else(|| "write www.example.com".to_owned()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_quotes_and_comments_are_told_apart() {
        let read = |line: &str| words(line).map_err(|fault| fault.cause);
        assert_eq!(read("eu fails \"status #5, no\" # why").unwrap(), ["eu", "fails", "status #5, no"]);
        assert_eq!(read("because a up,b down").unwrap(), ["because", "a", "up", ",", "b", "down"]);
        assert_eq!(read("# nothing \"").unwrap(), Vec::<String>::new());
        assert_eq!(read("eu fails \"status"), Err("a quote is not closed".to_owned()));
    }

    #[test]
    fn quantities_are_exact_or_refused() {
        assert_eq!(
            ["250ms", "10s", "2m", "1h"].map(|text| millis(text).ok()),
            [250, 10_000, 120_000, 3_600_000].map(|millis| Some(Millis(millis)))
        );
        assert_eq!(
            ["", "10", "s", "1.5s", "1d", "99999999999999999999s", "9999999999999999h"].map(|text| millis(text).ok()),
            [None; 7]
        );
        assert_eq!(["50%", "12.5%", "0%"].map(|text| share(text).ok()), [500, 125, 0].map(Some));
        assert_eq!(["50", "%", "1.25%", "-1%"].map(|text| share(text).ok()), [None; 4]);
        assert!(prefix("192.0.2.1/24").is_err_and(|fault| fault.remedy.contains("192.0.2.0/24")));
    }
}
