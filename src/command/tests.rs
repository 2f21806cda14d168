//! Real commands. Whether somebody lives on is seen from a pipe that only ends when nobody holds it any more.

use std::{fs, io::Read, os::unix::fs::PermissionsExt, path::Path};

use super::*;

const LONG: Duration = Duration::from_secs(30);
/// Long enough for a shell to have begun, on a machine that is busy too.
const SHORT: Duration = Duration::from_secs(2);

fn shell(script: &str, timeout: Duration) -> Command {
    Command::new(["/bin/sh", "-c", script].map(String::from).to_vec(), timeout)
}

/// A pipe with a name.
fn fifo(folder: &Path) -> String {
    let path = folder.join("fifo").display().to_string();
    assert!(std::process::Command::new("mkfifo").arg(&path).status().expect("mkfifo").success());
    path
}

/// What is said through the pipe until nobody holds its other end any more.
async fn heard(path: &str) -> String {
    let path = path.to_owned();
    let read = move || {
        let mut text = String::new();
        fs::File::open(path).expect("the pipe").read_to_string(&mut text).expect("text");
        text
    };
    tokio::task::spawn_blocking(read).await.expect("read")
}

#[tokio::test]
async fn it_ends_with_a_code_or_a_signal_and_what_it_printed() {
    let ended = shell("echo good; echo bad >&2; exit 3", LONG).run().await.expect("ran");
    assert_eq!(ended.end, End::Code(3));
    assert_eq!((ended.output.head(), ended.errors.head()), (&b"good\n"[..], &b"bad\n"[..]));
    let ended = shell("kill -TERM $$", LONG).run().await.expect("ran");
    assert_eq!(ended.end, End::Signal(libc::SIGTERM));
}

#[tokio::test]
async fn it_gets_only_the_environment_and_the_input_that_it_is_given() {
    let mut command = shell("env | grep -v -e ^PWD= -e ^SHLVL= -e ^_= | sort; cat", LONG);
    command.environment = vec![("ADDRESS".to_owned(), "192.0.2.1".to_owned())];
    command.input = b"input".to_vec();
    let ended = command.run().await.expect("ran");
    let path = env::var("PATH").unwrap_or_else(|_| PATH.to_owned());
    assert_eq!(String::from_utf8_lossy(ended.output.head()), format!("ADDRESS=192.0.2.1\nPATH={path}\ninput"));
    let ended = shell("cat; echo end", LONG).run().await.expect("ran");
    assert_eq!(ended.output.head(), b"end\n");
    command.words[2] = "exec true".to_owned();
    command.input = vec![b'x'; 1 << 20];
    assert_eq!(command.run().await.expect("ran").end, End::Code(0), "input that nobody wants");
}

#[tokio::test]
async fn time_over_kills_the_children_too_though_they_ignore_being_asked_to_end() {
    let folder = tempfile::tempdir().expect("folder");
    let pipe = fifo(folder.path());
    let script = format!("exec 3>{pipe}; (trap '' TERM HUP INT; echo born >&3; sleep 20; echo survived >&3) & wait");
    let listening = tokio::spawn(async move { heard(&pipe).await });
    let ended = shell(&script, SHORT).run().await.expect("ran");
    assert_eq!((ended.end, ended.took), (End::Killed, SHORT));
    assert_eq!(listening.await.expect("heard"), "born\n");
}

#[tokio::test]
async fn whom_it_leaves_behind_dies_with_it() {
    let folder = tempfile::tempdir().expect("folder");
    let pipe = fifo(folder.path());
    // The child holds on to the output, too.
    let script = format!("exec 3>{pipe}; (trap '' TERM HUP; echo born >&3; sleep 20; echo survived >&3) & exit 4");
    let listening = tokio::spawn(async move { heard(&pipe).await });
    let ended = shell(&script, LONG).run().await.expect("ran");
    assert_eq!(ended.end, End::Code(4));
    let heard = listening.await.expect("heard");
    assert!(["", "born\n"].contains(&heard.as_str()), "{heard}");
}

#[tokio::test]
async fn who_does_not_wait_for_it_kills_it() {
    let folder = tempfile::tempdir().expect("folder");
    let pipe = fifo(folder.path());
    let script = format!("exec 3>{pipe}; echo born >&3; sleep 20; echo survived >&3");
    let running = tokio::spawn(async move { shell(&script, LONG).run().await });
    let (born, rest) = tokio::task::spawn_blocking(move || {
        let mut pipe = fs::File::open(pipe).expect("the pipe");
        let mut born = [0; 5];
        pipe.read_exact(&mut born).expect("a word");
        (born, pipe)
    })
    .await
    .expect("read");
    assert_eq!(&born, b"born\n");
    running.abort();
    let read = |mut pipe: fs::File| {
        let mut text = String::new();
        pipe.read_to_string(&mut text).map(|_| text)
    };
    assert_eq!(tokio::task::spawn_blocking(move || read(rest)).await.expect("read").expect("text"), "");
}

#[tokio::test]
async fn one_that_prints_without_end_is_cut_short() {
    let ended = shell("yes all is well", SHORT).run().await.expect("ran");
    assert_eq!(ended.end, End::Killed);
    assert_eq!((ended.output.head().len(), ended.output.is_whole()), (4096, false));
}

#[tokio::test]
async fn what_cannot_be_started_says_why() {
    let folder = tempfile::tempdir().expect("folder");
    let none = folder.path().join("none").display().to_string();
    let run = |program: &str| {
        let command = Command::new(vec![program.to_owned()], LONG);
        async move { command.run().await.map(|ended| ended.end).map_err(|error| error.to_string()) }
    };
    let text = format!("there is no program {none}, or none that its first line names");
    assert_eq!(run(&none).await, Err(text));
    let script = folder.path().join("script");
    fs::write(&script, "#!/bin/sh\nexit 0\n").expect("written");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o644)).expect("mode");
    let path = script.display().to_string();
    let text = format!("{path} may not be run by this user: see its mode and its folders'");
    assert_eq!(run(&path).await, Err(text));
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("mode");
    assert_eq!(run(&path).await, Ok(End::Code(0)));
    fs::write(&script, "exit 0\n").expect("written");
    let text = format!("{path} is no program for this machine: a script begins with #!");
    assert_eq!(run(&path).await, Err(text));
    let nothing = Command::new(Vec::new(), LONG).run().await;
    assert!(matches!(nothing, Err(NotRun::Nameless)), "{nothing:?}");
}

#[tokio::test]
async fn those_who_are_told_keep_nobody_from_being_asked() {
    let hanging: Vec<_> = (0..=AT_ONCE)
        .map(|_| {
            let mut command = shell("sleep 600", LONG);
            command.queue = Queue::Telling;
            tokio::spawn(async move { command.run().await.map(|ended| ended.end) })
        })
        .collect();
    while TELLING.available_permits() > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(shell("exit 0", LONG).run().await.expect("ran").end, End::Code(0));
    assert_eq!(TELLING.available_permits(), 0, "before any of the others had ended");
    hanging.iter().for_each(tokio::task::JoinHandle::abort);
}
