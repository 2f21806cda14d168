//! A number in JSON, at a pointer.

use serde_json::Value;

use super::reading::{Reading, number, quoted, unlike};

/// Reads a page.
pub(super) fn read(text: &str, pointer: &str) -> Result<Reading, Box<str>> {
    let page: Value = serde_json::from_str(text).map_err(|_| unlike(text, "JSON"))?;
    match page.pointer(pointer) {
        Some(Value::Number(value)) => value.as_f64().map(Reading::now).ok_or_else(|| "no number that fits".into()),
        Some(Value::String(text)) => number(text).map(Reading::now),
        Some(other) => Err(format!("what is at {pointer:?} is no number: {}", quoted(&other.to_string())).into()),
        None => Err(format!("there is nothing at {pointer:?}").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_or_a_text_that_is_one() {
        for (text, pointer, value) in [
            ("12.5", "", 12.5),
            ("{\"load\": 7}", "/load", 7.0),
            ("{\"a/b\": [{\"~\": \" 3e2 \"}]}", "/a~1b/0/~0", 300.0),
        ] {
            assert_eq!(read(text, pointer), Ok(Reading::now(value)), "{text}");
        }
    }

    #[test]
    fn anything_else_is_told() {
        for (text, pointer, told) in [
            ("{}", "/load", "there is nothing at \"/load\""),
            ("{\"load\": null}", "/load", "what is at \"/load\" is no number: \"null\""),
            ("{\"load\": \"much\"}", "/load", "\"much\" is no number"),
            ("{\"load\": NaN}", "/load", "the page is not JSON: it begins with \"{\\\"load\\\": NaN}\""),
            ("<html>", "/load", "the page is HTML, not JSON"),
        ] {
            assert_eq!(read(text, pointer).map_err(String::from), Err(told.to_owned()));
        }
        // Deeper than any page is, and larger than any number.
        assert!(read(&"[".repeat(100_000), "").is_err() && read("1e999", "").is_err());
    }
}
