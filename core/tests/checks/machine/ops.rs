//! The operations: what applications and clocks do.

use std::time::Duration;

use arbitrary::{Result, Unstructured};
use rocketmq_core::client::{Command, Send};
use rocketmq_core::ground::Instant;
use rocketmq_core::message::Message;
use rocketmq_core::producer::{MessageQueue, ProducerConfig, Resend, SendMode, Target, TraceConfig};

use super::{Kind, Machine, Sent};

pub(super) const TOPICS: [&str; 3] = ["T", "Orders", "%RETRY%x"];
const GROUPS: [&str; 3] = ["g", "h", "i"];

impl Machine {
    pub(super) fn operation(&mut self, choices: &mut Unstructured<'_>) -> Result<()> {
        if self.with_transactions && choices.ratio(1, 4)? {
            return self.transaction(choices);
        }
        match choices.int_in_range(0..=31_u8)? {
            0..=5 => self.send(choices)?,
            6..=8 => self.serve(choices)?,
            9 | 10 => self.connect_done(choices)?,
            11 | 12 => self.write(choices)?,
            13..=15 => self.answer(choices)?,
            16 | 17 => self.read(choices)?,
            18..=20 => self.tick(choices)?,
            21 => self.cut(choices)?,
            22 => self.open(choices)?,
            23 => self.reserve(choices)?,
            24 => self.withdraw(choices)?,
            25 => self.garble(choices)?,
            26 => self.server_asks(choices)?,
            27 => self.now.unix_ms = choices.arbitrary()?,
            28 => self.flush(choices)?,
            29 if choices.ratio(1, 4)? => self.close(choices)?,
            29 => self.administer(choices)?,
            30 => self.other_name_servers(choices)?,
            31 if self.holding => self.release(),
            31 => self.holding = true,
            _ => self.stale(choices)?,
        }
        Ok(())
    }

    pub(super) fn until(&self, choices: &mut Unstructured<'_>) -> Result<Instant> {
        const MILLIS: [u64; 6] = [3_000, 300, 20, 1, 0, 86_400_000];
        Ok(self.now.mono + Duration::from_millis(*choices.choose(&MILLIS)?))
    }

    fn open(&mut self, choices: &mut Unstructured<'_>) -> Result<()> {
        let mut config = ProducerConfig::new(choices.choose(&GROUPS)?.parse().unwrap());
        config.retries = choices.int_in_range(0..=3)?;
        if choices.arbitrary()? {
            config.resend = Resend::OnlyWhenNotStored;
        }
        // One choice for both: what was found before there was trace keeps its meaning.
        let bits: u8 = choices.arbitrary()?;
        config.retry_another_broker_when_not_store_ok = bits & 1 == 1;
        config.trace = (bits & 6 == 6).then(|| TraceConfig {
            flush_interval: Duration::from_millis(100),
            batch_records: usize::from(bits >> 3 & 3) + 1,
            queue_records: usize::from(bits >> 5) + 4,
            ..TraceConfig::default()
        });
        self.command(Kind::Open, self.now.mono, Command::OpenProducer { config: Box::new(config) });
        Ok(())
    }

    fn send(&mut self, choices: &mut Unstructured<'_>) -> Result<()> {
        self.send_one(choices, false)
    }

    pub(super) fn send_half(&mut self, choices: &mut Unstructured<'_>) -> Result<()> {
        self.send_one(choices, true)
    }

    fn send_one(&mut self, choices: &mut Unstructured<'_>, half: bool) -> Result<()> {
        if self.producers.is_empty() {
            return self.open(choices);
        }
        let producer = *choices.choose(&self.producers)?;
        let number = self.sends.len();
        let topic = *choices.choose(&TOPICS)?;
        let body_len = 16 + *choices.choose(&[0_usize, 1, 100, 1_000, 4_000, 70_000])?;
        let one_way = choices.ratio(1, 8)? && !half;
        let target = match choices.int_in_range(0..=7_u8)? {
            0 => Target::ShardingKey(choices.int_in_range(0..=3_u8)?.to_string()),
            1 => Target::Queue(MessageQueue {
                topic: topic.parse().unwrap(),
                broker_name: choices.choose(&["broker-0", "broker-1", "broker-9"])?.parse().unwrap(),
                queue_id: choices.int_in_range(0..=2)?,
            }),
            _ => Target::Any,
        };
        let message = Message::new(topic.parse().unwrap(), body(number, body_len));
        let reservation = match self.reservations.is_empty() {
            false if choices.arbitrary()? => {
                let at = choices.choose_index(self.reservations.len())?;
                Some(self.reservations[at]).filter(|id| !self.pending.contains_key(id))
            }
            _ => None,
        };
        self.reservations.retain(|id| Some(*id) != reservation);
        let retries = if choices.ratio(1, 4)? { Some(choices.int_in_range(0..=2)?) } else { None };
        let deadline = self.until(choices)?;
        let (key, attempts, verdict) = (None, Vec::new(), None);
        self.sends.push(Sent { topic, body_len, one_way, half, key, attempts, verdict });
        let mode = match one_way {
            _ if half => SendMode::Half,
            true => SendMode::OneWay,
            false => SendMode::Acknowledged,
        };
        let send = Send { producer, message, target, deadline, mode, reservation, retries };
        self.command(Kind::Send(number), deadline, Command::Send(send));
        Ok(())
    }

    fn reserve(&mut self, choices: &mut Unstructured<'_>) -> Result<()> {
        if self.producers.is_empty() {
            return Ok(());
        }
        let producer = *choices.choose(&self.producers)?;
        let topic = choices.choose(&TOPICS)?.parse().unwrap();
        let weight = *choices.choose(&[300_usize, 2_000, 5_000, usize::MAX])?;
        let deadline = self.until(choices)?;
        self.reservations.push(self.next_command());
        self.command(Kind::Room, deadline, Command::Reserve { producer, topic, weight, deadline });
        Ok(())
    }

    fn withdraw(&mut self, choices: &mut Unstructured<'_>) -> Result<()> {
        if self.reservations.is_empty() {
            return Ok(());
        }
        let at = choices.choose_index(self.reservations.len())?;
        let id = self.reservations.swap_remove(at);
        // Its answer may be among the actions that are held.
        if self.pending.remove(&id).is_some() && self.holding {
            self.withdrawn.insert(id);
        }
        self.command_without_answer(Command::Withdraw { reservation: id });
        Ok(())
    }

    fn flush(&mut self, choices: &mut Unstructured<'_>) -> Result<()> {
        let producer = if choices.arbitrary()? { self.producers.first().copied() } else { None };
        let deadline = self.until(choices)?;
        self.command(Kind::Flush, deadline, Command::Flush { producer, deadline });
        Ok(())
    }

    fn close(&mut self, choices: &mut Unstructured<'_>) -> Result<()> {
        let deadline = self.until(choices)?;
        if choices.ratio(1, 4)? {
            self.command(Kind::Shutdown, deadline, Command::Shutdown { deadline });
        } else if !self.producers.is_empty() {
            // Closed ones stay in the list: using them must be refused.
            let producer = *choices.choose(&self.producers)?;
            self.command(Kind::Close, deadline, Command::CloseProducer { producer, deadline });
        }
        Ok(())
    }

    fn other_name_servers(&mut self, choices: &mut Unstructured<'_>) -> Result<()> {
        const LISTS: [&str; 3] = ["10.0.0.2:9876", "10.0.0.3:9876;10.0.0.1:9876", "ns.local:9876"];
        let name_servers = choices.choose(&LISTS)?.parse().unwrap();
        self.command_without_answer(Command::SetNameServers { name_servers });
        Ok(())
    }

    fn tick(&mut self, choices: &mut Unstructured<'_>) -> Result<()> {
        const MILLIS: [u64; 7] = [1, 25, 110, 1_000, 10_000, 31_000, 100_000];
        let due = self.client.deadline().map(|at| at.since(self.now.mono));
        let time = match due {
            Some(due) if choices.ratio(1, 2)? => due,
            _ => Duration::from_millis(*choices.choose(&MILLIS)?),
        };
        self.pass(time);
        Ok(())
    }
}

/// The body of message `number`: its number, and then filler.
pub(super) fn body(number: usize, len: usize) -> Vec<u8> {
    let mut body = format!("{number};").into_bytes();
    body.resize(len.max(body.len()), b'x');
    body
}
