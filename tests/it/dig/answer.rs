//! A run of `dig` and what it printed.

use std::{
    net::SocketAddr,
    process::{self, Command},
    sync::atomic::{AtomicU16, Ordering},
};

/// What `dig` printed, taken apart.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// NOERROR, NXDOMAIN, …; empty when no reply came.
    pub status: String,
    /// The flags line's words: qr, aa, tc, …
    pub flags: Vec<String>,
    /// Records of the sections, as (owner, TTL, type, data).
    pub answer: Vec<Row>,
    /// The authority section.
    pub authority: Vec<Row>,
    /// The additional section, OPT left out.
    pub additional: Vec<Row>,
    /// The client subnet option of the reply: address/source/scope.
    pub subnet: Option<String>,
    /// The question as it came back.
    pub question: String,
    /// Octets of the reply.
    pub size: usize,
    /// Everything, for messages of failing tests.
    pub text: String,
}

/// One record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    pub owner: String,
    pub ttl: u32,
    pub rtype: String,
    pub data: String,
}

/// `dig`, told whom to ask and from where. It shares its ports as the server does (SO_REUSEPORT): once in as many
/// queries as there are ephemeral ports it would be given the server's own, and hear nobody but itself. So its queries
/// leave from another loopback address, or where IPv6 has but one from a port that is not handed out.
pub fn dig(server: SocketAddr) -> Command {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Two runs of the tests at a time begin at different ones.
    let from = || 20_000 + ((process::id() % 120) as u16 * 100 + NEXT.fetch_add(1, Ordering::Relaxed)) % 12_000;
    let mut command = Command::new("dig");
    command.arg(format!("@{}", server.ip())).args(["-p", &server.port().to_string()]);
    command.args(match server {
        SocketAddr::V4(_) => ["-b".to_owned(), "127.0.0.2".to_owned()],
        SocketAddr::V6(_) => ["-b".to_owned(), format!("::1#{}", from())],
    });
    command.env("LANG", "C").env("HOME", "/nonexistent");
    command
}

impl Answer {
    /// Runs `dig` against a server with these further words of its own language.
    pub fn ask(server: SocketAddr, words: &str) -> Self {
        let run = dig(server)
            .args(["+tries=1", "+time=20", "+nocookie", "+norecurse", "+noidnin"])
            .args(words.split_whitespace())
            .output()
            .expect("dig runs: bash tests/run installs it");
        Self::read(&String::from_utf8_lossy(&run.stdout))
    }

    fn read(text: &str) -> Self {
        let mut answer = Self { text: text.to_owned(), ..Self::default() };
        let mut section = "";
        for line in text.lines() {
            if let Some(at) = line.find("status: ") {
                answer.status = line[at + 8..].split(',').next().unwrap_or("").to_owned();
            } else if let Some(rest) = line.strip_prefix(";; flags: ") {
                let flags = rest.split(';').next().unwrap_or("");
                answer.flags = flags.split_whitespace().map(str::to_owned).collect();
            } else if let Some(rest) = line.strip_prefix("; CLIENT-SUBNET: ") {
                answer.subnet = Some(rest.trim().to_owned());
            } else if let Some(rest) = line.strip_prefix(";; MSG SIZE  rcvd: ") {
                answer.size = rest.trim().parse().unwrap_or(0);
            } else if line.starts_with(";; ") && line.ends_with("SECTION:") {
                section = line;
            } else if section.contains("QUESTION") && line.starts_with(';') {
                answer.question = line[1..].to_owned();
            } else if !line.starts_with(';') && !line.trim().is_empty() {
                let mut words = line.split_whitespace();
                let mut word = || words.next().unwrap_or("").to_owned();
                let (owner, ttl) = (word(), word().parse().unwrap_or(u32::MAX));
                let (_, rtype) = (word(), word());
                let row = Row { owner, ttl, rtype, data: words.collect::<Vec<_>>().join(" ") };
                match section {
                    s if s.contains("ANSWER") => answer.answer.push(row),
                    s if s.contains("AUTHORITY") => answer.authority.push(row),
                    s if s.contains("ADDITIONAL") => answer.additional.push(row),
                    _ => {}
                }
            }
        }
        answer
    }

    /// The answers' data, sorted.
    pub fn data(&self) -> Vec<&str> {
        let mut data: Vec<&str> = self.answer.iter().map(|r| r.data.as_str()).collect();
        data.sort_unstable();
        data
    }

    /// The one answer's data.
    #[track_caller]
    pub fn one(&self) -> &str {
        assert_eq!(self.answer.len(), 1, "one answer expected:\n{}", self.text);
        &self.answer[0].data
    }

    /// The scope of the client subnet option.
    #[track_caller]
    pub fn scope(&self) -> u8 {
        let subnet = self.subnet.as_ref().unwrap_or_else(|| panic!("no client subnet:\n{}", self.text));
        subnet.rsplit('/').next().and_then(|s| s.parse().ok()).unwrap_or_else(|| panic!("no scope: {subnet}"))
    }

    /// Whether a flag is set.
    pub fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|f| f == flag)
    }

    /// NOERROR with an empty answer and the zone's SOA.
    #[track_caller]
    pub fn assert_nodata(&self) {
        assert_eq!(self.status, "NOERROR", "{}", self.text);
        assert!(self.answer.is_empty(), "{}", self.text);
        assert_eq!(self.authority.first().map(|r| r.rtype.as_str()), Some("SOA"), "{}", self.text);
        assert!(self.has("aa"), "{}", self.text);
    }
}
