//! Each kind of monitor from the configuration file to the answer: what it finds is in the log, and `dig` sees it.

mod dialogue;
mod elsewhere;
mod said;
mod several;

use super::{Backend, Server};

const ZONE: &str = "$ORIGIN p.test.\n$TTL 60\n@ IN SOA ns1 h 1 1 1 1 30\n@ IN NS ns1\nns1 IN A 192.0.2.53\n";

/// Who answers when `web/eu` is down.
pub const SPARE: &str = "192.0.2.99";

/// Monitors of which few probes decide, and a service of pool `web`, which has one endpoint, and of a pool behind it.
pub fn config(monitors: &str, endpoint: &str) -> String {
    format!(
        r#"
[health.governor]
max_regions = "100%"
[defaults.monitor]
interval = "500ms"
timeout = "500ms"
recheck = "50ms"
fall = 5
rise = 1
hold = "0s"
flap = {{ suppress = 0.0 }}
{monitors}
[regions]
eu = {{ location = {{ lat = 50.11, lon = 8.68 }} }}
us = {{ location = {{ lat = 39.04, lon = -77.49 }} }}
[pools.web]
monitor = "m"
policy = "failover"
order = ["eu"]
[pools.web.endpoints]
eu = {{ region = "eu", {endpoint} }}
[pools.spare]
policy = "failover"
order = ["us"]
[pools.spare.endpoints]
us = {{ region = "us", address = "{SPARE}" }}
[zones."p.test"]
file = "p.zone"
[services."www.p.test"]
pools = ["web", "spare"]
"#
    )
}

/// A server that has probed its targets, with these files beside its own.
pub fn start(config: &str, files: &[(&str, &str)]) -> Server {
    let mut server = Server::start("[\"127.0.0.1:0\"]", config, &[&[("p.zone", ZONE)], files].concat());
    server.wait_for(" been probed");
    server
}

/// What `www` is answered with.
#[track_caller]
pub fn www(server: &Server) -> String {
    server.dig("www.p.test a").one().to_owned()
}

/// Waits until `web/eu` has gone down for this reason, and another answers.
#[track_caller]
pub fn goes_down(server: &mut Server, reason: &str) {
    let line = server.wait_for("web/eu 1");
    assert!(line.contains(" is down: ") && line.contains(reason), "`{reason}` expected: {line}");
    assert_eq!(www(server), SPARE);
}

/// Waits until `web/eu` has come back.
#[track_caller]
pub fn comes_back(server: &mut Server, address: &str) {
    let line = server.wait_for("web/eu 1");
    assert!(line.contains(" is up again: "), "{line}");
    assert_eq!(www(server), address);
}
