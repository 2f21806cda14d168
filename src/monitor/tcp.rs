//! TCP: connections to a target, from a given address where one is wanted; and a probe, a connection that opens and,
//! where something is expected, says it.

#[cfg(test)]
mod tests;

use std::net::{IpAddr, SocketAddr};

use regex::bytes::{Regex, RegexBuilder};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

use super::error_text::{Fine, Unfit, lacking, moment, say, snippet};
use crate::{engine::health::fold::Outcome, probing::check::TcpCheck};

/// So many octets are read at most.
const CAP: usize = 16 << 10;
/// So many octets are looked at, at most: what comes in pieces is looked at again from its beginning with each of them,
/// which one octet at a time would make a work of weeks out of.
const LOOKS: usize = 1 << 20;

/// A connection to `to`, and how long it took to open, in microseconds.
pub(super) async fn connect(to: SocketAddr, source: Option<IpAddr>) -> Result<(TcpStream, u64), Outcome> {
    let began = moment();
    let stream = match source {
        None => TcpStream::connect(to).await,
        Some(source) => bound(to, source)?.connect(to).await,
    };
    let stream = stream.map_err(|error| say(&error))?;
    Ok((stream, began.elapsed().as_micros() as u64))
}

fn bound(to: SocketAddr, source: IpAddr) -> Result<TcpSocket, Outcome> {
    let socket = if to.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
    let socket = socket.map_err(|error| say(&error))?;
    socket.bind(SocketAddr::new(source, 0)).map_err(|error| lacking(source, &error))?;
    Ok(socket)
}

/// A target of `tcp`.
#[derive(Debug)]
pub(super) struct Tcp {
    to: SocketAddr,
    source: Option<IpAddr>,
    send: Option<Box<[u8]>>,
    expect: Option<Regex>,
}

impl Tcp {
    /// # Errors
    /// With the words for it, when there is no such regular expression. The configuration has been read by then.
    pub(super) fn of(check: &TcpCheck, address: IpAddr, source: Option<IpAddr>) -> Result<Self, Unfit> {
        let expect = check.expect.as_deref().map(|text| {
            // Lines end as the protocols of old end them, and a greeting may stand before the line that counts.
            RegexBuilder::new(text).multi_line(true).crlf(true).build()
        });
        let to = SocketAddr::new(address, check.port);
        Ok(Self { to, source, send: check.send.clone(), expect: expect.transpose()? })
    }

    pub(super) async fn ask(&self) -> Result<Fine, Outcome> {
        let (mut stream, connect) = connect(self.to, self.source).await?;
        if let Some(send) = &self.send {
            stream.write_all(send).await.map_err(|error| say(&error))?;
        }
        if let Some(expect) = &self.expect {
            hear(&mut stream, expect).await?;
        }
        Ok(Fine { connect: Some(connect), ..Fine::default() })
    }
}

/// Reads until what has come matches, no more comes, or too much has come, or in too many pieces.
async fn hear(stream: &mut (impl AsyncRead + Unpin), expect: &Regex) -> Result<(), Outcome> {
    let (mut heard, mut pieces, mut looked) = (Vec::new(), 0usize, 0usize);
    let mut buffer = [0; 2048];
    loop {
        let room = buffer.len().min(CAP - heard.len());
        let count = match stream.read(&mut buffer[..room]).await {
            Ok(count) => count,
            Err(error) if heard.is_empty() => return Err(say(&error)),
            Err(_) => 0,
        };
        heard.extend_from_slice(&buffer[..count]);
        (pieces, looked) = (pieces + usize::from(count > 0), looked + heard.len());
        if expect.is_match(&heard) {
            return Ok(());
        }
        let why = if heard.len() == CAP {
            format!("the first {CAP} octets do not match {:?}", expect.as_str())
        } else if looked >= LOOKS {
            format!("{} octets in {pieces} pieces do not match {:?}", heard.len(), expect.as_str())
        } else if count > 0 {
            // Matching takes time: whoever wants to give up is asked between one piece and the next.
            tokio::task::yield_now().await;
            continue;
        } else if heard.is_empty() {
            "connection closed without a word".to_owned()
        } else {
            format!("{:?} does not match {:?}", snippet(&heard), expect.as_str())
        };
        return Err(Outcome::Bad(why.into()));
    }
}
