//! DNS monitors: a query and what is expected of the response.

use std::net::{Ipv4Addr, Ipv6Addr};

use toml::Spanned;

use super::{port, required};
use crate::{
    config::{
        check::value::{items, text, word},
        dns_name::{self, NotAName},
        notes::{Notes, join},
        spec::DnsSpec,
    },
    engine::health::check::DnsCheck,
};

/// How the data of a type is written, and whether a text is such data.
type Form = (&'static str, fn(&str) -> bool);

/// The types that can be asked for, and those among them whose data can be told.
const TYPES: [(&str, Option<Form>); 16] = [
    ("A", Some(("an IPv4 address", |text| text.parse::<Ipv4Addr>().is_ok()))),
    ("AAAA", Some(("an IPv6 address", |text| text.parse::<Ipv6Addr>().is_ok()))),
    ("CNAME", Some(("a name", is_name))),
    ("NS", Some(("a name", is_name))),
    ("PTR", Some(("a name", is_name))),
    ("MX", Some(("a preference and a name: \"10 mail.example.com\"", |text| is_numbers_and_name(text, 1)))),
    (
        "SRV",
        Some(("priority, weight, port and name: \"0 5 443 www.example.com\"", |text| is_numbers_and_name(text, 3))),
    ),
    ("TXT", Some(("a text, its strings in one", |text| !text.is_empty()))),
    ("SOA", None),
    ("CAA", None),
    ("DNSKEY", None),
    ("DS", None),
    ("HTTPS", None),
    ("NAPTR", None),
    ("SVCB", None),
    ("TLSA", None),
];

fn is_name(text: &str) -> bool {
    !text.contains('\\') && dns_name::read(text).is_ok()
}

/// So many numbers of 16 bits, and a name, one blank between them.
fn is_numbers_and_name(text: &str, count: usize) -> bool {
    let parts: Vec<&str> = text.split(' ').collect();
    parts.len() == count + 1
        && parts[..count].iter().all(|part| part.parse::<u16>().is_ok_and(|number| number.to_string() == *part))
        && is_name(parts[count])
}

/// `dns`.
pub(super) fn dns(written: &Spanned<DnsSpec>, monitor: &str, notes: &mut Notes<'_>) -> DnsCheck {
    let spec = written.get_ref();
    let path = ["monitors", monitor, "dns"];
    let at = |key: &str| format!("{}.{key}", join(&path));
    match &spec.name {
        None => required("name", "name = \"canary.example.com\"", written.span(), &path, notes),
        Some(name) => {
            let (label, remedy) = match dns_name::read(name.get_ref()) {
                Ok(_) if name.get_ref().contains('\\') => (Some("escapes are not read here".to_owned()), None),
                Ok(_) => (None, None),
                Err(NotAName { cause, remedy }) => (Some(cause), remedy),
            };
            if let Some(label) = label {
                let fault = notes.error(name.span(), format!("`{}` is not a name", at("name")), label);
                notes.push(match remedy {
                    Some(remedy) => fault.remedy(remedy),
                    None => fault,
                });
            }
        }
    }
    let rtype = spec.r#type.as_ref().and_then(|rtype| {
        let words = TYPES.map(|(name, form)| (name, (name, form)));
        word(text(rtype), &at("type"), &words, &[], notes)
    });
    let known = rtype.is_some() || spec.r#type.is_none();
    let (rtype, form) = rtype.unwrap_or(TYPES[0]);
    let expect = items(spec.expect.as_ref());
    if let (Some(list), true) = (&spec.expect, known) {
        let at = at("expect");
        match form {
            None => {
                let label = format!("data of type {rtype} cannot be told here");
                let fault = notes.error(list.span(), format!("`{at}` cannot be met"), label);
                notes.push(fault.remedy("leave it out: then any answer without an error is good"));
            }
            Some((what, is_data)) => {
                for item in expect.iter().filter(|item| !is_data(item.get_ref())) {
                    let label = format!("of type {rtype} it is {what}");
                    let fault = notes.error(item.span(), format!("`{at}` has {:?}", item.get_ref()), label);
                    let ascii = dns_name::in_ascii(item.get_ref()).filter(|_| !item.get_ref().is_ascii());
                    notes.push(match ascii {
                        Some(ascii) => fault.remedy(format!("write \"{ascii}\"")),
                        None => fault,
                    });
                }
            }
        }
    }
    DnsCheck {
        port: port(spec.port.as_ref(), written.span(), &path, Some(53), notes),
        name: spec.name.as_ref().map_or("", |name| name.get_ref()).into(),
        rtype: rtype.into(),
        expect: expect.into_iter().map(|item| item.into_inner().into()).collect(),
    }
}
