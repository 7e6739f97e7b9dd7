//! Reads commands of recordings.

use super::admin::read_admin;
use super::error::ReadErrorKind as Wrong;
use super::parts::Parts;
use super::read::BodyKept;
use super::settings::{name_servers, read_producer};
use super::write_command::{
    ADMIN, ANSWER_CHECK, CLOSE_PRODUCER, DROP_CHECK, END_TRANSACTION, FLUSH, OPEN_PRODUCER, RESERVE, SEND,
    SET_NAME_SERVERS, SHUTDOWN, WITHDRAW,
};
use super::{Bodies, MAX_BODY_BYTES};
use crate::client::OwnedInput;
use crate::ground::Instant;
use crate::ground::names::{BrokerName, TopicName};
use crate::interface::{
    CheckId, Command, CommandId, HalfMessage, MessageQueue, ProducerId, Send, SendMode, Target,
    TransactionEnd,
};
use crate::message::{Message, Properties};
use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::vec;
use bytes::Bytes;
use core::fmt::Display;
use core::str::FromStr;

/// What commands share.
#[derive(Debug, Default)]
pub(super) struct Commands {
    /// Stand for all bodies that were not kept: a recording of a few bytes must not take memory for large ones more
    /// than once.
    zeros: Bytes,
}

impl Commands {
    pub(super) fn read(
        &mut self,
        kind: u8,
        parts: &mut Parts<'_>,
        bodies: Bodies,
    ) -> Result<(OwnedInput, BodyKept), Wrong> {
        if !(OPEN_PRODUCER..=DROP_CHECK).contains(&kind) && kind != ADMIN {
            return Err(Wrong::UnknownRecord(kind));
        }
        let id = CommandId(parts.number("number of the command")?);
        let mut body = BodyKept::None;
        let command = match kind {
            OPEN_PRODUCER => Command::OpenProducer { config: Box::new(read_producer(parts)?) },
            RESERVE => Command::Reserve {
                producer: producer(parts)?,
                topic: parse(parts, "topic")?,
                weight: parts.narrow("weight")?,
                deadline: deadline(parts)?,
            },
            WITHDRAW => Command::Withdraw { reservation: CommandId(parts.number("reservation")?) },
            SEND => {
                let (send, kept) = self.send(parts, bodies)?;
                body = kept;
                Command::Send(send)
            }
            FLUSH => {
                let producer = if flag(parts, "producer")? { Some(producer(parts)?) } else { None };
                Command::Flush { producer, deadline: deadline(parts)? }
            }
            CLOSE_PRODUCER => {
                Command::CloseProducer { producer: producer(parts)?, deadline: deadline(parts)? }
            }
            END_TRANSACTION => {
                let producer = producer(parts)?;
                let (half, end, deadline) = end(parts)?;
                Command::EndTransaction { producer, half, end, deadline }
            }
            ANSWER_CHECK => {
                let check = check(parts)?;
                let (half, end, deadline) = end(parts)?;
                Command::AnswerCheck { check, half, end, deadline }
            }
            DROP_CHECK => Command::DropCheck { check: check(parts)? },
            ADMIN => read_admin(parts)?,
            SHUTDOWN => Command::Shutdown { deadline: deadline(parts)? },
            SET_NAME_SERVERS => {
                Command::SetNameServers { name_servers: name_servers(parts.text("name servers")?)? }
            }
            _ => return Err(Wrong::UnknownRecord(kind)),
        };
        Ok((OwnedInput::Command { id, command }, body))
    }

    fn send(&mut self, parts: &mut Parts<'_>, bodies: Bodies) -> Result<(Send, BodyKept), Wrong> {
        let producer = producer(parts)?;
        let deadline = deadline(parts)?;
        let mode = match parts.byte("mode")? {
            0 => SendMode::Acknowledged,
            1 => SendMode::OneWay,
            2 => SendMode::Half,
            other => return Err(Wrong::value("mode", other)),
        };
        let reservation = option(parts, "reservation")?.map(CommandId);
        let retries = option(parts, "retries")?.map(u32::try_from).transpose();
        let retries = retries.map_err(|_| Wrong::BadNumber("retries"))?;
        let target = target(parts)?;
        let (message, kept) = self.message(parts, bodies)?;
        Ok((Send { producer, message, target, deadline, mode, reservation, retries }, kept))
    }

    fn message(&mut self, parts: &mut Parts<'_>, bodies: Bodies) -> Result<(Message, BodyKept), Wrong> {
        let topic = parse(parts, "topic")?;
        let flag = i32::try_from(parts.signed("flag")?).map_err(|_| Wrong::BadNumber("flag"))?;
        let wire = parts.text("properties")?;
        let properties = Properties::parse(wire);
        if properties.as_wire() != wire {
            return Err(Wrong::value("properties", "not as a message has them"));
        }
        let (body, kept) = match bodies {
            Bodies::Keep => {
                let body = parts.bytes("body")?;
                checked_len(body.len() as u64)?;
                (Bytes::copy_from_slice(body), BodyKept::Whole)
            }
            Bodies::LeaveOut => (self.zeros(parts)?, BodyKept::LeftOut),
            Bodies::Hash => (self.zeros(parts)?, BodyKept::Hashed(parts.hash("hash of the body")?)),
        };
        Ok((Message::from_parts(topic, body, flag, properties), kept))
    }

    fn zeros(&mut self, parts: &mut Parts<'_>) -> Result<Bytes, Wrong> {
        let len = checked_len(parts.number("length of the body")?)?;
        if self.zeros.len() < len {
            self.zeros = vec![0; len].into();
        }
        Ok(self.zeros.slice(..len))
    }
}

fn checked_len(len: u64) -> Result<usize, Wrong> {
    let fits = usize::try_from(len).ok().filter(|len| *len <= MAX_BODY_BYTES);
    fits.ok_or(Wrong::BadNumber("length of the body"))
}

fn target(parts: &mut Parts<'_>) -> Result<Target, Wrong> {
    match parts.byte("target")? {
        0 => Ok(Target::Any),
        1 => {
            let (topic, broker_name): (TopicName, BrokerName) =
                (parse(parts, "topic")?, parse(parts, "broker")?);
            let queue_id = i32::try_from(parts.signed("queue")?).map_err(|_| Wrong::BadNumber("queue"))?;
            Ok(Target::Queue(MessageQueue { topic, broker_name, queue_id }))
        }
        2 => Ok(Target::ShardingKey(parts.text("sharding key")?.to_owned())),
        other => Err(Wrong::value("target", other)),
    }
}

fn producer(parts: &mut Parts<'_>) -> Result<ProducerId, Wrong> {
    Ok(ProducerId::from_parts(parts.narrow("producer")?, parts.narrow("producer")?))
}

fn check(parts: &mut Parts<'_>) -> Result<CheckId, Wrong> {
    Ok(CheckId::from_parts(parts.narrow("check")?, parts.narrow("check")?))
}

fn end(parts: &mut Parts<'_>) -> Result<(HalfMessage, TransactionEnd, Instant), Wrong> {
    let half = HalfMessage {
        topic: parse(parts, "topic")?,
        broker_name: parse(parts, "broker")?,
        unique_key: parse(parts, "unique key")?,
        queue_offset: parts.signed("queue offset")?,
        commit_log_offset: parts.signed("commit log offset")?,
    };
    let end = match parts.byte("end of the transaction")? {
        0 => TransactionEnd::Commit,
        1 => TransactionEnd::Rollback,
        other => return Err(Wrong::value("end of the transaction", other)),
    };
    Ok((half, end, deadline(parts)?))
}

fn deadline(parts: &mut Parts<'_>) -> Result<Instant, Wrong> {
    parts.number("deadline").map(Instant::from_micros)
}

fn flag(parts: &mut Parts<'_>, what: &'static str) -> Result<bool, Wrong> {
    match parts.byte(what)? {
        0 => Ok(false),
        1 => Ok(true),
        other => Err(Wrong::value(what, other)),
    }
}

fn option(parts: &mut Parts<'_>, what: &'static str) -> Result<Option<u64>, Wrong> {
    if flag(parts, what)? { parts.number(what).map(Some) } else { Ok(None) }
}

fn parse<T: FromStr>(parts: &mut Parts<'_>, what: &'static str) -> Result<T, Wrong>
where
    T::Err: Display,
{
    parts.text(what)?.parse().map_err(|error| Wrong::value(what, error))
}
