//! Name servers from where users of the Java client are used to put them: the environment, and files of properties.

use crate::client::{Client, ClientBuilder};
use crate::error::wrong;
use rocketmq_core::ground::endpoint::NameServers;
use rocketmq_core::interface::{ConfigError, HttpDiscovery};
use std::fmt::Display;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The environment variable with the list of name servers.
pub const NAMESRV_ADDR: &str = "NAMESRV_ADDR";
/// A file of properties is a page or two; more than this is something else.
const LARGEST_FILE: u64 = 1024 * 1024;

/// What Java calls the list, as a system property and in configuration files.
const LISTS: [&str; 2] = ["rocketmq.namesrv.addr", "namesrvAddr"];
/// What it calls the host of HTTP discovery.
const DOMAINS: [&str; 2] = ["rocketmq.namesrv.domain", "rmqAddressServerDomain"];
/// What it calls the last part of the path of HTTP discovery.
const SUB_GROUPS: [&str; 2] = ["rocketmq.namesrv.domain.subgroup", "rmqAddressServerSubGroup"];

/// Where name servers come from: a list, an HTTP server, or both.
type Source = (NameServers, Option<HttpDiscovery>);

impl Client {
    /// Starts the settings of a client whose name servers stand in the environment variable `NAMESRV_ADDR`, as in Java:
    /// `10.0.0.1:9876;10.0.0.2:9876`. It is read now. When it is missing, empty or wrong, the client is refused when it
    /// is built.
    #[doc(alias = "NAMESRV_ADDR")]
    pub fn builder_from_environment() -> ClientBuilder {
        let list = std::env::var(NAMESRV_ADDR).unwrap_or_default();
        ClientBuilder::from_source(from_environment(&list))
    }

    /// Starts the settings of a client whose name servers stand in a file of Java properties. It is read now. When it
    /// cannot be read or names none, the client is refused when it is built.
    ///
    /// | property | or | meaning |
    /// |---|---|---|
    /// | `rocketmq.namesrv.addr` | `namesrvAddr` | the list |
    /// | `rocketmq.namesrv.domain` | `rmqAddressServerDomain` | without a list: the host of [`HttpDiscovery`] |
    /// | `rocketmq.namesrv.domain.subgroup` | `rmqAddressServerSubGroup` | its sub-group |
    ///
    /// Other properties mean nothing here.
    #[doc(alias = "rocketmq.namesrv.addr")]
    pub fn builder_from_properties(file: impl AsRef<Path>) -> ClientBuilder {
        let file = file.as_ref();
        let unreadable = |error| wrong("properties", format!("{}: {error}", file.display()));
        ClientBuilder::from_source(read(file).map_err(unreadable).and_then(|text| from_properties(&text)))
    }

    /// Starts the settings of a client that asks an HTTP server for its name servers: a domain as in Java
    /// (`jmenv.example.net`), a URL (`http://10.0.0.9:8080/rocketmq/nsaddr`), or an [`HttpDiscovery`].
    ///
    /// What cannot be asked is refused when the client is built.
    #[doc(alias = "fetchNameServerAddr")]
    pub fn builder_with_discovery<D>(discovery: D) -> ClientBuilder
    where
        D: TryInto<HttpDiscovery>,
        D::Error: Display,
    {
        let discovery = discovery.try_into().map_err(|error| wrong("discovery", error));
        ClientBuilder::from_source(discovery.map(|discovery| (NameServers::none(), Some(discovery))))
    }
}

fn read(file: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(file)?.take(LARGEST_FILE + 1).read_to_string(&mut text)?;
    if text.len() as u64 > LARGEST_FILE {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "too large for a file of properties"));
    }
    Ok(text)
}

fn from_environment(list: &str) -> Result<Source, ConfigError> {
    if list.trim().is_empty() {
        return Err(wrong(NAMESRV_ADDR, "the environment variable is not set or is empty"));
    }
    let list = list.parse().map_err(|error| wrong(NAMESRV_ADDR, error))?;
    Ok((list, None))
}

fn from_properties(text: &str) -> Result<Source, ConfigError> {
    let properties = properties(text);
    // The last one counts, as in Java.
    let value = |names: [&'static str; 2]| {
        let found = |name: &'static str| {
            let value =
                properties.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.trim());
            value.filter(|value| !value.is_empty()).map(|value| (name, value))
        };
        names.into_iter().find_map(found)
    };
    if let Some((name, list)) = value(LISTS) {
        return Ok((list.parse().map_err(|error| wrong(name, error))?, None));
    }
    let Some((name, domain)) = value(DOMAINS) else {
        return Err(wrong(LISTS[0], format!("the file has neither this property nor {}", DOMAINS[0])));
    };
    let mut discovery: HttpDiscovery = domain.parse().map_err(|error| wrong(name, error))?;
    if let Some((name, sub_group)) = value(SUB_GROUPS) {
        discovery = discovery.sub_group(sub_group).map_err(|error| wrong(name, error))?;
    }
    Ok((NameServers::none(), Some(discovery)))
}

/// Names and values, in order: `name=value`, `name: value` or `name value`; `#` and `!` start comments, a backslash at
/// the end of a line joins the next one to it, and takes its meaning from any other character that follows.
fn properties(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let line = line.trim_start();
        if line.is_empty() || line.starts_with(['#', '!']) {
            continue;
        }
        let mut whole = line.to_owned();
        while (whole.len() - whole.trim_end_matches('\\').len()) % 2 == 1 {
            whole.pop();
            match lines.next() {
                Some(next) => whole.push_str(next.trim_start()),
                None => break,
            }
        }
        found.push(property(&whole));
    }
    found
}

fn property(line: &str) -> (String, String) {
    let (mut name, mut value) = (String::new(), String::new());
    // How far this is: in the name, in the blanks behind it, behind the separator, in the value.
    let mut stage = 0;
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        let escaped = character == '\\';
        let character = if escaped { characters.next().unwrap_or('\\') } else { character };
        let blank = !escaped && character.is_whitespace();
        let separator = !escaped && matches!(character, '=' | ':');
        match stage {
            0 if blank => stage = 1,
            0 | 1 if separator => stage = 2,
            0 => name.push(character),
            1 | 2 if blank => {}
            _ => {
                stage = 3;
                value.push(character);
            }
        }
    }
    (name, value)
}

#[cfg(test)]
mod tests {
    use super::{NAMESRV_ADDR, from_environment, from_properties};

    /// The list and the URL, or the setting that is wrong.
    fn found(text: &str) -> Result<(String, String), &'static str> {
        from_properties(text)
            .map(|(list, discovery)| {
                (list.to_string(), discovery.map(|it| it.to_string()).unwrap_or_default())
            })
            .map_err(|error| error.field)
    }

    fn list(text: &str) -> Result<(String, String), &'static str> {
        Ok((text.into(), String::new()))
    }

    #[test]
    fn the_environment_holds_a_list() {
        let (servers, discovery) = from_environment("a:1; b:2").unwrap();
        assert_eq!((servers.len(), discovery), (2, None));
        for wrong in ["", "  ", "a", "a:1;b"] {
            assert_eq!(from_environment(wrong).unwrap_err().field, NAMESRV_ADDR, "{wrong:?}");
        }
    }

    #[test]
    fn properties_are_read_as_java_reads_them() {
        assert_eq!(found("# a comment\n! and one\n\n  namesrvAddr = a:1;b:2 \n"), list("a:1;b:2"));
        // As Java writes them.
        assert_eq!(found("rocketmq.namesrv.addr=a\\:1;b\\:2"), list("a:1;b:2"));
        assert_eq!(found("rocketmq.namesrv.addr a:1;\\\n   b:2"), list("a:1;b:2"));
        assert_eq!(found("rocketmq.namesrv.addr: a:1\r\nrocketmq.namesrv.addr: b:2\r\n"), list("b:2"));
        assert_eq!(
            found("namesrvAddr=a:1\nrocketmq.namesrv.addr=b:2\nrocketmq.namesrv.domain=c"),
            list("b:2")
        );
        assert_eq!(found("namesrvAddr=a:1\\"), list("a:1"));
    }

    #[test]
    fn without_a_list_there_may_be_discovery() {
        let url = |url: &str| Ok((String::new(), url.to_owned()));
        assert_eq!(found("rocketmq.namesrv.domain=jmenv"), url("http://jmenv:8080/rocketmq/nsaddr"));
        let both = "rmqAddressServerDomain=jmenv:80\nrmqAddressServerSubGroup=test\nrocketmq.namesrv.addr=";
        assert_eq!(found(both), url("http://jmenv:80/rocketmq/test"));
    }

    #[test]
    fn what_is_wrong_is_told_by_its_name() {
        assert_eq!(found(""), Err("rocketmq.namesrv.addr"));
        assert_eq!(found("brokerName=a"), Err("rocketmq.namesrv.addr"));
        assert_eq!(found("namesrvAddr=nowhere"), Err("namesrvAddr"));
        assert_eq!(found("rocketmq.namesrv.domain=https://a/"), Err("rocketmq.namesrv.domain"));
        let sub_group = "rocketmq.namesrv.domain=a\nrocketmq.namesrv.domain.subgroup=b c";
        assert_eq!(found(sub_group), Err("rocketmq.namesrv.domain.subgroup"));
    }
}
