//! A sample as a line of JSON: what the agent writes, and what is read of it. Must not know who carries it.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::{
    engine::types::{Millis, Prefix, UnixMillis},
    node::samples::Sample,
    telemetry,
};

/// What was measured of one prefix.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// Never finer than /24 or /48.
    pub prefix: Prefix,
    /// The median of its connections, in microseconds.
    pub median: u32,
    /// The nearest of its connections, in microseconds.
    pub least: u32,
    /// How many connections.
    pub connections: u32,
}

/// Why a line is no sample.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// No sample is so long.
    #[error("it is longer than {LONGEST} octets")]
    TooLong,
    /// It is not JSON, or lacks something.
    #[error("it is no sample: {0}")]
    NotASample(#[source] serde_json::Error),
    /// What stands in the place of the prefix.
    #[error("{0:?} is no prefix")]
    NotAPrefix(Box<str>),
}

/// The longest line that is read.
const LONGEST: usize = 1024;

#[derive(Debug, Deserialize, Serialize)]
struct Line<'l> {
    /// `203.0.113.0/24`.
    #[serde(borrow)]
    prefix: std::borrow::Cow<'l, str>,
    #[serde(borrow)]
    region: std::borrow::Cow<'l, str>,
    /// The median in milliseconds.
    ms: f64,
    /// The least of them, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    min: Option<f64>,
    samples: u32,
    /// Milliseconds since 1970.
    at: u64,
}

/// The line, with its end.
pub(super) fn write(measured: &Measured, region: &str, now: UnixMillis) -> String {
    let millis = |micros: u32| f64::from(micros) / 1000.0;
    let line = Line {
        prefix: measured.prefix.to_string().into(),
        region: region.into(),
        ms: millis(measured.median),
        min: Some(millis(measured.least)),
        samples: measured.connections,
        at: now.0,
    };
    // Numbers and text can always be written.
    serde_json::to_string(&line).map(|line| line + "\n").unwrap_or_default()
}

/// Reads a line; one from the future is of now. What it says is judged by [`Samples`](crate::node::samples::Samples).
///
/// # Errors
/// Why it is none, for people.
pub fn read(line: &str, now: UnixMillis) -> Result<Sample, LineError> {
    if line.len() > LONGEST {
        return Err(LineError::TooLong);
    }
    let Line { prefix, region, ms, samples, at, .. } =
        serde_json::from_slice(telemetry::unmarked(line.as_bytes())).map_err(LineError::NotASample)?;
    let whole = || prefix.parse::<IpAddr>().ok().map(Prefix::host);
    let cut = || prefix.parse::<ipnet::IpNet>().ok().map(|net| Prefix::new(net.addr(), net.prefix_len()));
    let prefix = cut().or_else(whole).ok_or_else(|| LineError::NotAPrefix((*prefix).into()))?;
    Ok(Sample { prefix, region: (*region).into(), ms, samples, age: Millis(now.0.saturating_sub(at)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(1_700_000_000_000);

    #[test]
    fn what_is_written_is_read() {
        let prefix = Prefix::new([203, 0, 113, 0].into(), 24);
        let line = write(&Measured { prefix, median: 30_123, least: 20_000, connections: 3 }, "eu-west", NOW);
        let expected = "{\"prefix\":\"203.0.113.0/24\",\"region\":\"eu-west\",\"ms\":30.123,\"min\":20.0,\"samples\":3,\
                        \"at\":1700000000000}\n";
        assert_eq!(line, expected);
        let sample = Sample { prefix, region: "eu-west".into(), ms: 30.123, samples: 3, age: Millis(5000) };
        assert_eq!(read(&line, UnixMillis(NOW.0 + 5000)).expect("a sample"), sample);
        assert_eq!(read(&line, UnixMillis(0)).expect("a sample"), Sample { age: Millis(0), ..sample });
    }

    #[test]
    fn what_is_no_line_is_refused_and_what_is_more_is_passed_over() {
        let more = "{\"prefix\":\"2001:db8::1\",\"region\":\"e\\u0075\",\"ms\":1,\"samples\":1,\"at\":0,\"of\":\"me\"}";
        let read_of = read(more, UnixMillis(1)).unwrap();
        assert_eq!((read_of.prefix.len(), &*read_of.region), (128, "eu"));
        let long = format!("{{\"prefix\":\"{}\"}}", "1".repeat(2000));
        for bad in
            ["", "[]", "{\"prefix\":\"x\",\"region\":\"eu\",\"ms\":1,\"samples\":1,\"at\":0}", "{\"ms\":1}", &long]
        {
            assert!(read(bad, NOW).is_err(), "{bad}");
        }
        assert!(read("{\"prefix\":\"1.2.3.0/24\",\"region\":\"eu\",\"ms\":1,\"samples\":-1,\"at\":0}", NOW).is_err());
    }
}
