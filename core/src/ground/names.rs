//! Names that RocketMQ gives to things: checked once when they enter, then trusted.
//!
//! All of them share one text (`Arc<str>`), so a clone costs a reference count and nothing else.

use alloc::borrow::Borrow;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;
use core::net::IpAddr;
use core::str::FromStr;

/// Longest topic name in characters (Java: `TOPIC_MAX_LENGTH`).
pub const MAX_TOPIC_LEN: usize = 127;
/// Longest producer or consumer group name in characters (Java: `GROUP_MAX_LENGTH`).
pub const MAX_GROUP_LEN: usize = 120;
/// Longest broker name accepted from a server, in characters.
pub const MAX_BROKER_NAME_LEN: usize = 255;
/// Longest client id in characters.
pub const MAX_CLIENT_ID_LEN: usize = 255;

/// Topic whose route stands in for a topic that does not exist yet.
const DEFAULT_TOPIC: &str = "TBW102";

/// Topic that takes records of message trace (Java: `RMQ_SYS_TRACE_TOPIC`).
const TRACE_TOPIC: &str = "RMQ_SYS_TRACE_TOPIC";

/// Group under which a client sends what is its own, and not a user's (Java: `CLIENT_INNER_PRODUCER_GROUP`).
pub(crate) const CLIENT_INNER_PRODUCER: &str = "CLIENT_INNER_PRODUCER";

/// Group names that Java keeps for itself, with the reason why a user cannot have them.
const RESERVED_GROUPS: [(&str, &str); 2] = [
    ("DEFAULT_PRODUCER", "it is the name of a producer without a group"),
    (CLIENT_INNER_PRODUCER, "every client registers its own inner producer under it"),
];

/// Topics that only servers may write (Java: `TopicValidator`, the set forbidden to send).
const FORBIDDEN_TO_SEND: [&str; 6] = [
    "SCHEDULE_TOPIC_XXXX",
    "RMQ_SYS_TRANS_HALF_TOPIC",
    "RMQ_SYS_TRANS_OP_HALF_TOPIC",
    "TRANS_CHECK_MAX_TIME_TOPIC",
    "SELF_TEST_TOPIC",
    "OFFSET_MOVED_EVENT",
];

/// Why a text is not a usable name. Nothing was sent; correct the name and try again.
#[derive(Debug, Clone, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// The name is empty or consists of white space.
    #[error("the {what} is blank; give it a name")]
    Blank {
        /// Which kind of name, such as `topic`.
        what: &'static str,
    },
    /// The name has more characters than servers accept.
    #[error("the {what} has {len} characters, at most {max} are allowed; shorten it")]
    TooLong {
        /// Which kind of name, such as `topic`.
        what: &'static str,
        /// Length found, in UTF-16 units, the way Java counts.
        len: usize,
        /// Longest length allowed.
        max: usize,
    },
    /// The name has a character outside its alphabet.
    #[error("the {what} has the character {character:?} at position {at}; {}", alphabet(.what))]
    IllegalCharacter {
        /// Which kind of name, such as `topic`.
        what: &'static str,
        /// The first character that is not allowed.
        character: char,
        /// Its position, counted in characters from 0.
        at: usize,
    },
    /// The name belongs to RocketMQ itself.
    #[error("the {what} {name} is reserved: {reason}; choose another name")]
    Reserved {
        /// Which kind of name, such as `group`.
        what: &'static str,
        /// The reserved name.
        name: &'static str,
        /// Whose name it is.
        reason: &'static str,
    },
    /// The topic exists, but only servers may write to it.
    #[error("sending to the system topic {name} is forbidden; choose a topic of your own")]
    Forbidden {
        /// The system topic.
        name: TopicName,
    },
}

const TOPIC: &str = "topic";
const GROUP: &str = "group";
const BROKER_NAME: &str = "broker name";
const CLIENT_ID: &str = "client id";
const INSTANCE_NAME: &str = "instance name";

/// What to write instead, for the error text.
fn alphabet(what: &str) -> &'static str {
    match what {
        TOPIC | GROUP => "only ASCII letters, digits and % | _ - are allowed",
        _ => "control characters are not allowed",
    }
}

macro_rules! name_type {
    ($(#[$meta:meta])* $name:ident, $check:path) => {
        $(#[$meta])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NameError;
            fn from_str(text: &str) -> Result<Self, NameError> {
                $check(text)?;
                Ok(Self(Arc::from(text)))
            }
        }

        impl TryFrom<&str> for $name {
            type Error = NameError;
            fn try_from(text: &str) -> Result<Self, NameError> {
                text.parse()
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;
            fn try_from(text: String) -> Result<Self, NameError> {
                $check(&text)?;
                Ok(Self(Arc::from(text)))
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        // Lets a map keyed by names be searched with text: `Hash` and `Ord` are those of `str`.
        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                *self.0 == *other
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                *self.0 == **other
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, f)
            }
        }
    };
}

name_type! {
    /// Name of a topic: 1 to 127 characters out of ASCII letters, digits and `%|_-`.
    ///
    /// ```
    /// use rocketmq_core::ground::names::TopicName;
    /// let topic: TopicName = "orders".parse()?;
    /// assert_eq!(topic, "orders");
    /// assert!("../etc/passwd".parse::<TopicName>().is_err());
    /// # Ok::<(), rocketmq_core::ground::names::NameError>(())
    /// ```
    TopicName, check_topic
}

name_type! {
    /// Name of a producer group or consumer group: 1 to 120 characters out of ASCII letters, digits
    /// and `%|_-`, and none of the names RocketMQ keeps for itself.
    #[doc(alias = "producerGroup")]
    #[doc(alias = "ProducerGroup")]
    #[doc(alias = "setProducerGroup")]
    GroupName, check_group
}

name_type! {
    /// Name of a broker (a master and its slaves share it), as routes carry it: 1 to 255 characters,
    /// no control characters.
    BrokerName, check_broker_name
}

name_type! {
    /// Identifies one client instance to name servers and brokers: `ip@instance[@unit]`.
    ///
    /// Two live clients with an equal id are one client to a broker, so they must differ.
    #[doc(alias = "clientId")]
    #[doc(alias = "buildMQClientId")]
    ClientId, check_client_id
}

impl TopicName {
    /// The topic `TBW102`: brokers with automatic topic creation register it, and its route is used
    /// for topics that do not exist yet.
    #[doc(alias = "AUTO_CREATE_TOPIC_KEY_TOPIC")]
    #[doc(alias = "createTopicKey")]
    #[doc(alias = "TBW102")]
    #[must_use]
    pub fn default_topic() -> TopicName {
        TopicName(Arc::from(DEFAULT_TOPIC))
    }

    /// The topic `RMQ_SYS_TRACE_TOPIC`: records of message trace go there unless another topic is named.
    #[doc(alias = "RMQ_SYS_TRACE_TOPIC")]
    #[must_use]
    pub fn trace_topic() -> TopicName {
        TopicName(Arc::from(TRACE_TOPIC))
    }

    /// Whether clients must not send to this topic, because servers keep their own records in it.
    #[doc(alias = "isNotAllowedSendTopic")]
    #[must_use]
    pub fn is_forbidden_to_send(&self) -> bool {
        FORBIDDEN_TO_SEND.contains(&self.as_str())
    }
}

impl GroupName {
    /// The group `CLIENT_INNER_PRODUCER`, which no user can have.
    pub(crate) fn client_inner_producer() -> GroupName {
        GroupName(Arc::from(CLIENT_INNER_PRODUCER))
    }
}

impl ClientId {
    /// Builds `ip@instance` or, with a unit that is not blank, `ip@instance@unit`. An IPv6 address
    /// stands in brackets, as Java writes it.
    ///
    /// # Errors
    /// A blank instance name, a control character in either name, or a result longer than 255
    /// characters.
    ///
    /// ```
    /// use rocketmq_core::ground::names::ClientId;
    /// let id = ClientId::new([10, 0, 0, 7].into(), "4711#1", None)?;
    /// assert_eq!(id, "10.0.0.7@4711#1");
    /// # Ok::<(), rocketmq_core::ground::names::NameError>(())
    /// ```
    pub fn new(ip: IpAddr, instance_name: &str, unit: Option<&str>) -> Result<ClientId, NameError> {
        if instance_name.trim().is_empty() {
            return Err(NameError::Blank { what: INSTANCE_NAME });
        }
        let mut text = match ip {
            IpAddr::V4(v4) => format!("{v4}@{instance_name}"),
            IpAddr::V6(v6) => format!("[{v6}]@{instance_name}"),
        };
        if let Some(unit) = unit.filter(|unit| !unit.trim().is_empty()) {
            text.push('@');
            text.push_str(unit);
        }
        ClientId::try_from(text)
    }
}

fn check_topic(text: &str) -> Result<(), NameError> {
    check_common(TOPIC, text, MAX_TOPIC_LEN, is_name_character)
}

fn check_group(text: &str) -> Result<(), NameError> {
    check_common(GROUP, text, MAX_GROUP_LEN, is_name_character)?;
    match RESERVED_GROUPS.into_iter().find(|(name, _)| *name == text) {
        Some((name, reason)) => Err(NameError::Reserved { what: GROUP, name, reason }),
        None => Ok(()),
    }
}

fn check_broker_name(text: &str) -> Result<(), NameError> {
    check_common(BROKER_NAME, text, MAX_BROKER_NAME_LEN, |c| !c.is_control())
}

fn check_client_id(text: &str) -> Result<(), NameError> {
    check_common(CLIENT_ID, text, MAX_CLIENT_ID_LEN, |c| !c.is_control())
}

/// Java's order of checks: blank, length, characters.
fn check_common(
    what: &'static str,
    text: &str,
    max: usize,
    allowed: impl Fn(char) -> bool,
) -> Result<(), NameError> {
    if text.trim().is_empty() {
        return Err(NameError::Blank { what });
    }
    let len = text.chars().map(char::len_utf16).sum();
    if len > max {
        return Err(NameError::TooLong { what, len, max });
    }
    match text.chars().enumerate().find(|(_, c)| !allowed(*c)) {
        Some((at, character)) => Err(NameError::IllegalCharacter { what, character, at }),
        None => Ok(()),
    }
}

/// The alphabet of topics and groups: `^[%|a-zA-Z0-9_-]+$`.
fn is_name_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '%' | '|' | '_' | '-')
}

#[cfg(test)]
#[path = "names_tests.rs"]
mod tests;
