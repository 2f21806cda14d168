//! Whether a policy has in a pool what it asks for. None of it is an error: the policy then works without.

use std::ops::Range;

use crate::{
    config::{
        check::{MeantEndpoint, MeantPool},
        notes::Notes,
        presets::key_name,
    },
    engine::world::policy::{Distinct, Key, Policy, Spread},
};

/// Warns of what `policy`, named at `span`, asks for in vain.
pub(crate) fn suits(span: Range<usize>, policy: &Policy, pool: &MeantPool, notes: &mut Notes<'_>) {
    if notes.has_errors() {
        return;
    }
    let prefers = |key: Key| policy.prefer.iter().any(|(known, _)| *known == key);
    let (name, policy_name) = (&pool.name, &policy.name);
    let mut tell = |message: String, label: String, remedy: &str| {
        let fault = notes.warning(span.clone(), message, label).remedy(remedy);
        notes.push(fault);
    };
    if pool.load.is_none() && (policy.shed.is_some() || prefers(Key::Load)) {
        let asks = if prefers(Key::Load) { "prefers \"load\"" } else { "sheds" };
        let label = format!(
            "policy \"{policy_name}\" {asks}: only the `demand` of regions can stand in for what is not reported"
        );
        tell(format!("pool \"{name}\" has no load"), label, "add `load = \"NAME\"` and a `[loads.NAME]` table");
    }
    if pool.monitor.is_none() && prefers(Key::Response) {
        let key = key_name(Key::Response);
        let label = format!("policy \"{policy_name}\" prefers {key:?}, and nothing is probed");
        tell(format!("policy \"{policy_name}\" asks pool \"{name}\" in vain"), label, "add `monitor = \"NAME\"`");
    }
    if pool.monitor.is_none() && policy.slow_start > 0 {
        let label =
            format!("policy \"{policy_name}\" has a slow start, and nothing is probed: only what is new has one");
        tell(format!("endpoints of pool \"{name}\" never recover"), label, "add `monitor = \"NAME\"`");
    }
    let several = policy.answers > 1 && policy.spread != Spread::All;
    if several && policy.distinct == Distinct::Group && pool.endpoints.iter().all(|endpoint| endpoint.group.is_none()) {
        let label =
            format!("policy \"{policy_name}\" wants answers of distinct groups: each endpoint is one of its own");
        tell(
            format!("no endpoint of pool \"{name}\" has a group"),
            label,
            "add `group = \"NAME\"` to what fails together",
        );
    }
    let cnames = pool.endpoints.iter().filter(|endpoint| endpoint.cname.is_some()).count();
    if cnames > 0 && cnames < pool.endpoints.len() {
        let label = "some clients get a CNAME, others addresses".to_owned();
        tell(format!("pool \"{name}\" mixes cname and address endpoints"), label, "make two pools of it");
    } else if cnames > 0 && (policy.answers > 1 || policy.spread == Spread::All) {
        let label =
            format!("policy \"{policy_name}\" answers with several, and a name has one CNAME: the first is named");
        tell(format!("pool \"{name}\" has cname endpoints"), label, "name a policy with `answers = 1`");
    }
    let unprobed = |endpoint: &MeantEndpoint| endpoint.cname.is_some() && endpoint.probe == [None, None];
    if pool.monitor.is_some() && pool.endpoints.iter().any(unprobed) {
        tell(
            format!("cname endpoints of pool \"{name}\" always count as up"),
            "only addresses are probed".to_owned(),
            "add `probe = { address = [\"192.0.2.1\"] }` to them, or make them a pool of their own, behind the others",
        );
    }
}
