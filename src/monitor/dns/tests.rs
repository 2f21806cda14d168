//! Answers that are judged, and servers that answer over UDP and TCP, rightly and otherwise.

use std::net::Ipv4Addr;

use hickory_proto::rr::rdata::{A, CNAME, MX, TXT};

use tokio::{
    net::{TcpListener, UdpSocket},
    sync::mpsc,
};

use super::*;

fn name(text: &str) -> Name {
    Name::from_ascii(text).expect(text)
}

fn dns(rtype: &str, expect: &[&str]) -> Dns {
    let expect = expect.iter().map(|text| Box::from(*text)).collect();
    let check = DnsCheck { port: 53, name: "www.Example.com".into(), rtype: rtype.into(), expect };
    Dns::of(&check, Ipv4Addr::LOCALHOST.into(), None, fastrand::Rng::with_seed(7)).expect("a question")
}

fn judged(dns: &Dns, rcode: ResponseCode, data: Vec<RData>) -> Result<(), Outcome> {
    let mut answer = Message::new(7, MessageType::Response, OpCode::Query);
    answer.metadata.response_code = rcode;
    answer.add_answers(data.into_iter().map(|data| Record::from_rdata(name("www.example.com."), 60, data)));
    judge(&answer, &dns.question, &dns.expect)
}

fn a(last: u8) -> RData {
    RData::A(A(Ipv4Addr::new(192, 0, 2, last)))
}

#[test]
fn all_that_is_expected_must_be_there_and_more_may_be() {
    let alias = || RData::CNAME(CNAME(name("other.example.com.")));
    let one = dns("A", &["192.0.2.1", "192.0.2.2"]);
    assert_eq!(judged(&one, ResponseCode::NoError, vec![alias(), a(2), a(3), a(1)]), Ok(()));
    let lacks = judged(&one, ResponseCode::NoError, vec![alias(), a(2)]);
    assert_eq!(lacks, Err(Outcome::Bad("answer lacks 192.0.2.1".into())));
    let lacks = judged(&one, ResponseCode::NoError, Vec::new());
    assert_eq!(lacks, Err(Outcome::Bad("answer lacks 192.0.2.1, 192.0.2.2".into())));
    let none = dns("A", &[]);
    assert_eq!(judged(&none, ResponseCode::NoError, Vec::new()), Ok(()));
}

#[test]
fn an_error_is_told_by_its_name() {
    let any = dns("A", &[]);
    for (code, text) in [
        (ResponseCode::ServFail, "rcode SERVFAIL"),
        (ResponseCode::NXDomain, "rcode NXDOMAIN"),
        (ResponseCode::Refused, "rcode REFUSED"),
        (ResponseCode::YXDomain, "rcode 6"),
    ] {
        assert_eq!(judged(&any, code, vec![a(1)]), Err(Outcome::Bad(text.into())));
    }
}

#[test]
fn data_compares_as_people_write_it() {
    let ok = |rtype, text: &str, data| judged(&dns(rtype, &[text]), ResponseCode::NoError, vec![data]);
    assert_eq!(ok("MX", "10 Mail.example.com", RData::MX(MX::new(10, name("mail.example.com.")))), Ok(()));
    let text = || RData::TXT(TXT::new(vec!["v=spf1 ".to_owned(), "-all".to_owned()]));
    assert_eq!(ok("TXT", "v=spf1 -all", text()), Ok(()));
    assert_ne!(ok("TXT", "v=spf1", text()), Ok(()));
    let six = RData::AAAA(hickory_proto::rr::rdata::AAAA("2001:db8::1".parse().expect("address")));
    assert_eq!(ok("AAAA", "2001:DB8:0::1", six), Ok(()));
    assert_eq!(ok("CNAME", "b.example.", RData::CNAME(CNAME(name("B.example.")))), Ok(()));
}

#[test]
fn only_the_answer_to_this_very_question_counts() {
    let dns = dns("A", &[]);
    let reply = |id: u16, kind: MessageType, about: Option<&str>, rcode: ResponseCode| {
        let mut message = Message::new(id, kind, OpCode::Query);
        message.metadata.response_code = rcode;
        message.add_queries(about.map(|about| Query::query(name(about), RecordType::A)));
        dns.answer(&message.to_vec().expect("octets"), 7).is_some()
    };
    let (no, fail) = (ResponseCode::NoError, ResponseCode::ServFail);
    assert!(reply(7, MessageType::Response, Some("WWW.example.com."), no));
    assert!(reply(7, MessageType::Response, None, fail));
    assert!(!reply(7, MessageType::Response, None, no));
    assert!(!reply(8, MessageType::Response, Some("www.example.com."), no));
    assert!(!reply(7, MessageType::Query, Some("www.example.com."), no));
    assert!(!reply(7, MessageType::Response, Some("example.com."), fail));
    assert!(dns.answer(b"not DNS", 7).is_none());
}

/// A server on loopback: to each query over UDP it sends what `udp` makes of it, to each over TCP what `tcp` does.
async fn serve(
    udp: impl Fn(&Message) -> Vec<Vec<u8>> + Send + 'static,
    tcp: impl Fn(&Message) -> Vec<u8> + Send + 'static,
) -> (SocketAddr, mpsc::Receiver<SocketAddr>) {
    let (listener, address, socket) = loop {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        match UdpSocket::bind(address).await {
            Ok(socket) => break (listener, address, socket),
            // Somebody has it for UDP: another one, then.
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse),
        }
    };
    let (send, seen) = mpsc::channel(16);
    let whom = send.clone();
    tokio::spawn(async move {
        let mut buffer = [0; 512];
        while let Ok((count, peer)) = socket.recv_from(&mut buffer).await {
            let _ = whom.send(peer).await;
            for reply in udp(&Message::from_vec(&buffer[..count]).expect("a query")) {
                let _ = socket.send_to(&reply, peer).await;
            }
        }
    });
    tokio::spawn(async move {
        while let Ok((mut stream, peer)) = listener.accept().await {
            let _ = send.send(peer).await;
            let mut query = vec![0; stream.read_u16().await.expect("a length").into()];
            stream.read_exact(&mut query).await.expect("a query");
            let reply = tcp(&Message::from_vec(&query).expect("a query"));
            let _ = stream.write_all(&(reply.len() as u16).to_be_bytes()).await;
            let _ = stream.write_all(&reply).await;
        }
    });
    (address, seen)
}

fn reply(query: &Message, change: impl Fn(&mut Message)) -> Vec<u8> {
    let mut reply = Message::new(query.metadata.id, MessageType::Response, OpCode::Query);
    reply.add_queries(query.queries.iter().cloned());
    reply.add_answer(Record::from_rdata(query.queries[0].name().clone(), 60, a(1)));
    change(&mut reply);
    reply.to_vec().expect("octets")
}

fn at(to: SocketAddr, source: Option<IpAddr>) -> Dns {
    let expect = vec!["192.0.2.1".into()];
    let check = DnsCheck { port: to.port(), name: "www.example.com".into(), rtype: "A".into(), expect };
    Dns::of(&check, to.ip(), source, fastrand::Rng::with_seed(7)).expect("a question")
}

#[tokio::test]
async fn forged_answers_do_not_end_the_wait_for_the_right_one() {
    let udp = |query: &Message| {
        let wrong_id = reply(query, |reply| reply.metadata.id ^= 1);
        let wrong_name = reply(query, |reply| {
            reply.queries[0].set_name(name("other.example."));
        });
        vec![b"noise".to_vec(), wrong_id, wrong_name, reply(query, |_| ())]
    };
    let (to, _) = serve(udp, |_| Vec::new()).await;
    assert_eq!(at(to, None).ask().await, Ok(Fine::default()));
}

#[tokio::test]
async fn a_cut_answer_is_asked_for_again_over_tcp() {
    let cut = |query: &Message| {
        vec![reply(query, |reply| {
            reply.metadata.truncation = true;
            reply.answers.clear();
        })]
    };
    let (to, _) = serve(cut, |query| reply(query, |_| ())).await;
    let fine = at(to, None).ask().await.expect("good");
    assert!(fine.connect.is_some());
    let (to, _) = serve(cut, |query| reply(query, |reply| reply.metadata.id ^= 1)).await;
    let why = "what came over TCP is no answer to the question";
    assert_eq!(at(to, None).ask().await, Err(Outcome::Bad(why.into())));
}

#[tokio::test]
async fn every_probe_has_a_number_and_a_port_of_its_own_and_the_source_that_is_wanted() {
    let source = Ipv4Addr::new(127, 0, 0, 9).into();
    let (ids, mut numbers) = mpsc::unbounded_channel();
    let udp = move |query: &Message| {
        let _ = ids.send(query.metadata.id);
        vec![reply(query, |_| ())]
    };
    let (to, mut seen) = serve(udp, |_| Vec::new()).await;
    let mut dns = at(to, Some(source));
    let (mut found, mut ports) = (Vec::new(), Vec::new());
    for _ in 0..4 {
        assert!(dns.ask().await.is_ok());
        found.push(numbers.recv().await.expect("a number"));
        let peer = seen.recv().await.expect("a peer");
        assert_eq!(peer.ip(), source);
        ports.push(peer.port());
    }
    found.dedup();
    ports.dedup();
    assert!(found.len() > 1 && ports.len() > 1, "{found:?} {ports:?}");
}

#[tokio::test]
async fn nobody_there_is_bad_and_a_source_that_is_not_ours_says_nothing() {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let to = socket.local_addr().expect("an address");
    drop(socket);
    assert_eq!(at(to, None).ask().await, Err(Outcome::Bad("connection refused".into())));
    let elsewhere = Ipv4Addr::new(192, 0, 2, 9).into();
    let why = "`source` says 192.0.2.9, which is no address of this node";
    assert_eq!(at(to, Some(elsewhere)).ask().await, Err(Outcome::Unasked(why.into())));
}
