//! What an estimate of a round trip rests on, in words. Must not know who is told.

use crate::engine::geo::{How, Measured, SCALE_ONE, Start};

/// What an estimate rests on, in words.
pub(super) fn rests_on(how: How) -> String {
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
                scale => format!("{from}, times {}.{:03} like what is measured", scale / SCALE_ONE, scale % SCALE_ONE),
            }
        }
        How::Order(place) => format!("`geo.default`, place {}", place + 1),
        How::UnknownClient => "nothing: the client's place is unknown".into(),
        How::UnknownRegion => "nothing: the region has no location".into(),
    }
}

/// A length of time in its largest whole unit.
fn span(millis: u64) -> String {
    match millis / 1000 {
        seconds @ ..120 => format!("{seconds} s"),
        seconds @ ..7200 => format!("{} min", seconds / 60),
        seconds @ ..172_800 => format!("{} h", seconds / 3600),
        seconds => format!("{} d", seconds / 86_400),
    }
}
