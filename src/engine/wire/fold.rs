//! Names in wire form, compared and hashed without regard to ASCII case, eight octets at a time.

/// A hash of a name's folded octets. Length octets are below 64, so folding letters never touches one.
#[must_use]
#[inline]
pub fn hash(wire: &[u8]) -> u64 {
    let (words, rest) = wire.as_chunks::<8>();
    let mut hash = 0x9e37_79b9_7f4a_7c15 ^ wire.len() as u64;
    for word in words {
        hash = mix(hash, lower(u64::from_le_bytes(*word)));
    }
    if !rest.is_empty() {
        hash = mix(hash, lower(last(wire)));
    }
    hash ^ hash >> 32
}

/// Whether a name is the one that `folded` spells in small letters.
#[must_use]
#[inline]
pub fn same(folded: &[u8], name: &[u8]) -> bool {
    if folded.len() != name.len() {
        return false;
    }
    let (mut own, rest) = folded.as_chunks::<8>();
    let (mut asked, _) = name.as_chunks::<8>();
    while let ([word, own_rest @ ..], [given, asked_rest @ ..]) = (own, asked) {
        if u64::from_le_bytes(*word) != lower(u64::from_le_bytes(*given)) {
            return false;
        }
        (own, asked) = (own_rest, asked_rest);
    }
    rest.is_empty() || last(folded) == lower(last(name))
}

/// The last eight octets, of which the first may stand in the word before them: quicker to load than what is left.
#[inline]
fn last(wire: &[u8]) -> u64 {
    match wire.last_chunk::<8>() {
        Some(word) => u64::from_le_bytes(*word),
        None => wire.iter().fold(0, |word, octet| word << 8 | u64::from(*octet)),
    }
}

#[inline]
fn mix(hash: u64, word: u64) -> u64 {
    let wide = u128::from(hash ^ word) * 0xe703_7ed1_a0b4_28db;
    (wide as u64) ^ ((wide >> 64) as u64)
}

/// Capital letters of eight octets to small ones: bit 5 is set where bit 7 is clear and the low seven bits lie
/// between `A` and `Z`.
#[inline]
fn lower(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let low = word & (0x7f * ONES);
    let from_a = low + (0x80 - 0x41) * ONES;
    let past_z = low + (0x80 - 0x5b) * ONES;
    let capitals = from_a & !past_z & !word & (0x80 * ONES);
    word | capitals >> 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_is_ascii_only_and_octet_by_octet() {
        for octet in 0..=255u8 {
            let word = u64::from_le_bytes([octet; 8]);
            assert_eq!(lower(word).to_le_bytes(), [octet.to_ascii_lowercase(); 8]);
        }
        assert_eq!(hash(b"\x03WWW\x07eXample\0"), hash(b"\x03www\x07example\0"));
        assert_ne!(hash(b"\x01\xdf\0"), hash(b"\x01\xff\0"));
    }

    #[test]
    fn a_name_is_the_same_in_any_case_and_no_other_is() {
        for len in 0..40usize {
            let folded: Vec<u8> = (0..len).map(|n| b'a' + (n % 26) as u8).collect();
            assert!(same(&folded, &folded.to_ascii_uppercase()), "{len}");
            assert!(!same(&folded, &[&folded[..], b"a"].concat()), "{len}");
            for at in 0..len {
                let mut other = folded.clone();
                other[at] ^= 0x80;
                assert!(!same(&folded, &other) && hash(&folded) != hash(&other), "{len} {at}");
                other[at] = b'-';
                assert!(!same(&folded, &other) && hash(&folded) != hash(&other), "{len} {at}");
            }
        }
    }

    #[test]
    fn near_names_spread_over_the_low_bits() {
        let mut seen = vec![0u32; 1 << 10];
        for n in 0..10_240 {
            let name = format!("\x06h{n:05}\x07example\x03com\0");
            seen[hash(name.as_bytes()) as usize & 0x3ff] += 1;
        }
        assert!(seen.iter().all(|&n| n < 40), "{:?}", seen.iter().max());
    }
}
