//! What the transports ask of the engine, and what they give it: the time. Must not know how requests come.

use std::time::{SystemTime, UNIX_EPOCH};

pub use crate::engine::respond::Answered;
use crate::engine::{
    respond,
    snapshot::Snapshot,
    steer::trace::Silent,
    types::{Chance, Origin, UnixMillis},
    wire::read::Query,
};

/// What the transports ask of the engine: three stages, so that a batch can interleave them and a memory fetch of one
/// query overlaps the work of the others. No stage allocates, locks or logs.
pub trait Respond: Send + Sync + 'static {
    /// What a request asks: offsets and values, never slices, since the reply is written over the request.
    type Query: Copy;

    /// Reads a request. None: it gets no reply.
    fn read(&self, request: &[u8]) -> Option<Self::Query>;

    /// Starts to fetch what [`finish`](Self::finish) will read.
    fn touch(&self, query: &Self::Query);

    /// Answers the request that stands in the first `len` octets of `buffer`, in place. `query` was read from
    /// this request by this Snapshot. Only a reply changes the buffer.
    fn finish(&self, buffer: &mut [u8], len: usize, query: &Self::Query, origin: Origin, chance: Chance) -> Answered;
}

/// The query path of the engine, with no one to record its reasons.
impl Respond for Snapshot {
    type Query = Query;

    #[inline]
    fn read(&self, request: &[u8]) -> Option<Query> {
        respond::read(request)
    }

    #[inline]
    fn touch(&self, query: &Query) {
        respond::touch(self, query);
    }

    #[inline]
    fn finish(&self, buffer: &mut [u8], _len: usize, query: &Query, origin: Origin, chance: Chance) -> Answered {
        respond::finish(self, buffer, query, origin, chance, &mut Silent)
    }
}

/// The wall clock, which in an answer only numbers slots; read once for each batch.
#[expect(clippy::disallowed_methods, reason = "the transports supply time to the engine")]
pub(super) fn unix_now() -> UnixMillis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMillis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
