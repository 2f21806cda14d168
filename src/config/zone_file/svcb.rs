//! SVCB and HTTPS (RFC 9460): parameters from presentation format, and the rules that the data must keep. Our own and
//! not the `domain` crate's: that refuses keys with a 9 in them, lets an alias carry parameters and `no-default-alpn`
//! stand alone, and cannot say which parameter is wrong. Must not know owners or zones.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, Ipv6Addr},
};

use super::{
    fields::{self, Complaint, Fields},
    token::Octets,
};
use crate::engine::wire::name::MAX_LABEL;

/// The registered keys in numeric order from 0.
const KEYS: [&str; 10] = [
    "mandatory",
    "alpn",
    "no-default-alpn",
    "port",
    "ipv4hint",
    "ech",
    "ipv6hint",
    "dohpath",
    "ohttp",
    "tls-supported-groups",
];
const MANDATORY: u16 = 0;
const ALPN: u16 = 1;
const NO_DEFAULT_ALPN: u16 = 2;
const PORT: u16 = 3;
const IPV4HINT: u16 = 4;
const ECH: u16 = 5;
const IPV6HINT: u16 = 6;
const DOHPATH: u16 = 7;
const OHTTP: u16 = 8;
const TLS_GROUPS: u16 = 9;

/// Reads priority, target and parameters to RDATA.
pub(super) fn read(fields: &mut Fields<'_>) -> Result<Vec<u8>, Complaint> {
    let mut wire = fields.number::<u16>()?.to_be_bytes().to_vec();
    wire.extend_from_slice(fields.name()?.wire());
    let mut parameters: BTreeMap<u16, (Vec<u8>, usize)> = BTreeMap::new();
    while fields.peek().is_some() {
        let token = fields.position();
        let (key, value) = parameter(fields)?;
        if parameters.insert(key, (value, token)).is_some() {
            return Err(Complaint::new(format!("the parameter {} stands twice", key_name(key))).at(token));
        }
    }
    for (key, (value, token)) in &parameters {
        let length = u16::try_from(value.len())
            .map_err(|_| Complaint::new("the parameter is longer than 65535 octets").at(*token))?;
        wire.extend_from_slice(&key.to_be_bytes());
        wire.extend_from_slice(&length.to_be_bytes());
        wire.extend_from_slice(value);
    }
    check(&wire).map_err(|broken| {
        let token = broken.key.and_then(|key| parameters.get(&key)).map(|(_, token)| *token);
        let complaint = broken.complaint;
        if let Some(token) = token { complaint.at(token) } else { complaint }
    })?;
    Ok(wire)
}

/// One `key`, `key=value` or `key="value"`.
fn parameter(fields: &mut Fields<'_>) -> Result<(u16, Vec<u8>), Complaint> {
    let (token, content) = fields.take()?;
    if token.quoted {
        return Err(Complaint::new("a parameter is expected, without quotes around its key"));
    }
    let (key, value) = match content.split_once('=') {
        Some((key, value)) => (key, Some(value)),
        None => (content, None),
    };
    let number = key_number(key).ok_or_else(|| {
        Complaint::new("no such parameter").remedy("known keys are in RFC 9460 14.3; write others as keyNNNNN=value")
    })?;
    let mut octets = Octets::plain(value.unwrap_or("")).ok_or_else(|| Complaint::new("a bad escape"))?;
    if let Some((quoted, _)) = fields.peek().filter(|(next, _)| next.glued) {
        if value != Some("") || !quoted.quoted {
            return Err(Complaint::new("a quoted value stands right behind the `=`, and white space behind it"));
        }
        octets = fields.octets()?;
    }
    let value = if key.starts_with("key") { octets } else { value_wire(number, &octets)? };
    Ok((number, value))
}

/// The number of a key as text: registered, or `keyNNNNN` without leading zeros (RFC 9460 2.1).
fn key_number(key: &str) -> Option<u16> {
    if let Some(number) = KEYS.iter().position(|known| *known == key) {
        return u16::try_from(number).ok();
    }
    let digits = key.strip_prefix("key")?;
    let plain = digits == "0" || !digits.starts_with('0') && digits.bytes().all(|octet| octet.is_ascii_digit());
    digits.parse().ok().filter(|&number| plain && number != u16::MAX)
}

fn key_name(key: u16) -> String {
    KEYS.get(usize::from(key)).map_or_else(|| format!("key{key}"), |name| (*name).to_owned())
}

fn value_wire(key: u16, octets: &[u8]) -> Result<Vec<u8>, Complaint> {
    let text = || std::str::from_utf8(octets).map_err(|_| Complaint::new("only UTF-8 is expected"));
    let items = || text().map(|text| text.split(','));
    match key {
        MANDATORY => {
            let number = |item: &str| key_number(item).ok_or_else(|| Complaint::new("`mandatory` lists keys"));
            let mut keys = items()?.map(number).collect::<Result<Vec<u16>, _>>()?;
            keys.sort_unstable();
            Ok(keys.into_iter().flat_map(u16::to_be_bytes).collect())
        }
        ALPN => alpn_list(octets),
        PORT => {
            let port: u16 = text()?.parse().map_err(|_| Complaint::new("a port is a number up to 65535"))?;
            Ok(port.to_be_bytes().to_vec())
        }
        IPV4HINT => {
            let address = |item: &str| item.parse::<Ipv4Addr>().map(|address| address.octets());
            let list = items()?.map(address).collect::<Result<Vec<_>, _>>();
            list.map(|list| list.concat()).map_err(|_| Complaint::new("IPv4 addresses with commas are expected"))
        }
        IPV6HINT => {
            let address = |item: &str| item.parse::<Ipv6Addr>().map(|address| address.octets());
            let list = items()?.map(address).collect::<Result<Vec<_>, _>>();
            list.map(|list| list.concat()).map_err(|_| Complaint::new("IPv6 addresses with commas are expected"))
        }
        ECH => fields::base64(text()?).ok_or_else(|| Complaint::new("base64 is expected")),
        TLS_GROUPS => {
            let groups = items()?.map(str::parse::<u16>).collect::<Result<Vec<_>, _>>();
            let groups = groups.map_err(|_| Complaint::new("numbers with commas are expected"))?;
            Ok(groups.into_iter().flat_map(u16::to_be_bytes).collect())
        }
        _ => Ok(octets.to_vec()),
    }
}

/// Comma-separated protocol identifiers, in which `\,` is a comma and `\\` a backslash (RFC 9460 A.1).
fn alpn_list(octets: &[u8]) -> Result<Vec<u8>, Complaint> {
    let mut items = vec![Vec::new()];
    let mut rest = octets.iter();
    while let Some(&octet) = rest.next() {
        let plain = match octet {
            b',' => {
                items.push(Vec::new());
                continue;
            }
            b'\\' => *rest.next().ok_or_else(|| Complaint::new("a backslash ends the list"))?,
            other => other,
        };
        if let Some(item) = items.last_mut() {
            item.push(plain);
        }
    }
    let mut wire = Vec::new();
    for item in items {
        let length = u8::try_from(item.len()).ok().filter(|&length| length > 0);
        wire.push(length.ok_or_else(|| Complaint::new("a protocol identifier has 1 to 255 octets"))?);
        wire.extend_from_slice(&item);
    }
    Ok(wire)
}

/// A rule that is broken, and by which parameter; none: by the record as a whole.
struct Broken {
    key: Option<u16>,
    complaint: Complaint,
}

/// Checks RDATA in wire form, however it was written.
pub(super) fn inspect(wire: &[u8]) -> Result<(), Complaint> {
    check(wire).map_err(|broken| broken.complaint)
}

fn check(wire: &[u8]) -> Result<(), Broken> {
    let whole = |message: &'static str| Broken { key: None, complaint: Complaint::new(message) };
    let of = |key: u16, message: String| Broken { key: Some(key), complaint: Complaint::new(message) };
    let (priority, rest) = wire.split_first_chunk::<2>().ok_or_else(|| whole("the data is cut short"))?;
    let mut rest = rest;
    loop {
        let (&length, behind) = rest.split_first().ok_or_else(|| whole("the target is cut short"))?;
        let length = usize::from(length);
        rest = behind.get(length..).filter(|_| length <= MAX_LABEL).ok_or_else(|| whole("the target is no name"))?;
        if length == 0 {
            break;
        }
    }
    let mut parameters: BTreeMap<u16, &[u8]> = BTreeMap::new();
    while !rest.is_empty() {
        let cut = || whole("a parameter is cut short");
        let (key, behind) = rest.split_first_chunk::<2>().ok_or_else(cut)?;
        let (length, behind) = behind.split_first_chunk::<2>().ok_or_else(cut)?;
        let (value, behind) = behind.split_at_checked(usize::from(u16::from_be_bytes(*length))).ok_or_else(cut)?;
        let key = u16::from_be_bytes(*key);
        if parameters.last_key_value().is_some_and(|(&last, _)| last >= key) {
            return Err(whole("parameters do not stand in ascending order, each once (RFC 9460 2.2)"));
        }
        parameters.insert(key, value);
        rest = behind;
    }
    if *priority == [0, 0] {
        return match parameters.keys().next() {
            Some(&first) => {
                let complaint =
                    Complaint::new("priority 0 is an alias, and an alias has no parameters (RFC 9460 2.4.2)");
                Err(Broken {
                    key: Some(first),
                    complaint: complaint.remedy("remove them, or use a priority from 1 up"),
                })
            }
            None => Ok(()),
        };
    }
    for (&key, &value) in &parameters {
        let good = match key {
            MANDATORY | TLS_GROUPS => !value.is_empty() && value.len().is_multiple_of(2),
            ALPN => is_alpn(value),
            NO_DEFAULT_ALPN | OHTTP => value.is_empty(),
            PORT => value.len() == 2,
            IPV4HINT => !value.is_empty() && value.len().is_multiple_of(4),
            IPV6HINT => !value.is_empty() && value.len().is_multiple_of(16),
            ECH => !value.is_empty(),
            _ => true,
        };
        if !good {
            let wants = if matches!(key, NO_DEFAULT_ALPN | OHTTP) { "takes no value" } else { "has no valid value" };
            return Err(of(key, format!("the parameter {} {wants}", key_name(key))));
        }
    }
    if parameters.get(&DOHPATH).is_some_and(|template| !is_doh_path(template)) {
        let complaint = Complaint::new("dohpath is no path with a variable dns (RFC 9461 5)");
        let complaint = complaint.remedy("write a URI template, such as /dns-query{?dns}");
        return Err(Broken { key: Some(DOHPATH), complaint });
    }
    if parameters.contains_key(&NO_DEFAULT_ALPN) && !parameters.contains_key(&ALPN) {
        return Err(of(NO_DEFAULT_ALPN, "no-default-alpn without alpn leaves no protocol (RFC 9460 7.1.1)".to_owned()));
    }
    let mut last = None;
    for pair in parameters.get(&MANDATORY).unwrap_or(&&[][..]).chunks_exact(2) {
        let key = u16::from_be_bytes([pair[0], pair[1]]);
        let name = key_name(key);
        if key == MANDATORY {
            return Err(of(MANDATORY, "mandatory lists itself (RFC 9460 8)".to_owned()));
        } else if !parameters.contains_key(&key) {
            return Err(of(MANDATORY, format!("mandatory lists {name}, which the record does not have (RFC 9460 8)")));
        } else if last.is_some_and(|last| last >= key) {
            return Err(of(MANDATORY, format!("mandatory lists {name} twice or out of order (RFC 9460 8)")));
        }
        last = Some(key);
    }
    Ok(())
}

/// Whether a URI template (RFC 6570 2) is an absolute path that has the variable `dns`, whole, and not behind `#`.
fn is_doh_path(template: &[u8]) -> bool {
    let (mut rest, mut has_dns) = (template, false);
    while let Some(open) = rest.iter().position(|octet| matches!(octet, b'{' | b'}')) {
        let (Some(b'{'), Some(behind)) = (rest.get(open), rest.get(open + 1..)) else { return false };
        let Some(close) = behind.iter().position(|octet| matches!(octet, b'{' | b'}')) else { return false };
        let (Some(b'}'), Some(expression)) = (behind.get(close), behind.get(..close)) else { return false };
        let (in_path, variables) = match expression {
            [b'+' | b'.' | b'/' | b';' | b'?' | b'&', variables @ ..] => (true, variables),
            [b'#', variables @ ..] => (false, variables),
            plain => (true, plain),
        };
        for variable in variables.split(|octet| *octet == b',') {
            if variable.is_empty() {
                return false;
            }
            has_dns |= in_path && matches!(variable, b"dns" | b"dns*");
        }
        rest = behind.get(close + 1..).unwrap_or_default();
    }
    has_dns && template.starts_with(b"/")
}

fn is_alpn(value: &[u8]) -> bool {
    let mut rest = value;
    while let Some((&length, behind)) = rest.split_first() {
        match behind.get(usize::from(length)..) {
            Some(next) if length > 0 => rest = next,
            _ => return false,
        }
    }
    !value.is_empty()
}
