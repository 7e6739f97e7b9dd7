//! Inputs as values that can be kept and given again.

use rocketmq_core::client::{Client, ClientConfig, CloseReason, Command, CommandId, ConnId, Input, Send};
use rocketmq_core::ground::Now;

use super::trace::TraceHash;

/// An input that owns its parts.
#[derive(Debug, Hash)]
pub(crate) enum Recorded {
    Command(CommandId, Command),
    Connected(ConnId),
    Received(ConnId, Vec<u8>),
    Wrote(ConnId, usize),
    Closed(ConnId, CloseReason),
    Tick,
}

impl Recorded {
    /// Bytes that came from a server.
    pub(crate) fn received(&self) -> usize {
        match self {
            Recorded::Received(_, bytes) => bytes.len(),
            _ => 0,
        }
    }

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

/// When the actions of a client are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    AtOnce,
    InTheEnd,
}

/// Gives recorded inputs to a new client, and hashes and counts its actions.
pub(crate) fn replay(
    config: &ClientConfig,
    start: Now,
    inputs: &[(Now, Recorded)],
    taken: Taken,
) -> Option<(u64, usize)> {
    let mut client = Client::new(config.clone(), start).ok()?;
    let (mut hash, mut count) = (TraceHash::default(), 0);
    let mut take = |client: &mut Client| {
        while let Some(action) = client.poll_action() {
            hash.add(&TraceHash::of(&action));
            count += 1;
        }
    };
    for (now, input) in inputs {
        input.copy().give(&mut client, *now);
        if taken == Taken::AtOnce {
            take(&mut client);
        }
    }
    take(&mut client);
    Some((hash.value(), count))
}
