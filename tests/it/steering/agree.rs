//! Same client, same region: whatever type is asked for, by whom, and on which server.

use std::net::IpAddr;

use meridian::engine::{
    snapshot::Snapshot,
    steer::trace::Step,
    types::EndpointId,
    units::Admission,
    world::{policy::Spread, service::Families},
};
use proptest::prelude::*;

use super::{
    lab::{A, AAAA, Lab, Question, Told, at, draft, listen, prefix},
    plan::{fenced, healths},
};

fn chosen(told: &Told) -> Vec<EndpointId> {
    told.steps.iter().filter_map(|step| if let Step::Chosen(id) = step { Some(*id) } else { None }).collect()
}

/// What operators, ramps and sheds can do to a pool of at most four endpoints.
#[derive(Clone, Debug)]
pub struct Strain {
    drained: u64,
    out: u64,
    admissions: [Admission; 4],
}

pub fn strain() -> impl Strategy<Value = Strain> {
    let admission = prop::sample::select(vec![
        Admission::ALL,
        Admission::ALL,
        Admission(Admission::ALL.0 / 2),
        Admission(Admission::ALL.0 / 5),
        Admission::NONE,
    ]);
    (
        0..16u64,
        prop::sample::select(vec![0u64, 0, 1, 2, 5]),
        [admission.clone(), admission.clone(), admission.clone(), admission],
    )
        .prop_map(|(drained, out, admissions)| Strain { drained: drained & drained >> 1, out, admissions })
}

pub fn under(mut snapshot: Snapshot, strain: &[Strain]) -> Snapshot {
    let world = std::sync::Arc::clone(&snapshot.world);
    for (at, (pool, strain)) in world.pools.iter().zip(strain.iter().cycle()).enumerate() {
        let all = (1 << pool.count()) - 1;
        let row = &mut snapshot.pools[at];
        (row.drained, row.out) = (strain.drained & all, strain.out & all);
        for n in 0..usize::from(pool.count()) {
            let admission = strain.admissions[n % 4];
            snapshot.endpoints[pool.first.at() + n].admission = admission;
            row.partial |= u64::from(admission < Admission::ALL) << n;
        }
    }
    snapshot
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// While no family of an endpoint is known to be dead alone, A and AAAA of one block in one slot come from the same
    /// endpoints, under any mix of dead endpoints, drains, forces and admissions; and a second server with the same
    /// configuration and secret, in the same state, says the same. Only `random` promises nothing.
    #[test]
    fn all_types_of_a_block_come_from_one_decision(
        plan in fenced(),
        states in prop::collection::vec((healths(), prop::collection::vec(strain(), 3)), 6),
        leave: bool,
    ) {
        let mut plan = plan;
        let endpoints = plan.pools.iter_mut().flat_map(|pool| &mut pool.endpoints);
        endpoints.for_each(|endpoint| endpoint.families = [true, true]);
        let (text, overrides) = plan.text();
        let made = || {
            let mut draft = draft(&text, &[("o.csv", &overrides)]);
            let families = if leave { Families::Leave } else { Families::Apart };
            draft.services.iter_mut().for_each(|service| service.families = families);
            Lab::new(draft)
        };
        let (mut lab, mut twin) = (made(), made());
        let random = lab.world.policies.iter().any(|policy| policy.spread == Spread::Random);
        prop_assume!(!random);
        for (state, strains) in &states {
            // Both addresses of an endpoint end in its number.
            let number = |target: &meridian::engine::world::Target| match target.address() {
                IpAddr::V4(v4) => usize::from(v4.octets()[3]),
                IpAddr::V6(v6) => usize::from(v6.segments()[7]),
            };
            let state: Vec<&str> = lab.world.targets.iter().map(|target| state[number(target) % state.len()]).collect();
            let state = &state[..];
            let (one, two) = (under(lab.healths(state), strains), under(twin.healths(state), strains));
            for client in ["20.0.1.0/24", "20.0.77.0/24", "20.0.200.0/24", "2a00:100::/56", "8.8.8.0/24"] {
                let ask = |snapshot: &Snapshot, rtype| {
                    let question = Question::new("www.g.test", rtype).with(prefix(client));
                    listen(snapshot, &question, at(0)).expect("ready")
                };
                let (a, aaaa, twin) = (ask(&one, A), ask(&one, AAAA), ask(&two, A));
                prop_assert_eq!(chosen(&a), chosen(&aaaa), "{}", client);
                prop_assert_eq!(a.located(), aaaa.located());
                prop_assert_eq!(a.answer, twin.answer);
            }
        }
    }
}

/// Services of one affinity agree on the region, by every spread that keeps to blocks, though their endpoints differ.
#[test]
fn services_of_one_affinity_agree_on_the_region() {
    let text = |spread: &str| {
        let mut text =
            format!("[monitors.m]\ntcp = {{ port = 80 }}\n[policies.t]\nprefer = []\nspread = \"{spread}\"\n");
        for (n, region) in ["eu", "us", "ws"].iter().enumerate() {
            text += &format!("[regions.{region}]\nlocation = {{ lat = {n}, lon = {n} }}\n");
        }
        // One pool has one endpoint a region, the other several that sum up to the same.
        for (pool, endpoints) in [
            ("web", &[("w", "eu", 50, 1), ("b", "us", 30, 2), ("a", "ws", 20, 3)][..]),
            (
                "api",
                &[
                    ("a", "eu", 20, 11),
                    ("z", "eu", 30, 12),
                    ("m", "us", 30, 13),
                    ("k", "ws", 15, 14),
                    ("l", "ws", 5, 15),
                ],
            ),
        ] {
            text += &format!("[pools.{pool}]\nmonitor = \"m\"\npolicy = \"t\"\n");
            for (name, region, weight, host) in endpoints {
                text += &format!(
                    "[pools.{pool}.endpoints.{name}]\nregion = \"{region}\"\naddress = \"192.0.2.{host}\"\nweight = {weight}\n"
                );
            }
            text += &format!("[services.\"{pool}.g.test\"]\npools = [\"{pool}\"]\n");
        }
        text
    };
    for spread in ["hash", "weighted", "round-robin"] {
        let mut draft = draft(&text(spread), &[]);
        draft.services.iter_mut().for_each(|service| service.affinity = b"shop".as_slice().into());
        let snapshot = Lab::new(draft).healthy();
        let mut seen = std::collections::BTreeSet::new();
        for n in 0..256 {
            let region = |name: &str| {
                let question = Question::new(name, A).with(prefix(&format!("20.{n}.0.0/16")));
                let told = listen(&snapshot, &question, at(u64::from(n as u32) * 17)).expect("ready");
                snapshot.world[chosen(&told)[0]].region
            };
            let (web, api) = (region("web.g.test"), region("api.g.test"));
            assert_eq!(web, api, "{spread}: block {n}");
            seen.insert(web);
        }
        assert_eq!(seen.len(), 3, "{spread}");
    }
}
