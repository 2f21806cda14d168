//! Monitors that read a file in which another program says it.

use std::path::PathBuf;

use toml::Spanned;

use super::required;
use crate::{
    config::{notes::Notes, spec::FileSpec},
    engine::health::check::FileCheck,
};

/// `file`.
pub(super) fn file(written: &Spanned<FileSpec>, monitor: &str, notes: &mut Notes<'_>) -> FileCheck {
    let path = match &written.get_ref().path {
        Some(path) => notes.path(&Spanned::new(path.span(), path.get_ref().0.clone())),
        None => {
            required("path", "path = \"health.csv\"", written.span(), &["monitors", monitor, "file"], notes);
            PathBuf::new()
        }
    };
    FileCheck { path: path.into() }
}
