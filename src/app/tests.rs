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
        geo::{Atlas, GeoKey, Measured, Rule, Whose},
        health::fold::Health,
        signal::latency::{Reading, Terms},
        types::{At, RegionId},
        wire::{name::Name, rr::RrType},
        world::{Draft, Region, Target},
        zone::{ZoneRecord, ZoneSource},
    },
    node::samples::Sample,
    probing::{
        check::Check,
        monitor::{Calm, Monitor, MonitorId, ProbeKey, Rhythm, Watch},
    },
};

fn config(ports: &[u16], workers: Workers) -> Config {
    let rhythm = Rhythm { interval: 100, timeout: 5000, recheck: 50, fall: 2, rise: 2 };
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
            startup_wait: 3_600_000,
            rotate: true,
            udp: Udp { max_size: 1232, receive_buffer: 1 << 20, batch: 32 },
            tcp: Tcp { connections: 16, per_client: 16, idle: 1000, message: 1000 },
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
        let soa = ZoneRecord { owner: apex.clone(), rtype: RrType::SOA, ttl, rdata: [0; 22].into() };
        Arc::new(ZoneSource { apex, records: vec![soa] })
    };
    let with = |ttl: u32| {
        let mut config = config(&[], Workers::Count(1));
        config.draft.zones = vec![zone("changes.test", ttl), zone("stays.test", 60)];
        config
    };
    let mut app = App::start(with(60), Path::new("server.toml"), None).await.unwrap();
    let before = Arc::clone(&app.world);
    app.take(loaded(Some(with(61)), Vec::new())).await;
    let shared: Vec<bool> =
        before.zones.iter().zip(app.world.zones.iter()).map(|(old, new)| Arc::ptr_eq(old, new)).collect();
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
    let reading = |rtt| Reading { rtt, samples: None, age: 0 };
    let cell = |(name, rtt): (&str, u32)| ((Whose::Country(*b"DE"), name.into()), reading(rtt));
    config.cells = ["a", "b"].into_iter().zip(tenths).map(cell).collect();
    config.latency = settings::Latency { terms, ..settings::Latency::default() };
    config
}

/// What the world says of the way from Germany, in tenths of a millisecond.
fn from_germany(world: &World) -> Vec<u32> {
    world.measures.of(Whose::Country(*b"DE")).iter().map(|(_, Measured { rtt, .. })| *rtt).collect()
}

#[tokio::test]
async fn measurements_outlive_a_reload_and_move_maps_when_they_have_differed_for_long_enough() {
    // No hold at the first, so that the time of the test does not count.
    let at_once = Terms { hold: 0, ..Terms::default() };
    let never = Terms { hold: 1 << 40, ..Terms::default() };
    let mut app = App::start(measured(never, [100, 900]), Path::new("server.toml"), None).await.unwrap();
    assert_eq!(from_germany(&app.world), [100, 900]);
    assert_eq!(app.measuring.due(&app.samples), None);

    // A reload that measures otherwise: what counted counts on, until it has differed for the time.
    let mut changes = app.changes();
    app.take(loaded(Some(measured(never, [900, 100])), Vec::new())).await;
    until(&mut changes, |change| matches!(change, Change::World { .. })).await;
    let reloaded = app.writer.board.load().world.clone();
    assert_eq!(from_germany(&reloaded), [100, 900]);
    let due = app.measuring.due(&app.samples).unwrap();
    assert!(due.0 >= 1 << 40);

    // The time is over.
    let mut published = app.writer.board.subscribe();
    app.measuring.import(
        At(1),
        settings::Latency { terms: at_once, ..settings::Latency::default() },
        measured(at_once, [900, 100]).cells,
    );
    app.refresh().await;
    published.changed().await.unwrap();
    let moved = app.writer.board.load().world.clone();
    assert_eq!(from_germany(&moved), [900, 100]);
    assert!(moved.is_of(&reloaded) && !Arc::ptr_eq(&moved, &reloaded));
    assert!(Arc::ptr_eq(&moved, &app.world) && Arc::ptr_eq(&moved.table, &reloaded.table));

    // Nothing has moved since: nothing is made or said.
    app.refresh().await;
    assert!(Arc::ptr_eq(&app.world, &moved));
    assert!(changes.try_recv().is_err());
}

#[test]
fn maps_are_made_at_most_once_in_the_refresh_time() {
    let terms = Terms { hold: 1000, ..Terms::default() };
    let settings = settings::Latency { terms, ..settings::Latency::default() };
    let (mut measuring, samples) = (Measuring::new(settings), Samples::new(Arc::default()));
    measuring.import(At(0), settings, measured(terms, [100, 900]).cells);
    measuring.make(At(0), &[]);
    assert_eq!(measuring.due(&samples), None);
    measuring.import(At(500), settings, measured(terms, [900, 900]).cells);
    assert_eq!(measuring.due(&samples), Some(At(60_000)), "the cell moves at 1500");
    measuring.make(At(60_000), &[]);
    assert_eq!(measuring.due(&samples), None);
    measuring.import(At(100_000), settings, measured(Terms { hold: 50_000, ..terms }, [100, 900]).cells);
    assert_eq!(measuring.due(&samples), Some(At(120_000)));
}

#[test]
fn samples_are_heard_at_most_once_in_the_refresh_time_and_win_over_files_but_not_over_statements() {
    let terms = Terms { hold: 0, min_samples: 5, ..Terms::default() };
    let settings = settings::Latency { terms, ..settings::Latency::default() };
    let samples = Samples::new(Arc::default());
    latency::set_samples(&samples, &settings, &measured(terms, [0, 0]).draft.regions);
    let net = crate::engine::types::Prefix::new(IpAddr::from([203, 0, 113, 0]), 24);
    let key = |name: &str| (Whose::Net(net), Box::from(name));
    let old = Reading { rtt: 500, samples: Some(100), age: 3_600_000 };
    let stated = Reading { rtt: 500, samples: None, age: 0 };
    let mut measuring = Measuring::new(settings);
    measuring.import(At(0), settings, vec![(key("a"), old), (key("b"), stated)]);
    measuring.make(At(0), &[]);
    let bring = |at: u64, count: u32| {
        for region in ["a", "b"] {
            let sample = Sample { prefix: net, region: region.into(), ms: 20.0, samples: count, age: 0 };
            samples.take(At(at), &Atlas::default(), &sample).unwrap();
        }
    };
    let mut hear = |at: u64| {
        measuring.hear(At(at), samples.tell(At(at), &Atlas::default()));
        let counts = measuring.make(At(at), &measured(terms, [0, 0]).draft.regions);
        let row: Vec<u32> = counts.of(Whose::Net(net)).iter().map(|(_, measured)| measured.rtt).collect();
        (row, measuring.due(&samples))
    };
    bring(1000, 4);
    assert_eq!(hear(60_000), (vec![500, 500], Some(At(82_800_000))), "too few; the file ages meanwhile");
    bring(61_000, 1);
    assert!(samples.is_fresh());
    assert_eq!(hear(120_000).0, [200, 500], "enough");
    bring(121_000, 1);
    bring(122_000, 1);
    assert_eq!(measuring.due(&samples), Some(At(180_000)));
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
