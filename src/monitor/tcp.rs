//! A TCP probe: a connection that opens and, where something is expected, says it.

#[cfg(test)]
mod tests;

use std::net::{IpAddr, SocketAddr};

use regex::bytes::{Regex, RegexBuilder};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{
    dial,
    words::{Fine, say, snippet},
};
use crate::engine::health::{check::TcpCheck, monitor::Outcome};

/// So many octets are read at most.
const CAP: usize = 16 << 10;

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
    pub(super) fn of(check: &TcpCheck, address: IpAddr, source: Option<IpAddr>) -> Result<Self, Box<str>> {
        let expect = check.expect.as_deref().map(|text| {
            // Lines end as the protocols of old end them, and a greeting may stand before the line that counts.
            RegexBuilder::new(text).multi_line(true).crlf(true).build().map_err(|error| error.to_string())
        });
        let to = SocketAddr::new(address, check.port);
        Ok(Self { to, source, send: check.send.clone(), expect: expect.transpose()? })
    }

    pub(super) async fn ask(&self) -> Result<Fine, Outcome> {
        let (mut stream, connect) = dial::tcp(self.to, self.source).await?;
        if let Some(send) = &self.send {
            stream.write_all(send).await.map_err(|error| say(&error))?;
        }
        if let Some(expect) = &self.expect {
            hear(&mut stream, expect).await?;
        }
        Ok(Fine { connect: Some(connect), note: None })
    }
}

/// Reads until what has come matches, no more comes, or too much has come.
async fn hear(stream: &mut TcpStream, expect: &Regex) -> Result<(), Outcome> {
    let mut heard = Vec::new();
    let mut buffer = [0; 2048];
    loop {
        let room = buffer.len().min(CAP - heard.len());
        let count = match stream.read(&mut buffer[..room]).await {
            Ok(count) => count,
            Err(error) if heard.is_empty() => return Err(say(&error)),
            Err(_) => 0,
        };
        heard.extend_from_slice(&buffer[..count]);
        if expect.is_match(&heard) {
            return Ok(());
        }
        let why = if heard.len() == CAP {
            format!("the first {CAP} octets do not match {:?}", expect.as_str())
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
