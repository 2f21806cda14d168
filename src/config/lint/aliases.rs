//! Other names that services answer with, and that the zones served here do not have. Must not know when they are answered.

use super::{super::notes::Notes, Subject};
use crate::engine::{
    wire::{fold, name::Name, rr::RrType},
    world::policy::{Fallback, Service},
    zone::table::{Found, Table},
};

pub(super) fn lint(subject: &Subject<'_>, notes: &mut Notes<'_>) {
    let table = &subject.world.table;
    for pool in subject.pools() {
        for endpoint in subject.endpoints(pool) {
            if let Some(why) = endpoint.cname.as_ref().and_then(|target| lacks(table, target)) {
                let message = format!("endpoint \"{}/{}\" is a name without addresses", pool.name, endpoint.name);
                let fault = notes.warning(subject.endpoint_at(&pool.name, &endpoint.name), message, why);
                notes.push(fault.remedy("write the name into its zone, or lead elsewhere"));
            }
        }
    }
    let configured = |service: &&Service| service.only_region.is_none() && !service.second;
    for service in subject.world.services.iter().filter(configured) {
        let spare = [("when_all_down", Some(&service.when_all_down)), ("when_fenced", service.when_fenced.as_ref())];
        for (key, spare) in spare {
            let Some(Fallback::Cname(target)) = spare else { continue };
            if let Some(why) = lacks(table, target) {
                let message = format!("`{key}` of service {} is a name without addresses", service.name);
                let fault = notes.warning(subject.service_at(&service.name), message, why);
                notes.push(fault.remedy("write the name into its zone, or lead elsewhere"));
            }
        }
    }
}

/// Why a name has no addresses, where a zone of ours would have to have them. What lies outside, below a cut or behind
/// a further alias is not looked at.
fn lacks(table: &Table, target: &Name) -> Option<String> {
    match table.find(target.wire(), fold::hash(target.wire())) {
        Found::NoName(_) => Some(format!("{target} does not exist in its zone")),
        Found::Here(node) => {
            let has = [RrType::A, RrType::AAAA, RrType::CNAME].iter().any(|rtype| table.rrset(node, *rtype).is_some());
            let answered = has || node.service().is_some() || node.is_reflect();
            (!answered).then(|| format!("{target} has neither A nor AAAA in its zone"))
        }
        Found::NotOurs | Found::Cut(_) | Found::Redirect(..) => None,
    }
}
