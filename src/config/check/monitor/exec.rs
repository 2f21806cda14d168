//! Monitors that run a command.

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

use toml::Spanned;

use super::required;
use crate::{
    config::{
        check::value::{element, items, literal},
        notes::{Notes, join},
        spec::ExecSpec,
    },
    engine::health::check::ExecCheck,
};

/// What stands for the address in the words of a command.
const ADDRESS: &str = "{address}";

/// `exec`.
pub(super) fn exec(written: &Spanned<ExecSpec>, monitor: &str, notes: &mut Notes<'_>) -> ExecCheck {
    let mut command = items(written.get_ref().command.as_ref());
    let path = ["monitors", monitor, "exec"];
    let at = format!("{}.command", join(&path));
    match command.first_mut() {
        None => required("command", "command = [\"/path/to/check\", \"{address}\"]", written.span(), &path, notes),
        Some(first) => program(first, &at, notes),
    }
    if let Some(list) = &written.get_ref().command
        && !command.is_empty()
        && !command.iter().any(|word| word.get_ref().contains(ADDRESS))
    {
        let label = format!("no word of it has `{ADDRESS}`");
        let fault = notes.warning(list.span(), format!("`{at}` is the same for every address"), label);
        notes.push(fault.remedy(format!("add \"{ADDRESS}\" where the address belongs")));
    }
    ExecCheck { command: command.into_iter().map(|word| word.into_inner().into()).collect() }
}

/// A program with a slash in it is a path, relative to the file that names it; one without is looked for in `PATH`.
fn program(first: &mut Spanned<String>, at: &str, notes: &mut Notes<'_>) {
    if first.get_ref().is_empty() {
        let fault = notes.error(first.span(), format!("`{at}` names no program"), "its first word is empty");
        notes.push(fault.remedy("write the path of a program"));
        return;
    }
    if first.get_ref().contains(char::is_whitespace) && !first.get_ref().contains('/') {
        let label = "one word each: no shell reads it";
        let fault = notes.error(first.span(), format!("`{at}` has a program with blanks in its name"), label);
        notes.push(fault.remedy("write [\"program\", \"argument\"], or [\"/bin/sh\", \"-c\", \"…\"]"));
        return;
    }
    if !first.get_ref().contains('/') {
        return;
    }
    literal(element(first), notes);
    let path: PathBuf = notes.path(first).components().collect();
    let label = match fs::metadata(&path) {
        Ok(found) if !found.is_file() => Some("no file".to_owned()),
        Ok(found) if found.permissions().mode() & 0o111 == 0 => Some("not executable".to_owned()),
        Ok(_) => None,
        Err(error) => Some(error.to_string()),
    };
    if let Some(label) = label {
        let message = format!("`{at}` cannot be run as things are: {}", path.display());
        let fault = notes.warning(first.span(), message, label);
        notes.push(fault.remedy("put a program there; until then its targets are unknown"));
    }
    *first = Spanned::new(first.span(), path.display().to_string());
}
