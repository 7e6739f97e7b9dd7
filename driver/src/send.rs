//! A send as its caller sees it: options, room, and the wait for the answer.

use crate::completions::Look;
use crate::producer::Inner;
use crate::shared::{Begun, State};
use rocketmq_core::ground::names::TopicName;
use rocketmq_core::ground::{Instant, Now};
use rocketmq_core::interface::{Answer, Command, CommandId, Send as SendCommand};
use rocketmq_core::interface::{SendError, SendErrorKind, SendReceipt, Target};
use rocketmq_core::message::Message;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// Marks [`SendBuilder`]s of [`Producer::send`](crate::Producer::send): awaiting gives the [`SendReceipt`].
#[derive(Debug)]
pub enum Awaited {}
/// Marks [`SendBuilder`]s of [`Producer::enqueue`](crate::Producer::enqueue): awaiting gives a [`Receipt`].
#[derive(Debug)]
pub enum Enqueued {}
/// Marks [`SendBuilder`]s of [`Producer::send_oneway`](crate::Producer::send_oneway): awaiting gives nothing.
#[derive(Debug)]
pub enum OneWay {}

/// A send with its options. Await it.
#[must_use = "a message is not sent until its send is awaited"]
pub struct SendBuilder<K> {
    producer: Arc<Inner>,
    parcel: Parcel,
    kind: PhantomData<fn() -> K>,
}

/// The message and everything its caller said about it, until the core takes it.
struct Parcel {
    message: Message,
    target: Target,
    within: Duration,
    retries: Option<u32>,
}

impl<K> fmt::Debug for SendBuilder<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parcel = &self.parcel;
        f.debug_struct("SendBuilder")
            .field("topic", parcel.message.topic())
            .field("target", &parcel.target)
            .field("within", &parcel.within)
            .field("retries", &parcel.retries)
            .finish_non_exhaustive()
    }
}

impl<K> SendBuilder<K> {
    pub(crate) fn new(producer: Arc<Inner>, message: Message) -> Self {
        let parcel = Parcel { message, target: Target::Any, within: producer.send_timeout, retries: None };
        Self { producer, parcel, kind: PhantomData }
    }

    /// To which message queue. Default: any, round robin.
    #[doc(alias = "MessageQueueSelector")]
    pub fn to(mut self, target: Target) -> Self {
        self.parcel.target = target;
        self
    }

    /// How long it may take in all, from the first poll on. Default: the producer's `send_timeout`.
    pub fn within(mut self, time: Duration) -> Self {
        self.parcel.within = time;
        self
    }

    /// Further attempts after one that may have reached a broker. Default: the producer's `retries`.
    pub fn retries(mut self, retries: u32) -> Self {
        self.parcel.retries = Some(retries);
        self
    }

    fn flight(self, one_way: bool) -> Flight {
        let topic = self.parcel.message.topic().clone();
        let place = Place::Fresh(self.parcel);
        Flight { producer: self.producer, cargo: Cargo { topic, one_way, deadline: Instant::NEVER, place } }
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
        let mut flight = self.flight(false);
        let Flight { producer, cargo } = &mut flight;
        let begun = producer.shared().enter(|state, now| cargo.admit_now(producer, state, now));
        cargo.receipt(producer, begun?)
    }
}

impl IntoFuture for SendBuilder<Awaited> {
    type Output = Result<SendReceipt, SendError>;
    type IntoFuture = Sending;

    fn into_future(self) -> Sending {
        Sending(self.flight(false))
    }
}

impl IntoFuture for SendBuilder<Enqueued> {
    type Output = Result<Receipt, SendError>;
    type IntoFuture = Enqueueing;

    fn into_future(self) -> Enqueueing {
        Enqueueing(self.flight(false))
    }
}

impl IntoFuture for SendBuilder<OneWay> {
    type Output = Result<(), SendError>;
    type IntoFuture = SendingOneWay;

    fn into_future(self) -> SendingOneWay {
        SendingOneWay(self.flight(true))
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
        flight.poll(cx.waker()).map(|answer| match answer? {
            Answer::Sent(result) => result,
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
        flight.poll(cx.waker()).map(|answer| match answer? {
            Answer::HandedOver(result) => result,
            _ => Err(SendError::driver_gone(flight.cargo.topic.clone())),
        })
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
        let admitted =
            producer.shared().enter(|state, now| cargo.admit(producer, state, now, cx.waker(), None));
        admitted.map(|begun| cargo.receipt(producer, begun?))
    }
}

/// A message under way: a future of its [`SendReceipt`].
///
/// When it is dropped, the send goes on, and only its answer is lost.
#[must_use = "a receipt that is not awaited does not tell whether the message was stored"]
pub struct Receipt {
    producer: Arc<Inner>,
    topic: TopicName,
    stage: Stage,
}

enum Stage {
    Waiting(CommandId),
    /// The answer came with the hand-over.
    Early(Box<SendReceipt>),
    Over,
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
        let answer = match std::mem::replace(&mut this.stage, Stage::Over) {
            Stage::Over => return Poll::Pending,
            Stage::Early(receipt) => return Poll::Ready(Ok(*receipt)),
            Stage::Waiting(id) => match this.producer.shared().peek(|state| look(state, id, cx.waker())) {
                Poll::Pending => {
                    this.stage = Stage::Waiting(id);
                    return Poll::Pending;
                }
                Poll::Ready(answer) => answer,
            },
        };
        Poll::Ready(match answer {
            Some(Answer::Sent(result)) => result,
            _ => Err(SendError::driver_gone(this.topic.clone())),
        })
    }
}

impl Drop for Receipt {
    fn drop(&mut self) {
        if let Stage::Waiting(id) = self.stage {
            self.producer.shared().enter(|state, now| state.abandon(now, id));
        }
    }
}

/// Fetches an answer; none when there will be none.
fn look(state: &mut State, id: CommandId, waker: &Waker) -> Poll<Option<Answer>> {
    match state.answers.look(id, Some(waker)) {
        Look::Ready(answer) => Poll::Ready(Some(answer)),
        Look::Waiting if !state.has_driver_ended() => Poll::Pending,
        Look::Waiting | Look::Stale => {
            state.answers.forget(id);
            Poll::Ready(None)
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
    one_way: bool,
    deadline: Instant,
    place: Place,
}

/// Where the message is.
enum Place {
    /// With its caller, who has not begun.
    Fresh(Parcel),
    /// With its caller, who waits for room.
    InLine(Parcel, CommandId),
    /// With the core.
    UnderWay(CommandId),
    /// Nothing can happen any more.
    Over,
}

impl fmt::Debug for Flight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = match self.cargo.place {
            Place::Fresh(_) => "not begun",
            Place::InLine(..) => "waits for room",
            Place::UnderWay(_) => "under way",
            Place::Over => "over",
        };
        f.debug_struct("Flight")
            .field("topic", &self.cargo.topic)
            .field("place", &place)
            .finish_non_exhaustive()
    }
}

impl Flight {
    /// Ready with the answer to the send.
    fn poll(&mut self, waker: &Waker) -> Poll<Result<Answer, SendError>> {
        let Self { producer, cargo } = self;
        let answer = if let Place::UnderWay(id) = cargo.place {
            producer.shared().peek(|state| look(state, id, waker))
        } else {
            let shared = producer.shared();
            // A one-way send is over when it is written: a task with many of them would never let others add theirs.
            let one_way = cargo.one_way;
            let admit = |state: &mut State, now| cargo.admit(producer, state, now, waker, Some(waker));
            match if one_way { shared.enter(admit) } else { shared.enter_alone(admit) } {
                Poll::Ready(Ok(Begun { answer: Some(answer), .. })) => Poll::Ready(Some(answer)),
                // The waker is in the slot already.
                Poll::Ready(Ok(Begun { answer: None, .. })) | Poll::Pending => Poll::Pending,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            }
        };
        answer.map(|answer| {
            cargo.place = Place::Over;
            answer.ok_or_else(|| SendError::driver_gone(cargo.topic.clone()))
        })
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        let shared = self.producer.shared();
        match self.cargo.place {
            Place::Fresh(_) | Place::Over => {}
            Place::UnderWay(id) => shared.enter(|state, now| state.abandon(now, id)),
            Place::InLine(_, reservation) => shared.enter(|state, now| {
                state.answers.forget(reservation);
                if !state.has_driver_ended() {
                    state.tell(now, Command::Withdraw { reservation });
                }
            }),
        }
    }
}

impl Cargo {
    /// Waits for room, then hands the message to the core. `on_answer` is woken when the answer to the send
    /// itself comes.
    fn admit(
        &mut self,
        producer: &Inner,
        state: &mut State,
        now: Now,
        waker: &Waker,
        on_answer: Option<&Waker>,
    ) -> Poll<Result<Begun, SendError>> {
        let (parcel, reservation, answer) = match std::mem::replace(&mut self.place, Place::Over) {
            Place::Fresh(parcel) => {
                if state.is_driver_gone() {
                    return Poll::Ready(Err(parcel.refused(SendErrorKind::DriverGone)));
                }
                self.deadline = now.mono + parcel.within;
                let (topic, weight) = (self.topic.clone(), parcel.message.weight());
                if state.core.room_for(producer.id, &topic, weight) {
                    return Poll::Ready(Ok(self.hand_over(producer, state, now, parcel, None, on_answer)));
                }
                let reserve =
                    Command::Reserve { producer: producer.id, topic, weight, deadline: self.deadline };
                let begun = state.begin(now, reserve, Some(waker));
                (parcel, begun.id, begun.answer)
            }
            Place::InLine(parcel, id) => match look(state, id, waker) {
                Poll::Pending => (parcel, id, None),
                Poll::Ready(None) => return Poll::Ready(Err(parcel.refused(SendErrorKind::DriverGone))),
                Poll::Ready(answer) => (parcel, id, answer),
            },
            // Polled again after it was ready.
            place @ (Place::UnderWay(_) | Place::Over) => {
                self.place = place;
                return Poll::Pending;
            }
        };
        Poll::Ready(match answer {
            None => {
                self.place = Place::InLine(parcel, reservation);
                return Poll::Pending;
            }
            Some(Answer::Room(Ok(()))) => {
                Ok(self.hand_over(producer, state, now, parcel, Some(reservation), on_answer))
            }
            Some(Answer::Room(Err(error))) => Err(error.with_message(parcel.message)),
            // Any other kind would be a slip of the core.
            Some(_) => Err(parcel.refused(SendErrorKind::DriverGone)),
        })
    }

    /// Hands the message to the core if there is room at once.
    fn admit_now(&mut self, producer: &Inner, state: &mut State, now: Now) -> Result<Begun, SendError> {
        let Place::Fresh(parcel) = std::mem::replace(&mut self.place, Place::Over) else {
            return Err(SendError::driver_gone(self.topic.clone()));
        };
        if state.is_driver_gone() {
            return Err(parcel.refused(SendErrorKind::DriverGone));
        }
        self.deadline = now.mono + parcel.within;
        // Without room the core refuses as it does with a wrong message: by its answer.
        Ok(self.hand_over(producer, state, now, parcel, None, None))
    }

    fn hand_over(
        &mut self,
        producer: &Inner,
        state: &mut State,
        now: Now,
        parcel: Parcel,
        reservation: Option<CommandId>,
        on_answer: Option<&Waker>,
    ) -> Begun {
        let command = Command::Send(SendCommand {
            producer: producer.id,
            message: parcel.message,
            target: parcel.target,
            deadline: self.deadline,
            one_way: self.one_way,
            reservation,
            retries: parcel.retries,
        });
        let begun = state.begin(now, command, on_answer);
        self.place = if begun.answer.is_none() { Place::UnderWay(begun.id) } else { Place::Over };
        begun
    }

    /// From now on the receipt is the one who waits.
    fn receipt(&mut self, producer: &Arc<Inner>, begun: Begun) -> Result<Receipt, SendError> {
        self.place = Place::Over;
        let stage = match begun.answer {
            None => Stage::Waiting(begun.id),
            Some(Answer::Sent(Ok(receipt))) => Stage::Early(Box::new(receipt)),
            // Refused at the door: the message was never under way.
            Some(Answer::Sent(Err(error))) => return Err(error),
            Some(_) => return Err(SendError::driver_gone(self.topic.clone())),
        };
        Ok(Receipt { producer: producer.clone(), topic: self.topic.clone(), stage })
    }
}

impl Parcel {
    /// Ends before the core had the message: the error gives it back.
    fn refused(self, kind: SendErrorKind) -> SendError {
        SendError::before_any_attempt(kind, self.message.topic().clone(), Some(self.message))
    }
}
