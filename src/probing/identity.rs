//! The lasting identity of what is probed: an encoding of a check that no rename of a Rust item changes, and its digest.
//! Must not know where the digest is kept.
//!
//! The encoding is a row of bytes. It opens with its version, and then names each field by a tag of its own:
//!
//! | form | meaning |
//! |---|---|
//! | `tag=80;` | a number, in decimal |
//! | `tag:5=hello;` | so many bytes, as they are |
//! | `tag;` | yes |
//! | `tag{…}` | a group of fields |
//!
//! Fields come in the order in which this file writes them, and the items of a list one after the other under one tag. So
//! the bytes can be read in one way only, and two checks that differ have different encodings.
//!
//! **An option that is absent, a list without items and a "no" are not written.** A new field is therefore added like
//! this: it is written only when its value differs from what every check had before the field existed. Then checks that
//! do not use it keep their identity. A tag is never used again for something else. A change that gives existing checks
//! another encoding needs another [`VERSION`], and a reader of what holds the old digests.

use std::{fmt, hash::Hasher, net::IpAddr, os::unix::ffi::OsStrExt};

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use siphasher::sip128::{Hasher128, SipHasher24};

use super::{
    check::{
        Body, Check, Compare, DnsCheck, ExecCheck, FileCheck, GrpcCheck, HttpCheck, HttpVersion, TcpCheck, Tls,
        TlsCheck,
    },
    monitor::ProbeKey,
};

/// The version of the encoding, with which each one opens.
pub const VERSION: u64 = 1;

/// The encoding of what is probed, without its address. It holds what the configuration holds, so it may hold secrets.
#[must_use]
pub fn encode(key: &ProbeKey) -> Vec<u8> {
    // Digests are kept beside the address, which people want to read.
    let ProbeKey { check, address: _, source } = key;
    let mut fields = Fields::default();
    fields.number("probe", VERSION);
    fields.check(check);
    fields.source(*source);
    fields.0
}

/// The digest of the encoding, as 32 hexadecimal digits: SipHash-2-4 of 128 bits with a key of zeros.
#[must_use]
pub fn digest(key: &ProbeKey) -> String {
    CheckDigest::of(key).to_string()
}

/// The digest of an encoding. It is written as [`digest`] does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CheckDigest([u8; 16]);

impl CheckDigest {
    /// The digest of what is probed, without its address.
    #[must_use]
    pub fn of(key: &ProbeKey) -> Self {
        let mut hasher = SipHasher24::new();
        hasher.write(&encode(key));
        Self(u128::from(hasher.finish128()).to_le_bytes())
    }
}

impl fmt::Display for CheckDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl From<CheckDigest> for String {
    fn from(digest: CheckDigest) -> Self {
        digest.to_string()
    }
}

/// What is no digest of a check.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no digest of a check, which has 32 hexadecimal digits")]
pub struct NoDigest(Box<str>);

impl TryFrom<String> for CheckDigest {
    type Error = NoDigest;

    fn try_from(text: String) -> Result<Self, NoDigest> {
        let bytes = HEXLOWER.decode(text.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| NoDigest(text.into()))
    }
}

/// What is probed, by a name that is small, outlives a reload and a restart, and holds no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ProbeId {
    /// The address.
    pub address: IpAddr,
    /// What is asked of it.
    pub check: CheckDigest,
}

impl ProbeId {
    /// The name of what is probed.
    #[must_use]
    pub fn of(key: &ProbeKey) -> Self {
        Self { address: key.address, check: CheckDigest::of(key) }
    }
}

/// Fields that have been written. Every `match` here names all fields of its variant, without `..`: a new field does not
/// compile until it has a tag.
#[derive(Default)]
struct Fields(Vec<u8>);

impl Fields {
    fn number(&mut self, tag: &str, value: u64) {
        self.0.extend_from_slice(format!("{tag}={value};").as_bytes());
    }

    fn bytes(&mut self, tag: &str, value: &[u8]) {
        self.0.extend_from_slice(format!("{tag}:{}=", value.len()).as_bytes());
        self.0.extend_from_slice(value);
        self.0.push(b';');
    }

    fn text(&mut self, tag: &str, value: &str) {
        self.bytes(tag, value.as_bytes());
    }

    fn optional(&mut self, tag: &str, value: Option<&str>) {
        value.into_iter().for_each(|value| self.text(tag, value));
    }

    fn texts(&mut self, tag: &str, values: &[Box<str>]) {
        values.iter().for_each(|value| self.text(tag, value));
    }

    fn flag(&mut self, tag: &str, value: bool) {
        if value {
            self.0.extend_from_slice(format!("{tag};").as_bytes());
        }
    }

    fn group(&mut self, tag: &str, write: impl FnOnce(&mut Self)) {
        self.0.extend_from_slice(tag.as_bytes());
        self.0.push(b'{');
        write(self);
        self.0.push(b'}');
    }

    fn source(&mut self, source: Option<IpAddr>) {
        self.optional("source", source.map(|source| source.to_string()).as_deref());
    }

    fn check(&mut self, check: &Check) {
        match check {
            Check::Tcp(TcpCheck { port, send, expect }) => self.group("tcp", |fields| {
                fields.number("port", (*port).into());
                send.iter().for_each(|send| fields.bytes("send", send));
                fields.optional("expect", expect.as_deref());
            }),
            Check::Tls(TlsCheck { port, tls }) => self.group("handshake", |fields| {
                fields.number("port", (*port).into());
                fields.tls(tls);
            }),
            Check::Http(http) => self.group("http", |fields| fields.http(http)),
            Check::Grpc(GrpcCheck { port, service, tls }) => self.group("grpc", |fields| {
                fields.number("port", (*port).into());
                fields.text("service", service);
                tls.iter().for_each(|tls| fields.tls(tls));
            }),
            Check::Dns(DnsCheck { port, name, rtype, expect }) => self.group("dns", |fields| {
                fields.number("port", (*port).into());
                fields.text("name", name);
                fields.text("type", rtype);
                fields.texts("expect", expect);
            }),
            Check::Icmp => self.group("icmp", |_| {}),
            Check::Exec(ExecCheck { command }) => self.group("exec", |fields| fields.texts("word", command)),
            Check::File(FileCheck { path }) => {
                self.group("file", |fields| fields.bytes("path", path.as_os_str().as_bytes()));
            }
        }
    }

    fn tls(&mut self, tls: &Tls) {
        let Tls { sni, verify, trust, warn, fail } = tls;
        self.group("tls", |fields| {
            fields.optional("sni", sni.as_deref());
            fields.flag("verify", *verify);
            fields.optional("trust", trust.as_ref().map(|trust| trust.pem()));
            fields.number("warn", *warn);
            fields.number("fail", *fail);
        });
    }

    fn http(&mut self, http: &HttpCheck) {
        let HttpCheck { port, tls, version, method, path, host, headers, status, body, body_max, redirects } = http;
        self.number("port", (*port).into());
        tls.iter().for_each(|tls| self.tls(tls));
        self.number(
            "version",
            match version {
                HttpVersion::One => 1,
                HttpVersion::Two => 2,
            },
        );
        self.text("method", method);
        self.text("path", path);
        self.optional("host", host.as_deref());
        for (name, value) in headers {
            self.group("header", |fields| {
                fields.text("name", name);
                fields.text("value", value);
            });
        }
        for (from, to) in status {
            self.group("status", |fields| {
                fields.number("from", (*from).into());
                fields.number("to", (*to).into());
            });
        }
        body.iter().for_each(|body| self.body(body));
        self.number("body-max", (*body_max).into());
        self.number("redirects", (*redirects).into());
    }

    fn body(&mut self, body: &Body) {
        self.group("body", |fields| match body {
            Body::Contains(text) => fields.text("contains", text),
            Body::Matches(expression) => fields.text("matches", expression),
            Body::Json(pointer, compare) => {
                fields.text("pointer", pointer);
                match compare {
                    Compare::Equals(value) => fields.text("equals", value),
                    Compare::AtLeast(number) => fields.text("at-least", number),
                    Compare::AtMost(number) => fields.text("at-most", number),
                }
            }
        });
    }
}

#[cfg(test)]
pub(crate) mod tests;
