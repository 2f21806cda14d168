//! Record types, classes and response codes by number, with their names. Must not know what any of them means to a
//! zone.

use std::fmt;

/// A record type (RFC 1035 3.2.2 and the IANA registry).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RrType(pub u16);

macro_rules! types {
    ($($name:ident = $number:literal),* $(,)?) => {
        #[allow(missing_docs, reason = "each is the registry's mnemonic")]
        impl RrType {
            $(pub const $name: Self = Self($number);)*
        }
        const NAMES: &[(u16, &str)] = &[$(($number, stringify!($name))),*];
    };
}

types! {
    A = 1, NS = 2, CNAME = 5, SOA = 6, PTR = 12, HINFO = 13, MX = 15, TXT = 16, RP = 17, AFSDB = 18, SIG = 24,
    KEY = 25, AAAA = 28, LOC = 29, SRV = 33, NAPTR = 35, KX = 36, CERT = 37, DNAME = 39, OPT = 41, APL = 42, DS = 43,
    SSHFP = 44, IPSECKEY = 45, RRSIG = 46, NSEC = 47, DNSKEY = 48, DHCID = 49, NSEC3 = 50, NSEC3PARAM = 51, TLSA = 52,
    SMIMEA = 53, HIP = 55, CDS = 59, CDNSKEY = 60, OPENPGPKEY = 61, CSYNC = 62, ZONEMD = 63, SVCB = 64, HTTPS = 65,
    NXNAME = 128, TKEY = 249, TSIG = 250, IXFR = 251, AXFR = 252, MAILB = 253, MAILA = 254, ANY = 255, URI = 256,
    CAA = 257,
}

impl RrType {
    /// Reads a mnemonic in any case, or `TYPE` and a number (RFC 3597 5).
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        let upper = text.to_ascii_uppercase();
        if let Some((number, _)) = NAMES.iter().find(|(_, name)| *name == upper) {
            return Some(Self(*number));
        }
        upper.strip_prefix("TYPE")?.parse().ok().map(Self)
    }

    /// Whether the type is a question or a message part and no zone may hold it (RFC 6895 3.1).
    #[must_use]
    pub fn is_meta(self) -> bool {
        matches!(self.0, 0 | 41 | 128..=255 | 65535)
    }
}

impl fmt::Display for RrType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match NAMES.iter().find(|(number, _)| *number == self.0) {
            Some((_, name)) => f.write_str(name),
            None => write!(f, "TYPE{}", self.0),
        }
    }
}

/// A response code (RFC 6895 2.3); those above 15 need an OPT record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
#[allow(missing_docs, reason = "each is the registry's mnemonic")]
pub enum Rcode {
    NoError = 0,
    FormErr = 1,
    ServFail = 2,
    NxDomain = 3,
    NotImp = 4,
    Refused = 5,
    YxDomain = 6,
    BadVers = 16,
}

impl fmt::Display for Rcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoError => "NOERROR",
            Self::FormErr => "FORMERR",
            Self::ServFail => "SERVFAIL",
            Self::NxDomain => "NXDOMAIN",
            Self::NotImp => "NOTIMP",
            Self::Refused => "REFUSED",
            Self::YxDomain => "YXDOMAIN",
            Self::BadVers => "BADVERS",
        })
    }
}
