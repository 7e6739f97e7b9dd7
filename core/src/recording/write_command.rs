//! Writes commands of recordings.

use super::admin::put_admin;
use super::parts::{put_bytes, put_number, put_signed};
use super::settings::put_producer;
use super::{Bodies, body_hash};
use crate::ground::Instant;
use crate::interface::{
    CheckId, Command, CommandId, HalfMessage, ProducerId, Send, SendMode, Target, TransactionEnd,
};
use crate::message::Message;
use alloc::string::ToString;
use alloc::vec::Vec;

pub(super) const OPEN_PRODUCER: u8 = 32;
pub(super) const RESERVE: u8 = 33;
pub(super) const WITHDRAW: u8 = 34;
pub(super) const SEND: u8 = 35;
pub(super) const FLUSH: u8 = 36;
pub(super) const CLOSE_PRODUCER: u8 = 37;
pub(super) const SHUTDOWN: u8 = 38;
pub(super) const SET_NAME_SERVERS: u8 = 39;
pub(super) const END_TRANSACTION: u8 = 40;
pub(super) const ANSWER_CHECK: u8 = 41;
pub(super) const DROP_CHECK: u8 = 42;
pub(super) const ADMIN: u8 = 48;

fn put_producer_id(parts: &mut Vec<u8>, producer: ProducerId) {
    put_number(parts, u64::from(producer.index()));
    put_number(parts, u64::from(producer.life()));
}

fn put_check_id(parts: &mut Vec<u8>, check: CheckId) {
    put_number(parts, u64::from(check.index()));
    put_number(parts, u64::from(check.life()));
}

fn put_end(parts: &mut Vec<u8>, half: &HalfMessage, end: TransactionEnd, deadline: Instant) {
    let HalfMessage { topic, broker_name, unique_key, queue_offset, commit_log_offset } = half;
    put_bytes(parts, topic.as_str().as_bytes());
    put_bytes(parts, broker_name.as_str().as_bytes());
    put_bytes(parts, unique_key.as_bytes());
    put_signed(parts, *queue_offset);
    put_signed(parts, *commit_log_offset);
    parts.push(match end {
        TransactionEnd::Commit => 0,
        TransactionEnd::Rollback => 1,
    });
    put_number(parts, deadline.as_micros());
}

/// A 0 for none; a 1 and the number.
fn put_option(parts: &mut Vec<u8>, number: Option<u64>) {
    match number {
        None => parts.push(0),
        Some(number) => {
            parts.push(1);
            put_number(parts, number);
        }
    }
}

pub(super) fn put_command(parts: &mut Vec<u8>, command: &Command, bodies: Bodies) -> u8 {
    let deadline = |parts: &mut Vec<u8>, at: Instant| put_number(parts, at.as_micros());
    match command {
        Command::OpenProducer { config } => {
            put_producer(parts, config);
            OPEN_PRODUCER
        }
        Command::Reserve { producer, topic, weight, deadline: at } => {
            put_producer_id(parts, *producer);
            put_bytes(parts, topic.as_str().as_bytes());
            put_number(parts, *weight as u64);
            deadline(parts, *at);
            RESERVE
        }
        Command::Withdraw { reservation: CommandId(reservation) } => {
            put_number(parts, *reservation);
            WITHDRAW
        }
        Command::Send(send) => {
            put_send(parts, send, bodies);
            SEND
        }
        Command::EndTransaction { producer, half, end, deadline: at } => {
            put_producer_id(parts, *producer);
            put_end(parts, half, *end, *at);
            END_TRANSACTION
        }
        Command::AnswerCheck { check, half, end, deadline: at } => {
            put_check_id(parts, *check);
            put_end(parts, half, *end, *at);
            ANSWER_CHECK
        }
        Command::DropCheck { check } => {
            put_check_id(parts, *check);
            DROP_CHECK
        }
        Command::Flush { producer, deadline: at } => {
            parts.push(u8::from(producer.is_some()));
            if let Some(producer) = producer {
                put_producer_id(parts, *producer);
            }
            deadline(parts, *at);
            FLUSH
        }
        Command::CloseProducer { producer, deadline: at } => {
            put_producer_id(parts, *producer);
            deadline(parts, *at);
            CLOSE_PRODUCER
        }
        Command::Shutdown { deadline: at } => {
            deadline(parts, *at);
            SHUTDOWN
        }
        Command::SetNameServers { name_servers } => {
            put_bytes(parts, name_servers.to_string().as_bytes());
            SET_NAME_SERVERS
        }
        Command::Admin { request, deadline: at } => {
            put_admin(parts, request, *at);
            ADMIN
        }
    }
}

fn put_send(parts: &mut Vec<u8>, send: &Send, bodies: Bodies) {
    let Send { producer, message, target, deadline, mode, reservation, retries } = send;
    put_producer_id(parts, *producer);
    put_number(parts, deadline.as_micros());
    parts.push(match mode {
        SendMode::Acknowledged => 0,
        SendMode::OneWay => 1,
        SendMode::Half => 2,
    });
    put_option(parts, reservation.map(|id| id.0));
    put_option(parts, retries.map(u64::from));
    match target {
        Target::Any => parts.push(0),
        Target::Queue(queue) => {
            parts.push(1);
            put_bytes(parts, queue.topic.as_str().as_bytes());
            put_bytes(parts, queue.broker_name.as_str().as_bytes());
            put_signed(parts, i64::from(queue.queue_id));
        }
        Target::ShardingKey(key) => {
            parts.push(2);
            put_bytes(parts, key.as_bytes());
        }
    }
    put_message(parts, message, bodies);
}

fn put_message(parts: &mut Vec<u8>, message: &Message, bodies: Bodies) {
    put_bytes(parts, message.topic().as_str().as_bytes());
    put_signed(parts, i64::from(message.flag()));
    put_bytes(parts, message.properties().as_wire().as_bytes());
    let body = message.body();
    match bodies {
        Bodies::Keep => put_bytes(parts, body),
        Bodies::LeaveOut => put_number(parts, body.len() as u64),
        Bodies::Hash => {
            put_number(parts, body.len() as u64);
            parts.extend_from_slice(&body_hash(body).to_le_bytes());
        }
    }
}
