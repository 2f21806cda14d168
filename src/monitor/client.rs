//! HTTP clients: one for each manner of speaking, however many targets use it, and gone with the last of them.
//!
//! A client resolves no name: whatever name a request is for, it goes to the address of the task that asks, which
//! a task-local says. So ten thousand addresses behind one name, in TLS or out of it, need one client.

use std::{
    cell::Cell,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use reqwest::{
    Client, Request, Response,
    dns::{Addrs, Name, Resolve, Resolving},
    tls::TlsInfo,
};
use tokio::{task_local, time::Instant};
use tower::{Layer, Service};

use super::{
    cache::Shared,
    certificate::{self, Expiry},
    error_text::{Unfit, moment, say, unbound},
    tls::Ground,
};
use crate::{
    engine::health::fold::Outcome,
    http,
    probing::check::{HttpVersion, Tls},
};

/// The most octets of an HTTP/2 response's headers, and of its body on the way, for each probe.
const HEADERS: u32 = 64 << 10;
const WINDOW: u32 = 128 << 10;

task_local! {
    static LINE: Route;
}

/// Where the request of this task goes.
#[derive(Debug)]
struct Route {
    to: SocketAddr,
    /// How long its connection took to open, in microseconds.
    opened: Cell<Option<u64>>,
}

/// What tells clients apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Manner {
    version: HttpVersion,
    /// None: in clear text.
    ground: Option<Ground>,
    source: Option<IpAddr>,
}

/// The clients that are in use.
#[derive(Debug, Default)]
pub(super) struct Clients(Shared<Manner, Client>);

impl Clients {
    /// The client that speaks so.
    ///
    /// # Errors
    /// Says why there is none.
    pub(super) fn http(
        &self,
        version: HttpVersion,
        tls: Option<&Tls>,
        source: Option<IpAddr>,
    ) -> Result<Arc<Client>, Unfit> {
        let alpn: &[&str] = match version {
            HttpVersion::One => &["http/1.1"],
            HttpVersion::Two => &["h2"],
        };
        let manner = Manner { version, ground: tls.map(|tls| Ground::of(tls, alpn)), source };
        self.0.get(manner, make)
    }
}

fn make(manner: &Manner) -> Result<Client, Unfit> {
    // In clear text too, or the builder would read all certificates of the system.
    let tls = manner.ground.as_ref().unwrap_or(&Ground::idle()).config()?;
    let builder = http::client()
        .tls_backend_preconfigured(tls)
        .tls_info(manner.ground.is_some())
        .local_address(manner.source)
        .dns_resolver(Arc::new(ToTheLine));
    let builder = match manner.version {
        HttpVersion::One => builder.http1_only(),
        HttpVersion::Two => builder
            .http2_prior_knowledge()
            .http2_max_header_list_size(HEADERS)
            .http2_initial_stream_window_size(WINDOW)
            .http2_initial_connection_window_size(WINDOW),
    };
    // With TLS the handshake would be in the time.
    let builder = if manner.ground.is_none() { builder.connector_layer(Timing) } else { builder };
    Ok(builder.build()?)
}

/// What came back, and what is known of the connection.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) response: Response,
    /// How long the connection took to open, in microseconds; none over TLS.
    pub(super) connect: Option<u64>,
    /// What people should know of the server's certificate.
    pub(super) note: Option<Box<str>>,
    /// When that ends, in Unix seconds.
    pub(super) ends: Option<i64>,
}

/// Sends a request to an address, whatever the request's URL says, if it has a name in it.
pub(super) async fn send(
    client: &Client,
    request: Request,
    to: SocketAddr,
    source: Option<IpAddr>,
    expiry: Option<Expiry>,
) -> Result<Answer, Outcome> {
    let line = Route { to, opened: Cell::new(None) };
    let exchange = async {
        let response = client.execute(request).await;
        (response, LINE.with(|line| line.opened.get()))
    };
    let (response, connect) = LINE.scope(line, exchange).await;
    let response = response.map_err(|error| unbound(&error, source).unwrap_or_else(|| say(&error)))?;
    let (ends, note) = match expiry {
        Some(expiry) => {
            let seen = response.extensions().get::<TlsInfo>().and_then(TlsInfo::peer_certificate);
            let seen = seen.ok_or_else(|| Outcome::Bad("it shows no certificate".into()))?;
            let (ends, note) = expiry.judge(seen, certificate::unix())?;
            (Some(ends), note)
        }
        None => (None, None),
    };
    Ok(Answer { response, connect, note, ends })
}

/// Words for what HTTP/2 says of a server that speaks something else, as HTTP/1.1 servers do when asked in clear text.
pub(super) fn over_http2(why: &str) -> Option<Outcome> {
    why.contains("frame with invalid size").then(|| Outcome::Bad("it answers, but not in HTTP/2".into()))
}

/// Resolves every name to the address of the task that asks.
#[derive(Debug)]
struct ToTheLine;

impl Resolve for ToTheLine {
    fn resolve(&self, _: Name) -> Resolving {
        // Read when it is polled: by the task itself, since nothing is pooled and so nothing is connected elsewhere.
        Box::pin(async {
            let to = LINE.try_with(|line| line.to)?;
            Ok(Box::new(std::iter::once(to)) as Addrs)
        })
    }
}

/// Notes how long connections take to open.
#[derive(Clone, Debug)]
struct Timing;

impl<S> Layer<S> for Timing {
    type Service = Timed<S>;

    fn layer(&self, inner: S) -> Timed<S> {
        Timed(inner)
    }
}

#[derive(Clone, Debug)]
struct Timed<S>(S);

impl<R, S: Service<R>> Service<R> for Timed<S>
where
    S::Future: Unpin,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Opening<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: R) -> Self::Future {
        Opening { began: moment(), inner: self.0.call(request) }
    }
}

#[derive(Debug)]
struct Opening<F> {
    began: Instant,
    inner: F,
}

impl<T, E, F: Future<Output = Result<T, E>> + Unpin> Future for Opening<F> {
    type Output = Result<T, E>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let result = ready!(Pin::new(&mut self.inner).poll(context));
        if result.is_ok() {
            let micros = self.began.elapsed().as_micros() as u64;
            // Outside a probe nobody wants to know.
            let _ = LINE.try_with(|line| line.opened.set(Some(micros)));
        }
        Poll::Ready(result)
    }
}
