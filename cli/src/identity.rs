//! Who the client is, and in which namespace: flags of commands that start one.

use clap::Args;
use rocketmq_driver::{ClientBuilder, Namespace};

/// Flags that tell clients apart, and add to names and requests.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct IdentityArgs {
    /// Namespace of topics and groups: servers know T as NS%T. What is printed is bare.
    #[arg(long, value_name = "NS", value_parser = parse_namespace)]
    pub(crate) namespace: Option<Namespace>,
    /// Namespace that every request carries as a header field; names stay as they are.
    #[arg(long, value_name = "NS")]
    pub(crate) namespace_v2: Option<String>,
    /// Instance name, a part of the client id; without it, process id and a random number.
    #[arg(long, value_name = "NAME")]
    pub(crate) instance_name: Option<String>,
    /// Unit name, appended to the client id and to the path of --discovery.
    #[arg(long, value_name = "UNIT")]
    pub(crate) unit: Option<String>,
}

impl IdentityArgs {
    /// Adds what was given to the settings of a client.
    pub(crate) fn apply(&self, mut client: ClientBuilder) -> ClientBuilder {
        if let Some(namespace) = &self.namespace {
            client = client.namespace(namespace.clone());
        }
        if let Some(namespace) = &self.namespace_v2 {
            client = client.namespace_v2(namespace);
        }
        if let Some(name) = &self.instance_name {
            client = client.instance_name(name);
        }
        if let Some(unit) = &self.unit {
            client = client.unit_name(unit);
        }
        client
    }
}

fn parse_namespace(text: &str) -> Result<Namespace, String> {
    text.parse().map_err(|error| format!("{error}"))
}
