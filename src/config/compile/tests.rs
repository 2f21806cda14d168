//! What this part promises, held.

use std::path::Path;

use super::*;
use crate::{
    config::{
        check::{self, MeantEndpoint, MeantPool, MeantService},
        diagnostics::Notes,
        document,
        fault::Sources,
        load, report, spec,
    },
    engine::{
        geo::{Fence, GeoKey, Selector},
        types::RouteId,
        units::{Admission, Permille, Ttl},
        wire::name::Name,
        world::{
            Region,
            policy::{Key, Policy, Spread, Watermarks},
            pool::{Route, Threshold},
            table::{PoolTable, RouteTable},
        },
    },
};

const POOLS: &str = r#"
version = 1
server.identity = "ns1"
regions.c.location = { lat = 0, lon = 0 }
regions.a.location = { lat = 1.00004, lon = -2.5 }
regions.b.location = { lat = 2, lon = 2 }
monitors.one.tcp = { port = 80 }
monitors.two.tcp = { port = 80 }
[pools.z]
monitor = "one"
policy = "weighted"
endpoints.b = { region = "b", address = ["192.0.2.2", "2001:db8::2"] }
endpoints.a = { region = "a", address = "192.0.2.1", weight = 7 }
[pools.m]
monitor = "one"
endpoints.y = { region = "a", address = "192.0.2.2" }
endpoints.x = { region = "c", address = "192.0.2.3" }
endpoints.w = { region = "b", address = "192.0.2.4", weight = 0 }
[pools.n]
monitor = "two"
policy = "random"
endpoints.x = { region = "c", address = "192.0.2.2" }
"#;

fn world(text: &str) -> Draft {
    world_in(tempfile::tempdir().expect("folder").path(), text)
}

fn world_in(folder: &Path, text: &str) -> Draft {
    let path = folder.join("meridian.toml");
    std::fs::write(&path, text).expect("written");
    let (mut sources, mut faults) = (Sources::default(), Vec::new());
    let texts = document::gather(&path, &mut Vec::new(), &mut sources, &mut faults);
    let mut document = document::parse(&texts, &mut faults);
    let table = std::mem::take(&mut document.table);
    let mut notes = Notes::new(&document.map, faults);
    let spec = spec::read::read(table, &mut notes);
    let meant = check::check(&spec, None, &mut sources, &mut notes);
    assert!(!notes.has_errors(), "{}", report::text(&notes.into_faults(), &sources, false));
    compile(meant).0
}

fn pool<'w>(world: &'w Draft, name: &str) -> &'w Pool {
    world.pools.iter().find(|pool| &*pool.name == name).expect(name)
}

/// The route through a pool under its own policy.
fn route<'w>(world: &'w Draft, name: &str) -> &'w Route {
    let at = world.pools.iter().position(|pool| &*pool.name == name).expect(name);
    &world.routes[at]
}

#[test]
fn tables_are_in_name_order_and_endpoints_of_a_pool_are_neighbours() {
    let world = world(POOLS);
    let names = |names: Vec<&str>| names.join(" ");
    assert_eq!(names(world.regions.iter().map(|region| &*region.name).collect()), "a b c");
    assert_eq!(names(world.pools.iter().map(|pool| &*pool.name).collect()), "m n z");
    assert_eq!(
        names(world.pools.iter().flat_map(|pool| &pool.endpoints).map(|endpoint| &*endpoint.name).collect()),
        "w x y x a b"
    );
    assert_eq!(world.pools.iter().map(Pool::count).collect::<Vec<_>>(), [3, 1, 2]);
    let location = world.regions[0].point.location.expect("location");
    assert_eq!((location.lat, location.lon), (10_000, -25_000));
}

#[test]
fn one_address_under_one_monitor_is_one_target() {
    let world = world(POOLS);
    let shown = world.targets.iter().map(|t| format!("{} {}", world.monitors[t.monitor.at()].name, t.address()));
    let expected =
        ["one 192.0.2.4", "one 192.0.2.3", "one 192.0.2.2", "two 192.0.2.2", "one 192.0.2.1", "one 2001:db8::2"];
    assert_eq!(shown.collect::<Vec<_>>(), expected);
    // m/y and z/b share an address and a monitor, n/x has another monitor.
    let endpoints: Vec<&Endpoint> = world.pools.iter().flat_map(|pool| &pool.endpoints).collect();
    let targets = |at: usize| endpoints[at].targets;
    assert_eq!(targets(2).v4, targets(5).v4);
    assert_ne!(targets(2).v4, targets(3).v4);
    assert_eq!(targets(2).v6, None);
}

#[test]
fn a_map_is_made_for_who_asks() {
    let world = world(POOLS);
    assert_eq!(route(&world, "n").map, None, "random asks neither for the location nor for the block");
    assert_ne!(route(&world, "m").map, route(&world, "z").map);
    assert_eq!(world.rules.len(), 2);
    // m's map knows regions a and c: b has weight 0 there. Bits are counted from the pool's first endpoint, w.
    let rule = &world.rules[route(&world, "m").map.expect("a map").at()];
    assert_eq!(rule.regions, [RegionId(0), RegionId(2)]);
    let m = RouteTable::new(&pool(&world, "m").endpoints, Some(rule));
    let table = |name: &str| PoolTable::new(&pool(&world, name).endpoints, &["a", "b", "c"]);
    assert_eq!([m.in_rule_regions(u64::MAX, 0b01), m.in_rule_regions(u64::MAX, 0b10)], [0b100, 0b010]);
    let sets = |name: &str| table(name).places().iter().map(|place| place.endpoints).collect::<Vec<_>>();
    assert_eq!((sets("z"), sets("n")), (vec![0b01, 0b10], vec![0b1]));
}

fn meant(policy: Policy, endpoints: &[(usize, u32, u32)]) -> MeantPool {
    let endpoint = |(at, (region, weight, order)): (usize, &(usize, u32, u32))| MeantEndpoint {
        name: format!("e{at}"),
        region: *region,
        v4: None,
        v6: None,
        weight: *weight,
        order: *order,
        ..MeantEndpoint::default()
    };
    let endpoints = endpoints.iter().enumerate().map(endpoint).collect();
    MeantPool {
        name: "p".into(),
        monitor: None,
        load: None,
        policy,
        endpoints,
        min_healthy: Threshold::Count(1),
        panic: Threshold::Share(Permille(0)),
        fence: Fence::default(),
    }
}

fn made_of(pool: &MeantPool, regions: &[Region]) -> Option<Rule> {
    rule::rule(pool, &pool.policy, regions)
}

fn policy(prefer: &[(Key, u32)], spread: Spread) -> Policy {
    Policy { name: "p".into(), prefer: prefer.to_vec(), spread, answers: 1, depth: 3, ..Policy::default() }
}

#[test]
fn groups_are_who_can_meet_behind_the_order() {
    let endpoints = [(5, 1, 0), (3, 1, 0), (3, 1, 1), (9, 0, 1), (7, 1, 1)];
    let made = |prefer: &[(Key, u32)]| made_of(&meant(policy(prefer, Spread::Hash), &endpoints), &[]).expect("a rule");
    let behind = made(&[(Key::Order, 0), (Key::Rtt, 100)]);
    assert_eq!(behind.regions, [RegionId(3), RegionId(5), RegionId(7)]);
    assert_eq!(behind.groups, [0b011, 0b101]);
    assert_eq!(behind.keys, [(GeoKey::Rtt, 100)]);
    let before = made(&[(Key::Rtt, 100), (Key::Order, 0), (Key::Distance, 5)]);
    assert_eq!(before.groups, [0b111]);
    assert_eq!(before.keys, [(GeoKey::Rtt, 100), (GeoKey::Distance, 5)]);
    assert_eq!(before.depth, 3);
    assert_eq!(made(&[(Key::Order, 0)]), Rule::default());
    assert_eq!(made_of(&meant(policy(&[(Key::Order, 0)], Spread::All), &endpoints), &[]), None);
}

#[test]
fn a_map_knows_the_fences_of_those_who_can_be_chosen() {
    let only = |country: &[u8; 2]| Fence { only: vec![Selector::Country(*country)], never: Vec::new() };
    let mut pool = meant(policy(&[(Key::Rtt, 0)], Spread::Hash), &[(0, 1, 0), (0, 1, 0), (1, 1, 0), (1, 0, 0)]);
    pool.fence = only(b"DE");
    pool.endpoints[1].fence = only(b"FR");
    pool.endpoints[3].fence = only(b"SE");
    let regions = [Region::default(), Region { fence: only(b"DE"), ..Region::default() }];
    let made = made_of(&pool, &regions).expect("a rule");
    assert_eq!(made.fences, [only(b"DE"), only(b"FR")], "each once, and none of an endpoint that is never chosen");
    assert_eq!(made.behind, [vec![0b01, 0b11], vec![0b01]]);
    assert_eq!(pool.fences_of(&pool.endpoints[3], &regions), [only(b"DE"), only(b"SE")]);

    let mut pool = meant(policy(&[], Spread::Random), &[(0, 1, 0), (1, 1, 0)]);
    assert_eq!(made_of(&pool, &[]), None);
    pool.endpoints[1].fence = only(b"FR");
    let made = made_of(&pool, &[]).expect("a map when only a fence asks");
    assert_eq!((&*made.behind, made.keys), (&[vec![0], vec![1]][..], Vec::new()));
}

#[test]
fn the_cut_is_the_finest_that_a_pool_with_a_choice_wants() {
    let cut = |pools: &[MeantPool]| {
        let compiled = pools.iter().map(|_| Route { map: Some(MapId(7)), ..Route::default() });
        let service = MeantService {
            answers: Service::new(Name::from_text("WWW.example.com").expect("name")),
            pools: (0..pools.len()).collect(),
            policy: None,
            canary: None,
            affinity: None,
            fence: Fence::default(),
            direct: Vec::new(),
            second: None,
        };
        let compiled: Vec<Route> = compiled.collect();
        let steered = Steered { meant: pools, variants: &[], routes: &compiled, block: PerFamily::new(16, 32) };
        let service = service::all(&service, None, &steered).remove(0);
        assert_eq!(service.maps, [MapId(7)], "each map once");
        assert_eq!(&*service.affinity, b"\x03www\x07example\x03com\0");
        service.cut
    };
    let sticky = |v4, v6| Policy { sticky: Some(PerFamily::new(v4, v6)), ..policy(&[], Spread::Hash) };
    let two = [(0, 1, 0), (1, 1, 0)];
    assert_eq!(cut(&[meant(policy(&[], Spread::Weighted), &two)]), Some(PerFamily::new(16, 32)));
    assert_eq!(cut(&[meant(sticky(20, 56), &two), meant(sticky(24, 40), &two)]), Some(PerFamily::new(24, 56)));
    assert_eq!(cut(&[meant(policy(&[], Spread::Random), &two)]), None);
    let shed =
        Policy { shed: Some(Watermarks { low: Permille(700), high: Permille(950) }), ..policy(&[], Spread::Random) };
    assert_eq!(cut(&[meant(shed.clone(), &two)]), Some(PerFamily::new(16, 32)), "admission goes by block");
    assert_eq!(cut(&[meant(shed.clone(), &two[..1])]), None, "nowhere to move on to");
    assert_eq!(
        cut(&[meant(shed, &two[..1]), meant(policy(&[], Spread::Random), &two[..1])]),
        Some(PerFamily::new(16, 32))
    );
    assert_eq!(cut(&[meant(policy(&[], Spread::Hash), &[(0, 1, 0), (1, 0, 0)])]), None, "nothing to choose from");
}

#[test]
fn the_example_compiles_to_what_it_says() {
    let world = load(Path::new("zones/example.toml")).config.expect("the example is without fault").draft;
    let order = |pool: &Pool| -> Vec<(String, u32)> {
        pool.endpoints.iter().map(|endpoint| (endpoint.name.to_string(), endpoint.order)).collect()
    };
    assert_eq!(order(pool(&world, "spare")), [("eu-9".to_owned(), 0), ("us-9".to_owned(), 1)]);
    assert_eq!(order(pool(&world, "api")).iter().map(|(_, order)| *order).collect::<Vec<_>>(), [2, 1, 1]);
    let near = &world.policies[route(&world, "web").policy.at()];
    assert_eq!((&*near.name, near.prefer.as_slice(), near.spread), ("near", &[(Key::Rtt, 150)][..], Spread::Hash));
    let home = &world.policies[route(&world, "api").policy.at()];
    assert_eq!(home.prefer, [(Key::Order, 0), (Key::Distance, 200)]);
    assert_eq!(home.sticky, Some(PerFamily::new(24, 48)));
    let www = world.services.iter().find(|service| service.name.to_string() == "www.gslb.example.com.").expect("www");
    assert_eq!((www.ttl_max, www.ttl_min, www.cut), (Ttl(30), Ttl(5), Some(PerFamily::new(16, 32))));
    assert_eq!(www.routes.len(), 2);
    assert_eq!(world.ecs_from.len(), 2);
}

#[test]
fn a_service_brings_its_own_policy_its_canary_its_gate_and_its_names() {
    let services = r#"
[zones."example.com"]
file = "example.com.zone"
[services."www.example.com"]
pools  = ["m", "n"]
policy = "latency"
canary = { pool = "z", share = "12.5%" }
fence  = { only = ["country:DE"] }
when_fenced = "refused"
direct = true
second = "next.example.com"
affinity = "shop"
"#;
    let folder = tempfile::tempdir().expect("folder");
    let zone = "@ 60 SOA ns1 host 1 1 1 1 1\n@ 60 NS ns1\nns1 60 A 192.0.2.53\n";
    std::fs::write(folder.path().join("example.com.zone"), zone).expect("written");
    let world = world_in(folder.path(), &format!("{POOLS}{services}"));
    let names: Vec<String> = world.services.iter().map(|service| service.name.to_string()).collect();
    assert_eq!(
        names,
        ["next.example.com.", "www.example.com.", "a.www.example.com.", "b.www.example.com.", "c.www.example.com."][..]
            .iter()
            .filter(|name| !name.starts_with("b."))
            .map(ToString::to_string)
            .collect::<Vec<_>>(),
        "in canonical order; b has nobody who can be chosen"
    );
    let [next, www, a, c] = &world.services[..] else { panic!("four services") };
    assert!(next.second && !www.second && next.only_region.is_none());
    assert_eq!([a.only_region, c.only_region], [Some(RegionId(0)), Some(RegionId(2))]);
    assert!(world.services.iter().all(|service| *service.affinity == *b"shop" && service.routes == www.routes));
    // The routes through m, n and z under the service's policy stand behind those under their own.
    let leads = |id: &RouteId| {
        let route = &world.routes[id.at()];
        (id.0, route.pool.0, &*world.policies[route.policy.at()].name)
    };
    assert_eq!(www.routes.iter().map(leads).collect::<Vec<_>>(), [(3, 0, "latency"), (4, 1, "latency")]);
    let canary = www.canary.expect("a canary");
    assert_eq!((leads(&canary.route), canary.share), ((5, 2, "latency"), Admission::parts(1, 8)));
    assert_eq!(world.pools.len(), 3, "a pool stands there once");
    assert_eq!(www.cut, Some(PerFamily::new(16, 32)), "a canary's share is one of blocks");
    let gate = &world.rules[www.gate.expect("a gate").at()];
    assert_eq!((gate.fences.len(), gate.regions.len()), (1, 0));
    assert_eq!(www.maps.len(), 4, "three pools' maps and the gate");
}
