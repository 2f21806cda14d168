//! The record types that have a readable form, each with the fields of its data in their order: the one table that
//! reading, checking and showing go by. Must not know how a field is read.

use RdataField::{
    Address4, Address6, Base64, Digits, Eui, Hex, KeyBase64, Locator, Mailbox, Moment, Name, Octets, OptionalString,
    Special, Strings, Tag, Timer, Type, Types, U8, U16, U32, U64, Word8, Word16,
};

use super::{
    addresses::{A6, APL, ATMA, DOA, NSAP, WKS},
    field::{RdataField, Words},
    gateway::{AMTRELAY, HIP, IPSECKEY},
    location::{DEGREES, LOC, METRES},
};
use crate::engine::wire::rr::RrType;

/// One character-string.
const STRING: RdataField = RdataField::String;

/// DNSSEC algorithms (RFC 4034 A.1 and the IANA registry). BIND's names of three of them come first, as dig shows those.
const ALGORITHMS: &[(&str, u16)] = &[
    ("DELETE", 0),
    ("RSAMD5", 1),
    ("DH", 2),
    ("DSA", 3),
    ("ECC", 4),
    ("RSASHA1", 5),
    ("NSEC3DSA", 6),
    ("DSA-NSEC3-SHA1", 6),
    ("NSEC3RSASHA1", 7),
    ("RSASHA1-NSEC3-SHA1", 7),
    ("RSASHA256", 8),
    ("RSASHA512", 10),
    ("ECCGOST", 12),
    ("ECC-GOST", 12),
    ("ECDSAP256SHA256", 13),
    ("ECDSAP384SHA384", 14),
    ("ED25519", 15),
    ("ED448", 16),
    ("SM2SM3", 17),
    ("MLDSA44", 18),
    ("ECC-GOST12", 23),
    ("INDIRECT", 252),
    ("PRIVATEDNS", 253),
    ("PRIVATEOID", 254),
];
const ALGORITHM: RdataField = Word8(Words { known: ALGORITHMS, shown: false });
/// CERT is shown with the word.
const SHOWN_ALGORITHM: RdataField = Word8(Words { known: ALGORITHMS, shown: true });

/// Digests of keys in DS and its kin (RFC 4034 A.2 and the IANA registry).
const DIGEST: RdataField = Word8(Words {
    known: &[
        ("SHA-1", 1),
        ("SHA1", 1),
        ("SHA-256", 2),
        ("SHA256", 2),
        ("GOST", 3),
        ("SHA-384", 4),
        ("SHA384", 4),
        ("GOST12", 5),
        ("SM3", 6),
    ],
    shown: false,
});

/// Protocols of a key (RFC 2535 3.1.3); DNSKEY has 3 only.
const PROTOCOL: RdataField = Word8(Words {
    known: &[("NONE", 0), ("TLS", 1), ("EMAIL", 2), ("DNSSEC", 3), ("IPSEC", 4), ("ALL", 255)],
    shown: false,
});

/// Certificate types (RFC 4398 2.1).
const CERTIFICATE: RdataField = Word16(Words {
    known: &[
        ("PKIX", 1),
        ("SPKI", 2),
        ("PGP", 3),
        ("IPKIX", 4),
        ("ISPKI", 5),
        ("IPGP", 6),
        ("ACPKIX", 7),
        ("IACPKIX", 8),
        ("URI", 253),
        ("OID", 254),
    ],
    shown: true,
});

/// Schemes of DSYNC (RFC 9859 2).
const SCHEME: RdataField = Word8(Words { known: &[("NOTIFY", 1)], shown: true });

/// The fields of a type's data; none where the type has no readable form.
pub(super) fn of(rtype: RrType) -> Option<&'static [RdataField]> {
    FORMS.iter().find(|(known, _)| known.contains(&rtype)).map(|(_, fields)| *fields)
}

/// SVCB and HTTPS are not here: their parameters have a reader of their own. NULL has no readable form (RFC 1035 3.3.10),
/// nor have UINFO, UID, GID and UNSPEC, which no document describes.
const FORMS: &[(&[RrType], &[RdataField])] = &[
    (&[RrType::A], &[Address4]),
    (&[RrType::AAAA], &[Address6]),
    (&[RrType::NS, RrType::CNAME, RrType::PTR, RrType::DNAME, RrType::NSAP_PTR], &[Name]),
    (&[RrType::MD, RrType::MF, RrType::MB, RrType::MG, RrType::MR], &[Name]),
    (&[RrType::MX, RrType::AFSDB, RrType::RT, RrType::KX, RrType::LP], &[U16, Name]),
    (&[RrType::TXT, RrType::SPF, RrType::NINFO, RrType::AVC, RrType::RESINFO, RrType::WALLET, RrType::CLA], &[Strings]),
    (&[RrType::SOA], &[Name, Mailbox, U32, Timer("refresh"), Timer("retry"), Timer("expire"), Timer("minimum")]),
    (&[RrType::SRV], &[U16, U16, U16, Name]),
    (&[RrType::CAA], &[U8, Tag, Octets]),
    (&[RrType::NAPTR], &[U16, U16, STRING, STRING, STRING, Name]),
    (&[RrType::URI], &[U16, U16, Octets]),
    (&[RrType::HINFO], &[STRING, STRING]),
    (&[RrType::RP, RrType::MINFO, RrType::TALINK], &[Name, Name]),
    (&[RrType::DS, RrType::CDS, RrType::DLV, RrType::TA], &[U16, ALGORITHM, DIGEST, Hex]),
    (&[RrType::DNSKEY, RrType::CDNSKEY, RrType::KEY, RrType::RKEY], &[U16, PROTOCOL, ALGORITHM, KeyBase64]),
    (&[RrType::TLSA, RrType::SMIMEA], &[U8, U8, U8, Hex]),
    (&[RrType::SSHFP], &[U8, U8, Hex]),
    (&[RrType::ZONEMD], &[U32, U8, U8, Hex]),
    (&[RrType::CERT], &[CERTIFICATE, U16, SHOWN_ALGORITHM, Base64]),
    (&[RrType::OPENPGPKEY, RrType::DHCID, RrType::HHIT, RrType::BRID], &[Base64]),
    (&[RrType::IPSECKEY], &[U8, Special(&IPSECKEY), KeyBase64]),
    (&[RrType::AMTRELAY], &[U8, Special(&AMTRELAY)]),
    (&[RrType::HIP], &[Special(&HIP)]),
    (&[RrType::CSYNC], &[U32, U16, Types]),
    (&[RrType::DSYNC], &[Type, SCHEME, U16, Name]),
    (&[RrType::LOC], &[Special(&LOC)]),
    (&[RrType::GPOS], &[Special(&DEGREES), Special(&DEGREES), Special(&METRES)]),
    (&[RrType::APL], &[Special(&APL)]),
    (&[RrType::A6], &[Special(&A6)]),
    (&[RrType::WKS], &[Address4, Special(&WKS)]),
    (&[RrType::EUI48], &[Eui(6)]),
    (&[RrType::EUI64], &[Eui(8)]),
    (&[RrType::NID, RrType::L64], &[U16, Locator]),
    (&[RrType::L32], &[U16, Address4]),
    // The first four are the network's (RFC 1183 3.1).
    (&[RrType::X25], &[Digits(4)]),
    (&[RrType::ISDN], &[STRING, OptionalString]),
    (&[RrType::NSAP], &[Special(&NSAP)]),
    (&[RrType::PX], &[U16, Name, Name]),
    (&[RrType::ATMA], &[Special(&ATMA)]),
    (&[RrType::EID, RrType::NIMLOC], &[Hex]),
    (&[RrType::SINK], &[U8, U8, U8, KeyBase64]),
    (&[RrType::DOA], &[U32, U32, U8, STRING, Special(&DOA)]),
    (&[RrType::IPN], &[U64]),
    // Of the first DNSSEC (RFC 2535); a zone may hold old ones.
    (&[RrType::SIG], &[Type, ALGORITHM, U8, U32, Moment, Moment, U16, Name, Base64]),
    (&[RrType::NXT], &[Name, RdataField::OldTypes]),
];
