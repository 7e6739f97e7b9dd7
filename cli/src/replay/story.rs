//! Turns the inputs and actions of a client into events.

use std::collections::HashMap;
use std::time::Duration;

use rocketmq_core::client::{
    Action, Answer, Command, CommandId, ConnId, Notice, OwnedInput, ProducerId, Send, ServiceState,
};
use rocketmq_core::ground::{Instant, Now};
use rocketmq_core::producer::{Outcome, SendMode, Target};
use rocketmq_core::recording::{BodyKept, Start, Step, told, told_answer};

use super::event::{Event, Verdict, What, clean};
use super::wire::Wires;

/// Everything that is needed to tell the next event.
#[derive(Debug)]
pub(super) struct Story {
    begin: Instant,
    name_servers: Vec<String>,
    /// The address of the HTTP server that knows them.
    discovery: Option<String>,
    /// Brokers by the addresses of their masters.
    brokers: HashMap<String, String>,
    wires: Wires,
    /// Sends without verdict: their number, and when they began.
    sends: HashMap<CommandId, (usize, Duration)>,
    sends_begun: usize,
    /// What other commands wanted.
    commands: HashMap<CommandId, String>,
    at: Duration,
    told: Vec<Event>,
}

impl Story {
    pub(super) fn new(start: &Start) -> Self {
        Self {
            begin: start.now.mono,
            name_servers: start.config.name_servers.iter().map(ToString::to_string).collect(),
            discovery: start.config.discovery.as_ref().map(|it| it.endpoint().to_string()),
            brokers: HashMap::new(),
            wires: Wires::default(),
            sends: HashMap::new(),
            sends_begun: 0,
            commands: HashMap::new(),
            at: Duration::ZERO,
            told: Vec::new(),
        }
    }

    /// Time since the start.
    pub(super) fn time(&self, now: Now) -> Duration {
        now.mono.since(self.begin)
    }

    /// Sends that have no verdict.
    pub(super) fn open_sends(&self) -> usize {
        self.sends.len()
    }

    /// One step of a replay. The client is asked for what it knows when a connection opens.
    pub(super) fn step(&mut self, step: &Step, client: &rocketmq_core::client::Client) -> Vec<Event> {
        self.at = self.time(step.now);
        let opens = step.actions.iter().any(|action| matches!(action, Action::Connect { .. }));
        if opens && client.service_state() == ServiceState::Running {
            for broker in client.view().brokers {
                if let Some(master) = broker.master {
                    self.brokers.insert(master.to_string(), broker.name.to_string());
                }
            }
        }
        self.input(&step.input, step.body);
        if let OwnedInput::Wrote { conn, .. } = &step.input {
            for chunk in &step.wrote {
                self.wires.wrote(self.at, *conn, chunk, |what| self.told.push(Event { at: self.at, what }));
            }
        }
        step.actions.iter().for_each(|action| self.action(action));
        std::mem::take(&mut self.told)
    }

    /// An input without the client's answer to it, for recordings that lack their beginning.
    pub(super) fn input_only(&mut self, now: Now, input: &OwnedInput, body: BodyKept) -> Vec<Event> {
        self.at = self.time(now);
        self.input(input, body);
        if let OwnedInput::Wrote { conn, count } = input {
            let conn = self.wires.number(*conn);
            self.tell(What::Told { text: format!("{conn} -> {count} bytes") });
        }
        std::mem::take(&mut self.told)
    }

    fn tell(&mut self, what: What) {
        self.told.push(Event { at: self.at, what });
    }

    fn input(&mut self, input: &OwnedInput, body: BodyKept) {
        match input {
            OwnedInput::Command { id, command } => self.command(*id, command, body),
            OwnedInput::Connected { conn } => {
                let conn = self.wires.number(*conn);
                self.tell(What::Up { conn });
            }
            OwnedInput::Received { conn, bytes } => {
                self.wires
                    .received(self.at, *conn, bytes, |what| self.told.push(Event { at: self.at, what }));
            }
            OwnedInput::Closed { conn, why } => self.ends(*conn, &why.to_string()),
            OwnedInput::Wrote { .. } | OwnedInput::Tick => {}
        }
    }

    fn ends(&mut self, conn: ConnId, why: &str) {
        if let Some((conn, unanswered)) = self.wires.close(conn) {
            self.tell(What::Down { conn, why: why.to_owned(), unanswered });
        }
    }

    fn command(&mut self, id: CommandId, command: &Command, body: BodyKept) {
        let within = |at: &Instant| match at.since(self.begin).checked_sub(self.at) {
            _ if *at == Instant::NEVER => "without deadline".to_owned(),
            Some(left) => format!("within {left:?}"),
            None => "with a deadline in the past".to_owned(),
        };
        let producer = |id: &ProducerId| format!("producer {id:?}");
        let text = match command {
            Command::Send(send) => {
                self.sends_begun += 1;
                let text = format!("{}, {}", describe(send, body), within(&send.deadline));
                self.sends.insert(id, (self.sends_begun, self.at));
                return self.tell(What::Send { number: self.sends_begun, text });
            }
            // A reservation that gets its room shows as the send that follows.
            Command::Reserve { topic, weight, .. } => {
                self.commands.insert(id, format!("room for {weight} bytes for {topic}"));
                return;
            }
            Command::Withdraw { reservation } => {
                self.commands.remove(reservation);
                return;
            }
            Command::OpenProducer { config } => format!("open producer of group {}", config.group),
            Command::Flush { producer: None, deadline } => format!("flush everything {}", within(deadline)),
            Command::Flush { producer: Some(id), deadline } => {
                format!("flush {} {}", producer(id), within(deadline))
            }
            Command::EndTransaction { half, end, deadline, .. } => {
                format!("{end} of transaction {} {}", half.unique_key, within(deadline))
            }
            Command::AnswerCheck { half, end, deadline, .. } => {
                format!("answer to the check for transaction {}: {end} {}", half.unique_key, within(deadline))
            }
            Command::DropCheck { .. } => "leave a check without answer".to_owned(),
            Command::CloseProducer { producer: id, deadline } => {
                format!("close {} {}", producer(id), within(deadline))
            }
            Command::Shutdown { deadline } => format!("shut down {}", within(deadline)),
            Command::Admin { request, deadline } => format!("{request} {}", within(deadline)),
            Command::SetNameServers { name_servers } => format!("set the name servers {name_servers}"),
        };
        self.commands.insert(id, text.clone());
        self.tell(What::Told { text });
    }

    fn action(&mut self, action: &Action) {
        match action {
            Action::Connect { conn, to } => {
                let address = to.to_string();
                let peer = match self.brokers.get(&address) {
                    _ if self.name_servers.contains(&address) => "name server".to_owned(),
                    Some(broker) => clean(broker),
                    None if self.discovery.as_ref() == Some(&address) => "HTTP discovery".to_owned(),
                    None => "unknown server".to_owned(),
                };
                let carries_frames = self.discovery.as_ref() != Some(&address);
                let conn = self.wires.open(*conn, carries_frames);
                self.tell(What::Opens { conn, address, peer });
            }
            Action::Close { conn } => {
                if let Some((conn, unanswered)) = self.wires.close(*conn) {
                    self.tell(What::ClosedByClient { conn, why: String::new(), unanswered });
                }
            }
            Action::Answer { id, answer } => self.answer(*id, answer),
            Action::Notice(Notice::NameServersChanged { name_servers }) => {
                self.name_servers = name_servers.iter().map(ToString::to_string).collect();
                self.tell(What::Told { text: format!("name servers are {name_servers}") });
            }
            Action::Notice(Notice::ConnectionDown { why, .. }) if self.explains_last(&why.to_string()) => {}
            Action::Notice(Notice::Retry { .. }) => {
                if let Some(text) = told(action) {
                    self.tell(What::Retry { text });
                }
            }
            other => {
                if let Some(text) = told(other) {
                    self.tell(What::Told { text });
                }
            }
        }
    }

    /// Puts the client's reason to the end of a connection that was told just before.
    fn explains_last(&mut self, reason: &str) -> bool {
        match self.told.last_mut().map(|event| &mut event.what) {
            Some(What::ClosedByClient { why, .. }) => {
                reason.clone_into(why);
                true
            }
            Some(What::Down { why, .. }) => why == reason,
            _ => false,
        }
    }

    fn answer(&mut self, id: CommandId, answer: &Answer) {
        let Some(text) = told_answer(answer) else {
            self.commands.remove(&id);
            return;
        };
        let verdict = match answer {
            Answer::Sent(Ok(_)) => Verdict::Stored,
            Answer::HandedOver(Ok(())) => Verdict::HandedOver,
            Answer::Sent(Err(error)) | Answer::HandedOver(Err(error)) => match error.outcome() {
                Outcome::NotStored => Verdict::NotStored,
                Outcome::MayBeStored => Verdict::MayBeStored,
            },
            _ => {
                let about = self.commands.remove(&id);
                let text = match about {
                    Some(about) => format!("{about}: {text}"),
                    None => text,
                };
                return self.tell(What::Told { text });
            }
        };
        let key = match answer {
            Answer::Sent(Ok(receipt)) => Some(receipt.message_id.to_string()),
            Answer::Sent(Err(error)) | Answer::HandedOver(Err(error)) => {
                error.message().and_then(|message| message.unique_key()).map(|key| key.to_string())
            }
            _ => None,
        };
        let (number, began) = self.sends.remove(&id).unwrap_or((0, self.at));
        let took = self.at.saturating_sub(began);
        self.tell(What::Verdict { number, verdict, took, text, key });
    }
}

fn describe(send: &Send, body: BodyKept) -> String {
    let message = &send.message;
    let mut text = format!("{} bytes to {}", message.body().len(), message.topic());
    match &send.target {
        Target::Any => {}
        Target::Queue(queue) => text.push_str(&format!(", queue {}/{}", queue.broker_name, queue.queue_id)),
        Target::ShardingKey(key) => text.push_str(&format!(", sharding key {:?}", clean(key))),
    }
    if let Some(keys) = message.property("KEYS") {
        text.push_str(&format!(", keys {:?}", clean(keys)));
    }
    if let Some(tag) = message.tag() {
        text.push_str(&format!(", tag {:?}", clean(tag)));
    }
    if let BodyKept::Hashed(hash) = body {
        text.push_str(&format!(", body hash {hash:016x}"));
    }
    text.push_str(match send.mode {
        SendMode::Acknowledged => "",
        SendMode::OneWay => ", one-way",
        SendMode::Half => ", as a half message",
    });
    text
}
