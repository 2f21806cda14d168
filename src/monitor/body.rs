//! What a response's body must hold, compiled once for all targets of a monitor, and held against what comes, of which
//! no more is read than is asked for.

use std::{io, sync::Arc};

use regex::bytes::{Regex, RegexBuilder};
use reqwest::{
    Response, Version,
    header::{CONTENT_LENGTH, TRANSFER_ENCODING},
};
use serde_json::Value;

use super::{
    shared::Shared,
    words::{say, snippet},
};
use crate::{
    engine::health::outcome::Outcome,
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
    pub(super) fn get(&self, body: &[Body], max: u32) -> Result<Arc<Wanted>, Box<str>> {
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

impl Wanted {
    fn of(body: &[Body], max: u32) -> Result<Self, Box<str>> {
        // In lines, as for `tcp`.
        let regex = |text: &str| RegexBuilder::new(text).multi_line(true).crlf(true).build();
        let thing = |body: &Body| -> Result<Thing, Box<str>> {
            Ok(match body {
                Body::Contains(text) => {
                    Thing::Contains(regex(&regex::escape(text)).map_err(|error| error.to_string())?, text.clone())
                }
                Body::Matches(text) => Thing::Matches(regex(text).map_err(|error| error.to_string())?),
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
        self.hold(&seen, cut).map_err(|why| Outcome::Bad(why.into()))
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
    fn hold(&self, body: &[u8], cut: bool) -> Result<(), String> {
        let subject = if cut { format!("the first {} octets of the body", self.max) } else { "body".to_owned() };
        let verb = if cut { ("lack", "do not match") } else { ("lacks", "does not match") };
        let mut json = None;
        for thing in &self.things {
            match thing {
                Thing::Contains(regex, _) if regex.is_match(body) => {}
                Thing::Contains(_, text) => return Err(format!("{subject} {} {text:?}", verb.0)),
                Thing::Matches(regex) if regex.is_match(body) => {}
                Thing::Matches(regex) => return Err(format!("{subject} {} {:?}", verb.1, regex.as_str())),
                Thing::Json(..) if cut => return Err(format!("body is longer than {} octets", self.max)),
                Thing::Json(pointer, test) => {
                    if json.is_none() {
                        let parsed = serde_json::from_slice::<Value>(telemetry::unmarked(body));
                        json = Some(parsed.map_err(|error| format!("body is not JSON: {error}"))?);
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

fn test(compare: &Compare) -> Result<Test, Box<str>> {
    let number = |text: &str| text.parse::<f64>().map_err(|error| error.to_string());
    Ok(match compare {
        Compare::Equals(text) => Test::Equals(serde_json::from_str(text).map_err(|error| error.to_string())?),
        Compare::AtLeast(text) => Test::AtLeast(number(text)?),
        Compare::AtMost(text) => Test::AtMost(number(text)?),
    })
}

fn hold(json: &Value, pointer: &str, test: &Test) -> Result<(), String> {
    let name = if pointer.is_empty() { "the JSON value" } else { pointer };
    let Some(value) = json.pointer(pointer) else { return Err(format!("the JSON has no {name}")) };
    let shown = || snippet(value.to_string().as_bytes());
    let number = || value.as_f64().ok_or_else(|| format!("{name} is {}, no number", shown()));
    match test {
        Test::Equals(wanted) if same(value, wanted) => Ok(()),
        Test::Equals(wanted) => Err(format!("{name} is {}, not {wanted}", shown())),
        Test::AtLeast(least) if number()? >= *least => Ok(()),
        Test::AtLeast(least) => Err(format!("{name} is {}, less than {least}", shown())),
        Test::AtMost(most) if number()? <= *most => Ok(()),
        Test::AtMost(most) => Err(format!("{name} is {}, more than {most}", shown())),
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
        Wanted::of(body, 1000).expect("an expectation").hold(text.as_bytes(), false)
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
        let cut = Wanted::of(&both, 3).expect("an expectation").hold(b"a.c", true);
        assert_eq!(cut, Err("the first 3 octets of the body do not match \"^up$\"".to_owned()));
    }

    #[test]
    fn what_is_no_json_or_too_deep_or_too_long_is_told() {
        let wanted = [json("/a", Compare::Equals, "1")];
        assert_eq!(hold(&wanted, "\u{feff}{\"a\": 1}"), Ok(()), "a byte order mark is passed over");
        assert!(hold(&wanted, "<html>").expect_err("no JSON").starts_with("body is not JSON"));
        assert!(hold(&wanted, &"[".repeat(900)).expect_err("deep").starts_with("body is not JSON"));
        let cut = Wanted::of(&wanted, 7).expect("an expectation").hold(b"{\"a\": 1", true);
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
