//! Loopback addresses that nobody else on this machine uses, so that ports on them are free.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener},
    process,
    sync::atomic::{AtomicU8, Ordering},
};

/// An address of a test's own.
#[derive(Clone, Copy)]
pub struct Place {
    pub address: IpAddr,
}

impl Place {
    /// Another one for every call, and in every process another.
    pub fn new() -> Self {
        static NEXT: AtomicU8 = AtomicU8::new(0);
        let (n, pid) = (NEXT.fetch_add(1, Ordering::Relaxed), process::id());
        assert!(n < 32, "a process has 32 places");
        // 127.32.0.0 to 127.159.255.255, five bits for the place.
        let [_, b, c, d] = (pid << 5 | u32::from(n)).to_be_bytes();
        Self { address: Ipv4Addr::new(127, 32 + (b & 0x7f), c, d).into() }
    }

    /// A port that is free here.
    pub fn port(&self) -> u16 {
        let listener = TcpListener::bind(SocketAddr::new(self.address, 0)).expect("a loopback address");
        listener.local_addr().expect("bound").port()
    }
}
