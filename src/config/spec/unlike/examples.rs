//! What to write for a key in particular, where a value of another type says too little: what is written must be no
//! fault itself. Values, numbers and paths are written as TOML writes them.

use toml::de::DeValue;

use crate::config::{diagnostics::join, quantity};

/// Texts that lists hold, by the list's key: what it holds for a number that stands there, with `N` for the number; and
/// what is to be said of it.
const ITEMS: [(&[&str], &str, &str); 7] = [
    (&["address"], "\"192.0.2.1\"", ", a whole address"),
    (&["allow", "allow_targets", "from", "acls"], "\"192.0.2.0/24\"", ", whole addresses or prefixes"),
    (&["only", "never", "groups"], "\"asn:N\"", ""),
    (&["databases"], "\"FILE.mmdb\"", ", the path of a file"),
    (&["files"], "\"FILE.csv\"", ", the path of a file"),
    (&["alpn"], "\"h2\"", ""),
    (&["prefer"], "\"rtt\"", ""),
];

/// Texts of keys for which no number alone can stand.
const TEXTS: [(&str, &str); 9] = [
    ("address", "\"192.0.2.1\", a whole address"),
    ("rate", "\"N/1m\""),
    ("source", "\"192.0.2.53\", a whole address"),
    ("level", "\"info\", or another of its words"),
    ("format", "\"text\" or \"json\""),
    ("spread", "\"hash\", or another of its words"),
    ("distinct", "\"region\", or another of its words"),
    ("families", "\"apart\" or \"leave\""),
    ("failback", "\"auto\" or \"manual\""),
];

/// What a list of a key holds in the place of a number, if no text of the number itself.
fn item(path: &[String], number: Option<&str>) -> Option<(String, &'static str)> {
    let named = |keys: &&[&str], key: Option<&String>| key.is_some_and(|key| keys.contains(&key.as_str()));
    // The lists of these tables have names of the operator's.
    let table = path.first().filter(|first| path.len() == 2 && matches!(first.as_str(), "acls" | "groups"));
    let (_, example, more) = ITEMS.iter().find(|(keys, ..)| named(keys, table.or(path.last())))?;
    let number = number.filter(|number| number.bytes().all(|digit| digit.is_ascii_digit()));
    let example = match number {
        Some(number) => example.replace('N', number),
        None => example.replace("asn:N", "country:DE"),
    };
    Some((example, more))
}

/// How the list of a key would be written.
pub(super) fn list(value: &DeValue<'_>, path: &[String]) -> String {
    let last = path.last().map(String::as_str).unwrap_or_default();
    let number = match value {
        DeValue::Integer(number) => Some(number.as_str()),
        DeValue::Float(number) => Some(number.as_str()).filter(|_| is_finite(value)),
        _ => None,
    };
    match (last, value) {
        ("canaries", DeValue::Table(_)) => {
            return format!("write `[[{}]]` in double brackets, for each of them", shown(path));
        }
        ("canaries", _) => return "write [{ monitor = \"NAME\", address = \"192.0.2.1\" }]".to_owned(),
        ("status", DeValue::Table(table))
            if table.iter().all(|(_, code)| matches!(code.get_ref(), DeValue::Integer(_))) =>
        {
            let codes: Vec<String> = table.iter().map(|(_, code)| written(code.get_ref())).collect();
            return format!("write [{}]", codes.join(", "));
        }
        ("status", DeValue::Integer(_) | DeValue::String(_)) => return format!("write [{}]", written(value)),
        _ => {}
    }
    if let DeValue::Table(_) | DeValue::Array(_) = value
        && let Some(items) = within(value).filter(|items| !items.is_empty())
    {
        return format!("write [{}]", items.join(", "));
    }
    match (last, value) {
        ("status", _) => "write [\"200-299\"] or [204]".to_owned(),
        ("listen", _) => {
            let port = number.filter(|number| number.parse::<u16>().is_ok()).unwrap_or("53");
            format!("write [\"0.0.0.0:{port}\", \"[::]:{port}\"]")
        }
        (_, DeValue::String(_)) => format!("write [{}]", written(value)),
        _ => match (item(path, number), number) {
            (Some((example, more)), _) => format!("write [{example}]{more}"),
            (None, Some(number)) => format!("write [\"{number}\"]"),
            (None, None) => "write [\"NAME\"]".to_owned(),
        },
    }
}

/// The values in a table or in lists of lists, as a list of them is written: texts as they are; of a table of numbers its
/// keys in the order that the numbers give them.
fn within(value: &DeValue<'_>) -> Option<Vec<String>> {
    let inner: Vec<(Option<&str>, &DeValue<'_>)> = match value {
        DeValue::Array(items) => items.iter().map(|item| (None, item.get_ref())).collect(),
        DeValue::Table(table) => table.iter().map(|(key, value)| (Some(&**key.get_ref()), value.get_ref())).collect(),
        DeValue::String(_) => return Some(vec![written(value)]),
        _ => return None,
    };
    let number = |value: &DeValue<'_>| match value {
        DeValue::Integer(number) => number.as_str().parse::<i64>().ok(),
        _ => None,
    };
    let mut ranked: Vec<(i64, &str)> =
        inner.iter().filter_map(|(key, value)| Some((number(value)?, (*key)?))).collect();
    if !ranked.is_empty() && ranked.len() == inner.len() {
        ranked.sort_unstable();
        return Some(ranked.into_iter().map(|(_, key)| format!("{key:?}")).collect());
    }
    let found: Option<Vec<Vec<String>>> = inner.into_iter().map(|(_, value)| within(value)).collect();
    found.map(|found| found.concat())
}

/// How the text of a key would be written, for which a number stands.
pub(super) fn text(value: &DeValue<'_>, path: &[String]) -> Option<String> {
    let (last, before) = path.split_last()?;
    let number = written(value);
    if last.parse::<usize>().is_ok() {
        // An item of a list.
        if before.last().is_some_and(|list| list == "listen") {
            let port = if number.parse::<u16>().is_ok() { number.as_str() } else { "53" };
            return Some(format!("write \"0.0.0.0:{port}\" or \"[::]:{port}\""));
        }
        return item(before, Some(&number)).map(|(example, more)| format!("write {example}{more}"));
    }
    if matches!(value, DeValue::Datetime(_)) {
        return None;
    }
    let (_, example) = TEXTS.iter().find(|(key, _)| key == last)?;
    let number = if number.bytes().all(|digit| digit.is_ascii_digit()) && number != "0" { &*number } else { "10" };
    Some(format!("write {}", example.replace('N', number)))
}

/// How a table would be written at whose place its most likely key's value stands.
pub(super) fn table(value: &DeValue<'_>, path: &[String]) -> Option<String> {
    let last = path.last()?.as_str();
    let texts = match value {
        DeValue::Array(_) | DeValue::String(_) => within(value).filter(|texts| !texts.is_empty()),
        _ => None,
    };
    let is_digit = |first: char| first.is_ascii_digit();
    let text = |value: &DeValue<'_>| matches!(value, DeValue::String(_)).then(|| written(value));
    match (path.first().map(String::as_str), last) {
        (Some("pools"), _) if path.len() == 4 => {
            let address = text(value).filter(|text| text.trim_matches('"').parse::<std::net::IpAddr>().is_ok())?;
            Some(format!("write {{ region = \"NAME\", address = {address} }}"))
        }
        (_, "location") => {
            let [lat, lon] = two_numbers(value)?;
            Some(format!("write {{ lat = {lat}, lon = {lon} }}, in degrees north and east"))
        }
        (_, "fence") => {
            let list = format!("[{}]", texts?.join(", "));
            Some(format!("write {{ only = {list} }} to let these in alone, {{ never = {list} }} to keep them out"))
        }
        (_, "when_all_down" | "when_fenced") => {
            let texts = texts?;
            let address = |text: &String| text.trim_matches('"').parse::<std::net::IpAddr>().is_ok();
            match &*texts {
                all if all.iter().all(address) => Some(format!("write {{ address = [{}] }}", all.join(", "))),
                [only] => Some(format!("take off the brackets: {only}")),
                _ => None,
            }
        }
        (_, "exec") => Some(format!("write {{ command = [{}] }}", texts?.join(", "))),
        (Some("zones"), _) if path.len() == 2 => Some(format!("write {{ file = {} }}", text(value)?)),
        (Some("monitors"), "file") => Some(format!("write {{ path = {} }}", text(value)?)),
        (_, "ttl") => match value {
            DeValue::Integer(seconds) if !seconds.as_str().starts_with('-') => {
                Some(format!("write {{ max = \"{}s\" }}", seconds.as_str().trim_start_matches('+')))
            }
            DeValue::String(text) if !text.is_empty() && text.chars().all(is_digit) => {
                Some(format!("write {{ max = \"{text}s\" }}"))
            }
            DeValue::String(text) if quantity::duration(text).is_ok() => Some(format!("write {{ max = \"{text}\" }}")),
            _ => Some("write { max = \"30s\" }".to_owned()),
        },
        (_, "http") if path.first().is_some_and(|first| first == "hooks") => {
            Some(format!("write {{ url = {} }}", text(value)?))
        }
        (Some("monitors"), "http" | "https" | "tcp" | "tls" | "grpc") | (Some("loads"), "haproxy_agent") => match value
        {
            DeValue::Integer(port) if port.as_str().parse::<u16>().is_ok_and(|port| port > 0) => {
                Some(format!("write {{ port = {} }}", port.as_str()))
            }
            _ => None,
        },
        _ => None,
    }
}

/// Two numbers of a list or of a text.
fn two_numbers(value: &DeValue<'_>) -> Option<[String; 2]> {
    let found: Vec<String> = match value {
        DeValue::Array(items) => items
            .iter()
            .map(|item| match item.get_ref() {
                DeValue::String(text) => number_in(text, false),
                DeValue::Integer(_) | DeValue::Float(_) if is_finite(item.get_ref()) => Some(written(item.get_ref())),
                _ => None,
            })
            .collect::<Option<_>>()?,
        DeValue::String(text) => {
            let parts = text.split([',', ';', ' ']).filter(|part| !part.is_empty());
            parts.map(|part| number_in(part, false)).collect::<Option<_>>()?
        }
        _ => return None,
    };
    found.try_into().ok()
}

/// What stands within the braces of a table, as an example.
pub(super) fn inside(path: &[String], keys: &[&str]) -> Option<String> {
    const WHOLE: [(&str, &str); 4] = [
        ("location", "lat = 50.11, lon = 8.68"),
        ("at_least", "n = 2, of = [\"NAME\", \"NAME\"]"),
        ("canary", "pool = \"NAME\", share = \"5%\""),
        ("reflect", "name = \"NAME\", allow = [\"192.0.2.0/24\"]"),
    ];
    const FIRST: [&str; 6] = ["port", "only", "address", "location", "command", "url"];
    let last = path.last().map(String::as_str);
    if path.len() == 4 && path.iter().any(|part| part == "endpoints") {
        return Some("region = \"NAME\", address = \"192.0.2.1\"".to_owned());
    }
    if let Some((_, whole)) = WHOLE.iter().find(|(key, _)| Some(*key) == last) {
        return Some((*whole).to_owned());
    }
    let first = FIRST.iter().find(|key| keys.contains(key)).or(keys.first())?;
    Some(format!("{first} = …"))
}

/// A path as TOML writes it.
pub(super) fn shown(path: &[String]) -> String {
    join(&path.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Whether a value is no number without end, nor one that is none.
pub(super) fn is_finite(value: &DeValue<'_>) -> bool {
    match value {
        DeValue::Float(number) => number.as_str().parse::<f64>().is_ok_and(f64::is_finite),
        _ => true,
    }
}

/// The number that a text in quotes holds, as TOML writes it.
pub(super) fn number_in(text: &str, whole: bool) -> Option<String> {
    let text = text.trim();
    let point =
        if text.matches(',').count() == 1 && !text.contains('.') { text.replace(',', ".") } else { text.into() };
    let number = point.parse::<f64>().ok().filter(|number| number.is_finite())?;
    let is_ours =
        matches!(DeValue::parse(&point).map(toml::Spanned::into_inner), Ok(DeValue::Integer(_) | DeValue::Float(_)));
    match (whole, number.fract() == 0.0) {
        (true, false) => None,
        (false, _) if is_ours => Some(point),
        _ => Some(number.to_string()),
    }
}

/// A value as TOML writes it.
pub(super) fn written(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("{text:?}"),
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.as_str().to_owned(),
        DeValue::Boolean(truth) => truth.to_string(),
        DeValue::Datetime(date) => date.to_string(),
        DeValue::Array(_) => "[…]".to_owned(),
        DeValue::Table(_) => "{ … }".to_owned(),
    }
}
