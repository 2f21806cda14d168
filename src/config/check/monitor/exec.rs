//! Monitors that run a command.

use toml::Spanned;

use super::required;
use crate::{
    config::{check::value::items, notes::Notes, spec::ExecSpec},
    engine::health::check::ExecCheck,
};

/// `exec`.
pub(super) fn exec(written: &Spanned<ExecSpec>, monitor: &str, notes: &mut Notes<'_>) -> ExecCheck {
    let command = items(written.get_ref().command.as_ref());
    if command.is_empty() {
        let path = ["monitors", monitor, "exec"];
        required("command", "command = [\"/path/to/check\", \"{address}\"]", written.span(), &path, notes);
    }
    ExecCheck { command: command.into_iter().map(|word| word.into_inner().into()).collect() }
}
