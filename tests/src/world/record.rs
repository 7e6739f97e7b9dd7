//! Inputs as values that can be kept and given again.

use rocketmq_core::client::{
    Action, Client, ClientConfig, CloseReason, Command, CommandId, ConnId, Input, Send,
};
use rocketmq_core::ground::Now;

use super::story::TraceHash;

/// An input that owns its parts.
#[derive(Debug)]
pub(crate) enum Recorded {
    Command(CommandId, Command),
    Connected(ConnId),
    Received(ConnId, Vec<u8>),
    Wrote(ConnId, usize),
    Closed(ConnId, CloseReason),
    Tick,
}

impl Recorded {
    pub(crate) fn give(self, client: &mut Client, now: Now) {
        let input = match &self {
            Recorded::Received(conn, bytes) => Input::Received { conn: *conn, bytes },
            Recorded::Connected(conn) => Input::Connected { conn: *conn },
            Recorded::Wrote(conn, count) => Input::Wrote { conn: *conn, count: *count },
            Recorded::Closed(conn, why) => Input::Closed { conn: *conn, why: *why },
            Recorded::Tick => Input::Tick,
            Recorded::Command(..) => return self.give_command(client, now),
        };
        client.handle(now, input);
    }

    fn give_command(self, client: &mut Client, now: Now) {
        if let Recorded::Command(id, command) = self {
            client.handle(now, Input::Command { id, command });
        }
    }

    pub(crate) fn copy(&self) -> Recorded {
        match self {
            Recorded::Command(id, command) => Recorded::Command(*id, copy_command(command)),
            Recorded::Connected(conn) => Recorded::Connected(*conn),
            Recorded::Received(conn, bytes) => Recorded::Received(*conn, bytes.clone()),
            Recorded::Wrote(conn, count) => Recorded::Wrote(*conn, *count),
            Recorded::Closed(conn, why) => Recorded::Closed(*conn, *why),
            Recorded::Tick => Recorded::Tick,
        }
    }

    pub(crate) fn hash(&self, hash: &mut TraceHash) {
        match self {
            // The text of many numbers is slow to write.
            Recorded::Received(conn, bytes) => {
                hash.add(conn);
                hash.bytes(bytes);
            }
            other => hash.add(other),
        }
    }
}

fn copy_command(command: &Command) -> Command {
    match command {
        Command::OpenProducer { config } => Command::OpenProducer { config: config.clone() },
        Command::Reserve { producer, topic, weight, deadline } => Command::Reserve {
            producer: *producer,
            topic: topic.clone(),
            weight: *weight,
            deadline: *deadline,
        },
        Command::Withdraw { reservation } => Command::Withdraw { reservation: *reservation },
        Command::Send(send) => Command::Send(Send {
            producer: send.producer,
            message: send.message.clone(),
            target: send.target.clone(),
            deadline: send.deadline,
            one_way: send.one_way,
            reservation: send.reservation,
            retries: send.retries,
        }),
        Command::Flush { producer, deadline } => Command::Flush { producer: *producer, deadline: *deadline },
        Command::CloseProducer { producer, deadline } => {
            Command::CloseProducer { producer: *producer, deadline: *deadline }
        }
        Command::Shutdown { deadline } => Command::Shutdown { deadline: *deadline },
        Command::SetNameServers { name_servers } => {
            Command::SetNameServers { name_servers: name_servers.clone() }
        }
    }
}

/// Gives recorded inputs to a new client that nobody asks for actions before the end, and hashes these.
pub(crate) fn replay(config: &ClientConfig, start: Now, inputs: &[(Now, Recorded)]) -> Option<(u64, usize)> {
    let mut client = Client::new(config.clone(), start).ok()?;
    for (now, input) in inputs {
        input.copy().give(&mut client, *now);
    }
    let actions: Vec<Action> = std::iter::from_fn(|| client.poll_action()).collect();
    let mut hash = TraceHash::default();
    for action in &actions {
        hash.add(action);
    }
    Some((hash.value(), actions.len()))
}
