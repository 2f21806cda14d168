//! The governor and the canaries, as an operator meets them: the log says that something is held, and dig says it too.

use std::process::Command;

use super::{Backend, Server, pair};

const RHYTHM: &str = "interval = \"500ms\"\ntimeout = \"500ms\"\nrecheck = \"50ms\"\nfall = 5\nrise = 2";

/// The two, with more in the configuration.
fn serve(last: u8, port: u16, more: &str) -> Server {
    pair::server(last, port, RHYTHM, more)
}

#[test]
fn a_held_region_is_told_to_operators_and_to_dig() {
    let mut backends: [Backend; 2] = Backend::several(81);
    let mut server = serve(81, backends[0].port(), "");
    server.wait_for("all 2 targets have been probed");
    let calm = server.dig("www.h.test a");
    assert_eq!((calm.one(), calm.text.contains("EDE")), ("127.0.0.81", false));

    backends[0].kill();
    server.wait_for("127.0.0.81 is down");
    backends[1].kill();
    let line = server.wait_for("region us is held up against its probes");
    assert!(line.contains("ERROR") && line.contains("eu of 2 regions has gone within 1 min already"), "{line}");
    assert!(line.contains("web/us counts as up until"), "{line}");
    let held = server.dig("www.h.test a");
    assert_eq!(held.one(), "127.0.0.82");
    assert!(held.text.contains("; EDE: 0 (Other): (health held by the governor)"), "{}", held.text);
    assert!(!server.dig("www.h.test a +noedns").text.contains("EDE"));

    backends[1].heal();
    let line = server.wait_for("region us is held no longer");
    assert!(line.contains("there is nothing left to hold"), "{line}");
    assert!(!server.dig("www.h.test a").text.contains("EDE"));
}

/// Two pools: what is held of the first gives way to the second at once, a restart changes nothing of that, and `explain` says
/// what the server does.
#[test]
fn a_held_region_gives_way_to_a_later_pool_and_explain_says_the_same() {
    let mut backends: [Backend; 2] = Backend::several(131);
    let later = "[log]\nlevel = \"debug\"\n[pools.static]\npolicy = \"failover\"\norder = [\"page\"]\n\
                 endpoints.page = { region = \"us\", address = \"192.0.2.99\" }\n\
                 [services.\"shop.h.test\"]\npools = [\"web\", \"static\"]";
    let mut server = serve(131, backends[0].port(), later);
    server.wait_for("all 2 targets have been probed");
    assert_eq!(server.dig("shop.h.test a").one(), "127.0.0.131");
    backends[0].kill();
    server.wait_for("127.0.0.131 is down");
    assert_eq!(server.dig("shop.h.test a").one(), "127.0.0.132");
    backends[1].kill();
    let line = server.wait_for("127.0.0.132 is down");
    assert!(line.contains("ERROR") && line.contains("web has 0 of 2 endpoints up and 1 held"), "{line}");
    let line = server.heard("region us is held up against its probes");
    assert!(line.contains("while nothing else of web is up, later pools answer instead"), "{line}");
    server.wait_for("health is saved: 2 of 2 targets");

    let explained = |server: &Server, name: &str, words: &[&str]| -> String {
        let run = Command::new(env!("CARGO_BIN_EXE_meridian"))
            .args(["explain", "-c"])
            .arg(server.path("meridian.toml"))
            .args([name, "--client", "127.0.0.1"])
            .args(words)
            .output()
            .expect("it runs");
        String::from_utf8_lossy(&run.stdout).into_owned() + &String::from_utf8_lossy(&run.stderr)
    };
    let one_after_the_other = ["--down", "eu", "--down", "us"];
    let said_held = ["--down", "eu", "--held", "us"];
    for (name, address) in [("shop.h.test", "192.0.2.99"), ("www.h.test", "127.0.0.132")] {
        let held = server.dig(&format!("{name} a"));
        assert_eq!(held.one(), address, "{name}");
        assert!(held.text.contains("; EDE: 0 (Other): (health held by the governor)"), "{}", held.text);
        for words in [one_after_the_other, said_held] {
            let said = explained(&server, name, &words);
            let record = format!("{name}. 5 IN A {address}");
            assert!(said.contains(&record) && said.contains("governor  region us is held"), "{words:?}: {said}");
        }
    }
    server.kill_and_restart();
    server.heard("steered names are answered");
    assert_eq!(server.dig("shop.h.test a").one(), "192.0.2.99");

    // Once the hold is over: what `--released` supposes.
    let said = explained(&server, "www.h.test", &["--down", "eu", "--down", "us", "--released"]);
    assert!(said.contains("rung      all down") && said.contains("region us is held no longer"), "{said}");
    // What the governor could not hold is refused with what to write.
    let said = explained(&server, "www.h.test", &["--held", "web/mars"]);
    assert!(said.contains("--held web/mars: no endpoint or region has this name"), "{said}");
    backends[0].heal();
    server.wait_for("web/eu 127.0.0.131 is up again");
    assert_eq!(server.dig("shop.h.test a").one(), "127.0.0.131");
}

#[test]
fn a_restart_is_no_way_round_the_governor() {
    let mut backends: [Backend; 2] = Backend::several(88);
    let loud = "[log]\nlevel = \"debug\"";
    let mut server = serve(88, backends[0].port(), loud);
    server.wait_for("all 2 targets have been probed");
    backends[0].kill();
    server.wait_for("127.0.0.88 is down");
    backends[1].kill();
    server.wait_for("region us is held up against its probes");
    server.wait_for("health is saved: 2 of 2 targets");
    for _ in 0..2 {
        server.kill_and_restart();
        let line = server.heard("health of 2 targets is restored");
        let [eu, us] = ["web/eu 127.0.0.88 (connection refused)", "web/us 127.0.0.89 (connection refused)"];
        assert!(line.contains("; down: ") && line.contains(eu) && line.contains(us), "{line}");
        let line = server.heard("region us is held up against its probes: it was before the restart, for ");
        assert!(line.contains("ERROR") && line.contains("web/us counts as up until"), "{line}");
        server.heard("steered names are answered");
        let held = server.dig("www.h.test a");
        assert_eq!(held.one(), "127.0.0.89");
        assert!(held.text.contains("; EDE: 0 (Other): (health held by the governor)"), "{}", held.text);
        server.heard("health is saved: 2 of 2 targets");
    }
    backends[1].heal();
    server.wait_for("region us is held no longer");
    backends[0].heal();
    server.wait_for("web/eu 127.0.0.88 is up again");
}

#[test]
fn a_server_without_its_network_believes_nothing_and_says_so() {
    let [one, two, mut canary] = Backend::several(84);
    let (mut backends, port) = ([one, two], canary.port());
    let more = "[health]\ncanaries = [{ monitor = \"lb\", address = \"127.0.0.86\" }]";
    let mut server = serve(84, port, more);
    server.wait_for("all 3 targets have been probed");

    canary.kill();
    backends.iter_mut().for_each(Backend::kill);
    let line = server.wait_for("this node does not see its canary");
    assert!(line.contains("ERROR"), "{line}");
    let blind = server.dig("www.h.test a");
    assert_eq!(blind.one(), "127.0.0.84");
    assert!(blind.text.contains("; EDE: 0 (Other): (this server sees none of its canaries)"), "{}", blind.text);

    backends[1].heal();
    canary.heal();
    server.wait_for("a canary answers again");
    // The first is really dead: it counts so one round later.
    server.wait_for("web/eu 127.0.0.84 counts as down from now on");
    let answer = server.dig("www.h.test a");
    assert_eq!((answer.one(), answer.text.contains("EDE")), ("127.0.0.85", false));
}

/// With canaries a verdict comes first and counts later, and nobody is left by then: that is what pagers wait for.
#[test]
fn a_pool_that_is_emptied_once_a_canary_has_answered_is_an_error() {
    let [one, two, canary] = Backend::several(241);
    let (mut backends, port) = ([one, two], canary.port());
    let more =
        "[health]\ngovernor.max_regions = \"100%\"\ncanaries = [{ monitor = \"lb\", address = \"127.0.0.243\" }]";
    let mut server = serve(241, port, more);
    server.wait_for("all 3 targets have been probed");
    backends.iter_mut().for_each(Backend::kill);
    let line = server.wait_for("web has 0 of 2 endpoints up");
    assert!(line.contains("ERROR"), "{line}");
}

#[test]
fn a_backend_that_comes_and_goes_too_often_is_kept_out() {
    let mut backends: [Backend; 2] = Backend::several(101);
    let more = "[defaults.monitor]\nhold = \"0s\"\n[health.governor]\nmax_regions = \"100%\"";
    let mut server = serve(101, backends[0].port(), more);
    server.wait_for("all 2 targets have been probed");
    // Each fall adds 1, which decays from then on: the fourth is the first to find more than 2 left.
    for _ in 0..3 {
        backends[0].set_status(500);
        server.wait_for("127.0.0.101 is down");
        backends[0].set_status(200);
        server.wait_for("127.0.0.101 is up again");
        assert_eq!(server.dig("www.h.test a").one(), "127.0.0.101");
    }
    backends[0].kill();
    server.wait_for("127.0.0.101 is down");
    backends[0].heal();
    let line = server.wait_for("web/eu 127.0.0.101 has recovered, but stays down for ");
    assert!(line.contains("it has come and gone too often"), "{line}");
    assert_eq!(server.dig("www.h.test a").one(), "127.0.0.102");
}
