//! The handle of a client, and how to make one.

use crate::admin::Admin;
use crate::clock::{LastLook, RuntimeClock};
use crate::driver::Driver;
use crate::error::wrong;
use crate::identity;
use crate::producer::ProducerBuilder;
use crate::recording::{Pen, Tape};
#[cfg(feature = "record")]
use crate::recording::{Recording, RecordingState};
use crate::runtime::Runtime;
use crate::shared::{Handle, Shared};
use crate::wait::Wait;
use crate::watch::Watch;
use rocketmq_core::client::Client as Core;
use rocketmq_core::ground::Now;
use rocketmq_core::ground::endpoint::{NameServers, NameServersError};
use rocketmq_core::ground::names::{ClientId, GroupName};
use rocketmq_core::interface::{
    Answer, ClientConfig, ClusterView, Command, ConfigError, Counters, Hooks, HttpDiscovery, LatencyFault,
    Limits, MemoryUse, RunningInfo, ServiceState, Timing, Undelivered,
};
use rocketmq_core::wire::SerializeType;
use std::fmt::{self, Display};
use std::net::IpAddr;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// How long a client drains when its last handle was dropped, unless told otherwise.
pub const DEFAULT_DROP_BUDGET: Duration = Duration::from_secs(3);

/// A client of one RocketMQ cluster: it finds routes, keeps connections, sends heartbeats, and carries the
/// messages of its [producers](Client::producer).
///
/// A clone is another handle of the same client. Methods may be called from any thread and under any
/// executor, also under a plain `block_on`; the work is done by the [`Driver`].
///
/// When the last handle is dropped, that is every `Client`, [`Producer`](crate::Producer) and future of them,
/// the driver waits a short while for sends under way (see [`ClientBuilder::drop_budget`]), unregisters
/// from the brokers and ends. Use [`shutdown`](Client::shutdown) to wait for that and to get back what was
/// not delivered.
#[derive(Clone)]
#[doc(alias = "MQClientInstance")]
pub struct Client {
    handle: Arc<Handle>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("client_id", &self.client_id()).finish_non_exhaustive()
    }
}

impl Client {
    /// Starts the settings of a client: the list of name servers is a text such as
    /// `"10.0.0.1:9876;10.0.0.2:9876"`, or a [`NameServers`].
    ///
    /// A list that cannot be read is refused when the client is built.
    #[doc(alias = "setNamesrvAddr")]
    pub fn builder<N>(name_servers: N) -> ClientBuilder
    where
        N: TryInto<NameServers>,
        N::Error: Display,
    {
        let name_servers = name_servers.try_into().map_err(|error| wrong("name_servers", error));
        ClientBuilder::from_source(name_servers.map(|list| (list, None)))
    }

    /// Starts the settings of a producer of this group; `.open().await`, or just `.await`, opens it.
    ///
    /// One client has one producer of a group: clone the [`Producer`](crate::Producer) to share it.
    #[doc(alias = "DefaultMQProducer")]
    pub fn producer<G>(&self, group: G) -> ProducerBuilder
    where
        G: TryInto<GroupName>,
        G::Error: Display,
    {
        ProducerBuilder::new(self.handle.clone(), group)
    }

    /// Administrative calls: topics, offsets, stored messages, brokers. No producer is needed.
    pub fn admin(&self) -> Admin {
        Admin::new(self.handle.clone())
    }

    /// Replaces the list of name servers. The new one is used from the next question on; connections to servers that
    /// left are closed once what is pending on them has ended. Routes that are known stay in use until the new servers
    /// answer.
    ///
    /// # Errors
    /// When the list cannot be read or is empty; the old one stays.
    #[doc(alias = "updateNameServerAddressList")]
    #[doc(alias = "setNamesrvAddr")]
    pub fn set_name_servers<N>(&self, name_servers: N) -> Result<(), ConfigError>
    where
        N: TryInto<NameServers>,
        N::Error: Display,
    {
        let name_servers = name_servers.try_into().map_err(|error| wrong("name_servers", error))?;
        if name_servers.is_empty() {
            return Err(wrong("name_servers", NameServersError::Empty));
        }
        self.shared().enter(|state, now| state.tell(now, Command::SetNameServers { name_servers }));
        Ok(())
    }

    /// Closes every producer, waits up to `within` for the sends under way, unregisters from the brokers,
    /// closes all connections, and ends the driver. Returns what was not delivered, with the reasons.
    ///
    /// When the future is dropped after its first poll, the shutdown goes on, and what was not delivered is
    /// lost. When the driver was dropped before, nothing is left to return: the sends have learned it.
    pub async fn shutdown(&self, within: Duration) -> Vec<Undelivered> {
        let command = |now: Now| Command::Shutdown { deadline: now.mono + within };
        match Wait::new(self.handle.clone(), command).await {
            Some(Answer::Closed(undelivered)) => undelivered,
            _ => Vec::new(),
        }
    }

    /// What the client knows of its cluster: which brokers are connected, which routes are known.
    #[must_use]
    pub fn view(&self) -> ClusterView {
        self.shared().peek(|state| state.core.view())
    }

    /// Watches the [`view`](Self::view) for changes.
    pub fn watch(&self) -> Watch {
        Watch::new(self.handle.clone())
    }

    /// What happened so far, in numbers.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.shared().peek(|state| state.core.counters())
    }

    /// The memory in use that grows with work, in numbers.
    #[must_use]
    pub fn memory(&self) -> MemoryUse {
        self.shared().peek(|state| state.core.memory())
    }

    /// Whether the client runs, shuts down, or has ended.
    #[must_use]
    pub fn service_state(&self) -> ServiceState {
        self.shared().peek(|state| state.core.service_state())
    }

    /// How this client fares: what [`view`](Self::view), [`counters`](Self::counters) and [`memory`](Self::memory) tell, and
    /// its producers. Its text is for logs and people.
    #[must_use]
    pub fn running_info(&self) -> RunningInfo {
        self.shared().running_info()
    }

    /// How the recording of this client stands, see [`ClientBuilder::record`]. With the feature `record` only.
    #[cfg(feature = "record")]
    #[must_use]
    pub fn recording_state(&self) -> RecordingState {
        self.shared().peek(|state| state.tape.state())
    }

    /// The newest part of the recording, as a recording of its own; none unless [`Recording::recent`] is what the
    /// client was built with. Write it to a file when something went wrong. All callers wait while it is copied.
    /// With the feature `record` only.
    #[cfg(feature = "record")]
    #[must_use]
    pub fn recent_recording(&self) -> Option<Vec<u8>> {
        self.shared().peek(|state| state.tape.recent())
    }

    /// The id under which brokers know this client.
    #[must_use]
    pub fn client_id(&self) -> ClientId {
        self.shared().peek(|state| state.core.client_id().clone())
    }

    /// Whether both are handles of one client.
    #[must_use]
    pub fn is_same(&self, other: &Client) -> bool {
        Arc::ptr_eq(&self.handle, &other.handle)
    }

    pub(crate) fn from_handle(handle: Arc<Handle>) -> Self {
        Self { handle }
    }

    pub(crate) fn downgrade(&self) -> Weak<Handle> {
        Arc::downgrade(&self.handle)
    }

    /// Whether it takes anything on: it is not shut down, and its driver lives.
    pub(crate) fn is_open(&self) -> bool {
        self.shared().peek(|state| {
            let is_running =
                matches!(state.core.service_state(), ServiceState::CreateJust | ServiceState::Running);
            is_running && !state.has_driver_ended()
        })
    }

    fn shared(&self) -> &Shared {
        &self.handle.shared
    }
}

/// The settings of a client, see [`Client::builder`].
///
/// The crates of the runtimes add `build()` and `start()`. Wrong values are refused there, with the name of
/// the setting and the reason.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until the client is built"]
pub struct ClientBuilder {
    /// Where the name servers come from: a list, who knows one, or why there is neither.
    pub(crate) source: Result<(NameServers, Option<HttpDiscovery>), ConfigError>,
    pub(crate) config: ClientConfig,
    pub(crate) hooks: Hooks,
    drop_budget: Duration,
    #[cfg(feature = "record")]
    recording: Option<Recording>,
}

impl ClientBuilder {
    pub(crate) fn from_source(source: Result<(NameServers, Option<HttpDiscovery>), ConfigError>) -> Self {
        let mut config = ClientConfig::new(NameServers::none(), identity::seed());
        config.identity = identity::identity();
        Self {
            source,
            config,
            hooks: Hooks::default(),
            drop_budget: DEFAULT_DROP_BUDGET,
            #[cfg(feature = "record")]
            recording: None,
        }
    }

    /// An HTTP server that is asked for the name servers, too: those that the client was built with are used until its
    /// first answer. Default: nobody, see also [`Client::builder_with_discovery`].
    #[doc(alias = "rocketmq.namesrv.domain")]
    pub fn discovery(mut self, discovery: HttpDiscovery) -> Self {
        if let Ok((_, known)) = &mut self.source {
            *known = Some(discovery);
        }
        self
    }

    /// The local address that brokers and unique ids show. Default: the one behind the default route, else
    /// what the host's name resolves to, else `127.0.0.1`. Nobody connects to it.
    #[doc(alias = "setClientIP")]
    pub fn ip(mut self, ip: IpAddr) -> Self {
        self.config.identity.ip = ip;
        self
    }

    /// The instance name, a part of the client id. Default, also for Java's `DEFAULT`: the process id and a random
    /// number, so that two clients of one process differ. With [`SharedClients`](crate::SharedClients), those that have
    /// the same name are one client.
    #[doc(alias = "setInstanceName")]
    pub fn instance_name(mut self, name: impl Into<String>) -> Self {
        self.config.identity.instance_name = Some(name.into());
        self
    }

    /// The unit name, appended to the client id and to the path of HTTP discovery. Default: none.
    #[doc(alias = "setUnitName")]
    pub fn unit_name(mut self, name: impl Into<String>) -> Self {
        self.config.identity.unit_name = Some(name.into());
        self
    }

    /// The process id that unique ids and the default instance name carry. Default: the one of this process.
    /// A simulation sets it, so that its runs are alike.
    pub fn process_id(mut self, pid: u32) -> Self {
        self.config.identity.pid = pid;
        self
    }

    /// All randomness of the client comes from this number. Default: another one for each client. Two
    /// clients must not share it: unique ids hang on it.
    pub fn seed(mut self, seed: u64) -> Self {
        self.config.seed = seed;
        self
    }

    /// The form of the headers of requests. Default: JSON. Answers are read in either form.
    #[doc(alias = "rocketmq.serialize.type")]
    pub fn serialize_type(mut self, serialize_type: SerializeType) -> Self {
        self.config.serialize_type = serialize_type;
        self
    }

    /// Heartbeats of version 2 for brokers that know it, 5.1.3 and later. Default: off, as in Java. See
    /// [`ClientConfig::heartbeat_v2`].
    #[doc(alias = "setUseHeartbeatV2")]
    pub fn heartbeat_v2(mut self, on: bool) -> Self {
        self.config.heartbeat_v2 = on;
        self
    }

    /// Sends go to the brokers' second port, two below the first, while a connection to it is well. Default: off, as in Java
    /// since 4.5.1. See [`ClientConfig::vip_channel`].
    #[doc(alias = "setVipChannelEnabled")]
    #[doc(alias = "com.rocketmq.sendMessageWithVIPChannel")]
    pub fn vip_channel(mut self, on: bool) -> Self {
        self.config.vip_channel = on;
        self
    }

    /// Avoids brokers that answer late or fail, for all producers of the client. Default: off, as in Java. See
    /// [`LatencyFault`] for what it does, and `ARCHITECTURE.md` for what it brings.
    #[doc(alias = "setSendLatencyFaultEnable")]
    #[doc(alias = "setSendLatencyEnable")]
    #[doc(alias = "setStartDetectorEnable")]
    #[doc(alias = "setLatencyMax")]
    #[doc(alias = "setNotAvailableDuration")]
    pub fn latency_fault(mut self, settings: LatencyFault) -> Self {
        self.config.latency_fault = Some(settings);
        self
    }

    /// Every period and time-out.
    #[doc(alias = "setHeartbeatBrokerInterval")]
    #[doc(alias = "setPollNameServerInterval")]
    pub fn timing(mut self, timing: Timing) -> Self {
        self.config.timing = timing;
        self
    }

    /// Every limit of number and size.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.config.limits = limits;
        self
    }

    /// How long sends under way are waited for after the last handle, or the last clone of a producer, was
    /// dropped without a `close` or `shutdown`. Default: 3 s ([`DEFAULT_DROP_BUDGET`]).
    pub fn drop_budget(mut self, budget: Duration) -> Self {
        self.drop_budget = budget;
        self
    }

    /// Records what happens to the client, for a replay. Default: nothing is recorded. With the feature
    /// `record` only.
    #[cfg(feature = "record")]
    pub fn record(mut self, recording: Recording) -> Self {
        self.recording = Some(recording);
        self
    }

    #[cfg(feature = "record")]
    fn begin_recording(
        recording: Option<Recording>,
        config: &ClientConfig,
        hooks: &Hooks,
        now: Now,
    ) -> Result<(Tape, Pen), ConfigError> {
        recording
            .map_or_else(|| Ok(Default::default()), |recording| recording.begin(config, &hooks.names(), now))
    }

    /// The settings, checked.
    pub(crate) fn settings(&self) -> Result<(ClientConfig, Duration), ConfigError> {
        let mut config = self.config.clone();
        (config.name_servers, config.discovery) = self.source.clone()?;
        config.check()?;
        Ok((config, self.drop_budget))
    }

    /// Whether what happens to the client is to be recorded.
    #[cfg_attr(not(feature = "record"), expect(clippy::unused_self, reason = "nothing is recorded then"))]
    pub(crate) fn wants_recording(&self) -> bool {
        #[cfg(feature = "record")]
        return self.recording.is_some();
        #[cfg(not(feature = "record"))]
        false
    }

    /// Makes a client, and the driver that must be spawned or polled for it, on any [`Runtime`].
    ///
    /// # Errors
    /// The first setting that cannot work, by name, and why.
    pub fn build_with<R: Runtime>(self, runtime: R) -> Result<(Client, Driver<R>), ConfigError> {
        let mut config = self.config;
        (config.name_servers, config.discovery) = self.source?;
        config.check()?;
        let runtime = Arc::new(runtime);
        let clock = Arc::new(RuntimeClock::new(runtime.clone()));
        let now = LastLook::default().now(&*clock);
        #[cfg(feature = "record")]
        let (tape, pen) = Self::begin_recording(self.recording, &config, &self.hooks, now)?;
        #[cfg(not(feature = "record"))]
        let (tape, pen) = (Tape::default(), Pen::default());
        let has_hooks = !self.hooks.is_empty();
        let core = Core::with_hooks(config, self.hooks, now)?;
        let shared = Arc::new(Shared::new(core, has_hooks, tape, clock.clone(), self.drop_budget));
        let driver = Driver::new(shared.clone(), runtime, clock, pen);
        Ok((Client { handle: Arc::new(Handle { shared }) }, driver))
    }
}
