//! Certificates that hold and such that do not.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use meridian::probing::check::Trust;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivatePkcs8KeyDer},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

const HOUR: i64 = 3600;
pub const DAY: i64 = 24 * HOUR;

/// Somebody who signs.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// A certificate with its key.
pub struct Papers {
    der: CertificateDer<'static>,
    key: KeyPair,
    pem: String,
}

/// For a name, from so many seconds from now until so many.
#[expect(clippy::disallowed_methods, reason = "certificates go by the wall clock")]
fn params(name: &str, from: i64, until: i64) -> CertificateParams {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs() as i64;
    let at = |seconds: i64| rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs((now + seconds) as u64);
    let mut params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
    (params.not_before, params.not_after) = (at(from), at(until));
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

impl Authority {
    pub fn new() -> Self {
        Self::named("authority.example")
    }

    pub fn named(name: &str) -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = params(name, -DAY, 1000 * DAY);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).expect("a certificate").pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    pub fn trust(&self) -> Trust {
        Trust::new(&self.pem)
    }

    /// Its own certificate, as it stands in files.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Papers for a name; see [`params`].
    pub fn sign(&self, name: &str, from: i64, until: i64) -> Papers {
        let key = KeyPair::generate().expect("a key");
        let made = params(name, from, until).signed_by(&key, &self.issuer).expect("a certificate");
        Papers { der: made.der().clone(), pem: made.pem(), key }
    }

    /// Papers for a name that hold for long.
    pub fn good(&self, name: &str) -> Papers {
        self.sign(name, -DAY, 90 * DAY)
    }
}

impl Papers {
    /// Signed by themselves, as those of an authority or not.
    pub fn own(name: &str, is_authority: bool, until: i64) -> Self {
        Self::made(params(name, -10 * DAY, until), |params| {
            if is_authority {
                params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            }
        })
    }

    /// Signed by themselves, changed so.
    pub fn own_with(name: &str, change: impl FnOnce(&mut CertificateParams)) -> Self {
        Self::made(params(name, -DAY, 90 * DAY), change)
    }

    fn made(mut params: CertificateParams, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let key = KeyPair::generate().expect("a key");
        change(&mut params);
        let made = params.self_signed(&key).expect("a certificate");
        Self { der: made.der().clone(), pem: made.pem(), key }
    }

    pub fn trust(&self) -> Trust {
        Trust::new(&self.pem)
    }

    /// How a server shows them.
    pub fn config(&self, alpn: &[&str]) -> Arc<ServerConfig> {
        let key = PrivatePkcs8KeyDer::from(self.key.serialize_der()).into();
        let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().expect("versions").with_no_client_auth();
        let mut config = builder.with_single_cert(vec![self.der.clone()], key).expect("a pair");
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        Arc::new(config)
    }

    /// How a server shows them that has another key than theirs.
    pub fn config_with_key_of(&self, other: &Self) -> Arc<ServerConfig> {
        let provider = ring::default_provider();
        let key = PrivatePkcs8KeyDer::from(other.key.serialize_der()).into();
        let key = provider.key_provider.load_private_key(key).expect("a key");
        let pair = Arc::new(CertifiedKey::new(vec![self.der.clone()], key));
        let builder = ServerConfig::builder_with_provider(Arc::new(provider));
        let builder = builder.with_safe_default_protocol_versions().expect("versions").with_no_client_auth();
        let mut config = builder.with_cert_resolver(Arc::new(Always(pair)));
        config.alpn_protocols = vec![b"h2".to_vec()];
        Arc::new(config)
    }
}

/// Shows the same to every client, whether it is a pair or not.
#[derive(Debug)]
struct Always(Arc<CertifiedKey>);

impl ResolvesServerCert for Always {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}
