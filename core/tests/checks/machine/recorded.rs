//! Inputs as values that can be given again.

use std::collections::hash_map::DefaultHasher;
use std::fmt::Write;
use std::hash::Hasher;

use rocketmq_core::client::{
    Action, Client, ClientConfig, CloseReason, Command, CommandId, ConnId, Input, ProducerId, Send,
};
use rocketmq_core::ground::endpoint::NameServers;
use rocketmq_core::ground::names::TopicName;
use rocketmq_core::ground::{Instant, Now};
use rocketmq_core::message::Message;
use rocketmq_core::producer::{ProducerConfig, Target};

/// A send without its number.
#[derive(Clone)]
pub(crate) struct Order {
    pub(crate) producer: ProducerId,
    pub(crate) message: Message,
    pub(crate) target: Target,
    pub(crate) deadline: Instant,
    pub(crate) one_way: bool,
    pub(crate) reservation: Option<CommandId>,
    pub(crate) retries: Option<u32>,
}

/// A command that can be made again.
#[derive(Clone)]
pub(crate) enum Wish {
    Open(Box<ProducerConfig>),
    Reserve(ProducerId, TopicName, usize, Instant),
    Withdraw(CommandId),
    Send(Order),
    Flush(Option<ProducerId>, Instant),
    Close(ProducerId, Instant),
    Shutdown(Instant),
    NameServers(NameServers),
}

impl Wish {
    fn command(&self) -> Command {
        match self.clone() {
            Wish::Open(config) => Command::OpenProducer { config },
            Wish::Reserve(producer, topic, weight, deadline) => {
                Command::Reserve { producer, topic, weight, deadline }
            }
            Wish::Withdraw(reservation) => Command::Withdraw { reservation },
            Wish::Send(order) => Command::Send(Send {
                producer: order.producer,
                message: order.message,
                target: order.target,
                deadline: order.deadline,
                one_way: order.one_way,
                reservation: order.reservation,
                retries: order.retries,
            }),
            Wish::Flush(producer, deadline) => Command::Flush { producer, deadline },
            Wish::Close(producer, deadline) => Command::CloseProducer { producer, deadline },
            Wish::Shutdown(deadline) => Command::Shutdown { deadline },
            Wish::NameServers(name_servers) => Command::SetNameServers { name_servers },
        }
    }
}

/// An input that owns its parts.
#[derive(Clone)]
pub(crate) enum Recorded {
    Command(CommandId, Wish),
    Connected(ConnId),
    Received(ConnId, Vec<u8>),
    Wrote(ConnId, usize),
    Closed(ConnId, CloseReason),
    Tick,
}

impl Recorded {
    pub(crate) fn give(&self, client: &mut Client, now: Now) {
        let input = match self {
            Recorded::Command(id, wish) => Input::Command { id: *id, command: wish.command() },
            Recorded::Connected(conn) => Input::Connected { conn: *conn },
            Recorded::Received(conn, bytes) => Input::Received { conn: *conn, bytes },
            Recorded::Wrote(conn, count) => Input::Wrote { conn: *conn, count: *count },
            Recorded::Closed(conn, why) => Input::Closed { conn: *conn, why: *why },
            Recorded::Tick => Input::Tick,
        };
        client.handle(now, input);
    }
}

/// All actions of a run as one number.
#[derive(Default)]
pub(crate) struct Actions {
    text: String,
    hasher: DefaultHasher,
    pub(crate) count: usize,
}

impl Actions {
    pub(crate) fn note(&mut self, action: &Action) {
        self.text.clear();
        write!(self.text, "{action:?}").unwrap();
        self.hasher.write(self.text.as_bytes());
        self.count += 1;
    }

    pub(crate) fn hash(&self) -> u64 {
        self.hasher.finish()
    }
}

/// Gives the inputs to a new client that nobody asks for actions before the end.
pub(crate) fn replay(config: ClientConfig, start: Now, inputs: &[(Now, Recorded)]) -> Actions {
    let mut client = Client::new(config, start).unwrap();
    for (now, input) in inputs {
        input.give(&mut client, *now);
    }
    let mut actions = Actions::default();
    while let Some(action) = client.poll_action() {
        actions.note(&action);
    }
    actions
}
