//! The settings of a client: who it is, whom it asks, and its limits.

use super::discovery::HttpDiscovery;
use super::latency_fault::LatencyFault;
use super::limits::{Limits, Timing};
use crate::command::LanguageCode;
use crate::ground::Rng;
use crate::ground::endpoint::NameServers;
use crate::ground::names::ClientId;
use crate::wire::SerializeType;
use alloc::format;
use alloc::string::{String, ToString};
use core::net::{IpAddr, Ipv4Addr};

/// A setting that cannot work.
#[derive(Clone, PartialEq, Eq, Debug, Hash, thiserror::Error)]
#[error("setting {field}: {reason}")]
pub struct ConfigError {
    /// The field's name.
    pub field: &'static str,
    /// What is wrong with it.
    pub reason: String,
}

/// Facts about this process. The driver finds them out; the core only copies them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The local address, for the client id and unique ids. Nobody connects to it.
    #[doc(alias = "setClientIP")]
    pub ip: IpAddr,
    /// The process id.
    pub pid: u32,
    /// The instance name; none: process id and a number from the seed, so that two clients differ.
    #[doc(alias = "setInstanceName")]
    pub instance_name: Option<String>,
    /// The unit name, appended to the client id.
    #[doc(alias = "setUnitName")]
    pub unit_name: Option<String>,
}

impl Default for Identity {
    fn default() -> Self {
        Self { ip: IpAddr::V4(Ipv4Addr::LOCALHOST), pid: 0, instance_name: None, unit_name: None }
    }
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
        self.client_id().map(drop)
    }

    /// `ip@instance[@unit]`, as brokers see it.
    ///
    /// # Errors
    /// When the instance or unit name cannot be part of a client id.
    pub fn client_id(&self) -> Result<ClientId, ConfigError> {
        let instance = match &self.identity.instance_name {
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
