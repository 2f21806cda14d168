//! A real HAProxy in the foreground, with a master that reloads it.

use std::{
    fmt::Write as _,
    fs,
    os::unix::{net::UnixDatagram, process::CommandExt},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use super::{Origin, Place, port};

/// How long HAProxy may take to say that it is ready.
const PATIENCE: Duration = Duration::from_secs(120);

/// HAProxy before an origin: the proxy `web` with the server `one`.
pub struct Haproxy {
    pub place: Place,
    /// Where requests go.
    pub port: u16,
    /// Where its statistics are: `/stats`, and `/metrics` for Prometheus.
    pub stats: u16,
    folder: tempfile::TempDir,
    notes: UnixDatagram,
    running: Option<Child>,
}

impl Haproxy {
    /// Starts one. `server` ends the server's line.
    pub fn start(origin: &Origin, server: &str) -> Self {
        let place = Place::new();
        let (port, stats) = (port(), port());
        let folder = tempfile::tempdir().expect("a folder");
        let (ip, to) = (place.address, origin.address);
        let mut config = "global\n  maxconn 2000\ndefaults\n  mode http\n".to_owned();
        // No test takes so long: requests that are held end when they are told to, also on a machine that is busy.
        for (what, time) in [("connect", "60s"), ("client", "1h"), ("server", "1h")] {
            let _ = writeln!(config, "  timeout {what} {time}");
        }
        let _ = write!(
            config,
            "frontend in\n  bind {ip}:{port}\n  default_backend web\n\
             backend web\n  server one {to} {server}\n\
             listen status\n  bind {ip}:{stats}\n  stats enable\n  stats uri /stats\n\
             \x20 http-request use-service prometheus-exporter if {{ path /metrics }}\n"
        );
        fs::write(folder.path().join("haproxy.cfg"), config).expect("written");
        let notes = UnixDatagram::bind(folder.path().join("notes")).expect("a socket");
        notes.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        let mut haproxy = Self { place, port, stats, folder, notes, running: None };
        haproxy.heal();
        haproxy
    }

    /// Starts it again after it was killed.
    pub fn heal(&mut self) {
        let path = |name: &str| self.folder.path().join(name);
        let mut command = Command::new(find("haproxy"));
        command.arg("-Ws").arg("-f").arg(path("haproxy.cfg")).env("NOTIFY_SOCKET", path("notes"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        self.running = Some(command.spawn().expect("HAProxy starts: bash tests/run installs it"));
        self.wait_until_ready();
    }

    /// Waits for the word that the master gives to whoever started it.
    fn wait_until_ready(&self) {
        let mut note = [0; 1024];
        loop {
            let count = self.notes.recv(&mut note).expect("HAProxy says that it is ready");
            if String::from_utf8_lossy(&note[..count]).contains("READY=1") {
                return;
            }
        }
    }

    /// Has a new process take over; the old one ends what it has begun.
    pub fn reload(&self) {
        let master = self.running.as_ref().expect("it runs").id();
        signal("USR2", &master.to_string());
        self.wait_until_ready();
    }

    /// Kills it with all its processes.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.running.take() {
            signal("KILL", &format!("-{}", child.id()));
            child.wait().expect("it ends");
        }
    }
}

impl Drop for Haproxy {
    fn drop(&mut self) {
        self.kill();
    }
}

pub fn signal(name: &str, to: &str) {
    let sent = Command::new("kill").args(["-s", name, "--", to]).status();
    assert!(sent.is_ok_and(|status| status.success()), "kill -s {name} {to}");
}

/// A program that may stand where only root's PATH leads.
pub fn find(name: &str) -> std::path::PathBuf {
    let folders = ["/usr/sbin", "/usr/local/sbin", "/usr/bin", "/usr/local/bin"];
    let found = folders.iter().map(|folder| Path::new(folder).join(name)).find(|path| path.exists());
    found.unwrap_or_else(|| name.into())
}
