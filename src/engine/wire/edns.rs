//! EDNS(0): the OPT record (RFC 6891), the client subnet in it (RFC 7871), and what people should know of an answer
//! (RFC 8914).

use serde::{Deserialize, Serialize};

use crate::engine::types::{Family, Prefix};

/// The payload size that our OPT record advertises (RFC 9715, DNS flag day 2020).
pub const ADVERTISED: u16 = 1232;
const CLIENT_SUBNET: u16 = 8;
/// Octets of an OPT record without options.
const BARE: usize = 11;

/// What a query's OPT record says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Edns {
    /// The UDP payload the client takes; less than 512 means 512 (RFC 6891 6.2.3).
    pub size: u16,
    /// EDNS version.
    pub version: u8,
    /// The DO bit.
    pub dnssec_ok: bool,
    /// The client subnet option, when sound.
    pub subnet: Option<Subnet>,
}

/// A client subnet option. FAMILY 0 with SOURCE 0 is let through: some tools send it for "no subnet".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subnet {
    family: u16,
    source: u8,
    prefix: Option<Prefix>,
}

impl Subnet {
    /// The client's prefix; none when SOURCE is 0, that is, when the client wants no location used (RFC 7871 7.1.2).
    #[must_use]
    pub fn client(&self) -> Option<Prefix> {
        self.prefix.filter(|_| self.source > 0)
    }

    /// Whether SOURCE is 0.
    #[must_use]
    pub fn is_anonymous(&self) -> bool {
        self.source == 0
    }
}

/// What people should know of an answer, as an Extended DNS Error (RFC 8914). No code of the registry says either, so both
/// are "Other" (0) with a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Notice {
    /// A region counts as up against its probes: too many have just gone.
    Held,
    /// This server believes no failure, since it sees none of its canaries.
    Blind,
}

impl Notice {
    /// The option: code, length, INFO-CODE 0, and the text.
    const fn octets(self) -> &'static [u8] {
        match self {
            Self::Held => b"\0\x0f\0\x1d\0\0health held by the governor",
            Self::Blind => b"\0\x0f\0\x27\0\0this server sees none of its canaries",
        }
    }

    /// How many octets it adds to an OPT record.
    #[must_use]
    pub(super) const fn len(self) -> usize {
        self.octets().len()
    }
}

/// Reads an OPT record's fixed fields and options; false when it is broken, which includes every malformed client
/// subnet (P99). A second client subnet is ignored (P105).
#[inline]
pub(super) fn read(class: u16, ttl: u32, rdata: &[u8]) -> (Edns, bool) {
    let mut edns = Edns { size: class, version: (ttl >> 16) as u8, dnssec_ok: ttl & 0x8000 != 0, subnet: None };
    if edns.version > 0 {
        return (edns, true); // a later version may mean something else by its options
    }
    let mut rest = rdata;
    while !rest.is_empty() {
        let Some(([c0, c1, l0, l1], tail)) = rest.split_first_chunk::<4>() else { return (edns, false) };
        let len = u16::from_be_bytes([*l0, *l1]) as usize;
        let Some((value, tail)) = tail.split_at_checked(len) else { return (edns, false) };
        if u16::from_be_bytes([*c0, *c1]) == CLIENT_SUBNET && edns.subnet.is_none() {
            edns.subnet = read_subnet(value);
            if edns.subnet.is_none() {
                return (edns, false);
            }
        }
        rest = tail;
    }
    (edns, true)
}

fn read_subnet(value: &[u8]) -> Option<Subnet> {
    let (&[f0, f1, source, scope], address) = value.split_first_chunk::<4>()?;
    let number = u16::from_be_bytes([f0, f1]);
    if scope != 0 || address.len() != usize::from(source).div_ceil(8) {
        return None;
    }
    let family = match number {
        0 if source == 0 => return Some(Subnet { family: 0, source, prefix: None }),
        1 => Family::V4,
        2 => Family::V6,
        _ => return None,
    };
    if source > family.bits() {
        return None;
    }
    let mut octets = [0; 16];
    octets[..address.len()].copy_from_slice(address);
    let bits = u128::from_be_bytes(octets);
    let prefix = Prefix::from_bits(family, bits, source);
    (prefix.bits() == bits).then_some(Subnet { family: number, source, prefix: Some(prefix) })
}

/// How many octets [`write()`] will take.
#[must_use]
#[inline]
pub fn len(echo: Option<&Subnet>) -> usize {
    BARE + echo.map_or(0, |s| 8 + usize::from(s.source).div_ceil(8))
}

/// Writes our OPT record at the start of `out`: the upper bits of the response code, DO as the client set it, its subnet
/// with `scope`, and a notice. Returns the octets written; the caller has made room by [`len`] and [`Notice::len`].
#[inline]
pub(super) fn write(
    out: &mut [u8],
    extended: u8,
    dnssec_ok: bool,
    echo: Option<(&Subnet, u8)>,
    notice: Option<Notice>,
) -> usize {
    let size = ADVERTISED.to_be_bytes();
    let with_subnet = len(echo.map(|(s, _)| s));
    let end = with_subnet + notice.map_or(0, Notice::len);
    let [r0, r1] = ((end - BARE) as u16).to_be_bytes();
    let flags = if dnssec_ok { 0x80 } else { 0 };
    if let Some(bare) = out.first_chunk_mut::<BARE>() {
        *bare = [0, 0, 41, size[0], size[1], extended, 0, flags, 0, r0, r1];
    }
    if let Some(notice) = notice {
        out[with_subnet..end].copy_from_slice(notice.octets());
    }
    let Some((subnet, scope)) = echo else { return end };
    let octets = usize::from(subnet.source).div_ceil(8);
    let [f0, f1] = subnet.family.to_be_bytes();
    if let Some(fixed) = out[BARE..].first_chunk_mut::<8>() {
        *fixed = [0, CLIENT_SUBNET as u8, 0, 4 + octets as u8, f0, f1, subnet.source, scope];
    }
    let address = subnet.prefix.map_or(0, Prefix::bits).to_be_bytes();
    out[BARE + 8..BARE + 8 + octets].copy_from_slice(&address[..octets]);
    end
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// A sound subnet comes back octet for octet, but for its scope, and takes the octets that were promised.
        #[test]
        fn a_subnet_comes_back_as_it_came(octets in any::<[u8; 16]>(), six in any::<bool>(), len in 0..=128u8, scope in 0..=128u8) {
            let family = if six { Family::V6 } else { Family::V4 };
            let len = len.min(family.bits());
            let bits = Prefix::from_bits(family, u128::from_be_bytes(octets), len).bits().to_be_bytes();
            let value = [&[0, 1 + u8::from(six), len, 0], &bits[..usize::from(len).div_ceil(8)]].concat();
            let option = [&[0, 8, 0, value.len() as u8], &*value].concat();
            let (edns, sound) = read(1232, 0x8000, &option);
            prop_assert!(sound && edns.dnssec_ok);
            let subnet = edns.subnet.expect("sound");
            prop_assert_eq!(subnet.is_anonymous(), len == 0);
            prop_assert_eq!(subnet.client().map(Prefix::len), (len > 0).then_some(len));
            let mut out = [0xee; 64];
            let written = write(&mut out, 0, true, Some((&subnet, scope)), None);
            prop_assert_eq!(written, super::len(Some(&subnet)));
            prop_assert_eq!(&out[BARE..BARE + 7], &option[..7]);
            prop_assert_eq!(out[BARE + 7], scope);
            prop_assert_eq!(&out[BARE + 8..written], &option[8..]);
        }

        /// A notice stands behind what was asked for, and takes the octets that were promised.
        #[test]
        fn a_notice_stands_last(blind in any::<bool>(), len in prop::option::of(0..=24u8)) {
            let subnet = len.map(|source| Subnet { family: 1, source, prefix: Some(Prefix::from_bits(Family::V4, 0, source)) });
            let notice = if blind { Notice::Blind } else { Notice::Held };
            let (mut with, mut without) = ([0xee; 128], [0xee; 128]);
            let echo = subnet.as_ref().map(|subnet| (subnet, 0));
            let short = write(&mut without, 0, false, echo, None);
            let long = write(&mut with, 0, false, echo, Some(notice));
            prop_assert_eq!(long, short + notice.len());
            prop_assert_eq!(&with[..9], &without[..9]);
            prop_assert_eq!(usize::from(u16::from_be_bytes([with[9], with[10]])), long - BARE);
            prop_assert_eq!(&with[BARE..short], &without[BARE..short]);
            let [0, 15, l0, l1, 0, 0, text @ ..] = &with[short..long] else { panic!("{:?}", &with[short..long]) };
            prop_assert_eq!(usize::from(u16::from_be_bytes([*l0, *l1])), 2 + text.len());
            prop_assert!(text.iter().all(|octet| octet.is_ascii_lowercase() || *octet == b' '));
        }

        /// Whatever the options are, reading them ends, and what is taken for sound can be written back.
        #[test]
        fn any_options_are_read(options in prop::collection::vec(prop_oneof![Just(0), Just(8), 0..40u8, any::<u8>()], 0..80)) {
            let (edns, sound) = read(512, 0, &options);
            prop_assert!(sound || !options.is_empty());
            if let Some(subnet) = edns.subnet {
                let mut out = [0; 64];
                prop_assert_eq!(write(&mut out, 0, false, Some((&subnet, 0)), None), len(Some(&subnet)));
            }
        }
    }
}
