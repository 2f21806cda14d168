//! How TLS is spoken and what it trusts: the configurations of rustls; and a probe that is a handshake and nothing more,
//! for when the certificate ends.
//!
//! The crypto is that of ring, named here, so that it never depends on which part installs a default first. No session is taken
//! up again: each probe sees the certificate that the server has now.
//!
//! Where nothing is verified, nothing of the certificate is judged: neither its version, nor its extensions, nor how long
//! its key is. That a server holds the key of the certificate that it shows is still held against its signature over the
//! handshake, since every client does that, also one that ignores certificates; but only for the kinds of key that the
//! crypto library knows. A signature by any other is taken as it is: it would authenticate a server of which this prober
//! verifies nothing, so it keeps no impostor out.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{Arc, OnceLock},
};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
    client::{
        Resumption, WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_name,
    },
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
    server::ParsedCertificate,
};

use tokio::io::AsyncWriteExt;
use tokio_rustls::TlsConnector;

use super::{
    cache::Shared,
    certificate::{self, Expiry},
    error_text::{Fine, Unfit, say},
    tcp,
};
use crate::{
    engine::health::fold::Outcome,
    probing::check::{Tls, TlsCheck, Trust},
};

/// A target of `tls`.
#[derive(Debug)]
pub(super) struct Handshake {
    to: SocketAddr,
    source: Option<IpAddr>,
    name: ServerName<'static>,
    config: Arc<ClientConfig>,
    expiry: Expiry,
}

impl Handshake {
    /// # Errors
    /// Says why nothing can be asked.
    pub(super) fn of(
        check: &TlsCheck,
        address: IpAddr,
        source: Option<IpAddr>,
        configs: &Configs,
    ) -> Result<Self, Unfit> {
        let name = match &check.tls.sni {
            Some(sni) => ServerName::try_from(&**sni)?.to_owned(),
            None => ServerName::from(address),
        };
        let config = configs.get(Ground::of(&check.tls, &[]))?;
        Ok(Self { to: SocketAddr::new(address, check.port), source, name, config, expiry: Expiry::of(&check.tls) })
    }

    pub(super) async fn ask(&self) -> Result<Fine, Outcome> {
        let (stream, connect) = tcp::connect(self.to, self.source).await?;
        let connector = TlsConnector::from(Arc::clone(&self.config));
        let mut stream = connector.connect(self.name.clone(), stream).await.map_err(|error| say(&error))?;
        let chain = stream.get_ref().1.peer_certificates().unwrap_or_default();
        let Some(own) = chain.first() else { return Err(Outcome::Bad("it shows no certificate".into())) };
        let (ends, note) = self.expiry.judge(own, certificate::unix())?;
        // A farewell, for the server's log. It may have gone already.
        let _ = stream.shutdown().await;
        Ok(Fine { connect: Some(connect), note, ends: Some(ends) })
    }
}

/// The configurations that are in use.
#[derive(Debug, Default)]
pub(super) struct Configs(Shared<Ground, ClientConfig>);

impl Configs {
    /// TLS on this ground.
    ///
    /// # Errors
    /// Says why there is none.
    fn get(&self, ground: Ground) -> Result<Arc<ClientConfig>, Unfit> {
        self.0.get(ground, Ground::config)
    }
}

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
    pub(super) fn config(&self) -> Result<ClientConfig, Unfit> {
        let builder = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
        let builder = builder?.dangerous();
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
    Arc::clone(PROVIDER.get_or_init(|| Arc::new(ring::default_provider())))
}

/// The certificates that the system trusts, read once.
fn of_the_system() -> Result<Arc<RootCertStore>, Unfit> {
    static ROOTS: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    let roots = ROOTS.get_or_init(|| {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Arc::new(roots)
    });
    if roots.is_empty() {
        return Err(Unfit::NothingTrusted);
    }
    Ok(Arc::clone(roots))
}

/// What a verifier trusts.
#[derive(Debug)]
struct Trusted {
    chains: Arc<WebPkiServerVerifier>,
    /// Certificates that are trusted themselves, whatever they may sign.
    own: Vec<CertificateDer<'static>>,
}

impl Trusted {
    fn of(trust: Option<&Trust>) -> Result<Self, Unfit> {
        let mut own = Vec::new();
        let roots = match trust {
            None => of_the_system()?,
            Some(trust) => {
                let mut roots = RootCertStore::empty();
                for certificate in CertificateDer::pem_slice_iter(trust.pem().as_bytes()) {
                    let certificate = certificate?;
                    roots.add(certificate.clone())?;
                    own.push(certificate);
                }
                Arc::new(roots)
            }
        };
        let chains = WebPkiServerVerifier::builder_with_provider(roots, provider()).build()?;
        Ok(Self { chains, own })
    }
}

#[derive(Debug)]
struct Verifier {
    provider: Arc<CryptoProvider>,
    /// None: any server.
    trust: Option<Trusted>,
}

/// What the libraries have no error of their own for: a sentence.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Sentence(String);

fn fault(sentence: impl Into<String>) -> Error {
    CertificateError::Other(OtherError(Arc::new(Sentence(sentence.into())))).into()
}

/// The shortest and the longest RSA keys that the crypto library checks signatures with, in bits.
const RSA: std::ops::RangeInclusive<usize> = 2048..=8192;

/// What is offered beside what can be checked where nothing is verified, so that a server with another kind of key or
/// hash answers too: it comes last, for servers that have nothing better.
const UNVERIFIED: [SignatureScheme; 10] = [
    SignatureScheme::ECDSA_NISTP521_SHA512,
    SignatureScheme::ED448,
    // Of keys that are for RSA-PSS alone, with SHA-256, SHA-384 and SHA-512.
    SignatureScheme::Unknown(0x0809),
    SignatureScheme::Unknown(0x080a),
    SignatureScheme::Unknown(0x080b),
    // On the Brainpool curves of 256, 384 and 512 bits (RFC 8734).
    SignatureScheme::Unknown(0x081a),
    SignatureScheme::Unknown(0x081b),
    SignatureScheme::Unknown(0x081c),
    SignatureScheme::ECDSA_SHA1_Legacy,
    SignatureScheme::RSA_PKCS1_SHA1,
];

impl Verifier {
    /// That a server of which nothing is verified has the key of the certificate that it shows, as far as that can be found
    /// out.
    fn possession(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let valid = Ok(HandshakeSignatureValid::assertion());
        let Some(key) = certificate::key(certificate) else { return valid };
        if key.rsa.is_some_and(|bits| !RSA.contains(&bits)) {
            return valid;
        }
        let known = self.provider.signature_verification_algorithms.mapping;
        let known = known.iter().filter(|(scheme, _)| *scheme == signed.scheme).flat_map(|(_, algorithms)| *algorithms);
        let mut fit = known.filter(|algorithm| *algorithm.public_key_alg_id() == *key.algorithm).peekable();
        if fit.peek().is_none()
            || fit.any(|algorithm| algorithm.verify_signature(&key.bits, message, signed.signature()).is_ok())
        {
            return valid;
        }
        Err(fault(NO_KEY))
    }

    /// What an error over a signature of the handshake says, which is made with the key of the server's own certificate.
    fn misjudged(certificate: &CertificateDer<'_>, error: Error) -> Error {
        match error {
            Error::InvalidCertificate(CertificateError::BadSignature) => match short(certificate) {
                Some(bits) => {
                    fault(format!("certificate has an RSA key of {bits} bits, and 2048 are the least that count"))
                }
                None => fault(NO_KEY),
            },
            error => error,
        }
    }
}

const NO_KEY: &str = "it signs the TLS handshake with another key than that of its certificate";

/// How many bits the RSA key of a certificate has, if they are too few to count.
fn short(certificate: &[u8]) -> Option<usize> {
    certificate::key(certificate)?.rsa.filter(|bits| bits < RSA.start())
}

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
                .unwrap_or_else(|| fault("certificate is self-signed, and not one that is trusted")),
            // The library knows no signature by a key that is too short, and calls it a wrong one.
            Error::InvalidCertificate(CertificateError::BadSignature) => {
                let signers = chain.iter().chain(&trust.own);
                match signers.filter_map(|signer| short(signer)).min() {
                    Some(bits) => fault(format!(
                        "certificate is signed by an RSA key of {bits} bits, and 2048 are the least that count"
                    )),
                    None => error,
                }
            }
            error => error,
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        if self.trust.is_none() {
            return self.possession(message, certificate, signed);
        }
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
            .map_err(|error| Self::misjudged(certificate, error))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        if self.trust.is_none() {
            return self.possession(message, certificate, signed);
        }
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
            .map_err(|error| Self::misjudged(certificate, error))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let mut schemes = self.provider.signature_verification_algorithms.supported_schemes();
        if self.trust.is_none() {
            let more = UNVERIFIED.into_iter().filter(|scheme| !schemes.contains(scheme));
            let more: Vec<_> = more.collect();
            schemes.extend(more);
        }
        schemes
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
