//! A regional load balancer as far as a probe can tell: a real HTTP server that can be killed, healed and made to fail.

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicBool, AtomicU16, Ordering},
    },
    thread::JoinHandle,
};

use socket2::{Domain, Socket, Type};

/// An HTTP server on a loopback address of its own.
pub struct Backend {
    address: SocketAddr,
    /// Bound and never listened on: while the backend is dead its port is refused, and handed to nobody else.
    _reserved: Socket,
    status: Arc<AtomicU16>,
    held: Arc<(Mutex<bool>, Condvar)>,
    running: Option<(Arc<AtomicBool>, JoinHandle<()>)>,
}

impl Backend {
    /// Starts one at 127.0.0.`last`.
    pub fn start(last: u8) -> Self {
        let [backend] = Self::several(last);
        backend
    }

    /// Starts several at 127.0.0.`last` and the addresses behind it, one port for all.
    pub fn several<const N: usize>(last: u8) -> [Self; N] {
        let addresses: [Ipv4Addr; N] = std::array::from_fn(|n| Ipv4Addr::new(127, 0, 0, last + n as u8));
        loop {
            let mut port = 0;
            let mut reserve = |address: &Ipv4Addr| {
                let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
                socket.set_reuse_address(true)?;
                socket.bind(&SocketAddr::from((*address, port)).into())?;
                port = socket.local_addr()?.as_socket().map_or(0, |bound| bound.port());
                Ok::<_, io::Error>(socket)
            };
            // Somebody may have the port at another of the addresses: then it is another one for all.
            let reserved: io::Result<Vec<Socket>> = addresses.iter().map(&mut reserve).collect();
            match reserved {
                Ok(reserved) => {
                    let mut reserved = reserved.into_iter();
                    return std::array::from_fn(|_| Self::on(reserved.next().expect("one for each")));
                }
                Err(error) => assert_eq!(error.kind(), io::ErrorKind::AddrInUse, "{error}"),
            }
        }
    }

    fn on(reserved: Socket) -> Self {
        let mut backend = Self {
            address: reserved.local_addr().ok().and_then(|bound| bound.as_socket()).expect("bound"),
            _reserved: reserved,
            status: Arc::new(AtomicU16::new(200)),
            held: Arc::default(),
            running: None,
        };
        backend.heal();
        backend
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Answers every request with this status from now on.
    pub fn set_status(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    /// Holds every answer back, or lets them go.
    pub fn hold(&self, hold: bool) {
        *self.held.0.lock().expect("not poisoned") = hold;
        self.held.1.notify_all();
    }

    /// Closes the port: connections are refused.
    pub fn kill(&mut self) {
        if let Some((stop, thread)) = self.running.take() {
            stop.store(true, Ordering::SeqCst);
            drop(TcpStream::connect(self.address)); // wakes the accept
            thread.join().expect("the backend's thread ends");
        }
    }

    /// Opens the port again.
    pub fn heal(&mut self) {
        if self.running.is_some() {
            return;
        }
        let listener = TcpListener::bind(self.address).expect("the backend's port is its own");
        let stop = Arc::new(AtomicBool::new(false));
        let (status, stopped, held) = (Arc::clone(&self.status), Arc::clone(&stop), Arc::clone(&self.held));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    break;
                }
                if let Ok(mut stream) = stream {
                    let mut request = [0; 1024];
                    let _ = stream.read(&mut request);
                    let free = held.1.wait_while(held.0.lock().expect("not poisoned"), |hold| *hold);
                    drop(free);
                    let status = status.load(Ordering::SeqCst);
                    let _ = write!(stream, "HTTP/1.1 {status} X\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
                }
            }
        });
        self.running = Some((stop, thread));
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.hold(false);
        self.kill();
    }
}
