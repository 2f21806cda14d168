//! One question: over HTTP, a plain connection or by a command.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use reqwest::{Client, Method, Request, Url};
use tokio::{io::AsyncReadExt, net::TcpStream, time};

use super::{
    agent,
    error::AskError,
    haproxy, nginx, prometheus,
    reading::{Reading, json, number},
};
use crate::{
    clock::duration,
    command::{Command, End},
    http,
    probing::{
        millis::Millis,
        pull::{Page, Pull},
    },
    telemetry,
};

/// No more of a page is read.
const MOST: usize = 1 << 20;
/// No more of an agent's line is read.
const LINE: usize = 512;

/// The client of all questions. It resolves no name. A connection is used once: one that is kept would go on asking a load
/// balancer's old process after its reload.
pub(super) fn client() -> io::Result<Client> {
    // The first one decides; every part of this process wants the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    http::client().http1_only().build().map_err(io::Error::other)
}

/// Asks an address; an error is what to tell people. `timeout`: how long all of it may take.
pub(super) async fn ask(client: &Client, pull: &Pull, address: IpAddr, timeout: Millis) -> Result<Reading, AskError> {
    let answer = read(client, pull, address, timeout);
    // The time of a command begins when it is its turn.
    if matches!(pull, Pull::Exec(_)) {
        return answer.await;
    }
    let answer = time::timeout(duration(timeout), answer).await;
    answer.unwrap_or(Err(AskError::Late { timeout }))
}

async fn read(client: &Client, pull: &Pull, address: IpAddr, timeout: Millis) -> Result<Reading, AskError> {
    Ok(match pull {
        Pull::Haproxy { page, backend, server, field } => {
            haproxy::read(&get(client, page, address).await?, backend, server.as_deref(), *field)?
        }
        Pull::Agent(port) => agent::read(&line(SocketAddr::new(address, *port)).await.map_err(AskError::Connection)?)?,
        Pull::Nginx { page, field } => nginx::read(&get(client, page, address).await?, *field)?,
        Pull::Prometheus { page, metric, labels, per } => {
            prometheus::read(&get(client, page, address).await?, metric, labels, per.as_deref())?
        }
        Pull::Json { page, pointer } => json(&get(client, page, address).await?, pointer)?,
        Pull::Exec(command) => run(command, address, timeout).await?,
    })
}

/// A page, whole. Its type is not asked for: its form says what it is.
async fn get(client: &Client, page: &Page, address: IpAddr) -> Result<String, AskError> {
    let url = format!("http://{}{}", SocketAddr::new(address, page.port), page.path);
    let url = Url::parse(&url).map_err(|_| AskError::Unsendable("path"))?;
    let host = http::host(&url).ok_or(AskError::Unsendable("address"))?;
    let mut request = Request::new(Method::GET, url);
    *request.headers_mut() = http::header(&Method::GET, Some(host), []);
    let mut response = client.execute(request).await?;
    let status = response.status().as_u16();
    if status != 200 {
        return Err(AskError::Status(status));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > MOST {
            return Err(AskError::LongPage);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(telemetry::text(&body).into_owned())
}

/// What an agent says before a line ends, or the connection.
async fn line(agent: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect(agent).await?;
    let mut said = Vec::new();
    let mut part = [0; LINE];
    while said.len() < LINE && !said.iter().any(|octet| matches!(octet, b'\r' | b'\n')) {
        match stream.read(&mut part).await? {
            0 => break,
            count => said.extend_from_slice(&part[..count]),
        }
    }
    Ok(telemetry::text(&said).into_owned())
}

/// The number that a command prints.
async fn run(command: &[Box<str>], address: IpAddr, timeout: Millis) -> Result<Reading, AskError> {
    let words = command.iter().map(|word| word.replace("{address}", &address.to_string())).collect();
    let ended = Command::new(words, duration(timeout)).run().await?;
    let line = ended.errors.last_line();
    match ended.end {
        End::Code(0) => {}
        End::Code(code) => return Err(AskError::Code { code, line }),
        End::Signal(signal) => return Err(AskError::Signal { signal, line }),
        End::Killed => return Err(AskError::Killed { timeout, line }),
    }
    if !ended.output.is_whole() {
        return Err(AskError::LongOutput);
    }
    Ok(number(&telemetry::text(ended.output.head())).map(Reading::now)?)
}
