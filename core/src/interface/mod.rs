//! Floor 5: what goes in and what comes out, as values without logic: inputs, commands, actions, answers,
//! settings, limits, receipts and errors. The floors above share these words.

mod action;
mod config;
mod input;
mod limits;
mod producer_config;
mod receipt;
mod send_error;
mod text;
mod view;

pub use action::{Action, Answer, LostReason, Millis, Notice, Stray};
pub use config::{ClientConfig, ConfigError, Identity};
pub use input::{CloseReason, Command, CommandId, ConnId, ConnTag, Input, ProducerId, ProducerTag, Send};
pub use limits::{Limits, Timing};
pub use producer_config::{DEFAULT_MAX_MESSAGE_SIZE, ProducerConfig, Resend, Target};
pub use receipt::{MessageQueue, SendReceipt, SendResult, SendStatus};
pub use send_error::{
    Attempt, AttemptFailure, NoRoute, OpenError, Outcome, SendError, SendErrorKind, Undelivered,
};
pub(crate) use text::clean_text;
pub use view::{
    BrokerView, ClusterView, ConnectionState, ConnectionView, Counters, MemoryUse, ServiceState, TopicView,
};
