//! The Snapshot as the transports ask it: the engine's three stages, silently.

use super::{Answered, Respond};
use crate::engine::{
    self,
    snapshot::Snapshot,
    steer::trace::Silent,
    types::{Chance, Origin},
    wire::read::Query,
};

impl Respond for Snapshot {
    type Query = Query;

    fn read(&self, request: &[u8]) -> Option<Query> {
        engine::read(request)
    }

    fn touch(&self, query: &Query) {
        engine::touch(self, query);
    }

    fn finish(&self, buffer: &mut [u8], _len: usize, query: &Query, origin: Origin, chance: Chance) -> Answered {
        let Some(reply) = engine::answer(self, buffer, query, origin, chance, &mut Silent) else {
            return Answered::NotReady;
        };
        let (rcode, counted) = (reply.rcode, reply.counted);
        let len = engine::write(&reply, query, engine::limit(self, query, origin.transport), buffer);
        let truncated = buffer.get(2).is_some_and(|flags| flags & 0x02 != 0);
        Answered::Reply { len, rcode, truncated, counted }
    }
}
