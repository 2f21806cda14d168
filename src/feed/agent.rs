//! The text that answers an agent check of HAProxy (its configuration manual, `agent-check`): words in one line, of which
//! a share asks for so much of the server's weight. A server that asks for less has so much to do: the load is what
//! lacks to 100 %.

use super::{
    error::ReadError,
    reading::{Reading, quoted},
};

/// Reads an answer.
pub(super) fn read(text: &str) -> Result<Reading, ReadError> {
    let line = text.trim_start_matches([' ', '\t']).split(['\r', '\n']).next().unwrap_or_default();
    let words = || line.split([' ', '\t', ',']).filter(|word| !word.is_empty());
    let mut share: Option<f64> = None;
    for word in words() {
        let word = word.to_ascii_lowercase();
        if let Some(digits) = word.strip_suffix('%') {
            let percent: u32 = digits.parse().map_err(|_| unfit(line))?;
            share = Some(f64::from(percent) / 100.0);
        } else if word.starts_with('#') {
            break;
        } else {
            match word.as_str() {
                // It wants nobody new: that is all the load that there can be.
                "drain" | "maint" => return Ok(Reading::now(1.0)),
                // What follows is a reason, for people.
                "down" | "failed" | "fail" | "stopped" => return Ok(Reading::now(1.0)),
                "up" | "ready" => {}
                word if word.starts_with("maxconn:") => {}
                _ => return Err(unfit(line)),
            }
        }
    }
    match share {
        Some(share) => Ok(Reading::now((1.0 - share).max(0.0))),
        None => Err(ReadError::NoShare(quoted(line))),
    }
}

fn unfit(line: &str) -> ReadError {
    ReadError::NotAnAgent(quoted(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_load_is_what_lacks_to_all_of_the_weight() {
        for (text, load) in [
            ("75%\n", 0.25),
            ("up 50%\r\nanything", 0.5),
            ("READY, up,\t10% maxconn:30", 0.9),
            ("0%", 1.0),
            ("250%", 0.0),
            ("30% 60% # a comment 1%", 0.4),
            ("drain\n", 1.0),
            ("up 100% drain", 1.0),
            ("maint", 1.0),
            ("down # the disk is full", 1.0),
            ("stopped 50 people", 1.0),
        ] {
            assert_eq!(read(text), Ok(Reading::now(load)), "{text}");
        }
    }

    #[test]
    fn what_says_nothing_of_load_is_no_load() {
        for text in ["up\n", "ready", "maxconn:10", "", "\n50%"] {
            assert!(read(text).is_err_and(|told| told.to_string().contains("says nothing of load")), "{text}");
        }
        for text in ["HTTP/1.0 400 Bad request", "-5%", "1e9%", "NaN%", "%", "99999999999%", "busy 50%", "SSH-2.0-x"] {
            assert!(read(text).is_err_and(|told| told.to_string().contains("not what answers")), "{text}");
        }
    }
}
