//! A state folder that goes wrong while the server serves: it says so once, goes on, and says when it is well again.

use std::{fs, os::unix::fs::symlink};

use super::{Backend, Server};

const ZONE: &str = "$ORIGIN s.test.\n$TTL 60\n@ IN SOA ns1 h 1 1 1 1 30\n@ IN NS ns1\nns1 IN A 192.0.2.53\n";

/// A server that has saved what it knows, and its backend.
fn saving(last: u8) -> (Server, Backend) {
    let backend = Backend::start(last);
    let config = format!(
        "[log]\nlevel = \"debug\"\n[regions.eu]\nlocation = {{ lat = 50.11, lon = 8.68 }}\n\
         [monitors.lb]\ninterval = \"300ms\"\ntimeout = \"300ms\"\nrecheck = \"50ms\"\nfall = 5\nrise = 1\nhold = \"0s\"\n\
         flap = {{ suppress = 0.0 }}\nhttp = {{ port = {}, path = \"/health\" }}\n\
         [pools.web]\nmonitor = \"lb\"\n[pools.web.endpoints.eu]\nregion = \"eu\"\naddress = \"127.0.0.{last}\"\n\
         [services.\"www.s.test\"]\npools = [\"web\"]\n[zones.\"s.test\"]\nfile = \"s.zone\"\n\
         [health.governor]\nmax_regions = \"100%\"\n",
        backend.port()
    );
    let mut server = Server::start("[\"127.0.0.1:0\"]", &config, &[("s.zone", ZONE)]);
    server.wait_for("the only target has been probed");
    server.wait_for("health is saved: 0 of 1 targets");
    (server, backend)
}

/// Health that changes there and back cannot be saved, for this reason, which is said once; when the fault is gone it can.
#[track_caller]
fn goes_on(server: &mut Server, backend: &mut Backend, reason: &str, mend: impl FnOnce(&Server)) {
    backend.kill();
    let line = server.wait_for("health cannot be saved in ");
    assert!(line.contains("WARN") && line.contains(reason) && line.contains("serving goes on"), "{line}");
    let address = server.dig("www.s.test a").one().to_owned();
    for _ in 0..2 {
        backend.heal();
        server.wait_for("web/eu 127.0.0.");
        backend.kill();
        let down = server.wait_for("is down: 5 of the last 5 probes failed");
        assert!(down.contains(&address), "{down}");
    }
    mend(server);
    backend.heal();
    let line = server.wait_for("health is saved again in ");
    assert!(line.contains("INFO"), "{line}");
    assert_eq!(server.said("health cannot be saved in "), 1);
    let saved = fs::read_to_string(server.path("state/health")).expect("it is there");
    assert!(saved.contains(&address), "{saved}");
}

#[test]
fn a_full_disk() {
    let (mut server, mut backend) = saving(201);
    // What writes there finds no room.
    symlink("/dev/full", server.path("state/health.tmp")).expect("made");
    goes_on(&mut server, &mut backend, "no space is left on its disk", |server| server.remove("state/health.tmp"));
}

#[test]
fn a_folder_that_cannot_be_written() {
    let (mut server, mut backend) = saving(202);
    fs::create_dir(server.path("state/health.tmp")).expect("made");
    goes_on(&mut server, &mut backend, "a folder is in its place", |server| {
        fs::remove_dir(server.path("state/health.tmp")).expect("removed");
    });
}

#[test]
fn something_in_the_place_of_the_folder() {
    let (mut server, mut backend) = saving(203);
    fs::rename(server.path("state"), server.path("elsewhere")).expect("moved");
    fs::write(server.path("state"), "no folder").expect("written");
    goes_on(&mut server, &mut backend, "File exists", |server| server.remove("state"));
}

#[test]
fn a_folder_that_is_gone_is_made_again() {
    let (mut server, mut backend) = saving(204);
    fs::remove_dir_all(server.path("state")).expect("removed");
    backend.kill();
    server.wait_for("health is saved: 1 of 1 targets");
    assert_eq!(server.said("health cannot be saved"), 0);
    let saved = fs::read_to_string(server.path("state/health")).expect("it is there again");
    assert!(saved.contains("127.0.0.204"), "{saved}");
}
