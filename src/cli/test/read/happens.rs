//! What happens: to what is probed, to loads, by operators.

use super::{
    super::{
        line::{Fault, fault},
        words::{address, micros, millis, share},
    },
    apart, forms,
};
use crate::{
    engine::{
        types::{Family, Millis},
        units::Permille,
    },
    node::overrides::Act,
    sim::{Behaviour, Happening, Who},
};

/// How soon what works answers, unless it is said: a millisecond.
const TOOK: u64 = 1000;

pub(super) fn happens(words: &[&str]) -> Result<Happening, Fault> {
    match *words {
        ["drain", ref rest @ ..] => says(rest, |_| Ok((Act::Drain(Millis::ZERO), 0))),
        ["force-up", ref rest @ ..] => says(rest, |_| Ok((Act::ForceUp, 0))),
        ["force-down", ref rest @ ..] => says(rest, |_| Ok((Act::ForceDown, 0))),
        ["weight", ref rest @ ..] => says(rest, |rest| Ok((Act::Weight(part(rest, "weight", Permille(100_000))?), 1))),
        ["shed", ref rest @ ..] => says(rest, |rest| Ok((Act::Shed(part(rest, "shed", Permille::WHOLE)?), 1))),
        ["failback", ref rest @ ..] => match who(rest)? {
            (who, []) => Ok(Happening::LetsBack(who)),
            _ => Err(unknown(words)),
        },
        ["lift", ref rest @ ..] => match who(rest)? {
            (who, []) => Ok(Happening::Lifts(who)),
            _ => Err(unknown(words)),
        },
        ["release", "region", name] => Ok(Happening::Releases(name.into())),
        ref rest => behaves(rest),
    }
}

/// Scope the first words are about, and what is left of them.
fn who<'w>(words: &'w [&'w str]) -> Result<(Who, &'w [&'w str]), Fault> {
    match words {
        ["region", name, rest @ ..] => Ok((Who::Region((*name).into()), rest)),
        ["pool", name, rest @ ..] => Ok((Who::Pool((*name).into()), rest)),
        ["canary", at, rest @ ..] => Ok((Who::Canary(address(at)?), rest)),
        [name, rest @ ..] => Ok((Who::Endpoint((*name).into()), rest)),
        [] => Err(fault(
            "it does not say what it is about",
            "write an endpoint, POOL/ENDPOINT, `region NAME`, `pool NAME` or `canary ADDRESS`",
        )),
    }
}

fn says(words: &[&str], act: impl Fn(&[&str]) -> Result<(Act, usize), Fault>) -> Result<Happening, Fault> {
    let (who, rest) = who(words)?;
    let (mut act, taken) = act(rest)?;
    let (mut until, mut reason) = (None, String::new());
    for pair in rest[taken..].chunks(2) {
        match (pair, act) {
            (["over", long], Act::Drain(_)) => act = Act::Drain(millis(long)?),
            (["until", moment], _) => until = Some(millis(moment)?.0),
            (["reason", text], _) => reason = (*text).into(),
            (other, _) => {
                let cause = format!("`{}` is no part of an override", other.join(" "));
                return Err(fault(
                    cause,
                    "behind it there may be `over 10m` (of a drain), `until 20m` and `reason \"…\"`",
                ));
            }
        }
    }
    Ok(Happening::Says { who, act, until, reason })
}

fn part(rest: &[&str], what: &str, most: Permille) -> Result<Permille, Fault> {
    let text = rest.first().ok_or_else(|| fault(format!("{what} of how much?"), format!("write `{what} WHO 50%`")))?;
    match share(text).map(Permille)? {
        parts if parts > most => Err(fault(format!("{text} is too much"), format!("at most {}%", most.0 / 10))),
        parts => Ok(parts),
    }
}

fn behaves(words: &[&str]) -> Result<Happening, Fault> {
    let (who, rest) = who(words)?;
    let (family, rest) = match rest {
        ["v4", rest @ ..] => (Some(Family::V4), rest),
        ["v6", rest @ ..] => (Some(Family::V6), rest),
        rest => (None, rest),
    };
    let (monitor, rest) = match rest {
        ["by", monitor, rest @ ..] => (Some((*monitor).into()), rest),
        rest => (None, rest),
    };
    let how = match *rest {
        ["reports", "nothing"] if family.is_none() && monitor.is_none() => return Ok(Happening::Reports(who, None)),
        ["reports", load] if family.is_none() && monitor.is_none() => {
            let number = load.parse().ok().filter(|load: &f64| load.is_finite() && *load >= 0.0);
            let number = number.ok_or_else(|| {
                fault(
                    format!("{load} is no load"),
                    "write a number, in the unit of the configured capacities, or `nothing`",
                )
            })?;
            return Ok(Happening::Reports(who, Some(number)));
        }
        ["heals"] => Behaviour::Works(TOOK),
        ["answers", "in", long] => Behaviour::Works(micros(long)?),
        ["fails"] => Behaviour::Fails("connection refused".into()),
        ["fails", why] => Behaviour::Fails(why.into()),
        ["hangs"] => Behaviour::Hangs,
        ["flaps", "every", long] => match millis(long)? {
            Millis::ZERO => return Err(fault("it cannot flap every 0s", "write `flaps every 2s`")),
            long => Behaviour::Flaps(long),
        },
        ["loses", "its", "route"] => Behaviour::NoRoute,
        _ => return Err(unknown(words)),
    };
    Ok(Happening::Behaves(who, family, monitor, how))
}

fn unknown(words: &[&str]) -> Fault {
    match apart::remedy(words) {
        Some(remedy) => fault(format!("`{}` says nothing", words.join(" ")), remedy),
        None => forms::unlike(words, forms::HAPPENS),
    }
}
