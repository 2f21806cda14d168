//! What version 1 of saved health knew a check by: a digest of the text that Rust's `Debug` made of it then. Every name of
//! that text is spelled here, so that items may be renamed. Must not know how checks are known today.
//!
//! It goes when version 1 is no longer read. Until then a new field of a check is passed over here, and a check that uses
//! it is in no file of version 1.

use std::{
    fmt::{self, Debug, Formatter},
    hash::Hasher,
};

use siphasher::sip::SipHasher24;

use crate::probing::{
    check::{
        Body, Check, Compare, DnsCheck, ExecCheck, FileCheck, GrpcCheck, HttpCheck, HttpVersion, TcpCheck, Tls,
        TlsCheck, Trust,
    },
    monitor::ProbeKey,
};

/// The digest of a check and its source, as 16 hexadecimal digits.
pub(super) fn digest(key: &ProbeKey) -> String {
    let mut hasher = SipHasher24::new();
    hasher.write(text(key).as_bytes());
    format!("{:016x}", hasher.finish())
}

fn text(key: &ProbeKey) -> String {
    let ProbeKey { check, address: _, source } = key;
    format!("{:?} from {source:?}", Old(check))
}

/// Something as it was shown then.
struct Old<'a, T>(&'a T);

fn each<T>(all: &[T]) -> Vec<Old<'_, T>> {
    all.iter().map(Old).collect()
}

impl Debug for Old<'_, Check> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Check::Tcp(TcpCheck { port, send, expect }) => {
                let fields = |f: &mut Formatter<'_>| {
                    let mut fields = f.debug_struct("TcpCheck");
                    fields.field("port", port).field("send", send).field("expect", expect).finish()
                };
                f.debug_tuple("Tcp").field(&fmt::from_fn(fields)).finish()
            }
            Check::Tls(TlsCheck { port, tls }) => {
                let fields = |f: &mut Formatter<'_>| {
                    f.debug_struct("TlsCheck").field("port", port).field("tls", &Old(tls)).finish()
                };
                f.debug_tuple("Tls").field(&fmt::from_fn(fields)).finish()
            }
            Check::Http(http) => f.debug_tuple("Http").field(&Old(http)).finish(),
            Check::Grpc(GrpcCheck { port, service, tls }) => {
                let fields = |f: &mut Formatter<'_>| {
                    let mut fields = f.debug_struct("GrpcCheck");
                    fields.field("port", port).field("service", service);
                    fields.field("tls", &tls.as_ref().map(Old)).finish()
                };
                f.debug_tuple("Grpc").field(&fmt::from_fn(fields)).finish()
            }
            Check::Dns(DnsCheck { port, name, rtype, expect }) => {
                let fields = |f: &mut Formatter<'_>| {
                    let mut fields = f.debug_struct("DnsCheck");
                    fields.field("port", port).field("name", name).field("rtype", rtype);
                    fields.field("expect", expect).finish()
                };
                f.debug_tuple("Dns").field(&fmt::from_fn(fields)).finish()
            }
            Check::Icmp => f.write_str("Icmp"),
            Check::Exec(ExecCheck { command }) => {
                let fields = |f: &mut Formatter<'_>| f.debug_struct("ExecCheck").field("command", command).finish();
                f.debug_tuple("Exec").field(&fmt::from_fn(fields)).finish()
            }
            Check::File(FileCheck { path }) => {
                let fields = |f: &mut Formatter<'_>| f.debug_struct("FileCheck").field("path", path).finish();
                f.debug_tuple("File").field(&fmt::from_fn(fields)).finish()
            }
        }
    }
}

impl Debug for Old<'_, HttpCheck> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let HttpCheck { port, tls, version, method, path, host, headers, status, body, body_max, redirects } = self.0;
        let mut fields = f.debug_struct("HttpCheck");
        fields.field("port", port).field("tls", &tls.as_ref().map(Old)).field("version", &Old(version));
        fields.field("method", method).field("path", path).field("host", host).field("headers", headers);
        fields.field("status", status).field("body", &each(body)).field("body_max", body_max);
        fields.field("redirects", redirects).finish()
    }
}

impl Debug for Old<'_, HttpVersion> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            HttpVersion::One => "One",
            HttpVersion::Two => "Two",
        })
    }
}

impl Debug for Old<'_, Body> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Body::Contains(text) => f.debug_tuple("Contains").field(text).finish(),
            Body::Matches(expression) => f.debug_tuple("Matches").field(expression).finish(),
            Body::Json(pointer, compare) => f.debug_tuple("Json").field(pointer).field(&Old(compare)).finish(),
        }
    }
}

impl Debug for Old<'_, Compare> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Compare::Equals(value) => f.debug_tuple("Equals").field(value).finish(),
            Compare::AtLeast(number) => f.debug_tuple("AtLeast").field(number).finish(),
            Compare::AtMost(number) => f.debug_tuple("AtMost").field(number).finish(),
        }
    }
}

impl Debug for Old<'_, Tls> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Tls { sni, verify, trust, warn, fail } = self.0;
        let mut fields = f.debug_struct("Tls");
        fields.field("sni", sni).field("verify", verify).field("trust", &trust.as_ref().map(Old));
        fields.field("warn", warn).field("fail", fail).finish()
    }
}

impl Debug for Old<'_, Trust> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Trust").field(&self.0.pem()).finish()
    }
}

#[cfg(test)]
mod tests;
