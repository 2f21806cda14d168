//! How many TCP connections there may be, in all and from one client, and who gives way to a newcomer. Must not know
//! what is said on a connection.
//!
//! A newcomer is never refused: idle clients must not stop new ones (RFC 9210 4.2). At a client's own limit its own
//! longest idle connection is closed, so one client cannot push out others before it holds `per_client`; at the total
//! limit the longest idle of all is. Idle since when is told by a ticket drawn at each completed message, not by a
//! clock, and trickling octets draw none.

use std::{
    net::IpAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
};

use dashmap::DashMap;
use tokio::sync::Notify;

use crate::engine::types::{Family, Prefix};

/// Candidates that one look through all connections finds. At the total limit a flood of newcomers then costs one
/// look for so many of them.
const CANDIDATES: usize = 64;

/// Who is connected.
#[derive(Debug)]
pub(super) struct Seats {
    total: usize,
    per_client: usize,
    clients: DashMap<Prefix, Vec<Arc<Place>>>,
    taken: AtomicUsize,
    tickets: AtomicU64,
    /// Connections that were the longest idle when last looked, the longest last. Who has not drawn a ticket since is
    /// still among the longest idle: all others only draw newer ones.
    candidates: Mutex<Vec<(Arc<Place>, u64)>>,
}

/// One connection.
#[derive(Debug)]
struct Place {
    client: Prefix,
    ticket: AtomicU64,
    leave: Notify,
}

/// A connection's right to be. Given back when dropped.
#[derive(Debug)]
pub(super) struct Seat {
    seats: Arc<Seats>,
    place: Arc<Place>,
}

impl Seats {
    /// Room for `total` connections, `per_client` of them from one client; at least one.
    pub(super) fn new(total: usize, per_client: usize) -> Arc<Self> {
        Arc::new(Self {
            total: total.max(1),
            per_client: per_client.max(1),
            clients: DashMap::new(),
            taken: AtomicUsize::new(0),
            tickets: AtomicU64::new(0),
            candidates: Mutex::default(),
        })
    }

    /// A seat for a newcomer, and how many others must leave for it.
    pub(super) fn admit(self: &Arc<Self>, address: IpAddr) -> (Seat, usize) {
        let client = client_of(address);
        let place = Arc::new(Place { client, ticket: AtomicU64::new(self.ticket()), leave: Notify::new() });
        let mut evicted = 0;
        // Counted before anybody can see it and take it out again.
        let taken = self.taken.fetch_add(1, Relaxed);
        let mut places = self.clients.entry(client).or_default();
        if places.len() >= self.per_client
            && let Some(oldest) = (0..places.len()).min_by_key(|&at| places[at].ticket.load(Relaxed))
        {
            places.swap_remove(oldest).leave.notify_one();
            self.taken.fetch_sub(1, Relaxed);
            evicted += 1;
        }
        places.push(Arc::clone(&place));
        drop(places); // the map must not be entered twice
        if taken - evicted >= self.total && self.evict() {
            evicted += 1;
        }
        (Seat { seats: Arc::clone(self), place }, evicted)
    }

    /// Tells the longest idle connection to leave. False when there is none.
    pub(super) fn evict(&self) -> bool {
        let mut candidates = self.candidates.lock().unwrap_or_else(PoisonError::into_inner);
        for look in [false, true] {
            if look {
                self.look_for(&mut candidates);
            }
            while let Some((place, ticket)) = candidates.pop() {
                if place.ticket.load(Relaxed) == ticket && self.remove(&place) {
                    place.leave.notify_one();
                    return true;
                }
            }
        }
        false
    }

    fn look_for(&self, candidates: &mut Vec<(Arc<Place>, u64)>) {
        for places in &self.clients {
            candidates.extend(places.iter().map(|place| (Arc::clone(place), place.ticket.load(Relaxed))));
        }
        candidates.sort_unstable_by_key(|(_, ticket)| std::cmp::Reverse(*ticket));
        let surplus = candidates.len().saturating_sub(CANDIDATES);
        candidates.drain(..surplus);
    }

    /// Takes a place out. False when it was out already.
    fn remove(&self, place: &Arc<Place>) -> bool {
        let Some(mut places) = self.clients.get_mut(&place.client) else { return false };
        let Some(at) = places.iter().position(|other| Arc::ptr_eq(other, place)) else { return false };
        places.swap_remove(at);
        let last = places.is_empty();
        drop(places); // the map must not be entered twice
        if last {
            self.clients.remove_if(&place.client, |_, places| places.is_empty());
        }
        self.taken.fetch_sub(1, Relaxed);
        true
    }

    fn ticket(&self) -> u64 {
        self.tickets.fetch_add(1, Relaxed)
    }
}

impl Seat {
    /// Notes that a message was answered: the connection is now the least idle.
    pub(super) fn renew(&self) {
        self.place.ticket.store(self.seats.ticket(), Relaxed);
    }

    /// Returns when the connection must give way.
    pub(super) async fn evicted(&self) {
        self.place.leave.notified().await;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.seats.remove(&self.place);
    }
}

/// An IPv6 network of 64 bits is one client: whoever has one address of it has them all.
fn client_of(address: IpAddr) -> Prefix {
    match Family::of(address) {
        Family::V4 => Prefix::host(address),
        Family::V6 => Prefix::new(address, 64),
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::Future as _,
        pin::pin,
        task::{Context, Poll, Waker},
    };

    use proptest::prelude::*;

    use super::*;

    fn must_leave(seat: &Seat) -> bool {
        pin!(seat.evicted()).poll(&mut Context::from_waker(Waker::noop())) == Poll::Ready(())
    }

    fn v4(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[test]
    fn the_longest_idle_of_all_gives_way() {
        let seats = Seats::new(3, 3);
        let held: Vec<_> = (1..=3).map(|last| seats.admit(v4(last)).0).collect();
        held[0].renew();
        let (newcomer, evicted) = seats.admit(v4(9));
        assert_eq!(evicted, 1);
        assert_eq!(held.iter().map(must_leave).collect::<Vec<_>>(), [false, true, false]);
        assert!(!must_leave(&newcomer));
    }

    #[test]
    fn a_client_at_its_limit_makes_room_itself() {
        let seats = Seats::new(100, 2);
        let other = seats.admit(v4(1)).0;
        let held: Vec<_> = (0..2).map(|_| seats.admit(v4(2)).0).collect();
        let (_newcomer, evicted) = seats.admit(v4(2));
        assert_eq!(evicted, 1);
        assert!(must_leave(&held[0]));
        assert!(!must_leave(&held[1]) && !must_leave(&other));
    }

    #[test]
    fn an_ipv6_network_is_one_client() {
        let seats = Seats::new(100, 1);
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let first = seats.admit(address("2001:db8::1")).0;
        let elsewhere = seats.admit(address("2001:db8:0:1::1")).0;
        let (_second, evicted) = seats.admit(address("2001:db8::ffff:2"));
        assert_eq!(evicted, 1);
        assert!(must_leave(&first) && !must_leave(&elsewhere));
    }

    #[test]
    fn a_seat_given_back_is_free_and_nothing_is_remembered() {
        let seats = Seats::new(1, 1);
        for last in 0..100 {
            assert_eq!(seats.admit(v4(last)).1, 0);
        }
        assert_eq!((seats.taken.load(Relaxed), seats.clients.len()), (0, 0));
        assert!(!seats.evict());
    }

    proptest! {
        /// Against a list in order of activity: who leaves is always its first, or the client's own first, and the
        /// limits hold after every step.
        #[test]
        fn it_behaves_like_a_list_in_order_of_activity(
            steps in proptest::collection::vec((0_u8..3, 0_u8..6, any::<prop::sample::Index>()), 1..400),
            total in 1_usize..9,
            per_client in 1_usize..4,
        ) {
            let seats = Seats::new(total, per_client);
            let mut list: Vec<(u8, Seat)> = Vec::new();
            for (step, client, which) in steps {
                match step {
                    0 if !list.is_empty() => {
                        let held = list.remove(which.index(list.len()));
                        held.1.renew();
                        list.push(held);
                    }
                    1 if !list.is_empty() => drop(list.remove(which.index(list.len()))),
                    _ => {
                        let own = list.iter().filter(|(other, _)| *other == client).count();
                        let first = if own == per_client {
                            list.iter().position(|(other, _)| *other == client)
                        } else {
                            (list.len() == total).then_some(0)
                        };
                        let leaver = first.map(|at| list.remove(at));
                        let (seat, evicted) = seats.admit(v4(client));
                        prop_assert_eq!(evicted, usize::from(leaver.is_some()));
                        prop_assert!(leaver.is_none_or(|(_, seat)| must_leave(&seat)));
                        list.push((client, seat));
                    }
                }
                prop_assert!(list.iter().all(|(_, seat)| !must_leave(seat)));
                prop_assert_eq!(seats.taken.load(Relaxed), list.len());
            }
        }
    }
}
