//! What a file of states says: lines `address,up` or `address,down[,reason]`. Pure.

use std::{collections::HashMap, net::IpAddr};

use crate::telemetry;

/// A reason is cut there, in characters.
const REASON: usize = 200;

/// Who is down, and why.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Sheet {
    down: HashMap<IpAddr, Box<str>>,
}

/// Why a text says nothing: its first line, by number, that cannot be understood, or says something twice.
#[derive(Debug, thiserror::Error)]
pub(super) enum SheetError {
    #[error("line {line} has {text:?} where an address is expected")]
    NoAddress { line: usize, text: Box<str> },
    #[error("line {line} has {address} again, after line {first}")]
    Again { line: usize, address: IpAddr, first: usize },
    #[error("line {line} says neither \"up\" nor \"down\" nor \"down,REASON\" of {address}")]
    NoState { line: usize, address: IpAddr },
}

impl Sheet {
    /// Reads a text. Empty lines, and those that begin with `#`, say nothing.
    ///
    /// # Errors
    /// With the first line that says nothing that can be understood, or something twice.
    pub(super) fn read(text: &str) -> Result<Self, SheetError> {
        let mut lines: HashMap<IpAddr, usize> = HashMap::new();
        let mut down = HashMap::new();
        let text = telemetry::text(text.as_bytes());
        for (at, line) in text.lines().enumerate() {
            let (number, line) = (at + 1, line.trim());
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let mut parts = line.splitn(3, ',').map(str::trim);
            let (address, state, reason) = (parts.next().unwrap_or(""), parts.next(), parts.next());
            let Ok(address) = address.parse::<IpAddr>() else {
                return Err(SheetError::NoAddress { line: number, text: address.into() });
            };
            if let Some(first) = lines.insert(address, number) {
                return Err(SheetError::Again { line: number, address, first });
            }
            match (state, reason) {
                (Some("up"), None | Some("")) => {}
                (Some("down"), reason) => {
                    let shown = |letter: char| if letter.is_control() { ' ' } else { letter };
                    let reason: String = reason.unwrap_or("").chars().take(REASON).map(shown).collect();
                    down.insert(address, reason.into());
                }
                _ => return Err(SheetError::NoState { line: number, address }),
            }
        }
        Ok(Self { down })
    }

    /// Why an address is down, if it is; who is not in the file is up.
    pub(super) fn down(&self, address: IpAddr) -> Option<&str> {
        self.down.get(&address).map(|reason| &**reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn down(text: &str, address: &str) -> Result<Option<String>, String> {
        let sheet = Sheet::read(text).map_err(|error| error.to_string())?;
        Ok(sheet.down(address.parse().expect("address")).map(str::to_owned))
    }

    #[test]
    fn lines_say_who_is_down_and_why() {
        let text = "# states\n\n192.0.2.1,up\n 192.0.2.2 , down \n2001:db8:0::1,down,the disk, and more\r\n";
        assert_eq!(down(text, "192.0.2.1"), Ok(None));
        assert_eq!(down("\u{feff}192.0.2.1,down\r\n", "192.0.2.1"), Ok(Some(String::new())), "a mark is no part of it");
        assert_eq!(down(text, "192.0.2.2"), Ok(Some(String::new())));
        assert_eq!(down(text, "2001:db8::1"), Ok(Some("the disk, and more".to_owned())));
        assert_eq!(down(text, "192.0.2.9"), Ok(None), "who is not in it is up");
        assert_eq!(down("", "192.0.2.1"), Ok(None));
    }

    #[test]
    fn one_bad_line_spoils_it_all() {
        let fault = |text: &str| Sheet::read(text).expect_err(text).to_string();
        assert_eq!(fault("192.0.2.1,up\nweb-1,down"), "line 2 has \"web-1\" where an address is expected");
        assert_eq!(fault("192.0.2.1,up\n\n192.0.2.1,down"), "line 3 has 192.0.2.1 again, after line 1");
        for text in ["192.0.2.1", "192.0.2.1,UP", "192.0.2.1,up,because", "192.0.2.1,"] {
            assert_eq!(fault(text), "line 1 says neither \"up\" nor \"down\" nor \"down,REASON\" of 192.0.2.1");
        }
    }
}
