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
        Self { order: shuffled(list, rng), current: 0 }
    }

    /// Takes another list. The one in use stays in use if it is on it. Returns the servers that left; none when both
    /// lists name the same ones.
    pub(crate) fn replace(&mut self, list: &NameServers, rng: &mut Rng) -> Option<Vec<Endpoint>> {
        if list.len() == self.len() && list.iter().all(|server| self.contains(server)) {
            return None;
        }
        let current = self.current().cloned();
        let old = core::mem::replace(&mut self.order, shuffled(list, rng));
        let stays = |server: &Endpoint| current.as_ref() == Some(server);
        self.current = self.order.iter().position(stays).unwrap_or(0);
        Some(old.into_iter().filter(|server| !self.order.contains(server)).collect())
    }

    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }

    /// The one in use.
    pub(crate) fn current(&self) -> Option<&Endpoint> {
        self.order.get(self.current)
    }

    /// All of them, in the order in which they are asked.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Endpoint> {
        self.order.iter()
    }

    pub(crate) fn contains(&self, server: &Endpoint) -> bool {
        self.order.contains(server)
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

/// Clients start at different servers; the sequence is the seed's alone.
fn shuffled(list: &NameServers, rng: &mut Rng) -> Vec<Endpoint> {
    let mut order: Vec<Endpoint> = list.iter().cloned().collect();
    for last in (1..order.len()).rev() {
        let other = usize::try_from(rng.below(last as u64 + 1)).unwrap_or(last);
        order.swap(last, other);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::NameServerList;
    use crate::ground::Rng;
    use alloc::format;
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
    fn another_list_keeps_the_server_in_use_when_it_has_it() {
        let mut rng = Rng::new(3);
        let mut servers = list(1);
        assert_eq!(servers.replace(&"c:3;a:1;b:2".parse().unwrap(), &mut rng), None);
        let used = servers.current().unwrap().clone();
        let with_it = format!("x:8;y:9;{used}");
        let left = servers.replace(&with_it.parse().unwrap(), &mut rng).unwrap();
        assert_eq!((left.len(), servers.current()), (2, Some(&used)));
        assert!(!left.contains(&used));
        let left = servers.replace(&"z:7".parse().unwrap(), &mut rng).unwrap();
        assert_eq!((left.len(), servers.current().unwrap().to_string().as_str()), (3, "z:7"));
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
