//! What tests let applications do.

use std::time::Duration;

use rocketmq_core::client::{Answer, Command, CommandId, OwnedInput, Send};
use rocketmq_core::ground::Instant;
use rocketmq_core::ground::names::TopicName;
use rocketmq_core::message::Message;
use rocketmq_core::producer::{OpenError, ProducerConfig, SendError, SendMode, Undelivered};

use super::held::is_answered;
use super::orders::SendRecord;
use super::story::command_name;
use super::{Mutant, Order, SendHandle, SimProducer, Ticket, Verdict, World, micros};

impl World {
    pub(super) fn command(&mut self, client: usize, due: Option<u64>, command: Command) -> CommandId {
        let it = &mut self.clients[client];
        it.next_command += 1;
        let id = CommandId(it.next_command);
        let now_us = self.now_us;
        self.story
            .tell(now_us, || format!("application of client {client}: {}", command_name(&command, now_us)));
        if is_answered(&command) {
            self.pending.insert((client, id));
            if let Some(due) = due {
                // Time for a due timer to be handled late and for the answer to be taken late.
                let due = due.max(self.now_us).saturating_add(self.network.granule_us() + 1_000);
                self.due.insert((due, client, id));
                self.due_of.insert((client, id), due);
            }
        }
        self.give(client, OwnedInput::Command { id, command });
        id
    }

    pub(super) fn until(&self, within: Duration) -> (Instant, u64) {
        let due = self.now_us.saturating_add(micros(within));
        (Instant::from_micros(due), due)
    }

    /// Opens a producer and waits for the answer.
    ///
    /// # Errors
    /// What the client said.
    ///
    /// # Panics
    /// When the group name is no group name, or nobody answers.
    pub fn try_open_producer(
        &mut self,
        client: usize,
        group: &str,
        tweak: impl FnOnce(&mut ProducerConfig),
    ) -> Result<SimProducer, OpenError> {
        let mut config = ProducerConfig::new(group.parse().expect("a group name"));
        tweak(&mut config);
        let due = self.now_us;
        let command = Command::OpenProducer { config: Box::new(config.clone()) };
        let id = self.command(client, Some(due), command);
        self.run_until(Duration::from_secs(1), |world| world.answers.contains_key(&(client, id)));
        match self.answers.remove(&(client, id)) {
            Some(Answer::Opened(result)) => {
                let id = result?;
                self.halves.note_producer(client, id, group);
                self.traces.note_producer(client, id, &config);
                Ok(SimProducer { client, id })
            }
            other => panic!("no answer to OpenProducer but {other:?}"),
        }
    }

    /// Opens a producer of client 0 with the default settings.
    ///
    /// # Panics
    /// When it cannot be opened.
    pub fn open_producer(&mut self, group: &str) -> SimProducer {
        self.try_open_producer(0, group, |_| {}).expect("an open producer")
    }

    /// Sends a message.
    ///
    /// # Panics
    /// When the topic is no topic name.
    pub fn send(&mut self, producer: SimProducer, order: Order) -> SendHandle {
        let number = self.sends.len();
        let client = producer.client;
        let message = order.message.unwrap_or_else(|| {
            let topic: TopicName = order.topic.parse().expect("a topic name");
            let built = Message::builder(topic).body(order.body).key(&format!("k{number}")).build();
            built.expect("a message that can be built")
        });
        let key = message.keys().next().unwrap_or_default().to_owned();
        self.book.sends_of.entry(key.clone()).or_default().push(number);
        self.sends.push(SendRecord { client, key, ended_at: 0, verdict: None });
        let (deadline, due) = self.until(order.within);
        // The answer may come while the command is given.
        let id = CommandId(self.clients[client].next_command + 1);
        self.by_command.insert((client, id), number);
        // Of one-way sends that mutant would lie, too, in another way.
        let mode = match order.one_way && !self.is_mutant(Mutant::FearsTheWorst) {
            _ if self.halves.is_half(number) => SendMode::Half,
            true => SendMode::OneWay,
            false => SendMode::Acknowledged,
        };
        if mode != SendMode::OneWay {
            self.traces.note_send(client, producer.id, number);
        }
        let send = Send {
            producer: producer.id,
            message,
            target: order.target,
            deadline,
            mode,
            reservation: order.reservation.map(|ticket| ticket.id),
            retries: order.retries,
        };
        self.command(client, Some(due), Command::Send(send));
        SendHandle(number)
    }

    /// Sends a message and waits for its verdict.
    ///
    /// # Panics
    /// When there is none at its deadline.
    pub fn send_and_wait(&mut self, producer: SimProducer, order: Order) -> Verdict {
        let within = order.within + Duration::from_secs(1);
        let send = self.send(producer, order);
        self.run_until(within, |world| world.verdict(send).is_some());
        self.verdict(send).expect("a verdict at its deadline").clone()
    }

    /// The verdict of a send, once there is one.
    pub fn verdict(&self, send: SendHandle) -> Option<&Verdict> {
        self.sends[send.0].verdict.as_ref()
    }

    /// When a send got its verdict; none as long as it has none.
    pub fn ended_at(&self, send: SendHandle) -> Option<Duration> {
        let record = &self.sends[send.0];
        record.verdict.as_ref().map(|_| Duration::from_micros(record.ended_at))
    }

    /// Sends of a client without a verdict.
    pub fn sends_under_way(&self, client: usize) -> usize {
        self.sends.iter().filter(|send| send.client == client && send.verdict.is_none()).count()
    }

    /// Asks for room for a message of this weight.
    ///
    /// # Panics
    /// When the topic is no topic name.
    pub fn reserve(&mut self, producer: SimProducer, topic: &str, weight: usize, within: Duration) -> Ticket {
        let (deadline, due) = self.until(within);
        let topic = topic.parse().expect("a topic name");
        let command = Command::Reserve { producer: producer.id, topic, weight, deadline };
        Ticket { client: producer.client, id: self.command(producer.client, Some(due), command) }
    }

    /// The answer to a [`World::reserve`], once there is one.
    pub fn room(&self, ticket: Ticket) -> Option<Result<(), &SendError>> {
        match self.answers.get(&(ticket.client, ticket.id))? {
            Answer::Room(result) => Some(result.as_ref().copied()),
            _ => None,
        }
    }

    /// Gives room back, or leaves the line. A caller in line gets no answer any more.
    pub fn withdraw(&mut self, ticket: Ticket) {
        let key = (ticket.client, ticket.id);
        if self.pending.remove(&key) {
            // Its answer may be among the actions that are not taken yet.
            self.withdrawn.insert(key);
        }
        if let Some(due) = self.due_of.remove(&key) {
            self.due.remove(&(due, ticket.client, ticket.id));
        }
        self.command(ticket.client, None, Command::Withdraw { reservation: ticket.id });
    }

    /// Waits for all sends so far, of one producer or of a whole client.
    pub fn flush(&mut self, client: usize, producer: Option<SimProducer>, within: Duration) -> Ticket {
        let (deadline, due) = self.until(within);
        let command = Command::Flush { producer: producer.map(|it| it.id), deadline };
        Ticket { client, id: self.command(client, Some(due), command) }
    }

    /// The answer to a [`World::flush`], once there is one.
    pub fn flushed(&self, ticket: Ticket) -> Option<Result<(), usize>> {
        match self.answers.get(&(ticket.client, ticket.id))? {
            Answer::Flushed(result) => Some(*result),
            _ => None,
        }
    }

    /// Closes a producer.
    pub fn close_producer(&mut self, producer: SimProducer, within: Duration) -> Ticket {
        let (deadline, due) = self.until(within);
        let client = producer.client;
        let due = due.saturating_add(self.farewell_us(client));
        self.halves.closed_at.insert(client, u64::MAX);
        self.closes.insert((client, CommandId(self.clients[client].next_command + 1)));
        let command = Command::CloseProducer { producer: producer.id, deadline };
        Ticket { client, id: self.command(client, Some(due), command) }
    }

    /// Shuts a client down.
    pub fn shutdown(&mut self, client: usize, within: Duration) -> Ticket {
        let (deadline, due) = self.until(within);
        let due = due.saturating_add(self.farewell_us(client));
        let id = CommandId(self.clients[client].next_command + 1);
        self.halves.closed_at.insert(client, u64::MAX);
        self.shutdowns.insert((client, id));
        Ticket { client, id: self.command(client, Some(due), Command::Shutdown { deadline }) }
    }

    pub(super) fn farewell_us(&self, client: usize) -> u64 {
        micros(self.clients[client].config.timing.unregister_timeout) + self.network.granule_us()
    }

    /// The answer to a [`World::close_producer`] or [`World::shutdown`], once there is one.
    pub fn closed(&self, ticket: Ticket) -> Option<&[Undelivered]> {
        match self.answers.get(&(ticket.client, ticket.id))? {
            Answer::Closed(left) => Some(left),
            _ => None,
        }
    }

    /// Gives a client another list of name servers.
    ///
    /// # Panics
    /// When it is no list of addresses.
    pub fn set_name_servers(&mut self, client: usize, list: &str) {
        let name_servers = list.parse().expect("a list of addresses");
        self.command(client, None, Command::SetNameServers { name_servers });
    }

    pub(super) fn note_closed(&mut self, client: usize, id: CommandId, answer: &Answer) {
        if matches!(answer, Answer::Closed(_)) {
            let closes = self.closes.iter().chain(&self.shutdowns).filter(|(of, _)| *of == client);
            let still = closes.into_iter().any(|close| self.pending.contains(close));
            self.halves.closed_at.insert(client, if still { u64::MAX } else { self.now_us });
        }
        if matches!(answer, Answer::Closed(_)) && self.shutdowns.contains(&(client, id)) {
            self.clients[client].over = true;
        }
    }
}
