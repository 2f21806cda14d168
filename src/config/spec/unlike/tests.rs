//! What is said of values of another type than their keys have.

use super::*;

fn said(message: &str, value: &str, path: &[&str]) -> (String, String) {
    let value = DeValue::parse(value).expect(value);
    let path: Vec<String> = path.iter().map(|part| (*part).to_owned()).collect();
    let Said { label, remedy, .. } = told(message, value.get_ref(), &path);
    (label, remedy.unwrap_or_default())
}

#[test]
fn no_word_of_the_parser_is_told() {
    let list = ["monitors", "m", "http", "status"];
    assert_eq!(
        said("invalid type: string \"200\", expected a sequence", "\"200\"", &list),
        ("expected a list, found text".to_owned(), "write [\"200\"]".to_owned())
    );
    assert_eq!(
        said("invalid type: sequence, expected a boolean", "[true]", &["services", "s", "ecs"]),
        ("expected true or false, found a list".to_owned(), "take off the brackets: true".to_owned())
    );
    assert_eq!(
        said("invalid type: string \"yes\", expected a boolean", "\"yes\"", &["services", "s", "ecs"]),
        ("expected true or false, found text".to_owned(), "write true".to_owned())
    );
    assert_eq!(
        said("invalid type: sequence, expected a table", "[50.11, 8.68]", &["regions", "eu", "location"]),
        (
            "expected a table, found a list".to_owned(),
            "write { lat = 50.11, lon = 8.68 }, in degrees north and east".to_owned()
        )
    );
    assert_eq!(
        said("invalid type: sequence, expected a table", "[\"50.1\", \"8.6\"]", &["regions", "eu", "location"]).1,
        "write { lat = 50.1, lon = 8.6 }, in degrees north and east"
    );
    assert_eq!(
        said("invalid type: map, expected text in quotes", "1979-05-27", &["log", "level"]),
        ("expected text in quotes, found a date".to_owned(), "write \"1979-05-27\"".to_owned())
    );
    assert_eq!(
        said(
            "unknown field `monitr`, expected `monitor` or `address`",
            "\"x\"",
            &["health", "canaries", "0", "monitr"]
        ),
        ("this table has no such key".to_owned(), "did you mean `monitor`?".to_owned())
    );
    assert_eq!(
        said("invalid type: sequence, expected a table", "[{ policy = \"p\" }]", &["pools", "web"]).1,
        "write `[pools.web]`, in single brackets: there is one such table"
    );
}

#[test]
fn what_is_told_to_be_written_is_no_fault_itself() {
    let (list, text, table) = ("a list of texts in quotes", "text in quotes", "a table");
    for (expected, value, path, remedy) in [
        (list, "53", "server.listen", "write [\"0.0.0.0:53\", \"[::]:53\"]"),
        (list, "true", "server.listen", "write [\"0.0.0.0:53\", \"[::]:53\"]"),
        (text, "5353", "server.listen.0", "write \"0.0.0.0:5353\" or \"[::]:5353\""),
        (list, "192", "pools.p.endpoints.a.address", "write [\"192.0.2.1\"], a whole address"),
        (list, "192.0", "pools.p.endpoints.a.address", "write [\"192.0.2.1\"], a whole address"),
        (text, "192", "pools.p.endpoints.a.address.0", "write \"192.0.2.1\", a whole address"),
        (text, "192", "health.canaries.0.address", "write \"192.0.2.1\", a whole address"),
        (
            list,
            "{ v4 = \"192.0.2.7\", v6 = \"2001:db8::7\" }",
            "pools.p.endpoints.a.address",
            "write [\"192.0.2.7\", \"2001:db8::7\"]",
        ),
        (list, "{ eu-1 = 1, us-1 = 2 }", "pools.p.order", "write [\"eu-1\", \"us-1\"]"),
        (list, "{ us-1 = 1, eu-1 = 2 }", "pools.p.order", "write [\"us-1\", \"eu-1\"]"),
        (list, "[[\"a\"]]", "services.s.pools", "write [\"a\"]"),
        (list, "64500", "regions.eu.fence.only", "write [\"asn:64500\"]"),
        (list, "true", "services.s.pools", "write [\"NAME\"]"),
        (list, "5", "services.s.pools", "write [\"5\"]"),
        (list, "10", "acls.a", "write [\"192.0.2.0/24\"], whole addresses or prefixes"),
        ("a list", "true", "monitors.m.http.status", "write [\"200-299\"] or [204]"),
        ("a list", "{ ok = 200 }", "monitors.m.http.status", "write [200]"),
        (text, "[\"a\", \"b\"]", "services.s.pools.0", "take off the inner brackets"),
        (text, "5", "log.format", "write \"text\" or \"json\""),
        (
            "a size in quotes",
            "0.5",
            "server.udp.receive_buffer",
            "write a whole number with its unit, such as \"512KiB\"",
        ),
        ("a duration in quotes", "-5", "monitors.m.interval", ""),
        ("a duration in quotes", "inf", "monitors.m.interval", ""),
        ("a duration in quotes", "0x1F", "monitors.m.interval", "write \"31s\" for seconds, \"31ms\" for milliseconds"),
        ("a duration in quotes", "5", "regions.eu.bias", "write \"5ms\""),
        ("a duration in quotes", "-5", "regions.eu.bias", "write \"-5ms\""),
        ("a duration in quotes", "1.5", "policies.p.tolerance.rtt", "write \"1500us\" for 1.5 milliseconds"),
        ("a share in quotes", "0b110010", "services.s.canary.share", "write \"50%\""),
        ("a share in quotes", "inf", "services.s.canary.share", ""),
        ("a share in quotes", "500", "services.s.canary.share", ""),
        (
            "a distance in quotes",
            "1.5",
            "policies.p.limit.distance",
            "write a whole number with its unit, such as \"2km\"",
        ),
        (list, "0x1F", "services.s.pools", "write [\"31\"]"),
        (list, "inf", "services.s.pools", "write [\"NAME\"]"),
        (list, "0x35", "server.listen", "write [\"0.0.0.0:53\", \"[::]:53\"]"),
        (text, "inf", "hooks.h.rate", "write \"10/1m\""),
        (table, "-5", "services.s.ttl", "write { max = \"30s\" }"),
        (table, "\"30\"", "services.s.ttl", "write { max = \"30s\" }"),
        (table, "\"30 s\"", "services.s.ttl", "write { max = \"30s\" }"),
        (table, "8404", "loads.l.haproxy_agent", "write { port = 8404 }"),
        (text, "5", "hooks.h.rate", "write \"5/1m\""),
        (
            table,
            "[\"50.1\", \"8.6\"]",
            "regions.eu.location",
            "write { lat = 50.1, lon = 8.6 }, in degrees north and east",
        ),
        (table, "\"50.1, 8.6\"", "regions.eu.location", "write { lat = 50.1, lon = 8.6 }, in degrees north and east"),
        (
            table,
            "[\"N50\", \"E8\"]",
            "regions.eu.location",
            "write `{ lat = 50.11, lon = 8.68 }`, or `[regions.eu.location]` with keys below: `lat`, `lon`",
        ),
        (
            table,
            "[\"country:DE\"]",
            "regions.eu.fence",
            "write { only = [\"country:DE\"] } to let these in alone, { never = [\"country:DE\"] } to keep them out",
        ),
        (table, "\"192.0.2.4\"", "pools.p.endpoints.a", "write { region = \"NAME\", address = \"192.0.2.4\" }"),
        (table, "80", "monitors.m.tcp", "write { port = 80 }"),
        (table, "\"g.zone\"", "zones.\"g.test\"", "write { file = \"g.zone\" }"),
        (table, "\"/bin/probe\"", "monitors.m.exec", "write { command = [\"/bin/probe\"] }"),
        (table, "[\"/bin/probe\", \"-x\"]", "monitors.m.exec", "write { command = [\"/bin/probe\", \"-x\"] }"),
        (table, "\"30s\"", "services.s.ttl", "write { max = \"30s\" }"),
        (table, "30", "services.s.ttl", "write { max = \"30s\" }"),
        (
            "text in quotes or a table",
            "[\"192.0.2.9\"]",
            "services.s.when_all_down",
            "write { address = [\"192.0.2.9\"] }",
        ),
        ("text in quotes or a table", "[\"nodata\"]", "services.s.when_all_down", "take off the brackets: \"nodata\""),
        ("a whole number", "\"50.5\"", "pools.p.endpoints.a.weight", ""),
        ("a whole number", "\"007\"", "pools.p.endpoints.a.weight", "take off the quotes: 7"),
        ("a whole number", "[\"5\"]", "pools.p.endpoints.a.weight", "take off the quotes: 5"),
        ("a number", "\"50,1\"", "regions.eu.location.lat", "take off the quotes: 50.1"),
        ("a number", "\".5\"", "regions.eu.capacity", "take off the quotes: 0.5"),
        ("a boolean", "[\"yes\"]", "services.s.ecs", "write true"),
    ] {
        let path: Vec<&str> = path.split('.').map(|part| part.trim_matches('"')).collect();
        // The name of a zone holds a dot.
        let path: Vec<&str> = if path[0] == "zones" { vec!["zones", "g.test"] } else { path };
        let told = said(&format!("invalid type: other, expected {expected}"), value, &path).1;
        assert_eq!(told, remedy, "{value} for {}", path.join("."));
    }
}

#[test]
fn shares_are_told_in_hundredths() {
    assert_eq!(["0.5", "50", "0.125", "1"].map(percent), ["50", "50", "12.5", "1"]);
}
