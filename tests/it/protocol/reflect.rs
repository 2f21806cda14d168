//! The name that tells a client what it is taken for (G10, G27).

use std::sync::Arc;

use meridian::{
    engine::{
        geo::{AtlasBuilder, Location},
        snapshot::Snapshot,
        types::At,
        wire::name::Name,
        world::{Reflect, World},
    },
    node::ledger::Ledger,
};

use super::*;
use crate::steering::lab::prefix;

const CONFIG: &str = concat!(
    "[geo]\noverrides = \"OVERRIDES\"\n[regions.r]\n[pools.p]\n",
    "endpoints.e = { region = \"r\", address = [\"192.0.2.10\"] }\n[services.'www.example.test']\npools = [\"p\"]\n",
);

const OVERRIDES: &str = "prefix,continent,country,subdivision,city,lat,lon,asn
203.0.113.0/24,NA,US,NY,New York,40.71,-74.01,64500
198.51.100.0/24,EU,DE,,,,,
2001:db8:1::/48,EU,DE,HE,Frankfurt,50.11,8.68,64501
198.18.0.0/15,,,,,,,
";

/// `whoami.example.test` for sources of these prefixes.
fn world_of(config: &str, allow: &[&str]) -> Arc<World> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("o.csv");
    std::fs::write(&path, OVERRIDES).expect("written");
    let config = format!("{CONFIG}{config}").replace("OVERRIDES", &path.display().to_string());
    let zone = "alias CNAME whoami\nwhoami.sub A 192.0.2.1\n";
    changed(&[("example.test", zone)], &config, |draft| {
        let name = Name::from_text("whoami.example.test").expect("a name");
        draft.reflect = Some(Reflect { name, allow: allow.iter().map(|text| prefix(text)).collect() });
        let mut resolvers = AtlasBuilder::default();
        let mumbai = Location { country: Some(*b"IN"), city: Some("Mumbai".into()), ..Location::default() };
        let fact = resolvers.fact(mumbai, "resolvers.csv");
        resolvers.learn(prefix("192.0.2.128/25"), fact);
        draft.resolvers = Arc::new(resolvers.finish());
    })
}

fn open() -> Snapshot {
    healthy(&world_of("", &["0.0.0.0/0", "::/0"]))
}

fn from(query: Ask, source: &str) -> Ask {
    Ask { source: source.parse().expect("an address"), ..query }
}

/// The character-strings of the one TXT record.
fn text(reply: &Strict) -> Vec<String> {
    let [record] = reply.answers() else { panic!("{reply:?}") };
    assert_eq!((record.rtype, record.ttl, reply.aa(), reply.rcode()), (16, 0, true, NOERROR));
    let (mut rest, mut found) = (&record.data[..], Vec::new());
    while let [len, tail @ ..] = rest {
        let (string, next) = tail.split_at(usize::from(*len));
        found.push(String::from_utf8(string.to_vec()).expect("text"));
        rest = next;
    }
    found
}

#[test]
fn txt_says_whose_address_was_used_and_where_it_is() {
    let snapshot = open();
    let told = |source: &str, subnet: Option<&str>| {
        let query = from(ask("whoami.example.test TXT"), source);
        text(&subnet.map_or(query.clone(), |prefix| query.subnet(prefix)).of(&snapshot))
    };
    let new_york = "place=New York, US-NY, NA, AS64500";
    for (source, subnet, expected) in [
        ("203.0.113.7", None, ["client=203.0.113.7/32", "by=source", "network=203.0.113.0/24", new_york]),
        (
            "198.51.100.7",
            Some("203.0.113.64/26"),
            ["client=203.0.113.64/26", "by=client subnet", "network=203.0.113.0/24", new_york],
        ),
        (
            "198.51.100.7",
            Some("0.0.0.0/0"),
            ["client=198.51.100.7/32", "by=source, no location wanted", "network=198.51.100.0/24", "place=DE, EU"],
        ),
        (
            "198.51.100.7",
            Some("10.1.2.0/24"),
            [
                "client=198.51.100.7/32",
                "by=source, client subnet is special-purpose",
                "network=198.51.100.0/24",
                "place=DE, EU",
            ],
        ),
        (
            "192.0.2.200",
            None,
            ["client=192.0.2.200/32", "by=resolver map", "network=192.0.2.128/25", "place=Mumbai, IN"],
        ),
        (
            "2001:db8:1::5",
            None,
            ["client=2001:db8:1::5/128", "by=source", "network=2001:db8:1::/48", "place=Frankfurt, DE-HE, EU, AS64501"],
        ),
    ] {
        assert_eq!(told(source, subnet), expected, "{source} {subnet:?}");
    }
    let mapped = told("::ffff:203.0.113.7", None);
    assert_eq!(mapped[0], "client=203.0.113.7/32", "G21: normalised");
    let wide = told("9.9.9.9", Some("203.0.112.0/20"));
    assert_eq!((&*wide[0], &*wide[3]), ("client=203.0.112.0/20", "place=in several networks"));
    assert_eq!(told("9.9.9.9", None)[3], "place=unknown");
}

#[test]
fn g27_a_and_aaaa_tell_the_address_of_their_family_and_nothing_of_the_other() {
    let snapshot = open();
    let own = |question: &str, source: &str| from(ask(question), source).of(&snapshot);
    let four = own("whoami.example.test A", "203.0.113.7");
    assert_eq!(
        (four.answers()[0].rtype, four.answers()[0].ttl, &four.answers()[0].data[..]),
        (A, 0, &[203, 0, 113, 7][..])
    );
    assert_negative(&own("whoami.example.test AAAA", "203.0.113.7"), NOERROR, "example.test", "G27");
    let six = own("WhoAmI.example.test AAAA", "2001:db8:1::5");
    assert_eq!((&six.answers()[0].owner, six.answers()[0].data[15]), (&wire("WhoAmI.example.test"), 5), "P21");
    assert_negative(&own("whoami.example.test A", "2001:db8:1::5"), NOERROR, "example.test", "G27");
    for rtype in ["MX", "HTTPS", "CNAME", "DS"] {
        assert_negative(&own(&format!("whoami.example.test {rtype}"), "9.9.9.9"), NOERROR, "example.test", rtype);
    }
    let any = own("whoami.example.test ANY", "9.9.9.9");
    assert_eq!(any.answers().iter().map(|rr| rr.rtype).collect::<Vec<_>>(), [13], "P31");
    // G10: the family of the option decides, not that of the query's sender.
    let option = from(ask("whoami.example.test AAAA"), "203.0.113.7").subnet("2001:db8:1::/56").of(&snapshot);
    assert_eq!(option.answers()[0].data[..6], [0x20, 1, 0x0d, 0xb8, 0, 1], "G10");
    let nobody = own("x.whoami.example.test A", "9.9.9.9");
    assert_eq!(nobody.rcode(), NXDOMAIN, "the name is no wildcard");
    assert_eq!(own("whoami.sub.example.test A", "9.9.9.9").answers()[0].data, [192, 0, 2, 1], "another name");
}

#[test]
fn the_scope_is_source_since_the_answer_is_for_that_client() {
    let snapshot = open();
    for (prefix, scope) in
        [("203.0.113.0/24", 24), ("203.0.113.7/32", 32), ("203.0.0.0/8", 8), ("2001:db8:1::/56", 56), ("10.0.0.0/8", 8)]
    {
        let reply = ask("whoami.example.test TXT").subnet(prefix).of(&snapshot);
        assert_eq!(reply.subnet().map(|s| s.2), Some(scope), "{prefix}");
    }
    for prefix in ["0.0.0.0/0", "::/0"] {
        let reply = ask("whoami.example.test TXT").subnet(prefix).of(&snapshot);
        assert_eq!(reply.subnet().map(|s| (s.1, s.2)), Some((0, 0)), "P100");
    }
    for rtype in ["AAAA", "MX", "ANY"] {
        let reply = ask(&format!("whoami.example.test {rtype}")).subnet("203.0.113.0/24").of(&snapshot);
        assert_eq!(reply.subnet().map(|s| s.2), Some(0), "P102: {rtype}");
    }
    let config = "[ecs]\nfrom = [\"192.0.2.0/24\"]\n";
    let snapshot = healthy(&world_of(config, &["0.0.0.0/0"]));
    let reply = ask("whoami.example.test TXT").subnet("203.0.113.0/24").of(&snapshot);
    assert_eq!(text(&reply)[..2], ["client=198.51.100.7/32", "by=source, client subnet not used"]);
    assert_eq!(reply.subnet().map(|s| s.2), Some(0), "an option that is not believed");
}

#[test]
fn who_is_not_listed_is_refused_and_no_alias_leads_there() {
    let snapshot = healthy(&world_of("", &["203.0.113.0/24", "2001:db8:1::/48"]));
    for rtype in ["TXT", "A", "AAAA", "MX", "ANY"] {
        for source in ["198.51.100.7", "2001:db8:2::1"] {
            let reply =
                from(ask(&format!("whoami.example.test {rtype}")), source).subnet("203.0.113.0/24").of(&snapshot);
            assert_bare(&reply, REFUSED, rtype);
            assert_eq!(reply.subnet().map(|s| s.2), Some(0), "P102");
        }
    }
    assert_eq!(from(ask("whoami.example.test A"), "203.0.113.9").of(&snapshot).answers().len(), 1);
    assert_eq!(from(ask("whoami.example.test AAAA"), "2001:db8:1::9").of(&snapshot).answers().len(), 1);
    for source in ["198.51.100.7", "203.0.113.9"] {
        let reply = from(ask("alias.example.test TXT"), source).of(&snapshot);
        assert_eq!((reply.rcode(), kinds(reply.answers())), (NOERROR, vec![("alias.example.test.".into(), CNAME)]));
    }
    let nobody = healthy(&world_of("", &[]));
    assert_bare(&ask("whoami.example.test TXT").of(&nobody), REFUSED, "an empty list");
}

#[test]
fn it_is_answered_before_the_first_probe_round() {
    let world = world_of("", &["0.0.0.0/0"]);
    let early = Ledger::new(Arc::clone(&world)).snapshot(At(0));
    assert_eq!(text(&ask("whoami.example.test TXT").of(&early))[1], "by=source");
}
