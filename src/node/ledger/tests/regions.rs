//! A region is lost and back: when that is said, since when, and what takes its clients.

use super::*;

/// Folds in what a line says and gives out what is said of regions.
fn turns(ledger: &mut Ledger, text: &str) -> Vec<String> {
    let mut told = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (at, event) = match words[..] {
            [at, "say", of, what] => (at, said(of, what, None)),
            [at, "lift", of] => (at, Input::Lift(subject(of))),
            [at, "tick"] => (at, Input::Tick),
            [at, address, found] => (at, Input::outcome(&key(address), outcome(found))),
            _ => panic!("{line}"),
        };
        let at = At(at.parse().expect(at));
        let mut changes = ledger.fold(at, event);
        let turns = ledger.turn_regions(at);
        ledger.tell_regions(at, turns, &mut changes);
        let regions = changes.iter().filter(|change| matches!(change, Change::Region(_)));
        told.extend(regions.map(|change| format!("{} {change}", at.0)));
    }
    told
}

/// Any number of regions may go, and one endpoint is an answer.
fn free(draft: &mut Draft) {
    ungoverned(draft);
    answering(draft);
}

fn answering(draft: &mut Draft) {
    draft.policies[0].answers = 1;
}

/// Both regions up since the moment 0, and said so.
fn settled(text: &str, edit: impl FnOnce(&mut Draft)) -> Ledger {
    let mut ledger = all_up(&shaped(text, edit));
    assert_eq!(turns(&mut ledger, "1 tick"), [""; 0], "a region that is up at the start is no news");
    ledger
}

const DUAL: &str = "web eu-1 192.0.2.1,2001:db8::1
                    web us-1 192.0.2.2";

#[test]
fn a_lost_region_is_said_once_with_since_when_and_what_takes_its_clients() {
    let mut ledger = settled(DUAL, free);
    let told = turns(
        &mut ledger,
        "1000 192.0.2.1 refused
         1200 192.0.2.1 refused
         1400 192.0.2.1 refused
         1500 2001:db8::1 good
         2000 2001:db8::1 refused
         2200 2001:db8::1 refused
         2400 2001:db8::1 refused
         2600 2001:db8::1 refused
         3000 192.0.2.1 good
         3200 192.0.2.1 good
         3300 2001:db8::1 good
         3400 2001:db8::1 good",
    );
    assert_eq!(
        told,
        [
            "2400 region eu is lost: web/eu-1 is down, no probe there was good for 0.9 s; its clients go to us",
            "3200 region eu is back, after 0.8 s: web/eu-1 is up",
        ]
    );
}

#[test]
fn what_takes_the_clients_of_the_last_region_is_what_the_service_says() {
    let mut ledger = settled("web eu-1 192.0.2.1\nweb us-1 192.0.2.2", free);
    let down = |address: &str| format!("1000 {address} x\n1200 {address} x\n1400 {address} x\n");
    turns(&mut ledger, &down("192.0.2.2"));
    let told = turns(&mut ledger, &down("192.0.2.1").replace("1000", "1500").replace("1200", "1600"));
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].ends_with("go to endpoints that are down (when_all_down = \"ignore-health\")"), "{told:?}");
}

#[test]
fn a_later_pool_that_takes_the_clients_is_named() {
    let mut ledger = settled("app eu-1 192.0.2.1\ndr us-1 192.0.2.2", free);
    let told = turns(&mut ledger, "1000 192.0.2.1 x\n1200 192.0.2.1 x\n1400 192.0.2.1 x");
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].ends_with("; its clients go to us by pool dr"), "{told:?}");
    // From the later pool no client goes anywhere.
    let told = turns(&mut ledger, "1500 192.0.2.1 good\n1600 192.0.2.1 good");
    assert_eq!(told, ["1600 region eu is back, after 0.2 s: app/eu-1 is up"]);
    let told = turns(&mut ledger, "2000 192.0.2.2 x\n2200 192.0.2.2 x\n2400 192.0.2.2 x");
    assert!(told[0].ends_with("; no client moves by that"), "{told:?}");
}

#[test]
fn what_an_operator_has_taken_out_is_not_lost_and_holds_no_region() {
    let mut ledger = settled("web eu-1 192.0.2.1\nweb eu-2 192.0.2.3\nweb us-1 192.0.2.2", free);
    assert_eq!(turns(&mut ledger, "100 say us down"), [""; 0], "by an operator's word alone none is lost");
    assert_eq!(turns(&mut ledger, "150 lift us\n200 say web/eu-2 weight=0"), [""; 0]);
    let told = turns(&mut ledger, "1000 192.0.2.1 x\n1200 192.0.2.1 x\n1400 192.0.2.1 x");
    assert_eq!(
        told,
        ["1400 region eu is lost: web/eu-1 is down, no probe there was good for 1.4 s; its clients go to us"]
    );
    assert_eq!(turns(&mut ledger, "1500 lift web/eu-2"), ["1500 region eu is back, after 0.1 s: web/eu-2 is up"]);
}

#[test]
fn a_region_that_is_dead_at_the_start_is_lost_and_one_that_is_held_is_not() {
    let text = "web eu-1 192.0.2.1\nweb us-1 192.0.2.2";
    let mut ledger = Ledger::new(shaped(text, answering));
    assert_eq!(
        turns(&mut ledger, "5 192.0.2.2 good\n7 192.0.2.1 refused"),
        ["7 region eu is lost: web/eu-1 is down, and no probe there has been good yet; its clients go to us"]
    );
    // The governor lets one of two regions go.
    let mut ledger = settled(text, answering);
    let down = |address: &str| format!("1000 {address} x\n1200 {address} x\n1400 {address} x\n");
    assert_eq!(turns(&mut ledger, &down("192.0.2.1")).len(), 1);
    assert_eq!(turns(&mut ledger, &down("192.0.2.2").replace("1000", "1500").replace("1200", "1600")), [""; 0]);
    assert_eq!(ledger.held_regions(), 1);
}

#[test]
fn what_was_said_of_a_region_goes_over_a_reload_by_its_name() {
    let mut ledger = settled(DUAL, free);
    let down: String = ["192.0.2.1", "2001:db8::1"]
        .map(|address| format!("1000 {address} x\n1200 {address} x\n1400 {address} x\n"))
        .concat();
    assert_eq!(turns(&mut ledger, &down.replace("1000", "1400").replace("1200", "1400")).len(), 1);
    let renumbered = |draft: &mut Draft| {
        free(draft);
        draft.regions.insert(0, Region { name: "ap".into(), ..Region::default() });
        draft.endpoints_mut().for_each(|endpoint| endpoint.region.0 += 1);
    };
    let mut changes = ledger.configure(At(2000), shaped(DUAL, renumbered));
    let turned = ledger.turn_regions(At(2000));
    ledger.tell_regions(At(2000), turned, &mut changes);
    assert!(!changes.iter().any(|change| matches!(change, Change::Region(_))), "{changes:?}");
    let told = turns(&mut ledger, "3000 192.0.2.1 good\n3200 192.0.2.1 good");
    assert_eq!(told, ["3200 region eu is back, after 1.8 s: web/eu-1 is up"]);
}
