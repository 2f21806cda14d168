//! Reports that are none: not taken, said once, and outlived.

use std::{
    io::{Read, Write},
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use super::{Place, Pool, server, share};

/// A load, and what none is.
const PAGES: [&str; 7] = [
    "{\"load\": 6}",
    "<!doctype html><title>Welcome</title>",
    "{\"load\": -3}",
    "{\"load\": 1e12}",
    "{\"load\": \"NaN\"}",
    "{\"load\": \"inf\"}",
    "",
];
/// Another load.
const LAST: &str = "{\"load\": 8}";

/// Answers with each page once, and with the last one from then on until it is told to tell a load again.
fn stand(place: Place) -> (u16, Arc<AtomicBool>) {
    let again = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&again);
    let listener = TcpListener::bind((place.address, 0)).expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    thread::spawn(move || {
        for (n, mut stream) in listener.incoming().map_while(Result::ok).enumerate() {
            let _ = stream.read(&mut [0; 2048]);
            let page = if told.load(Ordering::SeqCst) { LAST } else { PAGES[n.min(PAGES.len() - 1)] };
            let length = page.len();
            let _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{page}");
        }
    });
    (port, again)
}

#[test]
fn nonsense_is_not_taken_and_is_said_once() {
    let place = Place::new();
    let (port, again) = stand(place);
    let load = format!("json = {{ port = {port}, pointer = \"/load\" }}");
    let mut server = server(&[Pool { name: "web", load, capacity: 10.0, at: place }], 0.5, 0.9);
    let line = server.wait_for("web/eu passes on");
    assert!(line.ends_with("its load is 60 % of its capacity"), "{line}");
    let line = server.wait_for("the load of web/eu cannot be read from");
    assert!(
        line.contains("/load: the page is HTML, not JSON; what was reported last counts until it is too old"),
        "{line}"
    );
    // Reports in a row were none, for longer than one counts.
    server.wait_for("no load was reported of web/eu for 1500 ms: weights alone decide there");
    server.wait_for("web/eu keeps all its blocks again: its load is not reported any more");
    assert_eq!(share(&server, "web", place.address), 1.0);
    again.store(true, Ordering::SeqCst);
    let line = server.wait_for("the load of web/eu is read from");
    let failures = line.split("again, after ").nth(1).and_then(|rest| rest.split(' ').next()?.parse::<u32>().ok());
    assert!(failures.is_some_and(|failures| failures >= 3), "{line}");
    let line = server.wait_for("web/eu passes on");
    assert!(line.ends_with("its load is 80 % of its capacity"), "{line}");
    assert_eq!(server.said("web/eu cannot be read"), 1);
}
