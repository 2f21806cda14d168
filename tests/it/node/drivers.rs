//! The server's driver and the simulator's make the same of one history.

use std::sync::Arc;

use meridian::{
    app::writer::{Wanted, Writer},
    clock::Clock,
    engine::types::At,
    node::{change::Change, input::Input},
    sim::Driver,
};
use tokio::{sync::broadcast, time};

use super::{BEGINNING, Chance, configuration, node, rows, status};

/// What a server's listeners hear, in its written form.
fn heard(changes: &mut broadcast::Receiver<Arc<Change>>) -> Vec<String> {
    let mut heard = Vec::new();
    loop {
        match changes.try_recv() {
            Ok(change) => heard.push(serde_json::to_string(&*change).expect("written")),
            Err(broadcast::error::TryRecvError::Empty) => return heard,
            Err(error) => panic!("{error}"),
        }
    }
}

/// Time stands still but where the test moves it, so the server's driver wakes when the node says so, and at no other moment.
#[tokio::test(start_paused = true)]
async fn the_server_and_the_simulator_make_the_same_of_a_history() {
    let clock = Clock::from(BEGINNING);
    let writer = Writer::start(node(), clock, Arc::default());
    let (mut changes, wanted) = (writer.changes(), writer.wanted());
    let mut driver = Driver::new(BEGINNING, configuration(0));
    let (mut chance, mut now) = (Chance::new(5), BEGINNING);
    let (mut told, mut all) = (Vec::new(), 0);
    for n in 0..3000 {
        let then = At(now.0 + chance.wait());
        while let Some(due) = driver.next().filter(|due| *due <= then) {
            let effects = driver.handle(due, Input::Tick);
            told.extend(effects.changes.iter().map(|change| serde_json::to_string(change).expect("written")));
            // At the same moment, so that what the server gives away at it is done at it.
            time::advance(std::time::Duration::from_millis(due.since(now).0)).await;
            now = due;
            settle(&wanted).await;
        }
        time::advance(std::time::Duration::from_millis(then.since(now).0)).await;
        now = then;
        let input = chance.input(&driver.node().world(), now);
        match input {
            Input::Configuration(id) => {
                let effects = driver.reload(now, configuration(id.0));
                told.extend(effects.changes.iter().map(|change| serde_json::to_string(change).expect("written")));
                let job = writer.compile(configuration(id.0)).await.expect("it runs");
                writer.done(job.run()).await.expect("it runs");
            }
            input => {
                let effects = driver.handle(now, input.clone());
                told.extend(effects.changes.iter().map(|change| serde_json::to_string(change).expect("written")));
                writer.inputs.send(input).await.expect("it runs");
            }
        }
        // What is due at once happens before the next thing does.
        while driver.next().is_some_and(|due| due <= now) {
            let effects = driver.handle(now, Input::Tick);
            told.extend(effects.changes.iter().map(|change| serde_json::to_string(change).expect("written")));
        }
        settle(&wanted).await;
        let theirs = wanted.status().await.expect("it runs");
        assert_eq!(clock.now(), now);
        let mut sent = heard(&mut changes);
        all += sent.len();
        // Each hears alarms in the order of its own channel; here both are in the order in which they happened.
        let mut own = std::mem::take(&mut told);
        assert_eq!(sent, own, "step {n}");
        sent.clear();
        own.clear();
        assert_eq!(status(&theirs), status(&driver.status()), "step {n}");
        let (published, snapshot) = (writer.board.load(), driver.snapshot());
        assert_eq!(
            (&published.pools, &published.endpoints, &published.assignments, &published.fine, published.ready),
            (&snapshot.pools, &snapshot.endpoints, &snapshot.assignments, &snapshot.fine, snapshot.ready),
            "step {n}"
        );
        assert!(!rows(driver.node()).is_empty());
    }
    assert!(all > 300, "a dull history: {all} changes");
}

/// Returns when the writer has done all that was sent, and its jobs have ended.
async fn settle(wanted: &Wanted) {
    // A job runs on a thread of its own, and time does not move while it does.
    while wanted.status().await.expect("it runs").jobs > 0 {
        tokio::task::yield_now().await;
    }
}
