//! Streams: framing, limits, and clients that do their worst.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use super::*;

/// For what must be long in a test: no test waits so long, unless it fails.
const LONG: Duration = Duration::from_secs(60);
/// For what must be over soon.
const SHORT: Duration = Duration::from_millis(50);

/// Limits that no test meets by chance.
fn patient() -> TcpOptions {
    TcpOptions { idle: LONG, message: LONG, write: LONG, ready: LONG, drain: LONG, ..TcpOptions::default() }
}

fn framed(message: &[u8]) -> Vec<u8> {
    let mut octets = (message.len() as u16).to_be_bytes().to_vec();
    octets.extend_from_slice(message);
    octets
}

async fn receive(client: &mut TcpStream) -> Vec<u8> {
    let len = client.read_u16().await.unwrap();
    let mut octets = vec![0; len.into()];
    client.read_exact(&mut octets).await.unwrap();
    octets
}

async fn ask(client: &mut TcpStream, id: u16, wish: &[u8]) -> Vec<u8> {
    client.write_all(&framed(&request(id, wish))).await.unwrap();
    receive(client).await
}

/// Waits for the server to close; what it still says is thrown away.
async fn closed(client: &mut TcpStream) {
    let mut octets = [0; 4096];
    while client.read(&mut octets).await.is_ok_and(|n| n > 0) {}
}

/// Waits for a count, which moves only by what the server does.
async fn reached(running: &Running, count: Count, n: u64) {
    while total(running).get(count) < n {
        task::yield_now().await;
    }
}

#[tokio::test]
async fn fifty_queries_in_one_segment_are_answered_in_order() {
    for listen in [loopback(), loopback6()] {
        let (running, address) = serve(listen, patient());
        let mut client = TcpStream::connect(address).await.unwrap();
        let queries: Vec<u8> = (0..50).flat_map(|id| framed(&request(id, b"pipelined"))).collect();
        client.write_all(&queries).await.unwrap();
        for id in 0..50 {
            assert_eq!(receive(&mut client).await, reply(id, b"pipelined"));
        }
        assert_eq!(ask(&mut client, 99, b"again").await, reply(99, b"again"));
        running.stop().await;
    }
}

#[tokio::test]
async fn octet_by_octet_is_as_good() {
    let (running, address) = serve(loopback(), patient());
    let mut client = TcpStream::connect(address).await.unwrap();
    client.set_nodelay(true).unwrap();
    for id in 0..3 {
        for octet in framed(&request(id, b"slowly")) {
            client.write_all(&[octet]).await.unwrap();
            task::yield_now().await;
        }
        assert_eq!(receive(&mut client).await, reply(id, b"slowly"));
    }
    running.stop().await;
}

#[tokio::test]
async fn the_largest_messages_pass_both_ways() {
    let (running, address) = serve(loopback(), patient());
    let mut client = TcpStream::connect(address).await.unwrap();
    let wish = vec![b'x'; usize::from(u16::MAX) - HEADER];
    assert_eq!(ask(&mut client, 1, &wish).await, reply(1, &wish));
    assert_eq!(ask(&mut client, 2, &large(u16::MAX)).await.len(), usize::from(u16::MAX));
    running.stop().await;
}

#[tokio::test]
async fn a_client_that_has_said_all_still_hears_all() {
    let (running, address) = serve(loopback(), patient());
    let mut client = TcpStream::connect(address).await.unwrap();
    let queries: Vec<u8> = (0..20).flat_map(|id| framed(&request(id, b""))).collect();
    client.write_all(&queries).await.unwrap();
    client.write_all(&[0, 40, 1, 2]).await.unwrap(); // and the start of one that never comes
    client.shutdown().await.unwrap();
    for id in 0..20 {
        assert_eq!(receive(&mut client).await, reply(id, b""));
    }
    assert_eq!(client.read(&mut [0]).await.unwrap(), 0);
    running.stop().await;
}

#[tokio::test]
async fn garbage_and_broken_connections_harm_nobody_else() {
    let (running, address) = serve(loopback(), patient());
    let mut witness = TcpStream::connect(address).await.unwrap();
    for (n, garbage) in
        [&b""[..], b"\0", b"\0\0\0\0\0\0", b"\0\x05abc", b"\xff\xffabc", &[0xff; 5000]].iter().enumerate()
    {
        for reset in [false, true] {
            let mut client = TcpStream::connect(address).await.unwrap();
            client.write_all(garbage).await.unwrap();
            if reset {
                socket2::SockRef::from(&client).set_linger(Some(Duration::ZERO)).unwrap();
            }
            drop(client);
            assert_eq!(ask(&mut witness, n as u16, b"").await, reply(n as u16, b""));
        }
    }
    // Silence is for the message, not for the connection.
    witness.write_all(b"\0\0\0\x03abc").await.unwrap();
    witness.write_all(&framed(&reply(1, b""))).await.unwrap();
    assert_eq!(ask(&mut witness, 77, b"").await, reply(77, b""));
    assert_eq!(total(&running).get(Count::Silent), 3 + 2 * 3);
    running.stop().await;
}

#[tokio::test]
async fn ninety_idle_clients_do_not_stop_a_newcomer() {
    let options = TcpOptions { connections: 30, per_client: 100, ..patient() };
    let (running, address) = serve(loopback(), options);
    let mut idle = Vec::new();
    for n in 0..90 {
        let mut client = TcpStream::connect(address).await.unwrap();
        assert_eq!(ask(&mut client, n, b"").await, reply(n, b""));
        idle.push(client);
    }
    for client in &mut idle[..60] {
        closed(client).await;
    }
    assert_eq!(ask(&mut idle[60], 1, b"").await, reply(1, b""), "the thirty youngest stay");
    let mut newcomer = TcpStream::connect(address).await.unwrap();
    assert_eq!(ask(&mut newcomer, 2, b"").await, reply(2, b""));
    closed(&mut idle[61]).await; // the longest idle now
    assert_eq!(ask(&mut idle[60], 3, b"").await, reply(3, b""));
    assert_eq!((total(&running).get(Count::Accepted), total(&running).get(Count::Evicted)), (91, 61));
    running.stop().await;
}

#[tokio::test]
async fn one_client_cannot_push_out_another() {
    let options = TcpOptions { connections: 8, per_client: 4, ..patient() };
    let (running, address) = serve((Ipv4Addr::UNSPECIFIED, 0).into(), options);
    let other = tokio::net::TcpSocket::new_v4().unwrap();
    other.bind("127.0.0.9:0".parse().unwrap()).unwrap();
    let mut other = other.connect((Ipv4Addr::LOCALHOST, address.port()).into()).await.unwrap();
    assert_eq!(ask(&mut other, 1, b"").await, reply(1, b""));
    let mut greedy = Vec::new();
    for n in 0..20 {
        let mut client = TcpStream::connect((Ipv4Addr::LOCALHOST, address.port())).await.unwrap();
        assert_eq!(ask(&mut client, n, b"").await, reply(n, b""));
        greedy.push(client);
    }
    for client in &mut greedy[..16] {
        closed(client).await;
    }
    assert_eq!(ask(&mut other, 2, b"").await, reply(2, b""));
    running.stop().await;
}

#[tokio::test]
async fn who_says_nothing_is_closed_when_idle_for_long_enough() {
    let (running, address) = serve(loopback(), TcpOptions { idle: SHORT, ..patient() });
    let mut client = TcpStream::connect(address).await.unwrap();
    closed(&mut client).await;
    let mut client = TcpStream::connect(address).await.unwrap();
    assert_eq!(ask(&mut client, 1, b"").await, reply(1, b""));
    closed(&mut client).await;
    assert_eq!(total(&running).get(Count::Overdue), 0);
    running.stop().await;
}

#[tokio::test]
async fn steady_octets_do_not_buy_a_message_more_time() {
    let (running, address) = serve(loopback(), TcpOptions { message: SHORT, ..patient() });
    let mut client = TcpStream::connect(address).await.unwrap();
    assert_eq!(ask(&mut client, 1, b"").await, reply(1, b""));
    client.write_all(&[0xff, 0xff]).await.unwrap();
    let mut trickled = 0_u32;
    // An octet whenever a fifth of the limit has passed without the server closing.
    while let Err(_still_open) = timeout(SHORT / 5, closed(&mut client)).await {
        let _ = client.write_all(b"x").await;
        trickled += 1;
        assert!(trickled < 1000, "never closed");
    }
    reached(&running, Count::Overdue, 1).await;
    running.stop().await;
}

#[tokio::test]
async fn who_never_reads_is_closed() {
    let (running, address) = serve(loopback(), TcpOptions { write: SHORT, ..patient() });
    let mut client = TcpStream::connect(address).await.unwrap();
    // Until the server has closed and its kernel says so.
    let query = framed(&request(1, &large(60_000)));
    while client.write_all(&query).await.is_ok() {
        task::yield_now().await;
    }
    assert_eq!(total(&running).get(Count::Overdue), 1);
    running.stop().await;
}

#[tokio::test]
async fn what_nobody_reads_is_neither_piled_up_in_the_kernel_nor_left_there() {
    let (running, address) = serve(loopback(), TcpOptions { write: SHORT, ..patient() });
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut client = socket.connect(address).await.unwrap();
    // Few octets ask for many: the server has read all of them, so it closes with nothing unread.
    let queries = framed(&request(1, &large(60_000))).repeat(40);
    client.write_all(&queries).await.unwrap();
    timeout(LONG, reached(&running, Count::Overdue, 1)).await.expect("the kernel takes it all");
    let (mut octets, mut read) = (vec![0; 65_536], 0);
    let end = loop {
        match client.read(&mut octets).await {
            Ok(0) => break None,
            Ok(n) => read += n,
            Err(error) => break Some(error.kind()),
        }
    };
    assert_eq!(end, Some(io::ErrorKind::ConnectionReset), "the rest was kept for the client");
    assert!(read < 500_000, "{read} octets were on their way");
    running.stop().await;
}

#[tokio::test]
async fn a_steered_name_waits_for_the_first_round_and_holds_up_nothing_before_it() {
    let board = Arc::new(Board::new(Arc::new(Echo::default())));
    let (running, address) = serve_board(loopback(), patient(), &board);
    let mut client = TcpStream::connect(address).await.unwrap();
    for (id, wish) in [(1, "static"), (2, "S"), (3, "static")] {
        client.write_all(&framed(&request(id, wish.as_bytes()))).await.unwrap();
    }
    assert_eq!(receive(&mut client).await, reply(1, b"static"));
    reached(&running, Count::NotReady, 1).await;
    board.publish(Arc::new(Echo::default())); // some other news
    board.publish(Arc::new(Echo { ready: true, mark: 0 }));
    assert_eq!(receive(&mut client).await, reply(2, b"S"));
    assert_eq!(receive(&mut client).await, reply(3, b"static"));
    assert_eq!(total(&running).get(Count::NotReady), 1);
    running.stop().await;
}

#[tokio::test]
async fn the_wait_for_the_first_round_is_bounded() {
    let board = Arc::new(Board::new(Arc::new(Echo::default())));
    let (running, address) = serve_board(loopback(), TcpOptions { ready: SHORT, ..patient() }, &board);
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(&framed(&request(1, b"S"))).await.unwrap();
    // News that are not the one it waits for buy no time.
    while timeout(SHORT / 5, closed(&mut client)).await.is_err() {
        board.publish(Arc::new(Echo::default()));
    }
    assert_eq!(total(&running).get(Count::Overdue), 1);
    running.stop().await;
}

#[tokio::test]
async fn a_stop_answers_what_has_arrived_and_lets_the_idle_go() {
    let (running, address) = serve(loopback(), patient());
    let mut idle = TcpStream::connect(address).await.unwrap();
    let mut busy = TcpStream::connect(address).await.unwrap();
    assert_eq!(ask(&mut idle, 1, b"").await, reply(1, b""));
    assert_eq!(ask(&mut busy, 1, b"").await, reply(1, b""));
    // On this runtime of one thread nothing runs between these lines, so the server hears of both at once.
    let queries: Vec<u8> = (0..50).flat_map(|id| framed(&request(id, b""))).collect();
    assert_eq!(busy.try_write(&queries).unwrap(), queries.len());
    let stop = tokio::spawn(running.stop());
    for id in 0..50 {
        assert_eq!(receive(&mut busy).await, reply(id, b""));
    }
    closed(&mut busy).await;
    closed(&mut idle).await;
    stop.await.unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_stop_does_not_wait_for_who_does_not_end() {
    let (running, address) = serve(loopback(), TcpOptions { drain: SHORT, ..patient() });
    let mut client = TcpStream::connect(address).await.unwrap();
    assert_eq!(ask(&mut client, 1, b"").await, reply(1, b""));
    client.write_all(&[0, 40, 1, 2]).await.unwrap();
    running.stop().await;
    closed(&mut client).await;
}

#[tokio::test]
async fn a_panic_costs_a_connection_and_no_listener() {
    let (running, address) = serve(loopback(), patient());
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(&framed(&request(1, b"P"))).await.unwrap();
    closed(&mut client).await;
    let mut client = TcpStream::connect(address).await.unwrap();
    assert_eq!(ask(&mut client, 2, b"").await, reply(2, b""));
    reached(&running, Count::Panics, 1).await;
    running.stop().await;
}

#[tokio::test]
async fn who_was_connected_before_a_stop_is_answered_though_nobody_had_let_it_in() {
    use std::io::{Read as _, Write as _};
    // Whether the stop or the connection is seen first is left to chance.
    for id in 0..8 {
        let (running, address) = serve(loopback(), patient());
        // On one thread: nobody accepts before the stop is awaited.
        let mut client = std::net::TcpStream::connect(address).unwrap();
        client.write_all(&framed(&request(id, b"early"))).unwrap();
        running.stop().await;
        let mut told = Vec::new();
        client.read_to_end(&mut told).unwrap();
        assert_eq!(told, framed(&reply(id, b"early")));
    }
}
