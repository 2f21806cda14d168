//! A server's life without sockets: what a reload takes and what it refuses.

use std::net::IpAddr;

use super::*;
use crate::{
    config::{
        Loaded,
        fault::{Fault, Sources},
        geo::{InForce, LatencyFiles},
        settings::{Server, Tcp, Udp, Workers},
    },
    engine::{
        geo::{GeoKey, Measured, Rule, Whose},
        health::fold::Health,
        signal::latency::{Reading, Terms},
        types::{Millis, RegionId},
        units::{Rtt, Ttl},
        wire::{name::Name, rr::RrType},
        world::{Draft, Region, Target, World},
        zone::{ZoneRecord, ZoneSource},
    },
    node::input::Input,
    probing::{
        check::Check,
        monitor::{Calm, Monitor, MonitorId, ProbeKey, Rhythm, Watch},
    },
};

fn config(ports: &[u16], workers: Workers) -> Config {
    let rhythm = Rhythm { interval: Millis(100), timeout: Millis(5000), recheck: Millis(50), fall: 2, rise: 2 };
    let key = |port: &u16| Arc::new(ProbeKey::new(Check::tcp(*port), IpAddr::from([127, 0, 0, 1])));
    let target = |port: &u16| Target::probed(MonitorId(0), key(port));
    Config {
        draft: Draft {
            monitors: vec![Monitor {
                name: "lb".into(),
                watch: Watch::Probe(Check::tcp(0)),
                rhythm,
                calm: Calm::NONE,
                source: None,
            }],
            targets: ports.iter().map(target).collect(),
            ..Draft::default()
        },
        server: Server {
            listen: vec![([127, 0, 0, 1], 0).into()],
            listens_as_usual: false,
            identity: String::new(),
            // Nothing can be saved there.
            state_dir: PathBuf::from("/dev/null/state"),
            secret_file: PathBuf::new(),
            workers,
            startup_wait: Millis(3_600_000),
            rotate: true,
            udp: Udp { max_size: 1232, receive_buffer: 1 << 20, batch: 32 },
            tcp: Tcp { connections: 16, per_client: 16, idle: Millis(1000), message: Millis(1000) },
        },
        log: settings::Log { level: LogLevel::Info, format: LogFormat::Text },
        latency: settings::Latency::default(),
        cells: Vec::new(),
        latency_files: LatencyFiles::default(),
        hooks: Vec::new(),
        secret: Some([7; 16]),
        files: Vec::new(),
        databases: InForce::default(),
        unmatched: Vec::new(),
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

/// What the n-th target is found to be.
async fn health(app: &App, n: usize) -> Health {
    app.writer.wanted().status().await.expect("the writer runs").targets[n].health
}

#[tokio::test]
async fn a_reload_is_taken_whole_or_not_at_all() {
    let ((_one, port), (_two, other)) = (listener().await, listener().await);
    let mut app = App::start(config(&[port], Workers::Count(1)), Path::new("server.toml"), None).await.unwrap();
    let mut changes = app.changes();
    until(&mut changes, |change| matches!(change, Change::Ready { heard: 1, targets: 1, .. })).await;
    assert!(app.is_ready());
    let before = app.writer.board.load();
    assert_eq!((health(&app, 0).await, before.world.secret), (Health::Up, [7; 16]));

    // Faults, other addresses, other workers: nothing moves.
    app.take(loaded(None, vec![Fault::bare("nothing is right")])).await;
    app.take(loaded(Some(config(&[other], Workers::Auto)), Vec::new())).await;
    let mut moved = config(&[other], Workers::Count(1));
    moved.server.listen = vec![([127, 0, 0, 2], 53).into()];
    app.take(loaded(Some(moved), Vec::new())).await;
    assert!(Arc::ptr_eq(&before.world, &app.writer.board.load().world));

    // A sound one: what stays keeps its health, what is new is probed.
    app.take(loaded(Some(config(&[other, port], Workers::Count(1))), Vec::new())).await;
    until(&mut changes, |change| matches!(change, Change::World { kept: 1, fresh: 1, gone: 0, .. })).await;
    assert_eq!((health(&app, 1).await, app.is_ready()), (Health::Up, true));
    until(&mut changes, |change| matches!(change, Change::Verdict(verdict) if verdict.transition.to == Health::Up))
        .await;
    assert_eq!(health(&app, 0).await, Health::Up);
}

#[tokio::test]
async fn nothing_outlives_the_server() {
    let (_one, port) = listener().await;
    let mut app = App::start(config(&[port], Workers::Count(1)), Path::new("server.toml"), None).await.unwrap();
    let mut changes = app.changes();
    drop(app);
    // The end of the channel is the end of the writer.
    while changes.recv().await.is_ok() {}
}

#[tokio::test]
async fn a_reload_takes_over_the_zones_that_have_not_changed() {
    let zone = |apex: &str, ttl: u32| {
        let apex = Name::from_text(apex).unwrap();
        let soa = ZoneRecord { owner: apex.clone(), rtype: RrType::SOA, ttl: Ttl(ttl), rdata: [0; 22].into() };
        Arc::new(ZoneSource { apex, records: vec![soa] })
    };
    let with = |ttl: u32| {
        let mut config = config(&[], Workers::Count(1));
        config.draft.zones = vec![zone("changes.test", ttl), zone("stays.test", 60)];
        config
    };
    let mut app = App::start(with(60), Path::new("server.toml"), None).await.unwrap();
    let before = Arc::clone(&app.writer.board.load().world);
    app.take(loaded(Some(with(61)), Vec::new())).await;
    let after = Arc::clone(&app.writer.board.load().world);
    let shared: Vec<bool> =
        before.zones.iter().zip(after.zones.iter()).map(|(old, new)| Arc::ptr_eq(old, new)).collect();
    assert_eq!(shared, [false, true]);
}

/// A configuration without sockets to probe, whose map goes by round trips to two regions; Germany's are measured.
fn measured(terms: Terms, tenths: [u32; 2]) -> Config {
    let mut config = config(&[], Workers::Count(1));
    let region = |name: &str| Region { name: name.into(), ..Region::default() };
    config.draft.regions = vec![region("a"), region("b")];
    config.draft.rules = vec![Rule {
        regions: vec![RegionId(0), RegionId(1)],
        keys: vec![(GeoKey::Rtt, 0)],
        depth: 3,
        ..Rule::default()
    }];
    let reading = |rtt| Reading { rtt, samples: None, age: Millis(0) };
    let cell = |(name, rtt): (&str, u32)| ((Whose::Country(*b"DE"), name.into()), reading(Rtt(rtt)));
    config.cells = ["a", "b"].into_iter().zip(tenths).map(cell).collect();
    config.latency = settings::Latency { terms, ..settings::Latency::default() };
    config
}

/// What the world says of the way from Germany, in tenths of a millisecond.
fn from_germany(world: &World) -> Vec<u32> {
    world.measures.of(Whose::Country(*b"DE")).iter().map(|(_, Measured { rtt, .. })| rtt.0).collect()
}

#[tokio::test]
async fn measurements_outlive_a_reload_and_move_maps_when_they_have_differed_for_long_enough() {
    // No hold at the end, so that the time of the test does not count.
    let at_once = Terms { hold: Millis(0), ..Terms::default() };
    let never = Terms { hold: Millis(1 << 40), ..Terms::default() };
    let mut app = App::start(measured(never, [100, 900]), Path::new("server.toml"), None).await.unwrap();
    let world = |app: &App| Arc::clone(&app.writer.board.load().world);
    assert_eq!(from_germany(&world(&app)), [100, 900]);

    // A reload that measures otherwise: what counted counts on, until it has differed for the time.
    let mut changes = app.changes();
    app.take(loaded(Some(measured(never, [900, 100])), Vec::new())).await;
    until(&mut changes, |change| matches!(change, Change::World { .. })).await;
    assert_eq!(from_germany(&world(&app)), [100, 900]);

    // The time is over: maps are made again at most once in the refresh time, which is none here.
    let refresh =
        |config: Config| Config { latency: settings::Latency { refresh: Millis(0), ..config.latency }, ..config };
    app.take(loaded(Some(refresh(measured(at_once, [100, 900]))), Vec::new())).await;
    let reloaded = world(&app);
    assert_eq!(from_germany(&reloaded), [100, 900]);
    while changes.try_recv().is_ok() {}
    let mut published = app.writer.board.subscribe();
    let cells = measured(at_once, [900, 100]).cells;
    app.writer.inputs.send(Input::LatencyFiles(cells)).await.unwrap();
    published.changed().await.unwrap();
    let moved = world(&app);
    assert_eq!(from_germany(&moved), [900, 100]);
    assert!(moved.is_of(&reloaded) && !Arc::ptr_eq(&moved, &reloaded));
    assert!(Arc::ptr_eq(&moved.table, &reloaded.table));
    assert!(changes.try_recv().is_err(), "other maps are no change of what is configured");
}

#[tokio::test]
async fn what_was_saved_is_in_force_before_anything_is_saved_again() {
    let folder = tempfile::tempdir().unwrap();
    // Nobody listens there, and nobody else is given the port.
    let deaf = tokio::net::TcpSocket::new_v4().unwrap();
    deaf.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let closed = deaf.local_addr().unwrap().port();
    let config = || {
        let mut config = config(&[closed], Workers::Count(1));
        config.server.state_dir = folder.path().to_owned();
        config
    };
    let mut app = App::start(config(), Path::new("server.toml"), None).await.unwrap();
    let mut changes = app.changes();
    until(&mut changes, |change| matches!(change, Change::Verdict(_))).await;
    app.saving.finish().await;

    let app = App::start(config(), Path::new("server.toml"), None).await.unwrap();
    assert_eq!(health(&app, 0).await, Health::Down, "before any probe");
}

#[tokio::test]
async fn health_is_saved_where_the_configuration_in_force_says() {
    let folder = tempfile::tempdir().unwrap();
    let config = |name: &str| {
        let mut config = config(&[], Workers::Count(1));
        config.server.state_dir = folder.path().join(name);
        config
    };
    let mut app = App::start(config("old"), Path::new("server.toml"), None).await.unwrap();
    app.take(loaded(Some(config("new")), Vec::new())).await;
    app.saving.finish().await;
    assert!(folder.path().join("new/health").exists());
}
