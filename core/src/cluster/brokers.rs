//! Brokers by name: where their masters are.

use crate::body::TopicRouteData;
use crate::ground::endpoint::Endpoint;
use crate::ground::names::BrokerName;
use crate::ground::{Key, Slots};
use crate::net::LinkKey;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

pub(crate) type BrokerKey = Key<Broker>;

/// A broker that occurs in a route.
#[derive(Debug)]
pub(crate) struct Broker {
    pub(crate) name: BrokerName,
    /// The address of its master and the link to it.
    pub(crate) master: Option<(Endpoint, LinkKey)>,
    /// The same for its VIP port, when there is a master and sends are to go there.
    pub(crate) vip: Option<(Endpoint, LinkKey)>,
}

/// All brokers of all routes.
#[derive(Debug, Default)]
pub(crate) struct Brokers {
    slots: Slots<Broker>,
    by_name: BTreeMap<BrokerName, BrokerKey>,
}

impl Brokers {
    pub(crate) fn get(&self, key: BrokerKey) -> Option<&Broker> {
        self.slots.get(key)
    }

    pub(crate) fn find(&self, name: &BrokerName) -> Option<BrokerKey> {
        self.by_name.get(name).copied()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (BrokerKey, &Broker)> {
        self.slots.iter()
    }

    /// Notes where the master of a broker is. Returns its key and the link that it does not use any more.
    pub(crate) fn put(
        &mut self,
        name: &BrokerName,
        master: Option<(Endpoint, LinkKey)>,
    ) -> (BrokerKey, Option<LinkKey>) {
        if let Some(key) = self.find(name)
            && let Some(broker) = self.slots.get_mut(key)
        {
            let old = core::mem::replace(&mut broker.master, master).map(|(_, link)| link);
            let new = broker.master.as_ref().map(|(_, link)| *link);
            return (key, old.filter(|old| Some(*old) != new));
        }
        let key = self.slots.insert(Broker { name: name.clone(), master, vip: None });
        self.by_name.insert(name.clone(), key);
        (key, None)
    }

    /// Forgets all brokers that `stays` does not want, and returns them.
    pub(crate) fn sweep(&mut self, stays: impl Fn(BrokerKey) -> bool) -> Vec<Broker> {
        let leave: Vec<BrokerKey> = self.slots.keys().into_iter().filter(|key| !stays(*key)).collect();
        leave
            .into_iter()
            .filter_map(|key| {
                let broker = self.slots.remove(key)?;
                self.by_name.remove(&broker.name);
                Some(broker)
            })
            .collect()
    }

    /// True when some broker's master is at the other end of this link.
    pub(crate) fn uses(&self, link: LinkKey) -> bool {
        self.slots.iter().any(|(_, broker)| broker.master.as_ref().is_some_and(|(_, used)| *used == link))
    }

    /// Notes where the VIP port of a broker is. Returns the link that it does not use any more.
    pub(super) fn put_vip(&mut self, key: BrokerKey, vip: Option<(Endpoint, LinkKey)>) -> Option<LinkKey> {
        let broker = self.slots.get_mut(key)?;
        let old = core::mem::replace(&mut broker.vip, vip).map(|(_, link)| link);
        let new = broker.vip.as_ref().map(|(_, link)| *link);
        old.filter(|old| Some(*old) != new)
    }

    /// The broker whose VIP port is at the other end of this link.
    pub(super) fn of_vip(&self, link: LinkKey) -> Option<&Broker> {
        let is_it = |broker: &&Broker| broker.vip.as_ref().is_some_and(|(_, used)| *used == link);
        self.slots.iter().map(|(_, broker)| broker).find(is_it)
    }

    /// True when a broker of the route is not known at the address that the route gives.
    pub(crate) fn lead_elsewhere(&self, route: &TopicRouteData) -> bool {
        route.broker_datas.iter().any(|data| {
            let address = data.broker_addrs.get(&0).and_then(|text| text.parse::<Endpoint>().ok());
            let name = data.broker_name.parse::<BrokerName>().ok();
            let broker = name.and_then(|name| self.get(self.find(&name)?));
            let known = broker.map(|broker| broker.master.as_ref().map(|(endpoint, _)| endpoint));
            address.is_some() && known.is_some_and(|known| known != address.as_ref())
        })
    }
}
