//! Where inputs and answers find their floor. Nothing is decided here.

use super::{Answer, Client, Purpose, ServiceState};
use crate::command::ResponseCode;
use crate::ground::Instant;
use crate::heartbeat;
use crate::interface::{LostReason, SendStatus, Stray};
use crate::net::{ConnKey, Failure, FailureReason, Heard, NetEvent, ToWrite};
use crate::producer::ProducerPurpose;
use crate::request::StoredAnswer;
use crate::wire::{Header, RawFrame};
use alloc::format;
use alloc::string::ToString;

/// What a frame was.
enum Kind {
    Answer,
    Request,
}

impl Client {
    /// Bytes came: whole frames are read, the rest is kept.
    pub(super) fn received(&mut self, conn: ConnKey, bytes: &[u8]) {
        let Some(mut inbox) = self.net.take_inbox(self.now.mono, conn) else {
            return self.received_text(conn, bytes);
        };
        let mut frames = inbox.feed(bytes);
        let mut heard = Heard::default();
        let broken = loop {
            match frames.next() {
                Ok(None) => break None,
                Ok(Some(frame)) => {
                    match self.frame(conn, &frame) {
                        Ok(Kind::Answer) => heard.answers = true,
                        Ok(Kind::Request) => heard.requests = true,
                        Err(why) => break Some(why),
                    }
                    if !self.net.is_open(conn) {
                        break None;
                    }
                }
                Err(error) => break Some(LostReason::BadFrame(error)),
            }
        };
        drop(frames);
        self.net.put_inbox(conn, inbox, heard);
        match broken {
            Some(why) => {
                self.counters.bad_frames += 1;
                self.net.close(self.now.mono, conn, why, &mut self.actions);
            }
            None => self.net.close_if_drained(self.now.mono, conn, &mut self.actions),
        }
    }

    fn frame(&mut self, conn: ConnKey, frame: &RawFrame<'_>) -> Result<Kind, LostReason> {
        // Hooks see every answer as a whole.
        if self.rpc.is_none()
            && let Some(answer) = StoredAnswer::read(frame, &self.wire)
        {
            self.stored_answer(conn, frame, &answer)?;
            return Ok(Kind::Answer);
        }
        let header = Header::parse(frame, &self.wire)?;
        if !header.is_response() {
            self.inbound(conn, frame, &header);
            return Ok(Kind::Request);
        }
        match self.net.claim(conn, header.opaque) {
            Ok(purpose) => {
                if self.rpc.is_some() {
                    self.hooks_answered(conn, &header, frame.body);
                }
                self.answered(conn, purpose, &header, frame.body);
            }
            Err(stray) => self.stray(conn, stray, header.code),
        }
        Ok(Kind::Answer)
    }

    /// A frame that reads like the answer to a stored message; what was asked decides whether it is one.
    fn stored_answer(
        &mut self,
        conn: ConnKey,
        frame: &RawFrame<'_>,
        answer: &StoredAnswer<'_>,
    ) -> Result<(), LostReason> {
        match self.net.claim(conn, answer.opaque) {
            Ok(Purpose::Producer(ProducerPurpose::Send(key))) => {
                self.net.proved_well(conn);
                let (producers, mut cx) = self.producing();
                producers.stored(&mut cx, key, SendStatus::SendOk, &answer.fields);
            }
            Ok(purpose) => {
                let header = Header::parse(frame, &self.wire)?;
                self.answered(conn, purpose, &header, frame.body);
            }
            Err(stray) => self.stray(conn, stray, ResponseCode::SUCCESS.0),
        }
        Ok(())
    }

    fn stray(&mut self, conn: ConnKey, stray: Stray, code: i32) {
        let Self { net, counters, actions, .. } = self;
        net.note_stray(conn, stray, code, counters, actions);
    }

    fn answered(&mut self, conn: ConnKey, purpose: Purpose, header: &Header<'_>, body: &[u8]) {
        let code = ResponseCode(header.code);
        let now = self.now.mono;
        let link = self.net.link_of(conn);
        if code == ResponseCode::GO_AWAY {
            // Whatever was asked: nothing more is written to this connection.
            self.net.go_away(now, conn, &mut self.actions);
        } else {
            self.net.proved_well(conn);
        }
        let remark = header.remark.as_deref();
        match purpose {
            Purpose::Cluster(purpose) => {
                // The connection may be gone by now; its address is not.
                let Some(from) = link.and_then(|link| self.net.endpoint(link)).cloned() else {
                    return;
                };
                let Self { cluster, net, actions, .. } = self;
                cluster.answered(now, purpose, (code, remark, body), &from, net, actions);
            }
            // Its answers are no frames.
            Purpose::Discovery => {}
            Purpose::Heartbeat(purpose) => {
                let (heartbeat, mut cx) = self.greeting();
                heartbeat.answered(&mut cx, purpose, header);
            }
            Purpose::Producer(purpose) => {
                let (producers, mut cx) = self.producing();
                producers.answered(&mut cx, purpose, header);
            }
            Purpose::Admin(purpose) => self.admin_answered(purpose, header, body),
        }
    }

    /// Lets all floors work until nothing is due and nothing is left to tell. Returns the next deadline.
    pub(super) fn settle(&mut self) -> Instant {
        // What was due before the input comes first; what the input made due comes in the next turn.
        let mut deadline = self.told_deadline;
        loop {
            if deadline <= self.now.mono {
                self.tick();
            }
            self.pass_events();
            self.write_requests();
            self.finish_closing();
            if self.state == ServiceState::ShutdownAlready {
                return Instant::NEVER;
            }
            deadline = self.next_deadline();
            if deadline > self.now.mono && !self.has_events() {
                return deadline;
            }
        }
    }

    fn has_events(&self) -> bool {
        self.net.has_events() || self.cluster.has_learnt() || self.producers.groups_changed
    }

    fn tick(&mut self) {
        let now = self.now.mono;
        let Self { net, cluster, counters, actions, .. } = self;
        net.tick(now, counters, actions);
        cluster.tick(now, net, actions);
        let (heartbeat, mut cx) = self.greeting();
        if heartbeat.tick(&mut cx) {
            self.producers.sweep(&self.cluster);
        }
        // A send that ends by a timer of its own must know before what became of its request: one that has just
        // timed out or lost its connection was written.
        self.pass_events();
        let (producers, mut cx) = self.producing();
        producers.tick(&mut cx);
        let (admin, mut cx) = self.administering();
        admin.tick(&mut cx);
    }

    fn pass_events(&mut self) {
        if core::mem::take(&mut self.producers.groups_changed) {
            let Self { now, net, cluster, actions, counters, heartbeat, producers, .. } = self;
            let mut cx = heartbeat::Context { now: now.mono, net, cluster, actions, counters };
            heartbeat.set_groups(&mut cx, producers.groups());
        }
        loop {
            if let Some(event) = self.net.next_event() {
                self.net_event(event);
            } else if let Some(learnt) = self.cluster.next_learnt() {
                let (producers, mut cx) = self.producing();
                producers.learnt(&mut cx, learnt);
            } else {
                return;
            }
        }
    }

    fn net_event(&mut self, event: NetEvent<Purpose>) {
        let now = self.now.mono;
        if self.rpc.is_some() {
            self.hooks_ended();
        }
        match event {
            // A connection that came up is greeted; one that fell silent is asked for a sign of life.
            NetEvent::Up { link } | NetEvent::Silent { link } => {
                let (heartbeat, mut cx) = self.greeting();
                heartbeat.reached(&mut cx, link);
            }
            NetEvent::Down { link, why, pause } => {
                self.cluster.vip_down(link, why, pause, &mut self.actions);
            }
            NetEvent::HandedOver { purpose: Purpose::Producer(purpose) } => {
                let (producers, mut cx) = self.producing();
                producers.handed_over(&mut cx, purpose);
            }
            NetEvent::HandedOver { .. } => {}
            NetEvent::Failed { purpose, link, failure } => match purpose {
                Purpose::Cluster(purpose) => {
                    if let Some(from) = self.net.endpoint(link).cloned() {
                        self.cluster.failed(now, purpose, &failure, &from, &mut self.net);
                    }
                }
                Purpose::Discovery => {
                    let Self { cluster, net, actions, .. } = self;
                    cluster.discovery_failed(now, &failure, net, actions);
                }
                Purpose::Heartbeat(purpose) => {
                    let (heartbeat, mut cx) = self.greeting();
                    heartbeat.unanswered(&mut cx, purpose, reason(&failure));
                }
                Purpose::Producer(purpose) => {
                    let (producers, mut cx) = self.producing();
                    producers.failed(&mut cx, purpose, failure);
                }
                Purpose::Admin(purpose) => self.admin_failed(purpose, failure),
            },
        }
    }

    /// Encodes the requests that connections can take now.
    fn write_requests(&mut self) {
        let now = self.now.mono;
        while let Some(work) = self.net.next_to_write(now, &mut self.actions) {
            match self.encode(&work) {
                Ok(true) if self.rpc.is_some() && !self.show_to_hooks(&work) => {}
                Ok(true) => self.net.written(now, &work, &mut self.actions),
                Ok(false) => self.net.not_encodable(&work),
                Err(error) => {
                    self.net.not_encodable(&work);
                    self.not_encodable(&work, &error);
                }
            }
        }
        if self.rpc.is_some() {
            self.hooks_ended();
        }
    }

    fn encode(&mut self, work: &ToWrite<Purpose>) -> Result<bool, crate::wire::EncodeError> {
        let Self { net, cluster, heartbeat, producers, admin, counters, .. } = self;
        let Some(outbox) = net.outbox_of(work.conn) else {
            return Ok(false);
        };
        match work.purpose {
            Purpose::Cluster(purpose) => cluster.encode(purpose, work.opaque, outbox),
            Purpose::Heartbeat(purpose) => heartbeat.encode(purpose, work.opaque, cluster, outbox, counters),
            Purpose::Discovery => cluster.encode_discovery(work.opaque, self.now.unix_ms, outbox),
            Purpose::Producer(ProducerPurpose::Send(key)) => {
                producers.encode(key, work.opaque, self.now.unix_ms, outbox)
            }
            Purpose::Producer(ProducerPurpose::Unregister(id)) => {
                producers.encode_unregister(id, work.opaque, outbox)
            }
            Purpose::Producer(ProducerPurpose::EndTransaction(key)) => {
                producers.encode_end(key, work.opaque, outbox)
            }
            Purpose::Admin(purpose) => admin.encode(purpose, work.opaque, outbox),
        }
    }

    pub(super) fn not_encodable(&mut self, work: &ToWrite<Purpose>, error: &crate::wire::EncodeError) {
        match work.purpose {
            Purpose::Producer(ProducerPurpose::Send(key)) => {
                let why = error.to_string();
                let (producers, mut cx) = self.producing();
                producers.not_encodable(&mut cx, key, why);
            }
            Purpose::Producer(ProducerPurpose::EndTransaction(key)) => {
                let (producers, mut cx) = self.producing();
                producers.end_not_encodable(&mut cx, key);
            }
            Purpose::Producer(purpose @ ProducerPurpose::Unregister(_)) => {
                let failure = Failure { written: false, why: FailureReason::Timeout };
                let (producers, mut cx) = self.producing();
                producers.failed(&mut cx, purpose, failure);
            }
            Purpose::Admin(purpose) => self.admin_not_encodable(purpose, error),
            // Names are checked when they come in, so that these always fit.
            Purpose::Cluster(_) | Purpose::Discovery | Purpose::Heartbeat(_) => {}
        }
    }

    /// Ends the client once its last producer has closed.
    fn finish_closing(&mut self) {
        while let Some(closed) = self.producers.next_closed() {
            if closed.for_shutdown {
                self.shutdown.undelivered.extend(closed.undelivered);
            }
        }
        if self.state != ServiceState::ShuttingDown || !self.producers.is_empty() {
            return;
        }
        let (admin, mut cx) = self.administering();
        admin.close(&mut cx);
        self.state = ServiceState::ShutdownAlready;
        self.net.shut_down(self.now.mono, &mut self.actions);
        if self.rpc.is_some() {
            self.hooks_ended();
        }
        let undelivered = core::mem::take(&mut self.shutdown.undelivered);
        for id in core::mem::take(&mut self.shutdown.ids) {
            self.answer(id, Answer::Closed(undelivered.clone()));
        }
    }
}

fn reason(failure: &Failure) -> alloc::string::String {
    match &failure.why {
        FailureReason::Timeout => "no answer in time".to_string(),
        FailureReason::Connection(why) => format!("{why}"),
    }
}
