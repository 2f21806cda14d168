//! The control law, closed over a real HAProxy: clients go where `dig` says, HAProxy counts them, and what it counts
//! decides what `dig` says.

use super::{Haproxy, MAX_AGE, Origin, Pool, Server, Traffic, server_with, share};

/// Where shedding starts and ends.
const LOW: f64 = 0.5;
const HIGH: f64 = 0.9;
/// Requests at a time that the region can take.
const CAPACITY: f64 = 50.0;
/// How far the answers may be from what the law says.
const NEAR: f64 = 0.05;

/// How often it may be met and left again, on a machine that is too busy for clients to come and go at once.
const TRIES: usize = 20;

/// What the law passes on of an offered load (docs/steering.md).
fn wanted(offered: f64) -> f64 {
    if offered <= LOW { 0.0 } else { (offered - LOW) / (offered + HIGH - LOW) }
}

/// A region before its HAProxy, its clients, and the server that steers them.
struct Lab {
    haproxy: Haproxy,
    origin: Origin,
    traffic: Traffic,
    server: Server,
}

impl Lab {
    fn new(max_age: &str) -> Self {
        let origin = Origin::start();
        let haproxy = Haproxy::start(&origin, "");
        let load = format!("haproxy = {{ port = {}, backend = \"web\" }}", haproxy.stats);
        let pool = Pool { name: "web", load, capacity: CAPACITY, at: haproxy.place };
        let server = server_with(&[pool], LOW, HIGH, max_age);
        let traffic = Traffic::new((haproxy.place.address, haproxy.port).into());
        Self { haproxy, origin, traffic, server }
    }

    /// The share of clients that are sent to the region.
    fn share(&self) -> f64 {
        share(&self.server, "web", self.haproxy.place.address)
    }

    /// Of clients that offer so many times the capacity those come that are sent here.
    fn offer(&mut self, offered: f64) {
        let count = offered * CAPACITY * self.share();
        let begun = self.traffic.hold(count.round() as usize);
        self.origin.wait_for(begun);
    }

    /// Waits for the next share that is passed on, in parts of one.
    fn next(&mut self) -> f64 {
        let line = self.server.wait_for(": its load is ");
        if line.contains("keeps all") {
            return 0.0;
        }
        let share = line.split("passes on ").nth(1).and_then(|rest| rest.split(' ').next());
        share.and_then(|share| share.parse::<f64>().ok()).unwrap_or_else(|| panic!("{line}")) / 100.0
    }

    /// Lets clients offer so much until the law is met.
    fn settle(&mut self, offered: f64) {
        self.offer(offered);
        // Nobody is passed on, or about as many as the law says: less is not worth a move.
        let near = if wanted(offered) > 0.0 { NEAR } else { 0.0 };
        let (mut told, law) = (0.0, 1.0 - wanted(offered));
        for _ in 0..TRIES {
            while (self.next() - wanted(offered)).abs() > near {
                self.offer(offered);
            }
            self.offer(offered);
            told = self.share();
            if (told - law).abs() <= NEAR {
                return;
            }
            // Where clients take longer to come and go than a report, one has counted them in the middle of it.
        }
        panic!("{offered} of the capacity: dig sees {told}, the law says {law}");
    }
}

/// Below the first mark, above it, beyond the capacity, at three times of it; and back.
#[test]
fn answers_follow_the_load_up_and_down() {
    let mut lab = Lab::new(MAX_AGE);
    lab.offer(0.4);
    assert_eq!(lab.share(), 1.0);
    for offered in [0.8, 1.5, 3.0, 0.8, 0.4] {
        lab.settle(offered);
    }
    assert_eq!(lab.share(), 1.0, "below the first mark nobody is passed on");
    assert_eq!(lab.server.said("web/eu cannot be read"), 0);
}

/// Its death ends the reports: weights decide again, step by step. Its return brings the reports back.
#[test]
fn a_dead_haproxy_is_silent_and_a_new_one_speaks_again() {
    let mut lab = Lab::new(MAX_AGE);
    lab.settle(1.5);
    lab.haproxy.kill();
    lab.traffic.forget();
    lab.server.wait_for("the load of web/eu cannot be read from");
    lab.server.wait_for("no load was reported of web/eu for 1500 ms: weights alone decide there");
    let line = lab.server.wait_for("web/eu passes on");
    assert!(line.ends_with("its load is not reported any more"), "{line}");
    lab.server.wait_for("web/eu keeps all its blocks again: its load is not reported any more");
    assert_eq!(lab.share(), 1.0);
    lab.haproxy.heal();
    let line = lab.server.wait_for("the load of web/eu is read from");
    assert!(line.contains("again, after"), "{line}");
    lab.server.wait_for("load is reported of web/eu again");
    lab.settle(0.8);
    assert_eq!(lab.server.said("web/eu cannot be read"), 1, "once for all the time");
}

/// After a reload the new process tells what it has, and nothing is missed meanwhile.
#[test]
fn a_reload_of_haproxy_leaves_no_gap() {
    // Long enough that a gap is one of HAProxy's, not of a machine that is busy.
    let mut lab = Lab::new("10s");
    lab.settle(0.8);
    lab.haproxy.reload();
    // What the old process still holds it does not tell.
    while lab.next() > 0.0 {}
    lab.traffic.hold(0);
    lab.settle(0.8);
    assert_eq!(lab.server.said("no load was reported"), 0);
}
