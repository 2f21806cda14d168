//! A server on the bench: a configuration is loaded as `serve` would load it, outcomes are folded by hand, and raw
//! packets go through `respond`. Time is a number.

use std::{fs, net::IpAddr, path::Path, sync::Arc};

use meridian::{
    config::{self, report},
    engine::{
        health::fold::Outcome,
        respond::{self, Answered},
        snapshot::Snapshot,
        steer::trace::{Recording, Silent, Step, Trace},
        types::{At, Chance, Family, Origin, Prefix, Transport, UnixMillis},
        wire::{name::Name, rr::Rcode},
        world::{Draft, World},
    },
    lint,
    node::{input::Input, ledger::Ledger},
    probing::monitor::ProbeKey,
};

/// What draws are keyed with, unless a test says otherwise.
pub const SECRET: [u8; 16] = *b"0123456789abcdef";

/// The zone of all tests: what stands around steered names.
pub const ZONE: &str = include_str!("../../scenarios/g.test.zone");

/// Where regions and clients are.
pub const CITIES: [(&str, f64, f64); 6] = [
    ("frankfurt", 50.11, 8.68),
    ("london", 51.51, -0.13),
    ("ashburn", 39.04, -77.49),
    ("mumbai", 19.08, 72.88),
    ("auckland", -36.85, 174.76),
    ("apia", -13.83, -171.77),
];

/// Writes a configuration into a folder of its own and hands its path on. `main` is the text behind `version` and
/// `[server]`.
fn written<R>(main: &str, files: &[(&str, &str)], then: impl FnOnce(&Path) -> R) -> R {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("g.test.zone"), ZONE).expect("written");
    for (name, text) in files {
        fs::write(folder.path().join(name), text).expect("written");
    }
    let head = "version = 1\n[server]\nlisten = [\"127.0.0.1:0\"]\nidentity = \"lab\"\nstate_dir = \"state\"\n";
    let path = folder.path().join("lab.toml");
    fs::write(&path, format!("{head}{main}\n[zones.\"g.test\"]\nfile = \"g.test.zone\"\n")).expect("written");
    then(&path)
}

/// Loads a configuration.
pub fn draft(main: &str, files: &[(&str, &str)]) -> Draft {
    let loaded = written(main, files, config::load);
    let Some(config) = loaded.config else { panic!("{}", report::text(&loaded.faults, &loaded.sources, false)) };
    let mut draft = config.draft;
    draft.secret = SECRET;
    draft
}

/// What `check --lint` says of a configuration: each message with its label.
pub fn linted(main: &str, files: &[(&str, &str)]) -> Vec<(String, String)> {
    let faults = written(main, files, lint::lint).faults;
    faults.into_iter().map(|fault| (fault.message, fault.label)).collect()
}

/// A truth that outcomes change.
pub struct Lab {
    pub ledger: Ledger,
    pub world: Arc<World>,
}

impl Lab {
    pub fn new(draft: Draft) -> Self {
        let world = Arc::new(World::seal(draft));
        Self { ledger: Ledger::new(Arc::clone(&world)), world }
    }

    /// The truth again from the start.
    pub fn forget(&mut self) {
        self.ledger = Ledger::new(Arc::clone(&self.world));
    }

    pub fn probe(&mut self, key: &Arc<ProbeKey>, outcome: Outcome) {
        self.ledger.fold(At(0), Input::outcome(key, outcome));
    }

    /// What is known of each target, by its position: `g` and `b` are good and bad outcomes, `n` no route. Steered
    /// names are answered from then on.
    pub fn healths(&mut self, letters: &[&str]) -> Snapshot {
        self.forget();
        let world = Arc::clone(&self.world);
        for (target, letters) in world.targets.iter().zip(letters) {
            for letter in letters.chars() {
                self.probe(target.key().expect("probed"), outcome(letter));
            }
        }
        self.ledger.end_wait(At(0));
        self.ledger.snapshot(At(0))
    }

    /// Everybody is up.
    pub fn healthy(&mut self) -> Snapshot {
        self.healths(&vec!["g"; self.world.targets.len()])
    }
}

pub fn outcome(letter: char) -> Outcome {
    match letter {
        'g' => Outcome::good(1000),
        'b' => Outcome::Bad("connection refused".into()),
        'n' => Outcome::NoRoute,
        other => panic!("no outcome is called {other}"),
    }
}

/// A question as a client puts it.
#[derive(Clone, Debug)]
pub struct Question {
    pub name: String,
    pub rtype: u16,
    /// The client subnet option.
    pub subnet: Option<Prefix>,
    /// The sender.
    pub source: IpAddr,
}

pub const A: u16 = 1;
pub const AAAA: u16 = 28;

impl Question {
    /// From a resolver of which nobody knows where it is.
    pub fn new(name: &str, rtype: u16) -> Self {
        Self { name: name.into(), rtype, subnet: None, source: [9, 9, 9, 9].into() }
    }

    pub fn with(mut self, subnet: Prefix) -> Self {
        self.subnet = Some(subnet);
        self
    }

    pub fn from(mut self, source: &str) -> Self {
        self.source = source.parse().expect(source);
        self
    }

    /// The query as a datagram.
    pub fn packet(&self) -> Vec<u8> {
        packet(&self.name, self.rtype, self.subnet)
    }
}

/// A prefix from text.
pub fn prefix(text: &str) -> Prefix {
    let (address, len) = text.split_once('/').unwrap_or((text, "128"));
    Prefix::new(address.parse().expect(text), len.parse().expect(text))
}

/// A query of class IN, with an OPT record where there is a subnet.
pub fn packet(name: &str, rtype: u16, subnet: Option<Prefix>) -> Vec<u8> {
    let mut octets = vec![0x12, 0x34, 0, 0, 0, 1, 0, 0, 0, 0, 0, u8::from(subnet.is_some())];
    octets.extend(Name::from_text(name).expect(name).wire());
    octets.extend(rtype.to_be_bytes());
    octets.extend([0, 1]);
    if let Some(subnet) = subnet {
        let len = usize::from(subnet.len()).div_ceil(8);
        let family = if subnet.family() == Family::V4 { 1 } else { 2 };
        octets.extend([0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 8 + len as u8, 0, 8, 0, 4 + len as u8, 0, family]);
        octets.extend([subnet.len(), 0]);
        octets.extend(&subnet.bits().to_be_bytes()[..len]);
    }
    octets
}

/// What came back, as a client reads it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Answer {
    pub rcode: Rcode,
    /// In the order of the reply.
    pub addresses: Vec<IpAddr>,
    /// The TTL of the answer, or of the SOA of a negative one.
    pub ttl: Option<u32>,
    /// The scope of the client subnet option, where there is one.
    pub scope: Option<u8>,
}

/// An answer and how it came about.
#[derive(Clone, Debug)]
pub struct Told {
    pub answer: Answer,
    pub steps: Vec<Step>,
}

impl Told {
    /// The block that the decision took the client for, and the scope that a positive answer would have.
    pub fn located(&self) -> (Prefix, u8) {
        let found = self.steps.iter().find_map(|step| match step {
            Step::Located { block, scope, .. } => Some((*block, *scope)),
            _ => None,
        });
        found.expect("a steered name")
    }
}

/// Asks over UDP. None: not ready.
pub fn ask(snapshot: &Snapshot, question: &Question, chance: Chance) -> Option<Answer> {
    put(snapshot, question, chance, &mut Silent)
}

/// Asks at a wall-clock moment in seconds, listens, and holds the silent reply to the traced one.
pub fn listen(snapshot: &Snapshot, question: &Question, chance: Chance) -> Option<Told> {
    let mut recording = Recording::default();
    let answer = put(snapshot, question, chance, &mut recording);
    assert_eq!(answer, ask(snapshot, question, chance), "who listens changes nothing");
    Some(Told { answer: answer?, steps: recording.0 })
}

/// A chance with nothing in it but the moment, in seconds.
pub fn at(seconds: u64) -> Chance {
    Chance { now: UnixMillis(1_700_000_000_000 + seconds * 1000), random: 0x9e37_79b9, draw: None }
}

/// A chance whose every draw is this.
pub fn drawn(draw: u64) -> Chance {
    Chance { draw: Some(draw), ..at(0) }
}

fn put<T: Trace>(snapshot: &Snapshot, question: &Question, chance: Chance, trace: &mut T) -> Option<Answer> {
    let mut buffer = [0; 4096];
    let query = question.packet();
    buffer[..query.len()].copy_from_slice(&query);
    let origin = Origin { source: question.source, transport: Transport::Udp };
    match respond::respond(snapshot, &mut buffer, query.len(), origin, chance, trace) {
        Answered::Reply { len, rcode, .. } => Some(decode(&buffer[..len], rcode)),
        Answered::NotReady => None,
        Answered::Silence => panic!("a query is answered"),
    }
}

fn decode(reply: &[u8], rcode: Rcode) -> Answer {
    let number = |at: usize| u16::from_be_bytes([reply[at], reply[at + 1]]);
    assert!(reply[2] & 0x80 != 0 && reply[2] & 0x02 == 0, "a whole reply");
    let mut at = name_end(reply, 12) + 4;
    let mut answer = Answer { rcode, addresses: Vec::new(), ttl: None, scope: None };
    for _ in 0..number(6) + number(8) + number(10) {
        at = name_end(reply, at);
        let (rtype, ttl) = (number(at), u32::from(number(at + 4)) << 16 | u32::from(number(at + 6)));
        let data = &reply[at + 10..at + 10 + usize::from(number(at + 8))];
        at += 10 + data.len();
        match rtype {
            A => answer.addresses.push(IpAddr::from(<[u8; 4]>::try_from(data).expect("four octets"))),
            AAAA => answer.addresses.push(IpAddr::from(<[u8; 16]>::try_from(data).expect("sixteen octets"))),
            41 => answer.scope = data.get(7).copied(),
            _ => {}
        }
        if rtype != 41 {
            assert!(answer.ttl.is_none_or(|known| known == ttl), "one TTL for an RRset");
            answer.ttl = Some(ttl);
        }
    }
    assert_eq!(at, reply.len(), "nothing behind the last record");
    answer
}

fn name_end(reply: &[u8], mut at: usize) -> usize {
    loop {
        match reply[at] {
            0 => return at + 1,
            n if n >= 0xc0 => return at + 2,
            n => at += 1 + usize::from(n),
        }
    }
}
