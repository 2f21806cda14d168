//! A server's certificate: when it ends, what to say of that, and its key. Of X.509 (RFC 5280 4.1) only that much is read, and
//! nothing else of a certificate can keep it from being read: where nothing is verified only the end counts. Must not know how it came.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::{
    engine::health::fold::Outcome,
    probing::check::Tls,
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
    let (from, rest) = element(Certificate::of(der)?.validity)?;
    let (end, _) = element(rest)?;
    Some((time(from)?, time(end)?))
}

/// Whether a certificate names itself as its signer.
pub(super) fn is_self_signed(der: &[u8]) -> bool {
    Certificate::of(der).is_some_and(|certificate| certificate.issuer == certificate.subject)
}

/// What is read of a certificate, each in DER as it stands inside its element.
struct Certificate<'a> {
    issuer: &'a [u8],
    validity: &'a [u8],
    subject: &'a [u8],
    /// The key's algorithm, and the key.
    key: &'a [u8],
}

impl<'a> Certificate<'a> {
    /// Of any version, whatever its extensions are and hold.
    fn of(der: &'a [u8]) -> Option<Self> {
        let (whole, _) = element(der)?;
        let (signed, _) = element(sequence(whole)?)?;
        let mut rest = sequence(signed)?;
        let mut next = || {
            let (one, behind) = element(rest)?;
            rest = behind;
            Some(one)
        };
        // The version may be missing, and is then 1.
        let first = next()?;
        if first.tag == VERSION {
            let _serial = next()?;
        }
        let _algorithm = next()?;
        let (issuer, validity, subject, key) = (next()?, next()?, next()?, next()?);
        let [issuer, validity, subject, key] = [issuer, validity, subject, key].map(sequence);
        Some(Self { issuer: issuer?, validity: validity?, subject: subject?, key: key? })
    }
}

const INTEGER: u8 = 0x02;
const BITS: u8 = 0x03;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;

/// One element of DER.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Element<'a> {
    tag: u8,
    inside: &'a [u8],
}

/// The first element of this, and what stands behind it.
fn element(der: &[u8]) -> Option<(Element<'_>, &[u8])> {
    let [tag, length, rest @ ..] = der else { return None };
    let (length, rest) = match length {
        0..=0x7f => (usize::from(*length), rest),
        // Longer ones than four octets can say are no certificates.
        0x81..=0x84 => {
            let (octets, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
            (octets.iter().fold(0, |length, octet| length << 8 | usize::from(*octet)), rest)
        }
        _ => return None,
    };
    let (inside, behind) = rest.split_at_checked(length)?;
    Some((Element { tag: *tag, inside }, behind))
}

fn sequence(element: Element<'_>) -> Option<&[u8]> {
    (element.tag == SEQUENCE).then_some(element.inside)
}

/// A moment in Unix seconds: `YYMMDDhhmmssZ`, or with four digits for the year; seconds and parts of them may be missing,
/// and in the place of the Z there may be an offset, which only the rules for certificates forbid.
fn time(element: Element<'_>) -> Option<i64> {
    let text = std::str::from_utf8(element.inside).ok()?;
    let (year, rest) = match element.tag {
        UTC_TIME => {
            let (year, rest) = text.split_at_checked(2)?;
            let year = number(year)?;
            // RFC 5280 4.1.2.5.1.
            (year + if year < 50 { 2000 } else { 1900 }, rest)
        }
        GENERALIZED_TIME => {
            let (year, rest) = text.split_at_checked(4)?;
            (number(year)?, rest)
        }
        _ => return None,
    };
    let part = |at: usize| number(rest.get(at..at + 2)?);
    let (month, day, hour, minute) = (part(0)?, part(2)?, part(4)?, part(6)?);
    let (second, zone) = match part(8) {
        Some(second) => (second, rest.get(10..)?),
        None => (0, rest.get(8..)?),
    };
    let zone = zone.trim_start_matches(|c: char| c == '.' || c == ',' || c.is_ascii_digit());
    let offset = match zone.split_at_checked(1)? {
        ("Z", "") => 0,
        (sign @ ("+" | "-"), by) => {
            let (hours, minutes) = by.split_at_checked(2)?;
            let seconds = number(hours)? * 3600 + number(minutes)? * 60;
            if sign == "+" { seconds } else { -seconds }
        }
        _ => return None,
    };
    let is_one = (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second <= 60;
    is_one.then(|| days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset)
}

fn number(digits: &str) -> Option<i64> {
    digits.bytes().all(|octet| octet.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

/// Days from 1970-01-01 to a day of the Gregorian calendar: of years that begin in March, so that leap days come last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leap + (month * 153 + 2) / 5 + day - 1 - 719_468
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
    let (algorithm, rest) = element(Certificate::of(der)?.key)?;
    let (bits, _) = element(rest)?;
    // First how many bits of the last octet do not count: none do not, in any key.
    let bits = (bits.tag == BITS).then_some(bits.inside)?.get(1..)?;
    let algorithm = sequence(algorithm)?;
    let is_rsa = RSA.iter().any(|oid| algorithm.starts_with(oid));
    Some(Key {
        algorithm: algorithm.into(),
        bits: bits.into(),
        rsa: is_rsa.then(|| modulus(bits)).flatten().map(length),
    })
}

/// The identifiers of `rsaEncryption` and `id-RSASSA-PSS`.
const RSA: [&[u8]; 2] =
    [&[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1], &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10]];

fn modulus(key: &[u8]) -> Option<&[u8]> {
    let (key, _) = element(key)?;
    let (modulus, _) = element(sequence(key)?)?;
    (modulus.tag == INTEGER).then_some(modulus.inside)
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
    fn moments_are_read_as_they_are_written() {
        let at = |tag: u8, text: &str| time(Element { tag, inside: text.as_bytes() });
        for (tag, text, seconds) in [
            (UTC_TIME, "700101000000Z", 0),
            (UTC_TIME, "260228235959Z", 1_772_323_199),
            (UTC_TIME, "491231235959Z", 2_524_607_999),
            (UTC_TIME, "500101000000Z", -631_152_000),
            (UTC_TIME, "2602282359Z", 1_772_323_140),
            (UTC_TIME, "260301015959+0200", 1_772_323_199),
            (GENERALIZED_TIME, "20000229120000Z", 951_825_600),
            (GENERALIZED_TIME, "20500101000000.5Z", 2_524_608_000),
            (GENERALIZED_TIME, "99991231235959Z", 253_402_300_799),
        ] {
            assert_eq!(at(tag, text), Some(seconds), "{text}");
        }
        for text in [
            "",
            "Z",
            "260228",
            "261328235959Z",
            "260232235959Z",
            "260228245959Z",
            "26022823595",
            "2602282359+1",
            "é60228235959Z",
        ] {
            assert_eq!(at(UTC_TIME, text), None, "{text}");
        }
        assert_eq!(at(INTEGER, "260228235959Z"), None);
    }

    #[test]
    fn a_certificate_of_any_version_and_length_is_read() {
        let of = |tag: u8, inside: &[u8]| -> Vec<u8> {
            let length = match inside.len() {
                short @ 0..0x80 => vec![short as u8],
                long => vec![0x82, (long >> 8) as u8, long as u8],
            };
            [&[tag][..], &length, inside].concat()
        };
        let times_of = of(SEQUENCE, &[of(UTC_TIME, b"700101000000Z"), of(UTC_TIME, b"700101000001Z")].concat());
        let key_of = of(
            SEQUENCE,
            &[of(SEQUENCE, RSA[0]), of(BITS, &[&[0][..], &of(SEQUENCE, &of(INTEGER, &[1; 128]))].concat())].concat(),
        );
        let name = of(SEQUENCE, &[7; 300]);
        // With a serial number that is negative, or none at all.
        for (version, serial) in [(vec![], of(INTEGER, &[0xff])), (of(VERSION, &of(INTEGER, &[2])), of(INTEGER, &[]))] {
            let signed = [
                version,
                serial,
                of(SEQUENCE, &[]),
                name.clone(),
                times_of.clone(),
                name.clone(),
                key_of.clone(),
                vec![0xa3],
            ];
            let der = of(SEQUENCE, &of(SEQUENCE, &signed.concat()));
            assert_eq!((times(&der), is_self_signed(&der)), (Some((0, 1)), true));
            assert_eq!(key(&der).expect("its key").rsa, Some(1017));
            for end in 0..der.len() {
                assert_eq!((times(&der[..end]), key(&der[..end])), (None, None), "cut at {end}");
            }
        }
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
