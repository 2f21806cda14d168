//! Who is meant by where it sends from: `[acls]`, `ecs.from` and other lists of sources. Must not know what they may do.

use toml::Spanned;

use super::{lists::Lists, value::items};
use crate::{
    config::{
        notes::Notes,
        quantity,
        schema::{self, not_yet},
        spec::{Field, List, Named},
    },
    engine::types::Prefix,
};

/// `[acls]`.
pub(crate) type Acls<'s> = Lists<'s, Prefix>;

/// `[acls]`, flattened.
pub(crate) fn acls<'s>(spec: &'s Named<Field<List>>, notes: &mut Notes<'_>) -> Acls<'s> {
    Lists::resolve("acl", "acls", spec, source, notes)
}

/// The sources of a list, each once.
pub(crate) fn sources(written: &Spanned<List>, path: &str, acls: &mut Acls<'_>, notes: &mut Notes<'_>) -> Vec<Prefix> {
    let given = items(Some(written));
    let mut found: Vec<Prefix> = Vec::new();
    for item in &given {
        let text = item.get_ref().as_str();
        let fault = match text {
            "any" | "none" if given.len() > 1 => {
                let message = format!("\"{text}\" stands beside others in `{path}`");
                notes.error(item.span(), message, "it leaves nothing to add")
            }
            _ => {
                let meant = acls.element(item, path, notes);
                match &*meant {
                    [one] if found.contains(one) && !text.starts_with("acl:") => {
                        notes.error(item.span(), format!("`{path}` has {one} twice"), "here again")
                    }
                    _ => {
                        found.extend(meant);
                        continue;
                    }
                }
            }
        };
        notes.push(fault);
    }
    let mut once = Vec::new();
    found.into_iter().for_each(|prefix| {
        if !once.contains(&prefix) {
            once.push(prefix)
        }
    });
    once
}

fn any() -> impl Iterator<Item = Prefix> {
    ["0.0.0.0/0", "::/0"].into_iter().filter_map(|text| quantity::prefix(text).ok())
}

/// One source that is no list.
fn source(written: &Spanned<String>, at: &str, notes: &mut Notes<'_>) -> Vec<Prefix> {
    let fault = match written.get_ref().as_str() {
        "any" => return any().collect(),
        "none" => return Vec::new(),
        name if name.starts_with("key:") => {
            not_yet(notes, written.span(), &format!("\"key:\" in `{at}`"), schema::PROTOCOL)
        }
        name => match quantity::prefix(name) {
            Ok(prefix) => return vec![prefix],
            Err(cause) => notes
                .error(written.span(), format!("`{at}` has {name:?}"), cause)
                .remedy("write \"any\", \"none\", an address or a prefix such as \"192.0.2.0/24\", or \"acl:NAME\""),
        },
    };
    notes.push(fault);
    Vec::new()
}
