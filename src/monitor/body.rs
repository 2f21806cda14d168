//! What a response's body must hold, compiled once for all targets of a monitor, and held against what comes, of which
//! no more is read than is asked for.

use std::{fmt, io, sync::Arc};

use regex::bytes::{Regex, RegexBuilder};
use reqwest::{
    Response, Version,
    header::{CONTENT_LENGTH, TRANSFER_ENCODING},
};
use serde_json::Value;

use super::{
    cache::Shared,
    error_text::{Unfit, say, snippet},
};
use crate::{
    engine::health::fold::Outcome,
    probing::check::{Body, Compare},
    telemetry::{self, causes},
};

/// Expectations by what is written of them.
#[derive(Debug, Default)]
pub(super) struct Bodies(Shared<(Vec<Body>, u32), Wanted>);

impl Bodies {
    /// The expectation of these things, within so many octets.
    ///
    /// # Errors
    /// Says what cannot be compiled. The configuration has been read by then.
    pub(super) fn get(&self, body: &[Body], max: u32) -> Result<Arc<Wanted>, Unfit> {
        self.0.get((body.to_vec(), max), |(body, max)| Wanted::of(body, *max))
    }
}

/// What a body must hold: all of it.
#[derive(Debug)]
pub(super) struct Wanted {
    things: Vec<Thing>,
    max: usize,
}

#[derive(Debug)]
enum Thing {
    /// As a regular expression, which is looked for quickly.
    Contains(Regex, Box<str>),
    Matches(Regex),
    Json(Box<str>, Test),
}

#[derive(Debug)]
enum Test {
    Equals(Value),
    AtLeast(f64),
    AtMost(f64),
}

/// What a body lacks; what was found is cut where it is long.
#[derive(Debug, thiserror::Error)]
enum Mismatch {
    #[error("{seen} {} {text:?}", seen.verb("lacks", "lack"))]
    Lacks { seen: Seen, text: Box<str> },
    #[error("{seen} {} {pattern:?}", seen.verb("does not match", "do not match"))]
    DoesNotMatch { seen: Seen, pattern: Box<str> },
    #[error("body is longer than {0} octets")]
    TooLong(usize),
    #[error("body is not JSON: {0}")]
    NotJson(#[source] serde_json::Error),
    #[error("the JSON has no {name}")]
    Missing { name: Box<str> },
    #[error("{name} is {found}, no number")]
    NotANumber { name: Box<str>, found: String },
    #[error("{name} is {found}, not {wanted}")]
    Differs { name: Box<str>, found: String, wanted: Value },
    #[error("{name} is {found}, less than {least}")]
    TooSmall { name: Box<str>, found: String, least: f64 },
    #[error("{name} is {found}, more than {most}")]
    TooLarge { name: Box<str>, found: String, most: f64 },
}

/// How much of a body was looked at.
#[derive(Clone, Copy, Debug)]
enum Seen {
    Whole,
    /// So many octets, and more came.
    Beginning(usize),
}

impl Seen {
    fn verb(self, one: &'static str, many: &'static str) -> &'static str {
        if matches!(self, Self::Whole) { one } else { many }
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole => f.write_str("body"),
            Self::Beginning(octets) => write!(f, "the first {octets} octets of the body"),
        }
    }
}

impl Wanted {
    fn of(body: &[Body], max: u32) -> Result<Self, Unfit> {
        // In lines, as for `tcp`.
        let regex = |text: &str| RegexBuilder::new(text).multi_line(true).crlf(true).build();
        let thing = |body: &Body| -> Result<Thing, Unfit> {
            Ok(match body {
                Body::Contains(text) => Thing::Contains(regex(&regex::escape(text))?, text.clone()),
                Body::Matches(text) => Thing::Matches(regex(text)?),
                Body::Json(pointer, compare) => Thing::Json(pointer.clone(), test(compare)?),
            })
        };
        Ok(Self { things: body.iter().map(thing).collect::<Result<_, _>>()?, max: max as usize })
    }

    /// Reads as much as it takes.
    pub(super) async fn judge(&self, response: &mut Response) -> Result<(), Outcome> {
        let mut seen: Vec<u8> = Vec::new();
        let mut lacking = self.only_texts();
        let cut = loop {
            let chunk = match response.chunk().await {
                Ok(Some(chunk)) => chunk,
                Ok(None) => break false,
                Err(error) if ends_so(response, &error) => break false,
                Err(error) => return Err(say(&error)),
            };
            let (room, before) = (self.max - seen.len(), seen.len());
            seen.extend_from_slice(&chunk[..chunk.len().min(room)]);
            if let Some(lacking) = &mut lacking {
                // A hit may begin in an earlier chunk.
                lacking.retain(|(regex, text)| !regex.is_match(&seen[(before + 1).saturating_sub(text.len())..]));
                if lacking.is_empty() {
                    return Ok(());
                }
            }
            if chunk.len() > room {
                break true;
            }
        };
        self.hold(&seen, cut).map_err(|why| Outcome::Bad(why.to_string().into()))
    }

    /// The texts that are looked for, if nothing else is: what comes after the last of them need not be read.
    fn only_texts(&self) -> Option<Vec<(&Regex, &str)>> {
        let text = |thing: &'_ Thing| matches!(thing, Thing::Contains(..));
        let texts = self.things.iter().filter_map(|thing| match thing {
            Thing::Contains(regex, text) => Some((regex, &**text)),
            _ => None,
        });
        self.things.iter().all(text).then(|| texts.collect())
    }

    /// Holds everything against a body, or against its beginning where it was cut.
    fn hold(&self, body: &[u8], cut: bool) -> Result<(), Mismatch> {
        let seen = if cut { Seen::Beginning(self.max) } else { Seen::Whole };
        let mut json = None;
        for thing in &self.things {
            match thing {
                Thing::Contains(regex, _) if regex.is_match(body) => {}
                Thing::Contains(_, text) => return Err(Mismatch::Lacks { seen, text: text.clone() }),
                Thing::Matches(regex) if regex.is_match(body) => {}
                Thing::Matches(regex) => return Err(Mismatch::DoesNotMatch { seen, pattern: regex.as_str().into() }),
                Thing::Json(..) if cut => return Err(Mismatch::TooLong(self.max)),
                Thing::Json(pointer, test) => {
                    if json.is_none() {
                        let parsed = serde_json::from_slice::<Value>(telemetry::unmarked(body));
                        json = Some(parsed.map_err(Mismatch::NotJson)?);
                    }
                    if let Some(json) = &json {
                        hold(json, pointer, test)?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// Whether an error is only how the body ends. One whose length is not said ends with the connection, and many servers
/// close one over TLS without a farewell (`close_notify`), which ordinary clients take for the end.
fn ends_so(response: &Response, error: &reqwest::Error) -> bool {
    let header = response.headers();
    let is_chunked = header.get_all(TRANSFER_ENCODING).iter().next_back().is_some_and(|coding| {
        let last = coding.as_bytes().rsplit(|octet| *octet == b',').next().unwrap_or_default();
        last.trim_ascii().eq_ignore_ascii_case(b"chunked")
    });
    let is_open = !is_chunked && (header.contains_key(TRANSFER_ENCODING) || !header.contains_key(CONTENT_LENGTH));
    let is_over = |error: &io::Error| error.kind() == io::ErrorKind::UnexpectedEof;
    is_open
        && response.version() < Version::HTTP_2
        && causes::chain(error).any(|cause| cause.downcast_ref().is_some_and(is_over))
}

fn test(compare: &Compare) -> Result<Test, Unfit> {
    Ok(match compare {
        Compare::Equals(text) => Test::Equals(serde_json::from_str(text)?),
        Compare::AtLeast(text) => Test::AtLeast(text.parse()?),
        Compare::AtMost(text) => Test::AtMost(text.parse()?),
    })
}

fn hold(json: &Value, pointer: &str, test: &Test) -> Result<(), Mismatch> {
    let name = || Box::from(if pointer.is_empty() { "the JSON value" } else { pointer });
    let Some(value) = json.pointer(pointer) else { return Err(Mismatch::Missing { name: name() }) };
    let found = || snippet(value.to_string().as_bytes());
    let number = || value.as_f64().ok_or_else(|| Mismatch::NotANumber { name: name(), found: found() });
    match test {
        Test::Equals(wanted) if same(value, wanted) => Ok(()),
        Test::Equals(wanted) => Err(Mismatch::Differs { name: name(), found: found(), wanted: wanted.clone() }),
        Test::AtLeast(least) if number()? >= *least => Ok(()),
        Test::AtLeast(least) => Err(Mismatch::TooSmall { name: name(), found: found(), least: *least }),
        Test::AtMost(most) if number()? <= *most => Ok(()),
        Test::AtMost(most) => Err(Mismatch::TooLarge { name: name(), found: found(), most: *most }),
    }
}

/// The same value; 1 and 1.0 are.
fn same(one: &Value, other: &Value) -> bool {
    one == other || matches!((one.as_f64(), other.as_f64()), (Some(one), Some(other)) if one == other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hold(body: &[Body], text: &str) -> Result<(), String> {
        held(1000, body, text.as_bytes(), false)
    }

    fn held(max: u32, wanted: &[Body], body: &[u8], cut: bool) -> Result<(), String> {
        Wanted::of(wanted, max).expect("an expectation").hold(body, cut).map_err(|why| why.to_string())
    }

    fn json(pointer: &str, compare: fn(Box<str>) -> Compare, to: &str) -> Body {
        Body::Json(pointer.into(), compare(to.into()))
    }

    #[test]
    fn json_values_are_compared_as_what_they_are() {
        let body = r#"{"status": "ok", "load": 0.75, "n": 1, "a/b": {"c": [true, null]}, "big": 18446744073709551615}"#;
        let good = [
            json("/status", Compare::Equals, r#""ok""#),
            json("/load", Compare::AtLeast, "0.75"),
            json("/load", Compare::AtMost, "0.75"),
            json("/n", Compare::Equals, "1.0"),
            json("/a~1b/c/0", Compare::Equals, "true"),
            json("/big", Compare::Equals, "18446744073709551615"),
        ];
        assert_eq!(hold(&good, body), Ok(()));
        let bad = [
            (json("/status", Compare::Equals, r#""up""#), r#"/status is "ok", not "up""#),
            (json("/status", Compare::AtLeast, "1"), r#"/status is "ok", no number"#),
            (json("/load", Compare::AtLeast, "0.8"), "/load is 0.75, less than 0.8"),
            (json("/load", Compare::AtMost, "0.5"), "/load is 0.75, more than 0.5"),
            (json("/none", Compare::Equals, "1"), "the JSON has no /none"),
            (json("", Compare::AtMost, "5"), "no number"),
        ];
        for (wanted, why) in bad {
            let said = hold(&[wanted], body).expect_err(why);
            assert!(said.contains(why), "{said}");
        }
    }

    #[test]
    fn everything_must_hold_together() {
        let both = [Body::Contains("a.c".into()), Body::Matches("^up$".into())];
        assert_eq!(hold(&both, "a.c\r\nup\r\n"), Ok(()), "in lines");
        assert_eq!(hold(&both, "abc\nup"), Err("body lacks \"a.c\"".to_owned()), "text is no pattern");
        assert_eq!(hold(&both, "a.c\nupper"), Err("body does not match \"^up$\"".to_owned()));
        let cut = held(3, &both, b"a.c", true);
        assert_eq!(cut, Err("the first 3 octets of the body do not match \"^up$\"".to_owned()));
    }

    #[test]
    fn what_is_no_json_or_too_deep_or_too_long_is_told() {
        let wanted = [json("/a", Compare::Equals, "1")];
        assert_eq!(hold(&wanted, "\u{feff}{\"a\": 1}"), Ok(()), "a byte order mark is passed over");
        assert!(hold(&wanted, "<html>").expect_err("no JSON").starts_with("body is not JSON"));
        assert!(hold(&wanted, &"[".repeat(900)).expect_err("deep").starts_with("body is not JSON"));
        let cut = held(7, &wanted, b"{\"a\": 1", true);
        assert_eq!(cut, Err("body is longer than 7 octets".to_owned()));
    }

    #[test]
    fn targets_of_one_monitor_share_what_is_compiled() {
        let bodies = Bodies::default();
        let body = [Body::Matches("up".into())];
        let one = bodies.get(&body, 10).expect("one");
        assert!(Arc::ptr_eq(&one, &bodies.get(&body, 10).expect("the same")));
        assert!(!Arc::ptr_eq(&one, &bodies.get(&body, 11).expect("another")));
        assert!(bodies.get(&[Body::Matches("(".into())], 10).is_err());
    }
}
