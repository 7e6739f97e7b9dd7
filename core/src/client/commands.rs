//! Where commands find their floor. Nothing is decided here.

use super::{Answer, Client, Command, CommandId, Send, ServiceState};
use crate::ground::Instant;
use crate::interface::{
    Action, EndErrorKind, EndTransactionError, EndVerdict, OpenError, SendError, SendErrorKind, SendMode,
};
use alloc::vec::Vec;

impl Client {
    pub(super) fn command(&mut self, id: CommandId, command: Command) {
        if self.state != ServiceState::Running && self.refuses(&command) {
            return self.refuse(id, command);
        }
        let now = self.now.mono;
        match command {
            Command::OpenProducer { config } => {
                let (producers, mut cx) = self.producing();
                let opened = producers.open(&mut cx, *config);
                self.answer(id, Answer::Opened(opened));
            }
            Command::Reserve { producer, topic, weight, deadline } => {
                let (producers, mut cx) = self.producing();
                producers.reserve(&mut cx, id, producer, topic, weight, deadline);
            }
            Command::Withdraw { reservation } => {
                let (producers, mut cx) = self.producing();
                producers.withdraw(&mut cx, reservation);
            }
            Command::Send(send) => {
                let (producers, mut cx) = self.producing();
                producers.send(&mut cx, id, send);
            }
            Command::EndTransaction { producer, half, end, deadline } => {
                let (producers, mut cx) = self.producing();
                producers.end_transaction(&mut cx, id, producer, half, end, deadline);
            }
            Command::AnswerCheck { check, half, end, deadline } => {
                let (producers, mut cx) = self.producing();
                producers.answer_check(&mut cx, id, check, &half, end, deadline);
            }
            Command::DropCheck { check } => self.producers.drop_check(check),
            Command::Flush { producer, deadline } => {
                let (producers, mut cx) = self.producing();
                producers.flush(&mut cx, id, producer, deadline);
            }
            Command::CloseProducer { producer, deadline } => {
                let (producers, mut cx) = self.producing();
                if !producers.close(&mut cx, producer, Some(id), deadline) {
                    self.answer(id, Answer::Closed(Vec::new()));
                }
            }
            Command::Shutdown { deadline } => {
                self.state = ServiceState::ShuttingDown;
                self.shutdown.ids.push(id);
                self.close_all(deadline);
            }
            Command::SetNameServers { name_servers } => {
                let Self { cluster, net, actions, .. } = self;
                cluster.set_name_servers(now, &name_servers, net, actions);
            }
            Command::Admin { request, deadline } => self.admin_command(id, request, deadline),
        }
    }

    /// A command to a client with hooks of sends: interceptors change a message where it is, before anything is moved.
    #[cold]
    #[inline(never)]
    pub(super) fn intercepted_command(&mut self, id: CommandId, mut command: Command) {
        if self.state == ServiceState::Running
            && let Command::Send(send) = &mut command
        {
            let (producers, mut cx) = self.producing();
            if !producers.intercept(&mut cx, id, send) {
                return;
            }
        }
        self.command(id, command);
    }

    /// Whether a client that shuts down, or has done so, refuses a command. A producer that drains may still end the
    /// transactions that it began.
    fn refuses(&self, command: &Command) -> bool {
        match command {
            Command::OpenProducer { .. }
            | Command::Reserve { .. }
            | Command::Withdraw { .. }
            | Command::Send(_)
            | Command::SetNameServers { .. } => true,
            Command::EndTransaction { .. } | Command::AnswerCheck { .. } | Command::Shutdown { .. } => {
                self.state == ServiceState::ShutdownAlready
            }
            Command::DropCheck { .. }
            | Command::Flush { .. }
            | Command::CloseProducer { .. }
            | Command::Admin { .. } => false,
        }
    }

    /// Answers a command that comes too late.
    #[cold]
    fn refuse(&mut self, id: CommandId, command: Command) {
        let answer = match command {
            Command::OpenProducer { .. } => Answer::Opened(Err(OpenError::ClientClosed)),
            Command::Reserve { topic, .. } => {
                Answer::Room(Err(SendError::before_any_attempt(SendErrorKind::ClientClosed, topic, None)))
            }
            Command::Send(Send { message, mode, .. }) => {
                let topic = message.topic().clone();
                let error = SendError::before_any_attempt(SendErrorKind::ClientClosed, topic, Some(message));
                self.counters.not_stored += 1;
                match mode {
                    SendMode::OneWay => Answer::HandedOver(Err(error)),
                    SendMode::Acknowledged | SendMode::Half => Answer::Sent(Err(error)),
                }
            }
            Command::EndTransaction { half, end, .. } | Command::AnswerCheck { half, end, .. } => {
                let (kind, verdict) = (EndErrorKind::ClientClosed, EndVerdict::NotDelivered);
                Answer::Ended(Err(EndTransactionError::new(kind, verdict, end, &half)))
            }
            Command::Shutdown { .. } => Answer::Closed(Vec::new()),
            // Nobody waits for these; others are not refused.
            _ => return,
        };
        self.answer(id, answer);
    }

    fn close_all(&mut self, deadline: Instant) {
        let (producers, mut cx) = self.producing();
        for producer in producers.ids() {
            producers.close(&mut cx, producer, None, deadline);
        }
        producers.close_inner(&mut cx, deadline);
    }

    pub(super) fn answer(&mut self, id: CommandId, answer: Answer) {
        self.actions.push_back(Action::Answer { id, answer });
    }
}
