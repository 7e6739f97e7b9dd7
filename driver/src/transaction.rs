//! Transactions as applications hold them: half messages, their ends, and the checks of brokers.

#[cfg(feature = "tracing")]
use crate::hooks::text_of;
use crate::producer::Inner;
use crate::shared::State;
use crate::wait::Wait;
use rocketmq_core::ground::Now;
use rocketmq_core::interface::{
    Answer, CheckId, Command, EndErrorKind, EndTransactionError, EndVerdict, HalfMessage,
    LocalTransactionState, SendReceipt, TransactionCheck, TransactionEnd,
};
use rocketmq_core::message::{MessageExt, UniqueKey};
use std::fmt;
use std::future::{Future, IntoFuture, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

/// A half message that a broker has stored: invisible until its transaction ends.
///
/// [`commit`](Self::commit) or [`rollback`](Self::rollback) ends it. When it is dropped instead, nothing is sent, and the
/// broker asks the producer group later: see [`Producer::checks`](crate::Producer::checks).
///
/// ```no_run
/// # async fn example(producer: rocketmq_driver::Producer) -> Result<(), Box<dyn std::error::Error>> {
/// use rocketmq_driver::{EndVerdict, Message};
///
/// let transaction = producer.send_half(Message::new("placed".parse()?, "4 apples")).await?;
/// // The local transaction; its outcome is kept under `transaction.unique_key()`, for checks.
/// if let Err(error) = transaction.commit().await {
///     match error.verdict() {
///         EndVerdict::MayBeDelivered => println!("the broker may have done it, and asks if not"),
///         EndVerdict::NotDelivered | EndVerdict::Refused => println!("the broker asks later: {error}"),
///     }
/// }
/// # Ok(()) }
/// ```
#[must_use = "a transaction that is dropped stays open until the broker asks about it"]
#[doc(alias = "TransactionMQProducer")]
pub struct Transaction {
    producer: Arc<Inner>,
    receipt: SendReceipt,
}

impl fmt::Debug for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction").field("receipt", &self.receipt).finish_non_exhaustive()
    }
}

impl Transaction {
    pub(crate) fn new(producer: Arc<Inner>, receipt: SendReceipt) -> Self {
        Self { producer, receipt }
    }

    /// The receipt of the half message. Its offsets are those among half messages.
    #[must_use]
    pub fn receipt(&self) -> &SendReceipt {
        &self.receipt
    }

    /// The unique key of the message, which is also the id of the transaction: checks come with it.
    #[doc(alias = "getTransactionId")]
    #[must_use]
    pub fn unique_key(&self) -> UniqueKey {
        self.receipt.message_id
    }

    /// The message becomes visible.
    ///
    /// The broker is asked once, for it would do it again each time: when the result is *may be delivered*, the client
    /// answers the broker's next check with this decision by itself.
    #[doc(alias = "endTransaction")]
    pub fn commit(self) -> EndBuilder {
        self.end(TransactionEnd::Commit)
    }

    /// The message is thrown away, else as [`commit`](Self::commit).
    pub fn rollback(self) -> EndBuilder {
        self.end(TransactionEnd::Rollback)
    }

    fn end(self, end: TransactionEnd) -> EndBuilder {
        let Self { producer, receipt } = self;
        let half = Box::new(HalfMessage::of(&receipt).ok_or(receipt));
        EndBuilder { within: producer.send_timeout, producer, end, of: Of::Half(half) }
    }
}

/// The end of a transaction with its options. Await it.
///
/// **When it is dropped** before its first poll, nothing is sent. Later, the end goes on, and only its result is lost.
#[must_use = "a transaction does not end until this is awaited"]
pub struct EndBuilder {
    producer: Arc<Inner>,
    end: TransactionEnd,
    of: Of,
    within: Duration,
}

/// What is ended.
enum Of {
    /// A half message; its receipt, when that does not tell where it is.
    Half(Box<Result<HalfMessage, SendReceipt>>),
    Check(Box<Check>),
}

impl fmt::Debug for EndBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EndBuilder")
            .field("end", &self.end)
            .field("within", &self.within)
            .finish_non_exhaustive()
    }
}

impl EndBuilder {
    /// How long it may take in all, from the first poll on. Default: the producer's `send_timeout`.
    pub fn within(mut self, time: Duration) -> Self {
        self.within = time;
        self
    }

    async fn run(self) -> Result<(), EndTransactionError> {
        let Self { producer, end, of, within } = self;
        let (half, check) = match of {
            Of::Half(half) => (half.map_err(|receipt| no_place(receipt, end))?, None),
            Of::Check(check) => (check.check.half(), Some(check)),
        };
        let asked = half.clone();
        let id = producer.id;
        let command = |now: Now| {
            let deadline = now.mono + within;
            match check {
                None => Command::EndTransaction { producer: id, half: asked, end, deadline },
                Some(check) => Command::AnswerCheck { check: check.answered(), half: asked, end, deadline },
            }
        };
        match Wait::new(producer.handle.clone(), command).await {
            Some(Answer::Ended(result)) => result,
            _ => {
                let (kind, verdict) = (EndErrorKind::DriverGone, EndVerdict::MayBeDelivered);
                Err(EndTransactionError::new(kind, verdict, end, &half))
            }
        }
    }
}

/// A receipt that does not tell where the half message is.
fn no_place(receipt: SendReceipt, end: TransactionEnd) -> EndTransactionError {
    let half = HalfMessage {
        topic: receipt.queue.topic,
        broker_name: receipt.queue.broker_name,
        unique_key: receipt.message_id,
        queue_offset: receipt.queue_offset,
        commit_log_offset: 0,
    };
    EndTransactionError::new(EndErrorKind::NoPlace, EndVerdict::NotDelivered, end, &half)
}

impl IntoFuture for EndBuilder {
    type Output = Result<(), EndTransactionError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

/// The checks of brokers for one producer, see [`Producer::checks`](crate::Producer::checks).
pub struct Checks {
    producer: Arc<Inner>,
    number: u64,
}

impl fmt::Debug for Checks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checks").finish_non_exhaustive()
    }
}

impl Checks {
    pub(crate) fn new(producer: Arc<Inner>) -> Self {
        let id = producer.id;
        let number = producer.shared().peek(|state| state.checks.open(id));
        Self { producer, number }
    }

    /// The next check; none when the producer is closed.
    ///
    /// Dropping the future loses nothing.
    #[expect(
        clippy::should_implement_trait,
        reason = "the next of a stream, for which there is no trait in std"
    )]
    pub fn next(&mut self) -> NextCheck<'_> {
        NextCheck { checks: self }
    }
}

impl Drop for Checks {
    fn drop(&mut self) {
        let (id, number) = (self.producer.id, self.number);
        // Dropped behind the lock: a waker may be a task's last, and with it go other handles.
        let (_waker, _left) = self.producer.shared().enter(|state, now| {
            let (waker, left) = state.checks.close(id, number);
            for check in &left {
                drop_check(state, now, check);
            }
            (waker, left)
        });
    }
}

fn drop_check(state: &mut State, now: Now, check: &TransactionCheck) {
    if !state.has_driver_ended() {
        state.tell(now, Command::DropCheck { check: check.id });
    }
}

/// Waits for a check, see [`Checks::next`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct NextCheck<'a> {
    checks: &'a mut Checks,
}

impl Future for NextCheck<'_> {
    type Output = Option<Check>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Check>> {
        let Checks { producer, number } = &*self.get_mut().checks;
        let mut old = None;
        let found = producer.shared().peek(|state| {
            if let Some(check) = state.checks.pop(producer.id) {
                return Poll::Ready(Some(check));
            }
            if state.has_driver_ended() || !state.core.has_producer(producer.id) {
                return Poll::Ready(None);
            }
            old = state.checks.wait(producer.id, *number, cx.waker().clone());
            Poll::Pending
        });
        drop(old);
        found.map(|check| Some(Check { producer: producer.clone(), check: check?, answered: false }))
    }
}

/// A broker asks what became of a half message.
///
/// [`commit`](Self::commit) or [`rollback`](Self::rollback) answers it. When it is dropped instead, nothing is sent, and the
/// broker asks again: that is the answer while the outcome is not known, and for a message that another process of the
/// group has sent.
///
/// Answer by what was kept under the [`unique_key`](Self::unique_key) when the local transaction ended. A process that was
/// started anew does not know whether it has ended a transaction before: brokers do it again when they are told again.
#[must_use = "a check that is dropped is not answered, and the broker asks again"]
pub struct Check {
    producer: Arc<Inner>,
    check: Box<TransactionCheck>,
    answered: bool,
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Check").field("check", &self.check).finish_non_exhaustive()
    }
}

impl Check {
    /// The half message: as it was sent, and what the broker knows of it.
    #[must_use]
    pub fn message(&self) -> &MessageExt {
        &self.check.message
    }

    /// The unique key of the message, which is also the id of the transaction.
    #[doc(alias = "getTransactionId")]
    #[must_use]
    pub fn unique_key(&self) -> UniqueKey {
        self.check.unique_key
    }

    /// How often the broker has asked about it, this time included.
    #[must_use]
    pub fn times(&self) -> u32 {
        self.check.message.transaction_check_times()
    }

    /// The message becomes visible, see [`Transaction::commit`].
    pub fn commit(self) -> EndBuilder {
        self.end(TransactionEnd::Commit)
    }

    /// The message is thrown away, see [`Transaction::commit`].
    pub fn rollback(self) -> EndBuilder {
        self.end(TransactionEnd::Rollback)
    }

    fn end(self, end: TransactionEnd) -> EndBuilder {
        let producer = self.producer.clone();
        EndBuilder { within: producer.send_timeout, producer, end, of: Of::Check(Box::new(self)) }
    }

    /// From now on the core answers it.
    fn answered(mut self) -> CheckId {
        self.answered = true;
        self.check.id
    }
}

impl Drop for Check {
    fn drop(&mut self) {
        if !self.answered {
            self.producer.shared().enter(|state, now| drop_check(state, now, &self.check));
        }
    }
}

/// Answers the checks of brokers, for [`Checks::answer`].
///
/// It runs in the task that polls `answer`, with no lock held: it may wait, and call the client and its producers. The next
/// check waits for it, so several tasks may `answer` for one producer. One that panics has said
/// [`Unknown`](LocalTransactionState::Unknown): the broker asks again, and the next checks are answered, unless panics abort
/// the process.
///
/// ```
/// use rocketmq_driver::{Check, LocalTransactionState, TransactionListener};
///
/// struct Orders;
///
/// impl TransactionListener for Orders {
///     async fn check(&self, check: &Check) -> LocalTransactionState {
///         // Looks up what became of it.
///         if check.message().message.tag() == Some("paid") {
///             LocalTransactionState::Commit
///         } else {
///             LocalTransactionState::Unknown
///         }
///     }
/// }
/// ```
pub trait TransactionListener: Send + Sync {
    /// What became of the local transaction of this message. A message that another process of the group has sent, and one
    /// whose outcome is still open, is [`Unknown`](LocalTransactionState::Unknown): the broker asks again.
    #[doc(alias = "checkLocalTransaction")]
    fn check(&self, check: &Check) -> impl Future<Output = LocalTransactionState> + Send;
}

impl Checks {
    /// Answers checks one after another by what `listener` says, until the producer is closed. A result that is not certain
    /// is no loss: the broker asks again, or the client answers with the same decision.
    pub async fn answer(mut self, listener: impl TransactionListener) {
        while let Some(check) = self.next().await {
            let ended = match ask(&listener, &check).await {
                LocalTransactionState::Commit => check.commit().await,
                LocalTransactionState::Rollback => check.rollback().await,
                LocalTransactionState::Unknown => continue,
            };
            // What is left open the broker asks about again.
            drop(ended);
        }
    }
}

/// What the listener says of a check.
async fn ask(listener: &impl TransactionListener, check: &Check) -> LocalTransactionState {
    // It may panic before it has made a future, too.
    let mut asked = pin!(async { listener.check(check).await });
    poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| asked.as_mut().poll(cx))) {
        Ok(said) => said,
        Err(why) => {
            #[cfg(feature = "tracing")]
            tracing::error!(
                transaction = check.unique_key().as_str(),
                why = text_of(&*why),
                "transaction listener panicked"
            );
            drop(why);
            Poll::Ready(LocalTransactionState::Unknown)
        }
    })
    .await
}
