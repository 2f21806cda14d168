//! The page of nginx's `stub_status`.

use super::{
    error::ReadError,
    reading::{Reading, number, unlike},
};
use crate::probing::pull::NginxField;

/// Reads a page.
pub(super) fn read(text: &str, field: NginxField) -> Result<Reading, ReadError> {
    let reading = match field {
        NginxField::Active => Reading::now(behind(text, "Active connections:")?),
        NginxField::Reading => Reading::now(behind(text, "Reading:")?),
        NginxField::Writing => Reading::now(behind(text, "Writing:")?),
        NginxField::Waiting => Reading::now(behind(text, "Waiting:")?),
        NginxField::Accepts => Reading::total(total(text, "accepts")?),
        NginxField::Requests => Reading::total(total(text, "requests")?),
    };
    Ok(reading)
}

/// The word behind a label.
fn behind(text: &str, label: &str) -> Result<f64, ReadError> {
    let rest = text.split_once(label).map(|(_, rest)| rest);
    number(rest.and_then(|rest| rest.split_whitespace().next()).ok_or_else(|| foreign(text))?)
}

/// The number below a word of the line that begins with "server".
fn total(text: &str, word: &str) -> Result<f64, ReadError> {
    let mut lines = text.lines().skip_while(|line| !line.trim_start().starts_with("server "));
    let column = lines.next().and_then(|line| line.split_whitespace().skip(1).position(|name| name == word));
    let below = column.and_then(|column| lines.next()?.split_whitespace().nth(column));
    number(below.ok_or_else(|| foreign(text))?)
}

fn foreign(text: &str) -> ReadError {
    unlike(text, "that of nginx's stub_status")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "Active connections: 291 \nserver accepts handled requests\n 16630948 16630940 31070465 \n\
                        Reading: 6 Writing: 179 Waiting: 106 \n";

    #[test]
    fn every_number_is_found_by_its_name() {
        for (field, reading) in [
            (NginxField::Active, Reading::now(291.0)),
            (NginxField::Reading, Reading::now(6.0)),
            (NginxField::Writing, Reading::now(179.0)),
            (NginxField::Waiting, Reading::now(106.0)),
            (NginxField::Accepts, Reading::total(16_630_948.0)),
            (NginxField::Requests, Reading::total(31_070_465.0)),
        ] {
            assert_eq!(read(PAGE, field), Ok(reading), "{field:?}");
        }
        // A build that also tells the time that requests took.
        let more = "server accepts handled requests request_time\n 1 1 5 900\n";
        assert_eq!(read(more, NginxField::Requests), Ok(Reading::total(5.0)));
    }

    #[test]
    fn another_page_says_nothing() {
        for text in ["", "<html></html>", "Active connections:", "server accepts\n", "server accepts\n x\n"] {
            for field in [NginxField::Active, NginxField::Accepts, NginxField::Requests] {
                assert!(read(text, field).is_err(), "{field:?} of {text}");
            }
        }
    }
}
