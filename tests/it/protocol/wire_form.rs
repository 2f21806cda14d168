//! Wire form (P94 to P96). P94 is what the strict reader holds for every reply of these tests.

use super::*;

/// Whether the octets stand in the reply as they are, that is uncompressed.
fn holds(reply: &[u8], octets: &[u8]) -> bool {
    reply.windows(octets.len()).any(|window| window == octets)
}

fn raw(query: &Ask, zone: &str) -> Vec<u8> {
    let packet = query.packet();
    let reply = send(&example(zone), &packet, query.transport).expect("reply");
    sound(&packet, &reply);
    reply
}

#[test]
fn p95_names_are_compressed_for_the_types_of_rfc_1035_only() {
    // The second record's name repeats the first one's: a pointer would be possible in all of them.
    let target = wire("Target.other.net");
    for (rtype, rdata) in
        [("SRV", "1 1 1"), ("HTTPS", "1"), ("SVCB", "2"), ("AFSDB", "1"), ("KX", "1"), ("NAPTR", "1 1 \"\" \"\" \"\"")]
    {
        let again = rdata.replacen('1', "3", 1).replace("2", "4");
        let zone = format!("x {rtype} {rdata} Target.other.net.\nx {rtype} {again} Target.other.net.\n");
        let reply = raw(&ask(&format!("x.example.test {rtype}")), &zone);
        let count = reply.windows(target.len()).filter(|window| *window == target).count();
        assert_eq!(count, 2, "P95: {rtype}");
    }
    let rp = raw(&ask("x.example.test RP"), "x RP a.other.net. b.other.net.\n");
    assert!(holds(&rp, &wire("b.other.net")), "P95: RP");
    let dname = raw(&ask("q.x.example.test A"), "x DNAME y.x.example.test.\n");
    assert!(holds(&dname, &wire("y.x.example.test")), "P95: DNAME");
    for (rtype, rdata) in [("MX", "10"), ("NS", ""), ("PTR", "")] {
        let zone: String = (0..3).map(|n| format!("x {rtype} {rdata} n{n}.a.long.other.name.net.\n")).collect();
        let reply = raw(&ask(&format!("x.example.test {rtype}")), &zone);
        let tail = wire("a.long.other.name.net");
        assert_eq!(reply.windows(tail.len()).filter(|window| *window == tail).count(), 1, "P95: {rtype} is compressed");
    }
}

#[test]
fn p94_pointers_stay_below_16384_behind_the_longest_chain_and_in_the_largest_set() {
    // Fifteen DNAMEs with names as long as they get stand before a large set whose names share tails in pairs, so that
    // pointers lead to places all over it.
    let name = |n: usize| format!("{0}.{0}.{0}.{1}x{n:02}", "l".repeat(60), "t".repeat(52));
    let dnames: String = (0..15).map(|n| format!("{} DNAME {}\n", name(n), name(n + 1))).collect();
    let target = |n: usize| format!("m{n:03}.g{:03}.other.net", n / 2);
    let records: String = (0..900).map(|n| format!("a.{} MX {n} {}.\n", name(15), target(n))).collect();
    let snapshot = example(&(dnames + &records));
    let query = ask(&format!("a.{}.example.test MX", name(0))).tcp();
    assert_eq!(query.name.len(), 255);
    let reply = query.of(&snapshot);
    assert_eq!((reply.tc(), reply.answers().len()), (false, 30 + 900), "P94");
    for rr in &reply.answers()[30..] {
        let preference = u16::from_be_bytes([rr.data[0], rr.data[1]]);
        assert_eq!(rr.data[2..], wire(&target(usize::from(preference))), "P94");
        assert_eq!(rr.owner, wire(&format!("a.{}.example.test", name(15))), "P94");
    }
}

#[test]
fn p96_the_zone_files_case_is_kept_in_data() {
    let zone = "x MX 10 MaIl.ExAmPlE.TeSt.\nx MX 20 mail2.example.test.\nc CNAME WwW.eXAMPLE.test.\nWWW A 192.0.2.1\n";
    let reply = ask("x.example.test MX").of(&example(zone));
    assert_eq!(reply.answers()[0].data[2..], wire("MaIl.ExAmPlE.TeSt"), "P96");
    assert_eq!(reply.answers()[1].data[2..], wire("mail2.example.test"), "P96: not shared with another spelling");
    let reply = ask("c.example.test A").of(&example(zone));
    assert_eq!(reply.answers()[1].owner, wire("WwW.eXAMPLE.test"), "P96");
}
