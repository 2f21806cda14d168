//! One integration binary with rooms inside it.
#![allow(missing_docs, clippy::expect_used, clippy::unwrap_used, clippy::panic, unreachable_pub, reason = "tests")]

mod house;
