//! Whether clients are away from what died as soon as the configuration promises: the worst that monitors and TTLs let
//! happen, summed up against `objective`.

use super::{
    super::{
        notes::Notes,
        quantity::{duration, show_duration},
    },
    Subject,
};
use crate::engine::{health::monitor::Rhythm, world::policy::Pool};

pub(super) fn lint(subject: &Subject<'_>, notes: &mut Notes<'_>) {
    for (key, spec) in &subject.spec.services {
        let Some(written) = &spec.objective else { continue };
        let Ok(objective) = duration(written.get_ref()) else { continue };
        let objective = objective / 1000;
        let is_it =
            |name: &String| name.trim_end_matches('.').eq_ignore_ascii_case(key.get_ref().trim_end_matches('.'));
        let Some(service) = subject.world.services.iter().find(|service| is_it(&service.name.to_string())) else {
            continue;
        };
        let pools = service.pools.iter().filter_map(|id| subject.world.pools.get(id.at()));
        let kept = u64::from(service.ttl_max) * 1000;
        let worst =
            pools.filter_map(|pool| Some((detection(rhythm(subject, pool)?), pool))).max_by_key(|(takes, _)| *takes);
        let Some((takes, pool)) = worst.filter(|(takes, _)| takes + kept > objective) else { continue };
        let Some(rhythm) = rhythm(subject, pool) else { continue };
        let show = |millis: u64| show_duration(millis * 1000);
        let message = format!("service {} cannot meet its objective of {}", service.name, show(objective));
        let label = format!(
            "{}: interval {} + {} more failures, {} apart + timeout {} + ttl.max {}, with pool \"{}\"",
            show(takes + kept),
            show(rhythm.interval),
            rhythm.fall - 1,
            show(rhythm.recheck.max(rhythm.timeout)),
            show(rhythm.timeout),
            show(kept),
            pool.name
        );
        let remedy = match objective.checked_sub(takes).map(|left| left / 1000) {
            Some(left @ 1..) => format!("`ttl.max` of {left}s would do; or probe more often"),
            _ => "probe more often, with a shorter timeout or fewer failures: the TTL alone cannot do it".into(),
        };
        let fault = notes.warning(written.span(), message, label).remedy(remedy);
        notes.push(fault);
    }
}

fn rhythm<'a>(subject: &Subject<'a>, pool: &Pool) -> Option<&'a Rhythm> {
    subject.world.monitors.get(pool.monitor?.at()).map(|monitor| &monitor.rhythm)
}

/// The longest time from a death to the verdict, in milliseconds: it dies right after a probe, and hangs from then on.
fn detection(rhythm: &Rhythm) -> u64 {
    let apart = rhythm.recheck.max(rhythm.timeout);
    rhythm.interval + u64::from(rhythm.fall.saturating_sub(1)) * apart + rhythm.timeout
}
