//! Which name server is asked. All hold the same data, so one is kept while it works; the next in a
//! shuffled order takes over when it fails.

use crate::ground::Rng;
use crate::ground::endpoint::{Endpoint, NameServers};
use alloc::vec::Vec;

/// The list of name servers and the one in use.
#[derive(Debug)]
pub(crate) struct NameServerList {
    order: Vec<Endpoint>,
    current: usize,
}

impl NameServerList {
    pub(crate) fn new(list: &NameServers, rng: &mut Rng) -> Self {
        let mut order: Vec<Endpoint> = list.iter().cloned().collect();
        // Clients start at different servers; the sequence is the seed's alone.
        for last in (1..order.len()).rev() {
            let other = usize::try_from(rng.below(last as u64 + 1)).unwrap_or(last);
            order.swap(last, other);
        }
        Self { order, current: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }

    /// The one in use.
    pub(crate) fn current(&self) -> Option<&Endpoint> {
        self.order.get(self.current)
    }

    /// All of them.
    #[cfg(test)]
    fn iter(&self) -> impl Iterator<Item = &Endpoint> {
        self.order.iter()
    }

    /// Keeps the one in use if it is `usable`; else moves on to the next that is, or stays.
    pub(crate) fn choose(&mut self, mut usable: impl FnMut(&Endpoint) -> bool) -> Option<&Endpoint> {
        for step in 0..self.order.len() {
            let at = (self.current + step) % self.order.len();
            if self.order.get(at).is_some_and(&mut usable) {
                self.current = at;
                break;
            }
        }
        self.current()
    }

    /// One failed: if it is still the one in use, the next takes over. Many requests may fail at once
    /// with one server; they move on by one place only.
    pub(crate) fn failed(&mut self, endpoint: &Endpoint) {
        if self.current() == Some(endpoint) {
            self.current = (self.current + 1) % self.order.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::NameServerList;
    use crate::ground::Rng;
    use alloc::string::ToString;
    use alloc::vec::Vec;

    fn list(seed: u64) -> NameServerList {
        NameServerList::new(&"a:1;b:2;c:3".parse().unwrap(), &mut Rng::new(seed))
    }

    #[test]
    fn the_order_is_the_seeds_and_holds_everything() {
        let orders: Vec<Vec<_>> =
            (0..20).map(|seed| list(seed).iter().map(ToString::to_string).collect()).collect();
        assert!(orders.iter().any(|order| order != &orders[0]));
        for mut order in orders {
            order.sort();
            assert_eq!(order, ["a:1", "b:2", "c:3"]);
        }
    }

    #[test]
    fn many_failures_of_one_server_move_on_once() {
        let mut servers = list(1);
        let first = servers.current().unwrap().clone();
        servers.failed(&first);
        let second = servers.current().unwrap().clone();
        assert_ne!(first, second);
        servers.failed(&first);
        assert_eq!(servers.current(), Some(&second));
        let third = servers.choose(|server| *server != second).unwrap().clone();
        assert!(third != second);
        assert_eq!(servers.choose(|_| false), Some(&third));
    }

    #[test]
    fn an_empty_list_has_no_current() {
        let none = crate::ground::endpoint::NameServers::none();
        let mut servers = NameServerList::new(&none, &mut Rng::new(1));
        assert_eq!(servers.current(), None);
        assert_eq!(servers.choose(|_| true), None);
        servers.failed(&"a:1".parse().unwrap());
    }
}
