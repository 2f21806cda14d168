//! An HTTP probe: one request on a connection of its own, the status, and as much of the body as is asked for. It
//! follows no redirect, asks no proxy, repeats nothing and resolves no name.

use std::{io, net::IpAddr, net::SocketAddr};

use reqwest::{Client, Method, Request, Response, Url, header, redirect, retry};

use super::probe::say;
use crate::engine::health::{
    check::{Body, HttpCheck},
    monitor::Outcome,
};

const USER_AGENT: &str = concat!("meridian/", env!("CARGO_PKG_VERSION"));

/// The client of all probes.
pub(super) fn client() -> io::Result<Client> {
    // Who was first decides; every part of this process wants the same one.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    Client::builder()
        .user_agent(USER_AGENT)
        .no_proxy()
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .referer(false)
        .http1_only()
        .pool_max_idle_per_host(0)
        .build()
        .map_err(io::Error::other)
}

/// Asks `address`; an error is what to report.
pub(super) async fn ask(client: &Client, check: &HttpCheck, address: IpAddr) -> Result<(), Outcome> {
    let request = request(client, check, address)?;
    let mut response = client.execute(request).await.map_err(|error| say(&error))?;
    let status = response.status().as_u16();
    if !check.status.iter().any(|(low, high)| (*low..=*high).contains(&status)) {
        return Err(Outcome::Bad(format!("status {status}").into()));
    }
    match check.body.first() {
        Some(Body::Contains(text)) => find(&mut response, text, check.body_max as usize).await,
        _ => Ok(()),
    }
}

fn request(client: &Client, check: &HttpCheck, address: IpAddr) -> Result<Request, Outcome> {
    let unfit = |what: &str| Outcome::Bad(format!("{what} cannot be sent in a request").into());
    let method = Method::from_bytes(check.method.as_bytes()).map_err(|_| unfit("the method"))?;
    let url = format!("http://{}{}", SocketAddr::new(address, check.port), check.path);
    let mut request =
        client.request(method, Url::parse(&url).map_err(|_| unfit("the path"))?).header(header::CONNECTION, "close");
    if let Some(host) = &check.host {
        request = request.header(header::HOST, &**host);
    }
    for (name, value) in &check.headers {
        request = request.header(&**name, &**value);
    }
    request.build().map_err(|_| unfit("a header"))
}

/// Reads until `text` has come, the body ends, or `max` octets have been read.
async fn find(response: &mut Response, text: &str, max: usize) -> Result<(), Outcome> {
    let mut seen: Vec<u8> = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| say(&error))? {
        // A hit may begin in an earlier chunk.
        let fresh = (seen.len() + 1).saturating_sub(text.len());
        seen.extend_from_slice(&chunk[..chunk.len().min(max - seen.len())]);
        if text.is_empty() || seen[fresh..].windows(text.len()).any(|window| window == text.as_bytes()) {
            return Ok(());
        }
        if seen.len() == max {
            return Err(Outcome::Bad(format!("the first {max} octets of the body lack {text:?}").into()));
        }
    }
    if text.is_empty() { Ok(()) } else { Err(Outcome::Bad(format!("body lacks {text:?}").into())) }
}
