//! A send as its caller sees it: options, room, and the wait for the answer.

use crate::completions::Look;
use crate::producer::Inner;
use crate::shared::State;
use crate::transaction::Transaction;
use rocketmq_core::ground::names::TopicName;
use rocketmq_core::ground::{Instant, Now};
use rocketmq_core::interface::{Answer, Command, CommandId, Send as SendCommand};
use rocketmq_core::interface::{SendError, SendErrorKind, SendMode, SendReceipt, Target};
use rocketmq_core::message::Message;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

/// Marks [`SendBuilder`]s of [`Producer::send`](crate::Producer::send): awaiting gives the [`SendReceipt`].
#[derive(Debug)]
pub enum Awaited {}
/// Marks [`SendBuilder`]s of [`Producer::enqueue`](crate::Producer::enqueue): awaiting gives a [`Receipt`].
#[derive(Debug)]
pub enum Enqueued {}
/// Marks [`SendBuilder`]s of [`Producer::send_half`](crate::Producer::send_half): awaiting gives a [`Transaction`].
#[derive(Debug)]
pub enum Half {}
/// Marks [`SendBuilder`]s of [`Producer::send_oneway`](crate::Producer::send_oneway): awaiting gives nothing.
#[derive(Debug)]
pub enum OneWay {}

/// A send with its options. Await it.
#[must_use = "a message is not sent until its send is awaited"]
pub struct SendBuilder<K> {
    producer: Arc<Inner>,
    /// Its deadline comes with the first poll.
    send: SendCommand,
    within: Duration,
    kind: PhantomData<fn() -> K>,
}

impl<K> fmt::Debug for SendBuilder<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendBuilder")
            .field("topic", self.send.message.topic())
            .field("target", &self.send.target)
            .field("within", &self.within)
            .field("retries", &self.send.retries)
            .finish_non_exhaustive()
    }
}

impl<K> SendBuilder<K> {
    pub(crate) fn new(producer: Arc<Inner>, message: Message) -> Self {
        let send = SendCommand {
            producer: producer.id,
            message,
            target: Target::Any,
            deadline: Instant::NEVER,
            mode: SendMode::Acknowledged,
            reservation: None,
            retries: None,
        };
        Self { within: producer.send_timeout, producer, send, kind: PhantomData }
    }

    /// To which message queue. Default: any, round robin.
    #[doc(alias = "MessageQueueSelector")]
    pub fn to(mut self, target: Target) -> Self {
        self.send.target = target;
        self
    }

    /// How long it may take in all, from the first poll on. Default: the producer's `send_timeout`.
    pub fn within(mut self, time: Duration) -> Self {
        self.within = time;
        self
    }

    /// Further attempts after one that may have reached a broker. Default: the producer's `retries`.
    pub fn retries(mut self, retries: u32) -> Self {
        self.send.retries = Some(retries);
        self
    }

    fn flight(mut self, mode: SendMode) -> Flight {
        self.send.mode = mode;
        let topic = self.send.message.topic().clone();
        let cargo = Cargo { topic, mode, within: self.within, send: Some(self.send), stage: Stage::Fresh };
        Flight { producer: self.producer, cargo }
    }
}

impl SendBuilder<Enqueued> {
    /// Hands the message over if there is room at once, see
    /// [`Producer::try_enqueue`](crate::Producer::try_enqueue).
    ///
    /// # Errors
    /// [`SendErrorKind::Full`] when there is no room, or others wait for it; other kinds when the message is
    /// wrong. The message comes back with [`into_message`](SendError::into_message).
    pub fn try_now(self) -> Result<Receipt, SendError> {
        let mut flight = self.flight(SendMode::Acknowledged);
        let Flight { producer, cargo } = &mut flight;
        let mut early = None;
        producer.shared().enter(|state, now| cargo.admit_now(state, now, &mut early))?;
        cargo.receipt(producer, early)
    }
}

impl IntoFuture for SendBuilder<Awaited> {
    type Output = Result<SendReceipt, SendError>;
    type IntoFuture = Sending;

    fn into_future(self) -> Sending {
        Sending(self.flight(SendMode::Acknowledged))
    }
}

impl IntoFuture for SendBuilder<Enqueued> {
    type Output = Result<Receipt, SendError>;
    type IntoFuture = Enqueueing;

    fn into_future(self) -> Enqueueing {
        Enqueueing(self.flight(SendMode::Acknowledged))
    }
}

impl IntoFuture for SendBuilder<OneWay> {
    type Output = Result<(), SendError>;
    type IntoFuture = SendingOneWay;

    fn into_future(self) -> SendingOneWay {
        SendingOneWay(self.flight(SendMode::OneWay))
    }
}

/// The future of [`Producer::send`](crate::Producer::send).
///
/// Dropped before its first poll or while it waits for room, it has not sent the message. Dropped later, it
/// loses the answer only.
#[derive(Debug)]
#[must_use = "a message is not sent until its send is awaited"]
pub struct Sending(Flight);

impl Future for Sending {
    type Output = Result<SendReceipt, SendError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let flight = &mut self.get_mut().0;
        let mut answer = None;
        ready!(flight.poll(cx.waker(), &mut answer))?;
        Poll::Ready(match answer {
            Some(Answer::Sent(result)) => result,
            _ => Err(SendError::driver_gone(flight.cargo.topic.clone())),
        })
    }
}

/// The future of [`Producer::send_oneway`](crate::Producer::send_oneway).
///
/// Dropped before its first poll or while it waits for room, it has not sent the message. Dropped later, it
/// changes nothing.
#[derive(Debug)]
#[must_use = "a message is not sent until its send is awaited"]
pub struct SendingOneWay(Flight);

impl Future for SendingOneWay {
    type Output = Result<(), SendError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let flight = &mut self.get_mut().0;
        let mut answer = None;
        ready!(flight.poll(cx.waker(), &mut answer))?;
        Poll::Ready(match answer {
            Some(Answer::HandedOver(result)) => result,
            _ => Err(SendError::driver_gone(flight.cargo.topic.clone())),
        })
    }
}

impl IntoFuture for SendBuilder<Half> {
    type Output = Result<Transaction, SendError>;
    type IntoFuture = SendingHalf;

    fn into_future(self) -> SendingHalf {
        SendingHalf(Sending(self.flight(SendMode::Half)))
    }
}

/// The future of [`Producer::send_half`](crate::Producer::send_half).
///
/// Dropped before its first poll or while it waits for room, it has not sent the message. Dropped later, the half message
/// may be stored, and the broker asks about it.
#[derive(Debug)]
#[must_use = "a message is not sent until its send is awaited"]
pub struct SendingHalf(Sending);

impl Future for SendingHalf {
    type Output = Result<Transaction, SendError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let receipt = ready!(Pin::new(&mut self.0).poll(cx))?;
        Poll::Ready(Ok(Transaction::new(self.0.0.producer.clone(), receipt)))
    }
}

/// The future of [`Producer::enqueue`](crate::Producer::enqueue).
///
/// Dropped before it is ready, it has not sent the message.
#[derive(Debug)]
#[must_use = "a message is not sent until its send is awaited"]
pub struct Enqueueing(Flight);

impl Future for Enqueueing {
    type Output = Result<Receipt, SendError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Flight { producer, cargo } = &mut self.get_mut().0;
        let mut early = None;
        let admit = |state: &mut State, now| cargo.admit(state, now, cx.waker(), None, &mut early);
        ready!(producer.shared().enter(admit))?;
        Poll::Ready(cargo.receipt(producer, early))
    }
}

/// A message under way: a future of its [`SendReceipt`].
///
/// When it is dropped, the send goes on, and only its answer is lost.
#[must_use = "a receipt that is not awaited does not tell whether the message was stored"]
pub struct Receipt {
    producer: Arc<Inner>,
    topic: TopicName,
    found: Found,
}

/// How far a receipt is.
enum Found {
    Nothing(CommandId),
    /// The answer came with the hand-over.
    Early(Box<SendReceipt>),
    Fetched,
}

impl Receipt {
    /// The topic of the message.
    #[must_use]
    pub fn topic(&self) -> &TopicName {
        &self.topic
    }
}

impl fmt::Debug for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receipt").field("topic", &self.topic).finish_non_exhaustive()
    }
}

impl Future for Receipt {
    type Output = Result<SendReceipt, SendError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let Found::Nothing(id) = this.found else {
            return match std::mem::replace(&mut this.found, Found::Fetched) {
                Found::Early(receipt) => Poll::Ready(Ok(*receipt)),
                Found::Nothing(_) | Found::Fetched => Poll::Pending,
            };
        };
        let mut answer = None;
        ready!(this.producer.shared().peek(|state| look(state, id, cx.waker(), &mut answer)));
        this.found = Found::Fetched;
        Poll::Ready(match answer {
            Some(Answer::Sent(result)) => result,
            _ => Err(SendError::driver_gone(this.topic.clone())),
        })
    }
}

impl Drop for Receipt {
    fn drop(&mut self) {
        if let Found::Nothing(id) = self.found {
            self.producer.shared().enter(|state, now| state.abandon(now, id));
        }
    }
}

/// Fetches an answer; `into` stays empty when there will be none.
fn look(state: &mut State, id: CommandId, waker: &Waker, into: &mut Option<Answer>) -> Poll<()> {
    match state.answers.look(id, Some(waker), into) {
        Look::Ready => Poll::Ready(()),
        Look::Waiting if !state.has_driver_ended() => Poll::Pending,
        Look::Waiting | Look::Stale => {
            state.answers.forget(id);
            Poll::Ready(())
        }
    }
}

/// A send from its first poll to its answer.
struct Flight {
    producer: Arc<Inner>,
    cargo: Cargo,
}

struct Cargo {
    topic: TopicName,
    mode: SendMode,
    within: Duration,
    /// The message and everything its caller said about it, until the core takes it. It stays where it is until then:
    /// it is large to move.
    send: Option<SendCommand>,
    stage: Stage,
}

#[derive(Clone, Copy)]
enum Stage {
    /// The caller has not begun.
    Fresh,
    /// The caller waits for room.
    InLine(CommandId),
    /// The core has the message.
    UnderWay(CommandId),
    /// Nothing can happen any more.
    Over,
}

impl fmt::Debug for Flight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage = match self.cargo.stage {
            Stage::Fresh => "not begun",
            Stage::InLine(_) => "waits for room",
            Stage::UnderWay(_) => "under way",
            Stage::Over => "over",
        };
        f.debug_struct("Flight")
            .field("topic", &self.cargo.topic)
            .field("stage", &stage)
            .finish_non_exhaustive()
    }
}

impl Flight {
    /// Ready with the answer to the send, or without one when there will be none.
    fn poll(&mut self, waker: &Waker, answer: &mut Option<Answer>) -> Poll<Result<(), SendError>> {
        let Self { producer, cargo } = self;
        let shared = producer.shared();
        if let Stage::UnderWay(id) = cargo.stage {
            ready!(shared.peek(|state| look(state, id, waker, answer)));
        } else {
            // A one-way send is over when it is written: a task with many of them would never let others add theirs.
            let one_way = cargo.mode == SendMode::OneWay;
            let admit = |state: &mut State, now| cargo.admit(state, now, waker, Some(waker), &mut *answer);
            ready!(if one_way { shared.enter(admit) } else { shared.enter_alone(admit) })?;
            if answer.is_none() {
                // The waker is in the slot already.
                return Poll::Pending;
            }
        }
        cargo.stage = Stage::Over;
        Poll::Ready(Ok(()))
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        let shared = self.producer.shared();
        match self.cargo.stage {
            Stage::Fresh | Stage::Over => {}
            Stage::UnderWay(id) => shared.enter(|state, now| state.abandon(now, id)),
            Stage::InLine(reservation) => shared.enter(|state, now| {
                state.answers.forget(reservation);
                if !state.has_driver_ended() {
                    state.tell(now, Command::Withdraw { reservation });
                }
            }),
        }
    }
}

impl Cargo {
    /// Waits for room, then hands the message to the core. `on_answer` is woken when the answer to the send itself
    /// comes; one that comes at once is in `early`.
    fn admit(
        &mut self,
        state: &mut State,
        now: Now,
        waker: &Waker,
        on_answer: Option<&Waker>,
        early: &mut Option<Answer>,
    ) -> Poll<Result<(), SendError>> {
        let Some(send) = &mut self.send else {
            // Polled again after it was ready.
            return Poll::Pending;
        };
        let mut room = None;
        let reservation = match self.stage {
            Stage::Fresh if state.is_driver_gone() => {
                return Poll::Ready(Err(self.refused(SendErrorKind::DriverGone)));
            }
            Stage::Fresh => {
                send.deadline = now.mono + self.within;
                let weight = send.message.weight();
                if state.core.room_for(send.producer, &self.topic, weight) {
                    self.hand_over(state, now, on_answer, early);
                    return Poll::Ready(Ok(()));
                }
                let (producer, deadline) = (send.producer, send.deadline);
                let reserve = Command::Reserve { producer, topic: self.topic.clone(), weight, deadline };
                state.begin(now, reserve, Some(waker), &mut room)
            }
            Stage::InLine(id) => {
                if look(state, id, waker, &mut room).is_ready() && room.is_none() {
                    return Poll::Ready(Err(self.refused(SendErrorKind::DriverGone)));
                }
                id
            }
            Stage::UnderWay(_) | Stage::Over => return Poll::Pending,
        };
        match room {
            None => {
                self.stage = Stage::InLine(reservation);
                return Poll::Pending;
            }
            Some(Answer::Room(Ok(()))) => {
                send.reservation = Some(reservation);
                self.hand_over(state, now, on_answer, early);
            }
            Some(Answer::Room(Err(error))) => return Poll::Ready(Err(self.with_message(error))),
            // Any other kind would be a slip of the core.
            Some(_) => return Poll::Ready(Err(self.refused(SendErrorKind::DriverGone))),
        }
        Poll::Ready(Ok(()))
    }

    /// Hands the message to the core if there is room at once.
    fn admit_now(
        &mut self,
        state: &mut State,
        now: Now,
        early: &mut Option<Answer>,
    ) -> Result<(), SendError> {
        if state.is_driver_gone() {
            return Err(self.refused(SendErrorKind::DriverGone));
        }
        if let Some(send) = &mut self.send {
            send.deadline = now.mono + self.within;
        }
        // Without room the core refuses as it does with a wrong message: by its answer.
        self.hand_over(state, now, None, early);
        Ok(())
    }

    fn hand_over(
        &mut self,
        state: &mut State,
        now: Now,
        on_answer: Option<&Waker>,
        early: &mut Option<Answer>,
    ) {
        self.stage = Stage::Over;
        if let Some(send) = self.send.take() {
            let id = state.begin(now, Command::Send(send), on_answer, early);
            if early.is_none() {
                self.stage = Stage::UnderWay(id);
            }
        }
    }

    /// From now on the receipt is the one who waits.
    fn receipt(&mut self, producer: &Arc<Inner>, early: Option<Answer>) -> Result<Receipt, SendError> {
        let found = match (std::mem::replace(&mut self.stage, Stage::Over), early) {
            (Stage::UnderWay(id), None) => Found::Nothing(id),
            (_, Some(Answer::Sent(Ok(receipt)))) => Found::Early(Box::new(receipt)),
            // Refused at the door: the message was never under way.
            (_, Some(Answer::Sent(Err(error)))) => return Err(error),
            _ => return Err(SendError::driver_gone(self.topic.clone())),
        };
        Ok(Receipt { producer: producer.clone(), topic: self.topic.clone(), found })
    }

    /// Ends before the core had the message: the error gives it back.
    fn refused(&mut self, kind: SendErrorKind) -> SendError {
        self.with_message(SendError::before_any_attempt(kind, self.topic.clone(), None))
    }

    fn with_message(&mut self, error: SendError) -> SendError {
        self.stage = Stage::Over;
        match self.send.take() {
            Some(send) => error.with_message(send.message),
            None => error,
        }
    }
}
