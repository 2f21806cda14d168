//! The server's life, as an operator sees it: reload with good and bad files, signals, transports, ports.

use std::{
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream, UdpSocket},
    process::{Command, Stdio},
    time::Duration,
};

use super::{Answer, Server};
use crate::place::Place;

const ZONE: &str =
    "$ORIGIN life.test.\n$TTL 60\n@ IN SOA ns1 h 1 1 1 1 30\n@ IN NS ns1\nns1 IN A 192.0.2.53\nwww IN A 192.0.2.1\n";
const CONFIG: &str = "[zones.\"life.test\"]\nfile = \"life.zone\"\n";

#[test]
fn a_reload_is_all_or_nothing() {
    let mut server = Server::start("[\"127.0.0.1:0\"]", CONFIG, &[("life.zone", ZONE)]);
    server.edit("life.zone", "192.0.2.1\n", "192.0.2.2\n");
    server.signal("HUP");
    server.wait_for("the configuration is in force");
    assert_eq!(server.dig("www.life.test a").one(), "192.0.2.2");

    server.edit("life.zone", "192.0.2.2\n", "192.0.2.3\nbroken IN A 1.2.3\n");
    server.signal("HUP");
    server.wait_for("life.zone:7:13");
    server.wait_for("the old configuration stays in force");
    assert_eq!(server.dig("www.life.test a").one(), "192.0.2.2", "nothing of the bad file is served");
    assert_eq!(server.dig("broken.life.test a").status, "NXDOMAIN");

    server.edit("life.zone", "broken IN A 1.2.3\n", "");
    server.edit("meridian.toml", "127.0.0.1:0", "127.0.0.2:0");
    server.signal("HUP");
    let refused = server.wait_for("the reload is refused");
    assert!(refused.contains("listen"), "{refused}");
    assert_eq!(server.dig("www.life.test a").one(), "192.0.2.2");

    server.edit("meridian.toml", "127.0.0.2:0", "127.0.0.1:0");
    server.signal("HUP");
    server.wait_for("the configuration is in force");
    assert_eq!(server.dig("www.life.test a").one(), "192.0.2.3");
    server.signal("TERM");
    assert_eq!(server.exit_code(), Some(0));
}

#[test]
fn both_families_and_both_transports_answer() {
    let server = Server::start("[\"127.0.0.1:0\", \"[::1]:0\"]", CONFIG, &[("life.zone", ZONE)]);
    for address in &server.addresses {
        for transport in ["+notcp", "+tcp"] {
            let answer = Answer::ask(*address, &format!("www.life.test a {transport}"));
            assert_eq!(answer.one(), "192.0.2.1", "{address} {transport}");
        }
    }
}

#[test]
fn a_wildcard_socket_answers_from_the_address_that_was_asked() {
    let server = Server::start("[\"0.0.0.0:0\"]", CONFIG, &[("life.zone", ZONE)]);
    let port = server.addresses[0].port();
    for address in ["127.0.0.1", "127.0.0.77"] {
        let asked = format!("{address}:{port}").parse().expect("an address");
        // dig refuses a reply from another address than it asked.
        assert_eq!(Answer::ask(asked, "www.life.test a").one(), "192.0.2.1", "{address}");
    }
}

#[test]
fn pipelined_queries_are_all_answered() {
    let server = Server::start("[\"127.0.0.1:0\"]", CONFIG, &[("life.zone", ZONE)]);
    let mut stream = TcpStream::connect(server.addresses[0]).expect("connected");
    let query = |id: u8| {
        let mut q = vec![0, 31, 0, id, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        q.extend_from_slice(b"\x03www\x04life\x04test\0\0\x01\0\x01");
        q
    };
    let burst: Vec<u8> = (0..50).flat_map(query).collect();
    stream.write_all(&burst).expect("sent");
    let mut seen = [false; 50];
    for _ in 0..50 {
        let mut len = [0; 2];
        stream.read_exact(&mut len).expect("a length");
        let mut reply = vec![0; usize::from(u16::from_be_bytes(len))];
        stream.read_exact(&mut reply).expect("a reply");
        seen[usize::from(reply[1])] = true;
        assert_eq!(&reply[reply.len() - 4..], [192, 0, 2, 1]);
    }
    assert!(seen.iter().all(|s| *s));
}

#[test]
fn a_taken_port_is_named_at_once() {
    let holder = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = holder.local_addr().expect("bound");
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("life.zone"), ZONE).expect("written");
    let config = format!("version = 1\n[server]\nlisten = [\"{address}\"]\nstate_dir = \"state\"\n{CONFIG}");
    fs::write(folder.path().join("c.toml"), config).expect("written");
    let run = Command::new(env!("CARGO_BIN_EXE_meridian"))
        .args(["serve", "-c"])
        .arg(folder.path().join("c.toml"))
        .output()
        .expect("it runs");
    assert_eq!(run.status.code(), Some(2));
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(said.contains(&address.to_string()) && said.contains("in use"), "{said}");
}

#[test]
fn a_reload_says_what_else_an_operator_must_know() {
    let mut server = Server::start("[\"127.0.0.1:0\"]", CONFIG, &[("life.zone", ZONE)]);
    server.remove("state/secret.key");
    server.signal("HUP");
    server.wait_for("the one in force is kept");
    server.wait_for("the configuration is in force");

    // A reading that takes its time, so that another request falls into it, if not the second.
    let many: String = (0..20).map(|i| format!("$GENERATE 0-65535 h{i}-$ A 192.0.2.1\n")).collect();
    server.edit("life.zone", "www IN", &format!("{many}www IN"));
    let mut asks = (0..100).map(|_| {
        server.signal("HUP");
        server.wait_for("reading ")
    });
    assert!(asks.any(|line| line.contains("is under way; another one follows it")));
    server.signal("TERM");
    assert_eq!(server.exit_code(), Some(0));
}

#[test]
fn a_signal_ends_a_start_that_is_still_reading() {
    let folder = tempfile::tempdir().expect("a folder");
    let many: String = (0..60).map(|i| format!("$GENERATE 0-65535 h{i}-$ A 192.0.2.1\n")).collect();
    fs::write(folder.path().join("life.zone"), format!("{ZONE}{many}")).expect("written");
    let config = format!("version = 1\n[server]\nlisten = [\"127.0.0.1:0\"]\nstate_dir = \"state\"\n{CONFIG}");
    fs::write(folder.path().join("c.toml"), config).expect("written");
    let child = Command::new(env!("CARGO_BIN_EXE_meridian"))
        .args(["serve", "-c"])
        .arg(folder.path().join("c.toml"))
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    let pid = child.id().to_string();
    // Until it has taken SIGTERM (15) over.
    let takes = |status: String| {
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap_or("0");
        u64::from_str_radix(caught.trim(), 16).is_ok_and(|set| set >> 14 & 1 == 1)
    };
    while !fs::read_to_string(format!("/proc/{pid}/status")).is_ok_and(takes) {
        std::thread::yield_now();
    }
    assert!(Command::new("kill").args(["-TERM", &pid]).status().is_ok_and(|sent| sent.success()));
    let run = child.wait_with_output().expect("it ends");
    assert_eq!((run.status.code(), String::from_utf8_lossy(&run.stderr).as_ref()), (Some(0), ""));
}

#[test]
fn a_disk_that_hangs_keeps_nobody_who_is_told_twice() {
    let config = format!("[log]\nlevel = \"debug\"\n{CONFIG}");
    let mut server = Server::start("[\"127.0.0.1:0\"]", &config, &[("life.zone", ZONE)]);
    server.wait_for("health is saved: 0 of 0 targets are down");
    // Whoever opens it to write waits for a reader who never comes.
    let made = Command::new("mkfifo").arg(server.path("state/health.tmp")).status();
    assert!(made.is_ok_and(|made| made.success()));
    // A client in the middle of a message: the end waits for it, and so for the second signal.
    let mut stream = TcpStream::connect(server.addresses[0]).expect("connected");
    let query = b"\0\x1f\0\x01\0\0\0\x01\0\0\0\0\0\0\x03www\x04life\x04test\0\0\x01\0\x01";
    stream.write_all(query).expect("sent");
    stream.read_exact(&mut [0; 2]).expect("a reply begins");
    stream.write_all(&query[..9]).expect("sent");
    server.signal("TERM");
    server.wait_for("answering what has arrived");
    server.signal("TERM");
    assert_eq!(server.exit_code(), Some(1));
}

#[test]
fn warnings_that_nobody_reads_keep_no_server_from_starting() {
    let folder = tempfile::tempdir().expect("a folder");
    let free = Place::new().socket();
    // More than a pipe holds.
    let warnings: String = (0..3000).map(|i| format!("[regions.r{i}]\n")).collect();
    let config = format!("version = 1\n[server]\nlisten = [\"{free}\"]\nstate_dir = \"state\"\n{CONFIG}{warnings}");
    fs::write(folder.path().join("life.zone"), ZONE).expect("written");
    fs::write(folder.path().join("c.toml"), config).expect("written");
    let mut child = Command::new(env!("CARGO_BIN_EXE_meridian"))
        .args(["serve", "-c"])
        .arg(folder.path().join("c.toml"))
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    let client = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    client.set_read_timeout(Some(Duration::from_millis(100))).expect("set");
    let query = b"\x12\x34\0\0\0\x01\0\0\0\0\0\0\x03www\x04life\x04test\0\0\x01\0\x01";
    let heard = (0..1200).any(|_| {
        let _ = client.send_to(query, free);
        client.recv(&mut [0; 512]).is_ok()
    });
    let _ = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    let ended = heard.then(|| child.wait().ok().and_then(|status| status.code()));
    let _ = child.kill();
    let _ = child.wait();
    assert_eq!(ended, Some(Some(0)));
}

#[test]
fn signals_without_a_meaning_do_not_end_the_server() {
    let mut server = Server::start("[\"127.0.0.1:0\"]", CONFIG, &[("life.zone", ZONE)]);
    for name in ["USR1", "USR2"] {
        server.signal(name);
        let said = server.wait_for(&format!("SIG{name} means nothing here"));
        assert!(said.contains("SIGHUP reloads, SIGTERM ends"), "{said}");
    }
    for name in ["ALRM", "VTALRM", "PROF", "IO", "PWR", "PIPE", "WINCH"] {
        server.signal(name);
    }
    server.signal("HUP");
    server.wait_for("the configuration is in force");
    assert_eq!(server.dig("www.life.test a").one(), "192.0.2.1");
    server.signal("TERM");
    assert_eq!(server.exit_code(), Some(0));
}
