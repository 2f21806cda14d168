//! Datagrams: batches, source addresses, allocations.

use std::{
    collections::BTreeSet,
    net::{IpAddr, UdpSocket},
    time::Duration,
};

use super::*;
use crate::net::{
    batch::{Batch, wake},
    udp::{Wait, Worker},
};

/// Long enough that only a lost datagram takes it.
const LOST: Duration = Duration::from_secs(20);

pub(super) fn client(address: SocketAddr) -> UdpSocket {
    let from: SocketAddr = if address.is_ipv4() { loopback() } else { loopback6() };
    let socket = UdpSocket::bind(from).unwrap();
    socket.set_read_timeout(Some(LOST)).unwrap();
    socket.connect(address).unwrap();
    socket
}

fn receive(socket: &UdpSocket) -> Vec<u8> {
    let mut octets = [0; 8192];
    let len = socket.recv(&mut octets).unwrap();
    octets[..len].to_vec()
}

/// A worker that the test turns by hand, and its address.
pub(super) fn by_hand<S: Respond>(
    board: &Board<S>,
    listen: SocketAddr,
    size: usize,
) -> (Worker<S, Batch>, SocketAddr, Arc<Counters>) {
    let mut sockets = bind(&[listen], 1, &UdpOptions::default()).unwrap();
    let mut bound = sockets.bound.remove(0);
    let counters = Arc::new(Counters::default());
    let batch = Batch::new(bound.workers.remove(0), size);
    (Worker::new(batch, board.reader(), Arc::clone(&counters)), bound.address, counters)
}

#[tokio::test]
async fn many_senders_of_both_families_all_get_their_own() {
    for listen in [loopback(), loopback6()] {
        let (running, address) = serve(listen, TcpOptions::default());
        let clients: Vec<_> = (0..40).map(|_| client(address)).collect();
        for round in 0..10 {
            for (n, client) in clients.iter().enumerate() {
                client.send(&request(n as u16, &[round, b'x'])).unwrap();
            }
            for (n, client) in clients.iter().enumerate() {
                assert_eq!(receive(client), reply(n as u16, &[round, b'x']));
            }
        }
        let counters = running.counters().to_vec();
        running.stop().await;
        let total = Counters::total(&counters);
        assert_eq!((total.get(Count::Requests), total.replies(Rcode::NoError)), (400, 400));
        assert_eq!((total.get(Count::UnsentReplies), total.get(Count::Silent)), (0, 0));
    }
}

#[tokio::test]
async fn a_wildcard_socket_answers_from_the_address_asked() {
    let (running, address) = serve((Ipv4Addr::UNSPECIFIED, 0).into(), TcpOptions::default());
    for last in [1, 2, 77] {
        // A connected socket hears only from the address it asked.
        let client = client((Ipv4Addr::new(127, 0, 0, last), address.port()).into());
        client.send(&request(last.into(), b"")).unwrap();
        assert_eq!(receive(&client), reply(last.into(), b""));
    }
    running.stop().await;

    let (running, address) = serve((Ipv6Addr::UNSPECIFIED, 0).into(), TcpOptions::default());
    let client = client((Ipv6Addr::LOCALHOST, address.port()).into());
    client.send(&request(6, b"")).unwrap();
    assert_eq!(receive(&client), reply(6, b""));
    running.stop().await;
}

#[test]
fn what_is_no_query_is_not_answered_and_the_rest_of_the_batch_is() {
    let (mut worker, address, counters) = by_hand(&board(), loopback(), 32);
    let client = client(address);
    client.send(b"").unwrap();
    client.send(&[0; 11]).unwrap();
    client.send(&reply(1, b"")).unwrap(); // QR is set (P10)
    client.send(&[0; 4097]).unwrap(); // cut by the slot
    client.send(&request(2, b"")).unwrap();
    assert_eq!(worker.turn(Wait::ForOne).unwrap(), 5);
    assert_eq!(receive(&client), reply(2, b""));
    let total = Counters::total(&[counters]);
    assert_eq!((total.get(Count::Requests), total.get(Count::Silent), total.all_replies()), (5, 4, 1));
}

#[test]
fn the_largest_reply_fits_and_a_full_batch_does() {
    let (mut worker, address, _) = by_hand(&board(), loopback(), 4);
    let client = client(address);
    for id in 0..6 {
        client.send(&request(id, &large(4096))).unwrap();
    }
    assert_eq!(worker.turn(Wait::ForOne).unwrap(), 4);
    assert_eq!(worker.turn(Wait::ForOne).unwrap(), 2);
    for id in 0..6 {
        let reply = receive(&client);
        assert_eq!((reply.len(), &reply[..2]), (4096, &u16::to_be_bytes(id)[..]));
    }
}

#[test]
fn the_snapshot_published_while_the_worker_waits_counts() {
    let board = board();
    let (mut worker, address, _) = by_hand(&board, loopback(), 32);
    let client = client(address);
    let first = Arc::downgrade(&board.load());
    board.publish(Arc::new(Echo { ready: true, mark: 7 }));
    assert!(first.upgrade().is_some(), "the reader still holds it");
    assert_eq!(worker.turn(Wait::Never).unwrap(), 0);
    assert!(first.upgrade().is_none(), "a turn without datagrams lets it go");
    client.send(&request(1, b"")).unwrap();
    worker.turn(Wait::ForOne).unwrap();
    assert_eq!(receive(&client)[3], 7);
}

#[test]
fn a_steered_name_before_the_first_round_gets_silence() {
    let board = Arc::new(Board::new(Arc::new(Echo::default())));
    let (mut worker, address, counters) = by_hand(&board, loopback(), 32);
    let client = client(address);
    client.send(&request(1, b"S")).unwrap();
    client.send(&request(2, b"static")).unwrap();
    worker.turn(Wait::ForOne).unwrap();
    assert_eq!(receive(&client), reply(2, b"static"));
    board.publish(Arc::new(Echo { ready: true, mark: 0 }));
    client.send(&request(3, b"S")).unwrap();
    worker.turn(Wait::ForOne).unwrap();
    assert_eq!(receive(&client), reply(3, b"S"));
    assert_eq!(Counters::total(&[counters]).get(Count::NotReady), 1);
}

#[test]
fn a_panic_costs_a_batch_and_no_worker() {
    let (worker, address, counters) = by_hand(&board(), loopback(), 1);
    let client = client(address);
    client.send(&request(1, b"P")).unwrap();
    client.send(&request(2, b"")).unwrap();
    worker.run(&AtomicBool::new(true));
    assert_eq!(receive(&client), reply(2, b""));
    assert_eq!(Counters::total(&[counters]).get(Count::Panics), 1);
}

#[test]
fn what_is_queued_at_a_stop_is_still_answered() {
    let (worker, address, _) = by_hand(&board(), loopback(), 8);
    let client = client(address);
    for id in 0..100 {
        client.send(&request(id, b"")).unwrap();
    }
    worker.run(&AtomicBool::new(true)); // told to stop before it began
    let answered: BTreeSet<_> = (0..100).map(|_| receive(&client)).collect();
    assert_eq!(answered, (0..100).map(|id| reply(id, b"")).collect());
}

#[test]
fn a_hundred_thousand_queries_allocate_nothing() {
    for listen in [loopback(), (Ipv4Addr::UNSPECIFIED, 0).into(), loopback6()] {
        let board = board();
        let (mut worker, address, counters) = by_hand(&board, listen, 32);
        let ip = if address.ip().is_unspecified() { IpAddr::from(Ipv4Addr::LOCALHOST) } else { address.ip() };
        let client = client((ip, address.port()).into());
        let kinds = [request(1, b""), request(2, &large(1232)), request(3, b"S"), reply(4, b"")];
        let mut octets = [0; 2048];
        let mut round = || {
            for n in 0..32 {
                client.send(&kinds[n % kinds.len()]).unwrap();
            }
            let mut taken = 0;
            while taken < 32 {
                taken += worker.turn(Wait::ForOne).unwrap();
            }
            for _ in 0..24 {
                client.recv(&mut octets).unwrap();
            }
        };
        round(); // the first makes the room that the others use again
        let counted = allocation_counter::measure(|| (0..3125).for_each(|_| round()));
        assert_eq!(counted.count_total, 0, "{listen}");
        let total = Counters::total(&[counters]);
        assert_eq!((total.get(Count::Requests), total.all_replies()), (100_032, 75_024));
    }
}

#[tokio::test]
async fn a_stop_ends_the_wait_of_an_idle_worker() {
    for listen in [loopback(), loopback6()] {
        let sockets = bind(&[listen], 2, &UdpOptions::default()).unwrap();
        // No timer ends their waits.
        sockets.bound.iter().flat_map(|bound| &bound.workers).for_each(|s| s.set_read_timeout(None).unwrap());
        let running = start(sockets, &board(), TcpOptions::default(), &Handle::current()).unwrap();
        let (address, counters) = (running.addresses()[0], running.counters().to_vec());
        let client = client(address);
        client.send(&request(1, b"")).unwrap();
        assert_eq!(receive(&client), reply(1, b""));
        running.stop().await;
        let total = Counters::total(&counters);
        assert_eq!((total.get(Count::Requests), total.get(Count::Silent)), (1, 0), "what ended the wait is no request");
    }
}

#[test]
fn what_is_queued_when_a_wait_is_ended_is_still_answered() {
    let board = board();
    let mut sockets = bind(&[loopback()], 1, &UdpOptions::default()).unwrap();
    let mut bound = sockets.bound.remove(0);
    let (socket, address, counters) = (Arc::new(bound.workers.remove(0)), bound.address, Arc::new(Counters::default()));
    let mut worker = Worker::new(Batch::new(Arc::clone(&socket), 4), board.reader(), Arc::clone(&counters));
    let client = client(address);
    for id in 1..=6 {
        client.send(&request(id, b"")).unwrap();
    }
    wake(&socket);
    client.send(&request(7, b"")).unwrap();
    let turns: Vec<usize> = (0..3).map(|_| worker.turn(Wait::Never).unwrap()).collect();
    assert_eq!(turns, [4, 3, 0]);
    assert_eq!(worker.turn(Wait::ForOne).unwrap(), 0, "it does not wait");
    assert_eq!(Counters::total(&[counters]).get(Count::Requests), 7);
    (1..=7).for_each(|id| assert_eq!(receive(&client), reply(id, b"")));
}
