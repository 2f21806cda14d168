//! Files of this version and of the one before, as programs wrote them. They are never written again: a file of users that
//! looks like this must be read.

use super::{
    full::{NOW, WALL},
    *,
};
use crate::probing::{identity::tests::checks, millis::Millis};

/// By the last program of version 1.
const VERSION_1: &str = include_str!("version-1.health");
/// The same health.
const VERSION_2: &str = include_str!("version-2.health");

fn age() -> Age {
    Age { age: Some(Millis(0)), limit: Millis(600_000) }
}

#[test]
fn a_file_of_this_version_is_read_and_written_back_to_the_byte() {
    assert_eq!(encode(&full::status(), NOW, WALL), VERSION_2);
    let contents = text::read(VERSION_2).expect("sound");
    assert_eq!(text::write(&contents), VERSION_2);
    let Contents { version, wall, targets, governor, slow_starts } = contents;
    assert_eq!((version, wall, targets.len(), slow_starts.len()), (2, WALL, 18, 4));
    assert_eq!([governor.emptied.len(), governor.held.len(), governor.kept.len()], [2, 1, 3]);
}

#[test]
fn a_file_of_version_1_brings_back_all_that_this_version_does() {
    let [old, new] = [VERSION_1, VERSION_2].map(|text| decode(text).expect("sound"));
    assert_eq!([old.0.version, new.0.version], [1, 2]);
    let before = full::status();
    let world = &before.world;
    for (n, target) in world.targets.iter().enumerate() {
        let id = TargetId(n as u32);
        let kept = before.kept.iter().find(|(kept, _)| *kept == id).map(|(_, health)| *health);
        assert_eq!([old.counted(world, id), new.counted(world, id)], [kept; 2]);
        let Some(key) = target.key() else { continue };
        // It is found by what is asked, whatever its monitor is called by now.
        let renamed = Monitor { name: "renamed".into(), ..world.monitors[target.monitor.at()].clone() };
        let found = old.record(key, &renamed, age(), At(0)).expect("it is in the file");
        assert_eq!(found.health, before.targets[n].health, "{}", world.monitors[target.monitor.at()].name);
        assert_eq!(Some(found), new.record(key, &renamed, age(), At(0)));
    }
    assert_eq!(old.governed(world, age(), NOW), new.governed(world, age(), NOW));
    assert_eq!(old.slow_starts(world, age()), new.slow_starts(world, age()));
    assert_eq!(old.slow_starts(world, age()).len(), before.slow_starts.len());
}

#[test]
fn a_server_that_read_version_1_writes_this_version() {
    let text_after = |text: &str| {
        let saved = decode(text).expect("sound");
        let mut ledger = Ledger::new(full::world());
        let changes = ledger.fold(At(0), Input::Saved { saved, age: age() });
        let used = changes.iter().find_map(|change| match change {
            Change::Restored { used, unknown, .. } => Some((*used, *unknown)),
            _ => None,
        });
        assert_eq!(used, Some((18, 0)));
        encode(&ledger.status(At(0)), At(0), WALL)
    };
    assert_eq!(text_after(VERSION_1), text_after(VERSION_2));
    assert!(text_after(VERSION_1).starts_with("{\"meridian_health\":2,"));
}

#[test]
fn every_check_has_a_digest_of_its_own_in_both_versions() {
    for version in [1, 2] {
        let saved = Saved(Contents { version, ..text::read(VERSION_2).expect("sound") });
        let digests: BTreeMap<_, _> = checks()
            .into_iter()
            .map(|(name, check)| (saved.digest(&ProbeKey::new(check, [192, 0, 2, 1].into())), name))
            .collect();
        assert_eq!(digests.len(), checks().len(), "{digests:?}");
    }
}
