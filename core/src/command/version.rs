//! Version numbers of the header field `version`: the ordinal of a release in Java's `MQVersion`.

/// RocketMQ 3.4.9: from here on a broker honours the producer's limit of consume retries.
pub const V3_4_9: i32 = 121;
/// RocketMQ 4.8.0.
pub const V4_8_0: i32 = 373;
/// RocketMQ 4.9.3: the last version whose name servers always write unquoted integer keys in routes.
pub const V4_9_3: i32 = 399;
/// RocketMQ 4.9.4: from here on name servers answer route requests in standard JSON.
pub const V4_9_4: i32 = 401;
/// RocketMQ 4.9.7.
pub const V4_9_7: i32 = 407;
/// RocketMQ 5.0.0.
pub const V5_0_0: i32 = 413;
/// RocketMQ 5.1.3: the first whose brokers answer heartbeats with the marks of heartbeat V2.
pub const V5_1_3: i32 = 439;
/// RocketMQ 5.1.4.
pub const V5_1_4: i32 = 441;
/// RocketMQ 5.3.1: a server that shuts down sends `GO_AWAY` only to clients above this version.
pub const V5_3_1: i32 = 475;
/// RocketMQ 5.3.3.
pub const V5_3_3: i32 = 479;
/// RocketMQ 5.5.0.
pub const V5_5_0: i32 = 513;

/// The version this client writes into its requests.
pub const CURRENT: i32 = V5_5_0;
