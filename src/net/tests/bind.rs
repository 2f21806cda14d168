//! Addresses that can be had, and those that cannot.

use std::{
    io,
    net::{TcpListener, UdpSocket},
};

use super::*;
use crate::{engine::types::Transport, net::bind::usual};

fn options() -> UdpOptions {
    UdpOptions::default()
}

#[test]
fn one_port_for_both_and_every_worker() {
    for listen in [loopback(), loopback6()] {
        let sockets = bind(&[listen], 3, &options()).unwrap();
        let bound = &sockets.bound[0];
        assert_ne!(bound.address.port(), 0);
        assert_eq!(bound.listener.local_addr().unwrap(), bound.address);
        assert_eq!(bound.workers.len(), 3);
        assert!(bound.workers.iter().all(|socket| socket.local_addr().unwrap() == bound.address));
    }
}

#[test]
fn both_families_of_one_port_live_together() {
    let first = bind(&[(Ipv6Addr::UNSPECIFIED, 0).into()], 1, &options()).unwrap();
    let port = first.addresses()[0].port();
    // An address that no other test uses, so that none can have taken the port there.
    let apart = (Ipv4Addr::new(127, 0, 0, 50), port).into();
    assert_eq!(bind(&[apart], 1, &options()).unwrap().addresses(), [apart]);
}

#[test]
fn a_port_taken_for_tcp_is_named() {
    let taken = TcpListener::bind(loopback()).unwrap();
    let address = taken.local_addr().unwrap();
    let error = bind(&[address], 1, &options()).unwrap_err();
    assert_eq!((error.address, error.transport), (address, Transport::Tcp));
    assert_eq!(error.to_string(), format!("cannot listen on {address} over TCP: address in use"));
}

#[test]
fn a_port_taken_for_udp_is_named() {
    let taken = UdpSocket::bind(loopback()).unwrap();
    let address = taken.local_addr().unwrap();
    let error = bind(&[address], 1, &options()).unwrap_err();
    assert_eq!((error.address, error.transport), (address, Transport::Udp));
    assert_eq!(error.to_string(), format!("cannot listen on {address} over UDP: address in use"));
}

#[test]
fn a_second_server_does_not_share_the_first_ones_udp_port() {
    let first = bind(&[(Ipv4Addr::new(127, 0, 0, 51), 0).into()], 2, &options()).unwrap();
    let address = first.addresses()[0];
    let Sockets { bound, .. } = first;
    let workers = bound.into_iter().flat_map(|bound| bound.workers).collect::<Vec<_>>(); // TCP is free now
    let error = bind(&[address], 2, &options()).unwrap_err();
    assert_eq!((error.address, error.transport), (address, Transport::Udp));
    drop(workers);
    bind(&[address], 2, &options()).unwrap();
}

#[test]
fn an_address_of_somebody_else_is_named() {
    let address: SocketAddr = "192.0.2.1:0".parse().unwrap();
    let error = bind(&[loopback(), address], 1, &options()).unwrap_err();
    assert_eq!(error.source.kind(), io::ErrorKind::AddrNotAvailable);
    assert_eq!(error.to_string(), "cannot listen on 192.0.2.1:0 over TCP: this host has no such address");
}

/// What the kernel says of a family that it does not have.
fn lacking(address: SocketAddr) -> BindError {
    BindError { address, transport: Transport::Tcp, source: io::Error::from_raw_os_error(libc::EAFNOSUPPORT) }
}

#[test]
fn default_listen_leaves_out_a_family_that_the_host_lacks() {
    let [four, six]: [SocketAddr; 2] = [(Ipv4Addr::UNSPECIFIED, 53).into(), (Ipv6Addr::UNSPECIFIED, 53).into()];
    let without_six = |address: SocketAddr| if address.is_ipv6() { Err(lacking(address)) } else { Ok(address) };
    let without_four = |address: SocketAddr| if address.is_ipv4() { Err(lacking(address)) } else { Ok(address) };
    assert_eq!(usual(&[four, six], without_six).unwrap(), [four]);
    assert_eq!(usual(&[four, six], without_four).unwrap(), [six]);
    assert_eq!(usual(&[four, six], Ok).unwrap(), [four, six]);
    let none = usual::<()>(&[four, six], |address| Err(lacking(address))).unwrap_err();
    assert_eq!(none.to_string(), "cannot listen on [::]:53 over TCP: this host has no IPv6");
    // Turned off by sysctl the family is there, and the address is not.
    let gone = |address| BindError { source: io::ErrorKind::AddrNotAvailable.into(), ..lacking(address) };
    let turned_off = |address: SocketAddr| if address.is_ipv6() { Err(gone(address)) } else { Ok(address) };
    assert_eq!(usual(&[four, six], turned_off).unwrap(), [four]);
    // Whatever else is wrong is no lack of a family.
    let taken = |address| BindError { source: io::ErrorKind::AddrInUse.into(), ..lacking(address) };
    assert!(usual::<()>(&[four, six], |address| Err(taken(address))).is_err());
}

#[test]
fn each_cause_has_its_remedy() {
    let remedy = |address: &str, source: io::Error| {
        BindError { address: address.parse().unwrap(), transport: Transport::Udp, source }.remedy()
    };
    for (address, source, told) in [
        ("0.0.0.0:53", io::ErrorKind::AddrInUse.into(), "`ss -lntup 'sport = :53'`"),
        ("0.0.0.0:53", io::ErrorKind::AddrInUse.into(), "systemd-resolved"),
        ("0.0.0.0:53", io::ErrorKind::PermissionDenied.into(), "CAP_NET_BIND_SERVICE"),
        ("0.0.0.0:5353", io::ErrorKind::PermissionDenied.into(), "SELinux"),
        ("192.0.2.1:53", io::ErrorKind::AddrNotAvailable.into(), "`ip address`"),
        (
            "[::]:53",
            io::Error::from_raw_os_error(libc::EAFNOSUPPORT),
            "take it out of `server.listen`, or turn IPv6 on",
        ),
        ("0.0.0.0:53", io::Error::from_raw_os_error(libc::EMFILE), "LimitNOFILE"),
    ] {
        let remedy = remedy(address, source);
        assert!(remedy.contains(told), "{remedy}");
    }
}
