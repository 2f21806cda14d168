//! A server's life without sockets: what a reload takes and what it refuses.

use std::net::IpAddr;

use super::*;
use crate::config::Loaded;
use crate::{
    config::{
        fault::{Fault, Sources},
        settings::{Server, Tcp, Udp, Workers},
    },
    engine::{
        health::{
            fold::Health,
            monitor::{Check, Monitor, ProbeKey, Rhythm},
        },
        snapshot::{Draft, Target},
        types::MonitorId,
    },
};

fn config(ports: &[u16], workers: Workers) -> Config {
    let rhythm = Rhythm { interval: 100, timeout: 5000, recheck: 50, fall: 2, rise: 2 };
    let target = |port: &u16| Target {
        monitor: MonitorId(0),
        key: Arc::new(ProbeKey { check: Check::Tcp { port: *port }, address: IpAddr::from([127, 0, 0, 1]) }),
    };
    Config {
        draft: Draft {
            monitors: vec![Monitor { name: "lb".into(), check: Check::Tcp { port: 0 }, rhythm }],
            targets: ports.iter().map(target).collect(),
            ..Draft::default()
        },
        server: Server {
            listen: vec![([127, 0, 0, 1], 0).into()],
            identity: String::new(),
            state_dir: PathBuf::new(),
            secret_file: PathBuf::new(),
            workers,
            startup_wait: 3_600_000,
            udp: Udp { max_size: 1232, receive_buffer: 1 << 20, batch: 32 },
            tcp: Tcp { connections: 16, per_client: 16, idle: 1000, message: 1000 },
        },
        log: settings::Log { level: LogLevel::Info, format: LogFormat::Text },
        latency: settings::Latency::default(),
        cells: Vec::new(),
        secret: Some([7; 16]),
        files: Vec::new(),
    }
}

fn loaded(config: Option<Config>, faults: Vec<Fault>) -> Loaded {
    Loaded { sources: Sources::default(), faults, config }
}

async fn listener() -> (tokio::net::TcpListener, u16) {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// The changes up to and with the first that `wanted` takes.
async fn until(changes: &mut broadcast::Receiver<Arc<Change>>, wanted: impl Fn(&Change) -> bool) -> Arc<Change> {
    loop {
        let change = changes.recv().await.unwrap();
        if wanted(&change) {
            return change;
        }
    }
}

#[tokio::test]
async fn a_reload_is_taken_whole_or_not_at_all() {
    let ((_one, port), (_two, other)) = (listener().await, listener().await);
    let mut app = App::start(config(&[port], Workers::Count(1)), Path::new("server.toml"), None).await.unwrap();
    let mut changes = app.changes();
    if !app.is_ready() {
        until(&mut changes, |change| matches!(change, Change::Ready { heard: 1, targets: 1 })).await;
    }
    let before = app.writer.board.load();
    assert_eq!((before.targets[0].health, before.world.secret), (Health::Up, [7; 16]));

    // Faults, other addresses, other workers: nothing moves.
    app.take(loaded(None, vec![Fault::bare("nothing is right")])).await;
    app.take(loaded(Some(config(&[other], Workers::Auto)), Vec::new())).await;
    let mut moved = config(&[other], Workers::Count(1));
    moved.server.listen = vec![([127, 0, 0, 2], 53).into()];
    app.take(loaded(Some(moved), Vec::new())).await;
    assert!(Arc::ptr_eq(&before.world, &app.writer.board.load().world));

    // A sound one: what stays keeps its health, what is new is probed.
    app.take(loaded(Some(config(&[other, port], Workers::Count(1))), Vec::new())).await;
    until(&mut changes, |change| *change == Change::World { kept: 1, fresh: 1, gone: 0 }).await;
    let after = app.writer.board.load();
    assert_eq!((after.targets[1].health, after.ready), (Health::Up, true));
    until(&mut changes, |change| matches!(change, Change::Verdict(verdict) if verdict.transition.to == Health::Up))
        .await;
    assert_eq!(app.writer.board.load().targets[0].health, Health::Up);
}

#[tokio::test]
async fn nothing_outlives_the_server() {
    let (_one, port) = listener().await;
    let app = App::start(config(&[port], Workers::Count(1)), Path::new("server.toml"), None).await.unwrap();
    let mut changes = app.changes();
    drop(app);
    // The end of the channel is the end of the writer.
    while changes.recv().await.is_ok() {}
}
