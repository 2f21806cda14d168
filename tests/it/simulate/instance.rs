//! What is played: 200 groups of clients of unequal demand around eight regions, and how much these can take.

use meridian::engine::world::draw::splitmix;

/// Regions and where they are.
const PLACES: [(&str, f64, f64); 8] = [
    ("ams", 52.37, 4.90),
    ("bom", 19.08, 72.88),
    ("fra", 50.11, 8.68),
    ("gru", -23.55, -46.63),
    ("iad", 39.04, -77.49),
    ("sea", 47.61, -122.33),
    ("sin", 1.35, 103.82),
    ("syd", -33.87, 151.21),
];
const GROUPS: usize = 200;

/// How an instance is made.
#[derive(Debug)]
pub struct Kind {
    pub name: &'static str,
    /// What the survivors can take up to their high watermarks beyond the whole demand, as a part of it.
    pub spare: f64,
    policy: &'static str,
    high: f64,
}

pub const KINDS: [Kind; 4] = [
    Kind {
        name: "rtt",
        spare: 0.25,
        policy: "prefer = [\"rtt\"]\ntolerance = { rtt = \"10ms\" }\nshed = { low = 0.7, high = 0.95 }",
        high: 0.95,
    },
    Kind {
        name: "rtt, tight",
        spare: 0.1,
        policy: "prefer = [\"rtt\"]\ntolerance = { rtt = \"10ms\" }\nshed = { low = 0.7, high = 0.95 }",
        high: 0.95,
    },
    Kind { name: "least-load", spare: 0.25, policy: "extends = \"least-load\"", high: 0.95 },
    Kind {
        name: "distance",
        spare: 0.5,
        policy: "prefer = [\"distance\"]\nshed = { low = 0.6, high = 0.9 }",
        high: 0.9,
    },
];

/// Clients behind one resolver, who move as one.
#[derive(Clone, Copy, Debug)]
pub struct Block {
    pub source: [u8; 4],
    pub demand: u64,
    /// The second in which its first answer runs out.
    pub first: usize,
    /// Keeps answers for half an hour, whatever their TTL.
    pub stubborn: bool,
}

#[derive(Debug)]
pub struct Instance {
    pub kind: &'static Kind,
    pub text: String,
    pub places: String,
    pub blocks: Vec<Block>,
    pub capacity: Vec<f64>,
    pub high: f64,
    pub lost: usize,
}

struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(1);
        splitmix(self.0) % below
    }

    fn between(&mut self, from: f64, to: f64) -> f64 {
        from + (to - from) * self.roll(1 << 20) as f64 / f64::from(1 << 20)
    }
}

impl Instance {
    pub fn new(seed: u64, kind: &'static Kind) -> Self {
        let mut dice = Dice(seed << 32);
        let mut places = String::from("prefix,continent,country,subdivision,city,lat,lon,asn\n");
        let (mut blocks, mut natural) = (Vec::new(), [0.0; PLACES.len()]);
        for group in 0..GROUPS {
            // Near a region, but some so far from it that another one is nearer.
            let home = dice.roll(PLACES.len() as u64) as usize;
            let lat = (PLACES[home].1 + dice.between(-12.0, 12.0)).clamp(-85.0, 85.0);
            let lon = (PLACES[home].2 + dice.between(-25.0, 25.0)).clamp(-179.0, 179.0);
            places.push_str(&format!("20.{group}.0.0/16,,,,,{lat:.2},{lon:.2},\n"));
            for block in 0..20 + dice.roll(41) {
                let stubborn = dice.roll(50) == 0;
                let first = 1 + dice.roll(if stubborn { 1800 } else { 30 }) as usize;
                let demand = 1 + dice.roll(9);
                blocks.push(Block { source: [20, group as u8, block as u8, 1], demand, first, stubborn });
                natural[home] += demand as f64;
            }
        }
        let lost = dice.roll(PLACES.len() as u64) as usize;
        let mut capacity: Vec<f64> = natural.iter().map(|load: &f64| load.max(1.0) * dice.between(0.9, 1.6)).collect();
        let demand: f64 = natural.iter().sum();
        let left: f64 = capacity.iter().sum::<f64>() - capacity[lost];
        let scale = demand * (1.0 + kind.spare) / (left * kind.high);
        capacity.iter_mut().for_each(|capacity| *capacity = (*capacity * scale).round());
        // The lost region could take its own, so that it is not short of room itself.
        capacity[lost] = capacity[lost].max((natural[lost] * 1.5).round());
        let text = text(kind, &capacity);
        Self { kind, text, places, blocks, capacity, high: kind.high, lost }
    }
}

fn text(kind: &Kind, capacity: &[f64]) -> String {
    let mut text = format!(
        "[geo]\noverrides = \"o.csv\"\n[monitors.m]\ninterval = \"1s\"\ntimeout = \"800ms\"\nfall = 3\nrise = 2\n\
         tcp = {{ port = 80 }}\n[loads.app]\npush = {{}}\n[policies.p]\n{}\nsticky = {{ v4 = 24, v6 = 56 }}\n\
         [pools.web]\nmonitor = \"m\"\npolicy = \"p\"\nload = \"app\"\n",
        kind.policy
    );
    for (n, ((name, lat, lon), capacity)) in PLACES.iter().zip(capacity).enumerate() {
        text.push_str(&format!(
            "[pools.web.endpoints.{name}-1]\nregion = \"{name}\"\naddress = \"192.0.2.{}\"\n\
             [regions.{name}]\nlocation = {{ lat = {lat}, lon = {lon} }}\ncapacity = {capacity}\n",
            n + 1
        ));
    }
    text + "[services.\"www.g.test\"]\npools = [\"web\"]\nttl = { max = \"30s\", min = \"5s\" }\n"
}
