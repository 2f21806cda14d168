//! The demo as a person runs it, on free ports: everything is waited for by what it prints.

use std::{
    io::{BufRead, BufReader},
    net::{TcpListener, UdpSocket},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    time::Duration,
};

use crate::place::{Place, port};

/// How long an event may take before the test is given up: far beyond what it should.
const PATIENCE: Duration = Duration::from_secs(120);

/// A `meridian` that is heard; killed at the end if it has not ended by itself.
struct Process {
    child: Child,
    lines: Receiver<String>,
    seen: String,
}

impl Process {
    fn start(args: &[&str], temporary: &tempfile::TempDir) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_meridian"))
            .args(args)
            .env("TMPDIR", temporary.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let out = BufReader::new(child.stdout.take().expect("piped"));
        let (send, lines) = channel();
        std::thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|line| send.send(line)));
        Self { child, lines, seen: String::new() }
    }

    /// Reads on to a line that holds every one of `words`.
    #[track_caller]
    fn wait_for(&mut self, words: &[&str]) -> String {
        loop {
            let Ok(line) = self.lines.recv_timeout(PATIENCE) else { panic!("no {words:?} in\n{}", self.seen) };
            self.seen.push_str(&line);
            self.seen.push('\n');
            if words.iter().all(|word| line.contains(word)) {
                return line;
            }
        }
    }

    /// Reads to the end, which is the end of the process.
    #[track_caller]
    fn wait_for_end(&mut self) {
        while self
            .lines
            .recv_timeout(PATIENCE)
            .map_err(|error| assert_eq!(error, RecvTimeoutError::Disconnected))
            .is_ok()
        {}
    }

    fn signal(&self, name: &str) {
        signal(name, self.child.id());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn signal(name: &str, pid: u32) {
    let sent = Command::new("kill").args([format!("-{name}"), pid.to_string()]).status();
    assert!(sent.is_ok_and(|status| status.success()), "kill -{name} {pid}");
}

fn post(url: &str) {
    let (host, path) = url.trim_start_matches("http://").split_once('/').expect("a path");
    let mut stream = std::net::TcpStream::connect(host).expect("the region listens");
    let request = format!("POST /{path} HTTP/1.1\r\nhost: {host}\r\n\r\n");
    std::io::Write::write_all(&mut stream, request.as_bytes()).expect("sent");
    let mut status = String::new();
    BufReader::new(stream).read_line(&mut status).expect("answered");
    assert!(status.starts_with("HTTP/1.1 200"), "{status}");
}

#[test]
fn regions_are_broken_and_healed_and_everything_ends_clean() {
    let temporary = tempfile::tempdir().expect("a folder");
    let (listen, port) = (Place::new().socket().to_string(), port().to_string());
    let mut demo = Process::start(&["demo", "--listen", &listen, "--region-port", &port], &temporary);
    let at = |number: u8| format!("http://127.0.0.{number}:{port}");

    let mut pids = Vec::new();
    for (region, number) in [("us-east", 11), ("eu-west", 12), ("ap-south", 13)] {
        let line = demo.wait_for(&[region, &at(number), "pid "]);
        pids.push(line.trim().rsplit(' ').next().expect("a word").parse::<u32>().expect("a number"));
    }
    let hint = demo.wait_for(&["start it again: "]);
    assert!(hint.contains(&format!("demo --region eu-west --region-port {port}")), "{hint}");
    demo.wait_for(&["teered names are answered"]);

    post(&format!("{}/fail", at(12)));
    demo.wait_for(&["127.0.0.12 ", "is down", "status 503"]);
    post(&format!("{}/heal", at(12)));
    demo.wait_for(&["127.0.0.12 ", "is up again"]);
    post(&format!("{}/slow", at(11)));
    demo.wait_for(&["127.0.0.11 ", "is down", "no answer within 300 ms"]);

    signal("KILL", pids[1]);
    demo.wait_for(&["eu-west was ended by signal 9; start it again: "]);
    // The prober may have said it before.
    if !demo.seen.contains("connection refused") {
        demo.wait_for(&["127.0.0.12 ", "is down", "connection refused"]);
    }
    let mut again = Process::start(&["demo", "--region", "eu-west", "--region-port", &port], &temporary);
    again.wait_for(&["eu-west is at "]);
    demo.wait_for(&["127.0.0.12 ", "is up again"]);
    again.signal("TERM");
    assert_eq!(again.child.wait().expect("ended").code(), Some(0));

    assert_eq!(std::fs::read_dir(temporary.path()).expect("readable").count(), 1, "what was unpacked");
    demo.signal("INT");
    demo.wait_for_end();
    assert_eq!(demo.child.wait().expect("ended").code(), Some(0));
    assert_eq!(std::fs::read_dir(temporary.path()).expect("readable").count(), 0, "the folder is gone");
    for pid in pids {
        assert!(!PathBuf::from(format!("/proc/{pid}")).exists(), "{pid} is still there");
    }
}

#[test]
fn a_killed_demo_takes_its_regions_along() {
    let temporary = tempfile::tempdir().expect("a folder");
    let (listen, port) = (Place::new().socket().to_string(), port().to_string());
    let mut demo = Process::start(&["demo", "--listen", &listen, "--region-port", &port], &temporary);
    demo.wait_for(&["Changes, as they happen"]);
    // Each region holds the far end of a pipe to the demo; a connection that is held open ends with the region.
    let mut held: Vec<_> = [11, 12, 13]
        .map(|number| std::net::TcpStream::connect(format!("127.0.0.{number}:{port}")).expect("the region listens"))
        .into();
    demo.signal("KILL");
    for stream in &mut held {
        assert!(!matches!(std::io::Read::read(stream, &mut [0]), Ok(1..)), "nothing was asked");
    }
}

#[test]
fn a_taken_port_is_named_with_the_flag_that_changes_it() {
    let temporary = tempfile::tempdir().expect("a folder");
    let dns = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let http = TcpListener::bind("127.0.0.11:0").expect("a free port");
    let (listen, taken) = (dns.local_addr().expect("an address"), http.local_addr().expect("an address"));
    let free = port().to_string();
    for (listen, port, address, flag) in [
        (listen.to_string(), free, listen, "--listen"),
        (Place::new().socket().to_string(), taken.port().to_string(), taken, "--region-port"),
    ] {
        let ended = Command::new(env!("CARGO_BIN_EXE_meridian"))
            .args(["demo", "--listen", &listen, "--region-port", &port])
            .env("TMPDIR", temporary.path())
            .stdin(Stdio::null())
            .output()
            .expect("it runs");
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(said.contains(&address.to_string()) && said.contains(flag), "{said}");
        assert_eq!(ended.status.code(), Some(2), "{said}");
    }
    assert_eq!(std::fs::read_dir(temporary.path()).expect("readable").count(), 0, "nothing is left behind");
}
