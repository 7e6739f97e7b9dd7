//! The handle of a producer, and how to open one.

use crate::error::{FlushError, OpenError, wrong};
use crate::send::{Awaited, Enqueued, Half, OneWay, Receipt, SendBuilder};
use crate::shared::{Handle, Shared};
use crate::sync::AtomicBool;
use crate::transaction::Checks;
use crate::wait::Wait;
use rocketmq_core::ground::Now;
use rocketmq_core::ground::names::{GroupName, TopicName};
use rocketmq_core::interface::{Answer, Command, ConfigError, ProducerId};
use rocketmq_core::interface::{ProducerConfig, Resend, SendError, TraceConfig, Undelivered};
use rocketmq_core::message::{Message, UniqueKey};
use std::fmt::{self, Display};
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Sends messages. A clone is another handle of the same producer.
///
/// When the last clone is dropped, futures and [`Receipt`]s of it included, the producer is closed: sends
/// under way are waited for as long as [`ClientBuilder::drop_budget`](crate::ClientBuilder::drop_budget)
/// says. Use [`close`](Producer::close) to wait for that and to get back what was not delivered.
///
/// ```no_run
/// # async fn example(client: rocketmq_driver::Client) -> Result<(), Box<dyn std::error::Error>> {
/// use rocketmq_driver::{Message, Target};
/// use std::time::Duration;
///
/// let producer = client.producer("orders").await?;
/// let message = Message::new("placed".parse()?, "4 apples");
/// let receipt = producer.send(message).to(Target::ShardingKey("customer-7".into())).within(Duration::from_secs(1)).await?;
/// println!("{} at {} in {}", receipt.message_id, receipt.queue_offset, receipt.queue);
/// # Ok(()) }
/// ```
#[derive(Clone)]
#[doc(alias = "DefaultMQProducer")]
pub struct Producer {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) handle: Arc<Handle>,
    pub(crate) id: ProducerId,
    pub(crate) send_timeout: Duration,
    group: GroupName,
    closing: AtomicBool,
}

impl Inner {
    pub(crate) fn shared(&self) -> &Shared {
        &self.handle.shared
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if *self.closing.get_mut() {
            return;
        }
        let budget = self.shared().drop_budget;
        let producer = self.id;
        self.shared().enter(|state, now| {
            if !state.has_driver_ended() {
                state.begin_unwatched(now, Command::CloseProducer { producer, deadline: now.mono + budget });
            }
        });
    }
}

impl fmt::Debug for Producer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Producer").field("group", &self.inner.group).finish_non_exhaustive()
    }
}

impl Producer {
    /// The producer group.
    #[must_use]
    pub fn group(&self) -> &GroupName {
        &self.inner.group
    }

    /// Sends a message and waits for its receipt.
    ///
    /// Waits for room when too much is under way, for a route, a connection and the broker's answer, and
    /// tries again as the producer's settings say, all within one deadline: the producer's
    /// [`send_timeout`](ProducerBuilder::send_timeout) or [`within`](SendBuilder::within), counted from the
    /// first poll. The same as `enqueue(message).await?.await`.
    ///
    /// **When the future is dropped** before its first poll or while it waits for room, the message is not
    /// sent. After that the send goes on, and only its answer is lost.
    ///
    /// From the task that `#[tokio::main]` runs, each send costs two switches between threads, about 10 µs:
    /// send from a spawned task when that matters.
    ///
    /// # Errors
    /// [`SendError`] tells why, whether a broker may have the message, and what was tried; it gives the
    /// message back.
    #[doc(alias = "syncSend")]
    #[doc(alias = "asyncSend")]
    pub fn send(&self, message: Message) -> SendBuilder<Awaited> {
        SendBuilder::new(self.inner.clone(), message)
    }

    /// Hands a message over and waits only until there is room for it. The [`Receipt`] is a future of its
    /// own: keep many of them to have many messages under way.
    ///
    /// **When the future is dropped** before it is ready, the message is not sent. When the receipt is
    /// dropped, the send goes on.
    ///
    /// # Errors
    /// When the message is wrong, or there is no room until the deadline: it is not sent, and the error
    /// gives it back.
    pub fn enqueue(&self, message: Message) -> SendBuilder<Enqueued> {
        SendBuilder::new(self.inner.clone(), message)
    }

    /// Hands a message over if there is room for it at once. With options:
    /// [`enqueue(message)...try_now()`](SendBuilder::try_now).
    ///
    /// # Errors
    /// [`SendErrorKind::Full`](rocketmq_core::interface::SendErrorKind::Full) when there is no room, or others
    /// wait for it; the message comes back with
    /// [`into_message`](SendError::into_message).
    pub fn try_enqueue(&self, message: Message) -> Result<Receipt, SendError> {
        self.enqueue(message).try_now()
    }

    /// Sends a message and does not ask the broker for an answer. Ready when the socket has taken all of
    /// it; whether the broker stores it stays unknown, and a busy broker drops such messages without a word.
    ///
    /// **When the future is dropped** before its first poll or while it waits for room, the message is not
    /// sent. After that the send goes on.
    ///
    /// # Errors
    /// As [`send`](Self::send): the message could not be written within the deadline.
    #[doc(alias = "sendOneway")]
    pub fn send_oneway(&self, message: Message) -> SendBuilder<OneWay> {
        SendBuilder::new(self.inner.clone(), message)
    }

    /// Sends a half message and waits until a broker has stored it. Nobody sees it before its transaction ends: do the
    /// local transaction then, and [`commit`](crate::Transaction::commit) or [`rollback`](crate::Transaction::rollback).
    ///
    /// Have somebody answer [`checks`](Self::checks) too, in every process of the group: a broker that does not learn how a
    /// transaction ended asks any of them.
    ///
    /// **When the future is dropped** before its first poll or while it waits for room, the message is not sent. After that
    /// the half message may be stored, and the broker asks about it.
    ///
    /// # Errors
    /// As [`send`](Self::send). Do no local transaction then; when the half message *may be stored*, the broker asks.
    #[doc(alias = "sendMessageInTransaction")]
    pub fn send_half(&self, message: Message) -> SendBuilder<Half> {
        SendBuilder::new(self.inner.clone(), message)
    }

    /// The checks of brokers: what became of half messages whose end they do not know. Each check goes to one of those who
    /// wait for one. While there is no `Checks`, checks are left, and come again.
    #[doc(alias = "setTransactionListener")]
    #[doc(alias = "checkLocalTransaction")]
    #[must_use]
    pub fn checks(&self) -> Checks {
        Checks::new(self.inner.clone())
    }

    /// How often brokers have asked about a transaction since it was ended, or may have been. The client answers such
    /// checks by itself; 0 when nothing is known of its end any more.
    #[must_use]
    pub fn checks_since_end(&self, transaction: UniqueKey) -> u32 {
        let id = self.inner.id;
        self.inner.shared().peek(|state| state.core.transaction_checks_of(id, transaction))
    }

    /// Waits until every send that this producer has accepted so far has its verdict.
    ///
    /// Dropping the future changes nothing for the sends.
    ///
    /// # Errors
    /// How many sends had no verdict within the time, or that the driver is gone.
    pub async fn flush(&self, within: Duration) -> Result<(), FlushError> {
        let producer = Some(self.inner.id);
        let command = |now: Now| Command::Flush { producer, deadline: now.mono + within };
        match Wait::new(self.inner.handle.clone(), command).await {
            Some(Answer::Flushed(done)) => done.map_err(FlushError::Pending),
            _ => Err(FlushError::DriverGone),
        }
    }

    /// Closes the producer: refuses new sends, waits up to `within` for those under way, and unregisters the
    /// group from the brokers. Returns what was not delivered, with the reasons; their callers are told too.
    ///
    /// When the future is dropped after its first poll, the closing goes on, and what was not delivered is
    /// told to the callers of the sends only. When the driver was dropped before, the list is empty: the
    /// sends have learned it.
    #[doc(alias = "shutdown")]
    pub async fn close(&self, within: Duration) -> Vec<Undelivered> {
        let producer = self.inner.id;
        let command = |now: Now| {
            self.inner.closing.store(true, Ordering::Relaxed);
            Command::CloseProducer { producer, deadline: now.mono + within }
        };
        match Wait::new(self.inner.handle.clone(), command).await {
            Some(Answer::Closed(undelivered)) => undelivered,
            _ => Vec::new(),
        }
    }
}

/// The settings of a producer, see [`Client::producer`](crate::Client::producer). Their defaults and Java
/// names are listed at [`ProducerConfig`].
#[derive(Clone)]
#[must_use = "a builder does nothing until the producer is opened"]
pub struct ProducerBuilder {
    handle: Arc<Handle>,
    config: Result<ProducerConfig, ConfigError>,
}

impl fmt::Debug for ProducerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProducerBuilder").field("config", &self.config).finish_non_exhaustive()
    }
}

impl ProducerBuilder {
    pub(crate) fn new<G>(handle: Arc<Handle>, group: G) -> Self
    where
        G: TryInto<GroupName>,
        G::Error: Display,
    {
        let config = group.try_into().map(ProducerConfig::new).map_err(|error| wrong("group", error));
        Self { handle, config }
    }

    fn set(mut self, change: impl FnOnce(&mut ProducerConfig)) -> Self {
        if let Ok(config) = &mut self.config {
            change(config);
        }
        self
    }

    /// How long a send may take in all, waiting for room included, when the call does not say. Default 3 s.
    #[doc(alias = "setSendMsgTimeout")]
    pub fn send_timeout(self, timeout: Duration) -> Self {
        self.set(|config| config.send_timeout = timeout)
    }

    /// Further attempts after one that may have reached a broker. Default 2.
    #[doc(alias = "setRetryTimesWhenSendFailed")]
    #[doc(alias = "setRetryTimesWhenSendAsyncFailed")]
    pub fn retries(self, retries: u32) -> Self {
        self.set(|config| config.retries = retries)
    }

    /// Whether a message that may be stored already is sent again. Default: yes, as Java does.
    pub fn resend(self, resend: Resend) -> Self {
        self.set(|config| config.resend = resend)
    }

    /// Try another broker when the status is not `SEND_OK`, although the message is stored. Default: no.
    #[doc(alias = "setRetryAnotherBrokerWhenNotStoreOK")]
    pub fn retry_another_broker_when_not_store_ok(self, retry: bool) -> Self {
        self.set(|config| config.retry_another_broker_when_not_store_ok = retry)
    }

    /// Largest body in bytes. Default 4 MiB.
    #[doc(alias = "setMaxMessageSize")]
    pub fn max_message_size(self, bytes: usize) -> Self {
        self.set(|config| config.max_message_size = bytes)
    }

    /// The topic whose route a topic that does not exist yet borrows. Default `TBW102`.
    #[doc(alias = "setCreateTopicKey")]
    pub fn create_topic_key(self, topic: TopicName) -> Self {
        self.set(|config| config.create_topic_key = topic)
    }

    /// Queues per broker of a topic that is created by a send. Default 4.
    #[doc(alias = "setDefaultTopicQueueNums")]
    pub fn default_topic_queue_nums(self, queues: u32) -> Self {
        self.set(|config| config.default_topic_queue_nums = queues)
    }

    /// Topics whose routes are asked for and whose brokers are greeted before the first send. Name them when brokers
    /// are to ask this producer about [transactions](Producer::checks) that it has not begun, as after a restart.
    #[doc(alias = "setTopics")]
    pub fn topics(self, topics: impl IntoIterator<Item = TopicName>) -> Self {
        self.set(|config| config.topics.extend(topics))
    }

    /// Message trace: a record of each send and of each end of a transaction goes to a topic of its own, where consoles
    /// look for them. Default: none. [`Counters`](rocketmq_core::client::Counters) tell how many records there were, and how
    /// many were dropped; a send never waits for its record, and never fails for it.
    ///
    /// Give the client's [`shutdown`](crate::Client::shutdown) some time: what waits of the records is sent then.
    #[doc(alias = "setEnableTrace")]
    #[doc(alias = "enableMsgTrace")]
    pub fn trace(self, trace: TraceConfig) -> Self {
        self.set(|config| config.trace = Some(trace))
    }

    /// Message trace to a topic, with the other settings of [`TraceConfig`] at their defaults.
    #[doc(alias = "setTraceTopic")]
    #[doc(alias = "customizedTraceTopic")]
    pub fn trace_to(self, topic: TopicName) -> Self {
        self.trace(TraceConfig::to(topic))
    }

    /// Opens the producer. No answer of a server is waited for: a name server that is away is no error here.
    /// `builder.await` does the same.
    ///
    /// When the future is dropped before it is ready, no producer stays open.
    ///
    /// # Errors
    /// A setting that cannot work, a group that has a producer already, a client that has ended.
    #[doc(alias = "start")]
    pub async fn open(self) -> Result<Producer, OpenError> {
        let config = self.config.map_err(rocketmq_core::interface::OpenError::Config)?;
        let (group, send_timeout) = (config.group.clone(), config.send_timeout);
        let command = |_: Now| Command::OpenProducer { config: Box::new(config) };
        match Wait::new(self.handle.clone(), command).await {
            Some(Answer::Opened(Ok(id))) => {
                let closing = AtomicBool::new(false);
                let inner = Inner { handle: self.handle, id, send_timeout, group, closing };
                Ok(Producer { inner: Arc::new(inner) })
            }
            Some(Answer::Opened(Err(error))) => Err(error.into()),
            _ => Err(OpenError::DriverGone),
        }
    }
}

impl IntoFuture for ProducerBuilder {
    type Output = Result<Producer, OpenError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.open())
    }
}
