//! Where servers listen: one host and port, and the list of name servers.

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::net::{Ipv6Addr, SocketAddr};
use core::str::FromStr;

/// Longest host in bytes: no DNS name is longer.
pub const MAX_HOST_LEN: usize = 255;
/// Most name servers one list may hold.
pub const MAX_NAME_SERVERS: usize = 64;

/// How much of a wrong text an error repeats, in characters.
const EXCERPT_LEN: usize = 80;

/// A host (DNS name, IPv4 or IPv6 address) and a TCP port.
///
/// Written `host:port`, an IPv6 address as `[addr]:port`. Two endpoints are equal when their texts
/// are; names are not resolved.
///
/// ```
/// use rocketmq_core::ground::endpoint::Endpoint;
/// let endpoint: Endpoint = "[::1]:9876".parse()?;
/// assert_eq!((endpoint.host(), endpoint.port()), ("::1", 9876));
/// assert_eq!(endpoint.to_string(), "[::1]:9876");
/// # Ok::<(), rocketmq_core::ground::endpoint::EndpointError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    host: Arc<str>,
    port: u16,
}

/// Why a text is not an endpoint. The text is repeated up to 80 characters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// There is no `:port` at the end.
    #[error("{text:?} has no port; write host:port")]
    MissingPort {
        /// The text as given.
        text: String,
    },
    /// What follows the last colon is not a port.
    #[error("{port:?} in {text:?} is not a port; write a number from 1 to 65535")]
    BadPort {
        /// The text as given.
        text: String,
        /// What stands in the place of the port.
        port: String,
    },
    /// Nothing stands before the port.
    #[error("{text:?} has no host; write host:port")]
    EmptyHost {
        /// The text as given.
        text: String,
    },
    /// The host is longer than any DNS name.
    #[error("the host of {text:?} has {len} bytes, at most {MAX_HOST_LEN} are allowed")]
    HostTooLong {
        /// The text as given.
        text: String,
        /// Length of the host in bytes.
        len: usize,
    },
    /// The host has a character that no host has: a blank, a control character, a slash.
    #[error("the host of {text:?} has the character {character:?}; write host:port and nothing else")]
    IllegalCharacter {
        /// The text as given.
        text: String,
        /// The first such character.
        character: char,
    },
    /// The host has colons or brackets but is not an IPv6 address.
    #[error("the host of {text:?} is not an IPv6 address; write [address]:port")]
    BadIpv6 {
        /// The text as given.
        text: String,
    },
}

impl Endpoint {
    /// An endpoint from its parts. An IPv6 address may stand with or without brackets.
    ///
    /// # Errors
    /// Port 0, and every host that the text form would refuse.
    pub fn new(host: &str, port: u16) -> Result<Endpoint, EndpointError> {
        let host = check_host(host, host)?;
        if port == 0 {
            return Err(EndpointError::BadPort { text: excerpt(host), port: String::from("0") });
        }
        Ok(Endpoint { host: Arc::from(host), port })
    }

    /// The host; an IPv6 address without its brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The TCP port, never 0.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    /// Splits at the last colon, as servers and Java do: brokers configured with a bare IPv6
    /// address announce `addr:port` without brackets.
    fn from_str(text: &str) -> Result<Endpoint, EndpointError> {
        let missing = || EndpointError::MissingPort { text: excerpt(text) };
        let (host, port) = text.rsplit_once(':').ok_or_else(missing)?;
        if host.starts_with('[') && !host.ends_with(']') {
            // `[::1]`: the last colon is inside the brackets.
            return Err(if text.ends_with(']') {
                missing()
            } else {
                EndpointError::BadIpv6 { text: excerpt(text) }
            });
        }
        let host = check_host(text, host)?;
        let port = parse_port(text, port)?;
        Ok(Endpoint { host: Arc::from(host), port })
    }
}

impl TryFrom<&str> for Endpoint {
    type Error = EndpointError;
    fn try_from(text: &str) -> Result<Endpoint, EndpointError> {
        text.parse()
    }
}

impl TryFrom<SocketAddr> for Endpoint {
    type Error = EndpointError;
    fn try_from(address: SocketAddr) -> Result<Endpoint, EndpointError> {
        Endpoint::new(&address.ip().to_string(), address.port())
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The host without brackets, or why it is none.
fn check_host<'a>(text: &str, host: &'a str) -> Result<&'a str, EndpointError> {
    if host.trim().is_empty() || host == "[]" {
        return Err(EndpointError::EmptyHost { text: excerpt(text) });
    }
    if host.len() > MAX_HOST_LEN {
        return Err(EndpointError::HostTooLong { text: excerpt(text), len: host.len() });
    }
    let illegal = |c: &char| c.is_control() || c.is_whitespace() || matches!(c, '/' | ';' | ',' | '@');
    if let Some(character) = host.chars().find(illegal) {
        return Err(EndpointError::IllegalCharacter { text: excerpt(text), character });
    }
    let inner = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
    let bare = inner.unwrap_or(host);
    let looks_like_ipv6 = inner.is_some() || bare.contains([':', '[', ']']);
    if looks_like_ipv6 && !is_ipv6(bare) {
        return Err(EndpointError::BadIpv6 { text: excerpt(text) });
    }
    Ok(bare)
}

/// An IPv6 address, with or without a zone such as `%eth0`.
fn is_ipv6(text: &str) -> bool {
    match text.split_once('%') {
        Some((address, zone)) => {
            !zone.is_empty() && !zone.contains([':', '[', ']', '%']) && address.parse::<Ipv6Addr>().is_ok()
        }
        None => text.parse::<Ipv6Addr>().is_ok(),
    }
}

fn parse_port(text: &str, port: &str) -> Result<u16, EndpointError> {
    // `u16::from_str` takes a leading plus sign, which no one means.
    let digits = !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
    match port.parse::<u16>() {
        Ok(number) if digits && number != 0 => Ok(number),
        _ if port.is_empty() => Err(EndpointError::MissingPort { text: excerpt(text) }),
        _ => Err(EndpointError::BadPort { text: excerpt(text), port: excerpt(port) }),
    }
}

fn excerpt(text: &str) -> String {
    text.chars().take(EXCERPT_LEN).collect()
}

/// The name servers of a cluster: up to 64 different endpoints, in the order given. A clone is
/// cheap.
///
/// ```
/// use rocketmq_core::ground::endpoint::NameServers;
/// let servers: NameServers = "ns1:9876; ns2:9876".parse()?;
/// assert_eq!(servers.len(), 2);
/// # Ok::<(), rocketmq_core::ground::endpoint::NameServersError>(())
/// ```
#[doc(alias = "namesrvAddr")]
#[doc(alias = "setNamesrvAddr")]
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct NameServers(Arc<[Endpoint]>);

/// Why a text is not a list of name servers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameServersError {
    /// No item at all.
    #[error("the list of name servers is empty; write host:port, several separated by ';'")]
    Empty,
    /// An item is not an endpoint.
    #[error("name server {item:?} is not usable: {source}")]
    BadItem {
        /// The item as given, up to 80 characters.
        item: String,
        /// What is wrong with it.
        source: EndpointError,
    },
    /// More different items than one list may hold.
    #[error("the list has more than {MAX_NAME_SERVERS} name servers; a client needs a few of them only")]
    TooMany,
}

impl NameServers {
    /// No name server: the client starts, and everything that needs a route fails with that reason
    /// until a list is given.
    #[must_use]
    pub fn none() -> NameServers {
        NameServers(Arc::from(Vec::new()))
    }

    /// A list from endpoints; duplicates are dropped.
    ///
    /// # Errors
    /// No endpoint, or more than 64 different ones.
    pub fn from_endpoints(
        endpoints: impl IntoIterator<Item = Endpoint>,
    ) -> Result<NameServers, NameServersError> {
        let mut list = Vec::new();
        for endpoint in endpoints {
            push_distinct(&mut list, endpoint)?;
        }
        finish(list)
    }

    /// The endpoints in the order given.
    pub fn iter(&self) -> core::slice::Iter<'_, Endpoint> {
        self.0.iter()
    }

    /// The endpoints in the order given.
    #[must_use]
    pub fn as_slice(&self) -> &[Endpoint] {
        &self.0
    }

    /// Number of endpoints, at most 64.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none, see [`NameServers::none`].
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether both name the same servers, in any order.
    #[must_use]
    pub fn same_servers(&self, other: &NameServers) -> bool {
        // Neither holds one twice.
        self.len() == other.len() && self.iter().all(|endpoint| other.0.contains(endpoint))
    }
}

impl FromStr for NameServers {
    type Err = NameServersError;

    /// Items are separated by `;` and trimmed; empty items and duplicates are dropped. An item of
    /// the form `http://instance.host:port` counts as what follows its last slash, as in Java.
    fn from_str(text: &str) -> Result<NameServers, NameServersError> {
        let mut list = Vec::new();
        for item in text.split(';').map(str::trim).filter(|i| !i.is_empty()) {
            let address = match item.strip_prefix("http://") {
                Some(rest) => rest.rsplit('/').next().unwrap_or(rest),
                None => item,
            };
            let endpoint = address
                .parse()
                .map_err(|source| NameServersError::BadItem { item: excerpt(item), source })?;
            push_distinct(&mut list, endpoint)?;
        }
        finish(list)
    }
}

fn push_distinct(list: &mut Vec<Endpoint>, endpoint: Endpoint) -> Result<(), NameServersError> {
    if list.contains(&endpoint) {
        return Ok(());
    }
    if list.len() == MAX_NAME_SERVERS {
        return Err(NameServersError::TooMany);
    }
    list.push(endpoint);
    Ok(())
}

fn finish(list: Vec<Endpoint>) -> Result<NameServers, NameServersError> {
    if list.is_empty() {
        return Err(NameServersError::Empty);
    }
    Ok(NameServers(Arc::from(list)))
}

impl TryFrom<&str> for NameServers {
    type Error = NameServersError;
    fn try_from(text: &str) -> Result<NameServers, NameServersError> {
        text.parse()
    }
}

impl TryFrom<String> for NameServers {
    type Error = NameServersError;
    fn try_from(text: String) -> Result<NameServers, NameServersError> {
        text.parse()
    }
}

impl From<Endpoint> for NameServers {
    fn from(endpoint: Endpoint) -> NameServers {
        NameServers(Arc::from([endpoint]))
    }
}

impl<'a> IntoIterator for &'a NameServers {
    type Item = &'a Endpoint;
    type IntoIter = core::slice::Iter<'a, Endpoint>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for NameServers {
    /// The form that parsing reads: items separated by `;`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, endpoint) in self.iter().enumerate() {
            if index > 0 {
                f.write_str(";")?;
            }
            fmt::Display::fmt(endpoint, f)?;
        }
        Ok(())
    }
}

impl fmt::Debug for NameServers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(test)]
#[path = "endpoint_tests.rs"]
mod tests;
