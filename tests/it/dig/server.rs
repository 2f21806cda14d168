//! The binary under test, its configuration folder and its log.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    time::{Duration, Instant},
};

use super::Answer;

/// How long an event may take before the test is given up: far beyond what it should.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running `meridian serve`.
pub struct Server {
    child: Child,
    log: Receiver<String>,
    seen: Vec<String>,
    folder: tempfile::TempDir,
    /// What starts the binary: a program and its words, or nothing.
    under: Vec<String>,
    /// Where it answers: one address for each `listen`.
    pub addresses: Vec<SocketAddr>,
}

impl Server {
    /// Writes the files into a folder of its own and starts the server there. `config` is the main file; it listens
    /// where `listen` says, as a TOML list.
    pub fn start(listen: &str, config: &str, files: &[(&str, &str)]) -> Self {
        Self::start_under(&[], listen, config, files)
    }

    /// The same, started by another program.
    pub fn start_under(under: &[&str], listen: &str, config: &str, files: &[(&str, &str)]) -> Self {
        let under: Vec<String> = under.iter().map(|word| (*word).to_owned()).collect();
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            fs::write(folder.path().join(name), text).expect("written");
        }
        let main =
            format!("version = 1\n[server]\nlisten = {listen}\nidentity = \"test-1\"\nstate_dir = \"state\"\n{config}");
        fs::write(folder.path().join("meridian.toml"), main).expect("written");
        let (child, log) = launch(folder.path(), &under);
        let mut server = Self { child, log, seen: Vec::new(), folder, under, addresses: Vec::new() };
        server.listens(listen.matches('"').count() / 2);
        server
    }

    /// Kills it without a word, and starts it again in the same folder.
    pub fn kill_and_restart(&mut self) {
        self.kill();
        self.start_again();
    }

    /// Kills it without a word.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts it again in the same folder.
    pub fn start_again(&mut self) {
        (self.child, self.log) = launch(self.folder.path(), &self.under);
        self.seen.clear();
        let wanted = std::mem::take(&mut self.addresses).len();
        self.listens(wanted);
    }

    fn listens(&mut self, wanted: usize) {
        while self.addresses.len() < wanted {
            let line = self.wait_for("listening on ");
            let address = line.split("listening on ").nth(1).and_then(|t| t.split_whitespace().next()).unwrap_or("");
            self.addresses.push(address.trim_end_matches([',', ';']).parse().unwrap_or_else(|_| panic!("{line}")));
        }
    }

    /// Reads the log up to a line that holds `text`, and returns what stands before it.
    #[track_caller]
    pub fn lines_up_to(&mut self, text: &str) -> Vec<String> {
        let from = self.seen.len();
        self.wait_for(text);
        self.seen[from..self.seen.len() - 1].to_vec()
    }

    /// Reads the log until each of the texts has stood in a line, in whatever order, and returns how many there are.
    #[track_caller]
    pub fn lines_with(&mut self, texts: &[&str]) -> usize {
        let mut left: Vec<&str> = texts.to_vec();
        while !left.is_empty() {
            let line = self.wait_for("");
            left.retain(|text| !line.contains(text));
        }
        texts.len()
    }

    /// A line of the log that holds `text`: one that has been read already, or the next.
    #[track_caller]
    pub fn heard(&mut self, text: &str) -> String {
        let before = self.seen.iter().find(|line| line.contains(text)).cloned();
        before.unwrap_or_else(|| self.wait_for(text))
    }

    /// Reads the log up to a line that holds `text`, and returns it.
    #[track_caller]
    pub fn wait_for(&mut self, text: &str) -> String {
        // Of all lines together: a log that goes on about something else is no reason to wait for ever.
        #[expect(clippy::disallowed_methods, reason = "how long a test waits is no part of what it tests")]
        let start = Instant::now();
        loop {
            match self.log.recv_timeout(PATIENCE.saturating_sub(start.elapsed())) {
                Ok(line) => {
                    self.seen.push(line.clone());
                    if line.contains(text) {
                        return line;
                    }
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    panic!("no log line with `{text}`; the log:\n{}", self.seen.join("\n"))
                }
            }
        }
    }

    /// The first line of the log.
    pub fn first_line(&self) -> &str {
        self.seen.first().map_or("", String::as_str)
    }

    /// The number of its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How many of the log's lines so far hold `text`.
    pub fn said(&mut self, text: &str) -> usize {
        self.seen.extend(self.log.try_iter());
        self.seen.iter().filter(|line| line.contains(text)).count()
    }

    /// Asks the first address by `dig`.
    pub fn dig(&self, words: &str) -> Answer {
        Answer::ask(self.addresses[0], words)
    }

    /// Replaces text in one of the files.
    pub fn edit(&self, file: &str, from: &str, to: &str) {
        let path: PathBuf = self.folder.path().join(file);
        let text = fs::read_to_string(&path).expect("readable");
        assert!(text.contains(from), "{file} has no `{from}`");
        fs::write(path, text.replace(from, to)).expect("written");
    }

    /// Puts another file in the place of one of the files, all at once, or where there is none yet.
    pub fn put(&self, file: &str, text: &str) {
        let other = self.folder.path().join(".other");
        fs::write(&other, text).expect("written");
        fs::rename(other, self.folder.path().join(file)).expect("renamed");
    }

    /// Where one of its files is, or would be.
    pub fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    /// Where its configuration lies.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Removes one of the files.
    pub fn remove(&self, file: &str) {
        fs::remove_file(self.folder.path().join(file)).expect("removed");
    }

    /// Sends a signal by its name.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status();
        assert!(sent.is_ok_and(|s| s.success()), "kill -{name}");
    }

    /// Waits for the end and returns the exit code.
    #[track_caller]
    pub fn exit_code(mut self) -> Option<i32> {
        // Its log ends with it.
        loop {
            match self.log.recv_timeout(PATIENCE) {
                Ok(line) => self.seen.push(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it does not end; the log:\n{}", self.seen.join("\n")),
            }
        }
        self.child.wait().ok().and_then(|s| s.code())
    }
}

/// Starts the binary with the configuration in a folder.
fn launch(folder: &Path, under: &[String]) -> (Child, Receiver<String>) {
    let words = under.iter().map(String::as_str).chain([env!("CARGO_BIN_EXE_meridian"), "serve", "-c"]);
    let words: Vec<&str> = words.collect();
    let mut child = Command::new(words[0])
        .args(&words[1..])
        .arg(folder.join("meridian.toml"))
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .stdin(Stdio::null())
        .spawn()
        .expect("the server starts");
    let stderr = child.stderr.take().expect("piped");
    let (send, log) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            let _ = send.send(line);
        }
    });
    (child, log)
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}
