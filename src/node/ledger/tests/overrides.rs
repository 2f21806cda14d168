//! What operators say: what it makes of rows, which word counts, how it ends, how it is told.

use super::*;
use crate::engine::types::PerFamily;

#[test]
fn the_operator_reads_what_became_of_every_word() {
    let mut ledger = all_up(&shaped(TWO, |_| {}));
    play(
        &mut ledger,
        "1000  say web/eu drain=0            | web/eu is drained, says ann: kernel; until it is lifted
         1000  say web weight=500 until 61000 | pool web has 50 % of its weight, says ann: kernel; for 1 min
         2000  say web/eu drain=60000        | web/eu is drained over 1 min, says ann: kernel; until it is lifted; this replaces a word of ann
         2000  say eu down                   | region eu is forced down, says ann: kernel; until it is lifted
         2000  say eu up                     | region eu is forced up, says ann: kernel; until it is lifted; this replaces a word of ann
         2000  say web/nobody up             | refused: web/nobody is forced up, says ann: nobody is called so
         2000  say shop up                   | refused: pool shop is forced up, says ann: nobody is called so
         2000  say us up until 2000          | refused: region us is forced up, says ann: its time is over already
         2000  say us shed=1001              | refused: region us passes on 100.1 % of its blocks, says ann: nobody can shed more than all
         2000  lift us                       | nothing to lift: no operator has said anything of region us
         61000 tick                          | expired: pool web has 50 % of its weight (ann: kernel)
         61000 lift web/eu                   | lifted: web/eu is drained over 1 min (ann: kernel)",
    );
    let left: Vec<&Override> = ledger.overrides().collect();
    assert_eq!(left.iter().map(|word| (&word.scope, word.act)).collect::<Vec<_>>(), [(&subject("eu"), Act::ForceUp)]);
}

#[test]
fn the_narrower_word_decides_and_shares_multiply() {
    for (words, rows) in [
        ("", "100*100u 100*100u"),
        ("eu weight=500", "50*100u 100*100u"),
        ("eu weight=500; web weight=2000", "200*100u 200*100u"),
        ("web weight=2000; eu weight=500", "200*100u 200*100u"),
        ("web/eu weight=0; web weight=2000; eu weight=500", "0*100u 200*100u"),
        ("web/eu weight=1", "1*100u 100*100u"),
        ("web/eu weight=4294967295", "1048575*100u 100*100u"),
        ("eu down", "100*100uo 100*100u"),
        ("eu down; web/eu up", "100*100u 100*100u"),
        ("eu up; web down", "100*100uo 100*100uo"),
        ("eu shed=500; web shed=500; web/eu shed=500", "100*12.5u 100*50u"),
        ("web/us shed=1000", "100*100u 100*0u"),
        ("web/us drain=0; us shed=500", "100*100u 100*0uD"),
        ("web/us drain=0; us down", "100*100u 100*0uo"),
        ("web/us shed=500; web/us shed=100", "100*100u 100*90u"),
    ] {
        let mut ledger = all_up(&shaped(TWO, |_| {}));
        for word in words.split("; ").filter(|word| !word.is_empty()) {
            let (of, what) = word.split_once(' ').expect(word);
            ledger.fold(At(0), said(of, what, None));
        }
        assert_eq!(shares(&ledger), rows, "{words}");
    }
}

#[test]
fn who_is_forced_up_is_up_in_all_its_families() {
    let world = shaped("web eu 192.0.2.1,2001:db8::1\nweb us 192.0.2.2", |_| {});
    let mut ledger = Ledger::new(Arc::clone(&world));
    play(
        &mut ledger,
        "0 192.0.2.1 good | web/eu 192.0.2.1 is up: the first probe answered in 1.0 ms; web has 1 of 2 endpoints up",
    );
    for bad in ["0 2001:db8::1 status-503", "0 192.0.2.2 status-503", "0 192.0.2.1 status-503"] {
        let [at, address, found] = bad.split(' ').collect::<Vec<_>>()[..] else { panic!("{bad}") };
        ledger.fold(At(at.parse().expect(at)), Input::outcome(&key(address), outcome(found)));
    }
    let before = ledger.snapshot(At(0));
    assert_eq!(
        (before.pools[0].up, before.pools[0].down, before.pools[0].falling),
        (PerFamily::new(1, 0), PerFamily::new(2, 1), PerFamily::new(1, 0))
    );
    ledger.fold(At(0), said("web", "up", None));
    let row = ledger.snapshot(At(0)).pools[0];
    assert_eq!((row.up, row.down, row.falling), (PerFamily::new(3, 1), PerFamily::default(), PerFamily::default()));
    assert_eq!(ledger.snapshot(At(0)).endpoints[0].change_in, u32::MAX, "no probe can change it");
    assert_eq!((row.last, row.last_at), (before.pools[0].last, before.pools[0].last_at), "nobody measured that");
    ledger.fold(At(0), Input::Lift(subject("web")));
    assert!(!ledger.differs_from(&before));
}

#[test]
fn a_word_ends_by_itself_to_the_millisecond_and_ttls_hear_of_it_before() {
    let mut ledger = all_up(&shaped(TWO, |_| {}));
    let calm = ledger.snapshot(At(0));
    assert_eq!(ledger.due(), None);
    ledger.fold(At(500), said("us", "weight=0", Some("100500")));
    let mut seen = Vec::new();
    // The longest TTL is 30 s: until then nothing needs to be told to queries.
    while let Some(at) = ledger.due() {
        seen.push((at.0, ledger.snapshot(at).endpoints[1].change_in, ledger.snapshot(at).pools[0].moving));
        ledger.fold(at, Input::Tick);
    }
    let mut expected = vec![(70_500, u32::MAX, 0)];
    expected.extend((1..=30u32).map(|n| (70_500 + u64::from(n) * 1000, (31 - n) * 1000, 2)));
    assert_eq!(seen, expected);
    assert!(!ledger.differs_from(&calm), "it leaves no trace");
}
