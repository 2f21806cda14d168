//! Random services: regions, clients, pools and policies, and the configuration that says so.

use std::fmt::Write;

use proptest::prelude::*;

use super::lab::CITIES;

/// The world that clients are in: overrides inside 20.0.0.0/16 (256 blocks of /24), 2a00:100::/48 (256 of /56) and
/// 10.0.0.0/8.
#[derive(Clone, Debug)]
pub struct Plan {
    /// For each region its city, or none.
    pub regions: Vec<Option<usize>>,
    /// (which space, length beyond its own, place in it, city, or a country where there is none).
    pub overrides: Vec<(u8, u8, u8, Option<usize>)>,
    pub pools: Vec<PoolPlan>,
    /// Which of [`ALL_DOWN`].
    pub all_down: usize,
}

#[derive(Clone, Debug)]
pub struct PoolPlan {
    pub prefer: &'static str,
    pub rtt_ms: u32,
    pub distance_km: u32,
    pub spread: &'static str,
    /// Longer blocks than the usual.
    pub sticky: bool,
    pub answers: u8,
    pub endpoints: Vec<EndpointPlan>,
}

#[derive(Clone, Debug)]
pub struct EndpointPlan {
    pub region: usize,
    pub weight: u32,
    pub tier: u32,
    /// IPv4, IPv6.
    pub families: [bool; 2],
    /// Which of [`FENCES`].
    pub fence: usize,
}

/// Scope an endpoint is open to; the first is everybody.
pub const FENCES: [&str; 6] = [
    "",
    "",
    "only = [\"country:US\", \"net:2a00:100::/50\"]",
    "never = [\"net:20.0.64.0/19\", \"net:20.0.72.0/23\"]",
    "only = [\"net:20.0.0.0/17\", \"unknown\"]",
    "never = [\"country:US\", \"net:2a00:100:0:4000::/52\"]",
];

pub const ALL_DOWN: [&str; 5] = [
    "\"ignore-health\"",
    "\"serve-all\"",
    "\"nodata\"",
    "\"servfail\"",
    "{ address = [\"203.0.113.99\", \"2001:db8:ffff::99\"] }",
];

impl Plan {
    /// The configuration, and the overrides that it names.
    pub fn text(&self) -> (String, String) {
        let mut text = String::from("[geo]\noverrides = \"o.csv\"\n[monitors.m]\ntcp = { port = 80 }\n");
        for (n, city) in self.regions.iter().enumerate() {
            let _ = writeln!(text, "[regions.r{n}]");
            if let Some((_, lat, lon)) = city.map(|at| CITIES[at]) {
                let _ = writeln!(text, "location = {{ lat = {lat:.2}, lon = {lon:.2} }}");
            }
        }
        let mut host = 0;
        for (n, pool) in self.pools.iter().enumerate() {
            pool.write(n, &mut host, &mut text);
        }
        let pools: Vec<String> = (0..self.pools.len()).map(|n| format!("\"p{n}\"")).collect();
        let _ = writeln!(
            text,
            "[services.\"www.g.test\"]\npools = [{}]\nttl = {{ max = \"30s\", min = \"5s\" }}\nwhen_all_down = {}",
            pools.join(", "),
            ALL_DOWN[self.all_down]
        );
        if self.pools.iter().flat_map(|pool| &pool.endpoints).any(|endpoint| !FENCES[endpoint.fence].is_empty()) {
            text.push_str("when_fenced = \"refused\"\n");
        }
        (text, self.overrides())
    }

    fn overrides(&self) -> String {
        let mut text = String::from("prefix,continent,country,subdivision,city,lat,lon,asn\n");
        let mut seen = Vec::new();
        for (space, len, at, city) in &self.overrides {
            let place = u32::from(*at) & !(0xff_u32 >> len);
            let prefix = match space {
                0 => format!("20.0.{place}.0/{}", 16 + len),
                1 => format!("2a00:100:0:{:x}::/{}", place << 8, 48 + len),
                _ => format!("10.{place}.0.0/{}", 8 + len),
            };
            if !seen.contains(&prefix) {
                let _ = match city.map(|at| CITIES[at]) {
                    Some((_, lat, lon)) => writeln!(text, "{prefix},,,,,{lat:.2},{lon:.2},"),
                    None => writeln!(text, "{prefix},NA,US,,,,,"),
                };
                seen.push(prefix);
            }
        }
        text
    }
}

impl PoolPlan {
    fn write(&self, n: usize, host: &mut u32, text: &mut String) {
        let Self { prefer, rtt_ms, distance_km, spread, answers, .. } = self;
        let _ = writeln!(text, "[policies.t{n}]\nprefer = {prefer}\nspread = \"{spread}\"");
        if prefer.contains("rtt") {
            let _ = writeln!(text, "tolerance.rtt = \"{rtt_ms}ms\"");
        }
        if prefer.contains("distance") {
            let _ = writeln!(text, "tolerance.distance = \"{distance_km}km\"");
        }
        if *spread != "all" {
            let _ = writeln!(text, "answers = {answers}");
        }
        if self.sticky && !matches!(*spread, "all" | "random") {
            text.push_str("sticky = { v4 = 20, v6 = 52 }\n");
        }
        let _ = writeln!(text, "[pools.p{n}]\nmonitor = \"m\"\npolicy = \"t{n}\"");
        for (e, endpoint) in self.endpoints.iter().enumerate() {
            *host += 1;
            let addresses: Vec<String> = [format!("\"192.0.2.{host}\""), format!("\"2001:db8::{host:x}\"")]
                .into_iter()
                .zip(endpoint.families)
                .filter_map(|(address, has)| has.then_some(address))
                .collect();
            let EndpointPlan { region, weight, tier, .. } = endpoint;
            let _ = writeln!(
                text,
                "[pools.p{n}.endpoints.e{e}]\nregion = \"r{region}\"\naddress = [{}]\nweight = {weight}",
                addresses.join(", ")
            );
            if prefer.contains("order") {
                let _ = writeln!(text, "tier = {tier}");
            }
            if !FENCES[endpoint.fence].is_empty() {
                let _ = writeln!(text, "fence = {{ {} }}", FENCES[endpoint.fence]);
            }
        }
    }
}

const PREFER: [&str; 7] = [
    "[\"rtt\"]",
    "[\"distance\"]",
    "[\"order\", \"rtt\"]",
    "[\"order\"]",
    "[]",
    "[\"distance\", \"rtt\"]",
    "[\"rtt\", \"order\", \"distance\"]",
];

fn endpoint(regions: usize, families: bool) -> impl Strategy<Value = EndpointPlan> {
    let has = if families { vec![[true, false], [false, true], [true, true]] } else { vec![[true, false]] };
    let weight = prop::sample::select(vec![0_u32, 1, 1, 2, 5]);
    (0..regions, weight, 1..3_u32, prop::sample::select(has))
        .prop_map(|(region, weight, tier, families)| EndpointPlan { region, weight, tier, families, fence: 0 })
}

fn pool(regions: usize, whole: bool, most: usize) -> impl Strategy<Value = PoolPlan> {
    let prefer = prop::sample::select(PREFER[..if whole { 7 } else { 5 }].to_vec());
    let spreads = if whole { vec!["hash", "weighted", "round-robin", "random", "all"] } else { vec!["all"] };
    let numbers =
        (prop::sample::select(vec![0_u32, 5, 100, 1000]), prop::sample::select(vec![0_u32, 500, 20_000]), 1..=3_u8);
    let endpoints = prop::collection::vec(endpoint(regions, whole), 1..=most);
    (prefer, numbers, prop::sample::select(spreads), any::<bool>(), endpoints).prop_map(
        |(prefer, (rtt_ms, distance_km, answers), spread, sticky, mut endpoints)| {
            endpoints[0].weight = endpoints[0].weight.max(1);
            PoolPlan { prefer, rtt_ms, distance_km, spread, sticky, answers, endpoints }
        },
    )
}

fn city() -> impl Strategy<Value = Option<usize>> {
    prop_oneof![5 => (0..CITIES.len()).prop_map(Some), 1 => Just(None)]
}

/// `whole`: every key, spread and family; else only what a client's catchment alone decides, in at most six endpoints
/// of IPv4, so that all health states can be tried.
pub fn plan(whole: bool) -> impl Strategy<Value = Plan> {
    let place = || (prop_oneof![3 => Just(0_u8), 2 => Just(1), 1 => Just(2)], 0..=8_u8, any::<u8>(), city());
    let (pools, most) = if whole { (3, 4) } else { (2, 3) };
    (1..=5_usize).prop_flat_map(move |regions| {
        (
            prop::collection::vec(city(), regions),
            prop::collection::vec(place(), 0..14),
            prop::collection::vec(pool(regions, whole, most), 1..=pools),
            0..ALL_DOWN.len(),
        )
            .prop_map(|(regions, overrides, pools, all_down)| Plan { regions, overrides, pools, all_down })
    })
}

/// Every key, spread and family, and fences.
pub fn fenced() -> impl Strategy<Value = Plan> {
    (plan(true), prop::collection::vec(0..FENCES.len(), 12)).prop_map(|(mut plan, fences)| {
        let endpoints = plan.pools.iter_mut().flat_map(|pool| &mut pool.endpoints);
        endpoints.zip(fences).for_each(|(endpoint, fence)| endpoint.fence = fence);
        plan
    })
}

/// What is known of each target: nothing, up, down, falling, rising, no route.
pub fn healths() -> impl Strategy<Value = Vec<&'static str>> {
    prop::collection::vec(prop::sample::select(vec!["", "g", "g", "b", "gb", "bg", "n", "b"]), 24)
}
