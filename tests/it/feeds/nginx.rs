//! A real nginx in the foreground.

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
    sync::mpsc::channel,
    thread,
    time::Duration,
};

use super::{
    Origin, Place,
    haproxy::{find, signal},
};

const PATIENCE: Duration = Duration::from_secs(120);

/// nginx before an origin, with its status at `/basic_status` and as JSON at `/load`.
pub struct Nginx {
    pub place: Place,
    /// Where all of it is.
    pub port: u16,
    child: Child,
    _folder: tempfile::TempDir,
}

impl Nginx {
    pub fn start(origin: &Origin) -> Self {
        let place = Place::new();
        let port = super::port();
        let folder = tempfile::tempdir().expect("a folder");
        let (ip, to) = (place.address, origin.address);
        let temp: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|what| format!("  {what}_temp_path {what};\n"))
            .concat();
        // Whoever runs the tests owns the folder, and the workers must read it.
        let config = format!(
            "daemon off;\nuser root root;\nworker_processes 1;\npid nginx.pid;\nerror_log stderr notice;\n\
             events {{ worker_connections 1024; }}\nhttp {{\n  access_log off;\n\
             \x20 client_body_timeout 1h;\n  proxy_send_timeout 1h;\n  proxy_read_timeout 1h;\n{temp}\
             \x20 server {{\n    listen {ip}:{port};\n    location = /basic_status {{ stub_status; }}\n\
             \x20   location = /load {{ return 200 '{{\"connections\": [\"$connections_active\"]}}'; }}\n\
             \x20   location / {{ proxy_pass http://{to}; }}\n  }}\n}}\n"
        );
        let file = folder.path().join("nginx.conf");
        fs::write(&file, config).expect("written");
        let mut command = Command::new(find("nginx"));
        command.arg("-e").arg("stderr").arg("-p").arg(folder.path()).arg("-c").arg(&file);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).process_group(0);
        let mut child = command.spawn().expect("nginx starts: bash tests/run installs it");
        let stderr = child.stderr.take().expect("piped");
        let (send, log) = channel();
        thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let _ = send.send(line);
            }
        });
        let mut seen = String::new();
        while !seen.contains("start worker process ") {
            let line = log.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("nginx does not start:\n{seen}"));
            seen += &format!("{line}\n");
        }
        Self { place, port, child, _folder: folder }
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        signal("KILL", &format!("-{}", self.child.id()));
        let _ = self.child.wait();
    }
}
