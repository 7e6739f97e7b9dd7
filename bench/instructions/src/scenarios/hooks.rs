//! What an RPC hook costs: the cycle of `cycle-64-json` with one.

use std::hint::black_box;
use std::sync::Arc;

use rocketmq_core::interface::{Hooks, OutgoingRequest, Refusal, RequestView, RpcHook, RpcOutcome};
use rocketmq_core::wire::SerializeType;

use super::session::cycle_of;
use crate::probe::Probe;
use crate::rig::Rig;

const IN_FLIGHT: u64 = 64;
/// Two fields as long as those of an access key.
pub(super) const TWO: &[(&str, &str)] =
    &[("AccessKey", "rocketmq2"), ("Signature", "p0RfzGYqxPpGRfVpBkZ3cOmJmHM=")];

/// Looks at code and address, and adds these fields.
struct Hook(&'static [(&'static str, &'static str)]);

impl RpcHook for Hook {
    fn name(&self) -> &str {
        "bench"
    }

    fn before_request(&self, request: &mut OutgoingRequest<'_>) -> Result<(), Refusal> {
        black_box((request.code(), request.endpoint().port()));
        self.0.iter().try_for_each(|(name, value)| request.add_field(name, value))
    }

    fn after_response(&self, request: &RequestView<'_>, outcome: &RpcOutcome<'_>) {
        black_box((request.code, matches!(outcome, RpcOutcome::Answered(_))));
    }
}

pub(super) fn cycle(probe: &mut Probe, adds: &'static [(&'static str, &'static str)], rounds: u64) {
    let hooks = Hooks { rpc: vec![Arc::new(Hook(adds))], ..Hooks::default() };
    cycle_of(Rig::warm_with(probe, SerializeType::Json, hooks), IN_FLIGHT, rounds);
}
