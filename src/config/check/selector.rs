//! Which clients are meant: by what is known of them (`country:DE`, `net:192.0.2.0/24`, the named `[groups]` of these,
//! and fences made of them), and by where they send from (`[acls]`, `ecs.from` and other lists of sources). Must not
//! know what is fenced, nor what sources may do.

use toml::Spanned;

use super::{symbols::Lists, value::items};
use crate::{
    config::{
        diagnostics::{Notes, suggest},
        geo::overrides::{asn, continent, country, subdivision},
        quantity,
        schema::{self, not_yet},
        spec::{FenceSpec, Field, List, Named},
    },
    engine::{
        geo::{Fence, Selector, normalise},
        types::Prefix,
    },
};

/// The kinds of selectors that have a value, each once.
pub(crate) const KINDS: [&str; 5] = ["continent", "country", "subdivision", "asn", "net"];

/// What is wrong with a selector, and what to do about it.
type SelectorFault = (String, String);

/// `[groups]`.
pub(crate) type Groups<'s> = Lists<'s, Selector>;

/// `[groups]`, flattened.
pub(crate) fn groups<'s>(spec: &'s Named<Field<List>>, notes: &mut Notes<'_>) -> Groups<'s> {
    let read = |element: &Spanned<String>, at: &str, notes: &mut Notes<'_>| {
        selector(element, at, notes).into_iter().collect::<Vec<_>>()
    };
    Lists::resolve("group", "groups", spec, read, notes)
}

/// One selector that is no group.
fn selector(written: &Spanned<String>, at: &str, notes: &mut Notes<'_>) -> Option<Selector> {
    let text = written.get_ref().as_str();
    let (cause, remedy) = match text.split_once(':') {
        _ if text == "unknown" => return Some(Selector::Unknown),
        Some((kind, value)) if KINDS.contains(&kind) => match of_kind(kind, value) {
            Ok(selector) => return Some(selector),
            Err((cause, remedy)) => (cause, remedy),
        },
        Some((kind, _)) if quantity::prefix(text).is_err() => {
            let kinds = KINDS.into_iter().chain(["group", "unknown"]);
            (format!("{kind:?} is no kind of selector"), suggest(kind, kinds))
        }
        _ => ("a kind, a colon and a value are expected".to_owned(), meant(text)),
    };
    let fault = notes.error(written.span(), format!("`{at}` has {text:?}"), cause).remedy(remedy);
    notes.push(fault);
    None
}

/// What a text without a kind may have meant.
fn meant(text: &str) -> String {
    let (number, bare) = (text.trim_start_matches("AS"), text.len() == 2);
    let kind = match text {
        _ if quantity::prefix(text).is_ok() => "net",
        _ if bare && country(text).is_ok() => "country",
        _ if bare && continent(text).is_ok() => "continent",
        _ if asn(number).is_ok() => return format!("write \"asn:{number}\""),
        _ => {
            return "write \"country:DE\", \"continent:EU\", \"net:192.0.2.0/24\", \"group:NAME\" or \"unknown\""
                .into();
        }
    };
    format!("write \"{kind}:{text}\"")
}

/// The selector of a kind with this value.
///
/// # Errors
/// Says what is wrong with the value, and what to do about it.
pub(crate) fn of_kind(kind: &str, value: &str) -> Result<Selector, SelectorFault> {
    let wrong = |(cause, remedy): (&str, String)| (format!("{value:?} {cause}"), remedy);
    match kind {
        "continent" => continent(value).map(Selector::Continent).map_err(wrong),
        "country" => country(value).map(Selector::Country).map_err(wrong),
        "subdivision" => {
            let (outer, inner) = value.split_once('-').ok_or_else(|| {
                let remedy = "write it as ISO 3166-2 has it, with the country: US-CA";
                (format!("{value:?} is no subdivision"), remedy.to_owned())
            })?;
            let outer = country(outer).map_err(|(_, remedy)| (format!("{outer:?} is no country"), remedy))?;
            let inner = subdivision(inner).map_err(|(cause, remedy)| (format!("{inner:?} {cause}"), remedy))?;
            Ok(Selector::Subdivision(outer, inner))
        }
        "asn" => asn(value).map(Selector::Asn).map_err(wrong),
        _ => {
            let prefix = quantity::prefix(value).map_err(|cause| {
                (cause.to_string(), "write an address or a prefix, such as \"192.0.2.0/24\"".to_owned())
            })?;
            match normalise(prefix) {
                (_, 0) => Ok(Selector::Net(prefix)),
                (inside, _) => Err((
                    format!("{value} is a form of IPv4, whose clients are looked up as IPv4"),
                    format!("write \"{inside}\""),
                )),
            }
        }
    }
}

/// The clients that something is open to. `path` is that of the fence.
pub(crate) fn fence(
    written: Option<&Spanned<FenceSpec>>,
    path: &str,
    groups: &mut Groups<'_>,
    notes: &mut Notes<'_>,
) -> Fence {
    let Some(written) = written else { return Fence::default() };
    let FenceSpec { only, never } = written.get_ref();
    let mut list = |key: &str, list: &Field<List>| {
        let at = format!("{path}.{key}");
        let mut found = Vec::new();
        for item in items(list.as_ref()) {
            found.extend(groups.element(&item, &at, notes));
        }
        found.sort();
        found.dedup();
        found
    };
    let fence = Fence { only: list("only", only), never: list("never", never) };
    if let Some(both) = fence.only.iter().find(|selector| fence.never.contains(selector)) {
        let message = format!("`{path}` has {} in `only` and in `never`", shown(both));
        let fault = notes.error(written.span(), message, "whom it lets in and keeps out");
        notes.push(fault.remedy("keep one of them"));
    }
    fence
}

/// A selector as it is written.
pub(crate) fn shown(selector: &Selector) -> String {
    let letters = |two: &[u8; 2]| two.iter().map(|octet| char::from(*octet)).collect::<String>();
    match selector {
        Selector::Continent(code) => format!("continent:{}", letters(code)),
        Selector::Country(code) => format!("country:{}", letters(code)),
        Selector::Subdivision(country, code) => format!("subdivision:{}-{code}", letters(country)),
        Selector::Asn(number) => format!("asn:{number}"),
        Selector::Net(prefix) => format!("net:{prefix}"),
        Selector::Unknown => "unknown".into(),
    }
}

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
                .error(written.span(), format!("`{at}` has {name:?}"), cause.to_string())
                .remedy("write \"any\", \"none\", an address or a prefix such as \"192.0.2.0/24\", or \"acl:NAME\""),
        },
    };
    notes.push(fault);
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_reads_back() {
        for text in
            ["continent:EU", "country:DE", "subdivision:US-CA", "asn:64500", "net:192.0.2.0/24", "net:2001:db8::/32"]
        {
            let (kind, value) = text.split_once(':').expect(text);
            assert_eq!(of_kind(kind, value).map(|selector| shown(&selector)), Ok(text.to_owned()));
        }
        assert_eq!(of_kind("country", "de"), of_kind("country", "DE"), "as in overrides");
        let bad =
            ["continent:XX", "country:UK", "subdivision:CA", "subdivision:XX-CA", "asn:0", "net:::ffff:192.0.2.0/120"];
        for text in bad {
            let (kind, value) = text.split_once(':').expect(text);
            assert!(of_kind(kind, value).is_err(), "{text}");
        }
    }
}
