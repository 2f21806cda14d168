//! A server's certificate: when it ends, what to say of that, and its key. It is read as leniently as its format allows,
//! since where nothing is verified only the end counts. Must not know how it came.

use std::time::{SystemTime, UNIX_EPOCH};

use x509_parser::{
    asn1_rs::{Any, FromDer},
    certificate::{X509Certificate, X509CertificateParser},
    nom::Parser,
    public_key::PublicKey,
};

use crate::{
    engine::health::{check::Tls, monitor::Outcome},
    telemetry::causes::tls::{expired, span},
};

/// How long a certificate must hold, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Expiry {
    warn: i64,
    fail: i64,
}

impl Expiry {
    /// What the configuration says of it.
    pub(super) fn of(tls: &Tls) -> Self {
        let seconds = |written: u64| i64::try_from(written).unwrap_or(i64::MAX);
        Self { warn: seconds(tls.warn), fail: seconds(tls.fail) }
    }

    /// When a certificate, in DER, ends, and what is to be noted of that, at a moment in Unix seconds.
    ///
    /// # Errors
    /// What to report when it ends too soon, or cannot be read.
    pub(super) fn judge(self, der: &[u8], now: i64) -> Result<(i64, Option<Box<str>>), Outcome> {
        let Some((_, end)) = times(der) else { return Err(Outcome::Bad("certificate cannot be read".into())) };
        let left = end.saturating_sub(now);
        if left <= self.fail {
            let text = if left <= 0 { expired(-left) } else { format!("certificate expires in {}", span(left)) };
            return Err(Outcome::Bad(text.into()));
        }
        Ok((end, (left <= self.warn).then(|| format!("certificate expires in {}", span(left)).into())))
    }
}

/// From when and until when a certificate holds, in Unix seconds.
pub(super) fn times(der: &[u8]) -> Option<(i64, i64)> {
    let certificate = read(der)?;
    let validity = certificate.validity();
    Some((validity.not_before.timestamp(), validity.not_after.timestamp()))
}

/// Whether a certificate names itself as its signer.
pub(super) fn is_self_signed(der: &[u8]) -> bool {
    read(der).is_some_and(|certificate| certificate.issuer() == certificate.subject())
}

/// A certificate of any version, whatever its extensions are and hold.
fn read(der: &[u8]) -> Option<X509Certificate<'_>> {
    X509CertificateParser::new().with_deep_parse_extensions(false).parse(der).ok().map(|(_, certificate)| certificate)
}

/// The key that a certificate is for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Key {
    /// What it is for: what stands in the AlgorithmIdentifier, in DER.
    pub(super) algorithm: Box<[u8]>,
    /// The key itself.
    pub(super) bits: Box<[u8]>,
    /// Of an RSA key how many bits its modulus has.
    pub(super) rsa: Option<usize>,
}

/// The key of a certificate, in DER.
pub(super) fn key(der: &[u8]) -> Option<Key> {
    let certificate = read(der)?;
    let info = certificate.public_key();
    let (_, whole) = Any::from_der(info.raw).ok()?;
    let (_, algorithm) = Any::from_der(whole.data).ok()?;
    let rsa = match info.parsed() {
        Ok(PublicKey::RSA(key)) => Some(length(key.modulus)),
        _ => None,
    };
    Some(Key { algorithm: algorithm.data.into(), bits: info.subject_public_key.data.as_ref().into(), rsa })
}

/// How many bits a number has.
fn length(number: &[u8]) -> usize {
    let number = &number[number.iter().take_while(|octet| **octet == 0).count()..];
    number.first().map_or(0, |first| number.len() * 8 - first.leading_zeros() as usize)
}

/// The wall clock, which certificates go by, in Unix seconds.
#[expect(clippy::disallowed_methods, reason = "one of the edges where time comes in")]
pub(super) fn unix() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_noted_before_it_fails() {
        let made = rcgen::generate_simple_self_signed(vec!["www.example.com".to_owned()]).expect("a certificate");
        let der = made.cert.der();
        let (from, end) = times(der).expect("its times");
        assert!(from < end);
        let expiry = Expiry { warn: 14 * 86_400, fail: 7 * 86_400 };
        let at = |left: i64| expiry.judge(der, end - left);
        let fine = |note: Option<&str>| Ok((end, note.map(Box::from)));
        assert_eq!(at(15 * 86_400), fine(None));
        assert_eq!(at(9 * 86_400 + 5), fine(Some("certificate expires in 9 days")));
        assert_eq!(at(7 * 86_400), Err(Outcome::Bad("certificate expires in 7 days".into())));
        assert_eq!(at(-7300), Err(Outcome::Bad("certificate expired 2 hours ago".into())));
        let lax = Expiry { warn: 0, fail: 0 };
        assert_eq!(lax.judge(der, end - 1), fine(None));
        assert_eq!(lax.judge(der, end), Err(Outcome::Bad("certificate expired 0 s ago".into())));
        assert_eq!(lax.judge(b"x", 0), Err(Outcome::Bad("certificate cannot be read".into())));
    }

    #[test]
    fn a_number_is_as_long_as_its_bits() {
        assert_eq!(
            [length(&[]), length(&[0]), length(&[0, 1]), length(&[0, 0x80, 0]), length(&[0x40])],
            [0, 0, 1, 16, 7]
        );
    }

    #[test]
    fn the_key_of_a_certificate_is_read() {
        let made = rcgen::generate_simple_self_signed(vec!["www.example.com".to_owned()]).expect("a certificate");
        let key = key(made.cert.der()).expect("its key");
        let p256 = rustls::pki_types::alg_id::ECDSA_P256;
        assert_eq!((&*key.algorithm, key.bits.len(), key.rsa), (&*p256, 65, None));
    }
}
