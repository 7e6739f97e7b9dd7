//! The client and the runtime it asks its user for, put together as its README shows.

use crate::options::{Options, Serialization};
use rocketmq_client_rust::{ClientResult, ClientRuntime, ClientRuntimeConfig, DefaultMQProducer};
use rocketmq_observability::TelemetryRuntimeGuard;
use rocketmq_protocol::protocol::SerializeType;
use rocketmq_protocol::protocol::remoting_command_defaults::{
    RemotingCommandDefaults, RemotingCommandFactory,
};
use rocketmq_runtime::{RuntimeConfig, RuntimeOwner};
use std::error::Error;
use std::sync::Arc;

const WORKER_THREADS: usize = 2;

pub(crate) struct Client {
    owner: RuntimeOwner,
    runtime: Arc<ClientRuntime>,
    /// Without metrics and traces. As nothing listens to its log either, the client is silent.
    _telemetry: TelemetryRuntimeGuard,
}

impl Client {
    pub(crate) fn new(options: &Options) -> Result<Self, Box<dyn Error>> {
        let owner = RuntimeOwner::plan(RuntimeConfig {
            worker_threads: WORKER_THREADS,
            thread_name: "load".to_owned(),
            ..RuntimeConfig::default()
        })?
        .build()?;
        let telemetry = TelemetryRuntimeGuard::noop();
        let serialize_type = match options.serialize {
            Serialization::Json => SerializeType::JSON,
            Serialization::Rocketmq => SerializeType::ROCKETMQ,
        };
        let runtime = ClientRuntime::try_new_with_remoting_command_factory(
            owner.root_context().component("load"),
            ClientRuntimeConfig::default(),
            telemetry.handle(),
            RemotingCommandFactory::new(RemotingCommandDefaults::new(
                RemotingCommandDefaults::default().version(),
                serialize_type,
            )),
        )?;
        Ok(Self { owner, runtime, _telemetry: telemetry })
    }

    pub(crate) async fn start_producer(&self, options: &Options) -> ClientResult<DefaultMQProducer> {
        let mut producer = DefaultMQProducer::builder(self.runtime.clone())
            .producer_group("bench-producer-group")
            .name_server_addr(options.name_server.as_str())
            .send_msg_timeout(options.deadline_ms)
            .compress_msg_body_over_howmuch(u32::MAX)
            .build();
        producer.start().await?;
        Ok(producer)
    }

    pub(crate) fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.owner.block_on(future)
    }

    /// What it says of its end is no matter of the figures, but whoever reads them should know.
    pub(crate) fn shut_down(self) {
        let report = self.owner.block_on(self.runtime.shutdown());
        if !report.is_healthy() {
            eprintln!("the client did not shut down cleanly: {}", report.to_json());
        }
        match self.owner.shutdown_runtime_blocking() {
            Ok(report) if report.is_healthy() => {}
            Ok(report) => eprintln!("the runtime did not shut down cleanly: {}", report.to_json()),
            Err(error) => eprintln!("the runtime did not shut down: {error}"),
        }
    }
}
