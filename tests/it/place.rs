//! Loopback addresses that nobody else on this machine uses, and ports that the system hands to nobody, so that who is
//! told of one finds it free.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    process,
    sync::atomic::{AtomicU8, AtomicU16, Ordering},
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

    /// The address with a port of its own.
    pub fn socket(&self) -> SocketAddr {
        SocketAddr::new(self.address, port())
    }
}

/// A port below those that are handed out to whoever asks for any, and to those who connect. Another one for every call;
/// two runs of the tests at a time begin at different ones.
pub fn port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let n = NEXT.fetch_add(1, Ordering::Relaxed);
    10_000 + ((process::id() % 200) as u16 * 100 + n) % 20_000
}
