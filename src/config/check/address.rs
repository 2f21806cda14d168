//! An address that is written in a configuration, and what may stand in its place by mistake. Must not know what it is
//! the address of.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use toml::Spanned;

use crate::config::{diagnostics::Notes, quantity};

/// An address that a client can be sent to, or that is probed.
pub(crate) fn address(written: &Spanned<String>, what: &str, notes: &mut Notes<'_>) -> Option<IpAddr> {
    let text = written.get_ref();
    let (label, remedy) = match text.parse::<IpAddr>() {
        Err(_) => other(text),
        Ok(address) if address.is_unspecified() => {
            ("the unspecified address leads nowhere".to_owned(), "write the address that clients reach".to_owned())
        }
        Ok(address) if address.is_multicast() => {
            ("a multicast address".to_owned(), "write a unicast address".to_owned())
        }
        Ok(IpAddr::V4(v4)) if v4.is_broadcast() => {
            ("the broadcast address".to_owned(), "write a unicast address".to_owned())
        }
        Ok(address) => match address {
            IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some() => {
                let v4 = address.to_canonical();
                ("an IPv4-mapped address".to_owned(), format!("write it as IPv4: \"{v4}\""))
            }
            _ => return Some(address),
        },
    };
    let fault = notes.error(written.span(), format!("{what} has a bad address"), label);
    notes.push(if remedy.is_empty() { fault } else { fault.remedy(remedy) });
    None
}

/// What a text is that is no address, and what to write.
fn other(text: &str) -> (String, String) {
    let told = |label: &str, remedy: String| (label.to_owned(), remedy);
    let write = |address: &str| format!("write \"{address}\"");
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return told("an address is expected, and this is empty", "write an IPv4 or IPv6 address".to_owned());
    }
    if trimmed != text && trimmed.parse::<IpAddr>().is_ok() {
        return told("there are blanks around the address", write(trimmed));
    }
    if let Some((_, rest)) = text.split_once("://") {
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
        let (_, remedy) = if host.parse::<IpAddr>().is_ok() { told("", write(host)) } else { other(host) };
        return told("an address is expected, not a URL", remedy);
    }
    if let Some((address, _)) = text.split_once('/') {
        let remedy = match address.parse::<IpAddr>() {
            Ok(_) => format!("write \"{address}\", without a length: one endpoint has one address of each family"),
            Err(_) => "write one address, without `/`".to_owned(),
        };
        return told("an address is expected, not a prefix", remedy);
    }
    if let Some(items) = several(text) {
        return told("one address is expected in each text", format!("write [{items}]"));
    }
    if let Some(remedy) = with_port(text) {
        return told("an address is expected, without a port", remedy);
    }
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    if bare != text && bare.parse::<Ipv6Addr>().is_ok() {
        return told("an address is expected, without brackets", write(bare));
    }
    if let Some((address, _)) = text.split_once('%')
        && address.parse::<Ipv6Addr>().is_ok()
    {
        return told(
            "an address is expected, without a zone",
            "write a global address: a zone holds on one host".to_owned(),
        );
    }
    if text.starts_with(|first: char| first.is_ascii_digit())
        && text.bytes().all(|octet| octet.is_ascii_digit() || octet == b'.')
    {
        let parts: Vec<&str> = text.split('.').collect();
        let plain: Vec<String> = parts.iter().map(|part| part.trim_start_matches('0').to_owned()).collect();
        let plain: Vec<&str> = plain.iter().map(|part| if part.is_empty() { "0" } else { part.as_str() }).collect();
        let meant = plain.join(".");
        let remedy = if meant.parse::<IpAddr>().is_ok() { write(&meant) } else { "correct it".to_owned() };
        return told("an IPv4 address has four numbers from 0 to 255, without zeros in front", remedy);
    }
    if is_host(text) {
        let remedy = if text.eq_ignore_ascii_case("localhost") {
            "write \"127.0.0.1\" or \"::1\"".to_owned()
        } else {
            format!("for an endpoint write `cname = \"{text}\"` in its place; elsewhere write its address")
        };
        return told("an address is expected, not a name", remedy);
    }
    told("not an IPv4 or IPv6 address", "write it as \"192.0.2.10\" or \"2001:db8::10\"".to_owned())
}

/// What to write where an address or a name has a port.
fn with_port(text: &str) -> Option<String> {
    const PORT: &str = "the port that is probed is the monitor's, or `probe = { port = … }`";
    if let Ok(both) = text.parse::<SocketAddr>() {
        return Some(format!("write \"{}\"; {PORT}", both.ip()));
    }
    let (host, port) = text.rsplit_once(':')?;
    let is_port = !port.is_empty() && port.len() <= 5 && port.bytes().all(|octet| octet.is_ascii_digit());
    (is_port && is_host(host)).then(|| format!("write `cname = \"{host}\"` in its place; {PORT}"))
}

/// The items of a list in one text.
fn several(text: &str) -> Option<String> {
    let parts: Vec<&str> = text.split([',', ';', ' ']).map(str::trim).filter(|part| !part.is_empty()).collect();
    let all = parts.len() > 1 && parts.iter().all(|part| part.parse::<IpAddr>().is_ok());
    all.then(|| parts.iter().map(|part| format!("\"{part}\"")).collect::<Vec<_>>().join(", "))
}

/// Whether a text looks like the name of a host.
fn is_host(text: &str) -> bool {
    text.contains(char::is_alphabetic)
        && text.chars().all(|letter| letter.is_alphanumeric() || matches!(letter, '-' | '_' | '.'))
        && quantity::prefix(text).is_err()
        && !text.starts_with('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_address_is_told_as_what_it_is() {
        for (text, label, remedy) in [
            ("lb.example.com", "not a name", "`cname = \"lb.example.com\"`"),
            ("lb.example.com:443", "without a port", "`cname = \"lb.example.com\"`"),
            ("192.0.2.1:443", "without a port", "write \"192.0.2.1\"; the port that is probed is the monitor's"),
            ("[2001:db8::1]:443", "without a port", "write \"2001:db8::1\""),
            ("[2001:db8::1]", "without brackets", "write \"2001:db8::1\""),
            ("192.0.2.0/24", "not a prefix", "write \"192.0.2.0\", without a length"),
            ("https://192.0.2.1/x", "not a URL", "write \"192.0.2.1\""),
            ("https://www.example.com/x", "not a URL", "`cname = \"www.example.com\"`"),
            (" 192.0.2.1", "blanks", "write \"192.0.2.1\""),
            ("192.0.2.1, 192.0.2.2", "in each text", "write [\"192.0.2.1\", \"192.0.2.2\"]"),
            ("192.0.02.1", "without zeros", "write \"192.0.2.1\""),
            ("192.0.2", "four numbers", "correct it"),
            ("192.0.2.256", "four numbers", "correct it"),
            ("fe80::1%eth0", "without a zone", "global"),
            ("localhost", "not a name", "127.0.0.1"),
            ("", "empty", "IPv4"),
            ("?", "not an IPv4 or IPv6 address", "192.0.2.10"),
        ] {
            let (told, help) = other(text);
            assert!(told.contains(label) && help.contains(remedy), "{text}: {told}; {help}");
        }
    }
}
