//! A probe by a command of the operator's: exit code 0 is good.

use std::{net::IpAddr, time::Duration};

use crate::{
    command::{Command, End, Ended},
    engine::health::outcome::Outcome,
    probing::check::ExecCheck,
};

/// A target of `exec`.
#[derive(Debug)]
pub(super) struct Exec(Command);

impl Exec {
    pub(super) fn of(check: &ExecCheck, address: IpAddr) -> Self {
        let address = address.to_string();
        let words = check.command.iter().map(|word| word.replace("{address}", &address)).collect();
        Self(Command::new(words, Duration::ZERO))
    }

    /// Runs it; its time, in milliseconds, begins when it is its turn.
    pub(super) async fn run(&mut self, timeout: u64) -> Outcome {
        self.0.timeout = Duration::from_millis(timeout);
        match self.0.run().await {
            Ok(ended) => judge(&ended, timeout),
            Err(why) => Outcome::Unasked(why.to_string().into()),
        }
    }
}

fn judge(ended: &Ended, timeout: u64) -> Outcome {
    let how = match ended.end {
        End::Code(0) => return Outcome::good(ended.took.as_micros() as u64),
        End::Code(code) => format!("exit code {code}"),
        End::Signal(signal) => format!("ended by signal {signal}"),
        End::Killed => format!("killed after {timeout} ms"),
    };
    let said = ended.output.last_line().or_else(|| ended.errors.last_line());
    Outcome::Bad(said.map_or(how.clone(), |said| format!("{how}: {said}")).into())
}
