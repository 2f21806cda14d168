//! Checks of few keys, none of which speaks HTTP or TLS: a TCP connection, a DNS query, a command, and a file in which
//! another program says what is up. Must not know when they run.

use std::{
    fs,
    net::{Ipv4Addr, Ipv6Addr},
    os::unix::fs::PermissionsExt,
    path::PathBuf,
};

use toml::Spanned;

use super::body::pattern;
use crate::{
    config::{
        check::value::{element, items, literal, port, required, text, word},
        diagnostics::{Notes, join},
        dns_name::{self, NotAName},
        spec::{DnsSpec, ExecSpec, FileSpec, TcpCheckSpec},
    },
    probing::check::{DnsCheck, ExecCheck, FileCheck, TcpCheck},
};

/// `tcp`.
pub(super) fn tcp(written: &Spanned<TcpCheckSpec>, monitor: &str, notes: &mut Notes<'_>) -> TcpCheck {
    let spec = written.get_ref();
    let path = ["monitors", monitor, "tcp"];
    if let Some(send) = &spec.send
        && send.get_ref().is_empty()
    {
        let fault = notes.error(send.span(), format!("`{}.send` is empty", join(&path)), "there is nothing to send");
        notes.push(fault.remedy("leave it out: then the target speaks first, or the connection alone counts"));
    }
    TcpCheck {
        port: port(spec.port.as_ref(), written.span(), &path, None, notes),
        send: spec.send.as_ref().map(|send| send.get_ref().as_bytes().into()),
        expect: spec.expect.as_ref().map(|expect| pattern(expect, &format!("{}.expect", join(&path)), notes).into()),
    }
}

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

/// What stands for the address in the words of a command.
const ADDRESS: &str = "{address}";

/// `exec`.
pub(super) fn exec(written: &Spanned<ExecSpec>, monitor: &str, notes: &mut Notes<'_>) -> ExecCheck {
    let mut command = items(written.get_ref().command.as_ref());
    let path = ["monitors", monitor, "exec"];
    let at = format!("{}.command", join(&path));
    match command.first_mut() {
        None => required("command", "command = [\"/path/to/check\", \"{address}\"]", written.span(), &path, notes),
        Some(first) => program(first, &at, notes),
    }
    if let Some(list) = &written.get_ref().command
        && !command.is_empty()
        && !command.iter().any(|word| word.get_ref().contains(ADDRESS))
    {
        let label = format!("no word of it has `{ADDRESS}`");
        let fault = notes.warning(list.span(), format!("`{at}` is the same for every address"), label);
        notes.push(fault.remedy(format!("add \"{ADDRESS}\" where the address belongs")));
    }
    ExecCheck { command: command.into_iter().map(|word| word.into_inner().into()).collect() }
}

/// A program with a slash in it is a path, relative to the file that names it; one without is looked for in `PATH`.
fn program(first: &mut Spanned<String>, at: &str, notes: &mut Notes<'_>) {
    if first.get_ref().is_empty() {
        let fault = notes.error(first.span(), format!("`{at}` names no program"), "its first word is empty");
        notes.push(fault.remedy("write the path of a program"));
        return;
    }
    if first.get_ref().contains(char::is_whitespace) && !first.get_ref().contains('/') {
        let label = "one word each: no shell reads it";
        let fault = notes.error(first.span(), format!("`{at}` has a program with blanks in its name"), label);
        notes.push(fault.remedy("write [\"program\", \"argument\"], or [\"/bin/sh\", \"-c\", \"…\"]"));
        return;
    }
    if !first.get_ref().contains('/') {
        return;
    }
    literal(element(first), notes);
    let path: PathBuf = notes.path(first).components().collect();
    let label = match fs::metadata(&path) {
        Ok(found) if !found.is_file() => Some("no file".to_owned()),
        Ok(found) if found.permissions().mode() & 0o111 == 0 => Some("not executable".to_owned()),
        Ok(_) => None,
        Err(error) => Some(error.to_string()),
    };
    if let Some(label) = label {
        let message = format!("`{at}` cannot be run as things are: {}", path.display());
        let fault = notes.warning(first.span(), message, label);
        notes.push(fault.remedy("put a program there; until then its targets are unknown"));
    }
    *first = Spanned::new(first.span(), path.display().to_string());
}

/// `file`. That there is no such file yet is no fault: the program that writes it may start later.
pub(super) fn file(written: &Spanned<FileSpec>, monitor: &str, notes: &mut Notes<'_>) -> FileCheck {
    let table = ["monitors", monitor, "file"];
    let path = match &written.get_ref().path {
        Some(path) => {
            if path.get_ref().is_empty() {
                let message = format!("`{}.path` is empty", join(&table));
                notes.push(notes.error(path.span(), message, "it names no file"));
            }
            literal(text(path), notes);
            notes.path(&Spanned::new(path.span(), path.get_ref().0.clone()))
        }
        None => {
            required("path", "path = \"health.csv\"", written.span(), &table, notes);
            PathBuf::new()
        }
    };
    FileCheck { path: path.into() }
}
