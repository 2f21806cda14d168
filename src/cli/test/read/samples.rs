//! Lines about samples of round-trip times.

use super::{
    super::{
        line::{Fault, fault},
        words::{micros, millis, name, prefix},
    },
    ask::RESOLVER,
    forms,
};
use crate::{
    engine::{types::Millis, wire::rr::RrType},
    sim::{Ask, Samples},
};

pub(super) fn samples(words: &[&str]) -> Result<Samples, Fault> {
    match *words {
        ["samples", "stop"] => Ok(Samples::Stop(None)),
        ["samples", "stop", text] => Ok(Samples::Stop(Some(prefix(text)?))),
        ["sample", whose, region, ms, ref rest @ ..] => {
            let (samples, rest) = match *rest {
                [times, ref rest @ ..] if times.starts_with('x') => (self::times(times)?, rest),
                _ => (1, rest),
            };
            let every = match *rest {
                [] => None,
                ["every", long] => Some(every(long)?),
                _ => return Err(unknown(words)),
            };
            Ok(Samples::Said { prefix: prefix(whose)?, region: region.into(), ms: ms_of(ms)?, samples, every })
        }
        ["clients", whose, "ask", asked, "every", long, ref far @ ..] if !far.is_empty() => {
            let prefix = prefix(whose)?;
            let ask = Ask { name: name(asked)?, rtype: RrType::A, subnet: Some(prefix), source: RESOLVER.into() };
            let far = far.chunks(2).map(|pair| match *pair {
                [region, ms] => Ok((region.to_owned(), ms_of(ms)?)),
                _ => Err(unknown(words)),
            });
            Ok(Samples::Clients { prefix, ask, every: every(long)?, far: far.collect::<Result<_, Fault>>()? })
        }
        _ => Err(unknown(words)),
    }
}

fn every(long: &str) -> Result<Millis, Fault> {
    match millis(long)? {
        Millis::ZERO => Err(fault("samples cannot come every 0s", "write `every 1m`")),
        long => Ok(long),
    }
}

fn times(text: &str) -> Result<u32, Fault> {
    let count = text[1..].parse().ok().filter(|count| *count > 0);
    count.ok_or_else(|| fault(format!("{text} does not say how many"), "write `x10` for ten samples"))
}

fn ms_of(text: &str) -> Result<f64, Fault> {
    Ok(micros(text)? as f64 / 1000.0)
}

fn unknown(words: &[&str]) -> Fault {
    forms::unlike(words, forms::SAMPLES)
}
