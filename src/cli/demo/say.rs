//! What the demo and its regions write for the person in front of it.

use std::io::{self, Write};

/// Writes at once, terminal or not. The demo goes on if nothing reads it.
pub(super) fn say(out: &mut dyn Write, text: &str) {
    let _: io::Result<()> = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
