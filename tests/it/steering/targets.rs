//! What goes along with an SRV record is what A and AAAA queries of its target would say, whoever asks, whatever lives.

use std::{net::IpAddr, sync::Arc};

use hickory_proto::{
    op::Message,
    rr::{
        RData,
        rdata::opt::{EdnsCode, EdnsOption},
    },
};
use meridian::engine::{
    respond::{self, Answered},
    snapshot::Snapshot,
    steer::trace::Silent,
    types::{Chance, Origin, Transport},
    units::Ttl,
    wire::{name::Name, rr::RrType},
    world::service::Families,
    zone::ZoneRecord,
};
use proptest::prelude::*;

use super::{
    agree::{strain, under},
    lab::{A, AAAA, Lab, Question, at, draft, listen, packet, prefix},
    plan::{fenced, healths},
};

const SRV: u16 = 33;
const TARGETS: [&str; 2] = ["www.g.test", "apart.g.test"];

/// A record `srv.g.test SRV 1 1 443 TARGET`.
fn record(target: &str) -> ZoneRecord {
    let name = |text: &str| Name::from_text(text).expect(text);
    let rdata = [&[0, 1, 0, 1, 1, 187], name(target).wire()].concat();
    ZoneRecord { owner: name("srv.g.test"), rtype: RrType::SRV, ttl: Ttl(300), rdata: rdata.into() }
}

fn ask(snapshot: &Snapshot, question: &Question, chance: Chance) -> Message {
    let mut buffer = vec![0; 65_535];
    let query = packet(&question.name, question.rtype, question.subnet);
    buffer[..query.len()].copy_from_slice(&query);
    let origin = Origin { source: question.source, transport: Transport::Tcp };
    let sent = respond::respond(snapshot, &mut buffer, query.len(), origin, chance, &mut Silent);
    let Answered::Reply { len, .. } = sent else { panic!("a reply") };
    Message::from_vec(&buffer[..len]).expect("a message")
}

/// Addresses with their TTLs, in the order of the reply.
fn addresses<'m>(records: impl IntoIterator<Item = &'m hickory_proto::rr::Record>) -> Vec<(IpAddr, u32)> {
    let address = |record: &hickory_proto::rr::Record| match &record.data {
        RData::A(a) => Some((IpAddr::V4(a.0), record.ttl)),
        RData::AAAA(aaaa) => Some((IpAddr::V6(aaaa.0), record.ttl)),
        _ => None,
    };
    records.into_iter().filter_map(address).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_goes_along_is_what_the_target_would_be_answered_with(
        plan in fenced(),
        states in prop::collection::vec((healths(), prop::collection::vec(strain(), 3)), 4),
        random: u64,
        leave: bool,
    ) {
        let (text, overrides) = plan.text();
        let fenced = if text.contains("when_fenced") { "when_fenced = { address = [\"203.0.113.8\"] }" } else { "" };
        let second = format!("[services.\"apart.g.test\"]\npools = [\"p0\"]\nwhen_all_down = \"nodata\"\n{fenced}\n");
        let mut draft = draft(&format!("{text}{second}"), &[("o.csv", &overrides)]);
        for service in &mut draft.services {
            let apart = service.name.to_string().starts_with("apart");
            service.families = if leave && !apart { Families::Leave } else { Families::Apart };
        }
        Arc::make_mut(&mut draft.zones[0]).records.extend(TARGETS.map(record));
        let mut lab = Lab::new(draft);
        for (n, (state, strains)) in states.iter().enumerate() {
            let snapshot = under(lab.healths(state), strains);
            let chance = Chance { random, ..at(n as u64 * 1000) };
            for subnet in [
                None, Some("20.0.1.0/24"), Some("20.0.77.0/24"), Some("20.0.200.7/32"), Some("20.0.0.0/12"),
                Some("2a00:100::/56"), Some("8.8.8.0/24"), Some("10.1.2.0/24"), Some("0.0.0.0/0"),
            ] {
                let question = |name: &str, rtype| Question { subnet: subnet.map(prefix), ..Question::new(name, rtype) };
                let reply = ask(&snapshot, &question("srv.g.test", SRV), chance);
                prop_assert_eq!(reply.answers.len(), 2);
                let mut longest = 0;
                for target in TARGETS {
                    let owned = reply.additionals.iter().filter(|r| r.name.to_string() == format!("{target}."));
                    let told = [A, AAAA].map(|rtype| ask(&snapshot, &question(target, rtype), chance));
                    let expected: Vec<_> = told.iter().flat_map(|told| addresses(&told.answers)).collect();
                    prop_assert_eq!(addresses(owned), expected, "{} for {:?}", target, subnet);
                    let listened = listen(&snapshot, &question(target, A), chance).expect("ready");
                    longest = listened.located().1.max(longest);
                }
                let scope = reply.edns.as_ref().and_then(|edns| match edns.option(EdnsCode::Subnet) {
                    Some(EdnsOption::Subnet(subnet)) => Some(subnet.scope_prefix()),
                    _ => None,
                });
                prop_assert_eq!(scope, subnet.map(|_| longest), "{:?}", subnet);
            }
        }
    }
}
