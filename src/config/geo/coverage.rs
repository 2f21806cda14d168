//! How much of the address space a geo database knows, and whether a new file knows so much less than the one in force
//! that it is not taken; and the databases in force, kept in memory as they were read: should a new file be refused,
//! the one from before is read from here, for its path may hold the new one by then. Must not know the format of
//! databases, nor when a configuration is read.  Each family is measured by itself, against what the database in force
//! knows of that family: IPv6 is so large that one of its networks would outweigh all of IPv4. What is counted is what
//! the database is for: address space with a country or a finer place (subdivision, city, coordinates); where it knows
//! none, with a continent; where it knows no continent either, with an AS number.

use std::{fmt, sync::Arc};

use crate::engine::{
    geo::{Database, Location},
    types::{Family, PerFamily, Prefix},
    units::Permille,
};

/// IPv6 is counted in /112s, so that shares of it are exact and fit into an integer. A longer prefix counts as one.
const V6_UNIT: u8 = 112;

/// How much a database knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// How many of its networks say anything.
    pub networks: u64,
    /// For each [`Coverable`] and each family, how much address space has it.
    space: [PerFamily<u128>; 3],
}

/// What can be known of an address, in the order in which a database is measured by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coverable {
    Place,
    Continent,
    Asn,
}

impl Coverable {
    const ALL: [Self; 3] = [Self::Place, Self::Continent, Self::Asn];

    fn is_in(self, location: &Location) -> bool {
        match self {
            Self::Place => {
                location.country.is_some()
                    || location.subdivision.is_some()
                    || location.city.is_some()
                    || location.coordinates.is_some()
            }
            Self::Continent => location.continent.is_some(),
            Self::Asn => location.asn.is_some(),
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Place => "a country or place",
            Self::Continent => "a continent",
            Self::Asn => "an AS number",
        }
    }
}

/// What a record says, of each [`Coverable`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Says([bool; 3]);

impl Says {
    pub(super) fn of(location: &Location) -> Self {
        Self(Coverable::ALL.map(|known| known.is_in(location)))
    }
}

impl Coverage {
    /// Counts a network whose record says something. Networks of one database are disjoint.
    pub(super) fn add(&mut self, prefix: Prefix, says: Says) {
        self.networks += 1;
        let family = prefix.family();
        for (said, space) in says.0.into_iter().zip(&mut self.space) {
            if said {
                space[family] = space[family].saturating_add(extent(prefix));
            }
        }
    }

    /// Says how much less than `old` it covers, where that is more than `most` of what `old` covers
    /// in any family.
    pub(super) fn shrunk(&self, old: &Self, most: Permille) -> Option<String> {
        let (at, known) =
            Coverable::ALL.into_iter().enumerate().find(|(at, _)| old.space[*at] != PerFamily::default())?;
        let lost: Vec<String> = Family::BOTH
            .into_iter()
            .filter_map(|family| {
                let (old, new) = (old.space[at][family], self.space[at][family]);
                let lost = old.saturating_sub(new);
                if lost * 1000 <= old * u128::from(most.0) {
                    return None;
                }
                // Rounded up, so that what is refused never reads as what is allowed.
                let parts = (lost * 1000).div_ceil(old);
                Some(format!("{}.{}% less {}", parts / 10, parts % 10, name(family)))
            })
            .collect();
        (!lost.is_empty())
            .then(|| format!("{} address space with {} than the one in force", lost.join(" and "), known.words()))
    }
}

fn name(family: Family) -> &'static str {
    match family {
        Family::V4 => "IPv4",
        Family::V6 => "IPv6",
    }
}

/// How much a prefix covers: in addresses for IPv4, in /112s for IPv6.
fn extent(prefix: Prefix) -> u128 {
    let bits = match prefix.family() {
        Family::V4 => 32,
        Family::V6 => V6_UNIT,
    };
    1 << bits.saturating_sub(prefix.len())
}

/// The databases of a configuration, which a later reading of it compares with what it finds.
#[derive(Clone, Debug, Default)]
pub struct InForce(Vec<Kept>);

/// One of them.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) about: Database,
    pub(super) coverage: Coverage,
    pub(super) bytes: Bytes,
}

/// The bytes of a database, shared by all readings that found the same.
#[derive(Clone)]
pub(super) struct Bytes(Arc<Vec<u8>>);

impl InForce {
    /// The database that was read from a path.
    pub(super) fn find(&self, path: &str) -> Option<&Kept> {
        self.0.iter().find(|kept| *kept.about.path == *path)
    }

    pub(super) fn push(&mut self, kept: Kept) {
        self.0.push(kept);
    }

    /// What they are, in the order in which they are named.
    pub(crate) fn about(&self) -> impl Iterator<Item = &Database> {
        self.0.iter().map(|kept| &kept.about)
    }
}

impl Bytes {
    /// What was read, or what is in memory already where that is the same.
    pub(super) fn new(read: Vec<u8>, in_force: Option<&Kept>) -> Self {
        match in_force {
            Some(kept) if *kept.bytes.0 == read => kept.bytes.clone(),
            _ => Self(Arc::new(read)),
        }
    }

    /// Whether both are the same piece of memory.
    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(text: &str) -> Prefix {
        let (address, len) = text.split_once('/').unwrap();
        Prefix::new(address.parse::<std::net::IpAddr>().unwrap(), len.parse().unwrap())
    }

    fn country() -> Location {
        Location { country: Some(*b"DE"), ..Location::default() }
    }

    fn coverage<'a>(networks: impl IntoIterator<Item = (&'a str, Location)>) -> Coverage {
        let mut coverage = Coverage::default();
        networks.into_iter().for_each(|(network, location)| coverage.add(prefix(network), Says::of(&location)));
        coverage
    }

    #[test]
    fn exactly_the_share_is_taken_and_one_address_more_is_not() {
        let old = coverage([("10.0.0.0/8", country())]);
        let less = |prefixes: &[&str]| coverage(prefixes.iter().map(|text| (*text, country())));
        let half = less(&["10.0.0.0/9"]);
        assert_eq!(half.shrunk(&old, Permille(500)), None);
        assert_eq!(
            half.shrunk(&old, Permille(499)).as_deref(),
            Some("50.0% less IPv4 address space with a country or place than the one in force")
        );
        // One address of 2^24 is missing from the half.
        let mut one_less = Coverage::default();
        for len in 10..=32 {
            let first = 0x0a00_0000_u32 + (1 << 23) - (1 << (33 - len));
            one_less.add(Prefix::new(std::net::Ipv4Addr::from(first).into(), len), Says::of(&country()));
        }
        assert_eq!(
            one_less.shrunk(&old, Permille(500)).as_deref(),
            Some("50.1% less IPv4 address space with a country or place than the one in force")
        );
        assert_eq!(Coverage::default().shrunk(&old, Permille(1000)), None, "100% takes anything");
        assert_eq!(old.shrunk(&half, Permille(0)), None, "more is never less");
    }

    #[test]
    fn each_family_is_measured_by_its_own_space() {
        let old = coverage([("10.0.0.0/8", country()), ("2001:db8::/32", country()), ("2400::/12", country())]);
        let without_v4 = coverage([("2001:db8::/32", country()), ("2400::/12", country())]);
        assert_eq!(
            without_v4.shrunk(&old, Permille(100)).as_deref(),
            Some("100.0% less IPv4 address space with a country or place than the one in force")
        );
        let without_v6 = coverage([("10.0.0.0/8", country())]);
        assert!(without_v6.shrunk(&old, Permille(100)).is_some_and(|text| text.starts_with("100.0% less IPv6")));
        let neither = coverage([]).shrunk(&old, Permille(100)).unwrap();
        assert!(neither.starts_with("100.0% less IPv4 and 100.0% less IPv6 address space"), "{neither}");
        let whole = coverage([("::/0", country())]);
        assert!(
            coverage([("8000::/1", country())])
                .shrunk(&whole, Permille(100))
                .is_some_and(|text| text.starts_with("50.0%"))
        );
    }

    #[test]
    fn networks_that_have_lost_their_country_do_not_count() {
        let bare = |country: Option<[u8; 2]>| Location { country, asn: Some(64_500), ..Location::default() };
        let old = coverage([("10.0.0.0/9", bare(Some(*b"DE"))), ("10.128.0.0/9", bare(Some(*b"FR")))]);
        let new = coverage([("10.0.0.0/9", bare(Some(*b"DE"))), ("10.128.0.0/9", bare(None))]);
        assert!(new.shrunk(&old, Permille(100)).is_some_and(|text| text.starts_with("50.0% less IPv4")));
        // A place without a country is a place: an anycast block has coordinates alone in some databases.
        let point = Location { coordinates: Some(crate::engine::geo::Coordinates { lat: 1, lon: 1 }), ..bare(None) };
        assert_eq!(coverage([("10.0.0.0/8", point)]).shrunk(&old, Permille(0)), None);
    }

    #[test]
    fn a_database_without_places_is_measured_by_what_it_knows() {
        let asn = |asn| Location { asn: Some(asn), ..Location::default() };
        let old = coverage([("10.0.0.0/9", asn(64_500)), ("10.128.0.0/9", asn(64_501))]);
        let new = coverage([("10.0.0.0/9", asn(64_500))]);
        assert_eq!(
            new.shrunk(&old, Permille(100)).as_deref(),
            Some("50.0% less IPv4 address space with an AS number than the one in force")
        );
        let continent = Location { continent: Some(*b"EU"), ..Location::default() };
        let old = coverage([("10.0.0.0/8", continent)]);
        assert!(new.shrunk(&old, Permille(100)).is_some_and(|text| text.contains("with a continent")));
        assert_eq!(new.shrunk(&Coverage::default(), Permille(0)), None, "nothing was known before");
    }
}
