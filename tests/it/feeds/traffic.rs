//! Requests that stay under way for as long as a test wants: each has sent its body but for the last octet.

use std::{
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::mpsc::{Receiver, Sender, channel},
    thread,
    time::Duration,
};

/// How long an event may take before the test is given up.
const PATIENCE: Duration = Duration::from_secs(120);

/// A server that answers a request once it is whole, and says when one has begun.
pub struct Origin {
    pub address: SocketAddr,
    begun: Receiver<()>,
}

impl Origin {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound");
        let (begin, begun) = channel();
        // Its threads end with the process, or with their connections.
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let begin = begin.clone();
                thread::spawn(move || serve(stream, &begin));
            }
        });
        Self { address, begun }
    }

    /// Waits until so many more requests have begun.
    pub fn wait_for(&self, count: usize) {
        for n in 0..count {
            let begun = self.begun.recv_timeout(PATIENCE);
            assert!(begun.is_ok(), "{n} of {count} requests have come");
        }
    }
}

/// Reads a request whose body is two octets.
fn serve(mut stream: TcpStream, begin: &Sender<()>) {
    let mut request = Vec::new();
    let mut part = [0; 1024];
    let body = |request: &[u8]| request.windows(4).position(|end| end == b"\r\n\r\n").map(|at| request.len() - at - 4);
    while body(&request) != Some(2) {
        let Ok(count @ 1..) = stream.read(&mut part) else { return };
        let before = body(&request);
        request.extend_from_slice(&part[..count]);
        if before.unwrap_or(0) == 0 && body(&request).is_some_and(|body| body > 0) {
            let _ = begin.send(());
        }
    }
    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
}

/// Requests under way to one address.
pub struct Traffic {
    to: SocketAddr,
    held: Vec<TcpStream>,
}

impl Traffic {
    pub fn new(to: SocketAddr) -> Self {
        Self { to, held: Vec::new() }
    }

    /// Holds so many requests from now on, and says how many have begun for that.
    pub fn hold(&mut self, count: usize) -> usize {
        for mut stream in self.held.drain(count.min(self.held.len())..) {
            // Whose server was killed meanwhile is over already.
            if stream.write_all(b"b").is_ok() {
                end(&mut stream);
            }
        }
        let more = count - self.held.len();
        for _ in 0..more {
            let mut stream = TcpStream::connect(self.to).expect("the load balancer takes connections");
            let head = "POST /held HTTP/1.1\r\nHost: www.g.test\r\nContent-Length: 2\r\nConnection: close\r\n\r\na";
            stream.write_all(head.as_bytes()).expect("sent");
            self.held.push(stream);
        }
        more
    }

    /// Forgets requests whose server is gone.
    pub fn forget(&mut self) {
        self.held.clear();
    }
}

/// Reads a response to its end.
fn end(stream: &mut TcpStream) {
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let mut response = Vec::new();
    match stream.read_to_end(&mut response) {
        Ok(_) => assert!(response.starts_with(b"HTTP/1.1 20"), "{}", String::from_utf8_lossy(&response)),
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}"),
    }
}
