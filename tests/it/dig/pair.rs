//! Two regions with a backend each, of which the first is preferred: what is made to fail, held and forgotten.

use super::Server;

const ZONE: &str = "$ORIGIN h.test.\n$TTL 60\n@ IN SOA ns1 h 1 1 1 1 30\n@ IN NS ns1\nns1 IN A 192.0.2.53\n";

/// A server of `www.h.test` with backends at 127.0.0.`last` and the address after it. `rhythm` is what the monitor says
/// beside what it asks, `more` stands before everything else.
pub fn server(last: u8, port: u16, rhythm: &str, more: &str) -> Server {
    let config = format!(
        r#"
{more}
[regions]
eu = {{ location = {{ lat = 50.11, lon = 8.68 }} }}
us = {{ location = {{ lat = 39.04, lon = -77.49 }} }}
[monitors.lb]
{rhythm}
http = {{ port = {port}, path = "/health" }}
[pools.web]
monitor = "lb"
policy = "failover"
order = ["eu", "us"]
[pools.web.endpoints]
eu = {{ region = "eu", address = "127.0.0.{last}" }}
us = {{ region = "us", address = "127.0.0.{}" }}
[services."www.h.test"]
pools = ["web"]
[zones."h.test"]
file = "h.zone"
"#,
        last + 1
    );
    Server::start("[\"127.0.0.1:0\"]", &config, &[("h.zone", ZONE)])
}
