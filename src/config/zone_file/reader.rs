//! Entries to records: owner, TTL, class and type (RFC 1035 5.1, RFC 2308 4), and what directives change about them.
//! Must not know files, nor what records mean to each other.

use super::{
    fields::{Complaint, Fields, MAX_TTL, NotSeconds, complete, seconds},
    findings::Findings,
    rdata,
    token::Token,
};
use crate::{
    config::fault::{Fault, FileId, Place},
    engine::{
        units::Ttl,
        wire::{name::Name, rr::RrType},
        zone::ZoneRecord,
    },
};

/// Tokens of one entry, and the file that is blamed for them.
#[derive(Clone, Copy, Debug)]
pub(super) struct EntryTokens<'e> {
    /// Whose spans the tokens have.
    pub(super) file: FileId,
    /// Where their contents stand.
    pub(super) text: &'e str,
    /// The tokens, at least one.
    pub(super) tokens: &'e [Token],
    /// Whether the owner is the one before.
    pub(super) indented: bool,
}

impl<'e> EntryTokens<'e> {
    /// The content of a token; empty behind the last.
    pub(super) fn content(&self, token: usize) -> &'e str {
        self.tokens.get(token).and_then(|token| self.text.get(token.text.clone())).unwrap_or("")
    }

    /// The place of a token; that of the last one behind it.
    pub(super) fn place(&self, token: usize) -> Place {
        let span = self.tokens.get(token).or(self.tokens.last()).map_or(0..0, |token| token.span.clone());
        Place { file: self.file, span }
    }

    /// The place of the whole entry, or of its beginning up to token `head` when it is spread over lines.
    fn whole(&self, head: usize) -> Place {
        let start = self.place(0).span.start;
        let (head, end) = (self.place(head).span.end, self.place(usize::MAX).span.end);
        let one_line = self.text.get(start..end).is_some_and(|text| !text.contains('\n'));
        Place { file: self.file, span: start..if one_line { end } else { head.max(start) } }
    }
}

/// Whose a record is that does not say it.
#[derive(Clone, Debug, Default)]
pub(super) enum Owner {
    /// Nobody was named yet.
    #[default]
    None,
    /// Somebody was, with a fault that is reported.
    Unusable,
    /// This name, inside the zone.
    Named(Name),
}

/// What is known at a point of the text.
#[derive(Debug)]
pub(super) struct Reader<'r> {
    /// The zone.
    pub(super) apex: &'r Name,
    /// Completes relative names.
    pub(super) origin: Name,
    /// The owner of the record before.
    pub(super) owner: Owner,
    /// From `$TTL`.
    pub(super) default_ttl: Option<Ttl>,
    /// Of the record before that wrote one.
    last_ttl: Option<Ttl>,
    /// The records so far.
    pub(super) records: Vec<ZoneRecord>,
    /// Where each of them stands.
    pub(super) places: Vec<Place>,
    /// What was found wrong.
    pub(super) findings: Findings,
    bad_ttl: bool,
    without_ttl: Vec<(Place, String)>,
    signed: Vec<(RrType, Place)>,
}

/// The parts of a record between its owner and its data.
struct Head {
    ttl: Option<Ttl>,
    rtype: RrType,
    /// The number of the token that names the type.
    at: usize,
}

impl<'r> Reader<'r> {
    /// At the start of the zone file.
    pub(super) fn new(apex: &'r Name) -> Self {
        Self {
            apex,
            origin: apex.clone(),
            owner: Owner::None,
            default_ttl: None,
            last_ttl: None,
            records: Vec::new(),
            places: Vec::new(),
            findings: Findings::default(),
            bad_ttl: false,
            without_ttl: Vec::new(),
            signed: Vec::new(),
        }
    }

    /// Reads one record.
    pub(super) fn record(&mut self, line: EntryTokens<'_>) {
        let first = if line.indented {
            if matches!(self.owner, Owner::None) {
                let fault = Fault::error("a record without owner", line.place(0), "no record before it names one");
                self.findings.push(fault.remedy("begin the line with a name, or `@` for the zone itself"));
                self.findings.lose(None);
                self.owner = Owner::Unusable;
            }
            0
        } else {
            self.owner = self.read_owner(line);
            1
        };
        let Some(head) = self.head(line, first) else {
            self.findings.lose(None);
            return;
        };
        if let Some(rdata) = self.data(line, &head) {
            self.keep(line, head, rdata);
        } else {
            self.findings.lose(Some(head.rtype));
        }
    }

    /// Takes the owner from an entry that is not read otherwise, so that the lines behind it are not blamed on another.
    pub(super) fn pass_over(&mut self, line: EntryTokens<'_>) {
        self.findings.lose(None);
        if !line.indented {
            self.owner = match complete(line.content(0), &self.origin) {
                Ok((name, _)) if name.is_within(self.apex) => Owner::Named(name),
                _ => Owner::Unusable,
            };
        }
    }

    fn read_owner(&mut self, line: EntryTokens<'_>) -> Owner {
        let mut fields = Fields::new(line.text, line.tokens, 0..1, &self.origin);
        let name = match fields.name() {
            Ok(name) => name,
            Err(complaint) => {
                self.complain("an owner".to_owned(), line, 0, complaint);
                self.findings.lose(None);
                return Owner::Unusable;
            }
        };
        let doubts = fields.into_doubts();
        if !name.is_within(self.apex) {
            let message = format!("{name} lies outside the zone {}", self.apex);
            self.findings.push(Fault::error(message, line.place(0), "not within the zone").remedy(
                "remove it, or set $ORIGIN so that it is completed as meant; other zones have files of their own",
            ));
            return Owner::Unusable;
        }
        self.doubt(line, &doubts);
        Owner::Named(name)
    }

    fn doubt(&mut self, line: EntryTokens<'_>, doubts: &[usize]) {
        for &token in doubts {
            let (written, origin) = (line.content(token), &self.origin);
            let message = format!("{written} has no final dot and becomes {written}.{origin}");
            let fault = Fault::warning(message, line.place(token), "relative");
            self.findings.push(fault.remedy(format!("write {written}. with a dot, if that is meant")));
        }
    }

    /// TTL and class in either order, then the type.
    fn head(&mut self, line: EntryTokens<'_>, first: usize) -> Option<Head> {
        let (mut ttl, mut class) = (None, None);
        for at in first..line.tokens.len() {
            let content = line.content(at);
            if line.tokens[at].quoted {
                break;
            } else if content.starts_with(|first: char| first.is_ascii_digit()) {
                if ttl.is_some() {
                    self.findings.push(Fault::error("a record has two TTLs", line.place(at), "the second"));
                }
                ttl = self.ttl(line, at);
                self.last_ttl = ttl;
            } else if let Some(number) = class_number(content) {
                if class.is_some() {
                    self.findings.push(Fault::error("a record has two classes", line.place(at), "the second"));
                } else if number != 1 {
                    let fault = Fault::error(format!("class {content} is not served"), line.place(at), "not IN");
                    self.findings.push(fault.remedy("write IN, or nothing"));
                }
                class = Some(number);
            } else {
                let rtype = self.rtype(line, at)?;
                let served = class.is_none_or(|class| class == 1);
                return served.then_some(Head { ttl, rtype, at });
            }
        }
        let last = line.tokens.len() - 1;
        let fault = Fault::error("a record without type", line.place(last), "a type is expected here or behind this");
        self.findings.push(fault.remedy("a record is: owner [TTL] [IN] type data"));
        None
    }

    /// A TTL at this token; none after a fault, which is reported.
    pub(super) fn ttl(&mut self, line: EntryTokens<'_>, at: usize) -> Option<Ttl> {
        let content = line.content(at);
        let fault = match seconds(content) {
            Ok(value) => return Some(Ttl(value)),
            Err(NotSeconds::Form) => Fault::error(format!("{content} is no TTL"), line.place(at), "a TTL is expected")
                .remedy("write seconds, or units as in `1h30m`"),
            Err(NotSeconds::Large) => {
                Fault::error(format!("the TTL {content} is too large"), line.place(at), format!("over {MAX_TTL}"))
                    .remedy("a TTL is at most 2147483647 (RFC 2181 8)")
            }
        };
        self.findings.push(fault);
        // Known, if not right: no second fault for lack of one.
        self.bad_ttl = true;
        Some(Ttl(0))
    }

    fn rtype(&mut self, line: EntryTokens<'_>, at: usize) -> Option<RrType> {
        let content = line.content(at);
        let Some(rtype) = RrType::from_text(content) else {
            let remedy = match nearest_type(content) {
                Some(near) => format!("did you mean {near}? Types without a name are written as TYPE and a number"),
                None => "a record is: owner [TTL] [IN] type data".to_owned(),
            };
            let fault =
                Fault::error(format!("there is no record type {content}"), line.place(at), "a type is expected");
            self.findings.push(fault.remedy(remedy));
            return None;
        };
        if rtype.is_meta() {
            let fault = Fault::error(format!("no zone may hold type {rtype}"), line.place(at), "not a type of data");
            self.findings
                .push(fault.remedy("remove it: types of questions and of messages are no data (RFC 6895 3.1)"));
            return None;
        }
        Some(rtype)
    }

    fn data(&mut self, line: EntryTokens<'_>, head: &Head) -> Option<Vec<u8>> {
        if matches!(head.rtype, RrType::RRSIG | RrType::NSEC | RrType::NSEC3 | RrType::NSEC3PARAM) {
            self.signed.push((head.rtype, line.whole(head.at)));
            return None;
        }
        let range = head.at + 1..line.tokens.len();
        let mut fields = Fields::new(line.text, line.tokens, range, &self.origin);
        match rdata::read(head.rtype, &mut fields) {
            Ok(rdata) => {
                let doubts = fields.into_doubts();
                self.doubt(line, &doubts);
                Some(rdata)
            }
            Err(complaint) => {
                let last = fields.last();
                self.complain(format!("{} data", head.rtype), line, last, complaint);
                None
            }
        }
    }

    fn keep(&mut self, line: EntryTokens<'_>, head: Head, rdata: Vec<u8>) {
        let Owner::Named(owner) = &self.owner else { return };
        let ttl = head.ttl.or(self.default_ttl).or(self.last_ttl);
        if ttl.is_none() {
            self.without_ttl.push((line.place(head.at), format!("{owner} {}", head.rtype)));
        }
        self.places.push(line.whole(head.at));
        let (owner, rtype, rdata) = (owner.clone(), head.rtype, rdata.into_boxed_slice());
        self.records.push(ZoneRecord { owner, rtype, ttl: ttl.unwrap_or_default(), rdata });
    }

    /// Reports what is wrong with a field of `what`, whose last token read is `last`.
    pub(super) fn complain(&mut self, what: String, line: EntryTokens<'_>, last: usize, complaint: Complaint) {
        let token = complaint.token.unwrap_or(last);
        let fault = Fault::error(format!("{what}: {complaint}"), line.place(token), shown(line.content(token)));
        self.findings.push(match complaint.remedy {
            Some(remedy) => fault.remedy(remedy),
            None => fault,
        });
    }

    /// Whether the TTLs of all records are known.
    pub(super) fn knows_ttls(&self) -> bool {
        self.without_ttl.is_empty() && !self.bad_ttl
    }

    /// Reports what many records have in common as one fault each.
    pub(super) fn close(&mut self) {
        if let Some(((place, which), others)) = self.without_ttl.split_first() {
            let message = format!("no TTL is known for {which}{}", further(others.len()));
            let fault = Fault::error(message, place.clone(), "neither here, nor from $TTL, nor from a record before");
            self.findings.push(fault.remedy("write $TTL 1h (or what fits) at the top of the file (RFC 2308 4)"));
        }
        for rtype in [RrType::RRSIG, RrType::NSEC, RrType::NSEC3, RrType::NSEC3PARAM] {
            let mut of_type = self.signed.iter().filter(|(signed, _)| *signed == rtype);
            let Some((_, place)) = of_type.next() else { continue };
            let message = format!("the zone is signed: it holds {rtype}{}", further(of_type.count()));
            let fault = Fault::error(message, place.clone(), "made by a signer");
            self.findings.push(fault.remedy("give the unsigned zone: leave out RRSIG, NSEC, NSEC3 and NSEC3PARAM"));
        }
    }
}

fn further(others: usize) -> String {
    match others {
        0 => String::new(),
        1 => " and 1 further record".to_owned(),
        _ => format!(" and {others} further records"),
    }
}

/// A token for the label beside the excerpt, cut when long.
fn shown(content: &str) -> String {
    match content.char_indices().nth(40) {
        Some((cut, _)) => format!("at `{}…`", &content[..cut]),
        None => format!("at `{content}`"),
    }
}

fn class_number(content: &str) -> Option<u16> {
    let upper = content.to_ascii_uppercase();
    match upper.as_str() {
        "IN" => Some(1),
        "CS" => Some(2),
        "CH" => Some(3),
        "HS" => Some(4),
        _ => number_behind("CLASS", &upper),
    }
}

/// The number that follows a prefix, in digits alone.
fn number_behind(prefix: &str, upper: &str) -> Option<u16> {
    let digits = upper.strip_prefix(prefix)?;
    digits.parse().ok().filter(|_| digits.bytes().all(|octet| octet.is_ascii_digit()))
}

/// The type that a misspelt mnemonic most likely means.
fn nearest_type(content: &str) -> Option<&'static str> {
    const COMMON: [&str; 22] = [
        "A", "AAAA", "NS", "SOA", "CNAME", "TXT", "MX", "SRV", "CAA", "PTR", "DS", "SVCB", "HTTPS", "TLSA", "SSHFP",
        "NAPTR", "DNAME", "HINFO", "RP", "LOC", "URI", "DNSKEY",
    ];
    let upper = content.to_ascii_uppercase();
    let near = COMMON.into_iter().map(|name| (strsim::damerau_levenshtein(name, &upper), name)).min()?;
    (near.0 <= 2 && near.0 < near.1.len().min(upper.len())).then_some(near.1)
}
