//! Servers that speak first, that answer, and that do neither.

use std::{
    net::Ipv4Addr,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::{io::ReadBuf, net::TcpListener, sync::mpsc};

use super::*;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A server that says `greeting`, hears a line if there is anything to `answer` it with, and closes. What it hears and
/// from whom comes out of the channel.
async fn serve(greeting: &'static [u8], answer: &'static [u8]) -> (u16, mpsc::UnboundedReceiver<(IpAddr, Vec<u8>)>) {
    let listener = TcpListener::bind((HERE, 0)).await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let (send, heard) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, peer)) = listener.accept().await {
            let _ = stream.write_all(greeting).await;
            let mut line = Vec::new();
            while !answer.is_empty() && !line.ends_with(b"\n") {
                match stream.read_u8().await {
                    Ok(octet) => line.push(octet),
                    Err(_) => break,
                }
            }
            let _ = stream.write_all(answer).await;
            let _ = send.send((peer.ip(), line));
        }
    });
    (port, heard)
}

async fn ask(port: u16, send: Option<&str>, expect: Option<&str>, source: Option<IpAddr>) -> Result<Fine, Outcome> {
    let check = TcpCheck { port, send: send.map(|text| text.as_bytes().into()), expect: expect.map(Into::into) };
    Tcp::of(&check, HERE, source).expect("a regular expression").ask().await
}

fn bad(text: &str) -> Result<Fine, Outcome> {
    Err(Outcome::Bad(text.into()))
}

#[tokio::test]
async fn a_greeting_and_an_answer_are_heard() {
    let (port, mut heard) = serve(b"220 mail ready\r\n", b"250-mail\r\n250 SIZE\r\n").await;
    let fine = ask(port, Some("EHLO probe\r\n"), Some("^250"), None).await.expect("good");
    assert!(fine.connect.is_some());
    assert_eq!(heard.recv().await.expect("heard").1, b"EHLO probe\r\n");
    let (port, _) = serve(b"SSH-2.0-Server\r\n", b"").await;
    assert!(ask(port, None, Some(r"^SSH-2\.0-\w+$"), None).await.is_ok(), "a line ends before CR LF");
}

#[tokio::test]
async fn another_answer_is_told_with_what_was_said() {
    let (port, _) = serve(b"220 mail\r\n", b"421 too busy\r\n").await;
    let said = ask(port, Some("EHLO probe\r\n"), Some("^250"), None).await;
    assert_eq!(said, bad(r#""220 mail\r\n421 too busy" does not match "^250""#));
    let (port, _) = serve(b"", b"").await;
    assert_eq!(ask(port, None, Some("^250"), None).await, bad("connection closed without a word"));
}

#[tokio::test]
async fn no_more_is_read_than_people_would() {
    let flood: &'static [u8] = vec![b'x'; 4 * CAP].leak();
    let (port, _) = serve(flood, b"").await;
    assert_eq!(ask(port, None, Some("y"), None).await, bad(r#"the first 16384 octets do not match "y""#));
}

/// Gives one octet at a time, and counts them.
struct Drip(usize);

impl AsyncRead for Drip {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        self.0 += 1;
        buffer.put_slice(b"x");
        Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn octets_one_by_one_are_not_looked_at_for_ever() {
    let mut drip = Drip(0);
    let said = hear(&mut drip, &Regex::new("y").expect("a regular expression")).await;
    assert_eq!(said, Err(Outcome::Bad(r#"1448 octets in 1448 pieces do not match "y""#.into())));
    // Each look begins at the beginning.
    let looked: usize = (1..=drip.0).sum();
    assert!(looked < LOOKS + CAP, "{looked} octets are looked at");
}

#[tokio::test]
async fn it_comes_from_where_it_should() {
    let (port, mut heard) = serve(b"hello\n", b"").await;
    let source = Ipv4Addr::new(127, 0, 0, 9).into();
    assert!(ask(port, None, Some("hello"), Some(source)).await.is_ok());
    assert_eq!(heard.recv().await.expect("heard").0, source);
    let elsewhere = Ipv4Addr::new(192, 0, 2, 9).into();
    let why = "`source` says 192.0.2.9, which is no address of this node";
    assert_eq!(ask(port, None, None, Some(elsewhere)).await, Err(Outcome::Unasked(why.into())));
}
