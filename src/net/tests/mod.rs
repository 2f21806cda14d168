//! The transports over loopback, in front of an engine that only echoes.

mod bind;
mod engine;
mod tcp;
mod udp;

use std::{
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use tokio::runtime::Handle;

use super::*;
use crate::{
    engine::{
        types::{Chance, Origin},
        wire::{reply::ResponseClass, rr::Rcode},
    },
    telemetry::counters::{Count, Tally},
};

const HEADER: usize = 12;

/// Returns the request with QR set. What follows the header may ask for more: `L` and two octets, a reply of that
/// length; `S`, to be steered, and so not to be answered before this is ready; `P`, a panic.
#[derive(Debug, Default)]
struct Echo {
    ready: bool,
    /// The fourth octet of every reply, to tell Snapshots apart.
    mark: u8,
}

#[derive(Clone, Copy)]
enum Wish {
    Echo,
    Large(usize),
    Steered,
    Panic,
}

impl Respond for Echo {
    type Query = Wish;

    fn read(&self, request: &[u8]) -> Option<Wish> {
        let header = request.first_chunk::<HEADER>()?;
        if header[2] & 0x80 != 0 {
            return None;
        }
        Some(match request[HEADER..] {
            [b'L', high, low] => Wish::Large(usize::from(u16::from_be_bytes([high, low]))),
            [b'S'] => Wish::Steered,
            [b'P'] => Wish::Panic,
            _ => Wish::Echo,
        })
    }

    fn touch(&self, _: &Wish) {}

    fn finish(&self, buffer: &mut [u8], len: usize, query: &Wish, _: Origin, _: Chance) -> Answered {
        let len = match *query {
            Wish::Steered if !self.ready => return Answered::NotReady,
            Wish::Panic => panic!("asked for"),
            Wish::Large(len) => len,
            _ => len,
        };
        buffer[2] |= 0x80;
        buffer[3] = self.mark;
        Answered::Reply { len, rcode: Rcode::NoError, class: ResponseClass::Answer, truncated: false, counted: None }
    }
}

/// A request with this ID and what follows the header.
fn request(id: u16, wish: &[u8]) -> Vec<u8> {
    let mut octets = vec![0; HEADER];
    octets[..2].copy_from_slice(&id.to_be_bytes());
    octets.extend_from_slice(wish);
    octets
}

/// Its reply.
fn reply(id: u16, wish: &[u8]) -> Vec<u8> {
    let mut octets = request(id, wish);
    octets[2] |= 0x80;
    octets
}

fn large(len: u16) -> [u8; 3] {
    let [high, low] = len.to_be_bytes();
    [b'L', high, low]
}

fn loopback() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

fn loopback6() -> SocketAddr {
    (Ipv6Addr::LOCALHOST, 0).into()
}

fn board() -> Arc<Board<Echo>> {
    Arc::new(Board::new(Arc::new(Echo { ready: true, mark: 0 })))
}

/// Serves one address in front of a ready engine.
fn serve(listen: SocketAddr, tcp: TcpOptions) -> (Running, SocketAddr) {
    serve_board(listen, tcp, &board())
}

fn serve_board(listen: SocketAddr, tcp: TcpOptions, board: &Arc<Board<Echo>>) -> (Running, SocketAddr) {
    let sockets = bind(&[listen], 2, &UdpOptions::default()).unwrap();
    let running = start(sockets, board, tcp, &Handle::current()).unwrap();
    let address = running.addresses()[0];
    (running, address)
}

fn total(running: &Running) -> Tally {
    Counters::total(running.counters())
}
