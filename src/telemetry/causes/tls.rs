//! What an error of TLS says of the other side, as sentences: none of the library's own names. Must not know what the
//! connection was for.

use rustls::{
    AlertDescription, CertificateError, Error, ExtendedKeyPurpose, InvalidMessage, OtherError, PeerIncompatible,
    PeerMisbehaved,
    pki_types::{ServerName, UnixTime},
};

/// No name out of a certificate is longer when it is shown, in characters.
const SHOWN: usize = 100;

/// What an error of TLS says.
#[must_use]
pub fn sentence(error: &Error) -> Box<str> {
    match error {
        Error::InvalidCertificate(why) => certificate(why),
        Error::InvalidMessage(
            InvalidMessage::CertificatePayloadTooLarge | InvalidMessage::HandshakePayloadTooLarge,
        ) => "it shows more than 64 KiB of certificates".to_owned(),
        Error::InvalidMessage(_) => "it does not speak TLS".to_owned(),
        Error::NoCertificatesPresented => "it shows no certificate".to_owned(),
        Error::PeerIncompatible(why) => incompatible(why),
        Error::PeerMisbehaved(
            PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme | PeerMisbehaved::SignedKxWithWrongAlgorithm,
        ) => "it signs the TLS handshake in a way that was not offered".to_owned(),
        Error::PeerMisbehaved(why) => format!("it breaks the rules of TLS: {}", words(&format!("{why:?}"))),
        Error::InappropriateMessage { .. } | Error::InappropriateHandshakeMessage { .. } => {
            "it sends the messages of TLS in a wrong order".to_owned()
        }
        Error::DecryptError => "it sends TLS that cannot be decrypted".to_owned(),
        Error::PeerSentOversizedRecord => "it sends a record of TLS that is too long".to_owned(),
        Error::AlertReceived(alert) => alerted(*alert),
        Error::Other(OtherError(why)) => why.to_string(),
        other => format!("TLS: {other}"),
    }
    .into()
}

fn certificate(why: &CertificateError) -> String {
    let between = |early: &UnixTime, late: &UnixTime| late.as_secs().saturating_sub(early.as_secs()) as i64;
    match why {
        CertificateError::ExpiredContext { time, not_after } => expired(between(not_after, time)),
        CertificateError::NotValidYetContext { time, not_before } => {
            format!("certificate is valid only in {}", span(between(time, not_before)))
        }
        CertificateError::NotValidForNameContext { expected, presented } => wrong_name(expected, presented),
        CertificateError::UnsupportedSignatureAlgorithmContext { signature_algorithm_id: algorithm, .. } => {
            format!("certificate, or one of its chain, is signed with {}, which does not count", called(algorithm))
        }
        CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext {
            signature_algorithm_id: algorithm,
            public_key_algorithm_id: key,
        } => format!("a signature is {}, which a key of the kind {} cannot make", called(algorithm), called(key)),
        CertificateError::InvalidPurposeContext { presented, .. } => {
            let purposes: Vec<String> = presented.iter().map(purpose).collect();
            format!("certificate is not for servers: its extended key usage has only {}", purposes.join(", "))
        }
        CertificateError::Expired => "certificate has expired".to_owned(),
        CertificateError::NotValidYet => "certificate is not valid yet".to_owned(),
        CertificateError::NotValidForName => "certificate is for another name".to_owned(),
        CertificateError::InvalidPurpose => "certificate is not for servers".to_owned(),
        CertificateError::UnknownIssuer => "certificate is signed by no authority that is trusted".to_owned(),
        CertificateError::Revoked => "certificate is revoked".to_owned(),
        CertificateError::BadEncoding => "certificate cannot be read".to_owned(),
        CertificateError::BadSignature => "certificate has a wrong signature".to_owned(),
        CertificateError::UnhandledCriticalExtension => CRITICAL.to_owned(),
        CertificateError::InvalidOcspResponse => "its word about revocation (OCSP) does not hold".to_owned(),
        CertificateError::UnknownRevocationStatus
        | CertificateError::ExpiredRevocationList
        | CertificateError::ExpiredRevocationListContext { .. } => {
            "whether the certificate is revoked cannot be found out".to_owned()
        }
        CertificateError::ApplicationVerificationFailure => "certificate is refused".to_owned(),
        CertificateError::Other(OtherError(why)) => match why.downcast_ref() {
            Some(why) => of_web_pki(why),
            None => why.to_string(),
        },
        other => format!("certificate does not hold: {}", words(&format!("{other:?}"))),
    }
}

const CRITICAL: &str = "certificate has a critical extension that is not known here";

/// What WebPKI finds and rustls has no word of its own for.
fn of_web_pki(why: &webpki::Error) -> String {
    use webpki::Error;
    let text = match why {
        Error::UnsupportedCertVersion => "certificate is of X.509 version 1 or 2, and only version 3 counts",
        Error::UnsupportedCriticalExtension => CRITICAL,
        Error::CaUsedAsEndEntity => "certificate is one of an authority, which is none for a server",
        Error::EndEntityUsedAsCa => "certificate is signed by a certificate that is none of an authority",
        Error::NameConstraintViolation => "certificate is for a name that its authority may not sign for",
        Error::PathLenConstraintViolated => "certificate has a longer chain than one of its authorities allows",
        Error::MaximumNameConstraintComparisonsExceeded
        | Error::MaximumPathBuildCallsExceeded
        | Error::MaximumPathDepthExceeded
        | Error::MaximumSignatureChecksExceeded => "certificate has a chain that is too long or too tangled to check",
        Error::SignatureAlgorithmMismatch => "certificate says in two ways how it is signed",
        Error::EmptyEkuExtension => "certificate has an empty extended key usage",
        Error::MalformedExtensions | Error::ExtensionValueInvalid => "certificate has an extension that cannot be read",
        Error::InvalidSerialNumber => "certificate has a serial number that is negative or too long",
        Error::MalformedDnsIdentifier
        | Error::MalformedNameConstraint
        | Error::InvalidNetworkMaskConstraint
        | Error::UnsupportedNameType => "certificate has a name that cannot be read",
        Error::CertDistrusted => "certificate has a key that is distrusted",
        other => return format!("certificate does not hold: {}", words(&format!("{other:?}"))),
    };
    text.to_owned()
}

fn incompatible(why: &PeerIncompatible) -> String {
    match why {
        PeerIncompatible::ServerDoesNotSupportTls12Or13 | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig => {
            "it speaks no TLS of version 1.2 or 1.3".to_owned()
        }
        other => format!("no way of TLS that both sides know: {}", words(&format!("{other:?}"))),
    }
}

fn alerted(alert: AlertDescription) -> String {
    let text = match alert {
        AlertDescription::UnrecognisedName => "it knows no such name in TLS",
        AlertDescription::NoApplicationProtocol => "it does not offer this version of HTTP in TLS (ALPN)",
        AlertDescription::CertificateRequired => "it wants a certificate of ours",
        AlertDescription::ProtocolVersion => {
            "it takes no version of TLS that this prober offers, which are 1.2 and 1.3 (alert protocol_version)"
        }
        AlertDescription::HandshakeFailure => {
            "it ended the TLS handshake: it shares no cipher, group or kind of signature with this prober \
             (alert handshake_failure)"
        }
        AlertDescription::Unknown(code) => return format!("it ended TLS with alert {code}"),
        other => return format!("it ended TLS with the alert {}", words(&format!("{other:?}")).replace(' ', "_")),
    };
    text.to_owned()
}

fn purpose(purpose: &ExtendedKeyPurpose) -> String {
    match purpose {
        ExtendedKeyPurpose::ClientAuth => "clientAuth".to_owned(),
        ExtendedKeyPurpose::ServerAuth => "serverAuth".to_owned(),
        ExtendedKeyPurpose::Other(numbers) => numbers.iter().map(usize::to_string).collect::<Vec<_>>().join("."),
    }
}

fn wrong_name(expected: &ServerName<'_>, presented: &[String]) -> String {
    let (names, addresses): (Vec<_>, Vec<_>) = (
        presented.iter().filter_map(|shown| inner(shown, "DnsName(", "\"")).collect(),
        presented.iter().filter_map(|shown| inner(shown, "IpAddress(", "")).collect(),
    );
    let is_name = matches!(expected, ServerName::DnsName(_));
    let wanted = expected.to_str();
    if names.is_empty() && addresses.is_empty() {
        let kind = if is_name { "name" } else { "address" };
        return format!("certificate has no alternative names, so it is none for the {kind} {wanted}");
    }
    // Only names: nothing can be taken for something else.
    if addresses.is_empty() && is_name {
        return format!("certificate is for {}, not for {wanted}", listed(&names));
    }
    let of_kind = |kind: &str, all: &[&str]| match all {
        [] => None,
        [one] => Some(format!("the {kind} {}", shown(one))),
        all => Some(format!("the {kind}{} {}", if kind == "name" { "s" } else { "es" }, listed(all))),
    };
    let bears: Vec<String> = [of_kind("name", &names), of_kind("address", &addresses)].into_iter().flatten().collect();
    let kind = if is_name { "name" } else { "address" };
    format!("certificate is for {}, not for the {kind} {wanted}", bears.join(" and "))
}

/// What stands in `DnsName("www.example.com")` or `IpAddress(192.0.2.1)`, as WebPKI shows them.
fn inner<'s>(shown: &'s str, before: &str, quote: &str) -> Option<&'s str> {
    shown.strip_prefix(before)?.strip_suffix(')')?.strip_prefix(quote)?.strip_suffix(quote)
}

fn listed(all: &[&str]) -> String {
    let first: Vec<String> = all.iter().take(3).map(|name| shown(name)).collect();
    let more = if all.len() > 3 { format!(" and {} more", all.len() - 3) } else { String::new() };
    first.join(", ") + &more
}

fn shown(name: &str) -> String {
    name.chars().take(SHOWN).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// That a certificate ended so many seconds ago.
#[must_use]
pub fn expired(ago: i64) -> String {
    format!("certificate expired {} ago", span(ago))
}

/// Seconds for people, in the largest unit of which there are two or more.
#[must_use]
pub fn span(seconds: i64) -> String {
    let units = [(86_400, "days"), (3600, "hours"), (60, "minutes")];
    let fit = units.iter().find(|(unit, _)| seconds >= 2 * unit);
    fit.map_or_else(|| format!("{seconds} s"), |(unit, name)| format!("{} {name}", seconds / unit))
}

/// What an algorithm is called; `id` is what stands in an AlgorithmIdentifier, in DER.
fn called(id: &[u8]) -> String {
    let Some(oid) = oid(id) else { return "an algorithm that cannot be read".to_owned() };
    // Of a key on a curve the curve says it.
    if oid == "1.2.840.10045.2.1" {
        let curve = id.get(2 + usize::from(id.get(1).copied().unwrap_or(0))..).and_then(self::oid);
        return curve.map_or("elliptic curves".to_owned(), |curve| named(&curve));
    }
    named(&oid)
}

fn named(oid: &str) -> String {
    let name = match oid {
        "1.2.840.113549.1.1.1" => "RSA",
        "1.2.840.113549.1.1.2" => "RSA and MD2",
        "1.2.840.113549.1.1.4" => "RSA and MD5",
        "1.2.840.113549.1.1.5" | "1.3.14.3.2.29" => "RSA and SHA-1",
        "1.2.840.113549.1.1.10" => "RSA-PSS",
        "1.2.840.113549.1.1.11" => "RSA and SHA-256",
        "1.2.840.113549.1.1.12" => "RSA and SHA-384",
        "1.2.840.113549.1.1.13" => "RSA and SHA-512",
        "1.2.840.113549.1.1.14" => "RSA and SHA-224",
        "1.2.840.10045.4.1" => "ECDSA and SHA-1",
        "1.2.840.10045.4.3.1" => "ECDSA and SHA-224",
        "1.2.840.10045.4.3.2" => "ECDSA and SHA-256",
        "1.2.840.10045.4.3.3" => "ECDSA and SHA-384",
        "1.2.840.10045.4.3.4" => "ECDSA and SHA-512",
        "1.2.840.10045.3.1.1" => "the curve P-192",
        "1.2.840.10045.3.1.7" => "the curve P-256",
        "1.3.132.0.10" => "the curve secp256k1",
        "1.3.132.0.33" => "the curve P-224",
        "1.3.132.0.34" => "the curve P-384",
        "1.3.132.0.35" => "the curve P-521",
        "1.2.840.10040.4.1" => "DSA",
        "1.2.840.10040.4.3" => "DSA and SHA-1",
        "1.3.101.112" => "Ed25519",
        "1.3.101.113" => "Ed448",
        "1.2.156.10197.1.501" => "SM2 and SM3",
        other => return format!("algorithm {other}"),
    };
    name.to_owned()
}

/// The object identifier at the start of this, with dots.
fn oid(der: &[u8]) -> Option<String> {
    let [6, length, rest @ ..] = der else { return None };
    let mut parts: Vec<u64> = Vec::new();
    let mut part = 0u64;
    for octet in rest.get(..usize::from(*length))? {
        part = part.checked_mul(128)? | u64::from(octet & 0x7f);
        if octet & 0x80 == 0 {
            parts.push(std::mem::take(&mut part));
        }
    }
    let first = *parts.first()?;
    let root = (first / 40).min(2);
    let mut text = format!("{root}.{}", first - root * 40);
    for part in parts.iter().skip(1) {
        text.push('.');
        text.push_str(&part.to_string());
    }
    Some(text)
}

/// `SomeNameLikeThis(…)` as words.
fn words(name: &str) -> String {
    let name = name.split(['(', ' ', '{']).next().unwrap_or(name);
    let mut text = String::with_capacity(name.len() + 8);
    let mut before = ' ';
    for c in name.chars() {
        if c.is_uppercase() && before.is_lowercase() {
            text.push(' ');
        }
        text.extend(c.to_lowercase());
        before = c;
    }
    text
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn of(why: CertificateError) -> String {
        sentence(&Error::InvalidCertificate(why)).into()
    }

    fn other(why: webpki::Error) -> String {
        of(CertificateError::Other(OtherError(Arc::new(why))))
    }

    #[test]
    fn a_name_and_an_address_are_told_apart() {
        let context = |expected: &str, presented: &[&str]| {
            let expected = ServerName::try_from(expected.to_owned()).expect("a name");
            let presented = presented.iter().map(|&shown| shown.to_owned()).collect();
            of(CertificateError::NotValidForNameContext { expected, presented })
        };
        let name = |name: &str| format!("DnsName({name:?})");
        assert_eq!(
            context("127.6.0.21", &[&name("127.6.0.21")]),
            "certificate is for the name 127.6.0.21, not for the address 127.6.0.21"
        );
        assert_eq!(
            context("www.example.com", &["IpAddress(192.0.2.1)"]),
            "certificate is for the address 192.0.2.1, not for the name www.example.com"
        );
        assert_eq!(
            context("192.0.2.2", &["IpAddress(192.0.2.1)", &name("a.example"), &name("b.example")]),
            "certificate is for the names a.example, b.example and the address 192.0.2.1, not for the address 192.0.2.2"
        );
        let four = ["a", "b", "c", "d"].map(|label| name(&format!("{label}.example")));
        assert_eq!(
            context("www.example.com", &four.each_ref().map(String::as_str)),
            "certificate is for a.example, b.example, c.example and 1 more, not for www.example.com"
        );
        assert_eq!(
            context("www.example.com", &[]),
            "certificate has no alternative names, so it is none for the name www.example.com"
        );
    }

    #[test]
    fn algorithms_have_their_names() {
        let sha1 = [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 5, 5, 0];
        let signed = |id: &[u8]| {
            of(CertificateError::UnsupportedSignatureAlgorithmContext {
                signature_algorithm_id: id.to_vec(),
                supported_algorithms: Vec::new(),
            })
        };
        assert_eq!(
            signed(&sha1),
            "certificate, or one of its chain, is signed with RSA and SHA-1, which does not count"
        );
        assert!(signed(&[6, 3, 0x2b, 0x65, 0x71]).contains("with Ed448,"));
        assert!(
            signed(&[6, 3, 0x81, 0x34, 3]).contains("with algorithm 2.100.3,"),
            "{}",
            signed(&[6, 3, 0x81, 0x34, 3])
        );
        assert!(signed(&[6, 9, 1]).contains("cannot be read"));
        let p224 = [6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 5, 0x2b, 0x81, 4, 0, 0x21];
        let unfit = CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext {
            signature_algorithm_id: vec![6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2],
            public_key_algorithm_id: p224.to_vec(),
        };
        assert_eq!(of(unfit), "a signature is ECDSA and SHA-256, which a key of the kind the curve P-224 cannot make");
    }

    #[test]
    fn no_name_of_the_library_is_left() {
        let texts = [
            other(webpki::Error::UnsupportedCertVersion),
            other(webpki::Error::UnsupportedCriticalExtension),
            other(webpki::Error::CaUsedAsEndEntity),
            other(webpki::Error::IssuerNotCrlSigner),
            of(CertificateError::UnhandledCriticalExtension),
            of(CertificateError::ApplicationVerificationFailure),
            of(CertificateError::InvalidPurposeContext {
                required: ExtendedKeyPurpose::ServerAuth,
                presented: vec![ExtendedKeyPurpose::ClientAuth, ExtendedKeyPurpose::Other(vec![1, 3, 6])],
            })
            .replace("clientAuth", ""),
            sentence(&Error::PeerIncompatible(PeerIncompatible::NoCipherSuitesInCommon)).replace("TLS", ""),
            sentence(&Error::PeerMisbehaved(PeerMisbehaved::InvalidKeyShare)).replace("TLS", ""),
            sentence(&Error::AlertReceived(AlertDescription::BadRecordMac)).replace("TLS", ""),
        ];
        for text in texts {
            let camel =
                text.as_bytes().windows(2).any(|two| two[0].is_ascii_lowercase() && two[1].is_ascii_uppercase());
            assert!(!camel && text.contains(' '), "{text}");
        }
        assert_eq!(other(webpki::Error::UnsupportedCriticalExtension), CRITICAL);
        assert_eq!(
            &*sentence(&Error::AlertReceived(AlertDescription::BadRecordMac)),
            "it ended TLS with the alert bad_record_mac"
        );
    }

    #[test]
    fn times_are_told_in_units_that_say_something() {
        assert_eq!([span(59), span(119), span(120)], ["59 s", "119 s", "2 minutes"]);
        assert_eq!([span(7199), span(7200), span(172_800)], ["119 minutes", "2 hours", "2 days"]);
    }
}
