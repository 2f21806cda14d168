//! What batches do with datagrams, and how control messages are turned round.

use std::net::SocketAddr;

use super::*;
use crate::net::{UdpOptions, bind::bind};

fn batch(size: usize) -> (Batch, SocketAddr) {
    let listen = (Ipv4Addr::LOCALHOST, 0).into();
    let mut bound = bind(&[listen], 1, &UdpOptions::default()).unwrap().bound.remove(0);
    (Batch::new(bound.workers.remove(0), size), bound.address)
}

#[test]
fn a_reply_that_cannot_go_does_not_hold_up_the_others() {
    let (mut batch, address) = batch(8);
    let client = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    for n in 1..=5 {
        client.send_to(&[n; 20], address).unwrap();
    }
    assert_eq!(batch.receive(Wait::ForOne).unwrap(), 5);
    for n in 0..5 {
        let len = batch.frame(n).request;
        batch.reply(n, len);
    }
    batch.reply(3, 0);
    for at in [0, 2] {
        batch.envelopes[at].name[4..8].fill(255); // to the broadcast address, which the kernel refuses
    }
    assert_eq!(batch.send(), Unsent(2));
    let mut octets = [0; 64];
    for n in [2, 5] {
        let (len, from) = client.recv_from(&mut octets).unwrap();
        assert_eq!((&octets[..len], from), (&[n; 20][..], address));
    }
}

#[test]
fn port_0_and_cut_datagrams_show_as_empty() {
    let mut envelope = Envelope { control: [0; CONTROL], control_len: 0, name: [0; NAME], name_len: 16 };
    envelope.name[..2].copy_from_slice(&(libc::AF_INET as u16).to_ne_bytes());
    envelope.name[4..8].copy_from_slice(&[192, 0, 2, 1]);
    assert_eq!(envelope.source(), Some((Ipv4Addr::new(192, 0, 2, 1).into(), 0)));
    envelope.name_len = 7;
    assert_eq!(envelope.source(), None);

    let (mut batch, address) = batch(2);
    let client = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    client.send_to(&[1; DATAGRAM], address).unwrap();
    client.send_to(&[1; DATAGRAM + 1], address).unwrap();
    assert_eq!(batch.receive(Wait::ForOne).unwrap(), 2);
    assert_eq!([0, 1].map(|n| batch.frame(n).request), [DATAGRAM, 0]);
}

/// One control message as the kernel lays it out.
fn message(level: c_int, kind: c_int, content: &[u8]) -> Vec<u8> {
    let header = align(size_of::<libc::cmsghdr>());
    let mut octets = (header + content.len()).to_ne_bytes().to_vec();
    octets.extend_from_slice(&level.to_ne_bytes());
    octets.extend_from_slice(&kind.to_ne_bytes());
    octets.extend_from_slice(content);
    octets.resize(align(octets.len()), 0);
    octets
}

fn turned(received: &[u8]) -> (Option<u32>, Vec<u8>) {
    let mut envelope = Envelope { control: [0xaa; CONTROL], control_len: received.len(), name: [0; NAME], name_len: 0 };
    envelope.control[..received.len()].copy_from_slice(received);
    let overflows = envelope.turn_round();
    (overflows, envelope.control[..envelope.control_len].to_vec())
}

#[test]
fn the_reply_leaves_from_the_address_asked_by_any_interface() {
    let lost = message(libc::SOL_SOCKET, libc::SO_RXQ_OVFL, &7_u32.to_ne_bytes());
    let v4 =
        |interface: u8| message(libc::IPPROTO_IP, libc::IP_PKTINFO, &[interface, 0, 0, 0, 192, 0, 2, 1, 192, 0, 2, 1]);
    assert_eq!(turned(&[lost.clone(), v4(3)].concat()), (Some(7), v4(0)));
    assert_eq!(turned(&v4(3)), (None, v4(0)));
    assert_eq!(turned(&lost), (Some(7), vec![]));

    let v6 = |address: &str, interface: u8| {
        let mut content = address.parse::<Ipv6Addr>().unwrap().octets().to_vec();
        content.extend_from_slice(&[interface, 0, 0, 0]);
        message(libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, &content)
    };
    assert_eq!(turned(&[lost, v6("2001:db8::1", 3)].concat()), (Some(7), v6("2001:db8::1", 0)));
    assert_eq!(turned(&v6("fe80::1", 3)), (None, v6("fe80::1", 3)));
}

#[test]
fn control_messages_that_lie_about_their_length_are_left_alone() {
    let whole = message(libc::IPPROTO_IP, libc::IP_PKTINFO, &[0; 12]);
    for cut in 0..whole.len() - 4 {
        assert_eq!(turned(&whole[..cut]), (None, vec![]));
    }
    for len in [0_usize, 1, 15, 16, 27, 1000, usize::MAX] {
        let mut lying = whole.clone();
        lying[..size_of::<usize>()].copy_from_slice(&len.to_ne_bytes());
        assert_eq!(turned(&lying), (None, vec![]), "{len}");
    }
}
