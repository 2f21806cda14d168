//! Everything that is known of addresses, in one trie for each family: databases under special-purpose blocks under
//! overrides. Must not know regions or rules.

use std::{
    cmp::Reverse,
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher},
};

use super::{
    Cuts, Facts, Location,
    marks::Numbers,
    marks::{Mark, MarkTable},
    special::{EMBEDDINGS, SPECIAL, normalise},
    trie::{Branch, Trie, extent},
};
use crate::engine::types::{Family, PerFamily, Prefix};

/// Where addresses are: one trie with disjoint leaves over everything that knows.
#[derive(Debug)]
pub struct Atlas {
    tries: PerFamily<Trie>,
    entries: Vec<AtlasEntry>,
    locations: Vec<Location>,
    sources: Vec<Box<str>>,
    marks: MarkTable,
    /// The prefixes of overrides.
    overridden: Vec<Prefix>,
}

/// What an [`Atlas`] knows of one prefix.
#[derive(Clone, Debug)]
pub struct Spot<'a> {
    /// Where it is; none when no source knows it.
    pub location: Option<&'a Location>,
    /// All that it is known by.
    pub facts: Facts<'a>,
    /// Who says so, for people: the names of the files, or what the special-purpose block is for.
    pub source: &'a str,
    /// The leaf that holds it.
    pub leaf: Prefix,
    /// Whether the address is of a special-purpose block.
    pub special: bool,
}

/// What a leaf stands for. Leaves of equal entries are one thing that was split; others are never joined here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct AtlasEntry {
    kind: Layer,
    location: Option<u32>,
    source: u32,
    /// The narrowest mark that holds it.
    mark: Option<u32>,
}

/// Which of the layers a leaf came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Layer {
    /// Databases and overrides, or none of them.
    Ordinary,
    /// The n-th of [`SPECIAL`].
    Special(u8),
    /// The n-th of [`EMBEDDINGS`]: its clients are looked up as IPv4.
    Embedding(u8),
}

/// How much of a prefix is of one entry.
#[derive(Clone, Copy, Debug)]
struct EntryShare {
    entry: u32,
    extent: u128,
    /// The first leaf of it.
    first: Prefix,
}

impl Layer {
    /// Whether it stays a leaf of its own however coarse maps are cut: forms of IPv4, and special-purpose blocks so small
    /// that even the default cuts would swallow them (`::`, `::1`, 100::/64).
    pub(super) fn is_pinned(self) -> bool {
        match self {
            Self::Ordinary => false,
            Self::Embedding(_) => true,
            Self::Special(n) => {
                let prefix = SPECIAL[usize::from(n)].prefix();
                prefix.len() > Cuts::default().finest[prefix.family()]
            }
        }
    }
}

/// A location with its source, known to one [`AtlasBuilder`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fact(u32);

/// Builds an [`Atlas`] from layers.
#[derive(Debug)]
pub struct AtlasBuilder {
    atlas: Atlas,
    by_entry: Numbers<AtlasEntry, u32>,
    /// By hash, the first location with it. Two locations with one hash are kept twice, which costs memory only.
    by_location: Numbers<u64, u32>,
    by_source: Numbers<Box<str>, u32>,
    added: Numbers<(u32, u32), u32>,
    overrides: Vec<(Prefix, Fact)>,
    marks: Vec<Prefix>,
}

impl Default for Atlas {
    /// Nothing but the special-purpose blocks.
    fn default() -> Self {
        AtlasBuilder::default().finish()
    }
}

impl Default for AtlasBuilder {
    fn default() -> Self {
        let mut builder = Self {
            atlas: Atlas {
                tries: PerFamily::new(Trie::new(0), Trie::new(0)),
                entries: Vec::new(),
                locations: Vec::new(),
                sources: Vec::new(),
                marks: MarkTable::default(),
                overridden: Vec::new(),
            },
            by_entry: Numbers::default(),
            by_location: Numbers::default(),
            by_source: Numbers::default(),
            added: Numbers::default(),
            overrides: Vec::new(),
            marks: Vec::new(),
        };
        let source = builder.source("");
        builder.entry(AtlasEntry { kind: Layer::Ordinary, location: None, source, mark: None });
        builder
    }
}

impl AtlasBuilder {
    /// Keeps a location that `source` (a file's name) states.
    pub fn fact(&mut self, location: Location, source: &str) -> Fact {
        let location = self.location(location);
        let source = self.source(source);
        Fact(self.entry(AtlasEntry { kind: Layer::Ordinary, location: Some(location), source, mark: None }))
    }

    /// What a database knows of `prefix`. Call it for one database after the other: for each field the first that knows
    /// wins. The prefixes of one database must be disjoint, which those of an MMDB always are.
    pub fn learn(&mut self, prefix: Prefix, fact: Fact) {
        let Self { atlas, by_entry, by_location, by_source, added, .. } = self;
        let Atlas { tries, entries, locations, sources, .. } = atlas;
        tries[prefix.family()].change(prefix, |old| {
            if old == 0 || old == fact.0 {
                return fact.0;
            }
            *added.entry((old, fact.0)).or_insert_with(|| {
                let (first, second) = (entries[old as usize], entries[fact.0 as usize]);
                let (Some(known), Some(new)) = (first.location, second.location) else { return old };
                let joined = completed(&locations[known as usize], &locations[new as usize]);
                if joined == locations[known as usize] {
                    return old;
                }
                let location = Some(keep(locations, by_location, joined));
                let names = format!("{}, {}", sources[first.source as usize], sources[second.source as usize]);
                let source = keep_source(sources, by_source, &names);
                keep_entry(entries, by_entry, AtlasEntry { kind: Layer::Ordinary, location, source, mark: None })
            })
        });
    }

    /// What an operator states of `prefix`: replaces the whole location, also the fields that it leaves empty, so that
    /// a line of an override file can be read without the databases at hand. The longest prefix wins, of equal ones the
    /// last. Inside a special-purpose block (or equal to it) it makes that part ordinary; one that is wider than the
    /// block leaves it special. IPv6 forms of IPv4 addresses are never looked up, and an override there does nothing.
    pub fn overrule(&mut self, prefix: Prefix, fact: Fact) {
        self.overrides.push((prefix, fact));
    }

    /// Names a prefix, so that its clients are told apart: those of the narrowest named prefix are of all wider ones too.
    /// Like an override it makes its part of a special-purpose block ordinary.
    pub fn mark(&mut self, prefix: Prefix) {
        self.marks.push(prefix);
    }

    /// Puts the layers together.
    #[must_use]
    pub fn finish(mut self) -> Atlas {
        let unnamed = self.source("");
        let special = SPECIAL.iter().enumerate().map(|(n, block)| (block, Layer::Special(n as u8)));
        let embeddings = EMBEDDINGS.iter().enumerate().map(|(n, form)| (&form.block, Layer::Embedding(n as u8)));
        let mut blocks: Vec<_> = special.chain(embeddings).map(|(block, kind)| (block.prefix(), kind)).collect();
        blocks.sort_by_key(|(prefix, _)| prefix.len());
        for (prefix, kind) in blocks {
            let entry = self.entry(AtlasEntry { kind, location: None, source: unnamed, mark: None });
            self.atlas.tries[prefix.family()].paint(prefix, entry);
        }
        let mut overrides = std::mem::take(&mut self.overrides);
        overrides.sort_by_key(|(prefix, _)| prefix.len());
        let Atlas { tries, entries, overridden, .. } = &mut self.atlas;
        overridden.extend(overrides.iter().map(|(prefix, _)| *prefix));
        for (prefix, fact) in overrides {
            tries[prefix.family()].change(prefix, |old| match entries[old as usize].kind {
                Layer::Ordinary => fact.0,
                Layer::Special(n) if SPECIAL[usize::from(n)].prefix().contains(prefix) => fact.0,
                Layer::Special(_) | Layer::Embedding(_) => old,
            });
        }
        self.put_marks(unnamed);
        self.atlas.tries.iter_mut().for_each(Trie::shrink);
        self.atlas
    }

    fn put_marks(&mut self, unnamed: u32) {
        let Self { atlas, by_entry, marks, .. } = self;
        atlas.marks = MarkTable::new(std::mem::take(marks));
        let Atlas { tries, entries, marks, .. } = atlas;
        for (number, Mark { prefix, .. }) in (0..).zip(&marks.0) {
            tries[prefix.family()].change(*prefix, |old| {
                let entry = entries[old as usize];
                let marked = match entry.kind {
                    Layer::Ordinary => AtlasEntry { mark: Some(number), ..entry },
                    Layer::Special(n) if SPECIAL[usize::from(n)].prefix().contains(*prefix) => {
                        AtlasEntry { kind: Layer::Ordinary, location: None, source: unnamed, mark: Some(number) }
                    }
                    Layer::Special(_) | Layer::Embedding(_) => return old,
                };
                keep_entry(entries, by_entry, marked)
            });
        }
    }

    fn location(&mut self, location: Location) -> u32 {
        keep(&mut self.atlas.locations, &mut self.by_location, location)
    }

    fn source(&mut self, name: &str) -> u32 {
        keep_source(&mut self.atlas.sources, &mut self.by_source, name)
    }

    fn entry(&mut self, entry: AtlasEntry) -> u32 {
        keep_entry(&mut self.atlas.entries, &mut self.by_entry, entry)
    }
}

/// `known`, with its empty fields taken from `new`.
fn completed(known: &Location, new: &Location) -> Location {
    Location {
        continent: known.continent.or(new.continent),
        country: known.country.or(new.country),
        subdivision: known.subdivision.clone().or_else(|| new.subdivision.clone()),
        city: known.city.clone().or_else(|| new.city.clone()),
        coordinates: known.coordinates.or(new.coordinates),
        asn: known.asn.or(new.asn),
    }
}

fn keep(locations: &mut Vec<Location>, by_hash: &mut Numbers<u64, u32>, location: Location) -> u32 {
    let next = locations.len() as u32;
    let at = *by_hash.entry(BuildHasherDefault::<DefaultHasher>::default().hash_one(&location)).or_insert(next);
    if at != next && locations[at as usize] == location {
        return at;
    }
    locations.push(location);
    next
}

fn keep_source(sources: &mut Vec<Box<str>>, by_name: &mut Numbers<Box<str>, u32>, name: &str) -> u32 {
    if let Some(&at) = by_name.get(name) {
        return at;
    }
    let at = sources.len() as u32;
    sources.push(name.into());
    by_name.insert(name.into(), at);
    at
}

fn keep_entry(entries: &mut Vec<AtlasEntry>, by_entry: &mut Numbers<AtlasEntry, u32>, entry: AtlasEntry) -> u32 {
    *by_entry.entry(entry).or_insert_with(|| {
        entries.push(entry);
        (entries.len() - 1) as u32
    })
}

impl Atlas {
    /// The same atlas in which further prefixes are named; none where all of them are already.
    #[must_use]
    pub fn marked(&self, prefixes: impl IntoIterator<Item = Prefix>) -> Option<Self> {
        let known = self.marks.0.iter().map(|mark| mark.prefix);
        let further = prefixes.into_iter().filter(|prefix| self.marks.number(*prefix).is_none());
        let marks: Vec<Prefix> = known.chain(further).collect();
        if marks.len() == self.marks.0.len() {
            return None;
        }
        // Entries name marks by number, and the numbers are others now.
        let numbered = MarkTable::new(marks.clone());
        let number = |old: u32| numbered.number(self.marks.get(old)?.prefix);
        let entries: Vec<AtlasEntry> =
            self.entries.iter().map(|entry| AtlasEntry { mark: entry.mark.and_then(number), ..*entry }).collect();
        let mut builder = AtlasBuilder {
            by_entry: entries.iter().copied().zip(0..).collect(),
            by_source: self.sources.iter().cloned().zip(0..).collect(),
            atlas: Self {
                tries: self.tries.clone(),
                entries,
                locations: self.locations.clone(),
                sources: self.sources.clone(),
                marks: MarkTable::default(),
                overridden: self.overridden.clone(),
            },
            by_location: Numbers::default(),
            added: Numbers::default(),
            overrides: Vec::new(),
            marks,
        };
        let unnamed = builder.source("");
        builder.put_marks(unnamed);
        builder.atlas.tries.iter_mut().for_each(Trie::shrink);
        Some(builder.atlas)
    }

    /// What is known of `client`, which is normalised first. Of a client that holds several leaves: the one thing that
    /// is known of most of it, special-purpose blocks counting only where there is nothing else.
    #[must_use]
    pub fn find(&self, client: Prefix) -> Spot<'_> {
        let (client, _) = normalise(client);
        let trie = &self.tries[client.family()];
        let (branch, depth) = trie.walk(trie.root(), 0, client.bits(), client.len());
        match branch {
            Branch::Leaf(entry) => self.spot(entry, client.cut(depth)),
            Branch::Inner(_) => {
                let (entry, leaf) = self.most(client, trie);
                self.spot(entry, leaf)
            }
        }
    }

    /// The entry and the leaf that hold a whole, normalised address, where a location is known of it.
    #[must_use]
    pub fn known_at(&self, address: Prefix) -> Option<(u32, Prefix)> {
        let trie = &self.tries[address.family()];
        match trie.walk(trie.root(), 0, address.bits(), address.len()) {
            (Branch::Leaf(entry), depth) => self.known(entry).map(|_| (entry, address.cut(depth))),
            (Branch::Inner(_), _) => None,
        }
    }

    /// The prefixes that operators name, in overrides, rules, fences and measurements.
    pub(super) fn named(&self) -> impl Iterator<Item = Prefix> {
        self.overridden.iter().copied().chain(self.marks.0.iter().map(|mark| mark.prefix))
    }

    /// All that is known of parts of a normalised `client`, what covers most of it first. Slow: for people.
    pub(super) fn parts(&self, client: Prefix) -> impl Iterator<Item = Spot<'_>> {
        let shares = self.shares(client, &self.tries[client.family()]);
        shares.into_iter().map(|share| self.spot(share.entry, share.first))
    }

    /// Whether the location that is known of a normalised `part` holds for most of a normalised prefix around it, so that
    /// a map cut there answers all of it as this part, whatever else it joins; so it does where no map is cut. Slow: for
    /// people.
    #[must_use]
    pub fn prevails(&self, part: Prefix, around: Prefix) -> bool {
        let location = self.find(part).location;
        let shares = self.shares(around, &self.tries[around.family()]);
        if shares.iter().any(|share| self.kind(share.entry).is_pinned()) {
            return true;
        }
        let alike = |share: &EntryShare| self.known(share.entry) == location;
        let sum =
            |shares: &mut dyn Iterator<Item = &EntryShare>| shares.fold(0_u128, |all, s| all.saturating_add(s.extent));
        let (own, others) =
            (sum(&mut shares.iter().filter(|s| alike(s))), sum(&mut shares.iter().filter(|s| !alike(s))));
        // Of equal parts the ordinary one comes first, then the lowest.
        let lowest = || shares.iter().filter(|s| self.kind(s.entry) == Layer::Ordinary).min_by_key(|s| s.first);
        own > others || own == others && lowest().is_some_and(alike)
    }

    /// Whether most of a normalised prefix is special-purpose space, so that a map cut there says nothing of it. Slow: for
    /// people.
    #[must_use]
    pub fn is_mostly_special(&self, around: Prefix) -> bool {
        let shares = self.shares(around, &self.tries[around.family()]);
        let (ordinary, special): (Vec<_>, Vec<_>) =
            shares.into_iter().partition(|share| self.kind(share.entry) == Layer::Ordinary);
        let special = special.iter().fold(0_u128, |all, share| all.saturating_add(share.extent));
        special > ordinary.iter().map(|share| share.extent).max().unwrap_or(0)
    }

    /// The entry that covers most of `client`, with its first leaf there. Slow: for people.
    fn most(&self, client: Prefix, trie: &Trie) -> (u32, Prefix) {
        self.shares(client, trie).first().map_or((0, client), |share| (share.entry, share.first))
    }

    /// The entries within `client`, what covers most first, special-purpose blocks last.
    fn shares(&self, client: Prefix, trie: &Trie) -> Vec<EntryShare> {
        let mut shares: Vec<EntryShare> = Vec::new();
        let mut position = Numbers::<u32, usize>::default();
        let (bits, len) = (client.bits(), client.len());
        trie.leaves(trie.at(client), bits, len, &mut |entry, bits, depth| {
            let at = *position.entry(entry).or_insert_with(|| {
                shares.push(EntryShare { entry, extent: 0, first: Prefix::from_bits(client.family(), bits, depth) });
                shares.len() - 1
            });
            shares[at].extent = shares[at].extent.saturating_add(extent(depth));
        });
        let ordinary = |entry: u32| self.kind(entry) == Layer::Ordinary;
        shares.sort_by_key(|share| Reverse((ordinary(share.entry), share.extent, Reverse(share.first))));
        shares
    }

    fn spot(&self, entry: u32, leaf: Prefix) -> Spot<'_> {
        let AtlasEntry { kind, source, .. } = self.entries[entry as usize];
        let facts = self.facts(entry);
        Spot {
            location: facts.location,
            facts,
            source: match kind {
                Layer::Ordinary => &self.sources[source as usize],
                Layer::Special(n) => SPECIAL[usize::from(n)].name,
                Layer::Embedding(n) => EMBEDDINGS[usize::from(n)].block.name,
            },
            leaf,
            special: kind != Layer::Ordinary,
        }
    }

    /// How many different things leaves stand for; [`Self::kind`] and [`Self::known`] take a number below it.
    pub(super) fn entries(&self) -> u32 {
        self.entries.len() as u32
    }

    /// What kind of leaf an entry makes.
    pub(super) fn kind(&self, entry: u32) -> Layer {
        self.entries[entry as usize].kind
    }

    /// What clients of an entry are known by. A special-purpose block says nothing.
    #[must_use]
    pub fn facts(&self, entry: u32) -> Facts<'_> {
        let mark = self.entries.get(entry as usize).and_then(|entry| entry.mark);
        Facts { location: self.known(entry), marks: &self.marks, mark }
    }

    /// What a client is known by of which nothing is known.
    #[must_use]
    pub fn unknown(&self) -> Facts<'_> {
        Facts { location: None, marks: &self.marks, mark: None }
    }

    /// The marks.
    pub(super) fn marks(&self) -> &MarkTable {
        &self.marks
    }

    /// The location of an entry.
    pub(super) fn known(&self, entry: u32) -> Option<&Location> {
        self.entries.get(entry as usize)?.location.map(|at| &self.locations[at as usize])
    }

    /// The leaves of one family, whose values are entries.
    pub(super) fn trie(&self, family: Family) -> &Trie {
        &self.tries[family]
    }
}
