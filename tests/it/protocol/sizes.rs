//! Sizes, to the octet (P82 to P86).

use meridian::engine::snapshot::Snapshot;

use super::*;

/// Octets of header and question for a name of `example.test` with a first label of this many.
fn overhead(label: usize) -> usize {
    12 + (1 + label + 14) + 4
}

/// A zone where the TXT reply for `t{n}` without EDNS has exactly `n` octets.
fn exact(sizes: &[usize], config: &str) -> Snapshot {
    let text: String = sizes
        .iter()
        .map(|&size| {
            let label = format!("t{size}");
            let mut rest = size - overhead(label.len()) - 12;
            let mut strings = String::new();
            while rest > 0 {
                let len = (rest - 1).min(if rest == 257 { 200 } else { 255 });
                strings += &format!(" \"{}\"", "z".repeat(len));
                rest -= len + 1;
            }
            format!("{label} TXT{strings}\n")
        })
        .collect();
    healthy(&world(&[("example.test", &text)], config))
}

fn assert_cut(query: &Ask, snapshot: &Snapshot, limit: usize, rule: &str) {
    let reply = query.of(snapshot);
    assert!(reply.tc() && reply.answers().is_empty() && reply.len <= limit, "{rule}: {reply:?}");
    assert_eq!(reply.opt.is_some(), query.opt.is_some(), "P79: {rule}");
    assert_eq!((reply.rcode(), reply.aa()), (NOERROR, true), "{rule}");
}

#[test]
fn p82_without_edns_512_octets_and_not_one_more() {
    let snapshot = exact(&[511, 512, 513], "");
    for size in [511, 512] {
        let reply = ask(&format!("t{size}.example.test TXT")).of(&snapshot);
        assert_eq!((reply.len, reply.tc()), (size, false), "P82");
    }
    assert_cut(&ask("t513.example.test TXT"), &snapshot, 512, "P82");
    assert_eq!(ask("t513.example.test TXT").tcp().of(&snapshot).len, 513, "P82: over TCP");
}

#[test]
fn p83_p84_the_clients_size_and_our_ceiling() {
    // OPT takes 11 octets, a client subnet of /24 another 11.
    let snapshot = exact(&[789, 790, 1210, 1211, 1220, 1221, 1222, 1500], "");
    for (size, offered, whole) in [
        (789, 800, true),
        (790, 800, false),
        (790, 801, true),
        (1221, 1232, true),
        (1222, 1232, false),
        (1222, 1233, false), // our own ceiling
        (1222, 65_535, false),
        (1500, 4096, false),
        (1221, 1231, false),
    ] {
        let query = ask(&format!("t{size}.example.test TXT")).size(offered);
        if whole {
            let reply = query.of(&snapshot);
            assert_eq!((reply.len, reply.tc()), (size + 11, false), "P83: {size} in {offered}");
        } else {
            assert_cut(&query, &snapshot, usize::from(offered).min(1232), &format!("P83, P84: {size} in {offered}"));
        }
    }
    let query = |size| ask(&format!("t{size}.example.test TXT")).subnet("198.51.100.0/24");
    assert_eq!(query(1210).of(&snapshot).len, 1232, "P83: OPT and its options count");
    assert_cut(&query(1211), &snapshot, 1232, "P83");
}

#[test]
fn p84_the_ceiling_is_configured() {
    for (ceiling, whole, cut) in [(512, 501, 502), (4096, 4085, 4086)] {
        let snapshot = exact(&[whole, cut], &format!("[server]\nudp = {{ max_size = {ceiling} }}\n"));
        assert_eq!(ask(&format!("t{whole}.example.test TXT")).size(65_535).of(&snapshot).len, ceiling, "P84");
        assert_cut(&ask(&format!("t{cut}.example.test TXT")).size(65_535), &snapshot, ceiling, "P84");
        assert!(ask(&format!("t{cut}.example.test TXT")).of(&snapshot).len <= 512, "P84");
    }
}

#[test]
fn p85_whole_rrsets_or_none() {
    let many: String = (0..60).map(|n| format!("many A 192.0.2.{n}\n")).collect();
    let snapshot = example(&format!("{many}c1 CNAME c2\nc2 CNAME many\n"));
    let reply = ask("c1.example.test A").of(&snapshot);
    let owners = ["c1.example.test.", "c2.example.test."].map(|owner| (owner.to_owned(), CNAME));
    assert_eq!((reply.tc(), kinds(reply.answers())), (true, owners.to_vec()), "P85");
    assert!(reply.authority().is_empty() && reply.additional().is_empty(), "P85");
    // A negative answer whose SOA does not fit is truncated too, never an empty success.
    let label = "s".repeat(63);
    let soa = format!(
        "$TTL 300\n@ SOA {0}.{0}.{0} {0}.{0}.{0}.{0}.o. 1 7200 900 1209600 60\n NS {0}.{0}.{0}\nn DNAME {0}.{0}.{0}\n",
        label.replace("sss", "s")
    );
    let snapshot = healthy(&whole_world(&[("example.test", &soa)], ""));
    let reply = ask("q.n.example.test A").of(&snapshot);
    assert!(reply.len <= 512, "P85");
    assert_eq!(reply.tc(), reply.authority().is_empty(), "P85");
}

#[test]
fn p85_an_rrset_of_60000_octets_goes_over_tcp() {
    let text: String = (0..230).map(|n| format!("big TXT \"{n:0245}\"\n")).collect();
    let records: String = (0..3_900).map(|n| format!("wide A 10.1.{}.{}\n", n / 250, n % 250)).collect();
    let snapshot = example(&format!("{text}{records}"));
    let reply = ask("big.example.test TXT").tcp().of(&snapshot);
    assert_eq!((reply.tc(), reply.answers().len()), (false, 230), "P85");
    let reply = ask("wide.example.test A").tcp().of(&snapshot);
    assert!(reply.len > 62_000, "P85: {}", reply.len);
    assert_eq!((reply.tc(), reply.answers().len()), (false, 3_900), "P85");
    for name in ["big.example.test TXT", "wide.example.test A"] {
        assert_cut(&ask(name).size(4096), &snapshot, 1232, "P85");
    }
}

#[test]
fn p86_replies_without_edns_never_exceed_512() {
    let many: String =
        (0..200).map(|n| format!("@ TXT \"{n:0100}\"\n@ MX {n} m{n}\n@ TYPE48 \\# 4 0000{n:04x}\n")).collect();
    let snapshot = example(&many);
    for rtype in ["ANY", "TXT", "MX", "TYPE48", "NS", "SOA", "TYPE46"] {
        let query = ask(&format!("example.test {rtype}"));
        let (asked, reply) = (query.packet().len(), query.of(&snapshot));
        assert!(reply.len <= 512, "P86: {rtype} {asked} → {}", reply.len);
        if rtype == "ANY" || reply.tc() {
            assert!(reply.len <= 3 * asked, "P86: {rtype} {asked} → {}", reply.len);
        }
    }
}
