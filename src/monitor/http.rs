//! An HTTP probe: one request on a connection of its own, the status, and as much of the body as is asked for. It asks
//! no proxy, repeats nothing and resolves no name.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use reqwest::{
    Client, Method, Request, Url,
    header::{CONTENT_LENGTH, HeaderName, HeaderValue},
};

use super::{
    body::Wanted,
    certificate::Expiry,
    client::{self, Answer},
    context::Tools,
    error_text::{Fine, Unfit},
    redirect::Trail,
};
use crate::{
    engine::health::fold::Outcome,
    http,
    probing::check::{HttpCheck, HttpVersion},
};

/// A target of `http` or `https`.
#[derive(Debug)]
pub(super) struct Http {
    client: Arc<Client>,
    to: SocketAddr,
    source: Option<IpAddr>,
    request: Request,
    expiry: Option<Expiry>,
    status: Box<[(u16, u16)]>,
    /// None: nobody looks at the body.
    body: Option<Arc<Wanted>>,
    redirects: Option<Trail>,
}

impl Http {
    /// # Errors
    /// Says why nothing can be asked.
    pub(super) fn of(check: &HttpCheck, address: IpAddr, source: Option<IpAddr>, tools: &Tools) -> Result<Self, Unfit> {
        let to = SocketAddr::new(address, check.port);
        let request = request(check, to)?;
        let redirects = match check.redirects {
            0 => None,
            most => Some(Trail::of(request.url(), check.host.as_deref(), most)?),
        };
        Ok(Self {
            client: tools.clients.http(check.version, check.tls.as_ref(), source)?,
            to,
            source,
            request,
            expiry: check.tls.as_ref().map(Expiry::of),
            status: check.status.clone().into(),
            body: if check.body.is_empty() { None } else { Some(tools.bodies.get(&check.body, check.body_max)?) },
            redirects,
        })
    }

    pub(super) async fn ask(&self) -> Result<Fine, Outcome> {
        let mut request = again(&self.request);
        let mut followed = 0;
        loop {
            let path = self.redirects.is_some().then(|| request.url().clone());
            let method = self.redirects.is_some().then(|| request.method().clone());
            let Answer { mut response, connect, note, ends } =
                client::send(&self.client, request, self.to, self.source, self.expiry)
                    .await
                    .map_err(|error| self.name(error))?;
            if let (Some(trail), Some(at), Some(method)) = (&self.redirects, path, method)
                && let Some((url, method)) = trail.next(&at, &method, &response, followed)?
            {
                followed += 1;
                request = again(&self.request);
                *request.url_mut() = url;
                if method == Method::GET {
                    request.headers_mut().remove(CONTENT_LENGTH);
                }
                *request.method_mut() = method;
                continue;
            }
            let status = response.status().as_u16();
            if !self.status.iter().any(|(low, high)| (*low..=*high).contains(&status)) {
                return Err(Outcome::Bad(format!("status {status}").into()));
            }
            if let Some(wanted) = &self.body {
                wanted.judge(&mut response).await?;
            }
            return Ok(Fine { connect, note, ends });
        }
    }

    /// A server that takes the wrong version for nonsense, or its answer for it, is told of in the words for that.
    fn name(&self, outcome: Outcome) -> Outcome {
        match outcome {
            Outcome::Bad(why) if self.request.version() == reqwest::Version::HTTP_2 => {
                client::over_http2(&why).unwrap_or(Outcome::Bad(why))
            }
            outcome => outcome,
        }
    }
}

/// The same request once more. None of ours has a body that could be read only once.
fn again(request: &Request) -> Request {
    let mut again = Request::new(request.method().clone(), request.url().clone());
    *again.headers_mut() = request.headers().clone();
    *again.version_mut() = request.version();
    again
}

fn request(check: &HttpCheck, to: SocketAddr) -> Result<Request, Unfit> {
    let method = Method::from_bytes(check.method.as_bytes()).map_err(|_| Unfit::Unsendable("the method"))?;
    let url = url(check, to)?;
    let host = match (check.version, &check.host) {
        (HttpVersion::Two, _) => None,
        (HttpVersion::One, Some(host)) => Some(HeaderValue::from_str(host).map_err(|_| Unfit::Unsendable("the host"))?),
        (HttpVersion::One, None) => Some(http::host(&url).ok_or_else(|| Unfit::Unsendable("the host"))?),
    };
    let mut own = Vec::with_capacity(check.headers.len());
    for (name, value) in &check.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| Unfit::Unsendable("a header"))?;
        own.push((name, HeaderValue::from_str(value).map_err(|_| Unfit::Unsendable("a header"))?));
    }
    let header = http::header(&method, host, own);
    let mut request = Request::new(method, url);
    *request.headers_mut() = header;
    if check.version == HttpVersion::Two {
        *request.version_mut() = reqwest::Version::HTTP_2;
    }
    Ok(request)
}

/// What the request is for. The connection goes to `to` in any case: a URL either has that address in it, or a name,
/// which is resolved to it; so only over HTTP/2, where it is sent, may a URL hold the name in `host`.
fn url(check: &HttpCheck, to: SocketAddr) -> Result<Url, Unfit> {
    let sni = check.tls.as_ref().and_then(|tls| tls.sni.as_deref());
    let host = check.host.as_deref().filter(|_| check.version == HttpVersion::Two);
    let authority = match (host, sni) {
        (Some(host), _) => host.to_owned(),
        (None, Some(sni)) => format!("{sni}:{}", to.port()),
        (None, None) => to.to_string(),
    };
    let scheme = if check.tls.is_some() { "https" } else { "http" };
    let url = Url::parse(&format!("{scheme}://{authority}{}", check.path)).map_err(Unfit::Url)?;
    let named = url.domain().is_some() || url.socket_addrs(|| None).is_ok_and(|all| all == [to]);
    if !named || host.is_some() && (url.domain().is_none() || url.port().is_some()) {
        return Err(Unfit::NotAnAuthority);
    }
    Ok(url)
}
