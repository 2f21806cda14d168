//! A TLS probe: a handshake, and when the certificate ends.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use rustls::{ClientConfig, pki_types::ServerName};
use tokio::io::AsyncWriteExt;
use tokio_rustls::TlsConnector;

use super::{
    certificate::{self, Expiry},
    client::Clients,
    dial,
    tls::Ground,
    words::{Fine, say},
};
use crate::{engine::health::outcome::Outcome, probing::check::TlsCheck};

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
        clients: &Clients,
    ) -> Result<Self, Box<str>> {
        let name = match &check.tls.sni {
            Some(sni) => ServerName::try_from(&**sni).map_err(|error| error.to_string())?.to_owned(),
            None => ServerName::from(address),
        };
        let config = clients.tls(Ground::of(&check.tls, &[]))?;
        Ok(Self { to: SocketAddr::new(address, check.port), source, name, config, expiry: Expiry::of(&check.tls) })
    }

    pub(super) async fn ask(&self) -> Result<Fine, Outcome> {
        let (stream, connect) = dial::tcp(self.to, self.source).await?;
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
