//! What some clients add to their requests: fields of their settings, and those of hooks.

use std::sync::Arc;

use rocketmq_core::client::{Client, ClientConfig};
use rocketmq_core::command::RequestCode;
use rocketmq_core::ground::Now;
use rocketmq_core::interface::{Hooks, OutgoingRequest, Refusal, RpcHook, Zone};

/// One of sixteen seeds has each. Servers pass over what is added, so all that is checked holds as before.
pub(super) fn draw(config: &mut ClientConfig, seed: u8) {
    if seed % 16 == 5 {
        config.namespace_v2 = Some("MQ_INST_1_fuzz".to_owned());
        config.unit_mode = true;
        config.zone = Some(Zone { name: "zone \u{e4}".to_owned(), mode: true });
    }
}

/// The client of a machine, with hooks or without: the same each time.
pub(super) fn client(config: ClientConfig, started: Now) -> Client {
    let mut hooks = Hooks::default();
    if config.seed % 16 == 13 {
        hooks.rpc.push(Arc::new(Adds));
    }
    Client::with_hooks(config, hooks, started).unwrap()
}

/// Adds a field to each request, and refuses one of sixteen heartbeats and route queries.
struct Adds;

impl RpcHook for Adds {
    fn name(&self) -> &str {
        "adds"
    }

    fn before_request(&self, request: &mut OutgoingRequest<'_>) -> Result<(), Refusal> {
        let is_send = matches!(request.code(), RequestCode::SEND_MESSAGE_V2 | RequestCode::END_TRANSACTION);
        if !is_send && request.opaque() % 16 == 3 {
            return Err(Refusal::new("one of sixteen"));
        }
        assert!(request.add_field("AccessKey", "\u{1}\"\\").is_ok());
        assert!(request.add_field("AccessKey", "again").is_err());
        Ok(())
    }
}
