//! Questions about queues and stored messages.

use super::Broker;
use crate::cluster::Frame;
use crate::cluster::transport::Answer;

/// Most messages in the answer to a query by unique key, whatever was asked for.
const UNIQUE_KEY_LIMIT: usize = 32;

fn null_pointer(what: &str) -> Answer {
    Answer::exception(format!("java.lang.NullPointerException: {what} is null"))
}

/// Topic and queue id of a request.
fn queue_of(request: &Frame) -> Result<(&str, i32), Answer> {
    let topic = request.ext("topic").ok_or_else(|| null_pointer("topic"))?;
    let queue_id = request.ext("queueId").and_then(|text| text.parse().ok());
    Ok((topic, queue_id.ok_or_else(|| null_pointer("queueId"))?))
}

impl Broker {
    /// SEARCH_OFFSET_BY_TIMESTAMP 29.
    pub(super) fn search_offset(&self, request: &Frame) -> Answer {
        let (topic, queue_id) = match queue_of(request) {
            Ok(queue) => queue,
            Err(answer) => return answer,
        };
        let Some(timestamp) = request.ext("timestamp").and_then(|text| text.parse::<i64>().ok()) else {
            return null_pointer("timestamp");
        };
        let queue = self.log.queue(topic, queue_id);
        let upper = self.dialect().is_v5() && request.ext("boundaryType") == Some("UPPER");
        let stored_before = |index: &usize| {
            let stored = self.log.records().get(*index).map(|record| record.store_timestamp);
            stored.is_some_and(|stored| stored < timestamp || (upper && stored == timestamp))
        };
        let mut offset = queue.partition_point(stored_before);
        if upper {
            // The last message that is not younger.
            offset = offset.saturating_sub(1);
        }
        // After the last message 4.9 names that message, 5.5 the place behind it.
        let last = if self.dialect().is_v5() { queue.len() } else { queue.len().saturating_sub(1) };
        Answer::new(0).ext("offset", offset.min(last).to_string())
    }

    /// GET_MAX_OFFSET 30.
    pub(super) fn max_offset(&self, request: &Frame) -> Answer {
        match queue_of(request) {
            Ok((topic, queue_id)) => {
                Answer::new(0).ext("offset", self.log.max_offset(topic, queue_id).to_string())
            }
            Err(answer) => answer,
        }
    }

    /// GET_MIN_OFFSET 31.
    pub(super) fn min_offset(&self, request: &Frame) -> Answer {
        match queue_of(request) {
            // 5.5 puts an empty remark on this answer.
            Ok(_) if self.dialect().is_v5() => Answer::refused(0, "").ext("offset", "0"),
            Ok(_) => Answer::new(0).ext("offset", "0"),
            // 5.5 catches the exception of this one request.
            Err(_) if self.dialect().is_v5() => Answer::refused(1, "Cannot invoke a method of null"),
            Err(answer) => answer,
        }
    }

    /// GET_EARLIEST_MSG_STORETIME 32.
    pub(super) fn earliest_store_time(&self, request: &Frame) -> Answer {
        match queue_of(request) {
            Ok((topic, queue_id)) => {
                let first = self.log.first(topic, queue_id).map_or(-1, |record| record.store_timestamp);
                Answer::new(0).ext("timestamp", first.to_string())
            }
            Err(answer) => answer,
        }
    }

    /// VIEW_MESSAGE_BY_ID 33.
    pub(super) fn view_message(&self, request: &Frame) -> Answer {
        let Some(offset) = request.ext("offset").and_then(|text| text.parse::<i64>().ok()) else {
            return null_pointer("offset");
        };
        match self.log.at(offset) {
            Some(record) => Answer::with_messages(self.log.encode(record)),
            None => Answer::refused(1, format!("can not find message by the offset, {offset}")),
        }
    }

    /// QUERY_MESSAGE 12.
    pub(super) fn query_message(&mut self, request: &Frame) -> Answer {
        let number = |name: &str| request.ext(name).and_then(|text| text.parse::<i64>().ok());
        // Without one of them there is nothing to be found.
        let (topic, key) = (request.ext("topic").unwrap_or_default(), request.ext("key").unwrap_or_default());
        let (Some(limit), Some(begin), Some(end)) =
            (number("maxNum"), number("beginTimestamp"), number("endTimestamp"))
        else {
            return null_pointer("maxNum");
        };
        let by_unique_key =
            request.ext("_UNIQUE_KEY_QUERY").is_some_and(|text| text.eq_ignore_ascii_case("true"));
        let limit = if by_unique_key { UNIQUE_KEY_LIMIT } else { usize::try_from(limit).unwrap_or(0) };
        let last =
            self.log.records().last().map_or((0, 0), |last| (last.store_timestamp, last.commit_offset));
        let mut found = self.log.with_key(topic, key);
        found.retain(|record| (begin..=end).contains(&record.store_timestamp));
        // The newest ones are taken, and given oldest first.
        let places: Vec<i64> =
            found.iter().rev().take(limit).rev().map(|record| record.commit_offset).collect();
        let body: Vec<u8> = places
            .iter()
            .filter_map(|place| self.log.at(*place))
            .flat_map(|record| self.log.encode(record))
            .collect();
        let (updated, place) = if body.is_empty() { (0, 0) } else { last };
        let answer = if body.is_empty() {
            Answer::refused(22, "can not find message, maybe time range not correct")
        } else {
            Answer::with_messages(body)
        };
        answer
            .ext("indexLastUpdatePhyoffset", place.to_string())
            .ext("indexLastUpdateTimestamp", updated.to_string())
    }
}
