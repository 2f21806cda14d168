//! When a server's certificate ends, and what to say of it. Must not know how it came.

use std::time::{SystemTime, UNIX_EPOCH};

use x509_parser::{certificate::X509Certificate, prelude::FromDer};

use crate::engine::health::{check::Tls, monitor::Outcome};

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

/// That a certificate ended so many seconds ago.
pub(super) fn expired(ago: i64) -> String {
    format!("certificate expired {} ago", span(ago))
}

/// From when and until when a certificate holds, in Unix seconds.
pub(super) fn times(der: &[u8]) -> Option<(i64, i64)> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let validity = certificate.validity();
    Some((validity.not_before.timestamp(), validity.not_after.timestamp()))
}

/// Whether a certificate names itself as its signer.
pub(super) fn is_self_signed(der: &[u8]) -> bool {
    X509Certificate::from_der(der).is_ok_and(|(_, certificate)| certificate.issuer() == certificate.subject())
}

/// Seconds for people, in the largest unit of which there are two or more.
pub(super) fn span(seconds: i64) -> String {
    let units = [(86_400, "days"), (3600, "hours"), (60, "minutes")];
    let fit = units.iter().find(|(unit, _)| seconds >= 2 * unit);
    fit.map_or_else(|| format!("{seconds} s"), |(unit, name)| format!("{} {name}", seconds / unit))
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
    fn times_are_told_in_units_that_say_something() {
        assert_eq!([span(59), span(119), span(120)], ["59 s", "119 s", "2 minutes"]);
        assert_eq!([span(7199), span(7200), span(172_800)], ["119 minutes", "2 hours", "2 days"]);
    }
}
