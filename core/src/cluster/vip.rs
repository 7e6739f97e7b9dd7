//! The VIP channel: a broker's second port, two below the first (Java: `MixAll.brokerVIPChannel`). Sends go there while its
//! connection is well, and to the first port otherwise; nothing waits for it.

use super::Cluster;
use super::brokers::{Broker, BrokerKey};
use crate::ground::Instant;
use crate::ground::endpoint::Endpoint;
use crate::interface::{Action, LostReason, Notice};
use crate::net::{LinkKey, Net, Role};
use alloc::collections::VecDeque;
use core::time::Duration;

/// How far the VIP port is below the other one.
const BELOW: u16 = 2;

impl Cluster {
    /// Notes where the VIP port of a broker is, from where its master is.
    pub(super) fn put_vip<P: Copy>(
        &mut self,
        now: Instant,
        key: BrokerKey,
        net: &mut Net<P>,
        actions: &mut VecDeque<Action>,
    ) {
        if !self.vip_channel {
            return;
        }
        let master = self.brokers.get(key).and_then(|broker| broker.master.as_ref());
        let address = master.and_then(|(endpoint, _)| vip_endpoint(endpoint));
        let vip = address.map(|endpoint| {
            let link = net.link(Role::Vip, &endpoint);
            net.wants_again(link);
            (endpoint, link)
        });
        if let Some(old) = self.brokers.put_vip(key, vip) {
            self.let_vip_go(now, old, net, actions);
        }
    }

    /// A broker does not use this link any more.
    pub(super) fn let_vip_go<P: Copy>(
        &self,
        now: Instant,
        link: LinkKey,
        net: &mut Net<P>,
        actions: &mut VecDeque<Action>,
    ) {
        if self.brokers.of_vip(link).is_none() {
            net.let_go(now, link, actions);
        }
    }

    /// A VIP port cannot be used for a while.
    pub(crate) fn vip_down(
        &self,
        link: LinkKey,
        why: LostReason,
        pause: Duration,
        actions: &mut VecDeque<Action>,
    ) {
        if let Some(Broker { name, vip: Some((address, _)), .. }) = self.brokers.of_vip(link) {
            let (broker, address) = (name.clone(), address.clone());
            actions.push_back(Action::Notice(Notice::VipChannelUnreachable { broker, address, why, pause }));
        }
    }
}

/// Where the VIP port of a broker is. A port below 3 has none.
fn vip_endpoint(endpoint: &Endpoint) -> Option<Endpoint> {
    let port = endpoint.port().checked_sub(BELOW).filter(|port| *port > 0)?;
    Endpoint::new(endpoint.host(), port).ok()
}

#[cfg(test)]
mod tests {
    use super::vip_endpoint;
    use crate::ground::endpoint::Endpoint;
    use alloc::string::ToString;

    #[test]
    fn the_vip_port_is_two_below() {
        for (plain, vip) in [
            ("10.0.0.1:10911", Some("10.0.0.1:10909")),
            ("[2001:db8::1]:10911", Some("[2001:db8::1]:10909")),
            ("broker-a:3", Some("broker-a:1")),
            ("broker-a:2", None),
            ("broker-a:1", None),
        ] {
            let endpoint: Endpoint = plain.parse().unwrap();
            assert_eq!(vip_endpoint(&endpoint).map(|vip| vip.to_string()).as_deref(), vip);
        }
    }
}
