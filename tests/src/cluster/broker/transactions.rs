//! The end of half messages.

use super::Broker;
use super::log::NewMessage;
use crate::cluster::properties::{get_property, parse_properties, remove_property, write_properties};
use crate::cluster::topic::{HALF_TOPIC, OP_TOPIC, TopicConfig};
use crate::cluster::transport::Answer;
use crate::cluster::{Frame, Text};

/// System flag: the two bits that say where a transaction stands.
const TRANSACTION_BITS: i32 = 0x0C;

/// The decisions of END_TRANSACTION, which are values of those bits.
const OPEN: i32 = 0;
const COMMIT: i32 = 8;
const ROLL_BACK: i32 = 12;

/// What a real broker forgets to replace when it has rolled back.
const NO_REMARK_SET: &str = "not set any response code";

/// Whether the producer had a time in which to end the message unasked, and that is over.
fn is_too_late(now_ms: u64, message: &NewMessage, pairs: &[(Text, Text)]) -> bool {
    let immune =
        get_property(pairs, "CHECK_IMMUNITY_TIME_IN_SECONDS").and_then(|text| text.parse::<i64>().ok());
    let age = i64::try_from(now_ms).unwrap_or(i64::MAX).saturating_sub(message.born_timestamp);
    immune.is_some_and(|seconds| seconds > 0 && age > seconds.saturating_mul(1_000))
}

impl Broker {
    /// END_TRANSACTION 37; no answer at all to a decision that is still open.
    pub(super) fn end_transaction(&mut self, now_ms: u64, request: &Frame) -> Option<Answer> {
        let number = |name: &str| request.ext(name).and_then(|text| text.parse::<i64>().ok());
        let null = || Some(Answer::exception("java.lang.NullPointerException: a field is null"));
        let Some(decision) = number("commitOrRollback").and_then(|decision| i32::try_from(decision).ok())
        else {
            return null();
        };
        if !matches!(decision, OPEN | COMMIT | ROLL_BACK) {
            let class = "org.apache.rocketmq.remoting.exception.RemotingCommandException";
            return Some(Answer::exception(format!("{class}: commitOrRollback field wrong")));
        }
        if self.settings.slave {
            return Some(Answer::refused(11, "Slave mode, not supported yet"));
        }
        if decision == OPEN {
            return None;
        }
        if let Some(code) = self.settings.refuse_ends {
            return Some(Answer::refused(code, "ends are refused here"));
        }
        let Some(place) = number("commitLogOffset") else {
            return null();
        };
        let Some(record) = self.log.at(place) else {
            return Some(Answer::refused(1, "Find prepared transaction message failed"));
        };
        let (mut message, queue_offset) = (record.message.clone(), record.queue_offset);
        let mut pairs = parse_properties(&message.properties);
        let Some(group) = get_property(&pairs, "PGROUP") else {
            return null();
        };
        if Some(group) != request.ext("producerGroup") {
            return Some(Answer::refused(1, "The producer group wrong"));
        }
        if Some(queue_offset) != number("tranStateTableOffset") {
            return Some(Answer::refused(1, "The transaction state table offset wrong"));
        }
        let asked = request.ext("fromTransactionCheck") == Some("true");
        if self.dialect().is_v5() && !asked && is_too_late(now_ms, &message, &pairs) {
            return Some(Answer::refused(
                604,
                "Message commit fail [producer end] currentTimeMillis exceeds the immunity time",
            ));
        }
        if self.topics.get(OP_TOPIC).is_none() && message.topic == HALF_TOPIC {
            self.create_topic(TopicConfig::new(OP_TOPIC, 1));
        }
        // Another copy that a check made stays open.
        self.halves.end(place);
        if decision == ROLL_BACK {
            return Some(Answer::refused(0, NO_REMARK_SET));
        }
        if let Some(topic) = get_property(&pairs, "REAL_TOPIC") {
            topic.clone_into(&mut message.topic);
        }
        message.queue_id =
            get_property(&pairs, "REAL_QID").and_then(|text| text.parse().ok()).unwrap_or(message.queue_id);
        if self.dialect().is_v5() {
            remove_property(&mut pairs, "REAL_TOPIC");
            remove_property(&mut pairs, "REAL_QID");
        }
        message.properties = write_properties(&pairs, self.dialect().is_v5());
        message.system_flag = (message.system_flag & !TRANSACTION_BITS) | COMMIT;
        self.log.append(now_ms, message);
        Some(Answer::new(0))
    }
}
