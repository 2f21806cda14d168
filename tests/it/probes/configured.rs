//! Who is trusted by the configuration file, as the server itself reads it.

use http_body_util::{BodyExt, Full};
use hyper::Response;

use super::{
    certificates::Authority,
    servers::{Speaks, http},
};
use crate::dig::probed::{SPARE, config, goes_down, start, www};

const NAME: &str = "lb.example.com";

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_ca_file_says_whose_certificates_count() {
    let (ours, foreign) = (Authority::new(), Authority::named("foreign.example"));
    let served = Speaks::OneOver(ours.good(NAME).config(&["http/1.1"]));
    let port = http(served, |_| Response::new(Full::from("fine").boxed())).await;
    // Each reload begins with a first probe, which decides alone: a handshake may take its time on a busy machine.
    let times = "interval = \"10s\"\ntimeout = \"10s\"";
    let monitor = format!("[monitors.m]\n{times}\nhttps = {{ port = {port}, sni = \"{NAME}\", ca_file = \"ca.pem\" }}");
    let mut server = start(&config(&monitor, "address = \"127.0.0.1\""), &[("ca.pem", ours.pem())]);
    assert_eq!(www(&server), "127.0.0.1");

    server.put("ca.pem", foreign.pem());
    server.signal("HUP");
    goes_down(&mut server, "certificate is signed by no authority that is trusted");

    server.put("ca.pem", &format!("{}{}", foreign.pem(), ours.pem()));
    server.signal("HUP");
    let line = server.wait_for("web/eu 127.0.0.1 is up");
    assert!(line.contains("the first probe answered"), "another trust is another check: {line}");
    assert_eq!(www(&server), "127.0.0.1");

    server.put("ca.pem", "no certificate\n");
    server.signal("HUP");
    server.wait_for("the old configuration stays in force");
    assert_eq!(www(&server), "127.0.0.1");

    server.edit("meridian.toml", NAME, "other.example.com");
    server.put("ca.pem", ours.pem());
    server.signal("HUP");
    goes_down(&mut server, "certificate is for lb.example.com, not for other.example.com");
    assert_eq!(www(&server), SPARE);
}
