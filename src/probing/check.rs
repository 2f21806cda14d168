//! What a probe asks and what it takes for an answer, as plain data. Must not know how it is asked.

use std::{
    hash::{Hash, Hasher},
    path::Path,
    sync::Arc,
};

/// What a probe asks and what it takes for an answer. Equal checks of one address share their probes, and their
/// health survives a reload.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Check {
    /// A connection that opens.
    Tcp(TcpCheck),
    /// A TLS handshake.
    Tls(TlsCheck),
    /// An HTTP exchange, in clear text or over TLS.
    Http(HttpCheck),
    /// The method `grpc.health.v1.Health/Check`.
    Grpc(GrpcCheck),
    /// A DNS query.
    Dns(DnsCheck),
    /// An ICMP echo.
    Icmp,
    /// A command whose exit code says it.
    Exec(ExecCheck),
    /// A file in which another program says it.
    File(FileCheck),
}

/// A connection, and what is said over it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TcpCheck {
    /// The port.
    pub port: u16,
    /// What is sent once it is open.
    pub send: Option<Box<[u8]>>,
    /// A regular expression that what comes back must match.
    pub expect: Option<Box<str>>,
}

/// How TLS is spoken and which certificates are trusted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tls {
    /// The name that is asked for and that the certificate must bear; none: the address.
    pub sni: Option<Box<str>>,
    /// Whether chain and name must hold.
    pub verify: bool,
    /// The certificates that are trusted; none: those of the system.
    pub trust: Option<Trust>,
    /// Seconds before the certificate's end at which it is noted.
    pub warn: u64,
    /// Seconds before the certificate's end at which the probe fails.
    pub fail: u64,
}

/// Certificates as PEM, of which all checks that trust them share one copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trust(Arc<str>);

impl Trust {
    /// From the text of a PEM file.
    #[must_use]
    pub fn new(pem: &str) -> Self {
        Self(pem.into())
    }

    /// The text.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.0
    }
}

impl Hash for Trust {
    /// Cheap, since every outcome hashes its check: bundles of one length rarely differ.
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.len().hash(state);
    }
}

/// A TLS handshake.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TlsCheck {
    /// The port.
    pub port: u16,
    /// How.
    pub tls: Tls,
}

/// The HTTP request and what is expected of the response.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HttpCheck {
    /// The port.
    pub port: u16,
    /// Over TLS; none: in clear text.
    pub tls: Option<Tls>,
    /// Which HTTP.
    pub version: HttpVersion,
    /// The request method, in capitals.
    pub method: Box<str>,
    /// Path and query, from the slash.
    pub path: Box<str>,
    /// The Host header; without one it is the name asked for in TLS, else the address.
    pub host: Option<Box<str>>,
    /// Further headers, in name order.
    pub headers: Vec<(Box<str>, Box<str>)>,
    /// Inclusive ranges of good status codes.
    pub status: Vec<(u16, u16)>,
    /// What the body must hold; several things must hold together.
    pub body: Vec<Body>,
    /// How many bytes of the body are read at most.
    pub body_max: u32,
    /// How many redirects are followed; they stay with the same address.
    pub redirects: u8,
}

/// Which HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HttpVersion {
    /// 1.1.
    One,
    /// 2; in clear text with prior knowledge.
    Two,
}

/// Something that a body must hold.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Body {
    /// This text.
    Contains(Box<str>),
    /// What matches this regular expression.
    Matches(Box<str>),
    /// JSON in which the value at a pointer (RFC 6901) compares so.
    Json(Box<str>, Compare),
}

/// What a JSON value is compared with.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Compare {
    /// The same value, as JSON text.
    Equals(Box<str>),
    /// A number from here on; as decimal text, since floating point numbers have no order.
    AtLeast(Box<str>),
    /// A number up to here.
    AtMost(Box<str>),
}

/// A question to `grpc.health.v1`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct GrpcCheck {
    /// The port.
    pub port: u16,
    /// The service asked for; empty: the server as a whole.
    pub service: Box<str>,
    /// Over TLS; none: in clear text.
    pub tls: Option<Tls>,
}

/// A DNS query and what is expected of the response.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DnsCheck {
    /// The port.
    pub port: u16,
    /// The name.
    pub name: Box<str>,
    /// The type, as text: "A".
    pub rtype: Box<str>,
    /// Data of which the answer must have every one; empty: any answer without an error will do.
    pub expect: Vec<Box<str>>,
}

/// A command. `{address}` in its words stands for the address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ExecCheck {
    /// The program and its arguments.
    pub command: Vec<Box<str>>,
}

/// A file of lines `address,up` or `address,down[,reason]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FileCheck {
    /// Where it is.
    pub path: Box<Path>,
}

impl Check {
    /// A connection that opens, and nothing more.
    #[must_use]
    pub const fn tcp(port: u16) -> Self {
        Self::Tcp(TcpCheck { port, send: None, expect: None })
    }

    /// The same, at another port; the same where there is none.
    #[must_use]
    pub fn at_port(&self, to: u16) -> Self {
        let mut other = self.clone();
        match &mut other {
            Self::Tcp(TcpCheck { port, .. })
            | Self::Tls(TlsCheck { port, .. })
            | Self::Http(HttpCheck { port, .. })
            | Self::Grpc(GrpcCheck { port, .. })
            | Self::Dns(DnsCheck { port, .. }) => *port = to,
            Self::Icmp | Self::Exec(_) | Self::File(_) => {}
        }
        other
    }
}
