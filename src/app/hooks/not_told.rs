//! Why a hook was not told, in the words of the log.

use std::sync::Arc;

use crate::{command::NotRun, engine::types::Millis, telemetry::causes};

/// Why a hook was not told.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotTold {
    /// Its command could not be started.
    #[error(transparent)]
    NotRun(#[from] NotRun),
    /// Its command failed.
    #[error("its command ended with exit code {code}{said}")]
    Code { code: i32, said: String },
    /// Its command was ended by something else.
    #[error("signal {signal} ended its command{said}")]
    Signal { signal: i32, said: String },
    /// Its command was ended since it took too long.
    #[error("its command took longer than {} ms{said}", timeout.0)]
    Killed { timeout: Millis, said: String },
    /// There is no client that could ask.
    #[error(transparent)]
    NoClient(Arc<NoClient>),
    /// The server did not answer within so long.
    #[error("no answer within {} ms", .0.0)]
    Silent(Millis),
    /// The server answered otherwise than with success.
    #[error("status {0}")]
    Status(u16),
    /// The request failed. Without its address, in which there may be a secret.
    #[error("{}", causes::of(.0))]
    Request(#[source] reqwest::Error),
}

/// Why there is no HTTP client for a hook.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoClient {
    /// It does not need one.
    #[error("it runs a command")]
    Command,
    /// What it is to trust is not read.
    #[error("{0}")]
    Certificates(#[source] reqwest::Error),
    /// Anything else.
    #[error("no HTTP client can be made: {0}")]
    Client(#[source] reqwest::Error),
}
