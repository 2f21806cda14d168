//! What numbers and verdicts of a recording mean, in words. Must not know the explanation's shape.

use crate::engine::{
    geo::{COARSE, How, Measured, PLACE, SCALE_ONE, Start},
    live::eligible::{Exclusion, Standing},
    steer::trace::{Basis, Lack, Rung, TtlFrom},
    types::{Family, Millis, Prefix},
    units::{Admission, Kilometres, Permille},
    world::policy::{Key, Policy, Spread},
};

/// A key and a value of it.
pub(super) fn in_words(key: Key, value: u32) -> (&'static str, String) {
    match (key, value) {
        (Key::Order, value) => ("order", value.to_string()),
        (Key::Rtt, u32::MAX) => ("rtt", "unknown".into()),
        (Key::Distance, u32::MAX) => ("distance", "unknown".into()),
        (Key::Rtt, places @ PLACE..) => ("rtt", format!("place {}", places / PLACE)),
        (Key::Distance, places @ PLACE..) => ("distance", format!("place {}", places / PLACE)),
        (Key::Rtt, tenths) => ("rtt", format!("{}.{} ms", tenths / 10, tenths % 10)),
        (Key::Distance, km) => ("distance", Kilometres(km).to_string()),
        (Key::Geo, u32::MAX) => ("geo", "not listed".into()),
        (Key::Geo, place) => ("geo", format!("place {}", place + 1)),
        (Key::Load, parts) => ("load", Permille(parts).to_string()),
        (Key::Response, tenths) => ("response", format!("{}.{} ms", tenths / 10, tenths % 10)),
    }
}

/// What a key goes by when no region whose order is kept can answer.
pub(super) fn beyond_depth(key: Key) -> String {
    let (name, step) = (in_words(key, 0).0, COARSE.0 / 10);
    let by = match key {
        Key::Geo => {
            "the order that holds for most of the catchment decides, then a time, else the region's name".into()
        }
        Key::Distance => {
            format!("the distance from most of the catchment decides, in steps of {step} ms of round trip")
        }
        _ => format!("the time expected from most of the catchment decides, in steps of {step} ms"),
    };
    format!("{name}: none of the first `depth` regions of the client's order can answer, so {by}")
}

/// A draw.
pub(super) fn drew(draw: u64, of: u64, slot: Option<u64>) -> String {
    let slot = slot.map_or(String::new(), |slot| format!(", slot {slot}"));
    match of {
        0 => format!("{draw:016x} seeds a weighted rendezvous"),
        of => format!("{draw:016x} mod {of} = {}{slot}", draw % of),
    }
}

/// What the query's number says of the order of an answer.
pub(super) fn first(number: u64, of: u64) -> String {
    format!("{number:016x} mod {of} = {}: what stands first, the others in turn", number % of.max(1))
}

/// Whose address located the client, and what that makes of the scope.
pub(super) fn basis_in_words(basis: Basis, block: Prefix) -> (&'static str, String) {
    match basis {
        Basis::Subnet => ("the client subnet option", format!("the block {block} is answered alike")),
        Basis::Source => ("the sender's address", String::new()),
        Basis::Anonymous => ("the sender's address: SOURCE is 0", "SOURCE is 0".into()),
        Basis::Distrusted => ("the sender's address: it is not in ecs.from", "the option was not used".into()),
        Basis::Special => {
            let scope = "the special-purpose block that the option names".into();
            ("the sender's address: the option names a special-purpose block", scope)
        }
        Basis::Unused => ("the sender's address: the service uses no client subnet", "the option was not used".into()),
        Basis::NotAsked => ("no address: no policy of the service asks for one", "the client was not consulted".into()),
    }
}

/// A policy's rules in words, in the configuration's own spelling.
pub(super) fn rules(policy: &Policy) -> String {
    let key = |(key, tolerance): &(Key, u32)| match (in_words(*key, *tolerance), tolerance) {
        ((name, _), 0) => name.to_owned(),
        ((name, text), _) => format!("{name} (tolerance {text})"),
    };
    let prefer = if policy.prefer.is_empty() {
        "nothing preferred".to_owned()
    } else {
        format!("prefer {}", policy.prefer.iter().map(key).collect::<Vec<_>>().join(", then "))
    };
    let spread = match policy.spread {
        Spread::Weighted => "weighted",
        Spread::RoundRobin => "round-robin",
        Spread::Hash => "hash",
        Spread::Random => "random",
        Spread::All => "all",
    };
    let answers = if policy.answers > 1 { format!(", {} answers", policy.answers) } else { String::new() };
    format!("{prefer}; spread {spread}{answers}")
}

/// An admission as a percentage.
pub(super) fn admission(share: Admission) -> String {
    Permille((u64::from(share.0) * 1000).div_ceil(u64::from(Admission::ALL.0)) as u32).to_string()
}

/// How an endpoint stands, and its first verdict.
pub(super) fn verdict(verdict: Result<Standing, Exclusion>) -> (&'static str, &'static str) {
    match verdict {
        Ok(Standing::Up) => ("up", "eligible"),
        Ok(Standing::Failing) => ("up, failing", "eligible"),
        Ok(Standing::Held) => ("held up", "eligible: held up against its probes"),
        Ok(Standing::Unknown) => ("unknown", "eligible: nothing in the pool is known to be up"),
        Ok(Standing::Ignored) => ("down", "eligible: health is ignored"),
        Ok(Standing::Distrusted) => ("-", "eligible: too few are up for health to be believed"),
        Ok(Standing::LastKnown) => ("down", "eligible: it was up when last anybody was"),
        Ok(Standing::Lifted) => ("-", "eligible: operators have left nobody else"),
        Err(Exclusion::Down) => ("down", "out: down"),
        Err(Exclusion::Unknown) => ("unknown", "out: nothing is known of it, and others are up"),
        Err(Exclusion::Held) => ("held", "out: held by the governor, and nothing beside it is truly up"),
        Err(Exclusion::Weightless) => ("-", "out: weight 0"),
        Err(Exclusion::Fenced) => ("-", "out: a fence keeps this client out"),
        Err(Exclusion::NotAskedFor) => ("-", "out: not of the region that is asked for"),
        Err(Exclusion::FamilyDown(Family::V4)) => ("IPv4 down", "out for A: its IPv4 is down"),
        Err(Exclusion::FamilyDown(Family::V6)) => ("IPv6 down", "out for AAAA: its IPv6 is down"),
        Err(Exclusion::NoFamily(Family::V4)) => ("-", "out for A: it has no IPv4 address"),
        Err(Exclusion::NoFamily(Family::V6)) => ("-", "out for AAAA: it has no IPv6 address"),
        Err(Exclusion::OtherName) => ("-", "out: another name, and addresses were chosen"),
        Err(Exclusion::FirstChoice) => ("-", "out: the first choice's region"),
        Err(Exclusion::ForcedDown) => ("-", "out: forced down"),
        Err(Exclusion::Drained) => ("up", "out: drained"),
        Err(Exclusion::BeyondLimit) => ("up", "out: beyond the policy's limit"),
    }
}

/// How far down the ladder an answer was found.
pub(super) fn rung(rung: Rung) -> &'static str {
    match rung {
        Rung::Preferred => "a pool with eligible endpoints",
        Rung::Relaxed => "a pool with endpoints that are up, with admission, drains and limits set aside",
        Rung::AllDown => "all down: when_all_down answers",
        Rung::Lifted => "operators have left nobody: what they said is set aside",
        Rung::Fenced => "fences leave this client nothing: when_fenced answers",
    }
}

/// The same, where the pool answers the name and less was asked of it for one family.
pub(super) fn rung_alone(at: Rung, family: Family) -> &'static str {
    match (at, family) {
        (Rung::Relaxed, Family::V4) => {
            "for A alone: endpoints whose IPv4 is up, with admission, drains and limits set aside"
        }
        (Rung::Relaxed, Family::V6) => {
            "for AAAA alone: endpoints whose IPv6 is up, with admission, drains and limits set aside"
        }
        (Rung::AllDown, Family::V4) => "for A alone: the pool has lost IPv4, when_all_down answers",
        (Rung::AllDown, Family::V6) => "for AAAA alone: the pool has lost IPv6, when_all_down answers",
        _ => rung(at),
    }
}

/// Why a pool does not answer.
pub(super) fn lack(lack: Lack) -> &'static str {
    match lack {
        Lack::NoneEligible => "none of its endpoints is eligible",
        Lack::TooFew => "too few in it are healthy",
        Lack::Held => "the governor holds what could answer, and nothing in it is truly up",
        Lack::Guess => "nothing in it is known to be up, and a pool before it is held",
        Lack::NoneAdmits => "none of its endpoints takes this block",
        Lack::NoneAlive(Family::V4) => "for A alone: no eligible endpoint has IPv4 alive and takes this block",
        Lack::NoneAlive(Family::V6) => "for AAAA alone: no eligible endpoint has IPv6 alive and takes this block",
    }
}

/// What a TTL comes from.
pub(super) fn ttl(from: TtlFrom) -> String {
    match from {
        TtlFrom::Calm => "nothing it rests on is moving: ttl.max".into(),
        TtlFrom::ChangeIn(0) => "what it rests on can change at any moment: ttl.min".into(),
        TtlFrom::ChangeIn(ms) => {
            format!("what it rests on can change in {ms} ms, within ttl.min and ttl.max")
        }
        TtlFrom::Uncertain => "the answer is a guess: ttl.min".into(),
        TtlFrom::Negative => "negative: the smallest of the SOA's TTL, its MINIMUM and ttl.min".into(),
    }
}

/// What an estimate rests on, in words.
pub fn rests_on(how: How) -> String {
    match how {
        How::Measured(whose, Measured { samples, age, .. }) => match samples {
            Some(samples) => format!("measured for {whose}: {samples} samples, {} old", span(age)),
            None => format!("stated for {whose}"),
        },
        How::Modelled(from, scale) => {
            let from = match from {
                Start::Coordinates => "the client's coordinates",
                Start::Centroid => "where the country's people live",
            };
            match scale {
                SCALE_ONE => from.into(),
                scale => format!(
                    "{from}, times {}.{:03} like what is measured",
                    scale.0 / SCALE_ONE.0,
                    scale.0 % SCALE_ONE.0
                ),
            }
        }
        How::Order(place) => format!("`geo.default`, place {}", place + 1),
        How::UnknownClient => "nothing: the client's place is unknown".into(),
        How::UnknownRegion => "nothing: the region has no location".into(),
    }
}

/// A length of time in its largest whole unit.
fn span(length: Millis) -> String {
    match length.0 / 1000 {
        seconds @ ..120 => format!("{seconds} s"),
        seconds @ ..7200 => format!("{} min", seconds / 60),
        seconds @ ..172_800 => format!("{} h", seconds / 3600),
        seconds => format!("{} d", seconds / 86_400),
    }
}
