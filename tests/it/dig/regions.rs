//! What the log says at the start, and of a region that is lost and comes back.

use super::{Backend, Server, pair};

const ZONE: &str = "$ORIGIN l.test.\n$TTL 60\n@ IN SOA ns1 h 1 1 1 1 30\n@ IN NS ns1\nns1 IN A 192.0.2.53\n";

#[test]
fn the_first_line_names_version_file_pid_and_how_much_there_is() {
    // A region that is never used is a warning, which comes behind.
    let config = "[regions.eu]\n[regions.idle]\n[pools.web]\npolicy = \"weighted\"\n[pools.web.endpoints.eu-1]\n\
                  region = \"eu\"\naddress = \"192.0.2.1\"\n[pools.web.endpoints.eu-2]\nregion = \"eu\"\n\
                  address = \"192.0.2.2\"\n[services.\"www.l.test\"]\npools = [\"web\"]\npolicy = \"random\"\n\
                  second = \"next.l.test\"\n[zones.\"l.test\"]\nfile = \"l.zone\"\n";
    let server = Server::start("[\"127.0.0.1:0\"]", config, &[("l.zone", ZONE)]);
    let expected = format!(
        "meridian {} starts with {}, pid {}: 1 service, 1 pool, 2 endpoints, 1 zone",
        env!("CARGO_PKG_VERSION"),
        server.path("meridian.toml").display(),
        server.pid()
    );
    assert!(server.first_line().ends_with(&expected), "{}", server.first_line());
}

#[test]
fn a_region_that_is_lost_and_one_that_is_back_are_one_line_each() {
    let [mut eu, _us] = Backend::several(60);
    let rhythm = "interval = \"200ms\"\ntimeout = \"200ms\"\nrecheck = \"50ms\"\nfall = 2\nrise = 1\nhold = \"0s\"";
    let mut server = pair::server(60, eu.port(), rhythm, "");
    server.wait_for("steered names are answered");
    eu.kill();
    let lost = server.wait_for("region eu is lost");
    assert!(lost.contains("ERROR") && lost.contains("web/eu is down, no probe there was good for"), "{lost}");
    assert!(lost.contains("; its clients go to us"), "{lost}");
    assert_eq!(server.dig("www.h.test a").one(), "127.0.0.61");
    eu.heal();
    let back = server.wait_for("region eu is back, after ");
    assert!(back.contains("INFO") && back.contains(": web/eu is up"), "{back}");
    assert_eq!((server.said("is lost"), server.said("is back")), (1, 1));
}
