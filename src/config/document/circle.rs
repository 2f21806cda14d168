//! Files that include each other: which is the same file, and by which way they lead back.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use super::{Text, read};
use crate::config::{
    fault::{Fault, Place},
    include,
    syntax::{self, Decoded},
};

/// The most files that a way may go through, and that are opened in search of one.
const MOST: usize = 64;

/// Whether two paths lead to one file.
pub(super) fn is_same(one: &Path, other: &Path) -> bool {
    let identity = |path: &Path| fs::metadata(path).map(|about| (about.dev(), about.ino())).ok();
    one == other || identity(one).is_some_and(|known| identity(other) == Some(known))
}

/// What is wrong with the `include` of a file that is itself included.
pub(super) fn told(texts: &[Text], number: usize, place: Place) -> Fault {
    let remedy = "move it into the file that is named on the command line";
    let (Some(main), Some(text)) = (texts.first(), texts.get(number)) else {
        return Fault::error("an included file includes others", place, "only the first file may include");
    };
    let mut way = vec![main.path.clone(), text.path.clone()];
    let mut left = MOST;
    let message = match back(&text.text, &mut way, &mut left) {
        None => {
            let fault = Fault::error("an included file includes others", place, "only the first file may include");
            return fault.remedy(remedy);
        }
        Some(to) => {
            let from = way.iter().position(|path| is_same(path, &to)).unwrap_or(0);
            let mut names: Vec<String> = way[from..].iter().map(|path| path.display().to_string()).collect();
            names.extend(names.first().cloned());
            match names.len() {
                2 => format!("{} includes itself", names[0]),
                _ => format!("files include each other in a circle: {}", names.join(" → ")),
            }
        }
    };
    Fault::error(message, place, "this leads back").remedy(remedy)
}

/// The file on the way so far that what a text includes leads back to; the way then ends with the file that does.
fn back(text: &str, way: &mut Vec<PathBuf>, left: &mut usize) -> Option<PathBuf> {
    let folder = way.last()?.parent().unwrap_or(Path::new("")).to_owned();
    let found: Vec<PathBuf> = include::wanted(text)
        .into_iter()
        .flat_map(|wanted| include::expand(&folder, &wanted.pattern).unwrap_or_default())
        .collect();
    if let Some(to) = found.iter().find(|path| way.iter().any(|known| is_same(known, path))) {
        return Some(to.clone());
    }
    for path in found {
        *left = left.checked_sub(1)?;
        let Ok(Decoded::Text(text)) = read(&path).map(syntax::decode) else { continue };
        way.push(path);
        if let Some(to) = back(&text, way, left) {
            return Some(to);
        }
        way.pop();
    }
    None
}
