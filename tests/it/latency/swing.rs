//! A region that its clients have left, over a long time: how often the choice moves.

use std::path::Path;

use meridian::cli::test::play;

/// Clients of a prefix that the model sends to `eu`, with one measurement of `us` from before, for so many hours with measurements that are
/// good for an hour; asked every minute. How often the answer was another one than before, and when.
fn moves(hours: usize, eu: &str, us: &str) -> Vec<u64> {
    let minutes = "pass 1m\nask www.g.test A from 20.1.5.0/24\n".repeat(hours * 60);
    let text = format!(
        "places {{\n20.1.0.0/16,EU,DE,,,50.1,8.7,64500\n}}\nconfig {{
[geo]
overrides = \"o.csv\"
[latency]
max_age = \"1h\"
[regions.eu]
location = {{ lat = 50.11, lon = 8.68 }}
[regions.us]
location = {{ lat = 39.04, lon = -77.49 }}
[policies.near]
prefer = [\"rtt\"]
[pools.web]
policy = \"near\"
[pools.web.endpoints]
eu = {{ region = \"eu\", address = \"192.0.2.1\" }}
us = {{ region = \"us\", address = \"192.0.2.2\" }}
[services.\"www.g.test\"]
pools = [\"web\"]
}}
sample 20.1.5.0/24 us {us} x10
clients 20.1.5.0/24 ask www.g.test every 1m eu {eu} us {us}\n{minutes}"
    );
    let played = play(Path::new("swing.scn"), &text);
    assert_eq!(played.to_string(), "");
    assert_eq!(played.questions.len(), hours * 60);
    let pairs = played.questions.windows(2).filter(|pair| pair[0].answer != pair[1].answer);
    pairs.map(|pair| pair[1].at / 60_000).collect()
}

#[test]
fn a_region_that_is_far_in_truth_is_tried_ever_more_seldom() {
    let moves = moves(100, "300ms", "95ms");
    // There at the first measurement, and for each trial there and back: a hundred times if each age called them back.
    assert!(moves.len() % 2 == 1 && moves.len() <= 13, "{moves:?}");
    let trials: Vec<u64> = moves[1..].iter().step_by(2).copied().collect();
    assert!(trials.first().is_some_and(|first| *first >= 120), "not before twice the age: {moves:?}");
    let waits: Vec<u64> = trials.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(waits.windows(2).all(|pair| pair[1] * 10 >= pair[0] * 18 || pair[0] > 60 * 60), "{moves:?}");
    let away: Vec<u64> = moves[1..].chunks_exact(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(away.iter().all(|minutes| *minutes <= 6), "each trial is short: {moves:?}");
}

#[test]
fn a_region_that_is_as_near_as_the_model_says_is_never_left() {
    assert_eq!(moves(24, "9ms", "95ms"), Vec::<u64>::new());
}
