//! One probe, within its time.

use std::time::Duration;

use tokio::time;

use super::{
    prepared::Prepared,
    tools::Tools,
    words::{Fine, moment},
};
use crate::engine::health::outcome::Outcome;

/// A timer that is so many milliseconds late, and as late as it is long, says that this node is too busy to judge others.
const BUSY: u64 = 200;

/// Asks once; `timeout` in milliseconds covers everything from the first packet to the last octet that matters.
pub(super) async fn run(tools: &Tools, prepared: &mut Prepared, timeout: u64) -> Outcome {
    // It may have to wait for its turn, which is not held against the target.
    if let Prepared::Exec(exec) = prepared {
        return exec.run(timeout).await;
    }
    let began = moment();
    match time::timeout(Duration::from_millis(timeout), prepared.ask(tools)).await {
        Ok(Ok(Fine { connect, note, ends })) => {
            Outcome::Good { took: began.elapsed().as_micros() as u64, connect, note, ends }
        }
        Ok(Err(outcome)) => outcome,
        // The moment to give up has long passed: an answer may have come that this node had no time to read.
        Err(_) if began.elapsed() > Duration::from_millis(timeout.saturating_mul(2).max(timeout + BUSY)) => {
            Outcome::Unasked("it was too busy to read an answer in time".into())
        }
        // What cannot be read says nothing of whom it is about.
        Err(_) if matches!(prepared, Prepared::File(_)) => {
            Outcome::Unasked(format!("the file could not be read within {timeout} ms").into())
        }
        Err(_) => Outcome::Bad(format!("no answer within {timeout} ms").into()),
    }
}
