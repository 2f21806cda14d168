//! Round trips of connections, put together by prefix within bounds. Must not know where they come from.

use std::{collections::BTreeMap, net::IpAddr};

use super::line::{self, Measured};
use crate::engine::{
    geo::{Atlas, Whose, normalise},
    types::{Prefix, UnixMillis},
};

/// Of so many connections of a prefix the median is exact; of more it is the median of so many of them, drawn.
const KEPT: usize = 64;

/// What one look brought.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Look {
    /// In order.
    pub prefixes: Vec<Measured>,
    /// Connections that were left out since there is no room for another prefix.
    pub left_out: u64,
}

impl Look {
    /// What was measured, a line each.
    #[must_use]
    pub fn lines(&self, region: &str, now: UnixMillis) -> String {
        self.prefixes.iter().map(|measured| line::write(measured, region, now)).collect()
    }
}

/// What is known so far.
#[derive(Debug)]
pub(super) struct Gather {
    /// Knows special-purpose blocks and nothing else.
    atlas: Atlas,
    private: bool,
    max_prefixes: usize,
    prefixes: BTreeMap<Prefix, Kept>,
    left_out: u64,
}

#[derive(Debug)]
struct Kept {
    some: Vec<u32>,
    least: u32,
    count: u32,
}

impl Gather {
    pub(super) fn new(private: bool, max_prefixes: usize) -> Self {
        Self { atlas: Atlas::default(), private, max_prefixes, prefixes: BTreeMap::new(), left_out: 0 }
    }

    /// Takes in a connection: the client's address, and microseconds.
    pub(super) fn take(&mut self, client: IpAddr, rtt: u32, chance: &mut fastrand::Rng) {
        let (client, _) = normalise(Prefix::host(client));
        let prefix = client.cut(Whose::FINEST[client.family()]);
        if !self.private && self.atlas.find(client).special {
            return;
        }
        if !self.prefixes.contains_key(&prefix) && self.prefixes.len() >= self.max_prefixes {
            self.left_out += 1;
            return;
        }
        let kept = self.prefixes.entry(prefix).or_insert_with(|| Kept { some: Vec::new(), least: rtt, count: 0 });
        kept.least = kept.least.min(rtt);
        kept.count = kept.count.saturating_add(1);
        if kept.some.len() < KEPT {
            kept.some.push(rtt);
        } else if let Some(place) = kept.some.get_mut(chance.usize(..kept.count as usize)) {
            // Each of them is kept as likely as every other.
            *place = rtt;
        }
    }

    /// What was gathered.
    pub(super) fn look(self) -> Look {
        let measured = |(prefix, mut kept): (Prefix, Kept)| {
            kept.some.sort_unstable();
            let median = kept.some.get((kept.some.len().saturating_sub(1)) / 2).copied().unwrap_or(kept.least);
            Measured { prefix, median, least: kept.least, connections: kept.count }
        };
        Look { prefixes: self.prefixes.into_iter().map(measured).collect(), left_out: self.left_out }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gathered(private: bool, max_prefixes: usize, connections: &[(&str, u32)]) -> (Vec<String>, u64) {
        let (mut gather, mut chance) = (Gather::new(private, max_prefixes), fastrand::Rng::with_seed(7));
        for (client, rtt) in connections {
            gather.take(client.parse().unwrap(), *rtt, &mut chance);
        }
        let look = gather.look();
        let said = |m: &Measured| format!("{} {} {} x{}", m.prefix, m.median, m.least, m.connections);
        (look.prefixes.iter().map(said).collect(), look.left_out)
    }

    #[test]
    fn connections_of_a_prefix_are_one_and_ipv4_is_ipv4() {
        let connections = [
            ("203.0.113.7", 30_000),
            ("::ffff:203.0.113.9", 20_000),
            ("203.0.113.200", 900_000),
            ("203.0.114.1", 5),
            ("2001:db8:1:2::3", 7000),
            ("2001:db8:1:ffff::", 9000),
        ];
        let told = ["203.0.113.0/24 30000 20000 x3", "203.0.114.0/24 5 5 x1", "2001:db8:1::/48 7000 7000 x2"];
        assert_eq!(gathered(false, 10, &connections), (told.map(str::to_owned).to_vec(), 0));
    }

    #[test]
    fn who_is_nowhere_is_told_only_where_it_is_asked_for() {
        let nowhere = [("127.0.0.1", 10), ("10.1.2.3", 10), ("::1", 10), ("fe80::1", 10), ("fd00::1", 10)];
        assert_eq!(gathered(false, 10, &nowhere), (vec![], 0));
        assert_eq!(gathered(true, 10, &nowhere).0.len(), 5);
    }

    #[test]
    fn there_is_room_for_so_many_prefixes_and_any_number_of_connections() {
        let many = [("20.0.1.1", 10), ("20.0.2.1", 10), ("20.0.3.1", 10), ("20.0.1.2", 30), ("20.0.3.2", 10)];
        let told = ["20.0.1.0/24 10 10 x2", "20.0.2.0/24 10 10 x1"];
        assert_eq!(gathered(false, 2, &many), (told.map(str::to_owned).to_vec(), 2));
        let crowd: Vec<(&str, u32)> = (1..=10_000).map(|rtt| ("20.0.1.1", rtt)).collect();
        let (mut gather, mut chance) = (Gather::new(false, 2), fastrand::Rng::with_seed(7));
        crowd.iter().for_each(|(client, rtt)| gather.take(client.parse().unwrap(), *rtt, &mut chance));
        assert!(gather.prefixes.values().all(|kept| kept.some.len() == KEPT));
        let look = gather.look();
        assert_eq!((look.prefixes[0].least, look.prefixes[0].connections), (1, 10_000));
        assert!((3000..7000).contains(&look.prefixes[0].median), "drawn among all: {}", look.prefixes[0].median);
    }
}
