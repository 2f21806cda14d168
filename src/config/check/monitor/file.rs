//! Monitors that look into a file in which another program says who is up.

use std::path::PathBuf;

use toml::Spanned;

use super::required;
use crate::{
    config::{
        check::value::{literal, text},
        notes::{Notes, join},
        spec::FileSpec,
    },
    engine::health::check::FileCheck,
};

/// `file`. That there is no such file yet is no fault: whoever writes it may start later.
pub(super) fn file(written: &Spanned<FileSpec>, monitor: &str, notes: &mut Notes<'_>) -> FileCheck {
    let table = ["monitors", monitor, "file"];
    let path = match &written.get_ref().path {
        Some(path) => {
            if path.get_ref().is_empty() {
                let message = format!("`{}.path` is empty", join(&table));
                notes.push(notes.error(path.span(), message, "it names no file"));
            }
            literal(text(path), notes);
            notes.path(&Spanned::new(path.span(), path.get_ref().0.clone()))
        }
        None => {
            required("path", "path = \"health.csv\"", written.span(), &table, notes);
            PathBuf::new()
        }
    };
    FileCheck { path: path.into() }
}
