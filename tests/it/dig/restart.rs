//! A server that is killed and started again remembers who was down.

use super::{Backend, Server, pair};

const RHYTHM: &str = "interval = \"300ms\"\ntimeout = \"300ms\"\nrecheck = \"50ms\"\nfall = 5\nhold = \"1h\"";
const MORE: &str = "startup_wait = \"1m\"\n[log]\nlevel = \"debug\"";

/// Two backends, of which the first is preferred and has just failed, and a server that has saved this.
fn failed_over(last: u8) -> (Server, [Backend; 2]) {
    let mut backends = Backend::several(last);
    let mut server = pair::server(last, backends[0].port(), RHYTHM, MORE);
    server.wait_for("all 2 targets have been probed");
    backends[0].kill();
    server.wait_for(&format!("127.0.0.{last} is down"));
    server.wait_for("health is saved: 1 of 2 targets are down");
    (server, backends)
}

#[test]
fn who_was_down_stays_so_after_kill_9() {
    let (mut server, mut backends) = failed_over(91);
    backends[0].heal();
    server.kill_and_restart();
    let restored = server.heard("health of 2 targets is restored, ");
    assert!(restored.contains(" s old"), "{restored}");
    server.heard("steered names are answered");
    assert_eq!(server.dig("www.h.test a").one(), "127.0.0.92", "before any probe");
    server.wait_for("web/eu 127.0.0.91 has recovered, but stays down for ");
    assert_eq!(server.dig("www.h.test a").one(), "127.0.0.92", "its hold outlives the process");
}

#[test]
fn the_first_answers_wait_for_no_probe() {
    // Nobody answers a probe after the restart, and the wait for them would take a minute.
    let (mut server, backends) = failed_over(94);
    backends[1].hold(true);
    server.edit("meridian.toml", "= \"300ms\"", "= \"10m\"");
    server.kill_and_restart();
    server.heard("steered names are answered");
    assert_eq!(server.dig("www.h.test a").one(), "127.0.0.95");
    backends[1].hold(false);
}

#[test]
fn who_was_up_and_has_died_meanwhile_goes_down_as_fast_as_ever() {
    // Its probes hurry as they do for anybody who was up, though this process has never seen it so.
    let (mut server, mut backends) = failed_over(101);
    server.kill();
    backends[1].kill();
    server.edit("meridian.toml", "= \"300ms\"", "= \"1h\"");
    server.start_again();
    server.wait_for("127.0.0.102 is down: 5 of the last 5 probes failed");
}

#[test]
fn killed_at_any_moment_it_finds_the_old_or_the_new() {
    let (mut server, _backends) = failed_over(97);
    for moment in ["listening on ", "health of 2 targets is restored", "steered names", "health is saved"].repeat(3) {
        server.kill_and_restart();
        server.heard(moment);
        assert_eq!(server.said("is not used"), 0);
    }
    server.kill_and_restart();
    server.heard("health of 2 targets is restored");
    server.heard("steered names are answered");
    assert_eq!(server.dig("www.h.test a").one(), "127.0.0.98");
}
