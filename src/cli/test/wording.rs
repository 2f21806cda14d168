//! What a simulation takes, answers and refuses, in the words of scenarios. Must not know which line says it.

use super::line::{Fault, fault};
use crate::{
    engine::wire::rr::Rcode,
    node::samples::Refused,
    sim::{Answer, Ask, Blocks, Expectation, Expected, Fare, Refusal, Unmet},
};

/// A question.
pub(super) fn question(ask: &Ask) -> String {
    let subnet = ask.subnet.map_or(String::new(), |subnet| format!(" from {subnet}"));
    format!("{} {}{subnet} by {}", ask.name, ask.rtype, ask.source)
}

/// An answer; none: silence.
pub(super) fn answer(answer: &Answer) -> String {
    let mut parts: Vec<String> = answer.cname.iter().map(|name| format!("cname {name}")).collect();
    parts.extend(answer.addresses.iter().map(ToString::to_string));
    parts.extend(answer.texts.iter().map(|text| format!("text {text:?}")));
    if parts.is_empty() {
        parts.push(match answer.rcode {
            Rcode::NoError => "nodata".into(),
            rcode => rcode.to_string().to_lowercase(),
        });
    }
    parts.extend(answer.ttl.map(|ttl| format!("ttl {ttl}")));
    parts.extend(answer.scope.map(|scope| format!("scope {scope}")));
    parts.join(" ")
}

/// What was expected and did not come.
pub(super) fn unmet(expectation: &Expectation, unmet: &Unmet) -> String {
    match unmet {
        Unmet::Answer => expected(&expectation.answer),
        Unmet::Ttl(ttl) => format!("ttl {ttl}"),
        Unmet::Scope(scope) => format!("scope {scope}"),
        Unmet::Because(reason) => format!("because {reason}"),
    }
}

/// What an answer is to be.
pub(super) fn expected(expected: &Expected) -> String {
    match expected {
        Expected::Anything => "an answer".into(),
        Expected::Addresses(addresses) => {
            let texts: Vec<String> = addresses.iter().map(ToString::to_string).collect();
            texts.join(" ")
        }
        Expected::Region(region) => format!("region {region}"),
        Expected::Endpoints(endpoints) => {
            let texts: Vec<String> = endpoints.iter().map(|endpoint| format!("endpoint {endpoint}")).collect();
            texts.join(" ")
        }
        Expected::Cname(name) => format!("cname {name}"),
        Expected::Text(text) => format!("text {text:?}"),
        Expected::NoData => "nodata".into(),
        Expected::NxDomain => "nxdomain".into(),
        Expected::ServFail => "servfail".into(),
        Expected::Refused => "refused".into(),
        Expected::FormErr => "formerr".into(),
        Expected::Silence => "silence".into(),
        Expected::Same => "the same as before".into(),
        Expected::Other => "another than before".into(),
        Expected::SameEndpoint => "the endpoint of the question before".into(),
        Expected::SameRegion => "the region of the question before".into(),
    }
}

/// Blocks, and how they are to fare.
pub(super) fn fare(blocks: &Blocks, fare: &Fare) -> String {
    let how = match fare {
        Fare::ToRegion(region) => format!("to region {region}"),
        Fare::ToEndpoint(endpoint) => format!("to endpoint {endpoint}"),
        Fare::ToAddress(address) => format!("to {address}"),
        Fare::ToNone => "to no endpoint".into(),
        Fare::Moved => "moved".into(),
        Fare::MovedFrom(region) => format!("moved from region {region}"),
    };
    format!("{} blocks of {} {how}", blocks.count, blocks.of)
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        let there = |names: &[String]| format!("there is {}", names.join(", "));
        match refusal {
            Refusal::NoConfiguration => {
                fault("there is no configuration yet", "begin with `config \"FILE\"` or a `config {` block")
            }
            Refusal::Configured => fault("there is a configuration already", "write `reload` to change it"),
            Refusal::Past { moment, now } => fault(
                format!("{moment} ms is before now, {now} ms"),
                "time only goes on: `at` counts from the beginning, `pass` from now",
            ),
            Refusal::Ended(now) => fault(
                format!("it would have ended before now, {now} ms"),
                "`until` is a moment, counted from the beginning like `at`",
            ),
            Refusal::NotAsked => fault("nothing was asked yet", "write `ask NAME TYPE` before it"),
            Refusal::NotAskedBefore => fault("this was not asked before", "ask it twice: once to compare with"),
            Refusal::NoReply => fault("there was no reply", "wait for the first round of probes: `pass 3s`"),
            Refusal::NotSteered(name) => {
                fault(format!("{name} is not steered: it has no blocks"), "`ask` for a service first")
            }
            Refusal::ByResolver(name) => fault(
                format!("{name} is answered by the resolver, whatever the client subnet"),
                "let the service have `ecs`, and `ecs.from` this resolver, to count blocks",
            ),
            Refusal::FewBlocks { of, blocks, name } => {
                fault(format!("{of} is only {blocks} blocks of {name}"), "count fewer, or name a wider prefix")
            }
            Refusal::NotRemembered => fault(
                "not all of these blocks were remembered",
                "write `remember N blocks of PREFIX` behind an `ask` first, with as many of the same blocks",
            ),
            Refusal::Sample { refused, there: regions } => {
                let remedy = match refused {
                    Refused::Region(_) => there(&regions),
                    _ => "write `sample 203.0.113.0/24 eu-west 12ms x10`".into(),
                };
                fault(format!("the sample is not taken: {refused}"), remedy)
            }
            Refusal::Unprobed => {
                fault("nobody probes it: it is always up", "give its pool a monitor, or use `force-down`")
            }
            Refusal::Canary { address, there: canaries } => fault(
                format!("no canary is at {address}"),
                if canaries.is_empty() { "add `health.canaries`".into() } else { there(&canaries) },
            ),
            Refusal::Pool { name, there: pools } => fault(format!("no pool is called {name}"), there(&pools)),
            Refusal::Region { name, there: regions } => {
                fault(format!("no region with an endpoint is called {name}"), there(&regions))
            }
            Refusal::Endpoint { name, is_region: true, .. } => {
                fault(format!("no endpoint is called {name}"), format!("for the region write `region {name}`"))
            }
            Refusal::Endpoint { name, there: endpoints, .. } => {
                fault(format!("no endpoint is called {name}"), there(&endpoints))
            }
            Refusal::Monitor { name, there: monitors } => {
                fault(format!("no monitor is called {name}"), there(&monitors))
            }
            Refusal::Bug(how) => fault(how.to_string(), "please report it"),
        }
    }
}
