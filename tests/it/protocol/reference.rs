//! The look-up of RFC 1034 4.3.2, with RFC 4592 and RFC 6672, as slow and plain as it can be written: lists of records,
//! searched from end to end. It knows nothing of the table that it judges.

/// A name's labels, leftmost first.
pub type Labels = Vec<&'static str>;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Type {
    A,
    Aaaa,
    Ns,
    Soa,
    Cname,
    Dname,
    Ds,
    Txt,
    Any,
    Hinfo,
}

#[derive(Clone, Debug)]
pub struct Record {
    pub owner: Labels,
    pub rtype: Type,
    /// Where an alias leads.
    pub target: Labels,
}

#[derive(Clone, Debug)]
pub struct Zone {
    pub apex: Labels,
    pub records: Vec<Record>,
    /// Names of services in this zone; they answer A and AAAA.
    pub services: Vec<Labels>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    NoError,
    NxDomain,
    Refused,
}

/// What a reply says, additional section apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub code: Code,
    pub aa: bool,
    /// Owner and type of each RRset.
    pub answers: Vec<(Labels, Type)>,
    /// The SOA of a negative answer or the NS of a referral.
    pub authority: Option<(Labels, Type)>,
}

pub fn within(name: &[&str], other: &[&str]) -> bool {
    name.len() >= other.len() && name[name.len() - other.len()..] == *other
}

/// The name without its first labels, until this many are left.
fn tail(name: &[&'static str], labels: usize) -> Labels {
    name[name.len() - labels..].to_vec()
}

/// Step 2: the zone that is the nearest ancestor.
pub fn closest<'z>(zones: &'z [Zone], name: &[&str]) -> Option<&'z Zone> {
    zones.iter().filter(|zone| within(name, &zone.apex)).max_by_key(|zone| zone.apex.len())
}

impl Zone {
    pub fn has(&self, owner: &[&str], rtype: Type) -> bool {
        self.records.iter().any(|record| record.owner == owner && record.rtype == rtype)
    }

    fn target(&self, owner: &[&str], rtype: Type) -> Option<Labels> {
        let found = self.records.iter().find(|record| record.owner == owner && record.rtype == rtype);
        found.map(|record| record.target.clone())
    }

    /// A name exists when it or a name below it owns something (RFC 4592 2.2).
    fn exists(&self, name: &[&str]) -> bool {
        let owners = self.records.iter().map(|record| &record.owner).chain(&self.services);
        name == self.apex || owners.into_iter().any(|owner| within(owner, name))
    }

    /// The highest delegation at or above a name, the apex apart. A zone that is served here is as good as delegated.
    fn cut(&self, name: &[&'static str], zones: &[Zone]) -> Option<Labels> {
        (self.apex.len() + 1..=name.len())
            .map(|labels| tail(name, labels))
            .find(|at| self.has(at, Type::Ns) || zones.iter().any(|zone| zone.apex == *at))
    }
}

/// What a server of these zones has to say.
pub fn look_up(zones: &[Zone], question: &[&'static str], rtype: Type) -> Outcome {
    let mut outcome = Outcome { code: Code::Refused, aa: false, answers: Vec::new(), authority: None };
    let Some(home) = closest(zones, question) else { return outcome };
    outcome.code = Code::NoError;
    let mut name = question.to_vec();
    let mut left: Vec<Labels> = Vec::new();
    loop {
        let zone = speaker(zones, home, &name, rtype);
        let soa = Some((zone.apex.clone(), Type::Soa));
        let aliases = left.len();
        // Step 3b: out of the authoritative data.
        if let Some(cut) = zone.cut(&name, zones) {
            if rtype == Type::Ds && cut == name {
                outcome.aa = true;
                if zone.has(&name, Type::Ds) {
                    outcome.answers.push((name, Type::Ds));
                } else {
                    outcome.authority = soa;
                }
            } else {
                outcome.aa = aliases > 0;
                outcome.authority = Some((cut, Type::Ns));
            }
            return outcome;
        }
        outcome.aa = true;
        // Step 3a and 3c: the name, or the wildcard below its closest encloser.
        let mut source = name.clone();
        if !zone.exists(&name) {
            let encloser = (zone.apex.len()..name.len()).rev().map(|n| tail(&name, n)).find(|at| zone.exists(at));
            let encloser = encloser.expect("the apex exists");
            if let Some(target) = zone.target(&encloser, Type::Dname) {
                if !outcome.answers.contains(&(encloser.clone(), Type::Dname)) {
                    outcome.answers.push((encloser.clone(), Type::Dname));
                }
                outcome.answers.push((name.clone(), Type::Cname));
                if matches!(rtype, Type::Cname | Type::Any) {
                    return outcome;
                }
                let kept = &name[..name.len() - encloser.len()];
                let next = [kept, &target].concat();
                left.push(name);
                if !goes_on(zones, home, &left, &next) {
                    return outcome;
                }
                name = next;
                continue;
            }
            source = [&["*"], &*encloser].concat();
            if !zone.exists(&source) {
                outcome.code = Code::NxDomain;
                outcome.authority = soa;
                return outcome;
            }
        }
        let steered = zone.services.contains(&source);
        let owns = steered || zone.records.iter().any(|record| record.owner == source);
        let is_address = matches!(rtype, Type::A | Type::Aaaa);
        if is_address && steered || zone.has(&source, rtype) {
            let answer = (name, rtype);
            if !outcome.answers.contains(&answer) {
                outcome.answers.push(answer); // else a DNAME that led to itself
            }
        } else if let Some(target) = zone.target(&source, Type::Cname) {
            outcome.answers.push((name.clone(), Type::Cname));
            left.push(name);
            if rtype != Type::Any && goes_on(zones, home, &left, &target) {
                name = target;
                continue;
            }
        } else if rtype == Type::Any && owns {
            outcome.answers.push((name, Type::Hinfo)); // RFC 8482 4.2
        } else {
            outcome.authority = soa;
        }
        return outcome;
    }
}

/// Who speaks for a name of this zone: for DS of its apex the parent, when it is served here (RFC 4035 3.1.4.1).
fn speaker<'z>(zones: &'z [Zone], zone: &'z Zone, name: &[&'static str], rtype: Type) -> &'z Zone {
    if rtype == Type::Ds
        && name == zone.apex
        && let Some(parent) = name.get(1..).and_then(|above| closest(zones, above))
        && parent.cut(name, zones).as_deref() == Some(name)
    {
        return parent;
    }
    zone
}

/// Whether a chain is followed: inside its zone, to new names, and not for ever.
fn goes_on(zones: &[Zone], zone: &Zone, left: &[Labels], next: &Labels) -> bool {
    let inside = closest(zones, next).is_some_and(|at| at.apex == zone.apex);
    inside && !left.contains(next) && left.len() < 16
}
