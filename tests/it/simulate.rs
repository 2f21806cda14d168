//! A region is lost at peak, and comes back: what its neighbours get, second by second, with the real configuration,
//! ledger, decision and control law, and resolvers that keep answers. No sockets, no clock, no chance but seeds.
//!
//! The table that it prints (`--nocapture`) stands in docs/steering.md.

mod instance;
mod landing;
mod stage;

use instance::{Instance, KINDS};
use stage::{Record, Stage};

/// Seconds: the loss, the return, the end; everything has settled long before the loss.
const LOSS: usize = 400;
const RETURN: usize = LOSS + 600;
const END: usize = RETURN + 900;
/// Two TTLs and five, in seconds.
const TWO: usize = 60;
const FIVE: usize = 150;

/// What an operator wants to know of a run.
#[derive(Debug)]
struct Report {
    /// The fullest that a survivor gets after the loss, load ÷ capacity.
    worst: f64,
    /// The longest that any survivor is above its high watermark, in seconds.
    above: usize,
    /// How far any survivor's load ÷ capacity goes back and forth from five TTLs after the loss on.
    swing: f64,
    /// The same as `worst` and `above`, from the return on, of all regions.
    back: (f64, usize),
    /// How much of the returned region's natural load it has at the end.
    home: f64,
}

impl Report {
    fn of(instance: &Instance, records: &[Record]) -> Self {
        let end = records.len();
        let survivors: Vec<usize> = (0..instance.capacity.len()).filter(|r| *r != instance.lost).collect();
        let all: Vec<usize> = (0..instance.capacity.len()).collect();
        let full = |r: usize, t: usize| records[t].load[r] as f64 / instance.capacity[r];
        let worst = |of: &[usize], from: usize, to: usize| {
            of.iter().flat_map(|r| (from..to).map(move |t| full(*r, t))).fold(0.0, f64::max)
        };
        let above = |of: &[usize], from: usize, to: usize| {
            let longest = |r: &usize| {
                let (mut run, mut most) = (0, 0);
                for t in from..to {
                    run = if full(*r, t) > instance.high { run + 1 } else { 0 };
                    most = most.max(run);
                }
                most
            };
            of.iter().map(longest).max().unwrap_or(0)
        };
        let swings = survivors.iter().map(|r| swing((LOSS + FIVE..RETURN).map(|t| full(*r, t))));
        Self {
            worst: worst(&survivors, LOSS, RETURN),
            above: above(&survivors, LOSS, RETURN),
            swing: swings.fold(0.0, f64::max),
            back: (worst(&all, RETURN, end), above(&all, RETURN, end)),
            home: records[end - 1].load[instance.lost] as f64 / records[LOSS - 1].load[instance.lost] as f64,
        }
    }
}

/// The largest way that is gone twice: up and down again, or down and up.
fn swing(values: impl Iterator<Item = f64>) -> f64 {
    let values: Vec<f64> = values.collect();
    let one_way = |sign: f64| {
        // The largest rise so far, and the largest fall after it.
        let (mut low, mut rise, mut top, mut both) = (f64::MAX, 0.0_f64, f64::MIN, 0.0_f64);
        for value in values.iter().map(|value| value * sign) {
            low = low.min(value);
            if value - low >= rise {
                (rise, top) = (value - low, value);
            }
            both = both.max(rise.min(top - value));
        }
        both
    };
    one_way(1.0).max(one_way(-1.0))
}

#[test]
fn a_swing_is_a_way_back() {
    assert_eq!(swing([1.0, 2.0, 3.0, 5.0].into_iter()), 0.0);
    assert_eq!(swing([1.0, 4.0, 2.0].into_iter()), 2.0);
    assert_eq!(swing([4.0, 1.0, 2.0, 9.0].into_iter()), 3.0);
    assert_eq!(swing([].into_iter()), 0.0);
}

#[expect(
    clippy::disallowed_macros,
    clippy::print_stdout,
    reason = "the table is for who runs this test with --nocapture"
)]
fn show(line: &str) {
    println!("{line}");
}

#[test]
fn losing_a_region_does_not_sink_its_neighbour() {
    let mut wrong = Vec::new();
    show(
        "seed kind           spare   nearest: worst  s above   assigned: worst  s above  swing   back: worst  s above   home",
    );
    for seed in 0..20 {
        let instance = Instance::new(seed, &KINDS[seed as usize % KINDS.len()]);
        let nearest = Report::of(&instance, &Stage::new(&instance, false).play(RETURN, LOSS, RETURN));
        let ours = Report::of(&instance, &Stage::new(&instance, true).play(END, LOSS, RETURN));
        let line = format!(
            "{seed:4} {:<14} {:4.0} %            {:5.0} % {:8}            {:5.1} % {:8}  {:4.1} %        {:5.1} % {:8}  {:4.0} %",
            instance.kind.name,
            instance.kind.spare * 100.0,
            nearest.worst * 100.0,
            nearest.above,
            ours.worst * 100.0,
            ours.above,
            ours.swing * 100.0,
            ours.back.0 * 100.0,
            ours.back.1,
            ours.home * 100.0,
        );
        show(&line);
        let sunk = ours.above > TWO || ours.back.1 > TWO;
        if sunk || ours.swing > 0.05 || ours.home < 0.9 {
            wrong.push(line);
        }
    }
    assert!(wrong.is_empty(), "overload, oscillation or no way home:\n{}", wrong.join("\n"));
}

#[test]
fn a_run_is_the_same_every_time() {
    let instance = Instance::new(4, &KINDS[0]);
    let play = || Stage::new(&instance, true).play(LOSS + 100, LOSS, RETURN);
    assert_eq!(play(), play());
}
