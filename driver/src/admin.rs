//! The handle for administrative calls.

use crate::shared::Handle;
use crate::wait::Wait;
use rocketmq_core::body::{ClusterInfo, TopicRouteData};
use rocketmq_core::ground::Now;
use rocketmq_core::ground::names::{BrokerName, TopicName};
use rocketmq_core::interface::{
    AdminAnswer, AdminError, AdminRequest, Answer, Command, MessageQuery, MessageQueue, OffsetBoundary,
    QueryResult, TopicConfig, TopicPlace,
};
use rocketmq_core::message::{MessageExt, OffsetMessageId};
use std::collections::BTreeSet;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// How long an administrative call may take, unless told otherwise: as in Java.
pub const DEFAULT_ADMIN_TIMEOUT: Duration = Duration::from_secs(6);

/// Administrative calls: topics, offsets, stored messages, brokers. See [`Client::admin`](crate::Client::admin).
///
/// Each call asks anew, first a name server and then the brokers, on connections of its own. A question that had no
/// answer is asked again, up to three times; all within the call's [deadline](Self::within). Everything may be called
/// again: nothing is done twice.
///
/// **When a future is dropped**, what it has begun goes on, and its answer is lost.
///
/// ```no_run
/// # async fn example(client: rocketmq_driver::Client) -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
///
/// let admin = client.admin().within(Duration::from_secs(3));
/// admin.create_topic("orders".parse()?).queues(4).await?;
/// for queue in admin.publish_queues("orders".parse()?).await? {
///     println!("{queue}: {} to {}", admin.min_offset(&queue).await?, admin.max_offset(&queue).await?);
/// }
/// # Ok(()) }
/// ```
#[derive(Clone)]
#[doc(alias = "MQAdmin")]
#[doc(alias = "DefaultMQAdminExt")]
pub struct Admin {
    handle: Arc<Handle>,
    within: Duration,
}

impl fmt::Debug for Admin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admin").field("within", &self.within).finish_non_exhaustive()
    }
}

/// Takes the answer of the kind that belongs to the request; any other would be a slip of the core.
macro_rules! answer {
    ($admin:expr, $request:expr, $kind:ident) => {
        match $admin.call($request).await? {
            AdminAnswer::$kind(answer) => Ok(answer),
            _ => Err(AdminError::DriverGone),
        }
    };
}

impl Admin {
    pub(crate) fn new(handle: Arc<Handle>) -> Self {
        Self { handle, within: DEFAULT_ADMIN_TIMEOUT }
    }

    /// How long each call may take in all, from its first poll on. Default: 6 s ([`DEFAULT_ADMIN_TIMEOUT`]).
    #[must_use]
    pub fn within(mut self, time: Duration) -> Self {
        self.within = time;
        self
    }

    async fn call(&self, request: AdminRequest) -> Result<AdminAnswer, AdminError> {
        let (request, within) = (Box::new(request), self.within);
        let command = |now: Now| Command::Admin { request, deadline: now.mono + within };
        match Wait::new(self.handle.clone(), command).await {
            Some(Answer::Admin(result)) => result,
            _ => Err(AdminError::DriverGone),
        }
    }

    /// Creates a topic, or changes the one that there is. Await what comes back, or set options first.
    ///
    /// Brokers tell name servers of it at once, but routes follow a moment later.
    ///
    /// # Errors
    /// [`AdminError::Brokers`] tells which brokers have the topic now and which do not.
    #[doc(alias = "createTopic")]
    pub fn create_topic(&self, topic: TopicName) -> CreateTopic {
        CreateTopic { admin: self.clone(), topic: TopicConfig::new(topic), place: TopicPlace::OnlyCluster }
    }

    /// Where a topic lives, as a name server knows it just now.
    ///
    /// # Errors
    /// [`AdminError::TopicUnknown`], or no name server answered.
    #[doc(alias = "examineTopicRouteInfo")]
    pub async fn topic_route(&self, topic: TopicName) -> Result<TopicRouteData, AdminError> {
        answer!(self, AdminRequest::TopicRoute(topic), Route).map(|route| *route)
    }

    /// The message queues of a topic to which messages can be sent, in the order of brokers and numbers.
    ///
    /// # Errors
    /// [`AdminError::TopicUnknown`], [`AdminError::NoWritableQueue`], [`AdminError::StaticTopic`], or no name server
    /// answered.
    #[doc(alias = "fetchPublishMessageQueues")]
    pub async fn publish_queues(&self, topic: TopicName) -> Result<Vec<MessageQueue>, AdminError> {
        answer!(self, AdminRequest::PublishQueues(topic), Queues)
    }

    /// The offset behind the last message of a queue.
    ///
    /// # Errors
    /// [`AdminError::TopicUnknown`] and [`AdminError::UnknownQueue`], which brokers would answer with 0; no name server
    /// answered, or the broker did not.
    #[doc(alias = "maxOffset")]
    pub async fn max_offset(&self, queue: &MessageQueue) -> Result<i64, AdminError> {
        answer!(self, AdminRequest::MaxOffset(queue.clone()), Offset)
    }

    /// The offset of the first message of a queue that is still there.
    ///
    /// # Errors
    /// As [`max_offset`](Self::max_offset).
    #[doc(alias = "minOffset")]
    pub async fn min_offset(&self, queue: &MessageQueue) -> Result<i64, AdminError> {
        answer!(self, AdminRequest::MinOffset(queue.clone()), Offset)
    }

    /// When the first message of a queue that is still there was stored, in milliseconds since the Unix epoch by the
    /// broker's clock; none for a queue without messages.
    ///
    /// # Errors
    /// As [`max_offset`](Self::max_offset).
    #[doc(alias = "earliestMsgStoreTime")]
    pub async fn earliest_store_time(&self, queue: &MessageQueue) -> Result<Option<i64>, AdminError> {
        answer!(self, AdminRequest::EarliestStoreTime(queue.clone()), StoreTime)
    }

    /// The offset in a queue that belongs to a time, in milliseconds since the Unix epoch by the broker's clock. After
    /// the last message, brokers of 4.x name that message, those of 5.x the place behind it.
    ///
    /// # Errors
    /// As [`max_offset`](Self::max_offset).
    #[doc(alias = "searchOffset")]
    pub async fn search_offset(
        &self,
        queue: &MessageQueue,
        timestamp_ms: i64,
        boundary: OffsetBoundary,
    ) -> Result<i64, AdminError> {
        let queue = queue.clone();
        answer!(self, AdminRequest::SearchOffset { queue, timestamp_ms, boundary }, Offset)
    }

    /// The message with an offset message id; brokers of 5.x with access control want to know its topic. The question goes to the address that the id names, which need not be one
    /// of this cluster: take ids from trustworthy places only.
    ///
    /// A body that is compressed with zlib comes as it was sent with the feature `zlib`, else as it is stored, which
    /// [`MessageExt::compression`] tells.
    ///
    /// # Errors
    /// [`AdminError::NotFound`]; the broker did not answer, or is at no such address.
    #[doc(alias = "viewMessage")]
    pub async fn view_message(
        &self,
        topic: Option<TopicName>,
        id: OffsetMessageId,
    ) -> Result<MessageExt, AdminError> {
        answer!(self, AdminRequest::ViewMessage { id, topic }, Message).map(|message| *message)
    }

    /// The message of a topic with a unique key: Java's `msgId`, the `message_id` of a receipt. It is found once the
    /// broker's index has it, a moment after it was stored.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] when all brokers of the topic answered, [`AdminError::Brokers`] when some did not.
    #[doc(alias = "queryMessageByUniqKey")]
    pub async fn query_unique_key(
        &self,
        topic: TopicName,
        key: impl Into<String>,
    ) -> Result<MessageExt, AdminError> {
        let key = key.into();
        answer!(self, AdminRequest::QueryUniqueKey { topic, key }, Message).map(|message| *message)
    }

    /// Messages of a topic with a key, oldest first. Brokers that failed are named in the result, unless no other had
    /// anything.
    ///
    /// ```no_run
    /// # async fn example(client: rocketmq_driver::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use rocketmq_driver::MessageQuery;
    ///
    /// let query = MessageQuery { most: 10, ..MessageQuery::new("orders".parse()?, "customer-7") };
    /// for found in client.admin().query_messages(query).await?.messages {
    ///     println!("{}: {:?}", found.offset_message_id(), found.message.body());
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`AdminError::Brokers`] when brokers failed and no other had anything; [`AdminError::TooLarge`].
    #[doc(alias = "queryMessage")]
    pub async fn query_messages(&self, query: MessageQuery) -> Result<QueryResult, AdminError> {
        answer!(self, AdminRequest::QueryMessages(query), Messages)
    }

    /// All brokers and clusters that a name server knows.
    ///
    /// # Errors
    /// No name server answered.
    #[doc(alias = "examineBrokerClusterInfo")]
    pub async fn cluster_info(&self) -> Result<ClusterInfo, AdminError> {
        answer!(self, AdminRequest::ClusterInfo, Cluster)
    }

    /// The names of all topics that a name server knows, those of the servers themselves among them.
    ///
    /// # Errors
    /// No name server answered.
    #[doc(alias = "fetchAllTopicList")]
    pub async fn topics(&self) -> Result<BTreeSet<String>, AdminError> {
        answer!(self, AdminRequest::TopicList, Topics)
    }
}

/// A topic that is to be created, with its options. Await it.
#[derive(Clone, Debug)]
#[must_use = "a topic is not created until this is awaited"]
pub struct CreateTopic {
    admin: Admin,
    topic: TopicConfig,
    place: TopicPlace,
}

impl CreateTopic {
    /// Queues on each broker, to read and to write. Default: 8.
    #[doc(alias = "queueNum")]
    pub fn queues(mut self, queues: u32) -> Self {
        (self.topic.read_queues, self.topic.write_queues) = (queues, queues);
        self
    }

    /// Everything that can be said of a topic.
    pub fn config(mut self, topic: TopicConfig) -> Self {
        self.topic = topic;
        self
    }

    /// An attribute, such as `message.type` = `FIFO`; brokers before 5.0 pass it over.
    pub fn attribute(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.topic.attributes.insert(name.into(), Some(value.into()));
        self
    }

    /// On which brokers. Default: all of the one cluster that there is.
    pub fn on(mut self, place: TopicPlace) -> Self {
        self.place = place;
        self
    }
}

impl IntoFuture for CreateTopic {
    /// The brokers that have the topic now.
    type Output = Result<Vec<BrokerName>, AdminError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let Self { admin, topic, place } = self;
            answer!(admin, AdminRequest::CreateTopic { topic, place }, TopicCreated)
        })
    }
}
