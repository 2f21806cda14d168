//! Why a line of a scenario cannot be played, and what to do about it.

/// Why a line cannot be played.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) cause: String,
    pub(super) remedy: String,
}

pub(super) fn fault(cause: impl Into<String>, remedy: impl Into<String>) -> Fault {
    Fault { cause: cause.into(), remedy: remedy.into() }
}
