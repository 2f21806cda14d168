//! Endpoints that are probed elsewhere than at what is answered.

use super::{Backend, SPARE, comes_back, config, goes_down, start, www};

const MONITOR: &str = "[monitors.m]\nhttp = { port = 9, path = \"/health\" }";

#[test]
fn another_address_and_port_than_the_answered_one_are_probed() {
    let mut backend = Backend::start(111);
    let endpoint =
        format!("address = \"192.0.2.1\", probe = {{ address = \"127.0.0.111\", port = {} }}", backend.port());
    let mut server = start(&config(MONITOR, &endpoint), &[]);
    assert_eq!(www(&server), "192.0.2.1");
    backend.set_status(503);
    goes_down(&mut server, "status 503");
    backend.set_status(200);
    comes_back(&mut server, "192.0.2.1");
    backend.kill();
    goes_down(&mut server, "connection refused");
}

#[test]
fn a_name_goes_down_with_what_is_probed_for_it() {
    let backend = Backend::start(112);
    let endpoint =
        format!("cname = \"eu.cdn.example\", probe = {{ address = \"127.0.0.112\", port = {} }}", backend.port());
    let mut server = start(&config(MONITOR, &endpoint), &[]);
    let answer = server.dig("www.p.test a");
    assert_eq!((answer.one(), answer.answer[0].rtype.as_str()), ("eu.cdn.example.", "CNAME"));
    backend.set_status(500);
    goes_down(&mut server, "status 500");
    assert_eq!(server.dig("www.p.test a").answer[0].data, SPARE);
    backend.set_status(200);
    comes_back(&mut server, "eu.cdn.example.");
}
