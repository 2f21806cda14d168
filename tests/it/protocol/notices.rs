//! What people should know of an answer, as an Extended DNS Error (RFC 8914, P113).

use std::sync::Arc;

use meridian::{
    engine::{
        health::fold::Outcome,
        snapshot::Snapshot,
        types::{At, Transport::Udp},
        world::World,
    },
    node::{input::Input, ledger::Ledger},
};

use super::*;

const HELD: &[u8] = b"health held by the governor";
const BLIND: &[u8] = b"this server sees none of its canaries";

/// Two regions, each with 32 endpoints of both families, all of which `all.example.test` answers with.
fn two_regions(more: &str) -> Arc<World> {
    let endpoints = |region: &str, net: u8| -> String {
        let one = |n: usize| {
            format!(
                "{region}-{n} = {{ region = '{region}', address = ['192.0.2.{}', '2001:db8::{net}:{n}'] }}\n",
                net as usize * 32 + n
            )
        };
        (0..32).map(one).collect()
    };
    let config = format!(
        "{more}\n[monitors.m]\ntcp = {{ port = 80 }}\n[regions]\neu = {{ location = {{ lat = 1, lon = 1 }} }}\n\
         us = {{ location = {{ lat = 2, lon = 2 }} }}\n[policies.everybody]\nprefer = []\nspread = 'all'\n\
         [pools.p]\nmonitor = 'm'\npolicy = 'failover'\norder = [{}]\n[pools.p.endpoints]\n{}{}\n\
         [pools.z]\nmonitor = 'm'\npolicy = 'everybody'\n[pools.z.endpoints]\n{}\
         [services.'www.example.test']\npools = ['p']\n[services.'all.example.test']\npools = ['z']\n",
        ["us", "eu"].map(|r| (0..32).map(|n| format!("'{r}-{n}'")).collect::<Vec<_>>().join(",")).join(","),
        endpoints("eu", 0),
        endpoints("us", 1),
        endpoints("us", 1),
    );
    world(&[("example.test", "static A 192.0.2.1\n")], &config)
}

/// Everybody has been well, and then everything fails but the canaries, unless they do too.
fn all_fails(world: &Arc<World>, canaries: bool) -> Snapshot {
    let mut ledger = Ledger::new(Arc::clone(world));
    let bad = || Outcome::Bad("refused".into());
    let keys = || world.targets.iter().filter_map(|target| target.key());
    let is_canary = |key| world.health.canaries.iter().any(|id| world.targets[id.at()].key() == Some(key));
    for round in 0..6u64 {
        for key in keys() {
            let good = round == 0 || is_canary(key) && !canaries;
            let outcome = if good { Outcome::good(1) } else { bad() };
            ledger.fold(At(round * 200), Input::outcome(key, outcome));
        }
    }
    ledger.snapshot(At(1000))
}

/// The text of the one Extended DNS Error of an answer.
fn told(query: Ask, snapshot: &Snapshot) -> Option<Vec<u8>> {
    let options = query.of(snapshot).opt?.options;
    let mut told = options.into_iter().filter(|(code, _)| *code == 15);
    let (_, value) = told.next()?;
    assert_eq!((&value[..2], told.next()), (&[0, 0][..], None), "INFO-CODE 0: Other, once");
    Some(value[2..].to_vec())
}

#[test]
fn p113_an_answer_from_a_held_region_says_so_where_it_may() {
    let snapshot = all_fails(&two_regions(""), false);
    let www = || ask("www.example.test A");
    assert_eq!(told(www().size(1232), &snapshot).as_deref(), Some(HELD));
    assert_eq!(told(www().subnet("198.51.100.0/24"), &snapshot).as_deref(), Some(HELD), "beside the subnet");
    assert_eq!(told(ask("www.example.test AAAA").size(1232), &snapshot).as_deref(), Some(HELD));
    assert!(www().of(&snapshot).opt.is_none(), "no EDNS, no word");
    assert_eq!(told(ask("static.example.test A").size(1232), &snapshot), None, "nothing is held of static data");
    assert_eq!(told(ask("www.example.test MX").size(1232), &snapshot), None);
    let well = healthy(&two_regions(""));
    assert_eq!(told(www().size(1232), &well), None);
}

#[test]
fn p113_a_node_without_canaries_in_sight_says_so_in_every_steered_answer() {
    let canary = "[health]\ncanaries = [{ monitor = 'm', address = '203.0.113.1' }]";
    let (blind, well) = (all_fails(&two_regions(canary), true), healthy(&two_regions(canary)));
    assert_eq!(told(ask("www.example.test A").size(1232), &blind).as_deref(), Some(BLIND));
    assert_eq!(told(ask("static.example.test A").size(1232), &blind), None);
    assert_eq!(told(ask("www.example.test A").size(1232), &well), None);
}

#[test]
fn p113_it_pushes_nothing_out() {
    let (held, well) = (all_fails(&two_regions(""), false), healthy(&two_regions("")));
    for question in ["all.example.test A", "all.example.test AAAA"] {
        let (mut with, mut without) = (0, 0);
        for size in 512..1232 {
            let sized = || Ask { transport: Udp, ..ask(question).size(size) };
            let (one, other) = (sized().of(&held), sized().of(&well));
            assert_eq!(
                (one.tc(), one.sections.each_ref().map(Vec::len)),
                (other.tc(), other.sections.each_ref().map(Vec::len)),
                "{question} {size}"
            );
            if told(sized(), &held).is_some() { with += 1 } else { without += 1 }
        }
        assert!(with > 0 && without > 0, "{question}: {with} with, {without} without");
    }
}
