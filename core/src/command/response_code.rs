//! Response codes of brokers, name servers and proxies.

use super::code::codes;

/// How a server answered: the header's `code` while bit 0 of `flag` is set.
///
/// Prints as name and number, `TOPIC_NOT_EXIST(17)`; a number without a name as `CODE(9999)`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResponseCode(pub i32);

codes!(ResponseCode {
    /// Done.
    SUCCESS = 0,
    /// Any exception in the server, also a refusal of ACL 1.0.
    SYSTEM_ERROR = 1,
    /// Flow control: the server is busy, the remark says where.
    SYSTEM_BUSY = 2,
    /// The server has no processor for the request code.
    REQUEST_CODE_NOT_SUPPORTED = 3,
    /// Named by the protocol, sent by no known server.
    TRANSACTION_FAILED = 4,
    /// The message is stored, the flush to disk is late.
    FLUSH_DISK_TIMEOUT = 10,
    /// Sends: the message is stored, no replica took it. Elsewhere: nothing was done.
    SLAVE_NOT_AVAILABLE = 11,
    /// The message is stored, replication is late.
    FLUSH_SLAVE_TIMEOUT = 12,
    /// Too large, a bad batch, a bad timer or a missing key.
    MESSAGE_ILLEGAL = 13,
    /// The disk is full or the broker is shutting down.
    SERVICE_NOT_AVAILABLE = 14,
    /// A proxy misses the broker name in the request.
    VERSION_NOT_SUPPORTED = 15,
    /// Not writable, a system topic, refused by ACL 2.0 or switched off.
    NO_PERMISSION = 16,
    /// The broker or name server does not know the topic.
    TOPIC_NOT_EXIST = 17,
    /// Named by the protocol, sent by no known server.
    TOPIC_EXIST_ALREADY = 18,
    /// No message at the offset.
    PULL_NOT_FOUND = 19,
    /// Nothing matched here, ask again at the returned offset.
    PULL_RETRY_IMMEDIATELY = 20,
    /// The offset is outside the queue.
    PULL_OFFSET_MOVED = 21,
    /// Nothing found for the query.
    QUERY_NOT_FOUND = 22,
    /// The subscription's expression is wrong.
    SUBSCRIPTION_PARSE_FAILED = 23,
    /// The group has no such subscription.
    SUBSCRIPTION_NOT_EXIST = 24,
    /// The broker knows an older subscription.
    SUBSCRIPTION_NOT_LATEST = 25,
    /// The consumer group is unknown.
    SUBSCRIPTION_GROUP_NOT_EXIST = 26,
    /// The broker has no filter of the subscription.
    FILTER_DATA_NOT_EXIST = 27,
    /// The broker has an older filter of the subscription.
    FILTER_DATA_NOT_LATEST = 28,
    /// A bad topic name or queue id.
    INVALID_PARAMETER = 29,
    /// Named by the protocol, sent by no known server.
    TRANSACTION_SHOULD_COMMIT = 200,
    /// Named by the protocol, sent by no known server.
    TRANSACTION_SHOULD_ROLLBACK = 201,
    /// Named by the protocol, sent by no known server.
    TRANSACTION_STATE_UNKNOW = 202,
    /// Named by the protocol, sent by no known server.
    TRANSACTION_STATE_GROUP_WRONG = 203,
    /// Sent by plug-ins and other distributions.
    NO_BUYER_ID = 204,
    /// Sent by plug-ins and other distributions.
    NOT_IN_CURRENT_UNIT = 205,
    /// No consumer of the group is connected.
    CONSUMER_NOT_ONLINE = 206,
    /// A consumer did not answer the broker in time.
    CONSUME_MSG_TIMEOUT = 207,
    /// There is no message to confirm.
    NO_MESSAGE = 208,
    /// Too many waiting pop requests.
    POLLING_FULL = 209,
    /// No message arrived while waiting.
    POLLING_TIMEOUT = 210,
    /// The broker container has no such broker.
    BROKER_NOT_EXIST = 211,
    /// Named by the protocol, sent by no known server.
    BROKER_DISPATCH_NOT_COMPLETE = 212,
    /// Made inside admin tools only.
    BROADCAST_CONSUMPTION = 213,
    /// Named by the protocol, sent by no known server.
    FLOW_CONTROL = 215,
    /// Another broker leads this queue of a static topic.
    NOT_LEADER_FOR_QUEUE = 501,
    /// The operation came too late or the handle is wrong.
    ILLEGAL_OPERATION = 604,
    /// The server is shutting down: reconnect and send again.
    GO_AWAY = 1500,
    /// Controller: the master's epoch is not current.
    CONTROLLER_FENCED_MASTER_EPOCH = 2000,
    /// Controller: the replica set's epoch is not current.
    CONTROLLER_FENCED_SYNC_STATE_SET_EPOCH = 2001,
    /// Controller: not the master.
    CONTROLLER_INVALID_MASTER = 2002,
    /// Controller: unknown replicas.
    CONTROLLER_INVALID_REPLICAS = 2003,
    /// Controller: no master.
    CONTROLLER_MASTER_NOT_AVAILABLE = 2004,
    /// Controller: bad request.
    CONTROLLER_INVALID_REQUEST = 2005,
    /// Controller: the broker is not alive.
    CONTROLLER_BROKER_NOT_ALIVE = 2006,
    /// Controller: this one does not lead.
    CONTROLLER_NOT_LEADER = 2007,
    /// Controller: no data of the broker.
    CONTROLLER_BROKER_METADATA_NOT_EXIST = 2008,
    /// Controller: the broker's data must not be cleaned.
    CONTROLLER_INVALID_CLEAN_BROKER_METADATA = 2009,
    /// Controller: the broker must register first.
    CONTROLLER_BROKER_NEED_TO_BE_REGISTERED = 2010,
    /// Controller: there is a master already.
    CONTROLLER_MASTER_STILL_EXIST = 2011,
    /// Controller: no master could be elected.
    CONTROLLER_ELECT_MASTER_FAILED = 2012,
    /// Controller: the replica set was not changed.
    CONTROLLER_ALTER_SYNC_STATE_SET_FAILED = 2013,
    /// Controller: bad broker id.
    CONTROLLER_BROKER_ID_INVALID = 2014,
    /// Controller: internal error.
    CONTROLLER_JRAFT_INTERNAL_ERROR = 2015,
    /// Controller: no live data of the broker.
    CONTROLLER_BROKER_LIVE_INFO_NOT_EXISTS = 2016,
    /// The user is unknown.
    USER_NOT_EXIST = 3001,
    /// The access policy is unknown.
    POLICY_NOT_EXIST = 3002,
    /// A broker's own call to another broker failed.
    RPC_UNKNOWN = -1000,
    /// A broker's own call had no address.
    RPC_ADDR_IS_NULL = -1002,
    /// A broker's own call could not be sent.
    RPC_SEND_TO_CHANNEL_FAILED = -1004,
    /// A broker's own call timed out.
    RPC_TIME_OUT = -1006,
});
