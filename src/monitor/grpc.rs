//! A gRPC probe: `grpc.health.v1.Health/Check`, written and read by hand over HTTP/2.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use http_body_util::BodyExt;
use reqwest::{
    Body, Client, Method, Request, Response, Url,
    header::{CONTENT_TYPE, HeaderMap, HeaderValue, TE, USER_AGENT},
};

use super::{
    certificate::Expiry,
    client::{self, Answer, Clients},
    error_text::{Fine, Unfit, say, snippet},
};
use crate::{
    engine::health::fold::Outcome,
    http,
    probing::check::{GrpcCheck, HttpVersion},
};

const METHOD: &str = "/grpc.health.v1.Health/Check";
/// No answer to this question is longer.
const CAP: usize = 4 << 10;
/// What comes before a message: whether it is compressed, and its length.
const PREFIX: usize = 5;

/// A target of `grpc`.
#[derive(Debug)]
pub(super) struct Grpc {
    client: Arc<Client>,
    to: SocketAddr,
    source: Option<IpAddr>,
    url: Url,
    headers: HeaderMap,
    question: Box<[u8]>,
    service: Box<str>,
    expiry: Option<Expiry>,
}

impl Grpc {
    /// # Errors
    /// Says why nothing can be asked.
    pub(super) fn of(
        check: &GrpcCheck,
        address: IpAddr,
        source: Option<IpAddr>,
        clients: &Clients,
    ) -> Result<Self, Unfit> {
        let to = SocketAddr::new(address, check.port);
        let (scheme, sni) = match &check.tls {
            Some(tls) => ("https", tls.sni.as_deref()),
            None => ("http", None),
        };
        let authority = sni.map_or_else(|| to.to_string(), |sni| format!("{sni}:{}", to.port()));
        let url = Url::parse(&format!("{scheme}://{authority}{METHOD}")).map_err(Unfit::Url)?;
        let content = HeaderValue::from_static("application/grpc");
        let headers = [
            (USER_AGENT, HeaderValue::from_static(http::USER_AGENT)),
            (CONTENT_TYPE, content),
            (TE, HeaderValue::from_static("trailers")),
        ];
        Ok(Self {
            client: clients.http(HttpVersion::Two, check.tls.as_ref(), source)?,
            to,
            source,
            url,
            headers: HeaderMap::from_iter(headers),
            question: question(&check.service).into(),
            service: check.service.clone(),
            expiry: check.tls.as_ref().map(Expiry::of),
        })
    }

    pub(super) async fn ask(&self) -> Result<Fine, Outcome> {
        let mut request = Request::new(Method::POST, self.url.clone());
        *request.headers_mut() = self.headers.clone();
        *request.version_mut() = reqwest::Version::HTTP_2;
        *request.body_mut() = Some(Body::from(self.question.to_vec()));
        let answer = client::send(&self.client, request, self.to, self.source, self.expiry).await;
        let Answer { response, connect, note, ends } = answer.map_err(|outcome| match outcome {
            Outcome::Bad(why) => client::over_http2(&why).unwrap_or(Outcome::Bad(why)),
            outcome => outcome,
        })?;
        self.judge(response).await.map(|()| Fine { connect, note, ends })
    }

    async fn judge(&self, response: Response) -> Result<(), Outcome> {
        let bad = |why: String| Err(Outcome::Bad(why.into()));
        let status = response.status().as_u16();
        if status != 200 {
            return bad(format!("status {status} in place of a gRPC answer"));
        }
        let content = response.headers().get(CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
        if !content.starts_with(b"application/grpc") {
            return bad("it speaks HTTP/2, but not gRPC".to_owned());
        }
        // An answer without a message says so in front.
        self.fault(response.headers())?;
        let mut body = Body::from(response);
        let mut said = Vec::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| say(&error))?;
            if let Some(trailers) = frame.trailers_ref() {
                self.fault(trailers)?;
            } else if let Some(octets) = frame.data_ref() {
                if said.len() + octets.len() > CAP {
                    return bad(format!("a gRPC answer of more than {CAP} octets"));
                }
                said.extend_from_slice(octets);
            }
        }
        match status_of(&said) {
            Some(1) => Ok(()),
            Some(0) => bad("its health is UNKNOWN".to_owned()),
            Some(2) => bad("its health is NOT_SERVING".to_owned()),
            Some(3) => bad(self.unknown()),
            Some(other) => bad(format!("its health is {other}, which says nothing")),
            None if said.is_empty() => bad("a gRPC answer without a message".to_owned()),
            None => bad("a gRPC answer that cannot be read".to_owned()),
        }
    }

    /// What the status of a call says against the target.
    fn fault(&self, headers: &HeaderMap) -> Result<(), Outcome> {
        const NAMES: [&str; 17] = [
            "OK",
            "CANCELLED",
            "UNKNOWN",
            "INVALID_ARGUMENT",
            "DEADLINE_EXCEEDED",
            "NOT_FOUND",
            "ALREADY_EXISTS",
            "PERMISSION_DENIED",
            "RESOURCE_EXHAUSTED",
            "FAILED_PRECONDITION",
            "ABORTED",
            "OUT_OF_RANGE",
            "UNIMPLEMENTED",
            "INTERNAL",
            "UNAVAILABLE",
            "DATA_LOSS",
            "UNAUTHENTICATED",
        ];
        let Some(status) = headers.get("grpc-status") else { return Ok(()) };
        let code = status.to_str().ok().and_then(|text| text.parse::<usize>().ok());
        let why = match code {
            Some(0) => return Ok(()),
            Some(5) => self.unknown(),
            Some(12) => "it does not implement grpc.health.v1.Health".to_owned(),
            _ => {
                let name = code.and_then(|code| NAMES.get(code).copied());
                let name = name.map_or_else(|| snippet(status.as_bytes()), str::to_owned);
                let message = headers.get("grpc-message").map(|message| snippet(message.as_bytes()));
                let message = message.filter(|message| !message.is_empty()).map_or(String::new(), |m| format!(": {m}"));
                format!("gRPC status {name}{message}")
            }
        };
        Err(Outcome::Bad(why.into()))
    }

    fn unknown(&self) -> String {
        match &*self.service {
            "" => "it does not know its own health".to_owned(),
            service => format!("it knows no service {service:?}"),
        }
    }
}

/// The message that asks for a service, with its prefix.
fn question(service: &str) -> Vec<u8> {
    let mut message = Vec::new();
    if !service.is_empty() {
        message.push(0x0a);
        varint(service.len() as u64, &mut message);
        message.extend_from_slice(service.as_bytes());
    }
    let mut framed = vec![0];
    framed.extend_from_slice(&(message.len() as u32).to_be_bytes());
    framed.extend_from_slice(&message);
    framed
}

fn varint(mut number: u64, to: &mut Vec<u8>) {
    while number >= 0x80 {
        to.push(number as u8 | 0x80);
        number >>= 7;
    }
    to.push(number as u8);
}

fn read_varint(from: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (first, rest) = from.split_first()?;
        *from = rest;
        number |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// Field 1 of a framed message; 0 where it is left out, which is its default.
fn status_of(framed: &[u8]) -> Option<u64> {
    let (prefix, mut rest) = framed.split_at_checked(PREFIX)?;
    let length = u32::from_be_bytes(prefix[1..].try_into().ok()?);
    if prefix[0] != 0 || rest.len() != length as usize {
        return None;
    }
    let mut status = 0;
    while !rest.is_empty() {
        let key = read_varint(&mut rest)?;
        let skip = match (key >> 3, key & 7) {
            (1, 0) => {
                status = read_varint(&mut rest)?;
                0
            }
            (_, 0) => {
                read_varint(&mut rest)?;
                0
            }
            (_, 1) => 8,
            (_, 2) => usize::try_from(read_varint(&mut rest)?).ok()?,
            (_, 5) => 4,
            _ => return None,
        };
        rest = rest.get(skip..)?;
    }
    Some(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_framed() {
        assert_eq!(question(""), [0, 0, 0, 0, 0]);
        assert_eq!(question("ab"), [0, 0, 0, 0, 4, 0x0a, 2, b'a', b'b']);
        let long = question(&"x".repeat(200));
        assert_eq!(long[..8], [0, 0, 0, 0, 203, 0x0a, 0xc8, 1]);
    }

    #[test]
    fn only_a_whole_message_has_a_status() {
        assert_eq!(status_of(&[0, 0, 0, 0, 2, 8, 1]), Some(1));
        assert_eq!(status_of(&[0, 0, 0, 0, 0]), Some(0), "the default is left out");
        let others = [0, 0, 0, 0, 20, 0x12, 2, 7, 7, 0x19, 0, 0, 0, 0, 0, 0, 0, 0, 0x25, 0, 0, 0, 0, 8, 2];
        assert_eq!(status_of(&others), Some(2), "fields that nobody knows are passed over");
        for broken in [&[][..], &[0, 0, 0], &[1, 0, 0, 0, 2, 8, 1], &[0, 0, 0, 0, 3, 8, 1], &[0, 0, 0, 0, 1, 8]] {
            assert_eq!(status_of(broken), None, "{broken:?}");
        }
        assert_eq!(status_of(&[0, 0, 0, 0, 2, 0x12, 9]), None, "longer than what is there");
        assert_eq!(status_of(&[[0, 0, 0, 0, 11].as_slice(), &[0xff; 11]].concat()), None);
    }
}
