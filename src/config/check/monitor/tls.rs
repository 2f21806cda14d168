//! TLS of monitors: the name that is asked for, whom it trusts, and how long a certificate must hold.

use std::{
    fs,
    io::{self, Read},
    ops::Range,
    path::{Path, PathBuf},
    string::FromUtf8Error,
};

use rustls::{
    RootCertStore,
    pki_types::{
        CertificateDer, ServerName,
        pem::{self, PemObject},
    },
};
use toml::Spanned;

use crate::{
    config::{
        check::value::{port, units},
        diagnostics::{Notes, join},
        dns_name,
        include::plain,
        spec::{ExpirySpec, Text, TlsCheckSpec},
    },
    probing::check::{Tls, TlsCheck, Trust},
};

/// Seconds before its end at which a certificate is noted.
const WARN: u64 = 14 * 86_400;
/// Ten years in seconds.
const LONGEST: u64 = 3650 * 86_400;
/// The largest `ca_file`.
const MAX_FILE: u64 = 1 << 20;

/// The keys of TLS, in whatever table they stand.
pub(super) struct TlsKeys<'s> {
    pub(super) sni: Option<&'s Spanned<Text>>,
    pub(super) verify: Option<&'s Spanned<bool>>,
    pub(super) ca_file: Option<&'s Spanned<Text>>,
    pub(super) expiry: Option<&'s Spanned<ExpirySpec>>,
}

impl TlsKeys<'_> {
    /// The first that is written, and where.
    pub(super) fn first(&self) -> Option<(&'static str, Range<usize>)> {
        let all = [
            ("sni", self.sni.map(Spanned::span)),
            ("verify", self.verify.map(Spanned::span)),
            ("ca_file", self.ca_file.map(Spanned::span)),
            ("expiry", self.expiry.map(Spanned::span)),
        ];
        all.into_iter().find_map(|(key, span)| Some((key, span?)))
    }
}

/// `tls`: a handshake and nothing more.
pub(super) fn tls(
    written: &Spanned<TlsCheckSpec>,
    monitor: &str,
    files: &mut Vec<PathBuf>,
    notes: &mut Notes<'_>,
) -> TlsCheck {
    let spec = written.get_ref();
    let path = ["monitors", monitor, "tls"];
    let keys = TlsKeys {
        sni: spec.sni.as_ref(),
        verify: spec.verify.as_ref(),
        ca_file: spec.ca_file.as_ref(),
        expiry: spec.expiry.as_ref(),
    };
    TlsCheck {
        port: port(spec.port.as_ref(), written.span(), &path, None, notes),
        tls: policy(&keys, &path, files, notes),
    }
}

/// How TLS is spoken, from the keys of the table at `path`.
pub(super) fn policy(keys: &TlsKeys<'_>, path: &[&str], files: &mut Vec<PathBuf>, notes: &mut Notes<'_>) -> Tls {
    let at = |key: &str| format!("{}.{key}", join(path));
    let verify = keys.verify.is_none_or(|verify| *verify.get_ref());
    if !verify && let Some(file) = keys.ca_file {
        let label = "with `verify = false` nobody is asked who signed";
        let fault = notes.error(file.span(), format!("`{}` has no effect", at("ca_file")), label);
        notes.push(fault.remedy("take out one of the two"));
    }
    let (warn, fail) = expiry(keys, &at("expiry"), notes);
    Tls {
        sni: keys.sni.map(|sni| name(sni, &at("sni"), notes).into()),
        verify,
        trust: keys.ca_file.and_then(|file| trust(file, &at("ca_file"), files, notes)),
        warn,
        fail,
    }
}

fn expiry(keys: &TlsKeys<'_>, at: &str, notes: &mut Notes<'_>) -> (u64, u64) {
    let spec = keys.expiry.map(Spanned::get_ref);
    let seconds = |key: &str, default: u64, notes: &mut Notes<'_>| {
        let written = spec.and_then(|spec| if key == "warn" { spec.warn.as_ref() } else { spec.fail.as_ref() });
        units(written, &format!("{at}.{key}"), 1_000_000, default, 0..=LONGEST, notes)
    };
    let fail = seconds("fail", 0, notes);
    // Whoever asks for more than the usual notice to fail wants to be told before.
    let warn = seconds("warn", WARN.max(fail), notes);
    if let Some(written) = spec.and_then(|spec| spec.warn.as_ref())
        && warn < fail
    {
        let message = format!("`{at}.warn` is shorter than `{at}.fail`");
        let fault = notes.error(written.span(), message, "it would fail before anybody is told");
        notes.push(fault.remedy("make `warn` the longer one"));
    }
    (warn, fail)
}

/// A name to ask for: SNI carries no address (RFC 6066 3).
fn name<'s>(written: &'s Spanned<Text>, at: &str, notes: &mut Notes<'_>) -> &'s str {
    let text: &str = written.get_ref();
    let remedy = match ServerName::try_from(text) {
        Ok(ServerName::DnsName(_)) if !text.ends_with('.') => return text,
        Ok(ServerName::DnsName(_)) => "leave out the final dot".to_owned(),
        Ok(_) => "leave it out: the certificate is then held against the address".to_owned(),
        Err(_) => match dns_name::in_ascii(text).filter(|_| !text.is_ascii()) {
            Some(ascii) => format!("write \"{ascii}\": names outside ASCII are asked for so"),
            None => "write a name such as \"www.example.com\", without port and path".to_owned(),
        },
    };
    let fault = notes.error(written.span(), format!("`{at}` is not a host name"), "the name that the server knows");
    notes.push(fault.remedy(remedy));
    text
}

/// The certificates of a PEM file.
pub(crate) fn trust(
    written: &Spanned<Text>,
    at: &str,
    files: &mut Vec<PathBuf>,
    notes: &mut Notes<'_>,
) -> Option<Trust> {
    let path = notes.path(&Spanned::new(written.span(), written.get_ref().0.clone()));
    files.push(path.clone());
    let cause = match read(&path).and_then(|text| certificates(&text).map(|()| text)) {
        Ok(text) => return Some(Trust::new(&text)),
        Err(cause) => cause.to_string(),
    };
    let fault = notes.error(written.span(), format!("`{at}` cannot be used: {}", path.display()), cause);
    notes.push(fault.remedy("name a PEM file with the certificates of whoever signed the server's"));
    None
}

/// Why a `ca_file` says nothing of what to trust.
#[derive(Debug, thiserror::Error)]
enum CaFileError {
    #[error("{}", plain(.0))]
    System(#[from] io::Error),
    #[error("it is not a file")]
    NotAFile,
    #[error("it is larger than 1 MiB")]
    TooLarge,
    #[error("it is not text")]
    NotText(#[from] FromUtf8Error),
    #[error("its PEM is broken: {0}")]
    Pem(#[from] pem::Error),
    #[error("certificate {number} in it cannot be trusted: {source}")]
    Certificate { number: usize, source: rustls::Error },
    #[error("there is no certificate in it")]
    Empty,
}

fn read(path: &Path) -> Result<String, CaFileError> {
    // What is asked before opening: a pipe would block.
    if !fs::metadata(path)?.is_file() {
        return Err(CaFileError::NotAFile);
    }
    let mut text = Vec::new();
    fs::File::open(path)?.take(MAX_FILE + 1).read_to_end(&mut text)?;
    if text.len() as u64 > MAX_FILE {
        return Err(CaFileError::TooLarge);
    }
    let text = String::from_utf8(text)?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

fn certificates(text: &str) -> Result<(), CaFileError> {
    let mut roots = RootCertStore::empty();
    for (at, certificate) in CertificateDer::pem_slice_iter(text.as_bytes()).enumerate() {
        roots.add(certificate?).map_err(|source| CaFileError::Certificate { number: at + 1, source })?;
    }
    if roots.is_empty() { Err(CaFileError::Empty) } else { Ok(()) }
}
