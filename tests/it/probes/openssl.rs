//! Certificates and servers of OpenSSL: such as the library that this prober uses neither makes nor shows.

use std::{
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use meridian::probing::check::Trust;

/// A folder with certificates.
pub struct Workshop(tempfile::TempDir);

/// A certificate and its key, as files.
pub struct Pair {
    certificate: PathBuf,
    key: PathBuf,
}

impl Workshop {
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn run(&self, args: &[&str]) -> String {
        let ended =
            Command::new("openssl").args(args).current_dir(self.0.path()).output().expect("openssl is installed");
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert!(ended.status.success(), "openssl {args:?}: {said}");
        String::from_utf8_lossy(&ended.stdout).into_owned()
    }

    fn pair(&self, name: &str) -> Pair {
        let path = |end: &str| self.0.path().join(format!("{name}.{end}"));
        Pair { certificate: path("pem"), key: path("key") }
    }

    /// Signed by itself, for `www.example.com`, with a key made as `key` says (`rsa:1024`), and further arguments.
    pub fn own(&self, name: &str, key: &[&str], more: &[&str]) -> Pair {
        let (out, keyout) = (format!("{name}.pem"), format!("{name}.key"));
        let start = ["req", "-x509", "-nodes", "-days", "30", "-subj", "/CN=www.example.com", "-newkey"];
        let names = ["-addext", "subjectAltName=DNS:www.example.com", "-out", &out, "-keyout", &keyout];
        self.run(&[&start, key, &names, more].concat());
        self.pair(name)
    }

    /// Signed by itself and of X.509 version 1, which has no extensions.
    pub fn version_one(&self, name: &str) -> Pair {
        let files = ["csr", "key", "pem"].map(|end| format!("{name}.{end}"));
        let [request, key, out] = files.each_ref().map(String::as_str);
        let subject = ["-nodes", "-subj", "/CN=www.example.com", "-out", request, "-keyout", key];
        self.run(&[&["req", "-new", "-newkey", "rsa:2048"], &subject[..]].concat());
        self.run(&["x509", "-req", "-days", "30", "-in", request, "-signkey", key, "-out", out]);
        assert!(self.run(&["x509", "-noout", "-text", "-in", out]).contains("Version: 1 "), "its version");
        self.pair(name)
    }

    /// Signed by another, whose certificate is one of an authority, with further arguments.
    pub fn signed(&self, name: &str, by: &Pair, key: &[&str], more: &[&str]) -> Pair {
        let files = ["csr", "key", "pem", "ext"].map(|end| format!("{name}.{end}"));
        let [request, keyout, out, extensions] = files.each_ref().map(String::as_str);
        std::fs::write(self.0.path().join(extensions), "subjectAltName=DNS:www.example.com\n").expect("written");
        let start = ["req", "-new", "-nodes", "-subj", "/CN=www.example.com", "-newkey"];
        self.run(&[&start, key, &["-out", request, "-keyout", keyout][..]].concat());
        let by = [by.certificate.to_str().expect("text"), by.key.to_str().expect("text")];
        let end = ["-in", request, "-out", out, "-CA", by[0], "-CAkey", by[1], "-extfile", extensions];
        self.run(&[&["x509", "-req", "-days", "30", "-CAcreateserial"], &end[..], more].concat());
        self.pair(name)
    }
}

impl Pair {
    pub fn trust(&self) -> Trust {
        Trust::new(&std::fs::read_to_string(&self.certificate).expect("readable"))
    }
}

/// A server that answers each request with a page about itself; it ends with this.
pub struct Server {
    child: Child,
    pub port: u16,
}

impl Server {
    /// Shows this certificate; what OpenSSL itself thinks too weak does not matter.
    pub fn of(pair: &Pair, more: &[&str]) -> Self {
        let mut child = Command::new("openssl")
            .args(["s_server", "-accept", "127.0.0.1:0", "-www", "-cipher", "DEFAULT:@SECLEVEL=0"])
            .args(["-cert".as_ref(), pair.certificate.as_path(), "-key".as_ref(), pair.key.as_path()])
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("openssl is installed");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let port = lines.find_map(|line| line.ok()?.strip_prefix("ACCEPT 127.0.0.1:")?.parse().ok());
        let server = Self { child, port: port.expect("its port") };
        // What it says later is nothing to wait for; its end is this thread's.
        std::thread::spawn(move || lines.for_each(drop));
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
