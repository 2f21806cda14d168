//! The two system calls that move datagrams by the batch, and the socket options that no safe crate offers. The only
//! file of this room with unsafe code. Must not know what the datagrams mean.
//!
//! A [`Batch`] owns everything that the kernel is pointed at. Pointers are made anew before each call and not used
//! after it, so the slots are ordinary memory between calls.
#![allow(unsafe_code, reason = "recvmmsg, sendmmsg and setsockopt; each block has its argument")]
#![allow(clippy::unnecessary_cast, reason = "C libraries differ in the integer types of these structures")]

#[cfg(test)]
mod tests;

use std::{
    ffi::c_int,
    io, mem,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, UdpSocket},
    os::fd::{AsRawFd, RawFd},
    ptr,
    sync::Arc,
};

use socket2::SockRef;

use super::udp::{DATAGRAM, Datagrams, Frame, Unsent, Wait};

/// Sets a socket option whose value is a number.
///
/// # Errors
///
/// The kernel's.
pub(super) fn set_option(socket: &impl AsRawFd, level: c_int, name: c_int, value: c_int) -> io::Result<()> {
    let len = size_of::<c_int>() as libc::socklen_t;
    // SAFETY: the kernel reads `len` octets at the pointer, which is a local of that size. A wrong descriptor, level
    // or name is an error it returns, not undefined behaviour.
    let status = unsafe { libc::setsockopt(socket.as_raw_fd(), level, name, ptr::from_ref(&value).cast(), len) };
    if status == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Ends the waits for a datagram on a socket, the one that is under way and all that follow. What is queued, and what comes
/// yet, is still received. Linux does so although the call is refused, for the socket is not connected.
pub(super) fn wake(socket: &UdpSocket) {
    let _not_connected = SockRef::from(socket).shutdown(Shutdown::Read);
}

/// A socket and the memory for one batch.
pub(super) struct Batch {
    socket: Arc<UdpSocket>,
    slots: Box<[Slot]>,
    envelopes: Box<[Envelope]>,
    vectors: Box<[libc::iovec]>,
    headers: Box<[libc::mmsghdr]>,
    received: usize,
    overflows: u32,
}

/// The memory of one datagram: a request and, in its place, the reply.
#[derive(Clone)]
struct Slot {
    /// Bytes of the request; 0 where nothing must be answered: it was cut, or came from port 0.
    request: usize,
    /// Bytes of the reply; 0: none.
    reply: usize,
    /// The sender's address.
    source: IpAddr,
    bytes: [u8; DATAGRAM],
}

impl Slot {
    /// A slot that nothing was received into.
    const EMPTY: Self = Self { request: 0, reply: 0, source: IpAddr::V4(Ipv4Addr::UNSPECIFIED), bytes: [0; DATAGRAM] };
}

/// Where a datagram came from and went to, as the kernel says it and wants it back.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
struct Envelope {
    /// A control message; aligned as `cmsghdr` wants it, by being first.
    control: [u8; CONTROL],
    control_len: usize,
    /// A `sockaddr_in` or `sockaddr_in6`, which both fit.
    name: [u8; NAME],
    name_len: libc::socklen_t,
}

const NAME: usize = size_of::<libc::sockaddr_in6>();
/// Room for IPV6_PKTINFO (40 octets) and SO_RXQ_OVFL (24), and to spare.
const CONTROL: usize = 128;

impl Batch {
    /// Memory for `size` datagrams. The socket blocks, with a receive timeout; [`wake`] ends a wait.
    pub(super) fn new(socket: impl Into<Arc<UdpSocket>>, size: usize) -> Self {
        let socket = socket.into();
        let size = size.max(1);
        let envelope = Envelope { control: [0; CONTROL], control_len: 0, name: [0; NAME], name_len: 0 };
        let vector = libc::iovec { iov_base: ptr::null_mut(), iov_len: 0 };
        // SAFETY: mmsghdr is a C structure of integers and pointers, for all of which zero is a value. Some systems
        // give it private padding, so that it cannot be written out.
        let header: libc::mmsghdr = unsafe { mem::zeroed() };
        Self {
            socket,
            slots: vec![Slot::EMPTY; size].into(),
            envelopes: vec![envelope; size].into(),
            vectors: vec![vector; size].into(),
            headers: vec![header; size].into(),
            received: 0,
            overflows: 0,
        }
    }

    fn descriptor(&self) -> RawFd {
        self.socket.as_raw_fd()
    }
}

impl Datagrams for Batch {
    fn receive(&mut self, wait: Wait) -> io::Result<usize> {
        self.received = 0;
        let memory = self.slots.iter_mut().zip(self.envelopes.iter_mut());
        for ((slot, envelope), (vector, header)) in memory.zip(self.vectors.iter_mut().zip(self.headers.iter_mut())) {
            envelope.name_len = NAME as libc::socklen_t;
            envelope.control_len = CONTROL;
            point(header, vector, &mut slot.bytes, envelope);
        }
        let flags = match wait {
            Wait::ForOne => libc::MSG_WAITFORONE,
            Wait::Never => libc::MSG_DONTWAIT,
        };
        let count = self.headers.len() as libc::c_uint;
        // SAFETY: `count` headers stand at the pointer. Each points at an iovec, a name and a control buffer of its own
        // with their true sizes, all set just above from exclusive borrows of memory that `self` owns and nothing
        // touches during the call. A null timeout is allowed.
        let n =
            unsafe { libc::recvmmsg(self.descriptor(), self.headers.as_mut_ptr(), count, flags as _, ptr::null_mut()) };
        let Ok(n) = usize::try_from(n) else {
            let error = io::Error::last_os_error();
            // Nothing came in time, or a signal did.
            let nothing = matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted);
            return if nothing { Ok(0) } else { Err(error) };
        };
        // One without a sender is none: a wait was ended by `wake`. A datagram always has one, also an empty one.
        self.received = self.headers.iter().take(n).take_while(|header| header.msg_hdr.msg_namelen > 0).count();
        let memory = self.slots.iter_mut().zip(self.envelopes.iter_mut());
        for ((slot, envelope), header) in memory.zip(&self.headers).take(self.received) {
            envelope.name_len = header.msg_hdr.msg_namelen;
            envelope.control_len = header.msg_hdr.msg_controllen as usize;
            if let Some(overflows) = envelope.turn_round() {
                self.overflows = overflows;
            }
            let source = envelope.source();
            let cut = header.msg_hdr.msg_flags & libc::MSG_TRUNC != 0;
            slot.source = source.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |(address, _)| address);
            slot.reply = 0;
            slot.request = match source {
                Some((_, port)) if port != 0 && !cut => (header.msg_len as usize).min(DATAGRAM),
                _ => 0,
            };
        }
        Ok(self.received)
    }

    #[inline]
    fn frame(&mut self, n: usize) -> Frame<'_> {
        let slot = &mut self.slots[n];
        Frame { source: slot.source, request: slot.request, bytes: &mut slot.bytes }
    }

    #[inline]
    fn reply(&mut self, n: usize, len: usize) {
        self.slots[n].reply = len;
    }

    fn send(&mut self) -> Unsent {
        let descriptor = self.descriptor();
        let memory = self.slots.iter_mut().zip(self.envelopes.iter_mut()).take(self.received);
        let replies = memory.filter(|(slot, _)| slot.reply > 0);
        let mut count = 0;
        for ((slot, envelope), (vector, header)) in replies.zip(self.vectors.iter_mut().zip(self.headers.iter_mut())) {
            let len = slot.reply.min(DATAGRAM);
            point(header, vector, &mut slot.bytes[..len], envelope);
            count += 1;
        }
        let mut done = 0;
        let mut unsent = 0;
        while done < count {
            let rest = &mut self.headers[done..count];
            // SAFETY: `rest.len()` headers stand at the pointer. Each points at an iovec, a name and a control buffer
            // with their true sizes, all set just above from exclusive borrows of memory that `self` owns and nothing
            // touched since; the kernel reads them and writes only `msg_len` of the headers.
            let n = unsafe {
                libc::sendmmsg(descriptor, rest.as_mut_ptr(), rest.len() as libc::c_uint, libc::MSG_DONTWAIT as _)
            };
            match usize::try_from(n) {
                Ok(sent) if sent > 0 => done += sent,
                _ if io::Error::last_os_error().kind() == io::ErrorKind::Interrupted => {}
                // The first of the rest cannot go: its destination is barred, or a buffer is full. It must not hold up
                // the others, and a client that hears nothing asks again.
                _ => {
                    done += 1;
                    unsent += 1;
                }
            }
        }
        Unsent(unsent)
    }

    fn overflows(&self) -> u32 {
        self.overflows
    }
}

/// Points a header at one datagram's memory. What is not there has a null pointer and length 0.
fn point(header: &mut libc::mmsghdr, vector: &mut libc::iovec, octets: &mut [u8], envelope: &mut Envelope) {
    vector.iov_base = octets.as_mut_ptr().cast();
    vector.iov_len = octets.len();
    let message = &mut header.msg_hdr;
    message.msg_iov = vector;
    message.msg_iovlen = 1;
    message.msg_name = envelope.name.as_mut_ptr().cast();
    message.msg_namelen = envelope.name_len.min(NAME as libc::socklen_t);
    let control = &mut envelope.control[..envelope.control_len.min(CONTROL)];
    message.msg_controllen = control.len() as _;
    message.msg_control = if control.is_empty() { ptr::null_mut() } else { control.as_mut_ptr().cast() };
    message.msg_flags = 0;
    header.msg_len = 0;
}

// ----- Addresses ---------------------------------------------------------------------------------------------

impl Envelope {
    /// Address and port of the sender. None when the kernel named a family that a UDP socket does not have.
    fn source(&self) -> Option<(IpAddr, u16)> {
        let family = c_int::from(u16::from_ne_bytes([self.name[0], self.name[1]]));
        let port = u16::from_be_bytes([self.name[2], self.name[3]]);
        let (v4, v6) = (size_of::<libc::sockaddr_in>(), size_of::<libc::sockaddr_in6>());
        match (family, self.name_len as usize) {
            (libc::AF_INET, len) if len >= v4 => {
                let octets: [u8; 4] = *self.name[4..].first_chunk()?;
                Some((IpAddr::V4(octets.into()), port))
            }
            (libc::AF_INET6, len) if len >= v6 => {
                let octets: [u8; 16] = *self.name[8..].first_chunk()?;
                Some((IpAddr::V6(octets.into()), port))
            }
            _ => None,
        }
    }

    /// Turns the control messages received into the one to send: from the address that was asked (RFC 2181 4.1),
    /// by whichever interface routing says, which need not be the one it came by. Returns the kernel's count of
    /// datagrams dropped, where it was given.
    fn turn_round(&mut self) -> Option<u32> {
        const HEADER: usize = align(size_of::<libc::cmsghdr>());
        let end = self.control_len.min(CONTROL);
        self.control_len = 0;
        let (mut at, mut overflows) = (0, None);
        while let Some(header) = self.message(at, end) {
            let len = header.cmsg_len as usize;
            if len < HEADER || len > end - at {
                break;
            }
            match (header.cmsg_level, header.cmsg_type) {
                (libc::SOL_SOCKET, libc::SO_RXQ_OVFL) => {
                    let count = self.control[at + HEADER..at + len].first_chunk();
                    overflows = count.map(|octets| u32::from_ne_bytes(*octets));
                }
                (libc::IPPROTO_IP, libc::IP_PKTINFO) if len >= HEADER + 12 => {
                    // in_pktinfo: the interface, the address to answer from, the address in the header.
                    self.control.copy_within(at..at + len, 0);
                    self.control[HEADER..HEADER + 4].fill(0);
                    self.control_len = len;
                    break;
                }
                (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) if len >= HEADER + 20 => {
                    // in6_pktinfo: the address, the interface, without which a link-local address means nothing.
                    self.control.copy_within(at..at + len, 0);
                    let asked: Option<&[u8; 16]> = self.control[HEADER..].first_chunk();
                    if !asked.is_some_and(|octets| Ipv6Addr::from(*octets).is_unicast_link_local()) {
                        self.control[HEADER + 16..HEADER + 20].fill(0);
                    }
                    self.control_len = len;
                    break;
                }
                _ => {}
            }
            at += align(len);
        }
        let padded = align(self.control_len);
        self.control[self.control_len..padded].fill(0);
        self.control_len = padded;
        overflows
    }

    /// The header of the control message at `at`, when a whole one stands before `end`.
    fn message(&self, at: usize, end: usize) -> Option<libc::cmsghdr> {
        let octets = self.control.get(at..end)?;
        if octets.len() < size_of::<libc::cmsghdr>() {
            return None;
        }
        // SAFETY: that many octets stand at the pointer, it need not be aligned, and every pattern of them is a
        // cmsghdr, which is made of integers.
        Some(unsafe { octets.as_ptr().cast::<libc::cmsghdr>().read_unaligned() })
    }
}

/// Rounds up to where the kernel puts the next control message (CMSG_ALIGN).
const fn align(len: usize) -> usize {
    len.next_multiple_of(size_of::<usize>())
}
