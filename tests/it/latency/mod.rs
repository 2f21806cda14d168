//! Measured round-trip times of a running server: files that change, and what they change.

mod swing;

use crate::dig::Server;

const PLACES: &str = "prefix,continent,country,subdivision,city,lat,lon,asn\n20.1.0.0/16,EU,DE,,,50.1,8.7,64500\n";
const ZONE: &str = "$ORIGIN lat.test.\n$TTL 60\n@ IN SOA ns1 h 1 1 1 1 30\n@ IN NS ns1\nns1 IN A 192.0.2.53\n";
const CONFIG: &str = r#"
[geo]
overrides = "o.csv"
[latency]
files = ["l.csv"]
switch = { ms = 0, percent = "0%", hold = "0s" }
refresh = "1s"
[regions.eu]
location = { lat = 50.11, lon = 8.68 }
[regions.us]
location = { lat = 39.04, lon = -77.49 }
[pools.web]
policy = "latency"
[pools.web.endpoints]
eu = { region = "eu", address = "192.0.2.1" }
us = { region = "us", address = "192.0.2.2" }
[zones."lat.test"]
file = "lat.zone"
[services."www.lat.test"]
pools = ["web"]
"#;

#[test]
fn a_latency_file_that_changes_is_read_again_and_a_broken_one_is_not_taken() {
    let lines = "client,region,ms\n20.1.0.0/16,eu,20\n20.1.0.0/16,us,90\n";
    let files = [("lat.zone", ZONE), ("o.csv", PLACES), ("l.csv", lines)];
    let mut server = Server::start("[\"127.0.0.1:0\"]", CONFIG, &files);
    let ask = |server: &Server| server.dig("www.lat.test a +subnet=20.1.9.0/24").one().to_owned();
    assert_eq!(ask(&server), "192.0.2.1");

    // A prefix that no file has named before comes with it.
    server.edit("l.csv", "20.1.0.0/16,us,90\n", "20.1.0.0/16,us,90\n20.1.9.0/24,us,5\n");
    server.wait_for("the latency files have changed: 3 cells are read");
    server.wait_for("measured round-trip times have moved: their maps are in force");
    assert_eq!(ask(&server), "192.0.2.2");
    assert_eq!(server.dig("www.lat.test a +subnet=20.1.8.0/24").one(), "192.0.2.1");

    server.edit("l.csv", "20.1.9.0/24,us,5\n", "20.1.9.0/24,us,soon\n");
    server.wait_for("l.csv:4:16");
    server.wait_for("the latency files are not taken over for the faults above; what they said before goes on");
    assert_eq!(ask(&server), "192.0.2.2");

    // Said once: the next that is said of it is that it is good again.
    server.edit("l.csv", "20.1.9.0/24,us,soon\n", "20.1.9.0/24,us,91\n");
    let between = server.lines_up_to("the latency files have changed: 3 cells are read");
    assert!(!between.iter().any(|line| line.contains("soon")), "{between:?}");
    server.wait_for("measured round-trip times have moved: their maps are in force");
    assert_eq!(ask(&server), "192.0.2.1");

    server.remove("l.csv");
    server.wait_for("there is no such file");
    server.wait_for("the latency files are not taken over");
    assert_eq!(ask(&server), "192.0.2.1");
    server.signal("TERM");
    assert_eq!(server.exit_code(), Some(0));
}
