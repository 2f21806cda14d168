//! The HTTPS record that is made of a decision (RFC 9460): what of it is known when the configuration is compiled. Must
//! not know how anything is decided.

/// Octets before the parameters: the priority and the root, which stands for the owner (RFC 9460 2.5.2).
pub(super) const FIXED: [u8; 3] = [0, 1, 0];
/// Octets of a parameter before its value: key and length.
pub(super) const PARAMETER: usize = 4;
/// The key `ipv4hint`, and the key `ipv6hint`.
pub(super) const HINTS: [u16; 2] = [4, 6];
const ALPN: u16 = 1;
const PORT: u16 = 3;

/// Encodes `alpn` and `port`, which stand before the hints since parameters are ordered by key (RFC 9460 2.2). An empty
/// list and no port leave the parameter out. Each identifier has 1 to 255 octets, all of them and their lengths no more
/// than 65,535.
#[must_use]
pub fn head(alpn: &[Box<str>], port: Option<u16>) -> Box<[u8]> {
    let mut octets = Vec::new();
    if !alpn.is_empty() {
        let ids: Vec<u8> = alpn.iter().flat_map(|id| [&[id.len() as u8], id.as_bytes()].concat()).collect();
        parameter(ALPN, &ids, &mut octets);
    }
    if let Some(port) = port {
        parameter(PORT, &port.to_be_bytes(), &mut octets);
    }
    octets.into()
}

fn parameter(key: u16, value: &[u8], octets: &mut Vec<u8>) {
    octets.extend(key.to_be_bytes());
    octets.extend((value.len() as u16).to_be_bytes());
    octets.extend(value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_takes_no_octets() {
        assert_eq!(*head(&[], None), *b"");
        assert_eq!(*head(&[], Some(8443)), [0, 3, 0, 2, 0x20, 0xfb]);
        assert_eq!(*head(&["h3".into()], None), *b"\0\x01\0\x03\x02h3");
        assert_eq!(*head(&["h2".into(), "h3".into()], Some(1)), *b"\0\x01\0\x06\x02h2\x02h3\0\x03\0\x02\0\x01");
    }
}
