//! What is answered to what: all brokers and the name server at once.

use crate::answer::{self, MessageIds, Plain, SUCCESS, SYSTEM_BUSY, Stored, TOPIC_NOT_EXIST};
use crate::options::{AnswerForm, Options, Topics};
use crate::request::{Request, code, id_at_start};
use crate::request_json::Scanner;
use crate::route::Routes;
use crate::store_log::StoreLog;
use crate::{batch_body, request::Form};
use std::io;

/// 127.0.0.1 in the ids that brokers give to messages.
const HOST_HEX: &[u8] = b"7F000001";
const BUSY_REMARK: &str = "[TIMEOUT_CLEAN_QUEUE]broker busy, start flow control for a while, \
    period in queue: 205ms, size of queue: 876";

/// Answers requests, and keeps the numbers that the answers tell.
pub(crate) struct Brokers {
    scanner: Scanner,
    answers: AnswerForm,
    topics: Topics,
    routes: Routes,
    brokers: Vec<Broker>,
    error_rate: f64,
    rng: fastrand::Rng,
    store_log: Option<StoreLog>,
    messages: u64,
}

/// The numbers of one broker.
struct Broker {
    /// Address and port in hexadecimal.
    address: [u8; 16],
    log_offset: u64,
    queue_offsets: Vec<u64>,
}

impl Brokers {
    /// With one broker on each of `ports`.
    pub(crate) fn new(options: &Options, ports: &[u16]) -> io::Result<Self> {
        Ok(Self {
            scanner: Scanner::new(),
            answers: options.answers,
            topics: options.topics.clone(),
            routes: Routes::new(ports, options.queues),
            brokers: ports.iter().map(|port| Broker::new(*port, options.queues)).collect(),
            error_rate: options.error_rate,
            rng: fastrand::Rng::with_seed(options.seed),
            store_log: options.store_ids.as_deref().map(StoreLog::create).transpose()?,
            messages: 0,
        })
    }

    /// Reads a whole frame.
    pub(crate) fn read<'a>(&self, frame: &'a [u8]) -> Option<Request<'a>> {
        Request::read(&self.scanner, frame)
    }

    /// Does what `request`, which came to the broker with the number `broker`, asks for and adds the answer,
    /// if it is to have one, to `out`.
    pub(crate) fn answer(&mut self, broker: usize, request: &Request<'_>, out: &mut Vec<u8>) {
        let form = answer::form(self.answers, request);
        if request.is_send() {
            self.send(broker, request, form, out);
        } else if !request.one_way {
            self.other(request, form, out);
        }
    }

    fn send(&mut self, broker: usize, request: &Request<'_>, form: Form, out: &mut Vec<u8>) {
        let is_batch = request.code == code::SEND_BATCH_MESSAGE;
        let count = if is_batch { batch_body::properties(request.body).count().max(1) as u64 } else { 1 };
        self.messages += count;
        // Not drawn without need: a rate of 0 costs nothing.
        if self.error_rate > 0.0 && self.rng.f64() < self.error_rate {
            if !request.one_way {
                let busy = Plain { code: SYSTEM_BUSY, remark: Some(BUSY_REMARK), ..Plain::SUCCESS };
                answer::plain(form, out, request.opaque, &busy);
            }
            return;
        }
        let unique_id = request.unique_id(&self.scanner);
        if let Some(log) = &mut self.store_log {
            if is_batch {
                for properties in batch_body::properties(request.body) {
                    let id = self.scanner.after_raw_unique_key(properties).map(id_at_start);
                    log.add(id.unwrap_or_default());
                }
            } else {
                log.add(unique_id);
            }
        }
        let queue_id = request.queue_id(&self.scanner);
        let stored = self.brokers[broker].store(queue_id, unique_id, count, request.frame_bytes);
        if !request.one_way {
            answer::stored(form, out, request.opaque, &stored);
        }
    }

    fn other(&self, request: &Request<'_>, form: Form, out: &mut Vec<u8>) {
        let remark;
        let answer = match request.code {
            code::GET_ROUTEINFO_BY_TOPIC => {
                let topic = request.topic(&self.scanner).unwrap_or_default();
                if self.topics.contain(topic) {
                    Plain { body: self.routes.of(topic), ..Plain::SUCCESS }
                } else {
                    remark = no_route(topic);
                    Plain { code: TOPIC_NOT_EXIST, remark: Some(&remark), ..Plain::SUCCESS }
                }
            }
            code::HEART_BEAT => Plain {
                ext: Some(&[("IS_SUPPORT_HEART_BEAT_V2", "true"), ("IS_SUB_CHANGE", "true")]),
                ..Plain::SUCCESS
            },
            code::UNREGISTER_CLIENT => Plain { ext: Some(&[]), ..Plain::SUCCESS },
            _ => Plain { code: SUCCESS, ..Plain::SUCCESS },
        };
        answer::plain(form, out, request.opaque, &answer);
    }

    /// Messages received since the call before.
    pub(crate) fn take_messages(&mut self) -> u64 {
        std::mem::take(&mut self.messages)
    }

    /// Puts all ids of stored messages into their file.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.store_log.as_mut().map_or(Ok(()), StoreLog::flush)
    }
}

impl Broker {
    fn new(port: u16, queues: u16) -> Self {
        let mut address = [0; 16];
        address[..8].copy_from_slice(HOST_HEX);
        address[8..].copy_from_slice(&answer::hex16(u64::from(port))[8..]);
        Self { address, log_offset: 0, queue_offsets: vec![0; usize::from(queues)] }
    }

    /// Takes `count` messages that came in a frame of `frame_bytes`, which is about what they would need in
    /// the log. A queue that the topic does not have is taken for the first.
    fn store<'a>(
        &'a mut self,
        queue_id: u16,
        unique_id: &'a [u8],
        count: u64,
        frame_bytes: usize,
    ) -> Stored<'a> {
        let queue_id = if usize::from(queue_id) < self.queue_offsets.len() { queue_id } else { 0 };
        let next_offset = &mut self.queue_offsets[usize::from(queue_id)];
        let queue_offset = *next_offset;
        *next_offset += count;
        let log_offset = self.log_offset;
        self.log_offset += frame_bytes as u64;
        let step = frame_bytes as u64 / count;
        let message_ids = MessageIds { broker: &self.address, log_offset, step, count };
        Stored { queue_id, queue_offset, unique_id, message_ids }
    }
}

fn no_route(topic: &[u8]) -> String {
    format!(
        "No topic route info in name server for the topic: {}\n\
        See https://rocketmq.apache.org/docs/bestPractice/06FAQ for further details.",
        String::from_utf8_lossy(topic)
    )
}

#[cfg(test)]
#[path = "broker_tests.rs"]
mod tests;
