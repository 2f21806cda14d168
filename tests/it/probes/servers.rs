//! Servers: of HTTP/1.1 and 2, in clear text and over TLS, and of any octets.

use std::{future::Future, sync::Arc};

use hyper::{Request, Response, body::Incoming, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::ServerConfig;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};
use tokio_rustls::TlsAcceptor;

use super::LOOPBACK;

/// What an HTTP server speaks.
#[derive(Clone)]
pub enum Speaks {
    One,
    Two,
    OneOver(Arc<ServerConfig>),
    TwoOver(Arc<ServerConfig>),
}

/// The body of a response, with trailers if it has some.
pub type Body = http_body_util::combinators::BoxBody<hyper::body::Bytes, std::convert::Infallible>;

/// An HTTP server; its port.
pub async fn http(
    speaks: Speaks,
    answer: impl Fn(Request<Incoming>) -> Response<Body> + Clone + Send + 'static,
) -> u16 {
    tcp(move |stream| {
        let (speaks, answer) = (speaks.clone(), answer.clone());
        async move {
            match speaks {
                Speaks::One => serve(stream, false, answer).await,
                Speaks::Two => serve(stream, true, answer).await,
                Speaks::OneOver(config) => over(stream, config, false, answer).await,
                Speaks::TwoOver(config) => over(stream, config, true, answer).await,
            }
        }
    })
    .await
}

async fn over(
    stream: TcpStream,
    config: Arc<ServerConfig>,
    two: bool,
    answer: impl Fn(Request<Incoming>) -> Response<Body> + Clone + Send + 'static,
) {
    // Clients that do not like the certificate leave here.
    if let Ok(stream) = TlsAcceptor::from(config).accept(stream).await {
        serve(stream, two, answer).await;
    }
}

async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    two: bool,
    answer: impl Fn(Request<Incoming>) -> Response<Body> + Clone + Send + 'static,
) {
    let service = service_fn(move |request| {
        let answer = answer.clone();
        async move { Ok::<_, std::convert::Infallible>(answer(request)) }
    });
    let stream = TokioIo::new(stream);
    // Whether the client still listens is its own business.
    let _ = if two {
        hyper::server::conn::http2::Builder::new(TokioExecutor::new()).serve_connection(stream, service).await
    } else {
        hyper::server::conn::http1::Builder::new().serve_connection(stream, service).await
    };
}

/// A server that makes a TLS handshake; its port, and the names that it was asked for.
pub async fn handshakes(config: Arc<ServerConfig>) -> (u16, mpsc::UnboundedReceiver<Option<String>>) {
    let (asked, names) = mpsc::unbounded_channel();
    let port = tcp(move |stream| {
        let (config, asked) = (Arc::clone(&config), asked.clone());
        async move {
            if let Ok(mut stream) = TlsAcceptor::from(config).accept(stream).await {
                let _ = asked.send(stream.get_ref().1.server_name().map(str::to_owned));
                let _ = stream.read(&mut [0]).await;
            }
        }
    })
    .await;
    (port, names)
}

/// A server that knows no HTTP/2, and answers it in what it knows, as nginx does; its port.
pub async fn only_one() -> u16 {
    tcp(|mut stream| async move {
        let _ = stream.read_exact(&mut [0; 24]).await;
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await;
        // What is left unread would make a reset of the end.
        while stream.read(&mut [0; 4096]).await.is_ok_and(|count| count > 0) {}
    })
    .await
}

/// A server of connections; its port.
pub async fn tcp<F: Future<Output = ()> + Send + 'static>(treat: impl Fn(TcpStream) -> F + Send + 'static) -> u16 {
    let listener = TcpListener::bind((LOOPBACK, 0)).await.expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(treat(stream));
        }
    });
    port
}
