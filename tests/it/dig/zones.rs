//! Static names, asked by `dig`: what RFC 1034, 2308, 4592 and 6672 promise.

use super::Server;

const ZONE: &str = r#"
$ORIGIN example.test.
$TTL 300
@        IN SOA  ns1 Hostmaster 1 7200 900 1209600 60
         IN NS   ns1
         IN NS   ns2.example.net.
         IN MX   10 mail
         IN MX   20 mail2
ns1      IN A    192.0.2.53
         IN AAAA 2001:db8::53
mail     IN A    192.0.2.25
mail2    IN A    192.0.2.26
MixEd    IN TXT  "kept"
www      60 IN A 192.0.2.1
         60 IN A 192.0.2.2
deep.empty IN A  192.0.2.3
alias    IN CNAME www
alias2   IN CNAME alias
dangling IN CNAME nothing
away     IN CNAME www.example.org.
loop     IN CNAME loop2
loop2    IN CNAME loop
tosub    IN CNAME host.sub
*.wild   IN A    192.0.2.4
         IN TXT  "wild"
host.wild IN TXT "blocks"
x.host2.wild IN A 192.0.2.5
*.cwild  IN CNAME www
sub      IN NS   ns.sub
         IN NS   ns.other
ns.sub   IN A    192.0.2.60
         IN AAAA 2001:db8::60
sub      IN DS   12345 13 2 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
ns.other IN A    192.0.2.61
insecure IN NS   ns1
old      IN DNAME new
new      IN A    192.0.2.7
a.new    IN A    192.0.2.8
srv      IN SRV  0 5 443 www
caa      IN CAA  0 issue "ca.example.net"
https    IN HTTPS 1 . alpn=h2,h3
unknown  IN TYPE65280 \# 4 DEADBEEF
empty    IN TYPE65281 \# 0
zero     0 IN A  192.0.2.9
"#;

fn server() -> Server {
    let many: String = (0..60).map(|n| format!("many IN A 192.0.2.{n}\nbig IN TXT \"{n:0200}\"\n")).collect();
    let zone = format!("{ZONE}{many}");
    let config = "[zones.\"example.test\"]\nfile = \"example.zone\"\n";
    Server::start("[\"127.0.0.1:0\"]", config, &[("example.zone", &zone)])
}

#[test]
fn names_types_and_outcomes() {
    let server = server();
    // question → status, whether AA is set, the answers' data, the first authority record's type
    for (question, status, aa, data, authority) in [
        ("www.example.test a", "NOERROR", true, &["192.0.2.1", "192.0.2.2"][..], ""),
        ("example.test ns", "NOERROR", true, &["ns1.example.test.", "ns2.example.net."], ""),
        ("www.example.test mx", "NOERROR", true, &[], "SOA"),
        ("nothing.example.test a", "NXDOMAIN", true, &[], "SOA"),
        ("below.www.example.test a", "NXDOMAIN", true, &[], "SOA"),
        ("deep2.empty.example.test a", "NXDOMAIN", true, &[], "SOA"),
        ("deep.empty.example.test a", "NOERROR", true, &["192.0.2.3"], ""),
        ("x.host2.wild.example.test a", "NOERROR", true, &["192.0.2.5"], ""),
        ("host2.wild.example.test a", "NOERROR", true, &[], "SOA"),
        ("any.wild.example.test a", "NOERROR", true, &["192.0.2.4"], ""),
        ("a.b.c.wild.example.test txt", "NOERROR", true, &["\"wild\""], ""),
        ("any.wild.example.test mx", "NOERROR", true, &[], "SOA"),
        ("host.wild.example.test a", "NOERROR", true, &[], "SOA"),
        ("y.host2.wild.example.test a", "NXDOMAIN", true, &[], "SOA"),
        ("*.wild.example.test a", "NOERROR", true, &["192.0.2.4"], ""),
        ("foo.*.wild.example.test a", "NXDOMAIN", true, &[], "SOA"),
        (
            "alias2.example.test a",
            "NOERROR",
            true,
            &["192.0.2.1", "192.0.2.2", "alias.example.test.", "www.example.test."],
            "",
        ),
        ("alias.example.test cname", "NOERROR", true, &["www.example.test."], ""),
        ("alias.example.test mx", "NOERROR", true, &["www.example.test."], "SOA"),
        ("dangling.example.test a", "NXDOMAIN", true, &["nothing.example.test."], "SOA"),
        ("away.example.test a", "NOERROR", true, &["www.example.org."], ""),
        ("x.cwild.example.test a", "NOERROR", true, &["192.0.2.1", "192.0.2.2", "www.example.test."], ""),
        ("tosub.example.test a", "NOERROR", true, &["host.sub.example.test."], "NS"),
        ("host.sub.example.test a", "NOERROR", false, &[], "NS"),
        ("sub.example.test soa", "NOERROR", false, &[], "NS"),
        (
            "sub.example.test ds",
            "NOERROR",
            true,
            &["12345 13 2 0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF01234567 89ABCDEF"],
            "",
        ),
        ("insecure.example.test ds", "NOERROR", true, &[], "SOA"),
        ("a.old.example.test a", "NOERROR", true, &["192.0.2.8", "a.new.example.test.", "new.example.test."], ""),
        ("old.example.test dname", "NOERROR", true, &["new.example.test."], ""),
        ("old.example.test a", "NOERROR", true, &[], "SOA"),
        ("b.old.example.test cname", "NOERROR", true, &["b.new.example.test.", "new.example.test."], ""),
        ("b.old.example.test a", "NXDOMAIN", true, &["b.new.example.test.", "new.example.test."], "SOA"),
        ("caa.example.test caa", "NOERROR", true, &["0 issue \"ca.example.net\""], ""),
        ("https.example.test https", "NOERROR", true, &["1 . alpn=\"h2,h3\""], ""),
        ("unknown.example.test type65280", "NOERROR", true, &["\\# 4 DEADBEEF"], ""),
        ("empty.example.test type65281", "NOERROR", true, &["\\# 0"], ""),
        ("www.example.test type1000", "NOERROR", true, &[], "SOA"),
        ("example.test any", "NOERROR", true, &["\"RFC8482\" \"\""], ""),
        ("alias.example.test any", "NOERROR", true, &["www.example.test."], ""),
        ("example.org a", "REFUSED", false, &[], ""),
        (". ns", "REFUSED", false, &[], ""),
        ("test soa", "REFUSED", false, &[], ""),
        ("example.test ds", "NOERROR", true, &[], "SOA"),
        ("id.server txt ch", "NOERROR", true, &["\"test-1\""], ""),
        ("version.bind txt ch", "REFUSED", false, &[], ""),
        ("example.test soa ch", "REFUSED", false, &[], ""),
        ("www.example.test a -c hs", "REFUSED", false, &[], ""),
    ] {
        let answer = server.dig(question);
        assert_eq!(answer.status, status, "{question}:\n{}", answer.text);
        assert_eq!(answer.has("aa"), aa, "{question}:\n{}", answer.text);
        assert_eq!(answer.data(), data, "{question}:\n{}", answer.text);
        assert_eq!(answer.authority.first().map_or("", |r| &r.rtype), authority, "{question}:\n{}", answer.text);
        assert!(!answer.has("ra") && !answer.has("ad"), "{question}:\n{}", answer.text);
    }
    assert!(server.dig("example.test axfr").text.contains("Transfer failed"));
}

#[test]
fn negative_answers_carry_the_soa_with_the_smaller_ttl() {
    let server = server();
    for question in ["nothing.example.test a", "www.example.test mx", "wild.example.test a"] {
        let answer = server.dig(question);
        let soa = &answer.authority[0];
        assert_eq!((soa.owner.as_str(), soa.ttl), ("example.test.", 60), "{question}: MINIMUM, not the SOA's 300");
        assert!(soa.data.contains("Hostmaster"), "the file's case is kept: {}", soa.data);
    }
    assert_eq!(server.dig("example.test soa").answer[0].ttl, 300);
    assert_eq!(server.dig("zero.example.test a").answer[0].ttl, 0);
}

#[test]
fn a_referral_has_its_glue_and_a_loop_ends() {
    let server = server();
    let referral = server.dig("a.b.sub.example.test a");
    let mut glue: Vec<_> = referral.additional.iter().map(|r| (r.owner.as_str(), r.data.as_str())).collect();
    glue.sort_unstable();
    assert_eq!(
        glue,
        [
            ("ns.other.example.test.", "192.0.2.61"),
            ("ns.sub.example.test.", "192.0.2.60"),
            ("ns.sub.example.test.", "2001:db8::60"),
        ]
    );
    let chain = server.dig("loop.example.test a");
    assert_eq!(chain.status, "NOERROR");
    assert!(chain.answer.len() <= 17, "{}", chain.text);
}

#[test]
fn addresses_of_targets_come_along() {
    let server = server();
    let mx = server.dig("example.test mx");
    assert_eq!(mx.answer.len(), 2);
    let owners: Vec<_> = mx.additional.iter().map(|r| r.owner.as_str()).collect();
    assert_eq!(owners, ["mail.example.test.", "mail2.example.test."]);
    assert_eq!(server.dig("srv.example.test srv").additional.len(), 2);
}

#[test]
fn case_comes_back_as_it_was_asked_and_folds_in_the_search() {
    let server = server();
    let answer = server.dig("wWw.eXample.TEST a");
    assert!(answer.question.starts_with("wWw.eXample.TEST."), "{}", answer.question);
    assert_eq!(answer.answer.len(), 2);
    assert_eq!(server.dig("mixed.example.test txt").one(), "\"kept\"");
}

#[test]
fn what_does_not_fit_is_truncated_whole_and_comes_over_tcp() {
    let server = server();
    let cut = server.dig("many.example.test a +noedns +ignore");
    assert!(cut.has("tc") && cut.answer.is_empty() && cut.size <= 512, "{}", cut.text);
    assert_eq!(server.dig("many.example.test a +bufsize=1232").answer.len(), 60, "60 × 16 octets fit");
    let big = server.dig("big.example.test txt +bufsize=4096 +ignore");
    assert!(big.has("tc"), "our own ceiling is 1232: {}", big.text);
    let whole = server.dig("big.example.test txt");
    assert!(!whole.has("tc") && whole.answer.len() == 60, "dig retried over TCP: {}", whole.text);
    let exact = server.dig("many.example.test a +bufsize=1018 +ignore");
    assert!(exact.size <= 1018, "{}", exact.size);
}

#[test]
fn edns_is_answered_in_kind() {
    let server = server();
    let plain = server.dig("www.example.test a +noedns");
    assert!(!plain.text.contains("OPT PSEUDOSECTION"));
    let edns = server.dig("www.example.test a +edns=0 +dnssec");
    assert!(edns.text.contains("EDNS: version: 0, flags: do; udp: 1232"), "{}", edns.text);
    let later = server.dig("www.example.test a +edns=1 +noednsneg");
    assert_eq!(later.status, "BADVERS");
    assert!(later.answer.is_empty() && later.text.contains("version: 0"), "{}", later.text);
    let option = server.dig("www.example.test a +ednsopt=100:00112233");
    assert!(!option.text.contains("OPT=100") && option.answer.len() == 2, "{}", option.text);
    let flags = server.dig("www.example.test a +ednsflags=0x80 +zflag +adflag +cdflag");
    assert_eq!(flags.answer.len(), 2);
    assert!(!flags.text.contains("MBZ") && !flags.has("ad") && !flags.has("cd"), "{}", flags.text);
    assert_eq!(server.dig("www.example.test a +opcode=15").status, "NOTIMP");
    assert_eq!(server.dig("www.example.test a +opcode=5").status, "REFUSED");
    assert_eq!(server.dig("www.example.test a +subnet=192.0.2.0/24").scope(), 0, "static data is for everybody");
}

#[test]
fn a_reload_that_takes_a_name_from_a_wildcard_service_warns_and_keeps_to_rfc_4592() {
    let config = "[zones.\"example.test\"]\nfile = \"example.zone\"\n[regions.eu]\n[pools.p.endpoints]\n\
                  a = { region = \"eu\", address = [\"192.0.2.1\"] }\n[services.\"*.wild.example.test\"]\npools = [\"p\"]\n";
    let zone =
        "$ORIGIN example.test.\n$TTL 300\n@ SOA ns1 hostmaster 1 7200 900 1209600 60\n@ NS ns1\nns1 A 192.0.2.53\n";
    let mut server = Server::start("[\"127.0.0.1:0\"]", config, &[("example.zone", zone)]);
    assert_eq!(server.dig("shop.wild.example.test a").data(), ["192.0.2.1"]);
    server.put("example.zone", &format!("{zone}_acme-challenge.shop.wild TXT token\n"));
    server.signal("HUP");
    let line = server.wait_for("shop.wild.example.test. exists because of");
    assert!(
        line.contains("_acme-challenge.shop.wild.example.test. TXT, so *.wild.example.test. does not answer for it")
    );
    server.wait_for("in force");
    assert_eq!(server.dig("shop.wild.example.test a").authority[0].rtype, "SOA");
    assert_eq!(server.dig("other.wild.example.test a").data(), ["192.0.2.1"]);
}
