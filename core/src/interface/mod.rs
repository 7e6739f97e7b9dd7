//! Floor 5: what goes in and what comes out, as values without logic: inputs, commands, actions, answers,
//! settings, limits, receipts and errors. The floors above share these words.

mod action;
mod admin;
mod admin_error;
mod config;
mod config_difference;
mod counters;
mod discovery;
mod hooks;
mod identity;
mod input;
mod latency_fault;
mod limits;
mod producer_config;
mod receipt;
mod rpc_hook;
mod running_info;
mod send_error;
mod send_hook;
mod text;
mod trace_config;
mod transaction;
mod view;

pub use action::{Action, Answer, LostReason, Millis, Notice, Stray};
pub use admin::{
    AdminAnswer, AdminRequest, MessageQuery, OffsetBoundary, QueryResult, TopicConfig, TopicPlace,
};
pub use admin_error::{AdminError, BrokerFailure, CallFailure};
pub use config::{ClientConfig, ConfigError};
pub use counters::{Counters, MemoryUse};
pub use discovery::{DiscoveryError, HttpDiscovery, HttpDiscoveryError};
pub use hooks::{HookError, HookNames, Hooks, Refusal};
pub use identity::{Identity, Zone};
pub use input::{
    CloseReason, Command, CommandId, ConnId, ConnTag, Input, ProducerId, ProducerTag, Send, SendMode,
};
pub(crate) use latency_fault::FAILED_COUNTS_AS;
pub use latency_fault::{FaultDetector, LatencyFault};
pub use limits::{Limits, Timing};
pub use producer_config::{DEFAULT_MAX_MESSAGE_SIZE, ProducerConfig, Resend, Target};
pub use receipt::{MessageQueue, SendReceipt, SendResult, SendStatus};
pub(crate) use rpc_hook::AddedFields;
pub use rpc_hook::{OutgoingRequest, RequestView, ResponseView, RpcFailure, RpcHook, RpcOutcome};
pub use running_info::{ProducerView, RunningInfo};
pub use send_error::{
    Attempt, AttemptFailure, NoRoute, OpenError, Outcome, SendError, SendErrorKind, Undelivered,
};
pub use send_hook::{
    CheckForbidden, InterceptedMessage, PlannedAttempt, SendEnd, SendInterceptor, SendVerdict,
};
pub(crate) use text::clean_text;
pub use trace_config::TraceConfig;
pub use transaction::{
    CheckId, CheckTag, EndErrorKind, EndTransactionError, EndVerdict, HalfMessage, LocalTransactionState,
    TransactionCheck, TransactionEnd,
};
pub use view::{BrokerView, ClusterView, ConnectionState, ConnectionView, ServiceState, TopicView};
