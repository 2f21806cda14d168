//! A value of another type than its key has: what was expected, what was found, how it would be written. Serde says it in
//! words of its own, none of which reach a person. Must not know what values mean.

mod examples;
#[cfg(test)]
mod tests;

use toml::de::DeValue;

use crate::config::{
    diagnostics::{dotted, nearest},
    schema,
};
use examples::{is_finite, number_in, shown, written};

/// What to say of a value.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) message: String,
    pub(super) label: String,
    pub(super) remedy: Option<String>,
}

/// Says in our words what serde says of a value at a path.
pub(super) fn told(message: &str, value: &DeValue<'_>, path: &[String]) -> Said {
    let what = shown(path);
    let rest = message.strip_prefix("invalid type: ").or_else(|| message.strip_prefix("invalid value: "));
    if let Some((_, said)) = rest.and_then(|rest| rest.rsplit_once(", expected ")) {
        let expected = words(said);
        let by_name = said == "a map" && is_of_tables(value);
        let digits = decimal(value);
        let number = digits.as_deref().and_then(|digits| DeValue::parse(digits).ok()).map(toml::Spanned::into_inner);
        return Said {
            message: format!("`{what}` has the wrong type"),
            label: format!("expected {expected}, found {}", found(value)),
            remedy: if by_name {
                Some(named(&what, value))
            } else {
                meant(&expected, number.as_ref().unwrap_or(value), path)
            },
        };
    }
    // Keys of tables in a list, which the schema does not walk through.
    if let Some(rest) = message.strip_prefix("unknown field `")
        && let Some((name, known)) = rest.split_once('`')
    {
        let known: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
        let remedy = match nearest(name, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("it has {}", listed(&known)),
        };
        let label = "this table has no such key".to_owned();
        return Said { message: format!("unknown key `{what}`"), label, remedy: Some(remedy) };
    }
    let remedy = table_of(path);
    Said { message: format!("`{what}` cannot be read"), label: format!("found {}", found(value)), remedy }
}

/// A whole number in decimal digits that is written in others.
fn decimal(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::Integer(number) if number.radix() != 10 => {
            i128::from_str_radix(number.as_str(), number.radix()).ok().map(|number| number.to_string())
        }
        _ => None,
    }
}

/// What serde expects, as a configuration calls it.
fn words(expected: &str) -> String {
    match expected {
        "a boolean" | "bool" => "true or false".to_owned(),
        "a map" | "map" => "a table".to_owned(),
        "a sequence" | "sequence" => "a list".to_owned(),
        "a string" | "string" => "text in quotes".to_owned(),
        other if other.starts_with("struct ") => "a table".to_owned(),
        other => other.to_owned(),
    }
}

/// What a value is, as a configuration calls it.
pub(super) fn found(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(_) => "text".to_owned(),
        DeValue::Integer(number) => format!("the number {number}"),
        DeValue::Float(number) => format!("the number {}", number.as_str()),
        DeValue::Boolean(truth) => truth.to_string(),
        DeValue::Datetime(_) => "a date".to_owned(),
        DeValue::Array(_) if is_of_tables(value) => "a list of tables".to_owned(),
        DeValue::Array(items) if items.is_empty() => "an empty list".to_owned(),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}

/// Whether a value is a list of tables, as `[[…]]` makes it.
pub(super) fn is_of_tables(value: &DeValue<'_>) -> bool {
    matches!(value, DeValue::Array(items) if !items.is_empty() && items.iter().all(|item| item.get_ref().is_table()))
}

/// How a table of names would be written, at whose place something else stands.
pub(super) fn named(table: &str, value: &DeValue<'_>) -> String {
    let first = match value {
        DeValue::Array(items) => items.iter().next().map(toml::Spanned::get_ref),
        _ => None,
    };
    let name = match first {
        Some(DeValue::Table(table)) => ["name", "id"].into_iter().find_map(|key| table.get(key)?.get_ref().as_str()),
        Some(DeValue::String(name)) => Some(name.as_ref()),
        _ => None,
    };
    let header = dotted(table, name.unwrap_or("NAME"));
    if is_of_tables(value) {
        format!("write `[{header}]`: one table for each name, in single brackets")
    } else {
        format!("write `[{header}]`, and its keys below")
    }
}

/// How a value would be written.
fn meant(expected: &str, value: &DeValue<'_>, path: &[String]) -> Option<String> {
    let number = match value {
        DeValue::Integer(number) => Some(number.as_str()),
        DeValue::Float(number) => Some(number.as_str()).filter(|_| is_finite(value)),
        _ => None,
    };
    // No quantity is below nothing; but what is added to a time may draw it nearer.
    let has_sign = path.last().is_some_and(|last| last == "bias");
    let amount =
        number.filter(|number| has_sign || !number.starts_with('-')).map(|number| number.trim_start_matches('+'));
    // A list of one is what it holds; a list of tables is told below.
    if let DeValue::Array(items) = value
        && let (Some(inner), 1) = (items.iter().next().map(toml::Spanned::get_ref), items.len())
        && !expected.contains("list")
        && !expected.contains("table")
        && !inner.is_table()
    {
        let fits = fits(expected, inner);
        return if fits {
            Some(format!("take off the brackets: {}", written(inner)))
        } else {
            meant(expected, inner, path)
        };
    }
    match (value, expected) {
        (DeValue::String(text), _) if expected.ends_with("number") => {
            number_in(text, expected == "a whole number").map(|number| format!("take off the quotes: {number}"))
        }
        (DeValue::String(text), "true or false") => match text.trim().to_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => Some("write true".to_owned()),
            "false" | "no" | "off" | "0" => Some("write false".to_owned()),
            _ => Some("write true or false, without quotes".to_owned()),
        },
        (_, "true or false") => Some("write true or false".to_owned()),
        (_, _) if expected.starts_with("a duration") => amount.map(|number| match number.parse::<f64>() {
            // Round-trip times are short.
            Ok(millis)
                if has_sign || path.last().is_some_and(|last| ["rtt", "response", "base"].contains(&&**last)) =>
            {
                if millis.fract() == 0.0 {
                    format!("write \"{millis}ms\"")
                } else {
                    format!("write \"{}us\" for {number} milliseconds", (millis * 10.0).round() * 100.0)
                }
            }
            Ok(seconds) if number.contains(['.', 'e', 'E']) => {
                format!("write \"{}ms\" for {number} seconds", (seconds * 1000.0).round())
            }
            _ => format!("write \"{number}s\" for seconds, \"{number}ms\" for milliseconds"),
        }),
        (_, _) if expected.starts_with("a share") => amount
            .filter(|number| number.parse().is_ok_and(|share: f64| share <= 100.0))
            .map(|number| format!("write \"{}%\"", percent(number))),
        (_, _) if expected.starts_with("a distance") => amount.map(|number| match number.parse::<f64>() {
            Ok(far) if far.fract() != 0.0 => {
                format!("write a whole number with its unit, such as \"{}km\"", far.ceil())
            }
            Ok(far) => format!("write \"{far}km\""),
            Err(_) => format!("write \"{number}km\""),
        }),
        (_, _) if expected.starts_with("a size") => amount.map(|number| match value {
            DeValue::Integer(_) => format!("write it with its unit: \"{number}KiB\""),
            _ => "write a whole number with its unit, such as \"512KiB\"".to_owned(),
        }),
        (DeValue::Array(_), "a table") if is_of_tables(value) => {
            let header = shown(path);
            Some(format!("write `[{header}]`, in single brackets: there is one such table"))
        }
        (_, "a table" | "text in quotes or a table") => examples::table(value, path).or_else(|| table_of(path)),
        (DeValue::Table(_), "an empty table, `{}`") => Some("take its keys out".to_owned()),
        (_, "an empty table, `{}`") => Some("write `{}`".to_owned()),
        (_, _) if expected.contains("list") => Some(examples::list(value, path)),
        (DeValue::Integer(_) | DeValue::Float(_) | DeValue::Datetime(_), _) if expected.starts_with("text") => {
            Some(examples::text(value, path).unwrap_or_else(|| format!("write \"{}\"", written(value))))
        }
        (DeValue::Array(_), _) if expected.starts_with("text") => {
            let inner = path.last().is_some_and(|last| last.parse::<usize>().is_ok());
            let remedy = if inner { "take off the inner brackets" } else { "write one of them, without brackets" };
            (!is_of_tables(value)).then(|| remedy.to_owned())
        }
        _ => None,
    }
}

/// Whether a value is what is expected.
fn fits(expected: &str, value: &DeValue<'_>) -> bool {
    match value {
        DeValue::Integer(_) => expected.contains("number"),
        DeValue::Float(_) => expected.ends_with("a number"),
        DeValue::String(_) => !expected.ends_with("number") && expected != "true or false",
        DeValue::Boolean(_) => expected.contains("true or false"),
        _ => false,
    }
}

/// The remedy that names the keys of a table.
fn table_of(path: &[String]) -> Option<String> {
    let keys = schema::keys_of(path);
    let header = shown(path);
    let inside = examples::inside(path, &keys)?;
    Some(format!("write `{{ {inside} }}`, or `[{header}]` with keys below: {}", listed(&keys)))
}

fn listed(keys: &[&str]) -> String {
    keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ")
}

/// A number of parts of one, or of a hundred.
fn percent(number: &str) -> String {
    match number.parse::<f64>() {
        Ok(part) if part > 0.0 && part < 1.0 => {
            let text = format!("{:.1}", part * 100.0);
            text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
        }
        _ => number.to_owned(),
    }
}
