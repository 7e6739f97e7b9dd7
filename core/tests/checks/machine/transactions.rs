//! The operations of transactions: half messages, their ends, and what brokers ask. In inputs whose first byte says so.

use std::collections::BTreeMap;

use arbitrary::{Result, Unstructured};
use rocketmq_core::client::{
    Command, EndTransactionError, EndVerdict, HalfMessage, TransactionCheck, TransactionEnd,
};
use rocketmq_core::command::LanguageCode;
use rocketmq_core::wire::SerializeType;

use super::super::command::{Command as Written, Field};
use super::peer::{Request, State};
use super::servers::stored_message;
use super::{Kind, Machine};

/// What was done about one half message, by its unique key.
#[derive(Debug, Default)]
struct Done {
    /// Requests that end it and were not asked for, and those that were, by their place in the commit log.
    unasked: u32,
    asked: BTreeMap<String, u32>,
    /// Requests that the broker was too busy to look at.
    busy: u32,
    /// Checks that went down, by their place.
    checks: BTreeMap<String, u32>,
}

/// Half messages, and what is known of them.
#[derive(Debug, Default)]
pub(super) struct Transactions {
    pub(super) halves: Vec<HalfMessage>,
    pub(super) put: Vec<TransactionCheck>,
    done: BTreeMap<String, Done>,
    places: i64,
}

impl Machine {
    pub(super) fn transaction(&mut self, choices: &mut Unstructured<'_>) -> Result<()> {
        match choices.int_in_range(0..=7_u8)? {
            0 | 1 => self.send_half(choices),
            2 | 3 => self.end(choices),
            4 | 5 => self.check(choices),
            6 => self.answer_check(choices),
            _ => self.drop_check(choices),
        }
    }

    fn end(&mut self, choices: &mut Unstructured<'_>) -> Result<()> {
        if self.transactions.halves.is_empty() || self.producers.is_empty() {
            return Ok(());
        }
        let producer = *choices.choose(&self.producers)?;
        let half = choices.choose(&self.transactions.halves)?.clone();
        let (end, deadline) = (some_end(choices)?, self.until(choices)?);
        let command = Command::EndTransaction { producer, half, end, deadline };
        self.command(Kind::End, deadline, command);
        Ok(())
    }

    fn answer_check(&mut self, choices: &mut Unstructured<'_>) -> Result<()> {
        if self.transactions.put.is_empty() {
            return Ok(());
        }
        // It may be answered twice, or when it is long over.
        let check = choices.choose(&self.transactions.put)?.clone();
        let half = check.half();
        let (end, deadline) = (some_end(choices)?, self.until(choices)?);
        let command = Command::AnswerCheck { check: check.id, half, end, deadline };
        self.command(Kind::End, deadline, command);
        Ok(())
    }

    fn drop_check(&mut self, choices: &mut Unstructured<'_>) -> Result<()> {
        if !self.transactions.put.is_empty() {
            let check = choices.choose(&self.transactions.put)?.id;
            self.command_without_answer(Command::DropCheck { check });
        }
        Ok(())
    }

    /// A broker asks about a half message, truly or not.
    fn check(&mut self, choices: &mut Unstructured<'_>) -> Result<()> {
        let Some(conn) = self.some_peer(choices, &[State::Open])? else {
            return Ok(());
        };
        let keys: Vec<String> = self.keys.keys().cloned().collect();
        let key =
            if keys.is_empty() { "0A0000021267ABCD".to_owned() } else { choices.choose(&keys)?.clone() };
        self.transactions.places += 1;
        let place = self.transactions.places;
        let group = *choices.choose(&["g", "h", "nobody", ""])?;
        let mut body = stored_half(group, &key, place);
        match choices.int_in_range(0..=11_u8)? {
            0 => body.truncate(choices.choose_index(body.len())?),
            1 => {
                let at = choices.choose_index(body.len())?;
                body[at] = choices.arbitrary()?;
            }
            _ => {}
        }
        let text = |text: &str| Field::Text(text.into());
        let mut fields = vec![
            ("tranStateTableOffset", Field::Int(place)),
            ("commitLogOffset", Field::Int(place * 100)),
            ("msgId", text(&key)),
        ];
        if choices.ratio(2, 3)? {
            fields.push(("bname", text(choices.choose(&["broker-0", "broker-1", "a broker"])?)));
        }
        let request = Written {
            code: 39,
            flag: if choices.ratio(7, 8)? { 2 } else { 0 },
            opaque: choices.arbitrary()?,
            version: 479,
            language: LanguageCode::Java,
            remark: None,
            fields,
            body,
        };
        let done = self.transactions.done.entry(key).or_default();
        *done.checks.entry((place * 100).to_string()).or_default() += 1;
        let peer = self.peers.get_mut(&conn).unwrap();
        peer.say(&request.expected(SerializeType::Json), None);
        Ok(())
    }

    /// The client puts a check to its application.
    pub(super) fn check_put(&mut self, check: TransactionCheck) {
        assert!(self.producers.contains(&check.producer), "a check for {:?}", check.producer);
        assert_eq!(check.message.message.property("PGROUP"), Some(check.group.as_str()));
        self.transactions.put.push(check);
    }

    /// The end of a transaction came in whole.
    pub(super) fn end_came_in(&mut self, request: &Request) {
        let ext = |name: &str| request.ext.get(name).map_or("", String::as_str);
        assert!(matches!(ext("commitOrRollback"), "8" | "12"), "{request:?}");
        let done = self.transactions.done.entry(ext("msgId").to_owned()).or_default();
        if ext("fromTransactionCheck") == "true" {
            let place = ext("commitLogOffset").to_owned();
            // A damaged check may name another place, but never one that nobody asked about.
            *done.asked.entry(place).or_default() += 1;
        } else {
            done.unasked += 1;
        }
        let asked: u32 = done.asked.values().sum();
        let checks: u32 = done.checks.values().sum();
        assert!(asked <= checks + done.busy, "{done:?}");
        let half = self.transactions.halves.iter().any(|half| half.unique_key.as_str() == ext("msgId"));
        assert!(done.unasked == 0 || half, "an end of what is no half message: {request:?}");
    }

    /// The answer to the end of a transaction went down.
    pub(super) fn end_was_answered(&mut self, request: &Request, code: i16) {
        let key = request.ext.get("msgId").cloned().unwrap_or_default();
        let busy = u32::from(matches!(code, 2 | 1_500));
        self.transactions.done.entry(key).or_default().busy += busy;
    }

    /// An end of an unknown fate was handed out at least once.
    pub(super) fn ended(&mut self, result: &core::result::Result<(), EndTransactionError>) {
        let done = |key: &str| {
            self.transactions.done.get(key).map_or(0, |done| done.unasked + done.asked.len() as u32)
        };
        match result {
            Ok(()) => {}
            Err(error) if error.verdict() == EndVerdict::Refused => {
                assert!(done(error.unique_key().as_str()) > 0, "refused, and nobody was asked: {error}");
            }
            Err(_) => {}
        }
    }

    pub(super) fn check_transaction_memory(&self) {
        let (memory, limits) = (self.client.memory(), &self.config.limits);
        assert!(memory.transaction_checks <= limits.transaction_checks, "{memory:?}");
        assert!(memory.ended_transactions <= limits.ended_transactions + memory.requests, "{memory:?}");
    }
}

fn some_end(choices: &mut Unstructured<'_>) -> Result<TransactionEnd> {
    Ok(if choices.arbitrary()? { TransactionEnd::Commit } else { TransactionEnd::Rollback })
}

/// A half message as its broker stores it.
fn stored_half(group: &str, key: &str, place: i64) -> Vec<u8> {
    let properties = format!("UNIQ_KEY\u{1}{key}\u{2}TRAN_MSG\u{1}true\u{2}PGROUP\u{1}{group}\u{2}");
    stored_message(place, place * 100, &properties)
}
