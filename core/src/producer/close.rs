//! Waiting for sends to end: flush, and the way a producer closes: nothing new, drain, cut, farewell.

use super::inner::INNER_PRODUCER;
use super::producers::{
    Context, Producer, ProducerPurpose, ProducerTimer, Producers, Purposes, declare_topic,
};
use super::send::{SendKey, SendState};
use crate::command::{RequestCode, version};
use crate::ground::{Instant, TimerKey};
use crate::interface::{Answer, CommandId, ProducerId, SendError, SendErrorKind, Undelivered};
use crate::message::Message;
use crate::net::Outbox;
use crate::request::UnregisterClientRequestHeader;
use crate::wire::{EncodeError, RequestHead};
use alloc::vec::Vec;

/// A producer on its way out.
#[derive(Debug)]
pub(super) struct Closing {
    /// Who waits for the end.
    ids: Vec<CommandId>,
    /// Closed because the whole client is.
    for_shutdown: bool,
    until: Instant,
    timer: Option<TimerKey<ProducerTimer>>,
    /// Sends are over; the brokers are told.
    pub(super) says_farewell: bool,
    /// Brokers that have not answered the farewell.
    farewells: usize,
    undelivered: Vec<Undelivered>,
}

/// A producer that is closed.
#[derive(Debug)]
pub(crate) struct Closed {
    pub(crate) for_shutdown: bool,
    pub(crate) undelivered: Vec<Undelivered>,
}

/// Somebody who waits for all earlier sends.
#[derive(Debug)]
pub(super) struct FlushWaiter {
    id: CommandId,
    producer: Option<ProducerId>,
    /// The last send it waits for.
    upto: u64,
    left: usize,
    timer: TimerKey<ProducerTimer>,
}

impl Producers {
    /// Waits for the sends so far.
    pub(crate) fn flush<P: Purposes>(
        &mut self,
        cx: &mut Context<'_, P>,
        id: CommandId,
        producer: Option<ProducerId>,
        deadline: Instant,
    ) {
        let of_it = |send: &SendState| producer.is_none_or(|wanted| wanted == send.producer);
        let left = self.sends.iter().filter(|(_, send)| !send.is_inner() && of_it(send)).count();
        if left == 0 {
            return cx.answer(id, Answer::Flushed(Ok(())));
        }
        if deadline <= cx.now.mono {
            return cx.answer(id, Answer::Flushed(Err(left)));
        }
        let timer = self.timers.set(deadline, ProducerTimer::Flush(id));
        let upto = self.next_sequence;
        self.flushes.push(FlushWaiter { id, producer, upto, left, timer });
    }

    pub(super) fn flush_timed_out<P: Purposes>(&mut self, cx: &mut Context<'_, P>, id: CommandId) {
        if let Some(at) = self.flushes.iter().position(|waiter| waiter.id == id) {
            let waiter = self.flushes.swap_remove(at);
            cx.answer(id, Answer::Flushed(Err(waiter.left)));
        }
    }

    /// A send has its verdict: those who wait for it learn of it.
    pub(super) fn note_ended<P: Purposes>(&mut self, cx: &mut Context<'_, P>, id: ProducerId, sequence: u64) {
        for waiter in &mut self.flushes {
            if waiter.producer.is_none_or(|wanted| wanted == id) && sequence <= waiter.upto {
                waiter.left = waiter.left.saturating_sub(1);
            }
        }
        while let Some(at) = self.flushes.iter().position(|waiter| waiter.left == 0) {
            let waiter = self.flushes.remove(at);
            self.timers.unset(waiter.timer);
            cx.answer(waiter.id, Answer::Flushed(Ok(())));
        }
        let Some(producer) = self.get_mut(id) else {
            return;
        };
        producer.outstanding = producer.outstanding.saturating_sub(1);
        if producer.outstanding == 0 {
            self.farewell_if_done(cx, id);
        }
    }

    /// A closing producer with nothing under way says farewell.
    pub(super) fn farewell_if_done<P: Purposes>(&mut self, cx: &mut Context<'_, P>, id: ProducerId) {
        let Some(producer) = self.get(id) else {
            return;
        };
        if producer.outstanding == 0
            && producer.ends == 0
            && producer.closing.as_ref().is_some_and(|closing| !closing.says_farewell)
        {
            self.say_farewell(cx, id);
        }
    }

    /// Keeps what a closing producer could not deliver.
    pub(super) fn note_undelivered(&mut self, id: ProducerId, message: &Message, error: &SendError) {
        if let Some(closing) = self.get_mut(id).and_then(|producer| producer.closing.as_mut()) {
            closing.undelivered.push(Undelivered { message: message.clone(), error: error.clone() });
        }
    }

    /// Starts to close a producer, or joins those who wait for it. False when there is no such producer.
    pub(crate) fn close<P: Purposes>(
        &mut self,
        cx: &mut Context<'_, P>,
        producer: ProducerId,
        id: Option<CommandId>,
        until: Instant,
    ) -> bool {
        let Some(found) = self.get_mut(producer) else {
            return false;
        };
        let idle = found.outstanding == 0 && found.ends == 0;
        let started = found.closing.is_none();
        let closing = found.closing.get_or_insert_with(|| Closing {
            ids: Vec::new(),
            for_shutdown: false,
            until: Instant::NEVER,
            timer: None,
            says_farewell: false,
            farewells: 0,
            undelivered: Vec::new(),
        });
        closing.ids.extend(id);
        closing.for_shutdown |= id.is_none();
        if started {
            self.refuse_callers(cx, producer);
        }
        if started && idle {
            self.say_farewell(cx, producer);
        } else {
            self.drain_until(cx, producer, until);
        }
        true
    }

    fn drain_until<P: Purposes>(&mut self, cx: &mut Context<'_, P>, id: ProducerId, until: Instant) {
        let Some(closing) = self.closing_mut(id) else {
            return;
        };
        if closing.says_farewell || until >= closing.until {
            return;
        }
        closing.until = until;
        let old = closing.timer.take();
        if let Some(old) = old {
            self.timers.unset(old);
        }
        if until <= cx.now.mono {
            return self.cut(cx, id);
        }
        let timer = self.timers.set(until, ProducerTimer::Drain(id));
        if let Some(closing) = self.closing_mut(id) {
            closing.timer = Some(timer);
        }
    }

    fn closing_mut(&mut self, id: ProducerId) -> Option<&mut Closing> {
        self.get_mut(id)?.closing.as_mut()
    }

    /// The drain is over: what has no verdict gets one.
    pub(super) fn cut<P: Purposes>(&mut self, cx: &mut Context<'_, P>, id: ProducerId) {
        let for_shutdown = self.closing_mut(id).is_some_and(|closing| closing.for_shutdown);
        let mut left: Vec<(u64, SendKey)> = self
            .sends
            .iter()
            .filter(|(_, send)| send.producer == id)
            .map(|(key, send)| (send.sequence, key))
            .collect();
        left.sort_unstable();
        for (_, key) in left {
            let kind = if for_shutdown { SendErrorKind::ClientClosed } else { SendErrorKind::ProducerClosed };
            self.fail(cx, key, kind);
        }
        self.cut_ends(cx, id, for_shutdown);
    }

    /// Tells every connected broker that the group leaves.
    fn say_farewell<P: Purposes>(&mut self, cx: &mut Context<'_, P>, id: ProducerId) {
        let Some(closing) = self.closing_mut(id) else {
            return;
        };
        closing.says_farewell = true;
        let old = closing.timer.take();
        self.forget_checks_of(id);
        if let Some(old) = old {
            self.timers.unset(old);
        }
        self.groups_changed = true;
        self.retire_tracer(cx, id);
        let until = cx.now.mono + self.timing.unregister_timeout;
        let farewells = self.ask_to_unregister(cx, id, until);
        let timer = self.timers.set(until, ProducerTimer::Farewell(id));
        if let Some(closing) = self.closing_mut(id) {
            closing.farewells = farewells;
            closing.timer = Some(timer);
        }
        if farewells == 0 {
            self.farewell_over(cx, id);
        }
        self.inner_farewell_if_done(cx);
    }

    /// Asks every connected broker to forget a group; tells how many that are.
    pub(super) fn ask_to_unregister<P: Purposes>(
        &self,
        cx: &mut Context<'_, P>,
        id: ProducerId,
        until: Instant,
    ) -> usize {
        let links: Vec<_> = cx.cluster.masters().map(|(_, link)| *link).collect();
        let mut asked = 0;
        for link in links {
            if cx.net.is_up(link) {
                cx.net.ask(link, until, ProducerPurpose::Unregister(id).into(), false, false);
                asked += 1;
            }
        }
        asked
    }

    pub(super) fn farewell_answered<P: Purposes>(&mut self, cx: &mut Context<'_, P>, id: ProducerId) {
        if id == INNER_PRODUCER {
            return self.inner_farewell_answered();
        }
        let Some(closing) = self.closing_mut(id) else {
            return;
        };
        closing.farewells = closing.farewells.saturating_sub(1);
        if closing.farewells == 0 {
            self.farewell_over(cx, id);
        }
    }

    /// A producer is closed.
    pub(super) fn farewell_over<P: Purposes>(&mut self, cx: &mut Context<'_, P>, id: ProducerId) {
        let Some(Producer { topics, closing: Some(closing), .. }) = self.forget_producer(id) else {
            return;
        };
        for topic in topics {
            declare_topic(cx, topic, -1);
        }
        if let Some(timer) = closing.timer {
            self.timers.unset(timer);
        }
        for waiter in closing.ids {
            cx.answer(waiter, Answer::Closed(closing.undelivered.clone()));
        }
        self.closed.push_back(Closed {
            for_shutdown: closing.for_shutdown,
            undelivered: if closing.for_shutdown { closing.undelivered } else { Vec::new() },
        });
    }

    /// A producer that closed since the last call.
    pub(crate) fn next_closed(&mut self) -> Option<Closed> {
        self.closed.pop_front()
    }

    /// Writes the frame that takes a group off a broker (`UNREGISTER_CLIENT`, request code 35).
    // Kept apart from the sends that are encoded beside it.
    #[inline(never)]
    pub(crate) fn encode_unregister(
        &self,
        id: ProducerId,
        opaque: i32,
        outbox: &mut Outbox,
    ) -> Result<bool, EncodeError> {
        let Some(config) = self.config_of(id) else {
            return Ok(false);
        };
        let head = RequestHead {
            code: RequestCode::UNREGISTER_CLIENT,
            flag: 0,
            opaque,
            version: version::CURRENT,
            language: self.language,
        };
        let header = UnregisterClientRequestHeader {
            client_id: self.client_id.as_str().into(),
            producer_group: Some(self.naming.group(&config.group)),
            consumer_group: None,
        };
        outbox.append(0, |out| self.naming.encode(out, self.serialize, &head, &header, &[]))?;
        Ok(true)
    }
}
