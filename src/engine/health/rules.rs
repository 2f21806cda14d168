//! What holds for all health together: how much automation may empty at once, and what shows that this node itself is
//! the one in trouble.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use crate::engine::{
    types::{Millis, Prefix, TargetId},
    units::Permille,
};

/// `[health]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthRules {
    /// How much automation may empty.
    pub governor: Governor,
    /// Targets that must answer while this node itself is well; empty: it cannot tell.
    pub canaries: Vec<TargetId>,
    /// Saved health that is older is shown, not used.
    pub restore_age: Millis,
    /// Probes in a second.
    pub rate: Rate,
    /// Scope probes may reach.
    pub allow: Allow,
}

/// How much automation may empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Governor {
    /// Regions in one window.
    pub max_regions: MaxRegions,
    /// How long the window is.
    pub window: Millis,
    /// After so long a held region is let go.
    pub release: Millis,
}

/// A number of regions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaxRegions {
    /// So many.
    Count(u32),
    /// Such a share of those that have endpoints, rounded up.
    Share(Permille),
}

/// Probes in a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Of all targets.
    pub total: u32,
    /// To one address.
    pub per_target: u32,
}

/// Scope probes may reach.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allow {
    /// Everybody but link-local addresses and those where clouds tell secrets.
    pub any: bool,
    /// These. Link-local addresses and those where clouds tell secrets must be listed for themselves: by a prefix that
    /// holds nothing else.
    pub listed: Vec<Prefix>,
}

/// Why a probe may not reach an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Barred {
    /// It is not on the list.
    Unlisted,
    /// It is a link-local address, and not listed for itself.
    LinkLocal,
    /// Clouds tell secrets there, and it is not listed for itself.
    Metadata,
}

impl Allow {
    /// Whether a probe may reach an address, in whatever form an IPv4 address is written.
    ///
    /// # Errors
    /// With the reason why not.
    pub fn admits(&self, address: IpAddr) -> Result<(), Barred> {
        let address = plain(address);
        let listed = || self.listed.iter().filter(|prefix| prefix.contains(Prefix::host(address)));
        for (block, why) in guarded().filter(|(block, _)| block.contains(Prefix::host(address))) {
            if !listed().any(|prefix| block.contains(*prefix)) {
                return Err(why);
            }
        }
        if self.any || listed().next().is_some() { Ok(()) } else { Err(Barred::Unlisted) }
    }
}

impl fmt::Display for Barred {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unlisted => "not among `health.allow_targets`",
            Self::LinkLocal => "a link-local address, probed only when `health.allow_targets` lists it for itself",
            Self::Metadata => {
                "an address where clouds tell secrets, probed only when `health.allow_targets` lists it for itself"
            }
        })
    }
}

/// Where clouds tell whoever asks from inside what nobody else should know.
const METADATA: [IpAddr; 9] = [
    IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)),
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 2)),
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 23)),
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23)),
    IpAddr::V6(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)),
];

/// Blocks that must be listed for themselves. An address may lie in several.
fn guarded() -> impl Iterator<Item = (Prefix, Barred)> {
    let local =
        [(IpAddr::V4(Ipv4Addr::new(169, 254, 0, 0)), 16), (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0).into(), 10)];
    let local = local.map(|(address, len)| (Prefix::new(address, len), Barred::LinkLocal));
    METADATA.map(|address| (Prefix::host(address), Barred::Metadata)).into_iter().chain(local)
}

/// The IPv4 address that the system, a translator (RFC 6052) or a tunnel makes of it.
fn plain(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(six) => match (six.to_ipv4_mapped(), six.segments()) {
            (Some(four), _) => four.into(),
            (None, [0x64, 0xff9b, 0, 0, 0, 0, ..]) => Ipv4Addr::from_bits(six.to_bits() as u32).into(),
            // 6to4 (RFC 3056), and IPv4-compatible addresses (RFC 4291 2.5.5.1) but :: and ::1.
            (None, [0x2002, high, low, ..]) => Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)).into(),
            (None, [0, 0, 0, 0, 0, 0, high, low]) if high > 0 => {
                Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)).into()
            }
            _ => address,
        },
    }
}

impl Default for Rate {
    fn default() -> Self {
        Self { total: 5000, per_target: 20 }
    }
}

impl Default for HealthRules {
    fn default() -> Self {
        Self {
            governor: Governor {
                max_regions: MaxRegions::Share(Permille(500)),
                window: Millis::seconds(60),
                release: Millis::seconds(600),
            },
            canaries: Vec::new(),
            restore_age: Millis::seconds(600),
            rate: Rate::default(),
            allow: Allow { any: true, listed: Vec::new() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(text: &str) -> Prefix {
        let (address, len) = text.split_once('/').unwrap_or((text, "128"));
        Prefix::new(address.parse().expect(text), len.parse().expect(text))
    }

    fn admits(any: bool, listed: &[&str], address: &str) -> Result<(), Barred> {
        let listed = listed.iter().map(|text| prefix(text)).collect();
        Allow { any, listed }.admits(address.parse().expect(address))
    }

    #[test]
    fn any_is_everybody_but_link_local_addresses_and_where_clouds_tell_secrets() {
        for address in ["192.0.2.1", "10.0.0.1", "127.0.0.1", "::1", "2001:db8::1", "fd00::1", "100.100.100.201"] {
            assert_eq!(admits(true, &[], address), Ok(()), "{address}");
        }
        for address in ["169.254.1.1", "fe80::1", "febf::1", "::ffff:169.254.1.1", "64:ff9b::169.254.1.1"] {
            assert_eq!(admits(true, &[], address), Err(Barred::LinkLocal), "{address}");
        }
        for address in ["169.254.169.254", "100.100.100.200", "fd00:ec2::254", "::ffff:100.100.100.200"] {
            assert_eq!(admits(true, &[], address), Err(Barred::Metadata), "{address}");
        }
    }

    #[test]
    fn a_list_holds_who_is_on_it() {
        let list = ["192.0.2.0/24", "2001:db8::1"];
        assert_eq!(admits(false, &list, "192.0.2.77"), Ok(()));
        assert_eq!(admits(false, &list, "2001:db8::1"), Ok(()));
        for address in ["192.0.3.1", "2001:db8::2", "127.0.0.1"] {
            assert_eq!(admits(false, &list, address), Err(Barred::Unlisted), "{address}");
        }
        assert_eq!(admits(false, &[], "192.0.2.1"), Err(Barred::Unlisted));
    }

    #[test]
    fn what_is_guarded_must_be_listed_for_itself() {
        assert_eq!(admits(false, &["169.254.7.0/24"], "169.254.7.1"), Ok(()));
        assert_eq!(admits(true, &["169.254.0.0/16"], "169.254.7.1"), Ok(()));
        assert_eq!(admits(false, &["0.0.0.0/0"], "169.254.7.1"), Err(Barred::LinkLocal));
        assert_eq!(admits(false, &["169.254.0.0/16"], "169.254.169.254"), Err(Barred::Metadata));
        assert_eq!(admits(false, &["169.254.169.254"], "169.254.169.254"), Ok(()));
        assert_eq!(admits(false, &["100.64.0.0/10"], "100.100.100.200"), Err(Barred::Metadata));
        assert_eq!(admits(false, &["100.64.0.0/10"], "100.100.100.201"), Ok(()));
        assert_eq!(admits(true, &["fd00:ec2::254"], "fd00:ec2::254"), Ok(()));
        assert_eq!(admits(true, &["fe80::/10"], "fe80::1"), Ok(()));
    }
}
