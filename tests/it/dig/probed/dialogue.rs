//! Monitors that talk to who is probed: a line of text, a question, an echo.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::{Ipv4Addr, TcpListener},
    os::unix::fs::MetadataExt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use super::{Server, comes_back, config, goes_down, start, www};
use crate::place::Place;

/// A server that greets and takes one line, on a loopback port until the tests end; it is full when told so.
fn mail() -> (u16, Arc<AtomicBool>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let full = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&full);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut stream = BufReader::new(stream);
            let mut line = String::new();
            // Who leaves early hears nothing more.
            let _ = stream.get_mut().write_all(b"220 mail ready\r\n");
            let _ = stream.read_line(&mut line);
            let answer: &[u8] = match line.as_str() {
                "NOOP\r\n" if !told.load(Ordering::SeqCst) => b"250 fine\r\n",
                "NOOP\r\n" => b"452 full\r\n",
                _ => b"500 what?\r\n",
            };
            let _ = stream.get_mut().write_all(answer);
        }
    });
    (port, full)
}

#[test]
fn a_line_is_sent_and_one_that_comes_back_decides() {
    let (port, full) = mail();
    let monitor = format!("[monitors.m]\ntcp = {{ port = {port}, send = \"NOOP\\r\\n\", expect = \"^250 \" }}");
    let mut server = start(&config(&monitor, "address = \"127.0.0.1\""), &[]);
    assert_eq!(www(&server), "127.0.0.1");
    full.store(true, Ordering::SeqCst);
    goes_down(&mut server, "452 full");
    full.store(false, Ordering::SeqCst);
    comes_back(&mut server, "127.0.0.1");
}

#[test]
fn a_question_to_another_server_of_ours_decides_by_its_data() {
    let zone = "$ORIGIN c.test.\n$TTL 60\n@ IN SOA ns1 h 1 1 1 1 30\n@ IN NS ns1\nns1 IN A 192.0.2.53\n\
                canary IN TXT \"alive\"\n";
    let asked = "[zones.\"c.test\"]\nfile = \"c.zone\"\n";
    // Where nobody else comes when it is gone.
    let at = Place::new().socket();
    let (address, port) = (at.ip().to_string(), at.port());
    let other = Server::start(&format!("[\"{at}\"]"), asked, &[("c.zone", zone)]);
    let monitor = format!(
        "[monitors.m]\ndns = {{ port = {port}, name = \"canary.c.test\", type = \"TXT\", expect = [\"alive\"] }}"
    );
    let mut server = start(&config(&monitor, &format!("address = \"{address}\"")), &[]);
    assert_eq!(www(&server), address);

    other.edit("c.zone", "alive", "gone");
    other.signal("HUP");
    goes_down(&mut server, "answer lacks alive");
    other.edit("c.zone", "gone", "alive");
    other.signal("HUP");
    comes_back(&mut server, &address);

    other.edit("c.zone", "canary", "renamed");
    other.signal("HUP");
    goes_down(&mut server, "rcode NXDOMAIN");
    other.edit("c.zone", "renamed", "canary");
    other.signal("HUP");
    comes_back(&mut server, &address);

    other.signal("TERM");
    assert_eq!(other.exit_code(), Some(0));
    goes_down(&mut server, "connection refused");
}

/// Where echoes are not permitted to whoever runs the tests, that is said, and nothing is known.
#[test]
fn an_echo_decides_where_it_is_permitted() {
    let config = config("[monitors.m]\nicmp = {}", "address = \"127.0.0.1\"");
    let mut server = Server::start("[\"127.0.0.1:0\"]", &config, &[("p.zone", super::ZONE)]);
    let line = server.wait_for("127.0.0.1 ");
    assert!(line.contains("is up: the first probe answered") || line.contains("ICMP is not permitted"), "{line}");
    server.wait_for("steered names are answered");
    assert_eq!(www(&server), "127.0.0.1");
}

/// Whoever may not send echoes says so once, and holds it against nobody.
#[test]
fn without_permission_an_echo_says_nothing() {
    let root = fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
    let range = fs::read_to_string("/proc/sys/net/ipv4/ping_group_range").expect("Linux has it");
    let range: Vec<u32> = range.split_whitespace().filter_map(|number| number.parse().ok()).collect();
    if fs::metadata("/proc/self").is_ok_and(|own| (range[0]..=range[1]).contains(&own.gid())) {
        // This system lets everybody send echoes: there is nobody who may not.
        return;
    }
    // Root without the one right; everybody else has it not.
    let under: &[&str] = if root { &["setpriv", "--bounding-set", "-net_raw", "--inh-caps", "-net_raw"] } else { &[] };
    let pools = "[monitors.other]\nfile.path = \"other.csv\"\n[pools.other]\nmonitor = \"other\"\n\
                 [pools.other.endpoints.us]\nregion = \"us\"\naddress = \"192.0.2.7\"\n";
    let config = config("[monitors.m]\nicmp = {}", "address = \"127.0.0.1\"") + pools;
    let files = [("p.zone", super::ZONE), ("other.csv", "")];
    let mut server = Server::start_under(under, "[\"127.0.0.1:0\"]", &config, &files);
    server.heard("steered names are answered");
    let line = server.heard("127.0.0.1 cannot be asked");
    assert!(
        line.contains("WARN") && line.contains("which says nothing of it: ICMP is not permitted: put a group"),
        "{line}"
    );
    // What another monitor finds at the same pace shows that there has been more than one probe.
    for (text, turned) in [("192.0.2.7,down\n", "is down"), ("", "is up again")].repeat(3) {
        server.put("other.csv", text);
        server.wait_for(turned);
    }
    assert_eq!(www(&server), "127.0.0.1", "unknown, and nobody else is there: as if it were up");
    assert_eq!((server.said("cannot be asked"), server.said("web/eu")), (1, 0));
    server.edit("meridian.toml", "icmp = {}", "file.path = \"other.csv\"");
    server.signal("HUP");
    server.wait_for("web/eu 127.0.0.1 is up");
    server.wait_for("there is no target any more that cannot be asked");
}

/// A monitor that can ask nobody is as easily overlooked: that is told too.
#[test]
fn a_command_that_is_not_there_is_told() {
    let config = config("[monitors.m]\nexec.command = [\"/nonexistent/check\"]", "address = \"192.0.2.1\"");
    let mut server = Server::start("[\"127.0.0.1:0\"]", &config, &[("p.zone", super::ZONE)]);
    let line = server.wait_for("192.0.2.1 cannot be asked");
    assert!(line.contains("WARN") && line.contains("there is no program /nonexistent/check"), "{line}");
    assert_eq!(www(&server), "192.0.2.1");
}
