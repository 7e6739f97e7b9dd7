//! I25: records of message trace. What brokers have stored of them is compared, in the end, with what was traced, with what
//! callers were told, and with what clients have counted.

use std::collections::{BTreeMap, BTreeSet};

use rocketmq_core::client::ProducerId;
use rocketmq_core::producer::{ProducerConfig, SendReceipt, SendStatus};

use super::ledger::property;
use super::{Invariant, PipeId, Verdict, World};
use crate::cluster::Frame;

/// The group under which clients send what is their own.
const INNER_GROUP: &str = "CLIENT_INNER_PRODUCER";
/// Trace messages of one producer that may be under way.
const MOST_MESSAGES: usize = 4;

/// What is traced, and what was found.
#[derive(Debug, Default)]
pub(super) struct TraceBook {
    producers: BTreeMap<(usize, ProducerId), TracedProducer>,
    /// Traced sends that want an answer, with their groups.
    sends: BTreeMap<usize, String>,
    /// Brokers that want no records.
    switched_off: BTreeSet<String>,
    topics: BTreeSet<String>,
    /// Whose trace message has this id.
    senders: BTreeMap<String, usize>,
    /// Trace messages in the logs: the broker, and the number there.
    copies: Vec<(usize, usize)>,
}

#[derive(Debug)]
struct TracedProducer {
    group: String,
    /// Most records that it may hold.
    most_records: usize,
}

/// A record that a broker has.
#[derive(Debug)]
struct StoredRecord {
    client: usize,
    fields: Vec<String>,
}

impl StoredRecord {
    fn field(&self, at: usize) -> &str {
        self.fields.get(at).map_or("", String::as_str)
    }

    fn id(&self) -> &str {
        self.field(5)
    }
}

impl TraceBook {
    pub(super) fn note_producer(&mut self, client: usize, id: ProducerId, config: &ProducerConfig) {
        if let Some(trace) = &config.trace {
            let most_records = trace.queue_records + MOST_MESSAGES * trace.batch_records;
            let producer = TracedProducer { group: config.group.to_string(), most_records };
            self.producers.insert((client, id), producer);
            self.topics.insert(trace.topic.to_string());
        }
    }

    pub(super) fn note_send(&mut self, client: usize, id: ProducerId, send: usize) {
        if let Some(producer) = self.producers.get(&(client, id)) {
            self.sends.insert(send, producer.group.clone());
        }
    }

    pub(super) fn note_copy(&mut self, broker: usize, number: usize) {
        self.copies.push((broker, number));
    }

    /// Whether messages of this topic are trace messages.
    pub(super) fn is_trace_topic(topic: &str) -> bool {
        topic.starts_with("RMQ_SYS_TRACE_TOPIC")
    }

    /// Requests that trace may have under way, and records that it may hold.
    pub(super) fn most_of(&self, client: usize) -> (usize, usize) {
        let of_client = self.producers.iter().filter(|((owner, _), _)| *owner == client);
        of_client.fold((0, 0), |(requests, records), (_, producer)| {
            (requests + MOST_MESSAGES, records + producer.most_records)
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.producers.is_empty()
    }
}

/// Whether a request carries a message of the client itself.
pub(super) fn is_trace_frame(frame: &Frame) -> bool {
    frame.code == 310 && frame.ext("a") == Some(INNER_GROUP)
}

impl World {
    /// A broker wants no records of trace from now on.
    pub fn switch_trace_off(&mut self, broker: usize) {
        self.change_cluster(|cluster, _| {
            if let Some(broker) = cluster.broker_mut(broker) {
                broker.settings_mut().trace_on = false;
            }
        });
        if let Some(broker) = self.cluster.brokers().get(broker) {
            self.traces.switched_off.insert(broker.name().to_owned());
        }
    }

    /// A trace message was handed over.
    pub(super) fn note_trace_frame(&mut self, id: PipeId, frame: &Frame) {
        let Some(client) = self.pipes.get(&id).map(|pipe| pipe.client) else {
            return;
        };
        self.checked(Invariant::TraceRecords);
        let unique = property(frame.ext("i").unwrap_or_default(), "UNIQ_KEY").unwrap_or_default();
        if self.ledger.owner_of(unique).is_some() {
            let text = format!("client {client}: {unique} is the id of a trace message and of a user's");
            self.fail(Invariant::UniqueIds, text);
        }
        self.traces.senders.insert(unique.to_owned(), client);
        let topic = frame.ext("b").unwrap_or_default();
        if !TraceBook::is_trace_topic(topic) || frame.is_one_way() {
            let text = format!("client {client} sends a message of its own to {topic}");
            self.fail(Invariant::TraceRecords, text);
        }
    }

    /// I25: at most one record for each traced send that has its verdict, none for anything else, and none that is lost
    /// without being counted.
    pub(super) fn check_traces(&mut self) {
        if self.traces.is_empty() && self.traces.copies.is_empty() {
            return;
        }
        let told = self.told_ids();
        let mut of_client: BTreeMap<usize, u64> = BTreeMap::new();
        let mut of_send: BTreeMap<String, usize> = BTreeMap::new();
        for record in self.stored_records() {
            self.checked(Invariant::TraceRecords);
            let sends = told.get(record.id()).map_or(&[][..], Vec::as_slice);
            let traced = sends.iter().filter(|send| self.traces.sends.contains_key(*send));
            let traced: Vec<usize> = traced.copied().collect();
            let count = of_send.entry(record.id().to_owned()).or_default();
            *count += usize::from(record.field(0) == "Pub");
            let twice = *count > traced.len();
            let Some(send) = traced.first().copied() else {
                let text = format!("a record of what nobody traces, or of what has no verdict: {record:?}");
                return self.fail(Invariant::TraceRecords, text);
            };
            let why = if twice { Some("comes twice") } else { self.is_wrong(&record, &traced) };
            if let Some(why) = why {
                let verdict = &self.sends[send].verdict;
                let text = format!("a record that {why}: {record:?}, where the verdict was {verdict:?}");
                return self.fail(Invariant::TraceRecords, text);
            }
            *of_client.entry(record.client).or_default() += 1;
        }
        for client in 0..self.clients.len() {
            self.check_trace_counts(client, of_client.get(&client).copied().unwrap_or(0));
        }
    }

    /// The ids of messages whose sends have verdicts.
    fn told_ids(&self) -> BTreeMap<String, Vec<usize>> {
        let mut told: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (number, send) in self.sends.iter().enumerate() {
            let id = match &send.verdict {
                Some(Verdict::Stored(receipt)) => Some(receipt.message_id),
                Some(Verdict::Failed(error)) => error.message().and_then(|message| message.unique_key()),
                _ => None,
            };
            if let Some(id) = id {
                told.entry(id.to_string()).or_default().push(number);
            }
        }
        told
    }

    /// The records in the logs; copies of one trace message count once.
    fn stored_records(&self) -> Vec<StoredRecord> {
        let mut seen = BTreeSet::new();
        let mut records = Vec::new();
        for (broker, number) in &self.traces.copies {
            let Some(stored) = self.cluster.brokers()[*broker].stored_at(*number) else { continue };
            let unique = stored.unique_key.unwrap_or_default();
            let Some(client) = self.traces.senders.get(&unique).copied().filter(|_| seen.insert(unique))
            else {
                continue;
            };
            let text = String::from_utf8_lossy(&stored.body).into_owned();
            let of_message = text.split_terminator('\u{2}').map(|record| StoredRecord {
                client,
                fields: record.split('\u{1}').map(str::to_owned).collect(),
            });
            records.extend(of_message);
        }
        records
    }

    fn is_wrong(&self, record: &StoredRecord, sends: &[usize]) -> Option<&'static str> {
        let fields = match record.field(0) {
            "Pub" => 14,
            "EndTransaction" => 13,
            _ => return Some("is of no known kind"),
        };
        if record.fields.len() != fields || record.field(2) != "DefaultRegion" {
            return Some("nobody can read");
        }
        let group = |send: &usize| self.traces.sends.get(send).is_some_and(|group| group == record.field(3));
        if !sends.iter().any(group) {
            return Some("names another group");
        }
        let verdicts = sends.iter().filter_map(|send| self.sends[*send].verdict.as_ref());
        let fits = |verdict: &Verdict| {
            let receipt = verdict.receipt();
            let topic = match verdict {
                Verdict::Failed(error) => error.topic(),
                _ => return receipt.is_some_and(|receipt| self.fits_receipt(record, receipt)),
            };
            // The broker of a failed send may have said otherwise before.
            topic.as_str() == record.field(4) && (record.field(0) != "Pub" || record.field(13) == "false")
        };
        let is_it = |verdict: &Verdict| fits(verdict) || record.field(0) == "EndTransaction";
        (!verdicts.into_iter().any(is_it)).then_some("says something else than the verdict")
    }

    fn fits_receipt(&self, record: &StoredRecord, receipt: &SendReceipt) -> bool {
        let success = if receipt.status == SendStatus::SendOk { "true" } else { "false" };
        receipt.queue.topic.as_str() == record.field(4)
            && record.field(12) == receipt.offset_message_id.as_str()
            && record.field(13) == success
            && !self.traces.switched_off.contains(receipt.queue.broker_name.as_str())
    }

    /// What a client has counted, against its verdicts and the records that brokers have of it.
    fn check_trace_counts(&mut self, client: usize, stored: u64) {
        self.checked(Invariant::TraceRecords);
        let core = &self.clients[client].core;
        let (counters, waiting) = (core.counters(), core.memory().trace_records as u64);
        let (made, sent, dropped) =
            (counters.trace_records, counters.trace_records_sent, counters.trace_records_dropped);
        let (mut least, mut most) = (0, self.ends.begun_by(client));
        for send in self.traces.sends.keys().filter(|send| self.sends[**send].client == client) {
            match &self.sends[*send].verdict {
                Some(Verdict::Stored(receipt)) => {
                    let off = self.traces.switched_off.contains(receipt.queue.broker_name.as_str());
                    least += u64::from(!off);
                    most += u64::from(!off);
                }
                Some(Verdict::Failed(_)) => most += 1,
                _ => {}
            }
        }
        let text = if made != sent + dropped + waiting {
            format!("{made} records made, {sent} sent, {dropped} dropped and {waiting} waiting")
        } else if made < least || made > most {
            format!("{made} records made, where verdicts and ends were {least} to {most}")
        } else if stored < sent || stored > made {
            format!("brokers have {stored} records, {sent} are said to be sent and {made} to be made")
        } else {
            return;
        };
        self.fail(Invariant::TraceRecords, format!("client {client}: {text}"));
    }
}
