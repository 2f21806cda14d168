//! Every format, as the real thing speaks it, while a known number of requests is under way.

use std::{io::Write, net::TcpListener, thread};

use super::{Haproxy, Nginx, Origin, Place, Pool, Server, TIMES, Traffic, ZONE, server};

/// An agent as HAProxy knows it: it says this to everybody who connects.
fn agent(place: Place, text: &'static str) -> u16 {
    let listener = TcpListener::bind((place.address, 0)).expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let _ = stream.write_all(text.as_bytes());
        }
    });
    port
}

/// Waits until the server has told these loads of these endpoints.
fn wait_for(server: &mut Server, loads: &[(&str, &str)]) {
    let mut wanted = loads.to_vec();
    while !wanted.is_empty() {
        let line = server.wait_for(" of its capacity");
        let told = |(who, load): &(&str, &str)| {
            line.contains(&format!("{who}/eu passes on"))
                && line.ends_with(&format!("its load is {load} of its capacity"))
        };
        wanted.retain(|load| !told(load));
    }
    assert_eq!(server.said("/eu cannot be read"), 0);
}

#[test]
fn haproxy_tells_its_load_as_csv_and_as_metrics() {
    let (origin, desk) = (Origin::start(), Place::new());
    let port = agent(desk, "up 40%\n");
    let check = format!("weight 100 check agent-check agent-addr {} agent-port {port} agent-inter 100ms", desk.address);
    let haproxy = Haproxy::start(&origin, &check);
    let mut traffic = Traffic::new((haproxy.place.address, haproxy.port).into());
    origin.wait_for(traffic.hold(7));
    let csv = |rest: &str| format!("haproxy = {{ port = {}, backend = \"web\"{rest} }}", haproxy.stats);
    let metric = |name: &str, rest: &str| {
        format!("prometheus = {{ port = {}, metric = \"haproxy_{name}\", {rest} }}", haproxy.stats)
    };
    let of_web = "labels = { proxy = \"web\" }";
    let per = format!("{of_web}, per = \"haproxy_backend_active_servers\"");
    let at = haproxy.place;
    let mut server = server(
        &[
            Pool { name: "backend", load: csv(""), capacity: 10.0, at },
            Pool { name: "server", load: csv(", server = \"one\", field = \"scur\""), capacity: 20.0, at },
            Pool { name: "sum", load: metric("backend_current_sessions", of_web), capacity: 10.0, at },
            Pool { name: "ratio", load: metric("backend_current_sessions", &per), capacity: 14.0, at },
            // HAProxy asks the agent too, and takes 40 of 100 from its word: the rest is the load.
            Pool {
                name: "weight",
                load: metric("server_weight", "labels = { server = \"one\" }"),
                capacity: 100.0,
                at,
            },
            Pool { name: "agent", load: format!("haproxy_agent = {{ port = {port} }}"), capacity: 1.0, at: desk },
        ],
        0.01,
        1.0,
    );
    let loads = [("backend", "70 %"), ("server", "35 %"), ("sum", "70 %"), ("ratio", "50 %")];
    wait_for(&mut server, &[&loads[..], &[("weight", "40 %"), ("agent", "60 %")]].concat());
}

#[test]
fn nginx_tells_its_load_as_its_status_and_as_json() {
    let origin = Origin::start();
    let nginx = Nginx::start(&origin);
    let mut traffic = Traffic::new((nginx.place.address, nginx.port).into());
    traffic.hold(6);
    let status = |field: &str| format!("nginx = {{ port = {}, field = \"{field}\" }}", nginx.port);
    let json = format!("json = {{ port = {}, pointer = \"/connections/0\" }}", nginx.port);
    let at = nginx.place;
    let mut server = server(
        &[
            // The request that asks is one of them.
            Pool { name: "active", load: status("active"), capacity: 10.0, at },
            Pool { name: "writing", load: status("writing"), capacity: 14.0, at },
            Pool { name: "json", load: json, capacity: 20.0, at },
        ],
        0.01,
        1.0,
    );
    wait_for(&mut server, &[("active", "70 %"), ("writing", "50 %"), ("json", "35 %")]);
}

/// What only adds up is a rate: nobody but the server itself asks this nginx, and each question is a request.
#[test]
fn requests_are_counted_by_the_second() {
    let origin = Origin::start();
    let nginx = Nginx::start(&origin);
    let load = format!("nginx = {{ port = {}, field = \"requests\" }}", nginx.port);
    let mut server = server(&[Pool { name: "rate", load, capacity: 4.0, at: nginx.place }], 0.01, 1.0);
    let line = server.wait_for("rate/eu passes on");
    let load = line.split("its load is ").nth(1).and_then(|rest| rest.split(' ').next()).expect("a load");
    // Two in a second by the configuration; a machine that is late makes them fewer.
    let load: f64 = load.parse().expect("a number");
    assert!(load > 1.0 && load < 60.0, "{line}");
}

/// A region whose first endpoint cannot tell is told of by the second.
#[test]
fn a_region_is_told_of_by_whoever_answers() {
    let (origin, dead) = (Origin::start(), Place::new());
    let haproxy = Haproxy::start(&origin, "");
    let mut traffic = Traffic::new((haproxy.place.address, haproxy.port).into());
    origin.wait_for(traffic.hold(8));
    let text = format!(
        "[policies.first]\nprefer = [\"order\"]\nshed = {{ low = 0.01, high = 1 }}\n\
         [regions.eu]\n[regions.us]\n[loads.site]\n{TIMES}\nof = \"region\"\n\
         haproxy = {{ port = {}, backend = \"web\" }}\n[pools.web]\nload = \"site\"\npolicy = \"first\"\n\
         order = [\"eu-1\", \"eu-2\", \"us\"]\n[pools.web.endpoints]\n\
         eu-1 = {{ region = \"eu\", address = \"{}\", capacity = 10 }}\n\
         eu-2 = {{ region = \"eu\", address = \"{}\", capacity = 10 }}\n\
         us = {{ region = \"us\", address = \"{}\", capacity = 10 }}\n\
         [zones.\"g.test\"]\nfile = \"g.zone\"\n[services.\"www.g.test\"]\npools = [\"web\"]\n",
        haproxy.stats,
        dead.address,
        haproxy.place.address,
        Place::new().address,
    );
    let mut server = Server::start("[\"127.0.0.1:0\"]", &text, &[("g.zone", ZONE)]);
    server.wait_for("the load of region eu is read from");
    assert_eq!(server.said("the load of region eu cannot be read from"), 1);
}
