//! Pools that ask for more healthy endpoints than some clients may have: they are passed over by these, whatever lives.

use super::{super::notes::Notes, Subject, chosen::Clients};
use crate::engine::world::policy::Threshold;

pub(super) fn lint(subject: &Subject<'_>, notes: &mut Notes<'_>) {
    for pool in subject.pools().filter(|pool| pool.min_healthy != Threshold::ONE) {
        let clients = Clients::of(subject, pool);
        let short = clients.all().filter_map(|client| {
            let (open, within) =
                (clients.eligible(client, false).count_ones(), clients.eligible(client, true).count_ones());
            // A share is one of those that are open, whatever `limit` says. Clients that fences leave nothing do not count.
            let needed = pool.min_healthy.of(open);
            (open > 0 && within < needed).then_some((within, needed))
        });
        let Some((least, needed)) = short.min() else { continue };
        let message = format!("pool \"{}\" never has its `min_healthy` for some clients", pool.name);
        let label = format!("fences and `limit` leave them {least} of the {needed} endpoints that it asks for");
        let fault = notes.warning(subject.pool_at(&pool.name), message, label);
        notes.push(
            fault.remedy("ask for fewer, or for a share of those that fences leave; or open more endpoints to them"),
        );
    }
}
