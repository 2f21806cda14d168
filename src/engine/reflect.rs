//! The name that tells a client what it is taken for: its address and whose it is, and where geo data place it. Must not
//! know services: what one makes of a client is `explain`'s to say.

use std::fmt::{self, Write};

use arrayvec::ArrayVec;

use super::{
    geo::Location,
    resolve::{Walk, push},
    steer::{
        locate::Client,
        trace::{Basis, Step, Trace},
    },
    types::{Family, Prefix},
    wire::{
        reply::{MAX_TEXT, Part, Reply},
        rr::{Rcode, RrType},
    },
    zone::table::NodeRef,
};

impl<'s, T: Trace> Walk<'s, '_, T> {
    /// Answers the name that tells clients what they are taken for, to those that may ask.
    pub(super) fn reflect(&mut self, node: NodeRef<'s>, reply: &mut Reply<'s>) {
        let world = &*self.snapshot.world;
        let (Some(reflect), Some(reflector)) = (&world.reflect, &world.reflector) else { return };
        if self.hops > 0 {
            return; // an answer for one client is no end of a chain that others keep: the target is asked for by itself
        }
        let source = Prefix::host(self.origin.source);
        if !reflect.allow.iter().any(|from| from.contains(source)) {
            self.trace.note(|| Step::Reflects(None));
            (reply.rcode, reply.authoritative) = (Rcode::Refused, false);
            return;
        }
        let client = self.client(reflector, false);
        // Of no use to anybody else behind the same option, however wide (RFC 7871 7.2.1).
        let used = matches!(client.basis, Basis::Subnet | Basis::Special);
        let subnet = self.query.edns.as_ref().and_then(|edns| edns.subnet.as_ref()).filter(|_| used);
        reply.scope = subnet.and_then(|subnet| subnet.client()).map_or(0, Prefix::len);
        self.trace.note(|| Step::Reflects(Some(reply.scope)));
        match (self.query.rtype(), client.prefix.family()) {
            (RrType::A, Family::V4) | (RrType::AAAA, Family::V6) => push(reply, Part::Own(client.prefix.address())),
            (RrType::TXT, _) => {
                self.describe(&client, &mut reply.text);
                push(reply, Part::Text);
            }
            (rtype, _) => {
                reply.scope = 0; // P102
                match world.table.minimal().filter(|_| rtype == RrType::ANY) {
                    Some(any) => push(reply, Part::Rrset(any)),
                    None => self.negative(node, None, reply),
                }
            }
        }
    }

    /// The text: one character-string for each fact.
    fn describe(&self, client: &Client, text: &mut ArrayVec<u8, MAX_TEXT>) {
        let world = &*self.snapshot.world;
        string(text, |out| write!(out, "client={}", client.prefix));
        string(text, |out| write!(out, "by={}", whose(client)));
        let atlas = if client.behind.is_some() { &world.resolvers } else { &world.atlas };
        // The first address: what is known of most of a wide prefix is slow to find.
        let spot = atlas.find(Prefix::host(client.prefix.address()));
        string(text, |out| write!(out, "network={}", spot.leaf));
        match spot.location {
            _ if spot.leaf.len() > client.prefix.len() => {
                string(text, |out| out.write_str("place=in several networks"))
            }
            Some(location) => string(text, |out| place(location, out)),
            None => string(text, |out| out.write_str("place=unknown")),
        }
    }
}

/// Whose address the client's is.
fn whose(client: &Client) -> &'static str {
    match client.basis {
        _ if client.behind.is_some() => "resolver map",
        Basis::Subnet => "client subnet",
        Basis::Source | Basis::NotAsked => "source",
        Basis::Anonymous => "source, no location wanted",
        Basis::Distrusted | Basis::Unused => "source, client subnet not used",
        Basis::Special => "source, client subnet is special-purpose",
    }
}

/// From the finest to the broadest, what is known: `place=New York, US-NY, NA, AS64500`.
fn place(location: &Location, out: &mut dyn Write) -> fmt::Result {
    out.write_str("place=")?;
    let letters = |two: [u8; 2]| two.map(char::from);
    let mut between = "";
    let mut begin = |out: &mut dyn Write| out.write_str(std::mem::replace(&mut between, ", "));
    if let Some(city) = &location.city {
        begin(out)?;
        out.write_str(city)?;
    }
    if let Some([a, b]) = location.country.map(letters) {
        begin(out)?;
        write!(out, "{a}{b}")?;
        if let Some(subdivision) = &location.subdivision {
            write!(out, "-{subdivision}")?;
        }
    }
    if let Some([a, b]) = location.continent.map(letters) {
        begin(out)?;
        write!(out, "{a}{b}")?;
    }
    if let Some(asn) = location.asn {
        begin(out)?;
        write!(out, "AS{asn}")?;
    }
    Ok(())
}

/// A character-string that is being written (RFC 1035 3.3): its length octet stands before it.
struct StringWriter<'t>(&'t mut ArrayVec<u8, MAX_TEXT>, usize);

impl Write for StringWriter<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let fits = self.0.len() + text.len() - self.1 <= 256;
        if !fits || self.0.try_extend_from_slice(text.as_bytes()).is_err() {
            return Err(fmt::Error);
        }
        Ok(())
    }
}

/// Appends a character-string; leaves it out where it does not fit.
fn string(text: &mut ArrayVec<u8, MAX_TEXT>, say: impl FnOnce(&mut dyn Write) -> fmt::Result) {
    let start = text.len();
    if text.try_push(0).is_err() {
        return;
    }
    if say(&mut StringWriter(text, start)).is_err() {
        text.truncate(start);
        return;
    }
    let len = text.len() - start - 1;
    if let Some(octet) = text.get_mut(start) {
        *octet = len as u8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_left_out_whole() {
        let mut text = ArrayVec::new();
        string(&mut text, |out| out.write_str("abc"));
        string(&mut text, |out| write!(out, "{}{}", "x".repeat(200), "y".repeat(56)));
        string(&mut text, |out| out.write_str(&"z".repeat(MAX_TEXT - 5)));
        string(&mut text, |out| out.write_str("d"));
        let mut expected = b"\x03abc".to_vec();
        expected.push((MAX_TEXT - 5) as u8);
        expected.extend("z".repeat(MAX_TEXT - 5).bytes());
        assert_eq!(*text, *expected);
    }

    #[test]
    fn a_place_is_told_as_far_as_it_is_known() {
        let told = |location: Location| {
            let mut out = String::new();
            place(&location, &mut out).expect("room");
            out
        };
        let whole = Location {
            continent: Some(*b"NA"),
            country: Some(*b"US"),
            subdivision: Some("NY".into()),
            city: Some("New York".into()),
            asn: Some(64_500),
            ..Location::default()
        };
        assert_eq!(told(whole), "place=New York, US-NY, NA, AS64500");
        assert_eq!(told(Location { asn: Some(7), ..Location::default() }), "place=AS7");
        assert_eq!(told(Location { country: Some(*b"DE"), ..Location::default() }), "place=DE");
    }
}
