//! Request codes of clients, brokers and name servers.

use super::code::codes;

/// What a request asks for: the header's `code` while bit 0 of `flag` is clear.
///
/// Prints as name and number, `SEND_MESSAGE_V2(310)`; a number without a name as `CODE(9999)`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestCode(pub i32);

codes!(RequestCode {
    /// Sends one message, header with long field names.
    SEND_MESSAGE = 10,
    /// Pulls messages of one queue.
    PULL_MESSAGE = 11,
    /// Finds messages by key.
    QUERY_MESSAGE = 12,
    /// Reads a group's offset of one queue.
    QUERY_CONSUMER_OFFSET = 14,
    /// Stores a group's offset of one queue.
    UPDATE_CONSUMER_OFFSET = 15,
    /// Creates or changes a topic on one broker.
    UPDATE_AND_CREATE_TOPIC = 17,
    /// Creates or changes several topics on one broker.
    UPDATE_AND_CREATE_TOPIC_LIST = 18,
    /// Finds the queue offset for a time.
    SEARCH_OFFSET_BY_TIMESTAMP = 29,
    /// Reads the largest offset of a queue.
    GET_MAX_OFFSET = 30,
    /// Reads the smallest offset of a queue.
    GET_MIN_OFFSET = 31,
    /// Reads the store time of a queue's first message.
    GET_EARLIEST_MSG_STORETIME = 32,
    /// Reads one message by its offset message id.
    VIEW_MESSAGE_BY_ID = 33,
    /// Tells a broker which client and groups are alive.
    HEART_BEAT = 34,
    /// Takes a client's group off a broker.
    UNREGISTER_CLIENT = 35,
    /// Hands a message back for a later retry.
    CONSUMER_SEND_MSG_BACK = 36,
    /// Commits or rolls back a half message.
    END_TRANSACTION = 37,
    /// Lists the client ids of a consumer group.
    GET_CONSUMER_LIST_BY_GROUP = 38,
    /// The broker asks a producer for the fate of a half message.
    CHECK_TRANSACTION_STATE = 39,
    /// The broker tells consumers that their group changed.
    NOTIFY_CONSUMER_IDS_CHANGED = 40,
    /// Locks queues for an orderly consumer.
    LOCK_BATCH_MQ = 41,
    /// Unlocks queues of an orderly consumer.
    UNLOCK_BATCH_MQ = 42,
    /// Lets a broker check a subscription.
    CHECK_CLIENT_CONFIG = 46,
    /// Named by the protocol, served by nobody.
    GET_CLIENT_CONFIG = 47,
    /// Stores a name server setting.
    PUT_KV_CONFIG = 100,
    /// Reads a name server setting.
    GET_KV_CONFIG = 101,
    /// Removes a name server setting.
    DELETE_KV_CONFIG = 102,
    /// Asks a name server where a topic lives.
    GET_ROUTEINFO_BY_TOPIC = 105,
    /// Asks a name server for all clusters and brokers.
    GET_BROKER_CLUSTER_INFO = 106,
    /// Creates or changes a consumer group.
    UPDATE_AND_CREATE_SUBSCRIPTIONGROUP = 200,
    /// Reads the offsets of all queues of a topic.
    GET_TOPIC_STATS_INFO = 202,
    /// Lists the connections of a consumer group.
    GET_CONSUMER_CONNECTION_LIST = 203,
    /// Lists the connections of a producer group.
    GET_PRODUCER_CONNECTION_LIST = 204,
    /// Lists all topics a name server knows.
    GET_ALL_TOPIC_LIST_FROM_NAMESERVER = 206,
    /// Deletes a consumer group.
    DELETE_SUBSCRIPTIONGROUP = 207,
    /// Reads the progress of a consumer group.
    GET_CONSUME_STATS = 208,
    /// Deletes a topic on one broker.
    DELETE_TOPIC_IN_BROKER = 215,
    /// Deletes a topic's route on a name server.
    DELETE_TOPIC_IN_NAMESRV = 216,
    /// Registers a topic's route on a name server.
    REGISTER_TOPIC_IN_NAMESRV = 217,
    /// Lists the name server settings of a namespace.
    GET_KVLIST_BY_NAMESPACE = 219,
    /// The broker resets a consumer's offsets.
    RESET_CONSUMER_CLIENT_OFFSET = 220,
    /// The broker asks a consumer for its offsets.
    GET_CONSUMER_STATUS_FROM_CLIENT = 221,
    /// An administrator resets a group's offsets.
    INVOKE_BROKER_TO_RESET_OFFSET = 222,
    /// An administrator asks for a group's offsets.
    INVOKE_BROKER_TO_GET_CONSUMER_STATUS = 223,
    /// Lists the topics of one cluster.
    GET_TOPICS_BY_CLUSTER = 224,
    /// Creates or changes several consumer groups.
    UPDATE_AND_CREATE_SUBSCRIPTIONGROUP_LIST = 225,
    /// Named by the protocol, served by nobody.
    REGISTER_MESSAGE_FILTER_CLASS = 302,
    /// Asks a consumer what it is doing.
    GET_CONSUMER_RUNNING_INFO = 307,
    /// Asks a consumer to consume one message now.
    CONSUME_MESSAGE_DIRECTLY = 309,
    /// Sends one message, header with one-letter field names.
    SEND_MESSAGE_V2 = 310,
    /// Sends several messages of one topic in one body.
    SEND_BATCH_MESSAGE = 320,
    /// Sends a reply message, long field names.
    SEND_REPLY_MESSAGE = 324,
    /// Sends a reply message, one-letter field names.
    SEND_REPLY_MESSAGE_V2 = 325,
    /// The broker delivers a reply to the asking client.
    PUSH_REPLY_MESSAGE_TO_CLIENT = 326,
    /// Reads the configuration of a topic.
    GET_TOPIC_CONFIG = 351,
    /// Reads the configuration of a consumer group.
    GET_SUBSCRIPTIONGROUP_CONFIG = 352,
    /// Pulls messages for a lite pull consumer.
    LITE_PULL_MESSAGE = 361,
    /// Takes back a timer message that is not yet due.
    RECALL_MESSAGE = 370,
    /// Asks a broker for a consumer's queues.
    QUERY_ASSIGNMENT = 400,
    /// Chooses pull or pop for a group.
    SET_MESSAGE_REQUEST_MODE = 401,
    /// Takes messages for a limited time.
    POP_MESSAGE = 200050,
    /// Confirms a popped message.
    ACK_MESSAGE = 200051,
    /// Looks at messages without taking them.
    PEEK_MESSAGE = 200052,
    /// Changes how long a popped message stays hidden.
    CHANGE_MESSAGE_INVISIBLETIME = 200053,
    /// Waits for new messages of a popped topic.
    NOTIFICATION = 200054,
    /// Reads the number of waiting pop requests.
    POLLING_INFO = 200055,
    /// Returns popped messages.
    POP_ROLLBACK = 200056,
    /// Confirms several popped messages.
    BATCH_ACK_MESSAGE = 200151,
});
