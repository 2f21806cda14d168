//! `meridian agent` on real connections: over loopback, and where the machine allows it over a link with a delay.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    os::unix::fs::{MetadataExt, PermissionsExt},
    process::{Child, ChildStdout, Command, Stdio},
};

use meridian::{engine::types::UnixMillis, feed::kernel::line};
use socket2::{Domain, Socket, Type};

/// The agent, killed when dropped.
struct Agent(Child, BufReader<ChildStdout>);

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn agent(port: u16, more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_meridian"));
    command.args(["agent", "--region", "eu-west", "--port", &port.to_string()]).args(more);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn start(port: u16, more: &[&str]) -> Agent {
    let mut child = agent(port, more).spawn().expect("it starts");
    let out = BufReader::new(child.stdout.take().expect("piped"));
    Agent(child, out)
}

fn signal(agent: &Agent, name: &str) {
    let sent = Command::new("kill").args([&format!("-{name}"), &agent.0.id().to_string()]).status();
    assert!(sent.is_ok_and(|sent| sent.success()));
}

fn server() -> (TcpListener, u16) {
    let listener = TcpListener::bind("0.0.0.0:0").expect("a port");
    let port = listener.local_addr().expect("bound").port();
    (listener, port)
}

/// Connections from addresses of loopback; held open until they are dropped.
fn connect(from: &[[u8; 4]], port: u16) -> Vec<TcpStream> {
    let one = |from: &[u8; 4]| {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        socket.bind(&SocketAddr::from((*from, 0)).into()).expect("bound");
        socket.connect(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into()).expect("connected");
        socket.into()
    };
    from.iter().map(one).collect()
}

const CLIENTS: [[u8; 4]; 5] = [[127, 0, 1, 7], [127, 0, 1, 8], [127, 0, 1, 200], [127, 0, 2, 9], [127, 3, 3, 77]];

#[test]
fn connections_are_told_by_prefix_and_nothing_finer_leaves() {
    let (_listener, port) = server();
    let held = connect(&CLIENTS, port);
    let mut agent = start(port, &["--include-private"]);
    let lines: Vec<String> = (0..3).map(|_| (&mut agent.1).lines().next().expect("a line").expect("text")).collect();
    for address in CLIENTS {
        let address = Ipv4Addr::from(address).to_string();
        assert!(!lines.iter().any(|line| line.contains(&address)), "{address} left: {lines:?}");
    }
    let samples: Vec<_> = lines.iter().map(|text| line::read(text, UnixMillis(0)).expect("a sample")).collect();
    let told: Vec<_> = samples.iter().map(|sample| (sample.prefix.to_string(), sample.samples)).collect();
    let expected = [("127.0.1.0/24", 3), ("127.0.2.0/24", 1), ("127.3.3.0/24", 1)];
    assert_eq!(told, expected.map(|(prefix, samples)| (prefix.to_owned(), samples)));
    assert!(samples.iter().all(|sample| &*sample.region == "eu-west" && sample.ms > 0.0 && sample.ms < 10_000.0));
    signal(&agent, "TERM");
    assert_eq!(agent.0.wait().expect("it ends").code(), Some(0));
    drop(held);
}

#[test]
fn only_connections_to_the_address_that_is_wanted_are_told() {
    let (_listener, port) = server();
    let _held = connect(&CLIENTS, port);
    let other = TcpStream::connect(("127.9.9.99", port)).expect("connected");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("samples.jsonl");
    let mut agent = start(port, &["--include-private", "--vip", "127.9.9.99", "--to", &file.display().to_string()]);
    let told = loop {
        match fs::read_to_string(&file).unwrap_or_default() {
            text if text.ends_with('\n') => break text,
            _ => std::thread::yield_now(),
        }
    };
    let from = other.local_addr().expect("bound").ip();
    assert_eq!(told.lines().count(), 1, "{told} of {from}");
    signal(&agent, "INT");
    assert_eq!(agent.0.wait().expect("it ends").code(), Some(0));
}

#[test]
fn who_reads_may_go_away_and_a_wrong_word_is_refused() {
    let (listener, port) = server();
    let mut _held = connect(&CLIENTS, port);
    let mut agent = start(port, &["--include-private", "--interval", "200ms"]);
    let mut first = String::new();
    agent.1.read_line(&mut first).expect("a line");
    // A pipe without a reader. New connections keep it writing: one that is quiet says nothing of now.
    let (child, out) = (&mut agent.0, std::mem::replace(&mut agent.1, BufReader::new(never())));
    drop(out);
    let code = loop {
        _held = connect(&CLIENTS[..1], port);
        let _taken = listener.accept().expect("one waits");
        if let Some(ended) = child.try_wait().expect("it is ours") {
            break ended.code();
        }
    };
    assert_eq!(code, Some(0));
    for wrong in [&["--interval", "1ms"][..], &["--region", "no name"], &["--vip", "here"], &["--to", "/nowhere/x"]] {
        let run = agent_with(port, wrong);
        assert_eq!(run.status.code(), Some(2), "{wrong:?}");
        assert!(!run.stderr.is_empty());
    }
}

fn agent_with(port: u16, more: &[&str]) -> std::process::Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_meridian"));
    command.args(["agent", "--port", &port.to_string()]);
    if !more.contains(&"--region") {
        command.args(["--region", "eu-west"]);
    }
    command.args(more).output().expect("it runs")
}

/// A pipe that nobody writes to.
fn never() -> ChildStdout {
    let mut child = Command::new("true").stdout(Stdio::piped()).spawn().expect("it starts");
    let out = child.stdout.take().expect("piped");
    let _ = child.wait();
    out
}

/// In a network of its own, whose loopback delays each packet by 20 ms: a server, one client that stays, the agent.
const DELAYED: &str = r#"
ip link set lo up || exit 77
tc qdisc add dev lo root netem delay 20ms 2>/dev/null && echo delayed || echo direct
coproc SERVER { exec "$1" serve -c "$2" 2>&1; }
server=$SERVER_PID
while read -r line <&"${SERVER[0]}"; do case $line in *"listening on"*) break ;; esac; done
exec 7<>/dev/tcp/127.0.0.1/5300
coproc AGENT { exec "$1" agent --region eu-west --port 5300 --interval 10s --include-private; }
agent=$AGENT_PID
read -r line <&"${AGENT[0]}" && echo "$line"
kill "$agent" "$server"
"#;

#[test]
fn a_delay_on_the_way_is_what_is_measured() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("c.toml");
    let zone = "$ORIGIN a.test.\n$TTL 60\n@ IN SOA ns1 h 1 1 1 1 30\n@ IN NS ns1\nns1 IN A 192.0.2.53\n";
    fs::write(folder.path().join("a.zone"), zone).expect("written");
    let text = "version = 1\n[server]\nlisten = [\"127.0.0.1:5300\"]\nstate_dir = \"state\"\n\
                [zones.\"a.test\"]\nfile = \"a.zone\"\n";
    fs::write(&config, text).expect("written");
    let run = Command::new("unshare")
        .args(["--user", "--map-root-user", "--net", "bash", "-c", DELAYED, "delayed", env!("CARGO_BIN_EXE_meridian")])
        .arg(&config)
        .output()
        .expect("unshare runs: util-linux has it");
    let said = String::from_utf8_lossy(&run.stdout);
    let mut lines = said.lines();
    match lines.next() {
        Some(way) => {
            let sample = line::read(lines.next().expect("a sample"), UnixMillis(0)).expect("a sample");
            assert_eq!(sample.prefix.to_string(), "127.0.0.0/24");
            match way {
                "delayed" => assert!((40.0..1000.0).contains(&sample.ms), "there and back: {said}"),
                // No netem in this kernel: loopback itself.
                _ => assert!(sample.ms < 1000.0 && way == "direct", "{said}"),
            }
        }
        // No network of one's own on this machine: it says so.
        None => {
            assert!(!run.status.success() && !run.stderr.is_empty(), "{}", String::from_utf8_lossy(&run.stderr));
        }
    }
}

#[test]
fn a_pipe_that_nobody_reads_is_refused_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().is_ok_and(|made| made.success()));
    let run = agent(1, &["--to", &pipe.display().to_string()]).output().expect("it runs");
    assert_eq!(run.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&run.stderr).contains("cannot write"), "{run:?}");
}

#[test]
fn it_needs_no_rights() {
    let (_listener, port) = server();
    let _held = connect(&CLIENTS[..3], port);
    // Root gives its rights away; whoever is not root has none.
    let root = fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
    let folder = tempfile::tempdir().expect("a folder");
    let binary = folder.path().join("meridian");
    fs::copy(env!("CARGO_BIN_EXE_meridian"), &binary).expect("copied");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("open to all");
    let nobody: &[&str] = if root {
        &["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all"]
    } else {
        &["env"]
    };
    let mut command = Command::new(nobody[0]);
    command.args(&nobody[1..]).arg(&binary).args(["agent", "--region", "eu-west", "--include-private", "--port"]);
    let mut child = command.arg(port.to_string()).stdout(Stdio::piped()).spawn().expect("it starts");
    let out = BufReader::new(child.stdout.take().expect("piped"));
    let mut agent = Agent(child, out);
    let line = (&mut agent.1).lines().next().expect("a line").expect("text");
    let sample = line::read(&line, UnixMillis(0)).expect("a sample");
    assert_eq!((sample.prefix.to_string().as_str(), sample.samples), ("127.0.1.0/24", 3));
}
