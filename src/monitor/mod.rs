//! Runs probes on schedule and reports what they found.
