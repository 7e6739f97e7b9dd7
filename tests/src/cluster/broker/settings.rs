//! What a broker is, and what can be changed while it runs.

use std::net::SocketAddr;

use crate::cluster::Dialect;

/// The largest body that a broker stores by default, in bytes.
const MAX_BODY: usize = 4_194_304;

/// What a broker is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerConfig {
    /// The release to imitate.
    pub dialect: Dialect,
    /// Name of the cluster.
    pub cluster: String,
    /// Name of the broker.
    pub name: String,
    /// The address that routes give and that stored messages carry as store host.
    pub address: SocketAddr,
    /// Whether the default topic `TBW102` exists and sends may create topics.
    pub auto_create_topics: bool,
    /// Queues of the default topic.
    pub default_queues: u32,
    /// Seed of what the broker chooses at random.
    pub seed: u64,
}

/// Settings that a test may change on a running broker, with the names of the real ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerSettings {
    /// `autoCreateTopicEnable`: turned off on a running broker, `TBW102` keeps its route and sends get code 17.
    pub auto_create_topics: bool,
    /// `autoCreateSubscriptionGroup`: turned off, sends to `%RETRY%` topics get code 26.
    pub auto_create_groups: bool,
    /// `rejectTransactionMessage`: turned on, half messages get code 16.
    pub reject_transactions: bool,
    /// `transactionCheckInterval`: how often the broker asks about half messages that nobody has ended, in milliseconds.
    pub transaction_check_interval_ms: u64,
    /// Every end of a transaction is refused with this code, such as 14 (`SERVICE_NOT_AVAILABLE`).
    pub refuse_ends: Option<i32>,
    /// `transactionTimeOut`: how long the broker leaves a half message alone, in milliseconds.
    pub transaction_timeout_ms: u64,
    /// `traceOn`: turned off, answers to sends say that no records of trace are wanted.
    pub trace_on: bool,
    /// `timerWheelEnable`: turned off, timer messages get code 1 (5.5.0).
    pub timer_wheel: bool,
    /// The page cache is busy: every send gets code 2 before anything else is looked at.
    pub busy: bool,
    /// `brokerRole` is `SLAVE`: sends get code 2 from 5.5.0 and code 14 from 4.9.7.
    pub slave: bool,
    /// The disk is full: sends that are in order get code 14.
    pub disk_full: bool,
    /// `startAcceptSendRequestTimeStamp`: sends before this time get code 1.
    pub accept_sends_from_ms: u64,
    /// `maxMessageSize`: bodies above it get code 13, in bytes.
    pub max_body: usize,
    /// `brokerPermission` (2 write, 4 read): shown in routes; on sends it matters for order topics of 5.5.0 only.
    pub permission: i32,
    /// The broker is shutting down gracefully (5.5.0): code 1500 for requests whose version is above 475.
    pub go_away: bool,
}

impl Default for BrokerSettings {
    fn default() -> Self {
        BrokerSettings {
            auto_create_topics: true,
            auto_create_groups: true,
            reject_transactions: false,
            transaction_check_interval_ms: 30_000,
            transaction_timeout_ms: 6_000,
            refuse_ends: None,
            trace_on: true,
            timer_wheel: true,
            busy: false,
            slave: false,
            disk_full: false,
            accept_sends_from_ms: 0,
            max_body: MAX_BODY,
            permission: 6,
            go_away: false,
        }
    }
}
