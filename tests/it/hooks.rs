//! Hooks of a running server: a script and an HTTP server are told what changes.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
    path::Path,
};

use http_body_util::{BodyExt, Full};
use hyper::Response;
use serde_json::Value;

use crate::{
    dig::{Backend, Server},
    probes::{
        certificates::Authority,
        servers::{Speaks, http},
    },
};

const ZONE: &str = "$ORIGIN h.test.\n$TTL 60\n@ IN SOA ns1 h 1 1 1 1 30\n@ IN NS ns1\nns1 IN A 192.0.2.53\n";

fn config(port: u16, hooks: &str) -> String {
    format!(
        "[monitors.lb]\ninterval = \"300ms\"\ntimeout = \"300ms\"\nrecheck = \"50ms\"\nfall = 5\nrise = 1\nhold = \"0s\"\n\
         flap = {{ suppress = 0.0 }}\ntcp = {{ port = {port} }}\n\
         [regions.eu]\nlocation = {{ lat = 50.1, lon = 8.7 }}\n[pools.web]\nmonitor = \"lb\"\n\
         [pools.web.endpoints.eu-1]\nregion = \"eu\"\naddress = \"127.0.0.1\"\n\
         [zones.\"h.test\"]\nfile = \"h.zone\"\n[services.\"www.h.test\"]\npools = [\"web\"]\n{hooks}"
    )
}

/// A port of loopback and who listens there.
fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("bound").port();
    (listener, port)
}

/// Takes one request, answers it with a status, and returns its head and its body.
fn request(stream: TcpStream, status: &str) -> (String, Value) {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(reader.read_line(&mut head).expect("a line") > 0, "closed in the middle: {head}");
    }
    let len = head.to_lowercase().split("content-length: ").nth(1).and_then(|rest| rest.lines().next()?.parse().ok());
    let mut body = vec![0; len.expect("a length")];
    reader.read_exact(&mut body).expect("a body");
    let reply = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    reader.get_mut().write_all(reply.as_bytes()).expect("sent");
    (head, serde_json::from_slice(&body).expect("JSON"))
}

/// That somebody was told is a line for those who look for it.
const LOUD: &str = "[log]\nlevel = \"debug\"\n";

fn script(path: &Path, text: &str) {
    fs::write(path, format!("#!/bin/sh\n{text}")).expect("written");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("set");
}

#[test]
fn a_web_hook_is_told_with_its_evidence_and_its_secrets_are_not_logged() {
    let (hook, at) = listener();
    let mut backend = Backend::start(1);
    let port = backend.port();
    let hooks = format!(
        "[hooks.pager]\non = [\"endpoint\", \"region\", \"reload\"]\nrate = \"100/1m\"\n\
         http = {{ url = \"http://127.0.0.1:{at}/hook?key=hidden\", headers = {{ authorization = \"Bearer hush\" }} }}\n"
    );
    let mut server = Server::start("[\"127.0.0.1:0\"]", &config(port, &hooks), &[("h.zone", ZONE)]);
    let next = |status: &str| request(hook.accept().expect("a request").0, status);

    // That it is up at the start is no news. What becomes of its region comes before what becomes of it.
    server.wait_for("steered names are answered");
    backend.kill();
    let (head, gone) = next("204 No Content");
    assert!(head.starts_with("POST /hook?key=hidden HTTP/1.1\r\n"), "{head}");
    let lower = head.to_lowercase();
    for line in ["authorization: bearer hush", "content-type: application/json", "user-agent: meridian/"] {
        assert!(lower.contains(line), "{head}");
    }
    assert_eq!((&gone["hook"], &gone["kind"], &gone["from"], &gone["to"]), parts("pager", "region", "up", "down"));
    assert_eq!((&gone["region"], &gone["severity"], &gone["node"]), (&"eu".into(), &"error".into(), &"test-1".into()));
    assert_eq!(gone["version"], 1);
    let (_, down) = next("500 Internal Server Error");
    assert_eq!(gone["evidence"], down["evidence"]);
    assert_eq!((&down["hook"], &down["kind"], &down["from"], &down["to"]), parts("pager", "endpoint", "up", "down"));
    assert_eq!(
        (&down["endpoints"][0], &down["monitor"], &down["address"]),
        (&"web/eu-1".into(), &"lb".into(), &"127.0.0.1".into())
    );
    assert_eq!(
        (&down["evidence"][0]["found"], &down["evidence"][0]["times"]),
        (&"connection refused".into(), &5.into())
    );
    assert!(down["time"].as_u64().is_some_and(|millis| millis > 1_700_000_000_000) && down["left_out"] == 0, "{down}");
    let said = server.wait_for("hook pager was not told");
    assert!(said.contains("status 500"), "{said}");

    backend.heal();
    // One that is sent elsewhere goes nowhere.
    let (elsewhere, other) = listener();
    elsewhere.set_nonblocking(true).expect("set");
    let (_, back) = next(&format!("307 Elsewhere\r\nlocation: http://127.0.0.1:{other}/"));
    assert_eq!((&back["kind"], &back["to"], &back["severity"]), (&"region".into(), &"up".into(), &"info".into()));
    let said = server.wait_for("hook pager was not told");
    assert!(said.contains("status 307") && elsewhere.accept().is_err(), "{said}");
    let (_, back) = next("200 OK");
    assert_eq!((&back["hook"], &back["kind"], &back["from"], &back["to"]), parts("pager", "endpoint", "down", "up"));
    let said = server.wait_for("hook pager is told again");
    assert!(said.contains("INFO") && said.ends_with("after 2 times when it was not"), "{said}");

    server.signal("HUP");
    let (_, reloaded) = next("200 OK");
    assert_eq!((&reloaded["kind"], &reloaded["to"]), (&"reload".into(), &"in force".into()));
    server.edit("meridian.toml", "fall = 5", "fall = 0");
    server.signal("HUP");
    let (_, refused) = next("200 OK");
    assert_eq!((&refused["kind"], &refused["to"]), (&"reload".into(), &"refused".into()));
    drop(hook);
    server.edit("meridian.toml", "fall = 0", "fall = 5");
    server.signal("HUP");
    let lines = server.lines_up_to("hook pager was not told: ");
    let log = lines.join("\n");
    assert!(!log.contains("hush") && !log.contains("hidden"), "{log}");
    server.signal("TERM");
    assert_eq!(server.exit_code(), Some(0));
}

#[test]
fn a_first_start_of_many_endpoints_leaves_the_pager_free_for_the_loss_of_a_region() {
    let (pager, at) = listener();
    let (strict, other) = listener();
    let mut backends: [Backend; 14] = Backend::several(40);
    let port = backends[0].port();
    let endpoints: String = (0..14)
        .map(|n| {
            let region = if n < 7 { "eu" } else { "us" };
            format!("[pools.web.endpoints.e{n}]\nregion = \"{region}\"\naddress = \"127.0.0.{}\"\n", 40 + n)
        })
        .collect();
    // With the usual rate, and with one that the first of the endpoints uses up.
    let hook = |name: &str, at: u16, rate: &str| {
        format!(
            "[hooks.{name}]\non = [\"endpoint\", \"region\", \"governor\", \"reload\"]\n{rate}\
             http = {{ url = \"http://127.0.0.1:{at}/\" }}\n"
        )
    };
    let config = format!(
        "[monitors.lb]\ninterval = \"300ms\"\ntimeout = \"300ms\"\nrecheck = \"50ms\"\nfall = 2\ntcp = {{ port = {port} }}\n\
         [regions.eu]\n[regions.us]\n[pools.web]\nmonitor = \"lb\"\npolicy = \"weighted\"\n{endpoints}\
         [zones.\"h.test\"]\nfile = \"h.zone\"\n[services.\"www.h.test\"]\npools = [\"web\"]\n{}{}",
        hook("pager", at, ""),
        hook("strict", other, "rate = \"1/1h\"\n"),
    );
    let mut server = Server::start("[\"127.0.0.1:0\"]", &config, &[("h.zone", ZONE)]);
    server.wait_for("all 14 targets have been probed");
    backends[..7].iter_mut().for_each(Backend::kill);
    for (hook, name, most) in [(&pager, "pager", 8), (&strict, "strict", 2)] {
        let mut lost = None;
        for _ in 0..most {
            let (_, told) = request(hook.accept().expect("a request").0, "204 No Content");
            assert_eq!(told["to"], "down", "{told}");
            if told["kind"] == "region" {
                lost = Some(told);
                break;
            }
        }
        let lost = lost.expect("the region");
        assert_eq!((&lost["hook"], &lost["region"], &lost["severity"]), (&name.into(), &"eu".into(), &"error".into()));
        assert_eq!((&lost["node"], &lost["version"]), (&"test-1".into(), &1.into()));
        assert!(lost["text"].as_str().is_some_and(|text| text.ends_with("its clients go to us")), "{lost}");
    }
}

fn parts<'v>(hook: &str, kind: &str, from: &str, to: &str) -> (&'v Value, &'v Value, &'v Value, &'v Value) {
    let value = |text: &str| -> &'v Value { Box::leak(Box::new(text.into())) };
    (value(hook), value(kind), value(from), value(to))
}

#[test]
fn a_script_is_told_on_its_input_within_its_rate_and_its_time() {
    let backend = Backend::start(1);
    let port = backend.port();
    let folder = tempfile::tempdir().expect("a folder");
    let (good, slow, bad) = (folder.path().join("good"), folder.path().join("slow"), folder.path().join("bad"));
    let told = folder.path().join("told");
    script(&good, &format!("cat >> {0} && echo >> {0}\n", told.display()));
    script(&slow, "exec sleep 60\n");
    script(&bad, "echo no such pager >&2\nexit 3\n");
    let hook = |name: &str, path: &Path, rate: &str| {
        let path = path.display();
        format!(
            "[hooks.{name}]\non = [\"reload\"]\ntimeout = \"300ms\"\nrate = \"{rate}\"\nexec = {{ command = [\"{path}\"] }}\n"
        )
    };
    let hooks =
        LOUD.to_owned() + &hook("good", &good, "2/1h") + &hook("slow", &slow, "9/1h") + &hook("bad", &bad, "9/1h");
    let mut server = Server::start("[\"127.0.0.1:0\"]", &config(port, &hooks), &[("h.zone", ZONE)]);
    server.wait_for("steered names are answered");
    for _ in 0..2 {
        server.signal("HUP");
        server.wait_for("the configuration is in force");
        let seen = server.lines_with(&[
            "hook good was told",
            "hook slow was not told: its command took longer than 300 ms",
            "hook bad was not told: its command ended with exit code 3: no such pager",
        ]);
        assert_eq!(seen, 3);
    }
    // Its rate is used up: two are left out, and once there is another hook in its place it is told again.
    for n in 0..2 {
        server.signal("HUP");
        let lines = server.lines_up_to("hook slow was not told");
        let said = lines.iter().filter(|line| line.contains("hook good has more to tell than 2 in 3600 s")).count();
        assert_eq!(said, usize::from(n == 0), "once: {lines:?}");
    }
    assert_eq!(fs::read_to_string(&told).expect("told").lines().count(), 2);
    server.edit("meridian.toml", "rate = \"2/1h\"", "rate = \"3/1h\"");
    server.signal("HUP");
    server.wait_for("hook good was told");
    let text = fs::read_to_string(&told).expect("told");
    let told: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert!(told.iter().all(|message| message["hook"] == "good" && message["kind"] == "reload"), "{text}");
    assert_eq!(told.len(), 3);
    assert_eq!(server.dig("www.h.test a").one(), "127.0.0.1", "served all the while");
    drop(backend);
    server.signal("TERM");
    assert_eq!(server.exit_code(), Some(0));
}

/// A pipe with a name.
fn gate(path: &Path) {
    let made = std::process::Command::new("mkfifo").arg(path).status().expect("mkfifo runs");
    assert!(made.success());
}

#[test]
fn what_waits_goes_to_the_hook_of_the_same_name_and_with_none_is_dropped_and_said() {
    let (_backend, port) = listener();
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).display().to_string();
    for name in ["gone", "moved"] {
        gate(&folder.path().join(format!("{name}-gate")));
        let text = format!(
            "cat >> {0} && echo >> {0}\nread line < {1}\n",
            at(&format!("{name}-told")),
            at(&format!("{name}-gate"))
        );
        script(&folder.path().join(name), &text);
    }
    let plain = format!("cat >> {0} && echo >> {0}\n", at("new-told"));
    script(&folder.path().join("new"), &plain);
    script(&folder.path().join("witness"), "exit 0\n");
    let hook = |name: &str| {
        let command = at(name);
        format!(
            "[hooks.{name}]\non = [\"reload\"]\nrate = \"99/1h\"\ntimeout = \"1m\"\nexec = {{ command = [\"{command}\"] }}\n"
        )
    };
    let hooks = LOUD.to_owned() + &hook("gone") + &hook("moved") + &hook("witness");
    let mut server = Server::start("[\"127.0.0.1:0\"]", &config(port, &hooks), &[("h.zone", ZONE)]);
    server.wait_for("steered names are answered");
    let reload = |server: &mut Server| {
        server.signal("HUP");
        server.wait_for("hook witness was told");
    };
    (0..3).for_each(|_| reload(&mut server));
    server.edit("meridian.toml", &hook("gone"), "");
    server.edit("meridian.toml", &format!("\"{}\"", at("moved")), &format!("\"{}\"", at("new")));
    reload(&mut server);
    // Each is at its first one, and waits for its gate to be opened.
    for name in ["gone", "moved"] {
        fs::write(folder.path().join(format!("{name}-gate")), "go on\n").expect("somebody reads");
    }
    let said = server.heard("hook gone is gone from the configuration");
    assert!(said.contains("WARN") && said.ends_with("2 messages that waited are not told any more"), "{said}");
    while server.said("hook moved was told") < 4 {
        server.wait_for("hook moved was told");
    }
    let lines = |name: &str| fs::read_to_string(folder.path().join(name)).expect("told").lines().count();
    assert_eq!((lines("gone-told"), lines("moved-told"), lines("new-told")), (1, 1, 3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_web_hook_speaks_tls_to_whom_its_file_trusts() {
    let (ours, foreign) = (Authority::new(), Authority::named("foreign.example"));
    let (send, mut told) = tokio::sync::mpsc::unbounded_channel();
    let served = Speaks::OneOver(ours.good("127.0.0.1").config(&["http/1.1"]));
    let at = http(served, move |request| {
        let _ = send.send(request.uri().path().to_owned());
        Response::new(Full::from("").boxed())
    })
    .await;
    let (_backend, port) = listener();
    let hooks = LOUD.to_owned()
        + &format!(
            "[hooks.pager]\non = [\"reload\"]\nhttp = {{ url = \"https://127.0.0.1:{at}/page\", ca_file = \"ca.pem\" }}\n"
        );
    let files = [("h.zone", ZONE), ("ca.pem", ours.pem())];
    let mut server = Server::start("[\"127.0.0.1:0\"]", &config(port, &hooks), &files);
    server.wait_for("steered names are answered");
    server.signal("HUP");
    server.wait_for("hook pager was told");
    assert_eq!(told.recv().await.as_deref(), Some("/page"));
    server.put("ca.pem", foreign.pem());
    server.signal("HUP");
    let said = server.wait_for("hook pager was not told");
    assert!(said.contains("certificate"), "{said}");
    assert!(told.try_recv().is_err());
}
