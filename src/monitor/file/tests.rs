//! Files that change under the looks.

use super::*;
use crate::engine::types::Millis;

struct World {
    folder: tempfile::TempDir,
    files: Files,
}

impl World {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("folder"), files: Files::default() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("health.csv")
    }

    /// Puts another file in its place, as one should.
    fn put(&self, text: &str) {
        let other = self.folder.path().join("other");
        fs::write(&other, text).expect("written");
        fs::rename(other, self.path()).expect("renamed");
    }

    async fn look(&self, address: &str) -> Result<Option<String>, Outcome> {
        let check = FileCheck { path: self.path().into() };
        let file = File::of(&check, address.parse().expect("address"));
        file.ask(&self.files).await.map(|fine| fine.note.map(String::from))
    }

    fn reads(&self) -> u32 {
        self.files.known(&self.path()).try_lock().expect("nobody looks").reads
    }
}

fn bad(text: impl Into<String>) -> Outcome {
    Outcome::Bad(text.into().into())
}

#[tokio::test]
async fn a_change_is_seen_at_the_next_look_and_read_once() {
    let world = World::new();
    world.put("192.0.2.1,down,disk\n");
    for _ in 0..3 {
        assert_eq!(world.look("192.0.2.1").await, Err(bad("disk")));
        assert_eq!(world.look("192.0.2.2").await, Ok(None));
    }
    assert_eq!(world.reads(), 1);
    world.put("192.0.2.2,down\n");
    assert_eq!(world.look("192.0.2.1").await, Ok(None));
    assert_eq!(world.look("192.0.2.2").await, Err(bad("down in the file")));
    assert_eq!(world.reads(), 2);
}

#[tokio::test]
async fn a_file_that_is_malformed_or_gone_leaves_the_states() {
    let world = World::new();
    let path = world.path().display().to_string();
    world.put("192.0.2.1,down,disk\n192.0.2.2,up\n");
    assert_eq!(world.look("192.0.2.1").await, Err(bad("disk")));
    world.put("192.0.2.1,u");
    let now =
        format!("as last read; now {path}: line 1 says neither \"up\" nor \"down\" nor \"down,REASON\" of 192.0.2.1");
    assert_eq!(world.look("192.0.2.1").await, Err(bad(format!("disk ({now})"))));
    assert_eq!(world.look("192.0.2.2").await, Ok(Some(now)));
    assert_eq!(world.reads(), 2, "a malformed file is not read again either");
    fs::remove_file(world.path()).expect("removed");
    let now = format!("as last read; now {path}: there is no such file");
    assert_eq!(world.look("192.0.2.2").await, Ok(Some(now)));
    world.put("192.0.2.1,up\n");
    assert_eq!(world.look("192.0.2.1").await, Ok(None));
}

#[tokio::test]
async fn a_file_that_never_was_says_nothing() {
    let world = World::new();
    let text = format!("{}: there is no such file", world.path().display());
    assert_eq!(world.look("192.0.2.1").await, Err(Outcome::Unasked(text.into())));
    fs::create_dir(world.path()).expect("folder");
    let text = format!("{}: it is no file of at most 16 MiB", world.path().display());
    assert_eq!(world.look("192.0.2.1").await, Err(Outcome::Unasked(text.into())));
    fs::remove_dir(world.path()).expect("removed");
    world.put("192.0.2.1;up\n");
    let text = format!("{}: line 1 has \"192.0.2.1;up\" where an address is expected", world.path().display());
    assert_eq!(world.look("192.0.2.1").await, Err(Outcome::Unasked(text.into())));
}

#[tokio::test]
async fn a_file_that_makes_one_wait_says_nothing_of_anybody() {
    let world = World::new();
    world.put("192.0.2.1,up\n");
    // Somebody looks, and does not come back.
    let _looking = world.files.known(&world.path()).lock_owned().await;
    let file = File::of(&FileCheck { path: world.path().into() }, [192, 0, 2, 1].into());
    let tools = crate::monitor::context::Tools { files: world.files, ..Default::default() };
    let mut prepared = crate::monitor::prober::Prepared::File(file);
    let outcome = crate::monitor::prober::run(&tools, &mut prepared, Millis(300)).await;
    assert_eq!(outcome, Outcome::Unasked("the file could not be read within 300 ms".into()));
}
