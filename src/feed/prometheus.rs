//! Metrics in the text format of Prometheus (version 0.0.4), and of OpenMetrics as far as that is the same. Only lines
//! of the metric that is asked for are read; others may look as they like.

use super::{
    error::ReadError,
    reading::{Number, Reading, number, quoted, unlike},
};

/// Labels by name.
type Labels = [(Box<str>, Box<str>)];

/// Reads a page: the sum of a metric's series that have these labels, divided by that of another's.
pub(super) fn read(text: &str, metric: &str, labels: &Labels, per: Option<&str>) -> Result<Reading, ReadError> {
    let number = sum(text, metric, labels)?;
    let per = per.map(|per| sum(text, per, labels)).transpose()?;
    Ok(Reading { number, per })
}

fn sum(text: &str, metric: &str, wanted: &Labels) -> Result<Number, ReadError> {
    let mut sum = None;
    for line in text.lines() {
        let Some(rest) = line.trim_start().strip_prefix(metric) else { continue };
        if !rest.starts_with(['{', ' ', '\t']) {
            continue;
        }
        let broken = || ReadError::BrokenLine { metric: metric.into(), line: quoted(line) };
        // Tokens may be apart by any number of blanks and tabs.
        let (found, rest) = labels(rest.trim_start()).ok_or_else(broken)?;
        // A label that a series lacks is an empty one.
        let has = |name: &str| found.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value);
        if !wanted.iter().all(|(name, value)| has(name) == &**value) {
            continue;
        }
        let value = rest.split_whitespace().next().ok_or_else(broken)?;
        // Go writes infinity with and without a sign, and so does Rust read it.
        let value = number(value).map_err(|_| broken())?;
        if !(value.is_finite() && value >= 0.0) {
            return Err(ReadError::SeriesIsNoLoad { metric: metric.into(), value });
        }
        sum = Some(sum.unwrap_or(0.0) + value);
    }
    match sum {
        Some(sum) if counts(text, metric) => Ok(Number::Total(sum)),
        Some(sum) => Ok(Number::Now(sum)),
        None if text.lines().any(|line| comment(line, "TYPE").or_else(|| comment(line, "HELP")).is_some()) => {
            Err(ReadError::NoSeries { metric: metric.into(), labelled: !wanted.is_empty() })
        }
        None => Err(unlike(text, &format!("a text of metrics with `{metric}`"))),
    }
}

/// The words of a comment of this kind, such as `TYPE`.
fn comment<'l>(line: &'l str, kind: &str) -> Option<std::str::SplitWhitespace<'l>> {
    let mut words = line.trim_start().strip_prefix('#')?.split_whitespace();
    (words.next() == Some(kind)).then_some(words)
}

/// The labels of a series, and what stands behind them.
fn labels(text: &str) -> Option<(Vec<(&str, String)>, &str)> {
    let mut found = Vec::new();
    let Some(mut rest) = text.strip_prefix('{') else { return Some((found, text)) };
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if let Some(behind) = rest.strip_prefix('}') {
            return Some((found, behind));
        }
        let (name, behind) = rest.split_once('=')?;
        let (value, behind) = value(behind.trim_start().strip_prefix('"')?)?;
        found.push((name.trim(), value));
        rest = behind;
    }
}

/// A label's value, whose opening quote is gone, and what stands behind its closing one.
fn value(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(match letters.next()?.1 {
                'n' => '\n',
                other => other,
            }),
            other => value.push(other),
        }
    }
    None
}

/// Whether a metric only grows: its type says so, or without one its name.
fn counts(text: &str, metric: &str) -> bool {
    let kind = |of: &str| {
        text.lines().find_map(|line| {
            let mut words = comment(line, "TYPE")?;
            (words.next() == Some(of)).then(|| words.next().unwrap_or_default())
        })
    };
    let family =
        |suffix: &str, kinds: &[&str]| metric.strip_suffix(suffix).and_then(kind).map(|kind| kinds.contains(&kind));
    match kind(metric) {
        Some(kind) => kind == "counter",
        None => family("_total", &["counter"])
            .or_else(|| family("_count", &["histogram", "summary"]))
            .or_else(|| family("_sum", &["histogram", "summary"]))
            .or_else(|| family("_bucket", &["histogram"]))
            .unwrap_or_else(|| metric.ends_with("_total")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# HELP inflight Requests in flight.\n# TYPE inflight gauge\n\
        inflight{job=\"web\",code=\"a\\\\b\\\"c\\nd,}\"} 3 1700000000000\n\
        inflight{ job = \"web\" , zone=\"é\", } 4.5\n\
        inflight{job=\"db\"}\t100\n\
        inflight_limit{job=\"web\"} 1e1\n\
        # TYPE served_total counter\nserved_total 8 # {trace_id=\"x\"} 1\n\
        # TYPE om counter\nom_total{} 9\n\
        # TYPE took histogram\ntook_bucket{le=\"+Inf\"} 5\ntook_sum 2.5\ntook_count 5\n\
        # TYPE odd_total gauge\nodd_total 6\n\
        plain 7\nplain_total 8\n\
        apart\t{ job = \"web\" , zone = \"a\" }  \t12\n  #\tTYPE  spaced_total\tgauge\n\tspaced_total\t13\r\n\
        bad{job=\"web\" 1\nnan NaN\ninf +Inf\nminus -1\nword one\n# EOF\n";

    fn labels_of(pairs: &[(&str, &str)]) -> Vec<(Box<str>, Box<str>)> {
        pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
    }

    fn one(metric: &str, labels: &[(&str, &str)]) -> Result<Number, String> {
        read(PAGE, metric, &labels_of(labels), None).map(|reading| reading.number).map_err(|error| error.to_string())
    }

    #[test]
    fn series_that_have_the_labels_are_summed() {
        assert_eq!(one("inflight", &[]), Ok(Number::Now(107.5)));
        assert_eq!(one("inflight", &[("job", "web")]), Ok(Number::Now(7.5)));
        assert_eq!(one("inflight", &[("code", "a\\b\"c\nd,}")]), Ok(Number::Now(3.0)));
        assert_eq!(one("inflight", &[("job", "web"), ("zone", "é")]), Ok(Number::Now(4.5)));
        assert_eq!(one("inflight", &[("zone", ""), ("code", "")]), Ok(Number::Now(100.0)));
        assert_eq!(one("apart", &[("job", "web"), ("zone", "a")]), Ok(Number::Now(12.0)), "blanks between tokens");
        let per = read(PAGE, "inflight", &labels_of(&[("job", "web")]), Some("inflight_limit"));
        assert_eq!(per, Ok(Reading { number: Number::Now(7.5), per: Some(Number::Now(10.0)) }));
    }

    #[test]
    fn what_only_grows_is_known_by_its_type_or_else_its_name() {
        for (metric, number) in [
            ("served_total", Number::Total(8.0)),
            ("om_total", Number::Total(9.0)),
            ("took_bucket", Number::Total(5.0)),
            ("took_sum", Number::Total(2.5)),
            ("took_count", Number::Total(5.0)),
            ("odd_total", Number::Now(6.0)),
            ("plain", Number::Now(7.0)),
            ("spaced_total", Number::Now(13.0)),
            ("plain_total", Number::Total(8.0)),
        ] {
            assert_eq!(one(metric, &[]), Ok(number), "{metric}");
        }
    }

    #[test]
    fn tokens_may_be_parted_by_any_blanks() {
        for line in [
            "load{a=\"b\",c=\"d\"} 12",
            "load { a = \"b\" , c = \"d\" } 12",
            "\tload\t{\ta\t=\t\"b\"\t,c=\"d\",\t}\t12\t1700000000000",
            "load {a=\"b\",c=\"d\"}12\r",
        ] {
            let page = format!("#  TYPE \t load  counter\r\n{line}\r\n");
            let reading = read(&page, "load", &labels_of(&[("a", "b"), ("c", "d")]), None);
            assert_eq!(reading, Ok(Reading::total(12.0)), "{line}");
        }
        assert_eq!(read("load 7", "load", &[], None), Ok(Reading::now(7.0)));
        assert!(read("load_more 7", "load", &[], None).is_err(), "a longer name is another metric");
    }

    #[test]
    fn what_is_no_load_is_told() {
        for (metric, labels, told) in [
            ("none", &[][..], "there is no series of `none`"),
            ("inflight", &[("job", "x")], "there is no series of `inflight` with these labels"),
            ("bad", &[], "a line of `bad` is broken: \"bad{job=\\\"web\\\" 1\""),
            ("word", &[], "a line of `word` is broken: \"word one\""),
            ("nan", &[], "a series of `nan` is NaN, which is no load"),
            ("inf", &[], "a series of `inf` is inf, which is no load"),
            ("minus", &[], "a series of `minus` is -1, which is no load"),
        ] {
            assert_eq!(one(metric, labels), Err(told.to_owned()));
        }
        let told = read("<html>", "x", &[], None).map_err(|error| error.to_string());
        assert_eq!(told, Err("the page is HTML, not a text of metrics with `x`".to_owned()));
    }

    proptest::proptest! {
        /// Whatever comes, nothing but a number of a matching line is taken.
        #[test]
        fn no_text_is_too_odd(text in "(x|\\{|\\}|\"|=|,|\\\\|é| |1|\n|#){0,60}") {
            if let Ok(Reading { number: Number::Now(value) | Number::Total(value), .. }) = read(&text, "x", &[], None) {
                proptest::prop_assert!(value.is_finite() && value >= 0.0);
            }
        }
    }
}
