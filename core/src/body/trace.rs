//! The body of a trace message: records back to back, as consoles read them.
//!
//! Fields of a record are separated by U+0001, and U+0002 ends it. A value that is missing is the word `null`. There is no
//! escape, so a separator inside a text, which only a server could have put there, becomes a blank.

use crate::wire::WrittenNumber;
use crate::wire::text::any_below;
use alloc::string::String;
use core::ops::Range;

/// Between two fields.
const CONTENT_SPLITOR: char = '\u{1}';
/// Behind a record.
const FIELD_SPLITOR: char = '\u{2}';
/// What stands for a value that is missing.
const NULL: &str = "null";
/// Room for the numbers, marks and separators of a record.
const NUMBERS_ROOM: usize = 96;

/// What kind of message a record tells of (Java: `MessageType`, written as its ordinal).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[doc(alias = "MessageType")]
pub enum TraceMessageType {
    /// Any other message.
    #[doc(alias = "Normal_Msg")]
    Normal,
    /// A half message.
    #[doc(alias = "Trans_Msg_Half")]
    Half,
    /// What became of a half message.
    #[doc(alias = "Trans_msg_Commit")]
    Commit,
    /// A message that is delivered later (`DELAY`).
    #[doc(alias = "Delay_Msg")]
    Delay,
}

impl TraceMessageType {
    const fn ordinal(self) -> i64 {
        match self {
            Self::Normal => 0,
            Self::Half => 1,
            Self::Commit => 2,
            Self::Delay => 3,
        }
    }
}

/// Where in a text that was written the texts stand by which a record is found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TraceKeys {
    /// The message id.
    pub msg_id: Range<usize>,
    /// The keys of the message, separated by blanks.
    pub keys: Option<Range<usize>>,
}

/// The record of a send (`Pub`).
///
/// ```
/// use rocketmq_core::body::{PubTrace, TraceMessageType};
///
/// let record = PubTrace {
///     time_stamp: 1_700_000_000_000,
///     region: "DefaultRegion",
///     group: "PG",
///     topic: "T",
///     msg_id: "7F0000010001",
///     tags: Some("a"),
///     keys: None,
///     store_host: Some("127.0.0.1:10911"),
///     body_length: 2,
///     cost_time: 3,
///     message_type: TraceMessageType::Normal,
///     offset_msg_id: Some("0A00000200002A9F00000000000003E8"),
///     success: true,
/// };
/// let mut text = String::new();
/// let found_by = record.write(&mut text);
/// assert_eq!(
///     text.replace('\u{1}', " "),
///     "Pub 1700000000000 DefaultRegion PG T 7F0000010001 a null 127.0.0.1:10911 2 3 0 \
///      0A00000200002A9F00000000000003E8 true\u{2}"
/// );
/// assert_eq!(&text[found_by.msg_id], "7F0000010001");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[doc(alias = "TraceBean")]
#[doc(alias = "TraceDataEncoder")]
pub struct PubTrace<'a> {
    /// When the send began, milliseconds since the Unix epoch.
    pub time_stamp: i64,
    /// The region of the broker.
    pub region: &'a str,
    /// The producer group.
    pub group: &'a str,
    /// The topic.
    pub topic: &'a str,
    /// The unique key of the message.
    pub msg_id: &'a str,
    /// Its tag.
    pub tags: Option<&'a str>,
    /// Its keys, separated by blanks.
    pub keys: Option<&'a str>,
    /// The address of the broker.
    pub store_host: Option<&'a str>,
    /// Bytes of the body, as it was sent.
    pub body_length: usize,
    /// How long the send took, in milliseconds.
    pub cost_time: u64,
    /// What kind of message it is.
    pub message_type: TraceMessageType,
    /// The broker's id of the stored copy.
    pub offset_msg_id: Option<&'a str>,
    /// True when the status was `SEND_OK`.
    pub success: bool,
}

impl PubTrace<'_> {
    /// Adds the record to a text.
    pub fn write(&self, out: &mut String) -> TraceKeys {
        let texts = [self.region, self.group, self.topic, self.msg_id];
        let more = [self.tags, self.keys, self.store_host, self.offset_msg_id];
        out.reserve(NUMBERS_ROOM + texts.map(str::len).iter().sum::<usize>() + room(&more));
        out.push_str("Pub");
        let found_by = self.write_head(out);
        number(out, i64::try_from(self.body_length).unwrap_or(i64::MAX));
        number(out, i64::try_from(self.cost_time).unwrap_or(i64::MAX));
        number(out, self.message_type.ordinal());
        text(out, self.offset_msg_id);
        text(out, Some(if self.success { "true" } else { "false" }));
        out.push(FIELD_SPLITOR);
        found_by
    }

    fn write_head(&self, out: &mut String) -> TraceKeys {
        let Self { time_stamp, region, group, topic, msg_id, tags, keys, store_host, .. } = *self;
        write_head(out, time_stamp, [region, group, topic, msg_id], [tags, keys, store_host])
    }
}

/// The record of the end of a transaction (`EndTransaction`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EndTransactionTrace<'a> {
    /// When the broker was asked, milliseconds since the Unix epoch.
    pub time_stamp: i64,
    /// The region of the broker.
    pub region: &'a str,
    /// The producer group.
    pub group: &'a str,
    /// The topic of the half message.
    pub topic: &'a str,
    /// The unique key of the half message, which is also the id of the transaction.
    pub msg_id: &'a str,
    /// The tag of the half message, if it is known.
    pub tags: Option<&'a str>,
    /// The keys of the half message, if they are known.
    pub keys: Option<&'a str>,
    /// The address of the broker.
    pub store_host: Option<&'a str>,
    /// True for a commit, false for a rollback.
    pub commit: bool,
    /// True when the broker had asked.
    pub from_check: bool,
}

impl EndTransactionTrace<'_> {
    /// Adds the record to a text.
    pub fn write(&self, out: &mut String) -> TraceKeys {
        let Self { time_stamp, region, group, topic, msg_id, tags, keys, store_host, .. } = *self;
        let texts = [region, group, topic, msg_id, msg_id];
        let known = [tags, keys, store_host];
        out.reserve(NUMBERS_ROOM + texts.map(str::len).iter().sum::<usize>() + room(&known));
        out.push_str("EndTransaction");
        let found_by = write_head(out, time_stamp, [region, group, topic, msg_id], known);
        number(out, TraceMessageType::Commit.ordinal());
        text(out, Some(msg_id));
        text(out, Some(if self.commit { "COMMIT_MESSAGE" } else { "ROLLBACK_MESSAGE" }));
        text(out, Some(if self.from_check { "true" } else { "false" }));
        out.push(FIELD_SPLITOR);
        found_by
    }
}

/// The fields that both kinds begin with.
fn write_head(
    out: &mut String,
    time_stamp: i64,
    [region, group, topic, msg_id]: [&str; 4],
    [tags, keys, store_host]: [Option<&str>; 3],
) -> TraceKeys {
    number(out, time_stamp);
    text(out, Some(region));
    text(out, Some(group));
    text(out, Some(topic));
    let msg_id = text(out, Some(msg_id));
    text(out, tags);
    let written = text(out, keys);
    text(out, store_host);
    TraceKeys { msg_id, keys: keys.map(|_| written) }
}

fn room(texts: &[Option<&str>]) -> usize {
    texts.iter().map(|text| text.map_or(NULL.len(), str::len)).sum()
}

/// Adds a field; tells where it stands.
fn text(out: &mut String, value: Option<&str>) -> Range<usize> {
    out.push(CONTENT_SPLITOR);
    let start = out.len();
    let value = value.unwrap_or(NULL);
    if any_below::<3>(value.as_bytes()) {
        out.extend(value.chars().map(|c| if matches!(c, CONTENT_SPLITOR | FIELD_SPLITOR) { ' ' } else { c }));
    } else {
        out.push_str(value);
    }
    start..out.len()
}

fn number(out: &mut String, value: i64) {
    let mut digits = WrittenNumber::default();
    digits.set(value);
    out.push(CONTENT_SPLITOR);
    out.push_str(digits.digits());
}

#[cfg(test)]
mod tests;
