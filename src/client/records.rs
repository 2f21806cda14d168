//! Records of a reply as dig would print them where the decoder's own form is another: character-strings in quotes,
//! parameters of SVCB and HTTPS records as RFC 9460 2.1 writes them, and data of rarer types as a zone file has them.

use hickory_proto::{
    ProtoError,
    rr::{
        Name, RData, Record,
        rdata::{
            SVCB,
            svcb::{SvcParamKey, SvcParamValue},
        },
    },
    serialize::binary::{BinDecodable, BinDecoder, BinEncodable, BinEncoder, NameEncoding},
};

use crate::{config::zone_file::presentation, engine::wire::rr::RrType};

/// A record.
pub(crate) fn line(record: &Record) -> String {
    let rtype = RrType(u16::from(record.record_type()));
    format!("{} {} {} {rtype} {}", record.name, record.ttl, record.dns_class, data(&record.data))
}

/// The records of each section of a reply, one by one: the decoder refuses a whole message for one record that it cannot
/// read, such as one without data. That record is shown by our own reader. OPT is left out.
pub(crate) fn sections(reply: &[u8]) -> Result<[Vec<String>; 3], ProtoError> {
    let mut decoder = BinDecoder::new(reply);
    decoder.read_slice(4)?;
    let mut counts = [0; 4];
    for count in &mut counts {
        *count = decoder.read_u16()?.unverified(/* the loops end where the message does */);
    }
    for _ in 0..counts[0] {
        Name::read(&mut decoder)?;
        decoder.read_slice(4)?;
    }
    let mut sections = [const { Vec::new() }; 3];
    for (section, count) in sections.iter_mut().zip(&counts[1..]) {
        for _ in 0..*count {
            let mut whole = decoder.clone(decoder.index() as u16);
            let owner = Name::read(&mut decoder)?;
            let rtype = RrType(decoder.read_u16()?.unverified(/* any type */));
            decoder.read_u16()?;
            let ttl = decoder.read_u32()?.unverified(/* any time */);
            let length = decoder.read_u16()?.unverified(/* checked by what it is for */);
            let rdata = decoder.read_slice(length.into())?.unverified(/* shown, whatever it is */);
            match Record::<RData>::read(&mut whole) {
                _ if rtype.0 == 41 => {}
                Ok(record) if length > 0 => section.push(line(&record)),
                _ => section.push(format!("{owner} {ttl} IN {rtype} {}", presentation(rtype, rdata))),
            }
        }
    }
    Ok(sections)
}

/// A record's data.
pub(crate) fn data(data: &RData) -> String {
    match data {
        RData::TXT(txt) => strings(txt.txt_data.iter().map(|text| &**text)),
        RData::HINFO(hinfo) => strings([&*hinfo.cpu, &*hinfo.os].into_iter()),
        RData::SVCB(svcb) => service(svcb),
        RData::HTTPS(https) => service(&https.0),
        RData::A(_) | RData::AAAA(_) | RData::NS(_) | RData::CNAME(_) | RData::SOA(_) | RData::OPT(_) => {
            data.to_string()
        }
        other => match wire(other) {
            Some(wire) => presentation(RrType(u16::from(other.record_type())), &wire),
            None => other.to_string(),
        },
    }
}

/// The data in wire form, without compression.
fn wire(data: &RData) -> Option<Vec<u8>> {
    let mut wire = Vec::new();
    let mut encoder = BinEncoder::new(&mut wire);
    encoder.set_name_encoding(NameEncoding::Uncompressed);
    data.emit(&mut encoder).ok()?;
    Some(wire)
}

fn strings<'s>(strings: impl Iterator<Item = &'s [u8]>) -> String {
    strings.map(quoted).collect::<Vec<_>>().join(" ")
}

fn quoted(text: &[u8]) -> String {
    let escaped = text.iter().map(|octet| match octet {
        b'"' | b'\\' => format!("\\{}", char::from(*octet)),
        0x20..=0x7e => char::from(*octet).to_string(),
        _ => format!("\\{octet:03}"),
    });
    format!("\"{}\"", escaped.collect::<String>())
}

fn service(svcb: &SVCB) -> String {
    let parameters = svcb.svc_params.iter().map(|(key, value)| match value {
        SvcParamValue::NoDefaultAlpn => format!(" {}", name(*key)),
        value => format!(" {}={}", name(*key), said(value)),
    });
    format!("{} {}{}", svcb.svc_priority, svcb.target_name, parameters.collect::<String>())
}

/// A key without a name of its own is `keyN`.
fn name(key: SvcParamKey) -> String {
    match key {
        SvcParamKey::Key(number) | SvcParamKey::Unknown(number) => format!("key{number}"),
        named => named.to_string(),
    }
}

fn said(value: &SvcParamValue) -> String {
    match value {
        SvcParamValue::Mandatory(keys) => list(keys.0.iter().map(|key| name(*key))),
        // A comma or backslash of an identifier is escaped for the list first (RFC 9460 A.1).
        SvcParamValue::Alpn(alpn) => {
            let ids = alpn.0.iter().map(|id| id.replace('\\', "\\\\").replace(',', "\\,"));
            quoted(list(ids).as_bytes())
        }
        SvcParamValue::Ipv4Hint(hints) => list(hints.0.iter().map(|hint| hint.0.to_string())),
        SvcParamValue::Ipv6Hint(hints) => list(hints.0.iter().map(|hint| hint.0.to_string())),
        SvcParamValue::Unknown(octets) => quoted(&octets.0),
        other => other.to_string(),
    }
}

fn list(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use hickory_proto::rr::{
        Name,
        rdata::{
            A, AAAA, HTTPS,
            svcb::{Alpn, IpHint, Mandatory, Unknown},
        },
    };

    use super::*;

    #[test]
    fn parameters_read_as_in_a_zone_file() {
        let parameters = vec![
            (SvcParamKey::Mandatory, SvcParamValue::Mandatory(Mandatory(vec![SvcParamKey::Alpn, SvcParamKey::Port]))),
            (SvcParamKey::Alpn, SvcParamValue::Alpn(Alpn(vec!["h2".into(), "a,b".into()]))),
            (SvcParamKey::NoDefaultAlpn, SvcParamValue::NoDefaultAlpn),
            (SvcParamKey::Port, SvcParamValue::Port(8443)),
            (SvcParamKey::Ipv4Hint, SvcParamValue::Ipv4Hint(IpHint(vec![A::new(192, 0, 2, 1), A::new(192, 0, 2, 2)]))),
            (SvcParamKey::Ipv6Hint, SvcParamValue::Ipv6Hint(IpHint(vec![AAAA::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)]))),
            (SvcParamKey::Unknown(7), SvcParamValue::Unknown(Unknown(b"/q{?dns}\xff".to_vec()))),
        ];
        let data = RData::HTTPS(HTTPS(SVCB::new(1, Name::root(), parameters)));
        let record = Record::from_rdata(Name::from_ascii("a.test.").expect("a name"), 30, data);
        let expected = "a.test. 30 IN HTTPS 1 . mandatory=alpn,port alpn=\"h2,a\\\\,b\" no-default-alpn port=8443 \
                    ipv4hint=192.0.2.1,192.0.2.2 ipv6hint=2001:db8::1 key7=\"/q{?dns}\\255\"";
        assert_eq!(line(&record), expected);
    }
}
