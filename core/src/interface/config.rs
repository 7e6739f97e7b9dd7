//! The settings of a client: who it is, whom it asks, and its limits.

use super::discovery::HttpDiscovery;
use super::identity::{Identity, Zone, check_field};
use super::latency_fault::LatencyFault;
use super::limits::{Limits, Timing};
use crate::command::LanguageCode;
use crate::ground::Rng;
use crate::ground::endpoint::NameServers;
use crate::ground::names::ClientId;
use crate::ground::namespace::Namespace;
use crate::request::naming::{Naming, SharedFields};
use crate::wire::SerializeType;
use alloc::format;
use alloc::string::{String, ToString};

/// Java's name of an instance that nobody has named: many have it, so it cannot tell them apart.
const DEFAULT_INSTANCE_NAME: &str = "DEFAULT";

/// A setting that cannot work.
#[derive(Clone, PartialEq, Eq, Debug, Hash, thiserror::Error)]
#[error("setting {field}: {reason}")]
pub struct ConfigError {
    /// The field's name.
    pub field: &'static str,
    /// What is wrong with it.
    pub reason: String,
}

/// The settings of a client.
///
/// ```
/// use rocketmq_core::client::ClientConfig;
///
/// let config = ClientConfig::new("10.0.0.1:9876;10.0.0.2:9876".parse()?, 42);
/// config.check()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// The name servers.
    #[doc(alias = "setNamesrvAddr")]
    pub name_servers: NameServers,
    /// Who is asked for the name servers over HTTP; none: nobody. Until the first answer, `name_servers` are used, which
    /// may be empty then.
    #[doc(alias = "fetchNameServerAddr")]
    pub discovery: Option<HttpDiscovery>,
    /// Who this is.
    pub identity: Identity,
    /// The namespace of topics and groups, Java's first kind: on the wire they are `namespace%name`, in all that is
    /// handed in and out they are bare. Lengths are limited with it.
    #[doc(alias = "setNamespace")]
    #[doc(alias = "NamespaceUtil")]
    pub namespace: Option<Namespace>,
    /// The namespace of the second kind: names stay as they are, and all requests carry it as ext field `ns`, with `nsd` =
    /// `true`. Open-source servers pass it over. With both kinds, both hold, as in Java.
    #[doc(alias = "setNamespaceV2")]
    #[doc(alias = "NamespaceRpcHook")]
    pub namespace_v2: Option<String>,
    /// Messages are marked as those of a unit (header field `unitMode`). Default false.
    #[doc(alias = "setUnitMode")]
    pub unit_mode: bool,
    /// The zone in which the client runs. Default none.
    #[doc(alias = "rocketmq.zone")]
    pub zone: Option<Zone>,
    /// All randomness of the client comes from this number. Two clients must not share it: unique ids hang on it.
    pub seed: u64,
    /// The form of the headers of our requests. Answers are read in either form.
    #[doc(alias = "rocketmq.serialize.type")]
    pub serialize_type: SerializeType,
    /// The language that we report.
    pub language: LanguageCode,
    /// Heartbeats of version 2 for brokers that know it, 5.1.3 and later: they carry a fingerprint, and what such a
    /// broker has heard is not repeated. Others get version 1. Default false, as Java.
    #[doc(alias = "setUseHeartbeatV2")]
    #[doc(alias = "com.rocketmq.heartbeat.v2")]
    pub heartbeat_v2: bool,
    /// Sends go to the brokers' second port, two below the one in the route (10909 for 10911), which real brokers keep free
    /// of consumers. While there is no connection to it that is well, they take the ordinary port, and wait for nothing. No
    /// heartbeats go there: a connection that was idle for a heartbeat's interval is opened anew. Messages with a sharding key
    /// or a chosen queue stay on the ordinary port, so that they keep their order. See
    /// [`Notice::VipChannelUnreachable`](crate::interface::Notice::VipChannelUnreachable). All else goes to the ordinary
    /// port. A proxy has no such port. Default false, as Java since 4.5.1.
    #[doc(alias = "setVipChannelEnabled")]
    #[doc(alias = "com.rocketmq.sendMessageWithVIPChannel")]
    pub vip_channel: bool,
    /// Avoids brokers that answer late or fail. Default none, as Java. What one producer learns of a broker holds for
    /// all producers of the client.
    #[doc(alias = "setSendLatencyFaultEnable")]
    #[doc(alias = "setSendLatencyEnable")]
    pub latency_fault: Option<LatencyFault>,
    /// Every period and time-out.
    pub timing: Timing,
    /// Every limit of number and size.
    pub limits: Limits,
}

impl ClientConfig {
    /// The defaults.
    #[must_use]
    pub fn new(name_servers: NameServers, seed: u64) -> Self {
        Self {
            name_servers,
            discovery: None,
            identity: Identity::default(),
            namespace: None,
            namespace_v2: None,
            unit_mode: false,
            zone: None,
            seed,
            serialize_type: SerializeType::Json,
            language: LanguageCode::Rust,
            heartbeat_v2: false,
            vip_channel: false,
            latency_fault: None,
            timing: Timing::default(),
            limits: Limits::default(),
        }
    }

    /// Refuses values that can never work, naming the field.
    ///
    /// # Errors
    /// The first field that is wrong, and why.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.timing.check()?;
        self.limits.check()?;
        if let Some(latency_fault) = &self.latency_fault {
            latency_fault.check()?;
        }
        if let (Some(_), Some(unit_name)) = (&self.discovery, &self.identity.unit_name) {
            HttpDiscovery::check_unit_name(unit_name)
                .map_err(|error| ConfigError { field: "unit_name", reason: error.to_string() })?;
        }
        if let Some(namespace) = &self.namespace_v2 {
            check_field("namespace_v2", namespace)?;
        }
        if let Some(zone) = &self.zone {
            check_field("zone", &zone.name)?;
        }
        self.naming()?;
        self.client_id().map(drop)
    }

    /// What these settings add to requests.
    pub(crate) fn naming(&self) -> Result<Naming, ConfigError> {
        let fields = SharedFields {
            namespace_v2: self.namespace_v2.as_deref(),
            zone_name: self.zone.as_ref().map(|zone| zone.name.as_str()),
            zone_mode: self.zone.as_ref().is_some_and(|zone| zone.mode),
        };
        Naming::new(self.namespace.clone(), fields)
            .map_err(|error| ConfigError { field: "namespace_v2", reason: error.to_string() })
    }

    /// `ip@instance[@unit]`, as brokers see it.
    ///
    /// # Errors
    /// When the instance or unit name cannot be part of a client id.
    pub fn client_id(&self) -> Result<ClientId, ConfigError> {
        let given = self.identity.instance_name.as_ref().filter(|name| *name != DEFAULT_INSTANCE_NAME);
        let instance = match given {
            Some(name) => name.clone(),
            None => {
                let number = Rng::new(self.seed).fork("instance-name").next_u64();
                format!("{}#{number}", self.identity.pid)
            }
        };
        ClientId::new(self.identity.ip, &instance, self.identity.unit_name.as_deref())
            .map_err(|error| ConfigError { field: "instance_name", reason: error.to_string() })
    }
}
