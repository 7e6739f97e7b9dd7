//! Namespaces: names of topics and groups with a prefix, which servers take for a part of the name.
//!
//! Java has two kinds. The first ([`Namespace`]) wraps names as `namespace%name`; the second is a header field and leaves
//! names as they are.

use alloc::borrow::Cow;
use alloc::format;
use alloc::sync::Arc;
use core::fmt;
use core::str::FromStr;

use super::names::{CLIENT_INNER_PRODUCER, GroupName, MAX_GROUP_LEN, MAX_TOPIC_LEN, NameError, TopicName};

/// Stands between a namespace and a name (Java: `NAMESPACE_SEPARATOR`).
const SEPARATOR: char = '%';
/// Stay in front of the namespace (Java: `RETRY_GROUP_TOPIC_PREFIX`, `DLQ_GROUP_TOPIC_PREFIX`).
const PREFIXES: [&str; 2] = ["%RETRY%", "%DLQ%"];
/// Longest namespace in characters: with one of this length there is room for a name of two.
const MAX_NAMESPACE_LEN: usize = MAX_TOPIC_LEN - 3;

/// Names that are the same in all namespaces (Java: `TopicValidator`, the set of system topics).
const SYSTEM_NAMES: [&str; 10] = [
    "TBW102",
    "SCHEDULE_TOPIC_XXXX",
    "BenchmarkTest",
    "RMQ_SYS_TRANS_HALF_TOPIC",
    "RMQ_SYS_TRACE_TOPIC",
    "RMQ_SYS_TRANS_OP_HALF_TOPIC",
    "TRANS_CHECK_MAX_TIME_TOPIC",
    "SELF_TEST_TOPIC",
    "OFFSET_MOVED_EVENT",
    "CHECKPOINT_TOPIC",
];
/// Names that begin so are, too (Java: `SYSTEM_TOPIC_PREFIX`, `CID_RMQ_SYS_PREFIX`).
const SYSTEM_PREFIXES: [&str; 2] = ["rmq_sys_", "CID_RMQ_SYS_"];

/// A namespace of the first kind, such as `MQ_INST_4711_shop`: 1 to 124 characters out of ASCII letters, digits and `|_-`.
///
/// Servers know nothing of it: the topic `orders` is stored as `MQ_INST_4711_shop%orders`.
///
/// ```
/// use rocketmq_core::ground::namespace::Namespace;
///
/// let namespace: Namespace = "MQ_INST_4711_shop".parse()?;
/// assert_eq!(namespace.wrap("orders"), "MQ_INST_4711_shop%orders");
/// assert_eq!(namespace.wrap("%RETRY%clerks"), "%RETRY%MQ_INST_4711_shop%clerks");
/// assert_eq!(namespace.wrap("TBW102"), "TBW102");
/// assert_eq!(namespace.bare("MQ_INST_4711_shop%orders"), "orders");
/// # Ok::<(), rocketmq_core::ground::names::NameError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[doc(alias = "NamespaceUtil")]
pub struct Namespace(Arc<str>);

impl Namespace {
    /// The namespace as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of a topic or group as servers know it. Names of the system stay as they are, and so do names that have
    /// this namespace already.
    #[doc(alias = "wrapNamespace")]
    #[must_use]
    pub fn wrap<'a>(&self, name: &'a str) -> Cow<'a, str> {
        if name.is_empty() || self.has(name) {
            return Cow::Borrowed(name);
        }
        let (prefix, rest) = split(name);
        Cow::Owned(format!("{prefix}{self}{SEPARATOR}{rest}"))
    }

    /// The name without this namespace. Names of the system and those of other namespaces stay as they are, and so do a
    /// few that nobody gives: where wrapping the rest would not lead back, as with `namespace%TBW102`.
    #[doc(alias = "withoutNamespace")]
    #[must_use]
    pub fn bare<'a>(&self, name: &'a str) -> Cow<'a, str> {
        let Some((prefix, rest)) = self.own(name) else {
            return Cow::Borrowed(name);
        };
        let bare =
            if prefix.is_empty() { Cow::Borrowed(rest) } else { Cow::Owned(format!("{prefix}{rest}")) };
        if *self.wrap(&bare) == *name { bare } else { Cow::Borrowed(name) }
    }

    /// Whether a name on the wire is one that names of this namespace become: of the system, or with the namespace in it.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        is_system_name(name) || self.own(name).is_some()
    }

    /// Characters of a name as servers know it: all of them are ASCII.
    fn wrapped_len(&self, name: &str) -> usize {
        if self.has(name) { name.len() } else { name.len().saturating_add(self.0.len()).saturating_add(1) }
    }

    /// Prefix and rest of a name in this namespace.
    fn own<'a>(&self, name: &'a str) -> Option<(&'a str, &'a str)> {
        let (prefix, rest) = split(name);
        Some((prefix, rest.strip_prefix(self.as_str())?.strip_prefix(SEPARATOR)?))
    }

    /// The group as servers know it. The group that clients register for themselves has no namespace.
    #[must_use]
    pub fn wrap_group<'a>(&self, group: &'a str) -> Cow<'a, str> {
        if group == CLIENT_INNER_PRODUCER { Cow::Borrowed(group) } else { self.wrap(group) }
    }

    /// Refuses a topic that is too long with its namespace.
    ///
    /// # Errors
    /// The length with the namespace, and the limit.
    pub fn check_topic(&self, topic: &TopicName) -> Result<(), NameError> {
        check_len("topic with its namespace", self.wrapped_len(topic.as_str()), MAX_TOPIC_LEN)
    }

    /// Refuses a group that is too long with its namespace.
    ///
    /// # Errors
    /// The length with the namespace, and the limit.
    pub fn check_group(&self, group: &GroupName) -> Result<(), NameError> {
        check_len("group with its namespace", self.wrapped_len(group.as_str()), MAX_GROUP_LEN)
    }
}

fn check_len(what: &'static str, len: usize, max: usize) -> Result<(), NameError> {
    if len > max { Err(NameError::TooLong { what, len, max }) } else { Ok(()) }
}

/// A prefix that stays in front, and what is behind it.
fn split(name: &str) -> (&str, &str) {
    let found = PREFIXES.into_iter().find_map(|prefix| Some((prefix, name.strip_prefix(prefix)?)));
    found.unwrap_or(("", name))
}

fn is_system_name(name: &str) -> bool {
    SYSTEM_NAMES.contains(&name) || SYSTEM_PREFIXES.into_iter().any(|prefix| name.starts_with(prefix))
}

impl FromStr for Namespace {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let what = "namespace";
        if text.trim().is_empty() {
            return Err(NameError::Blank { what });
        }
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '|' | '_' | '-');
        if let Some((at, character)) = text.chars().enumerate().find(|(_, c)| !is_allowed(*c)) {
            return Err(NameError::IllegalCharacter { what, character, at });
        }
        let len = text.len();
        if len > MAX_NAMESPACE_LEN {
            return Err(NameError::TooLong { what, len, max: MAX_NAMESPACE_LEN });
        }
        Ok(Self(Arc::from(text)))
    }
}

impl TryFrom<&str> for Namespace {
    type Error = NameError;

    fn try_from(text: &str) -> Result<Self, NameError> {
        text.parse()
    }
}

impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

#[cfg(test)]
#[path = "namespace_tests.rs"]
mod tests;
