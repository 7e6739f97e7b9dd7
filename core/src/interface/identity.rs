//! Who a client is, and where it stands: address, instance, unit, zone.

use super::config::ConfigError;
use alloc::format;
use alloc::string::String;
use core::net::{IpAddr, Ipv4Addr};

/// Longest text of a field that all requests carry, in characters.
const MAX_FIELD_LEN: usize = 255;

/// Facts about this process. The driver finds them out; the core only copies them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The local address, for the client id and unique ids. Nobody connects to it.
    #[doc(alias = "setClientIP")]
    pub ip: IpAddr,
    /// The process id.
    pub pid: u32,
    /// The instance name; none, or Java's `DEFAULT`: process id and a number from the seed, so that two clients differ.
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

/// The zone in which a client runs (`rocketmq.zone`): all requests carry it. Name servers of 5.x leave brokers and queues of
/// other zones out of routes when `mode` is on.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
#[doc(alias = "ROCKETMQ_ZONE")]
pub struct Zone {
    /// Its name (`__ZONE_NAME`).
    pub name: String,
    /// Whether only brokers of this zone are wanted (`__ZONE_MODE`, `rocketmq.zone.mode`).
    pub mode: bool,
}

/// Refuses a text that no field of a request should have.
pub(super) fn check_field(field: &'static str, text: &str) -> Result<(), ConfigError> {
    let refuse = |reason: String| Err(ConfigError { field, reason });
    if text.trim().is_empty() {
        return refuse("is blank; leave it out instead".into());
    }
    if let Some(character) = text.chars().find(|character| character.is_control()) {
        return refuse(format!("has the control character {character:?}"));
    }
    let len = text.chars().count();
    if len > MAX_FIELD_LEN {
        return refuse(format!("has {len} characters, at most {MAX_FIELD_LEN} are allowed"));
    }
    Ok(())
}
