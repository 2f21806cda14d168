//! What moves clients beside health: measured ways, the lines of resolvers, geo rules. From files to the answer.

use std::{net::IpAddr, sync::Arc};

use meridian::engine::{
    geo::{AtlasBuilder, Location, Measured, Measures, Whose},
    steer::trace::{Basis, Step},
    types::{At, Millis, RegionId},
    units::Rtt,
};

use super::lab::{A, Lab, Question, Told, at, draft, listen, outcome, prefix};

const REGIONS: &str = "\
[regions.ashburn]
location = { lat = 39.04, lon = -77.49 }
[regions.frankfurt]
location = { lat = 50.11, lon = 8.68 }
[regions.mumbai]
location = { lat = 19.08, lon = 72.88 }
[monitors.m]
tcp = { port = 80 }
hold = \"0s\"
[services.\"www.g.test\"]
pools = [\"p\"]
[pools.p.endpoints]
ashburn = { region = \"ashburn\", address = \"192.0.2.1\" }
frankfurt = { region = \"frankfurt\", address = \"192.0.2.2\" }
mumbai = { region = \"mumbai\", address = \"192.0.2.3\" }
[pools.p]
monitor = \"m\"
";
const OVERRIDES: &str = "prefix,continent,country,lat,lon,asn\n20.1.0.0/16,EU,DE,50.11,8.68,64500\n";

/// Where these are served from: the last octet of an address.
const ASHBURN: u8 = 1;
const FRANKFURT: u8 = 2;
const MUMBAI: u8 = 3;

fn tell(lab: &Lab, question: &Question) -> Told {
    listen(&lab.ledger.snapshot(At(0)), question, at(0)).expect("ready")
}

/// The last octet of the only address, and the scope.
fn octet(lab: &Lab, question: &Question) -> (u8, Option<u8>) {
    let answer = tell(lab, question).answer;
    let [IpAddr::V4(address)] = answer.addresses[..] else { panic!("{answer:?}") };
    (address.octets()[3], answer.scope)
}

fn basis(lab: &Lab, question: &Question) -> Basis {
    let steps = tell(lab, question).steps;
    let found = steps.iter().find_map(|step| if let Step::Located { basis, .. } = step { Some(*basis) } else { None });
    found.expect("a steered name")
}

fn within(subnet: &str) -> Question {
    Question::new("www.g.test", A).with(prefix(subnet))
}

#[test]
fn measured_ways_go_before_the_model_and_leave_health_alone_when_they_move() {
    let text = format!("[geo]\noverrides = \"o.csv\"\n{REGIONS}policy = \"latency\"\n");
    let mut draft = draft(&text, &[("o.csv", OVERRIDES)]);
    let cell = |region, rtt| (Whose::Asn(64_500), RegionId(region), Measured { rtt, samples: Some(9), age: Millis(0) });
    draft.measures = Arc::new(Measures::new([cell(0, Rtt(900)), cell(1, Rtt(2000))]));
    let mut lab = Lab::new(draft);
    lab.healthy();
    assert_eq!(octet(&lab, &within("20.1.2.0/24")), (ASHBURN, Some(16)));
    let ashburn = Arc::clone(lab.world.targets[0].key().expect("probed"));
    (0..3).for_each(|_| lab.probe(&ashburn, outcome('b')));
    assert_eq!(octet(&lab, &within("20.1.2.0/24")).0, FRANKFURT, "Mumbai is not measured, and does not win by that");

    // Nothing is measured any more: other maps, the same truth, and nothing to say.
    let moved = Arc::new(lab.world.measured(Arc::default()));
    let told = lab.ledger.configure(At(0), Arc::clone(&moved));
    assert!(told.is_empty(), "{told:?}");
    assert_eq!(octet(&lab, &within("20.1.2.0/24")), (FRANKFURT, Some(16)));
    let back = Arc::new(moved.measured(Arc::clone(&lab.world.measures)));
    lab.ledger.configure(At(0), back);
    assert_eq!(octet(&lab, &within("20.1.2.0/24")).0, FRANKFURT, "Ashburn is still down");
    (0..2).for_each(|_| lab.probe(&ashburn, outcome('g')));
    assert_eq!(octet(&lab, &within("20.1.2.0/24")).0, ASHBURN);
}

#[test]
fn clients_without_a_subnet_are_where_the_line_of_their_resolver_says() {
    let text = format!("[geo]\noverrides = \"o.csv\"\n{REGIONS}policy = \"latency\"\n");
    let mut draft = draft(&text, &[("o.csv", OVERRIDES)]);
    draft.nowhere = vec![(RegionId(2), 0), (RegionId(0), 1)];
    let mut resolvers = AtlasBuilder::default();
    for (line, country) in [("20.1.0.53/32", *b"US"), ("10.0.0.0/8", *b"DE")] {
        let fact = resolvers.fact(Location { country: Some(country), ..Location::default() }, "resolvers.csv");
        resolvers.overrule(prefix(line), fact);
    }
    draft.resolvers = Arc::new(resolvers.finish());
    let mut lab = Lab::new(draft);
    lab.healthy();
    let plain = |source: &str| Question::new("www.g.test", A).from(source);
    assert_eq!(octet(&lab, &plain("20.1.0.53")), (ASHBURN, None));
    assert_eq!(octet(&lab, &plain("20.1.0.54")), (FRANKFURT, None), "no line: where the sender is");
    assert_eq!(octet(&lab, &plain("10.1.2.3")), (FRANKFURT, None));
    assert_eq!(octet(&lab, &plain("9.9.9.9")), (MUMBAI, None), "of scope nothing is known");
    // What the option says is better; where it says nothing, the line holds (G2, G71).
    assert_eq!(octet(&lab, &within("20.1.3.0/24").from("20.1.0.53")), (FRANKFURT, Some(16)));
    assert_eq!(octet(&lab, &within("0.0.0.0/0").from("20.1.0.53")), (ASHBURN, Some(0)));
    assert_eq!(octet(&lab, &within("10.0.0.0/24").from("20.1.0.53")), (ASHBURN, Some(8)));
    assert_eq!(basis(&lab, &within("10.0.0.0/24").from("20.1.0.53")), Basis::Special);
}

#[test]
fn latency_and_resolver_files_are_read_from_the_configuration() {
    let text = format!(
        "[geo]\noverrides = \"o.csv\"\nresolvers = \"r.csv\"\ndefault = [\"mumbai\", \"ashburn\"]\n\
         [latency]\nfiles = [\"l.csv\"]\n{REGIONS}policy = \"latency\"\n"
    );
    let latency = "client,region,ms\n20.1.2.0/24,frankfurt,200\n20.1.2.0/24,ashburn,90\n";
    let resolvers = "prefix,country,lat,lon\n20.1.0.53/32,US,39.04,-77.49\n";
    let files = [("o.csv", OVERRIDES), ("r.csv", resolvers), ("l.csv", latency)];
    let mut lab = Lab::new(draft(&text, &files));
    lab.healthy();
    assert_eq!(octet(&lab, &within("20.1.2.0/24")), (ASHBURN, Some(24)));
    assert_eq!(octet(&lab, &within("20.1.3.0/24")), (FRANKFURT, Some(24)), "a piece beside what is measured");
    assert_eq!(octet(&lab, &within("20.1.128.0/24")), (FRANKFURT, Some(17)));
    let plain = |source: &str| Question::new("www.g.test", A).from(source);
    assert_eq!(octet(&lab, &plain("20.1.0.53")), (ASHBURN, None));
    assert_eq!(octet(&lab, &plain("9.9.9.9")), (MUMBAI, None));
}

#[test]
fn the_most_specific_geo_rule_decides() {
    let text = format!(
        "[geo]\noverrides = \"o.csv\"\n[groups]\nhome = [\"country:DE\", \"net:20.1.9.0/24\"]\n\
         [policies.rules]\nprefer = [\"geo\"]\n[policies.rules.geo]\ndefault = [\"ashburn\", \"frankfurt\", \"mumbai\"]\n\
         [policies.rules.geo.group]\nhome = [\"frankfurt\"]\n[policies.rules.geo.asn]\n64500 = [\"mumbai\"]\n\
         [policies.rules.geo.net]\n\"20.1.8.0/22\" = [\"ashburn\"]\n{REGIONS}policy = \"rules\"\n"
    );
    let mut lab = Lab::new(draft(&text, &[("o.csv", OVERRIDES)]));
    lab.healthy();
    assert_eq!(octet(&lab, &within("20.1.0.0/24")), (MUMBAI, Some(21)), "its AS number before its country");
    assert_eq!(octet(&lab, &within("20.1.8.0/24")), (ASHBURN, Some(24)), "a net before that");
    assert_eq!(octet(&lab, &within("20.1.9.0/24")), (FRANKFURT, Some(24)), "the longer net of the group");
    assert_eq!(octet(&lab, &within("20.1.10.0/24")), (ASHBURN, Some(23)));
    assert_eq!(octet(&lab, &within("21.0.0.0/24")), (ASHBURN, Some(16)), "the default");
}
