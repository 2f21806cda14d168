//! Every key of configuration version 1 and whether this release has it: unknown keys and those that are still to come
//! are told and taken out here, before anything looks at values. Must not know what values mean.

use std::{collections::BTreeMap, sync::LazyLock};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::diagnostics::{Notes, dotted, join, nearest};

/// Whether this release has a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// It does.
    Now,
    /// It comes with this piece of work.
    Later(&'static str),
}

use Mark::{Later, Now};

pub(crate) const CONTROL: Mark = Later("the control plane");
pub(crate) const PROTOCOL: Mark = Later("protocol and transports");
pub(crate) const DNSSEC: Mark = Later("DNSSEC");
pub(crate) const SPEED: Mark = Later("speed");
pub(crate) const CLUSTER: Mark = Later("the cluster");

/// Keys by path; `*` stands for a name of the operator's, `{a b}` for several keys of one table.
const KEYS: &[(&str, Mark)] = &[
    ("{version include}", Now),
    ("server.{listen identity state_dir secret_file workers startup_wait rotate}", Now),
    ("server.{allow_query proxy_from}", PROTOCOL),
    ("server.udp.{max_size receive_buffer batch}", Now),
    ("server.udp.backend", SPEED),
    ("server.tcp.{connections per_client idle message}", Now),
    ("acls.*", Now),
    ("groups.*", Now),
    ("ecs.from", Now),
    ("ecs.{block.v4 block.v6 widest.v4 widest.v6 finest.v4 finest.v6 reflect.name reflect.allow}", Now),
    ("geo.{databases overrides resolvers default max_shrink}", Now),
    ("geo.poll", CONTROL),
    ("latency.{files min_samples max_age max_prefixes refresh}", Now),
    ("latency.switch.{ms percent hold}", Now),
    ("latency.model.{km_per_ms base}", Now),
    ("regions.*.location.{lat lon}", Now),
    ("regions.*.{bias capacity demand}", Now),
    ("regions.*.fence.{only never}", Now),
    (
        "defaults.monitor.{interval timeout recheck fall rise clear hold failback flap.suppress flap.reuse flap.half_life source}",
        Now,
    ),
    ("defaults.service.{policy families ecs ttl.max ttl.min}", Now),
    ("defaults.service.when_all_down.{address cname}", Now),
    ("defaults.service.when_fenced.{address cname}", Now),
    ("monitors.*.{interval timeout fall rise recheck}", Now),
    ("monitors.*.{clear hold failback source}", Now),
    ("monitors.*.flap.{suppress reuse half_life}", Now),
    ("monitors.*.quorum", CLUSTER),
    ("monitors.*.http.{port path method host headers.* status version redirects}", Now),
    ("monitors.*.http.body.{contains matches max}", Now),
    ("monitors.*.http.json.{path equals at_least at_most}", Now),
    ("monitors.*.https.{port path method host headers.* status version redirects sni verify ca_file}", Now),
    ("monitors.*.https.expiry.{warn fail}", Now),
    ("monitors.*.https.body.{contains matches max}", Now),
    ("monitors.*.https.json.{path equals at_least at_most}", Now),
    ("monitors.*.tcp.{port send expect}", Now),
    ("monitors.*.tls.{port sni verify ca_file expiry.warn expiry.fail}", Now),
    ("monitors.*.grpc.{port service tls sni verify ca_file expiry.warn expiry.fail}", Now),
    ("monitors.*.dns.{port name type expect}", Now),
    ("monitors.*.{icmp any all}", Now),
    ("monitors.*.exec.command", Now),
    ("monitors.*.file.path", Now),
    ("monitors.*.at_least.{n of}", Now),
    ("health.governor.{max_regions window release}", Now),
    ("health.{canaries restore_age allow_targets}", Now),
    ("health.rate.{total per_target}", Now),
    ("loads.*.{interval max_age smooth of push}", Now),
    ("loads.*.haproxy.{port path backend server field}", Now),
    ("loads.*.haproxy_agent.port", Now),
    ("loads.*.nginx.{port path field}", Now),
    ("loads.*.prometheus.{port path metric labels.* per}", Now),
    ("loads.*.json.{port path pointer}", Now),
    ("loads.*.exec.command", Now),
    ("policies.*.{extends prefer spread answers depth distinct slow_start}", Now),
    ("policies.*.tolerance.{rtt distance load response}", Now),
    ("policies.*.limit.{rtt distance}", Now),
    ("policies.*.sticky.{v4 v6}", Now),
    ("policies.*.shed.{low high}", Now),
    ("policies.*.geo.{default continent.* country.* subdivision.* asn.* net.* group.*}", Now),
    ("pools.*.{monitor load policy order min_healthy panic}", Now),
    ("pools.*.fence.{only never}", Now),
    ("pools.*.endpoints.*.{region address cname weight tier group capacity}", Now),
    ("pools.*.endpoints.*.fence.{only never}", Now),
    ("pools.*.endpoints.*.probe.{address port}", Now),
    ("services.*.{pools policy families affinity ecs direct second objective}", Now),
    ("services.*.ttl.{max min}", Now),
    ("services.*.when_all_down.{address cname}", Now),
    ("services.*.when_fenced.{address cname}", Now),
    ("services.*.canary.{pool share}", Now),
    ("services.*.https.{alpn port hints}", Now),
    ("services.*.fence.{only never}", Now),
    ("services.*.transfer", PROTOCOL),
    ("{tls transports tsig}", PROTOCOL),
    ("zones.*.file", Now),
    ("zones.*.{allow_transfer notify update primaries limits}", PROTOCOL),
    ("zones.*.dnssec", DNSSEC),
    ("dnssec", DNSSEC),
    ("{rate_limit cookies}", PROTOCOL),
    ("{admin metrics query_log dnstap journal debug_names}", CONTROL),
    ("log.{level format}", Now),
    ("hooks.*.{on timeout rate}", Now),
    ("hooks.*.http.{url headers.* ca_file}", Now),
    ("hooks.*.exec.command", Now),
    ("cluster", CLUSTER),
];

#[derive(Debug, Default)]
struct SchemaNode {
    mark: Option<Mark>,
    keys: BTreeMap<&'static str, SchemaNode>,
}

static ROOT: LazyLock<SchemaNode> = LazyLock::new(|| {
    let mut root = SchemaNode::default();
    for (path, mark) in KEYS {
        let (before, names) = match path.split_once('{') {
            Some((before, names)) => (before.trim_end_matches('.'), names.trim_end_matches('}')),
            None => path.rsplit_once('.').unwrap_or(("", path)),
        };
        for name in names.split(' ') {
            let mut node = &mut root;
            for part in before.split('.').chain(name.split('.')).filter(|part| !part.is_empty()) {
                node = node.keys.entry(part).or_default();
            }
            node.mark = Some(*mark);
        }
    }
    root
});

impl SchemaNode {
    fn child(&self, key: &str) -> Option<&Self> {
        self.keys.get(key).or_else(|| self.keys.get("*"))
    }

    /// The keys that this release has here.
    fn present(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.keys.iter().filter(|(_, node)| !matches!(node.mark, Some(Later(_)))).map(|(key, _)| *key)
    }
}

/// The keys that this release has in the table at a path.
pub(crate) fn keys_of(path: &[String]) -> Vec<&'static str> {
    let node = path.iter().try_fold(&*ROOT, |node, part| node.child(part));
    node.map(|node| node.present().filter(|key| *key != "*").collect()).unwrap_or_default()
}

/// Tells and takes out every key that version 1 does not have, and every one that this release does not.
pub(crate) fn prune(table: &mut DeTable<'_>, notes: &mut Notes<'_>) {
    for top in ["services", "zones"] {
        if let (Some(node), Some(DeValue::Table(names))) =
            (ROOT.child(top).and_then(|node| node.child("")), table.get_mut(top).map(Spanned::get_mut))
        {
            unquoted(top, names, node, notes);
        }
    }
    walk(table, &ROOT, &mut Vec::new(), notes);
}

/// Tells and takes out names whose dots TOML has read as tables in tables.
fn unquoted(top: &str, names: &mut DeTable<'_>, node: &SchemaNode, notes: &mut Notes<'_>) {
    fn leaves(name: &str, key: &std::ops::Range<usize>, table: &DeTable<'_>, node: &SchemaNode, found: &mut Vec<Leaf>) {
        let mut is_leaf = table.is_empty();
        for (key, value) in table.iter() {
            match value.get_ref() {
                DeValue::Table(inner) if node.child(key.get_ref()).is_none() => {
                    leaves(&format!("{name}.{}", key.get_ref()), &key.span(), inner, node, found);
                }
                _ => is_leaf = true,
            }
        }
        if is_leaf {
            found.push((name.to_owned(), key.clone()));
        }
    }
    let mut split = Vec::new();
    for (key, value) in names.iter() {
        let DeValue::Table(table) = value.get_ref() else { continue };
        let inside =
            |(key, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| value.get_ref().is_table() && missing(node, key);
        if !table.is_empty() && !key.get_ref().contains('.') && table.iter().all(inside) {
            let mut found = Vec::new();
            leaves(key.get_ref(), &key.span(), table, node, &mut found);
            split.push((key.get_ref().to_string(), found));
        }
    }
    for (first, found) in split {
        for (name, span) in found {
            let message = format!("`{top}.{name}` is a table in a table");
            let fault = notes.error(span, message, "its dots divide the name");
            notes.push(fault.remedy(format!("quote the name: [{top}.\"{name}\"]")));
        }
        names.remove(first.as_str());
        notes.wound(&[top]);
    }
}

/// A name that was meant, and the last key of it.
type Leaf = (String, std::ops::Range<usize>);

fn missing(node: &SchemaNode, key: &Spanned<std::borrow::Cow<'_, str>>) -> bool {
    node.child(key.get_ref()).is_none()
}

/// A fault for something of version 1 that is still to come.
pub(crate) fn not_yet(notes: &Notes<'_>, span: std::ops::Range<usize>, what: &str, mark: Mark) -> super::fault::Fault {
    let work = if let Later(work) = mark { work } else { "a later release" };
    notes
        .error(span, format!("{what} is not supported yet"), format!("part of version 1: comes with {work}"))
        .remedy("take it out for now")
}

fn walk(table: &mut DeTable<'_>, node: &SchemaNode, path: &mut Vec<String>, notes: &mut Notes<'_>) {
    let mut out = Vec::new();
    let absent = node.keys.iter().filter(|(key, node)| node.keys.contains_key("*") && !table.contains_key(**key));
    let absent: Vec<&str> = absent.map(|(key, _)| *key).collect();
    for (key, value) in table.iter() {
        let name = key.get_ref().as_ref();
        match node.child(name) {
            // A name of the operator's may as well be a key of another table.
            _ if !node.keys.contains_key(name) && notes.is_doubtful(key.span().start) => out.push(name.to_owned()),
            None => {
                let inner = names_in(value.get_ref());
                // A table of tables stands for the one that is missing here, whatever it is called.
                let only = absent.first().filter(|_| absent.len() == 1 && !inner.is_empty()).copied();
                let meant = nearest(name, node.keys.keys().copied()).or(only);
                let fault = unknown(key, meant, node, path, notes);
                notes.push(fault);
                out.push(name.to_owned());
                // Then what was meant may have been written, and the names in a table of it.
                let is_table = value.get_ref().is_table() && path.is_empty();
                let others = absent.iter().copied().filter(|_| is_table || !inner.is_empty());
                for key in meant.into_iter().chain(others) {
                    let path: Vec<&str> = path.iter().map(String::as_str).chain([key]).collect();
                    notes.wound(&path);
                }
                let own = name.split('.').filter(|_| is_table).map(str::to_owned);
                for name in inner.into_iter().chain(own) {
                    notes.displace(&name);
                }
            }
            Some(SchemaNode { mark: Some(mark @ Later(_)), .. }) => {
                let span = if value.get_ref().is_table() { key.span() } else { key.span().start..value.span().end };
                // A header's key and its value lie apart; the key alone says it.
                let span = if span.start < span.end && span.end - span.start < 200 { span } else { key.span() };
                let fault = not_yet(notes, span, &format!("`{}`", dotted(&shown(path), name)), *mark);
                notes.push(fault);
                out.push(name.to_owned());
            }
            Some(_) => {}
        }
    }
    for key in out {
        table.remove(key.as_str());
        let mut whole: Vec<&str> = path.iter().map(String::as_str).collect();
        whole.push(&key);
        notes.wound(&whole);
    }
    for (key, value) in table.iter_mut() {
        if let (Some(child), DeValue::Table(inner)) = (node.child(key.get_ref()), value.get_mut())
            && !child.keys.is_empty()
        {
            path.push(key.get_ref().to_string());
            walk(inner, child, path, notes);
            path.pop();
        }
    }
}

/// The names of the tables in a table or a list of tables.
fn names_in(value: &DeValue<'_>) -> Vec<String> {
    let name = |table: &DeTable<'_>| {
        let name = ["name", "id"].into_iter().find_map(|key| table.get(key)?.get_ref().as_str());
        name.map(str::to_owned)
    };
    match value {
        DeValue::Table(table) => {
            let inner = table.iter().filter(|(_, value)| value.get_ref().is_table());
            let names = inner.map(|(key, value)| [vec![key.get_ref().to_string()], names_in(value.get_ref())].concat());
            names.flatten().collect()
        }
        DeValue::Array(items) => items.iter().filter_map(|item| name(item.get_ref().as_table()?)).collect(),
        _ => Vec::new(),
    }
}

fn shown(path: &[String]) -> String {
    join(&path.iter().map(String::as_str).collect::<Vec<_>>())
}

fn unknown(
    key: &Spanned<std::borrow::Cow<'_, str>>,
    meant: Option<&str>,
    node: &SchemaNode,
    path: &[String],
    notes: &Notes<'_>,
) -> super::fault::Fault {
    let name = key.get_ref().as_ref();
    let place = if path.is_empty() { "version 1".to_owned() } else { format!("`{}`", shown(path)) };
    let fault = notes.error(
        key.span(),
        format!("unknown key `{}`", dotted(&shown(path), name)),
        format!("{place} has no such key"),
    );
    if let Some((first, rest)) = name.split_once('.').filter(|(first, _)| node.keys.contains_key(first)) {
        // Names of the DNS hold dots of their own.
        let meant = if path.is_empty() && matches!(first, "services" | "zones") {
            format!("{first}.{rest:?}")
        } else {
            dotted_parts(&shown(path), name)
        };
        let label = "the quotes make one key of all its parts";
        return super::fault::Fault { label: label.to_owned(), ..fault }.remedy(format!("write `[{meant}]`"));
    }
    if let Some(meant) = meant {
        return fault.remedy(format!("did you mean `{meant}`?"));
    }
    if path.is_empty() && name.contains('.') {
        return fault.remedy(format!("write `[services.{name:?}]` for a service, `[zones.{name:?}]` for a zone"));
    }
    let homes = homes(name);
    if !homes.is_empty() {
        return fault.remedy(format!("it belongs in {}", homes.join(" or ")));
    }
    let keys: Vec<String> = node.present().map(|key| format!("`{key}`")).collect();
    if keys.is_empty() { fault } else { fault.remedy(format!("{place} has {}", keys.join(", "))) }
}

/// A path with each part of a name behind it.
fn dotted_parts(path: &str, name: &str) -> String {
    name.split('.').fold(path.to_owned(), |path, part| dotted(&path, part))
}

/// The tables that have this key, of those that this release has.
fn homes(name: &str) -> Vec<String> {
    fn seek(node: &SchemaNode, path: &str, name: &str, found: &mut Vec<String>) {
        for (key, child) in &node.keys {
            if *key == name && !path.is_empty() && !matches!(child.mark, Some(Later(_))) {
                found.push(format!("`[{path}]`"));
            }
            let key = if *key == "*" { "NAME" } else { key };
            let path = if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
            seek(child, &path, name, found);
        }
    }
    let mut found = Vec::new();
    seek(&ROOT, "", name, &mut found);
    found.truncate(3);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_leads_to_its_mark() {
        let mark = |path: &str| {
            let mut node = &*ROOT;
            for part in path.split('.') {
                node = node.child(part).expect(path);
            }
            node.mark
        };
        assert_eq!(mark("monitors.lb.http.headers.x-probe"), Some(Now));
        assert_eq!(mark("services.www.transfer"), Some(PROTOCOL));
        assert_eq!(mark("pools.web.endpoints.eu-1.weight"), Some(Now));
        assert_eq!(mark("admin"), Some(CONTROL));
        assert_eq!(mark("version"), Some(Now));
        assert_eq!(mark("regions"), None);
    }

    /// The faults of a file that sets one key, to a value that no key takes.
    fn faults(path: &str) -> Vec<String> {
        let folder = tempfile::tempdir().expect("folder");
        let file = folder.path().join("meridian.toml");
        std::fs::write(&file, format!("{path} = 1979-05-27\n")).expect("written");
        let (mut sources, mut faults) = (crate::config::fault::Sources::default(), Vec::new());
        let texts = crate::config::document::gather(&file, &mut Vec::new(), &mut sources, &mut faults);
        let mut document = crate::config::document::parse(&texts, &mut faults);
        let table = std::mem::take(&mut document.table);
        let mut notes = Notes::new(&document.map, faults);
        crate::config::spec::read::read(table, &mut notes);
        notes.into_faults().into_iter().map(|fault| fault.message).collect()
    }

    #[test]
    fn the_spec_has_every_key_that_is_marked_so_and_no_other() {
        fn visit(node: &SchemaNode, path: &str) {
            for (key, child) in &node.keys {
                let key = if *key == "*" { "n" } else { key };
                let path = if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
                let expected = match child.mark {
                    Some(Later(_)) => Some(format!("`{path}` is not supported yet")),
                    // Read before all others, to find the files.
                    Some(Now) if path == "include" => None,
                    Some(Now) => Some(format!("`{path}` has the wrong type")),
                    None => None,
                };
                if let Some(expected) = expected {
                    assert_eq!(faults(&path), [expected]);
                }
                visit(child, &path);
            }
        }
        visit(&ROOT, "");
    }

    #[test]
    fn a_key_in_the_wrong_table_is_sent_home() {
        assert_eq!(homes("weight"), ["`[pools.NAME.endpoints.NAME]`"]);
        assert_eq!(homes("colour"), Vec::<String>::new());
    }
}
