//! A way to the targets that loses packets, or holds them up: a network of its own, whose loopback does.

use std::{fs, process::Command};

const ZONE: &str = "$ORIGIN a.test.\n$TTL 60\n@ IN SOA ns1 h 1 1 1 1 30\n@ IN NS ns1\nns1 IN A 192.0.2.53\n";

/// Its target is the server itself.
const CONFIG: &str = r#"version = 1
[server]
listen = ["127.0.0.1:5300"]
state_dir = "state"
[health.governor]
max_regions = "100%"
[monitors.m]
interval = "100ms"
timeout = "80ms"
fall = 2
rise = 1
hold = "0s"
flap = { suppress = 0.0 }
tcp = { port = 5300 }
[regions.eu]
location = { lat = 50.11, lon = 8.68 }
[pools.web]
monitor = "m"
[pools.web.endpoints.eu]
region = "eu"
address = "127.0.0.1"
[zones."a.test"]
file = "a.zone"
[services."www.a.test"]
pools = ["web"]
"#;

/// Prints what each turn of the target is told with. A queue that holds less than a packet loses all, where the kernel has
/// no netem; nothing else delays.
const PLAY: &str = r#"
ip link set lo up || exit 77
coproc SERVER { exec "$1" serve -c "$2" 2>&1; }
server=$SERVER_PID
turn() { while read -r line <&"${SERVER[0]}"; do case $line in *"web/eu 127.0.0.1 is "*) echo "$line"; return ;; esac; done; exit 1; }
turn
tc qdisc add dev lo root netem loss 100% 2>/dev/null || tc qdisc add dev lo root bfifo limit 1 || exit 77
turn
tc qdisc del dev lo root
turn
if tc qdisc add dev lo root netem delay 100ms 2>/dev/null; then
  turn
  tc qdisc del dev lo root
  turn
fi
kill "$server"
"#;

#[test]
fn lost_packets_and_late_ones_are_no_answer_and_it_comes_back_with_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("c.toml");
    fs::write(folder.path().join("a.zone"), ZONE).expect("written");
    fs::write(&config, CONFIG).expect("written");
    let run = Command::new("unshare")
        .args(["--user", "--map-root-user", "--net", "bash", "-c", PLAY, "play", env!("CARGO_BIN_EXE_meridian")])
        .arg(&config)
        .output()
        .expect("unshare runs: util-linux has it");
    let said = String::from_utf8_lossy(&run.stdout);
    let turns: Vec<&str> = said.lines().collect();
    if turns.is_empty() || run.status.code() == Some(77) {
        // No network of one's own on this machine, or none that can be made to lose anything: it says so.
        assert!(!run.stderr.is_empty(), "{run:?}");
        return;
    }
    assert!(matches!(turns.len(), 3 | 5), "{said}");
    assert!(turns[0].contains("is up: the first probe answered"), "{said}");
    for pair in turns[1..].chunks(2) {
        assert!(pair[0].contains("is down: 2 of the last 2 probes failed: no answer within 80 ms"), "{said}");
        assert!(pair[1].contains("is up again: the last probe answered"), "{said}");
    }
}
