//! What a reload says of what it changes, and what it does not take: losses by mistake, zones that go back, geo databases
//! that have shrunk.

use std::process::Command;

use super::{Answer, Server};

const ZONE: &str = "$ORIGIN r.test.\n$TTL 60\n@ IN SOA ns1 h 7 1 1 1 30\n@ IN NS ns1\nns1 IN A 192.0.2.53\n";
const LISTEN: &str = "[\"127.0.0.1:0\"]";

/// A service of its own pool with one endpoint.
fn service(name: &str, address: &str) -> String {
    format!(
        "[pools.{name}]\n[pools.{name}.endpoints.one]\nregion = \"eu\"\naddress = \"{address}\"\n\
         [services.\"{name}.r.test\"]\npools = [\"{name}\"]\n"
    )
}

/// A server whose services stand in files of their own.
fn split(files: &[(&str, &str)]) -> Server {
    let config = "[regions.eu]\nlocation = { lat = 50.1, lon = 8.7 }\n[zones.\"r.test\"]\nfile = \"r.zone\"\n";
    // `include` stands before the first table.
    let server = Server::start(LISTEN, config, &[&[("r.zone", ZONE)], files].concat());
    server.edit("meridian.toml", "version = 1\n", "version = 1\ninclude = [\"*.conf\"]\n");
    server
}

fn reload(server: &mut Server, line: &str) -> String {
    server.signal("HUP");
    server.wait_for(line)
}

#[test]
fn a_reload_that_would_leave_no_service_is_refused_and_names_the_pattern() {
    let (web, api) = (service("web", "192.0.2.1"), service("api", "192.0.2.2"));
    let mut server = split(&[("1.conf", &web), ("2.conf", &api)]);
    let said = reload(&mut server, "the configuration is in force");
    assert!(said.contains("added: 2 services (api.r.test, web.r.test), 2 pools (api, web)"), "{said}");
    assert!(said.contains(", 2 endpoints (api/one, web/one)") && said.contains("INFO"), "{said}");
    assert_eq!(server.dig("web.r.test a").one(), "192.0.2.1");

    // One of them: it is in force, and the line says what is lost.
    server.remove("2.conf");
    let said = reload(&mut server, "the configuration is in force");
    let lost = "removed: 1 service (api.r.test), 1 pool (api), 1 endpoint (api/one)";
    assert!(said.contains("WARN") && said.contains(lost), "{said}");
    assert_eq!(server.dig("api.r.test a").status, "NXDOMAIN");

    // The last one: nothing moves.
    server.remove("1.conf");
    let said = reload(&mut server, "the reload is refused");
    assert!(said.contains("ERROR"), "{said}");
    assert!(said.contains("it would leave no service where there is 1 service"), "{said}");
    assert!(said.contains("`include` has \"*.conf\", which matches no file: put its files back"), "{said}");
    assert!(said.contains("restart the server"), "{said}");
    assert_eq!(server.dig("web.r.test a").one(), "192.0.2.1");

    server.put("1.conf", &service("web", "192.0.2.9"));
    let said = reload(&mut server, "the configuration is in force");
    assert!(said.contains("changed: 1 endpoint (web/one)") && !said.contains("removed"), "{said}");
    assert_eq!(server.dig("web.r.test a").one(), "192.0.2.9");
}

#[test]
fn a_reload_that_would_leave_no_zone_is_refused_where_none_is_steered_either() {
    let mut server = split(&[]);
    let zone = "[zones.\"r.test\"]\nfile = \"r.zone\"\n";
    server.edit("meridian.toml", zone, "");
    server.put("zones.conf", zone);
    let said = reload(&mut server, "the configuration is in force");
    assert!(!said.contains("removed"), "the zone has only moved: {said}");
    server.remove("zones.conf");
    let said = reload(&mut server, "the reload is refused");
    assert!(said.contains("it would leave no zone where there is 1 zone") && said.contains("\"*.conf\""), "{said}");
    assert_eq!(server.dig("ns1.r.test a").one(), "192.0.2.53");
}

#[test]
fn an_included_file_that_is_a_link_to_nothing_refuses_the_reload() {
    let (web, api) = (service("web", "192.0.2.1"), service("api", "192.0.2.2"));
    let mut server = split(&[("1.conf", &web), ("2.conf", &api)]);
    reload(&mut server, "the configuration is in force");
    server.remove("2.conf");
    std::os::unix::fs::symlink("gone", server.path("2.conf")).expect("linked");
    reload(&mut server, "2.conf cannot be read");
    server.wait_for("the old configuration stays in force");
    assert_eq!(server.dig("api.r.test a").one(), "192.0.2.2");
}

#[test]
fn of_many_that_a_reload_removes_ten_are_named() {
    let many: String = (10..22).map(|n| service(&format!("s{n}"), "192.0.2.1")).collect();
    let mut server = split(&[("all.conf", &many)]);
    reload(&mut server, "the configuration is in force");
    server.put("all.conf", &service("other", "192.0.2.1"));
    let said = reload(&mut server, "the configuration is in force");
    let names: Vec<String> = (10..20).map(|n| format!("s{n}.r.test")).collect();
    assert!(said.contains(&format!("removed: 12 services ({} and 2 more)", names.join(", "))), "{said}");
}

#[test]
fn a_zone_serial_that_goes_back_is_a_warning() {
    let mut server = split(&[]);
    for (from, to, level, clause) in [
        ("h 7 1", "h 9 1", "INFO", "zone r.test has serial 9, before 7"),
        ("h 9 1", "h 8 1", "WARN", "the serial of zone r.test goes back from 9 to 8"),
        // Serials go round: 4294967295 lies before 8.
        ("h 8 1", "h 4294967295 1", "WARN", "the serial of zone r.test goes back from 8 to 4294967295"),
        ("h 4294967295 1", "h 3 1", "INFO", "zone r.test has serial 3, before 4294967295"),
        ("192.0.2.53", "192.0.2.54", "INFO", "zone r.test has other records under the same serial 3"),
    ] {
        server.edit("r.zone", from, to);
        let said = reload(&mut server, "the configuration is in force");
        assert!(said.contains(clause) && said.contains(level), "{said}");
    }
    let said = reload(&mut server, "the configuration is in force");
    assert!(said.ends_with("0 new, 0 gone"), "nothing has changed: {said}");
}

/// Makes a database of these lines in the place of a file.
fn build(server: &Server, file: &str, lines: &str) {
    server.put("lines.csv", &format!("prefix,continent,country,asn\n{lines}"));
    let made = Command::new(env!("CARGO_BIN_EXE_meridian"))
        .args(["geo", "build"])
        .arg(server.path("lines.csv"))
        .arg("-o")
        .arg(server.path(file))
        .output()
        .expect("it runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

/// So many /16s of Germany, from 20.0.0.0 on, and as many /32s of IPv6; each of an AS of its own, so that none are joined.
fn networks(v4: u32, v6: u32) -> String {
    let four: String = (0..v4).map(|n| format!("20.{n}.0.0/16,EU,DE,{}\n", 64_500 + n)).collect();
    four + &(0..v6).map(|n| format!("2a00:{n:x}::/32,EU,DE,{}\n", 64_500 + n)).collect::<String>()
}

/// A server that steers by a database of 20 IPv4 and 20 IPv6 networks.
fn steered() -> Server {
    let config = "[regions.eu]\n[regions.us]\n[policies.g]\nprefer = [\"geo\"]\n[policies.g.geo]\ndefault = [\"us\"]\n\
                  country = { DE = [\"eu\", \"us\"] }\n[pools.web]\npolicy = \"g\"\n[pools.web.endpoints.eu-1]\n\
                  region = \"eu\"\naddress = \"192.0.2.1\"\n[pools.web.endpoints.us-1]\nregion = \"us\"\n\
                  address = \"192.0.2.2\"\n[services.\"www.r.test\"]\npools = [\"web\"]\n\
                  [zones.\"r.test\"]\nfile = \"r.zone\"\n";
    let mut server = Server::start(LISTEN, config, &[("r.zone", ZONE)]);
    build(&server, "geo.mmdb", &networks(20, 20));
    server.edit("meridian.toml", "[regions.eu]\n", "[geo]\ndatabases = [\"geo.mmdb\"]\n[regions.eu]\n");
    let said = reload(&mut server, "the configuration is in force");
    assert!(said.contains("geo.mmdb has 40 networks and is new"), "{said}");
    server
}

fn ask(server: &Server, client: &str) -> String {
    Answer::ask(server.addresses[0], &format!("www.r.test a +subnet={client}")).one().to_owned()
}

#[test]
fn a_geo_database_that_covers_much_less_is_not_taken_and_the_rest_of_the_reload_is() {
    let mut server = steered();
    assert_eq!(ask(&server, "20.19.0.0/24"), "192.0.2.1");
    // A tenth less is what may be.
    build(&server, "geo.mmdb", &networks(18, 20));
    let said = reload(&mut server, "the configuration is in force");
    assert!(said.contains("INFO") && said.contains("geo.mmdb has 38 networks, before 40"), "{said}");
    assert_eq!(ask(&server, "20.19.0.0/24"), "192.0.2.2");

    // The same file is no change, another one of as many networks is.
    let said = reload(&mut server, "the configuration is in force");
    assert!(!said.contains("geo.mmdb"), "{said}");
    build(&server, "geo.mmdb", &networks(18, 20).replace(",64500", ",64999"));
    let said = reload(&mut server, "the configuration is in force");
    assert!(said.contains("geo.mmdb has 38 networks, before 38"), "{said}");

    build(&server, "geo.mmdb", &networks(9, 20));
    server.edit("meridian.toml", "192.0.2.1", "192.0.2.7");
    // It is compared with what is in force, however often it is tried.
    for _ in 0..2 {
        server.signal("HUP");
        let told = server.wait_for("is not taken, the one in force goes on");
        assert!(told.contains("geo.mmdb") && told.contains("WARN"), "{told}");
        server.wait_for("geo.max_shrink = \"100%\"");
        let said = server.wait_for("the configuration is in force");
        let clause = "is not taken, for it covers 50.0% less IPv4 address space with a country or place than the one in \
                      force: the one from before goes on";
        assert!(said.contains("WARN") && said.contains(clause), "{said}");
        assert_eq!(ask(&server, "20.17.0.0/24"), "192.0.2.7", "the old database and the new address");
    }
    server.edit("meridian.toml", "[geo]\n", "[geo]\nmax_shrink = \"100%\"\n");
    let said = reload(&mut server, "the configuration is in force");
    assert!(said.contains("geo.mmdb has 29 networks, before 38") && said.contains("INFO"), "{said}");
    assert_eq!(ask(&server, "20.17.0.0/24"), "192.0.2.2");
}

#[test]
fn a_geo_database_that_has_lost_its_countries_or_a_family_is_not_taken() {
    let mut server = steered();
    for (lines, what) in [
        // As many networks as before, and nothing in most of them that says where they are.
        (networks(20, 20).replace(",EU,DE,", ",,,").replace("20.0.0.0/16,,,", "20.0.0.0/16,EU,DE,"), "95.0% less IPv4"),
        (networks(40, 0), "100.0% less IPv6"),
        (networks(0, 40), "100.0% less IPv4"),
    ] {
        build(&server, "geo.mmdb", &lines);
        let said = reload(&mut server, "the configuration is in force");
        assert!(said.contains("is not taken") && said.contains(what), "{said}");
        assert_eq!(ask(&server, "20.19.0.0/24"), "192.0.2.1");
    }
}

#[test]
fn another_path_or_type_of_a_geo_database_is_only_said() {
    let mut server = steered();
    build(&server, "other.mmdb", &networks(1, 1));
    server.edit("meridian.toml", "geo.mmdb", "other.mmdb");
    let said = reload(&mut server, "the configuration is in force");
    assert!(said.contains("other.mmdb has 2 networks and is new"), "{said}");
    assert!(said.contains("geo.mmdb is not used any more"), "{said}");
    assert_eq!(ask(&server, "20.19.0.0/24"), "192.0.2.2");

    let bytes = std::fs::read(server.path("other.mmdb")).expect("readable");
    // The type stands once in the metadata; another one of the same length keeps the format whole.
    let at = bytes.windows(13).position(|window| window == b"Meridian-City").expect("its type");
    let mut renamed = bytes.clone();
    renamed[at..at + 13].copy_from_slice(b"Meridian2City");
    std::fs::write(server.path("other.mmdb"), renamed).expect("written");
    let said = reload(&mut server, "the configuration is in force");
    let clause = "other.mmdb has 2 networks of type Meridian2City, before 2 of type Meridian-City";
    assert!(said.contains(clause) && said.contains("INFO"), "{said}");
}
