//! What one probe found. Must not know how it was found out, nor what it means for health.

use std::fmt;

/// What one probe found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As expected.
    Good {
        /// From the start to the answer, in microseconds.
        took: u64,
        /// How long the connection took to open, in microseconds, where there was one.
        connect: Option<u64>,
        /// What people should know although it is good: "certificate expires in 9 days".
        note: Option<Box<str>>,
        /// When the server's certificate ends, in Unix seconds, where it has shown one.
        ends: Option<i64>,
    },
    /// Not as expected; the text is for people: "connection refused", "status 503", "no answer within 800 ms".
    Bad(Box<str>),
    /// This node has no route for the address's family: it says nothing of the target.
    NoRoute,
    /// This node could not ask, being out of sockets or memory; the text is for people. It says nothing of the target.
    Unasked(Box<str>),
}

impl Outcome {
    /// A good one that took so many microseconds, of which nothing else is known.
    #[must_use]
    pub const fn good(took: u64) -> Self {
        Self::Good { took, connect: None, note: None, ends: None }
    }

    /// Whether it counts for or against the target; none where it says nothing of it.
    #[must_use]
    pub fn is_good(&self) -> Option<bool> {
        match self {
            Self::Good { .. } => Some(true),
            Self::Bad(_) => Some(false),
            Self::NoRoute | Self::Unasked(_) => None,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Good { took, note, .. } => {
                write!(f, "answered in {}.{} ms", took / 1000, took % 1000 / 100)?;
                note.iter().try_for_each(|note| write!(f, " ({note})"))
            }
            Self::Bad(why) => f.write_str(why),
            Self::NoRoute => f.write_str("this node has no route there"),
            Self::Unasked(why) => write!(f, "this node could not ask: {why}"),
        }
    }
}
