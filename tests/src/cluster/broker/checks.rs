//! Checks of transactions: what a broker asks the group of a half message that nobody has ended.

use std::collections::BTreeSet;

use super::Broker;
use super::log::Place;
use crate::cluster::properties::{get_property, parse_properties, set_property, write_properties};
use crate::cluster::topic::{CHECK_MAX_TIME_TOPIC, HALF_TOPIC, TopicConfig};

/// CHECK_TRANSACTION_STATE, one-way from the broker to one member of a group.
const CHECK_TRANSACTION_STATE: i32 = 39;
/// How often a broker asks about one half message (`transactionCheckMax`).
const MOST_CHECKS: u32 = 15;

/// Half messages that nobody has ended, by their places in the commit log.
#[derive(Debug)]
pub(super) struct OpenHalves {
    places: BTreeSet<i64>,
    next_round: u64,
    turn: usize,
}

impl OpenHalves {
    pub(super) fn new(now_ms: u64, interval_ms: u64) -> OpenHalves {
        OpenHalves { places: BTreeSet::new(), next_round: now_ms.saturating_add(interval_ms), turn: 0 }
    }

    pub(super) fn open(&mut self, place: Place) {
        self.places.insert(place.commit_offset);
    }

    /// Marks a half message as ended; false when it was none, or was ended before.
    pub(super) fn end(&mut self, commit_offset: i64) -> bool {
        self.places.remove(&commit_offset)
    }

    pub(super) fn next_round(&self) -> Option<u64> {
        (!self.places.is_empty()).then_some(self.next_round)
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    pub(super) fn contains(&self, commit_offset: i64) -> bool {
        self.places.contains(&commit_offset)
    }
}

impl Broker {
    /// Asks about every half message that is old enough, when it is time.
    pub(super) fn check_transactions(&mut self, now_ms: u64) {
        if now_ms < self.halves.next_round {
            return;
        }
        let interval = self.settings.transaction_check_interval_ms.max(1);
        let periods = (now_ms - self.halves.next_round) / interval + 1;
        self.halves.next_round = self.halves.next_round.saturating_add(periods.saturating_mul(interval));
        let places: Vec<i64> = self.halves.places.iter().copied().collect();
        for place in places {
            self.check_transaction(now_ms, place);
        }
    }

    fn check_transaction(&mut self, now_ms: u64, place: i64) {
        let Some(record) = self.log.at(place) else {
            self.halves.end(place);
            return;
        };
        let mut message = record.message.clone();
        let mut pairs = parse_properties(&message.properties);
        let number = |name: &str| get_property(&pairs, name).and_then(|text| text.parse::<i64>().ok());
        let usual = i64::try_from(self.settings.transaction_timeout_ms).unwrap_or(i64::MAX);
        let immune = number("CHECK_IMMUNITY_TIME_IN_SECONDS").filter(|seconds| *seconds > 0);
        let left_alone = immune.map_or(usual, |seconds| seconds.saturating_mul(1_000));
        let age = i64::try_from(now_ms).unwrap_or(i64::MAX).saturating_sub(message.born_timestamp);
        if age < left_alone {
            return;
        }
        let times =
            number("TRANSACTION_CHECK_TIMES").and_then(|times| u32::try_from(times).ok()).unwrap_or(0);
        self.halves.end(place);
        if times >= MOST_CHECKS {
            if self.topics.get(CHECK_MAX_TIME_TOPIC).is_none() {
                self.create_topic(TopicConfig::new(CHECK_MAX_TIME_TOPIC, 1));
            }
            CHECK_MAX_TIME_TOPIC.clone_into(&mut message.topic);
            self.log.append(now_ms, message);
            return;
        }
        // Each check makes a new copy, and asks about that one.
        set_property(&mut pairs, "TRANSACTION_CHECK_TIMES", &(times + 1).to_string());
        message.properties = write_properties(&pairs, self.dialect().is_v5());
        let copy = self.log.append(now_ms, message);
        self.halves.open(copy);
        self.ask_about(now_ms, copy);
    }

    /// Asks one connection of the message's group.
    fn ask_about(&mut self, now_ms: u64, place: Place) {
        let Some(record) = self.log.at(place.commit_offset) else {
            return;
        };
        let pairs = parse_properties(&record.message.properties);
        let text = |name: &str| get_property(&pairs, name).unwrap_or_default().to_owned();
        let (group, key) = (text("PGROUP"), text("UNIQ_KEY"));
        let (topic, queue_id) = (text("REAL_TOPIC"), text("REAL_QID").parse().unwrap_or(0));
        let members = self.clients.producer_connections_of(&group);
        let Some(conn) = members.get(self.halves.turn % members.len().max(1)).copied() else {
            return;
        };
        self.halves.turn = self.halves.turn.wrapping_add(1);
        let body = self.log.encode_as(record, &topic, queue_id);
        let id = self.log.offset_message_id(place.commit_offset);
        let (table, log) = (place.queue_offset.to_string(), place.commit_offset.to_string());
        let mut fields = vec![
            ("tranStateTableOffset", table.as_str()),
            ("commitLogOffset", log.as_str()),
            ("msgId", key.as_str()),
            ("transactionId", key.as_str()),
            ("offsetMsgId", id.as_str()),
        ];
        if self.dialect().is_v5() {
            fields.push(("topic", HALF_TOPIC));
            fields.push(("bname", &self.config.name));
        }
        self.transport.ask_one_way(now_ms, conn, CHECK_TRANSACTION_STATE, &fields, body);
    }

    /// From now on the broker asks about half messages this often, in milliseconds (`transactionCheckInterval`).
    pub fn ask_about_halves_every(&mut self, interval_ms: u64) {
        let before = self.settings.transaction_check_interval_ms;
        self.settings.transaction_check_interval_ms = interval_ms;
        self.halves.next_round = self.halves.next_round.saturating_sub(before).saturating_add(interval_ms);
    }

    /// Whether the half message at this place of the commit log waits for its end.
    pub fn is_open_half(&self, commit_offset: i64) -> bool {
        self.halves.contains(commit_offset)
    }

    /// How many half messages wait for their end.
    pub fn open_half_messages(&self) -> usize {
        self.halves.len()
    }
}
