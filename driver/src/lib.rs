//! The one I/O loop and the async handles of the RocketMQ client, for any runtime.
//!
//! Applications use `rocketmq-tokio` or `rocketmq-smol`, which re-export everything here and add the runtime.
//! This crate is for those who bring their own: implement [`Runtime`], build a client with
//! [`ClientBuilder::build_with`], and spawn or poll the [`Driver`]. The example `own_executor` does so in
//! fewer than a hundred lines.
//!
//! ```no_run
//! # async fn example<R: rocketmq_driver::Runtime + rocketmq_driver::Spawn + Clone>(runtime: R)
//! # -> Result<(), Box<dyn std::error::Error>> {
//! use rocketmq_driver::{Client, Message};
//! use std::time::Duration;
//!
//! let (client, driver) = Client::builder("127.0.0.1:9876").build_with(runtime.clone())?;
//! runtime.spawn(driver);
//! let producer = client.producer("orders").await?;
//! let receipt = producer.send(Message::new("placed".parse()?, "4 apples")).await?;
//! println!("{}", receipt.message_id);
//! client.shutdown(Duration::from_secs(5)).await;
//! # Ok(()) }
//! ```
//!
//! # How it works
//!
//! The core, [`rocketmq_core::client::Client`], is a state machine behind one short lock. A caller hands its
//! command in on its own thread, encoding included, and finds its answer in a slot. The driver moves bytes: it
//! reads and writes outside the lock, then tells the core in one turn what was read, what was written and what
//! time it is. It is woken only while it sleeps, and callers are woken behind the lock, each once per answer. A caller
//! who is alone writes its request itself, and the driver only reads the answer.
//!
//! # The driver contract
//!
//! What the core relies on, whoever drives it. The feature `contract-tests` checks a runtime against it.
//!
//! 1. One driver owns the sockets, and inputs reach the core in the order in which they happened. A caller may
//!    write in its place; nobody uses the socket before the core knows what it took.
//! 2. Actions may be taken after any number of inputs; none is dropped.
//! 3. A `Connect` ends in exactly one `Connected` or `Closed`, unless the core closes it before.
//! 4. `Received` carries the bytes of a connection in order, whole, in any pieces.
//! 5. `Wrote` counts bytes from the front of the outbox, and is reported before the same connection's
//!    `Closed`, so that the core knows which requests have left. Bytes that `outbox` handed out may be
//!    written at any moment until then.
//! 6. `Closed` comes at most once, and nothing about a connection follows it or the core's `Close`. What
//!    crosses a `Close` on its way bears a number that has gone stale and does no harm.
//! 7. `Tick` comes at or soon after the deadline. Early and repeated ones are harmless.
//! 8. Commands come from any thread; the core keeps its limits by itself.
//! 9. Time is read under the lock, from the runtime's monotonic clock, and never goes back.
//! 10. The driver decides nothing: it does not retry, wait, reorder, or give up by itself.
#![forbid(unsafe_code)]

pub mod addresses;
mod admin;
mod check_queues;
mod client;
mod clock;
mod completions;
#[cfg(any(test, feature = "contract-tests"))]
pub mod contract;
mod driver;
mod error;
mod events;
mod hooks;
mod identity;
mod link;
mod lone;
mod naming;
mod producer;
mod recording;
pub mod runtime;
mod send;
mod shared;
mod shared_clients;
mod socket;
mod sources;
mod sync;
#[cfg(test)]
mod tests;
mod timer;
mod transaction;
mod turn;
mod wait;
mod watch;

pub use admin::{Admin, CreateTopic, DEFAULT_ADMIN_TIMEOUT};
pub use client::{Client, ClientBuilder, DEFAULT_DROP_BUDGET};
pub use driver::Driver;
pub use error::{FlushError, OpenError};
pub use producer::{Producer, ProducerBuilder};
#[cfg(feature = "record")]
pub use recording::{Recording, RecordingState};
pub use runtime::{Runtime, Spawn, Stream};
pub use send::{
    Awaited, Enqueued, Enqueueing, Half, OneWay, Receipt, SendBuilder, Sending, SendingHalf, SendingOneWay,
};
pub use shared_clients::{SharedClientError, SharedClients};
pub use sources::NAMESRV_ADDR;
pub use transaction::{Check, Checks, EndBuilder, NextCheck, Transaction, TransactionListener};
pub use watch::{Changed, Watch};

pub use rocketmq_core;
pub use rocketmq_core::body::{BrokerData, ClusterInfo, QueueData, TopicRouteData};
pub use rocketmq_core::ground::endpoint::{Endpoint, NameServers};
pub use rocketmq_core::ground::names::{BrokerName, ClientId, GroupName, TopicName};
pub use rocketmq_core::ground::namespace::Namespace;
pub use rocketmq_core::interface::{
    AdminError, BrokerFailure, CallFailure, MessageQuery, OffsetBoundary, QueryResult, TopicConfig,
    TopicPlace,
};
pub use rocketmq_core::interface::{
    Attempt, AttemptFailure, MessageQueue, NoRoute, Outcome, ProducerConfig, Resend, SendError,
    SendErrorKind, SendReceipt, SendResult, SendStatus, Target, TraceConfig, Undelivered,
};
pub use rocketmq_core::interface::{
    BrokerView, ClusterView, ConfigError, ConnectionState, ConnectionView, Counters, FaultDetector,
    LatencyFault, Limits, MemoryUse, ProducerView, RunningInfo, ServiceState, Timing, TopicView, Zone,
};
pub use rocketmq_core::interface::{
    CheckForbidden, HookError, InterceptedMessage, OutgoingRequest, PlannedAttempt, Refusal, RequestView,
    ResponseView, RpcFailure, RpcHook, RpcOutcome, SendEnd, SendInterceptor, SendVerdict,
};
pub use rocketmq_core::interface::{DiscoveryError, HttpDiscovery, HttpDiscoveryError};
pub use rocketmq_core::interface::{
    EndErrorKind, EndTransactionError, EndVerdict, LocalTransactionState, TransactionEnd,
};
pub use rocketmq_core::message::{
    Compression, Message, MessageBuilder, MessageError, MessageExt, OffsetMessageId, UniqueKey,
};
#[cfg(feature = "record")]
pub use rocketmq_core::recording::Bodies;
pub use rocketmq_core::wire::SerializeType;
