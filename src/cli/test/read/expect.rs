//! What is expected.

use std::{net::IpAddr, ops::RangeInclusive};

use super::{
    super::{
        line::{Count, Line},
        line::{Fault, fault},
        wording,
        words::{name, prefix},
    },
    forms,
};
use crate::sim::{Blocks, Expectation, Expected, Fare};

/// The most blocks that are asked for at one moment.
const MAX_BLOCKS: usize = 100_000;

pub(super) fn expect(words: &[&str]) -> Result<Line, Fault> {
    match *words {
        [times, "of", ref rest @ ..] => count(times, rest).map(Line::Count),
        ref words => answer(words).map(Line::Expect),
    }
}

fn answer(words: &[&str]) -> Result<Expectation, Fault> {
    let mut expected = Expectation { answer: Expected::Anything, ttl: None, scope: None, because: Vec::new() };
    let mut rest = words;
    while let [word, tail @ ..] = rest {
        let (outcome, tail) = match (*word, tail) {
            ("ttl", [number, tail @ ..]) => {
                let seconds = number.parse().map_err(|_| fault(format!("{number} is no TTL"), "write seconds"))?;
                expected.ttl = Some(seconds);
                (Expected::Anything, tail)
            }
            ("scope", [number, tail @ ..]) => {
                let bits = number.parse().map_err(|_| fault(format!("{number} is no scope"), "write bits"))?;
                expected.scope = Some(bits);
                (Expected::Anything, tail)
            }
            ("because", reasons) => {
                expected.because = reasons.split(|word| *word == ",").map(|reason| reason.join(" ")).collect();
                break;
            }
            ("region", [region, tail @ ..]) => (Expected::Region((*region).into()), tail),
            ("endpoint", [endpoint, tail @ ..]) => (Expected::Endpoints(vec![(*endpoint).into()]), tail),
            ("cname", [target, tail @ ..]) => (Expected::Cname(name(target)?), tail),
            ("text", [text, tail @ ..]) => (Expected::Text((*text).into()), tail),
            ("same", ["endpoint", tail @ ..]) => (Expected::SameEndpoint, tail),
            ("same", ["region", tail @ ..]) => (Expected::SameRegion, tail),
            ("same", tail) => (Expected::Same, tail),
            ("other", tail) => (Expected::Other, tail),
            ("nodata", tail) => (Expected::NoData, tail),
            ("nxdomain", tail) => (Expected::NxDomain, tail),
            ("servfail", tail) => (Expected::ServFail, tail),
            ("refused", tail) => (Expected::Refused, tail),
            ("formerr", tail) => (Expected::FormErr, tail),
            ("silence", tail) => (Expected::Silence, tail),
            ("region" | "endpoint" | "cname" | "text" | "ttl" | "scope", []) => {
                return Err(fault(format!("`{word}` of what?"), format!("write `expect {word} …`")));
            }
            (word, tail) => match word.parse() {
                Ok(address) => (Expected::Addresses(vec![address]), tail),
                Err(_) => {
                    let line = [&["expect"], words].concat();
                    return Err(fault(
                        format!("nothing is expected as `{word}`"),
                        forms::nearest(&line, forms::ANSWERS),
                    ));
                }
            },
        };
        expected.answer = joined(expected.answer, outcome)?;
        rest = tail;
    }
    let says_nothing = expected.ttl.is_none() && expected.scope.is_none() && expected.because.is_empty();
    if expected.answer == Expected::Anything && says_nothing {
        return Err(fault(
            "nothing is expected",
            "write what comes back: `expect 192.0.2.1`, `expect region NAME`, `expect nodata`",
        ));
    }
    if expected.because.iter().any(String::is_empty) {
        return Err(fault("a reason is empty", "write them as `because eu up, us behind by order`"));
    }
    Ok(expected)
}

/// Two things that one answer is to be.
fn joined(so_far: Expected, more: Expected) -> Result<Expected, Fault> {
    match (so_far, more) {
        (one, Expected::Anything) | (Expected::Anything, one) => Ok(one),
        (Expected::Addresses(mut all), Expected::Addresses(more)) => {
            all.extend(more);
            all.sort();
            Ok(Expected::Addresses(all))
        }
        (Expected::Endpoints(mut all), Expected::Endpoints(more)) => {
            all.extend(more);
            Ok(Expected::Endpoints(all))
        }
        (one, other) => Err(fault(
            format!("both {} and {} are expected", wording::expected(&one), wording::expected(&other)),
            "write two lines; both are about the last question",
        )),
    }
}

fn count(written: &str, rest: &[&str]) -> Result<Count, Fault> {
    let times = times(written)?;
    let at = rest.iter().position(|word| matches!(*word, "to" | "moved")).unwrap_or(rest.len());
    let blocks = blocks(&rest[..at])?;
    if *times.end() > blocks.count {
        return Err(fault(format!("{} of {} blocks", times.end(), blocks.count), "there cannot be more than all"));
    }
    let fare = match rest[at..] {
        ["to", "region", region] => Fare::ToRegion(region.into()),
        ["to", "endpoint", endpoint] => Fare::ToEndpoint(endpoint.into()),
        ["to", "no", "endpoint"] => Fare::ToNone,
        ["to", address] => match address.parse::<IpAddr>() {
            Ok(address) => Fare::ToAddress(address),
            Err(_) => return Err(unlike(format!("blocks do not come to `{address}`"), written, rest)),
        },
        ["moved"] => Fare::Moved,
        ["moved", "from", "region", region] => Fare::MovedFrom(region.into()),
        _ => return Err(unlike("it does not say how the blocks fare".to_owned(), written, rest)),
    };
    Ok(Count { times, blocks, fare })
}

fn unlike(cause: String, times: &str, rest: &[&str]) -> Fault {
    fault(cause, forms::nearest(&[&["expect", times, "of"], rest].concat(), forms::BLOCKS))
}

/// `300` or `280-320`.
fn times(text: &str) -> Result<RangeInclusive<usize>, Fault> {
    let (low, high) = text.split_once('-').unwrap_or((text, text));
    match (low.parse(), high.parse()) {
        (Ok(low), Ok(high)) if low <= high => Ok(low..=high),
        _ => Err(fault(format!("{text} is no number of blocks"), "write 300 or 280-320")),
    }
}

/// `64 blocks of 20.0.0.0/8`.
pub(super) fn blocks(words: &[&str]) -> Result<Blocks, Fault> {
    let [count, "blocks", "of", of] = words else {
        return Err(fault(format!("`{}` are no blocks", words.join(" ")), "write `64 blocks of 20.0.0.0/8`"));
    };
    match count.parse() {
        Ok(count @ 1..=MAX_BLOCKS) => Ok(Blocks { count, of: prefix(of)? }),
        _ => Err(fault(format!("{count} is no number of blocks"), format!("from 1 to {MAX_BLOCKS}"))),
    }
}
