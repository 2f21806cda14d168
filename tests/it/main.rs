//! One integration binary with rooms inside it.
#![allow(missing_docs, reason = "tests")]

mod house;
