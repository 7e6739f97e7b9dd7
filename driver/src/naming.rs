//! Settings of a client that add to names and requests.

use crate::client::ClientBuilder;
use crate::error::wrong;
use rocketmq_core::ground::namespace::Namespace;
use rocketmq_core::interface::Zone;
use std::fmt::Display;

impl ClientBuilder {
    /// The namespace of topics and groups, such as `MQ_INST_4711_shop`: servers know `MQ_INST_4711_shop%orders` as what this
    /// client calls `orders`. Default: none. See [`ClientConfig::namespace`](rocketmq_core::interface::ClientConfig::namespace).
    #[doc(alias = "setNamespace")]
    pub fn namespace<N>(mut self, namespace: N) -> Self
    where
        N: TryInto<Namespace>,
        N::Error: Display,
    {
        match namespace.try_into() {
            Ok(namespace) => self.config.namespace = Some(namespace),
            // The first setting that is wrong is the one that is told.
            Err(error) => self.source = self.source.and(Err(wrong("namespace", error))),
        }
        self
    }

    /// The namespace that all requests carry as a header field, Java's second kind. Default: none. See
    /// [`ClientConfig::namespace_v2`](rocketmq_core::interface::ClientConfig::namespace_v2).
    #[doc(alias = "setNamespaceV2")]
    pub fn namespace_v2(mut self, namespace: impl Into<String>) -> Self {
        self.config.namespace_v2 = Some(namespace.into());
        self
    }

    /// Messages are marked as those of a unit. Default: they are not.
    #[doc(alias = "setUnitMode")]
    pub fn unit_mode(mut self, on: bool) -> Self {
        self.config.unit_mode = on;
        self
    }

    /// The zone in which the client runs; all requests carry it. Default: none.
    #[doc(alias = "rocketmq.zone")]
    pub fn zone(mut self, zone: Zone) -> Self {
        self.config.zone = Some(zone);
        self
    }
}
