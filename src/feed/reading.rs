//! Numbers that were read, and the load that they make: as they are, or by how much they grow in a second, or one divided
//! by another; and what all readers of pages share, of which the one of JSON needs no more. Pure.

use serde_json::Value;

use super::error::ReadError;
use crate::engine::{signal::load::is_load, types::At};

/// A number, and what it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number {
    /// So much there is now.
    Now(f64),
    /// So much there has been since some start.
    Total(f64),
}

/// What was read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Reading {
    /// The number.
    pub(super) number: Number,
    /// What it is divided by.
    pub(super) per: Option<Number>,
}

impl Reading {
    /// A number that is the load.
    pub(super) const fn now(number: f64) -> Self {
        Self { number: Number::Now(number), per: None }
    }

    /// A number whose growth is the load.
    pub(super) const fn total(number: f64) -> Self {
        Self { number: Number::Total(number), per: None }
    }
}

/// Remembers the last reading, since growth needs two.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Meter {
    before: Option<(At, Reading)>,
}

impl Meter {
    /// The load at a moment; none where growth is asked for and cannot be told yet: at first, and when a
    /// number has fallen, since whoever counts has begun anew.
    pub(super) fn take(&mut self, now: At, reading: Reading) -> Result<Option<f64>, ReadError> {
        let Reading { number, per } = reading;
        for Number::Now(value) | Number::Total(value) in [Some(number), per].into_iter().flatten() {
            if !(value.is_finite() && value >= 0.0) {
                return Err(ReadError::NotALoad(value));
            }
        }
        let before = self.before.replace((now, reading));
        let grown = |number: Number, old: fn(&Reading) -> Option<Number>| match number {
            Number::Now(value) => Some(value),
            Number::Total(value) => {
                let (since, reading) = before?;
                let (Number::Now(old) | Number::Total(old)) = old(&reading)?;
                let seconds = now.since(since).0 as f64 / 1000.0;
                (value >= old && seconds > 0.0).then(|| (value - old) / seconds)
            }
        };
        let Some(load) = grown(number, |reading| Some(reading.number)) else { return Ok(None) };
        let load = match per {
            None => load,
            Some(per) => match (grown(per, |reading| reading.per), per) {
                (None, _) => return Ok(None),
                // Nothing has happened: nobody had anything to do.
                (Some(0.0), Number::Total(_)) if load == 0.0 => 0.0,
                (Some(0.0), _) => return Err(ReadError::DividedByZero),
                (Some(per), _) => load / per,
            },
        };
        if is_load(load) { Ok(Some(load)) } else { Err(ReadError::NotALoad(load)) }
    }
}

/// The number that a text is.
pub(super) fn number(text: &str) -> Result<f64, ReadError> {
    text.trim().parse().map_err(|_| ReadError::NotANumber(quoted(text)))
}

/// Reads a page of JSON: the number at a pointer, or the number that a text there is.
pub(super) fn json(text: &str, pointer: &str) -> Result<Reading, ReadError> {
    let page: Value = serde_json::from_str(text).map_err(|_| unlike(text, "JSON"))?;
    match page.pointer(pointer) {
        Some(Value::Number(value)) => value.as_f64().map(Reading::now).ok_or(ReadError::NumberDoesNotFit),
        Some(Value::String(text)) => number(text).map(Reading::now),
        Some(other) => Err(ReadError::NoNumberAt { pointer: pointer.into(), found: quoted(&other.to_string()) }),
        None => Err(ReadError::NothingAt(pointer.into())),
    }
}

/// A text for people, cut where it is long.
pub(super) fn quoted(text: &str) -> Box<str> {
    const MOST: usize = 40;
    let text = text.trim();
    let more = if text.chars().count() > MOST { "…" } else { "" };
    let shown: String = text.chars().take(MOST).collect();
    format!("{shown:?}{more}").into()
}

/// What to say of a page that is not in the form that was expected.
pub(super) fn unlike(text: &str, expected: &str) -> ReadError {
    let start = text.trim_start();
    let html = start.get(..14).is_some_and(|start| start.eq_ignore_ascii_case("<!doctype html"))
        || start.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("<html"));
    let expected = expected.into();
    if html {
        ReadError::Html { expected }
    } else if start.is_empty() {
        ReadError::EmptyPage { expected }
    } else {
        ReadError::AnotherForm { expected, start: quoted(start) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ratio(number: Number, per: Number) -> Reading {
        Reading { number, per: Some(per) }
    }

    #[test]
    fn what_is_there_counts_at_once_and_what_adds_up_from_the_second_time() {
        let mut meter = Meter::default();
        assert_eq!(meter.take(At(0), Reading::now(7.5)), Ok(Some(7.5)));
        let mut meter = Meter::default();
        assert_eq!(meter.take(At(1000), Reading::total(100.0)), Ok(None));
        assert_eq!(meter.take(At(3000), Reading::total(150.0)), Ok(Some(25.0)));
        assert_eq!(meter.take(At(3000), Reading::total(150.0)), Ok(None), "no time has passed");
        assert_eq!(meter.take(At(4000), Reading::total(20.0)), Ok(None), "it has begun anew");
        assert_eq!(meter.take(At(5000), Reading::total(20.0)), Ok(Some(0.0)));
    }

    #[test]
    fn one_number_is_divided_by_another() {
        use Number::{Now, Total};
        let mut meter = Meter::default();
        assert_eq!(meter.take(At(0), ratio(Now(30.0), Now(40.0))), Ok(Some(0.75)));
        assert!(meter.take(At(0), ratio(Now(30.0), Now(0.0))).is_err());
        let mut meter = Meter::default();
        assert_eq!(meter.take(At(0), ratio(Total(10.0), Total(100.0))), Ok(None));
        assert_eq!(meter.take(At(2000), ratio(Total(15.0), Total(120.0))), Ok(Some(0.25)));
        assert_eq!(meter.take(At(4000), ratio(Total(15.0), Total(120.0))), Ok(Some(0.0)), "nothing was done");
        assert!(meter.take(At(6000), ratio(Total(16.0), Total(120.0))).is_err(), "work without requests");
        assert_eq!(meter.take(At(8000), ratio(Total(20.0), Now(4.0))), Ok(Some(0.5)), "growth ÷ what there is");
    }

    #[test]
    fn what_can_be_no_load_is_refused_and_leaves_no_trace() {
        let mut meter = Meter::default();
        meter.take(At(0), Reading::total(10.0)).expect("a number");
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0] {
            assert!(meter.take(At(500), Reading::now(value)).is_err(), "{value}");
            assert!(meter.take(At(500), Reading::total(value)).is_err(), "{value}");
            assert!(meter.take(At(500), ratio(Number::Now(1.0), Number::Now(value))).is_err(), "{value}");
        }
        assert_eq!(meter.take(At(1000), Reading::total(15.0)), Ok(Some(5.0)));
        for (value, shown) in [(1e12, "1000000000000"), (-1.5, "-1.5"), (1e308, "1e308"), (f64::INFINITY, "inf")] {
            let told = Meter::default().take(At(0), Reading::now(value)).expect_err("no load");
            assert_eq!(told.to_string(), format!("{shown} is no load: a number from 0 to below 1e12 is"));
        }
        assert_eq!(Meter::default().take(At(0), Reading::now(9.99e11)), Ok(Some(9.99e11)));
    }

    #[test]
    fn a_page_of_another_form_is_told_as_what_it_is() {
        assert_eq!(unlike("\n<!DOCTYPE HTML><p>", "JSON").to_string(), "the page is HTML, not JSON");
        assert_eq!(unlike(" ", "JSON").to_string(), "the page is empty, not JSON");
        let long = unlike(&"é".repeat(50), "JSON");
        assert_eq!(long.to_string(), format!("the page is not JSON: it begins with \"{}\"…", "é".repeat(40)));
    }

    #[test]
    fn json_is_a_number_or_a_text_that_is_one() {
        for (text, pointer, value) in [
            ("12.5", "", 12.5),
            ("{\"load\": 7}", "/load", 7.0),
            ("{\"a/b\": [{\"~\": \" 3e2 \"}]}", "/a~1b/0/~0", 300.0),
        ] {
            assert_eq!(json(text, pointer), Ok(Reading::now(value)), "{text}");
        }
    }

    #[test]
    fn json_that_is_no_number_is_told() {
        for (text, pointer, told) in [
            ("{}", "/load", "there is nothing at \"/load\""),
            ("{\"load\": null}", "/load", "what is at \"/load\" is no number: \"null\""),
            ("{\"load\": \"much\"}", "/load", "\"much\" is no number"),
            ("{\"load\": NaN}", "/load", "the page is not JSON: it begins with \"{\\\"load\\\": NaN}\""),
            ("<html>", "/load", "the page is HTML, not JSON"),
        ] {
            assert_eq!(json(text, pointer).map_err(|error| error.to_string()), Err(told.to_owned()));
        }
        // Deeper than any page is, and larger than any number.
        assert!(json(&"[".repeat(100_000), "").is_err() && json("1e999", "").is_err());
    }
}
