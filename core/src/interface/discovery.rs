//! Where name servers are looked up over HTTP, and why a look-up failed.

use super::action::LostReason;
use crate::ground::endpoint::{Endpoint, EndpointError, NameServers, NameServersError};
use crate::wire::{HttpAnswer, HttpError};
use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use core::fmt;
use core::str::FromStr;

/// The path that Java asks for: the folder, and the default sub-group.
const FOLDER: &str = "/rocketmq/";
const DEFAULT_SUB_GROUP: &str = "nsaddr";
/// The port of a domain without one, as in Java.
const DOMAIN_PORT: u16 = 8080;
/// The port of a URL without one, as everywhere.
const URL_PORT: u16 = 80;
/// The name of the version that we report, as Java writes it here.
const CLIENT_VERSION: &str = "V5_5_0";
/// Longest path and longest parameters, in bytes.
const MOST_BYTES: usize = 1_024;

/// An HTTP server that knows the name servers: it is asked `GET http://<domain>:8080/rocketmq/nsaddr` when the client
/// starts and every [`Timing::name_server_interval`](super::Timing::name_server_interval), and answers with a list such
/// as `10.0.0.1:9876;10.0.0.2:9876`.
///
/// The unit name of the client, if it has one, is appended to the path as Java does it:
/// `/rocketmq/nsaddr-<unit>?nofix=1`. There is no HTTPS, and redirects are not followed. Recordings and errors show the
/// URL, so it is no place for a secret.
///
/// ```
/// use rocketmq_core::interface::HttpDiscovery;
///
/// let discovery = HttpDiscovery::new("jmenv.example.net")?;
/// assert_eq!(discovery.to_string(), "http://jmenv.example.net:8080/rocketmq/nsaddr");
/// assert_eq!(discovery.sub_group("test")?.target(Some("u1")), "/rocketmq/test-u1?nofix=1");
/// let discovery: HttpDiscovery = "http://10.0.0.9/servers?zone=a".parse()?;
/// assert_eq!((discovery.endpoint().port(), discovery.target(None).as_str()), (80, "/servers?zone=a"));
/// # Ok::<(), rocketmq_core::interface::HttpDiscoveryError>(())
/// ```
#[doc(alias = "TopAddressing")]
#[doc(alias = "rocketmq.namesrv.domain")]
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct HttpDiscovery {
    endpoint: Endpoint,
    path: String,
    parameters: String,
}

/// Why a text names no HTTP server to ask for name servers.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HttpDiscoveryError {
    /// The host or its port is wrong.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// Another scheme than `http`.
    #[error("discovery speaks plain HTTP only; write http://host:port/path, or the domain alone")]
    Scheme,
    /// The path or the parameters have a character that no request line has: a blank, a control character, `#`, or one
    /// that is not ASCII.
    #[error("the character {0:?} cannot be part of a path of discovery")]
    IllegalCharacter(char),
    /// The path or the parameters are too long.
    #[error("the path of discovery has {0} bytes, at most {MOST_BYTES} are allowed")]
    TooLong(usize),
    /// The sub-group is empty.
    #[error("the sub-group of discovery is empty")]
    EmptySubGroup,
}

impl HttpDiscovery {
    /// The server at this domain, with port 8080 unless the text has one, and the path `/rocketmq/nsaddr`.
    ///
    /// # Errors
    /// The domain is no host, or has a bad port.
    pub fn new(domain: &str) -> Result<Self, HttpDiscoveryError> {
        Ok(Self {
            endpoint: endpoint(domain, DOMAIN_PORT)?,
            path: format!("{FOLDER}{DEFAULT_SUB_GROUP}"),
            parameters: String::new(),
        })
    }

    /// With the path `/rocketmq/<sub_group>`.
    ///
    /// # Errors
    /// The sub-group is empty, too long, or cannot be part of a path.
    #[doc(alias = "rocketmq.namesrv.domain.subgroup")]
    pub fn sub_group(self, sub_group: &str) -> Result<Self, HttpDiscoveryError> {
        if sub_group.is_empty() {
            return Err(HttpDiscoveryError::EmptySubGroup);
        }
        if let Some(character) = sub_group.chars().find(|c| *c == '?') {
            return Err(HttpDiscoveryError::IllegalCharacter(character));
        }
        check(sub_group)?;
        Ok(Self { path: format!("{FOLDER}{sub_group}"), ..self })
    }

    /// Which server is asked.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// What it is asked for: path and parameters, for a client with this unit name.
    #[must_use]
    pub fn target(&self, unit_name: Option<&str>) -> String {
        let unit = unit_name.map(|unit| format!("-{unit}?nofix=1")).unwrap_or_default();
        let joint = match (self.parameters.is_empty(), unit_name) {
            (true, _) => "",
            (false, Some(_)) => "&",
            (false, None) => "?",
        };
        format!("{}{unit}{joint}{}", self.path, self.parameters)
    }

    /// The whole question, with the headers that Java sends. `unix_ms`: milliseconds since 1970.
    #[must_use]
    pub fn question(&self, unit_name: Option<&str>, unix_ms: i64) -> String {
        let (target, host) = (self.target(unit_name), host_header(&self.endpoint));
        format!(
            "GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nAccept-Encoding: identity\r\n\
             Client-Version: {CLIENT_VERSION}\r\n\
             Content-Type: application/x-www-form-urlencoded;charset=UTF-8\r\n\
             Metaq-Client-RequestTS: {unix_ms}\r\n\r\n"
        )
    }

    /// The list that an answer brought, once it is complete or its connection has ended: the first line of the body, with
    /// status 200.
    ///
    /// # Errors
    /// Why there is no list.
    pub fn list(answer: &HttpAnswer) -> Result<NameServers, DiscoveryError> {
        let (status, body) = answer.finish()?;
        if status != 200 {
            return Err(DiscoveryError::Status(status));
        }
        let text = String::from_utf8_lossy(body);
        match text.trim().split(['\r', '\n']).next().unwrap_or_default().trim() {
            "" => Err(DiscoveryError::Empty),
            line => line.parse().map_err(|error: NameServersError| {
                DiscoveryError::BadList(super::clean_text(&error.to_string()))
            }),
        }
    }

    /// Why a unit name cannot be part of the path, if it cannot.
    pub(crate) fn check_unit_name(unit_name: &str) -> Result<(), HttpDiscoveryError> {
        check(unit_name)
    }
}

impl FromStr for HttpDiscovery {
    type Err = HttpDiscoveryError;

    /// A domain as for [`HttpDiscovery::new`], or a URL, whose port is 80 and whose path is `/rocketmq/nsaddr` unless it
    /// has others.
    fn from_str(text: &str) -> Result<Self, HttpDiscoveryError> {
        let (rest, port) = match text.split_once("://") {
            None => (text, DOMAIN_PORT),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => (rest, URL_PORT),
            Some(_) => return Err(HttpDiscoveryError::Scheme),
        };
        let (host, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let (path, parameters) = target.split_once('?').unwrap_or((target, ""));
        check(path)?;
        check(parameters)?;
        let path = match path {
            "" | "/" => format!("{FOLDER}{DEFAULT_SUB_GROUP}"),
            path => path.to_owned(),
        };
        Ok(Self { endpoint: endpoint(host, port)?, path, parameters: parameters.to_owned() })
    }
}

impl TryFrom<&str> for HttpDiscovery {
    type Error = HttpDiscoveryError;
    fn try_from(text: &str) -> Result<Self, HttpDiscoveryError> {
        text.parse()
    }
}

impl TryFrom<String> for HttpDiscovery {
    type Error = HttpDiscoveryError;
    fn try_from(text: String) -> Result<Self, HttpDiscoveryError> {
        text.parse()
    }
}

impl fmt::Display for HttpDiscovery {
    /// The URL, without a unit name: the form that parsing reads.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}{}", self.endpoint, self.target(None))
    }
}

impl fmt::Debug for HttpDiscovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The value of the header `Host`: an IPv6 zone means nothing to others.
fn host_header(endpoint: &Endpoint) -> String {
    match endpoint.host().split_once('%') {
        Some((address, _)) => format!("[{address}]:{}", endpoint.port()),
        None => endpoint.to_string(),
    }
}

/// A host with the port that it has, or this one.
fn endpoint(text: &str, port: u16) -> Result<Endpoint, EndpointError> {
    // The colons of an IPv6 address stand in brackets.
    let behind_brackets = text.rsplit(']').next().unwrap_or(text);
    if behind_brackets.contains(':') { text.parse() } else { Endpoint::new(text, port) }
}

fn check(text: &str) -> Result<(), HttpDiscoveryError> {
    if text.len() > MOST_BYTES {
        return Err(HttpDiscoveryError::TooLong(text.len()));
    }
    match text.chars().find(|c| !c.is_ascii_graphic() || *c == '#') {
        Some(character) => Err(HttpDiscoveryError::IllegalCharacter(character)),
        None => Ok(()),
    }
}

/// Why HTTP discovery brought no list of name servers.
#[derive(Clone, PartialEq, Eq, Debug, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum DiscoveryError {
    /// The first answer has not come yet.
    #[error("no answer yet")]
    NoAnswerYet,
    /// The server did not answer in time.
    #[error("no answer in time")]
    Timeout,
    /// The connection could not be opened, or ended.
    #[error("connection failed: {0}")]
    Connection(LostReason),
    /// The answer is no HTTP, or breaks a limit.
    #[error("{0}")]
    BadAnswer(#[from] HttpError),
    /// The server answered with another status than 200.
    #[error("HTTP status {0}")]
    Status(u16),
    /// The answer names no name server.
    #[error("the answer names no name server")]
    Empty,
    /// The answer is no list of name servers. Escaped and capped.
    #[error("the answer is no list of name servers: {0}")]
    BadList(String),
}

#[cfg(test)]
mod tests {
    use super::{HttpDiscovery, HttpDiscoveryError as Error};
    use alloc::string::{String, ToString};

    fn shown(text: &str) -> Result<String, Error> {
        text.parse::<HttpDiscovery>().map(|discovery| discovery.to_string())
    }

    #[test]
    fn domains_and_urls_are_read() {
        for (text, url) in [
            ("jmenv.tbsite.net", "http://jmenv.tbsite.net:8080/rocketmq/nsaddr"),
            ("jmenv:80", "http://jmenv:80/rocketmq/nsaddr"),
            ("[::1]", "http://[::1]:8080/rocketmq/nsaddr"),
            ("[::1]:81", "http://[::1]:81/rocketmq/nsaddr"),
            ("HTTP://a", "http://a:80/rocketmq/nsaddr"),
            ("http://a:8080/", "http://a:8080/rocketmq/nsaddr"),
            ("http://a/x/y", "http://a:80/x/y"),
            ("http://a?k=v&l=", "http://a:80/rocketmq/nsaddr?k=v&l="),
        ] {
            assert_eq!(shown(text).as_deref(), Ok(url), "{text:?}");
            assert_eq!(shown(url).as_deref(), Ok(url));
        }
    }

    #[test]
    fn what_cannot_be_asked_is_refused() {
        assert_eq!(shown("https://a/"), Err(Error::Scheme));
        assert_eq!(shown("http://a/x y"), Err(Error::IllegalCharacter(' ')));
        assert_eq!(shown("http://a/x\r\nHost: b"), Err(Error::IllegalCharacter('\r')));
        assert_eq!(shown("http://a/#x"), Err(Error::IllegalCharacter('#')));
        assert_eq!(shown("http://a/é"), Err(Error::IllegalCharacter('é')));
        for text in ["", "http://", "http:///x", "a:0", "a b", "user@a"] {
            assert!(matches!(shown(text), Err(Error::Endpoint(_))), "{text:?}");
        }
        assert_eq!(shown(&("http://a/".to_string() + &"x".repeat(1_024))), Err(Error::TooLong(1_025)));
        let discovery = HttpDiscovery::new("a").unwrap();
        assert_eq!(discovery.clone().sub_group(""), Err(Error::EmptySubGroup));
        assert_eq!(discovery.sub_group("a?b"), Err(Error::IllegalCharacter('?')));
    }

    #[test]
    fn a_zone_stays_at_home() {
        let discovery = HttpDiscovery::new("[fe80::1%eth0]").unwrap();
        let question = discovery.question(None, 5);
        assert!(question.contains("\r\nHost: [fe80::1]:8080\r\n"), "{question}");
    }

    #[test]
    fn unit_and_parameters_are_appended_as_java_does() {
        let plain = HttpDiscovery::new("a").unwrap();
        assert_eq!(plain.target(None), "/rocketmq/nsaddr");
        assert_eq!(plain.target(Some("u")), "/rocketmq/nsaddr-u?nofix=1");
        let with: HttpDiscovery = "http://a?k=v".parse().unwrap();
        assert_eq!(with.target(None), "/rocketmq/nsaddr?k=v");
        assert_eq!(with.target(Some("u")), "/rocketmq/nsaddr-u?nofix=1&k=v");
    }
}
