//! How TLS is spoken and whom it trusts: the configurations of rustls.
//!
//! The crypto is AWS-LC's, named here, so that it never depends on who installs a default first. No session is taken up
//! again: each probe sees the certificate that the server has now.

use std::sync::{Arc, OnceLock};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
    client::{
        Resumption, WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_name,
    },
    crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
    server::ParsedCertificate,
};

use super::certificate;
use crate::engine::health::check::{Tls, Trust};

/// What tells configurations apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Ground {
    verify: bool,
    trust: Option<Trust>,
    alpn: &'static [&'static str],
}

impl Ground {
    /// Of a policy, with the protocols that are offered inside.
    pub(super) fn of(tls: &Tls, alpn: &'static [&'static str]) -> Self {
        Self { verify: tls.verify, trust: tls.trust.clone(), alpn }
    }

    /// One that nothing is asked over.
    pub(super) const fn idle() -> Self {
        Self { verify: false, trust: None, alpn: &[] }
    }

    /// # Errors
    /// Says why there is none.
    pub(super) fn config(&self) -> Result<ClientConfig, Box<str>> {
        let whole = |error: Error| error.to_string();
        let builder = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
        let builder = builder.map_err(whole)?.dangerous();
        let trust = if self.verify { Some(Trusted::of(self.trust.as_ref())?) } else { None };
        let verifier = Arc::new(Verifier { provider: provider(), trust });
        let mut config = builder.with_custom_certificate_verifier(verifier).with_no_client_auth();
        config.resumption = Resumption::disabled();
        config.alpn_protocols = self.alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        Ok(config)
    }
}

fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    Arc::clone(PROVIDER.get_or_init(|| Arc::new(aws_lc_rs::default_provider())))
}

/// The certificates that the system trusts, read once.
fn of_the_system() -> Result<Arc<RootCertStore>, Box<str>> {
    static ROOTS: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    let roots = ROOTS.get_or_init(|| {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Arc::new(roots)
    });
    if roots.is_empty() {
        return Err("this system trusts no certificates, so set `ca_file` or install them".into());
    }
    Ok(Arc::clone(roots))
}

/// Whom a verifier trusts.
#[derive(Debug)]
struct Trusted {
    chains: Arc<WebPkiServerVerifier>,
    /// Certificates that are trusted themselves, whatever they may sign.
    own: Vec<CertificateDer<'static>>,
}

impl Trusted {
    fn of(trust: Option<&Trust>) -> Result<Self, Box<str>> {
        let mut own = Vec::new();
        let roots = match trust {
            None => of_the_system()?,
            Some(trust) => {
                let mut roots = RootCertStore::empty();
                for certificate in CertificateDer::pem_slice_iter(trust.pem().as_bytes()) {
                    let certificate = certificate.map_err(|error| error.to_string())?;
                    roots.add(certificate.clone()).map_err(|error| error.to_string())?;
                    own.push(certificate);
                }
                Arc::new(roots)
            }
        };
        let chains = WebPkiServerVerifier::builder_with_provider(roots, provider()).build();
        Ok(Self { chains: chains.map_err(|error| error.to_string())?, own })
    }
}

#[derive(Debug)]
struct Verifier {
    provider: Arc<CryptoProvider>,
    /// None: whoever comes.
    trust: Option<Trusted>,
}

/// What WebPKI has no error of its own for.
#[derive(Debug)]
struct SelfSigned;

impl std::fmt::Display for SelfSigned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("certificate is self-signed, and not one that is trusted")
    }
}

impl std::error::Error for SelfSigned {}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        own: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(trust) = &self.trust else { return Ok(ServerCertVerified::assertion()) };
        // WebPKI takes no certificate authority for a server, which most self-signed certificates claim to be.
        if trust.own.contains(own) {
            in_time(own, now)?;
            verify_server_name(&ParsedCertificate::try_from(own)?, name)?;
            return Ok(ServerCertVerified::assertion());
        }
        trust.chains.verify_server_cert(own, chain, name, ocsp, now).map_err(|error| match error {
            Error::InvalidCertificate(_) if chain.is_empty() && certificate::is_self_signed(own) => in_time(own, now)
                .err()
                .unwrap_or_else(|| CertificateError::Other(OtherError(Arc::new(SelfSigned))).into()),
            error => error,
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

fn in_time(certificate: &CertificateDer<'_>, now: UnixTime) -> Result<(), Error> {
    let (from, end) = certificate::times(certificate).ok_or(CertificateError::BadEncoding)?;
    let at = |seconds: i64| UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds.max(0) as u64));
    if now < at(from) {
        return Err(CertificateError::NotValidYetContext { time: now, not_before: at(from) }.into());
    }
    if now > at(end) {
        return Err(CertificateError::ExpiredContext { time: now, not_after: at(end) }.into());
    }
    Ok(())
}
