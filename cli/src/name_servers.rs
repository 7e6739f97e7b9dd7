//! Where the name servers come from: flags, or the environment.

use std::io::{self, Read, Write};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use clap::Args;
use rocketmq_core::interface::DiscoveryError;
use rocketmq_core::wire::{HttpAnswer, HttpLimits};
use rocketmq_driver::{Client, ClientBuilder, HttpDiscovery, NAMESRV_ADDR, NameServers};

use crate::dial::dial;

/// Longest answer of discovery, around the body and within.
const LIMITS: HttpLimits = HttpLimits { head: 64 * 1024, body: 64 * 1024 };
/// Longest wait for one answer of discovery.
const PATIENCE: Duration = Duration::from_secs(3);
/// Between two questions.
const PAUSE: Duration = Duration::from_millis(100);

/// Flags that name the cluster.
#[derive(Debug, Clone, Args)]
pub(crate) struct NameServerArgs {
    /// Name servers, host:port, several separated by ';'.
    ///
    /// Without it and without --discovery: those of the environment variable NAMESRV_ADDR.
    #[arg(long, value_name = "A[;B]", conflicts_with = "discovery")]
    pub(crate) name_server: Option<NameServers>,
    /// HTTP server that knows the name servers: its domain, or http://host:port/path.
    ///
    /// The port of a domain is 8080 unless it has one, the path /rocketmq/nsaddr.
    #[arg(long, value_name = "URL")]
    pub(crate) discovery: Option<HttpDiscovery>,
}

/// Why there is no name server to ask.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NameServerError {
    /// Neither a flag nor the environment names one.
    #[error("no name server is given: use --name-server or --discovery, or set {NAMESRV_ADDR}")]
    Missing,
    /// The environment names none that can be used.
    #[error("{NAMESRV_ADDR}: {0}")]
    Environment(String),
    /// Discovery brought none.
    #[error("no list of name servers from {url}: {reason}")]
    Discovery {
        /// Who was asked.
        url: String,
        /// The last reason.
        reason: String,
    },
}

impl NameServerArgs {
    /// The settings of a client of these name servers.
    ///
    /// # Errors
    /// None are given, or those of the environment cannot be used.
    pub(crate) fn client(&self) -> Result<ClientBuilder, NameServerError> {
        match &self.discovery {
            Some(discovery) => Ok(Client::builder_with_discovery(discovery.clone())),
            None => Ok(Client::builder(self.given()?)),
        }
    }

    /// The name servers. An HTTP server is asked again and again until it tells them.
    ///
    /// # Errors
    /// None are given, or discovery brought none within the given time.
    pub(crate) fn list(&self, within: Duration) -> Result<NameServers, NameServerError> {
        let Some(discovery) = &self.discovery else {
            return self.given();
        };
        let end = Instant::now() + within;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match fetch(discovery, left.clamp(PAUSE, PATIENCE)) {
                Ok(list) => return Ok(list),
                Err(error) if Instant::now() + PAUSE >= end => {
                    let (url, reason) = (discovery.to_string(), error.to_string());
                    return Err(NameServerError::Discovery { url, reason });
                }
                Err(_) => thread::sleep(PAUSE),
            }
        }
    }

    /// The list of the flag, or of the environment.
    fn given(&self) -> Result<NameServers, NameServerError> {
        if let Some(list) = &self.name_server {
            return Ok(list.clone());
        }
        match std::env::var(NAMESRV_ADDR) {
            Ok(list) if !list.trim().is_empty() => {
                list.parse().map_err(|error| NameServerError::Environment(format!("{error}")))
            }
            Ok(_) | Err(std::env::VarError::NotPresent) => Err(NameServerError::Missing),
            Err(error) => Err(NameServerError::Environment(error.to_string())),
        }
    }
}

/// Why one question brought no list.
#[derive(Debug, thiserror::Error)]
enum FetchError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Answer(#[from] DiscoveryError),
}

fn fetch(discovery: &HttpDiscovery, patience: Duration) -> Result<NameServers, FetchError> {
    let end = Instant::now() + patience;
    let mut stream = dial(discovery.endpoint(), patience)?;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let unix_ms = i64::try_from(now.as_millis()).unwrap_or(i64::MAX);
    stream.set_write_timeout(Some(patience))?;
    stream.write_all(discovery.question(None, unix_ms).as_bytes())?;
    let mut answer = HttpAnswer::new(LIMITS);
    let mut buffer = [0; 16 * 1024];
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(DiscoveryError::Timeout.into());
        }
        stream.set_read_timeout(Some(left))?;
        let count = match stream.read(&mut buffer) {
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                return Err(DiscoveryError::Timeout.into());
            }
            count => count?,
        };
        let done = answer.feed(buffer.get(..count).unwrap_or_default()).map_err(DiscoveryError::from)?;
        if done || count == 0 {
            return Ok(HttpDiscovery::list(&answer)?);
        }
    }
}
