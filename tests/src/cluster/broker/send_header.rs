//! The header of a send, with the short names of 310 and 320 or the long names of 10.

use crate::cluster::{Dialect, Frame};

/// A send's header after the first checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SendHeader {
    pub(super) topic: String,
    pub(super) default_topic: Option<String>,
    pub(super) default_queues: Option<i32>,
    pub(super) queue_id: i32,
    pub(super) system_flag: i32,
    pub(super) born_timestamp: i64,
    pub(super) flag: i32,
    pub(super) properties: String,
    pub(super) reconsume_times: i32,
    pub(super) max_reconsume_times: Option<i32>,
    pub(super) is_batch: bool,
}

/// Names of the fields that are looked at, short and long.
const NAMES: [(&str, &str); 11] = [
    ("b", "topic"),
    ("c", "defaultTopic"),
    ("d", "defaultTopicQueueNums"),
    ("e", "queueId"),
    ("f", "sysFlag"),
    ("g", "bornTimestamp"),
    ("h", "flag"),
    ("i", "properties"),
    ("j", "reconsumeTimes"),
    ("l", "maxReconsumeTimes"),
    ("m", "batch"),
];

/// The request code whose header has the long names.
const SEND_MESSAGE: i32 = 10;

struct Fields<'a> {
    request: &'a Frame,
    short: bool,
}

impl<'a> Fields<'a> {
    fn text(&self, short_name: &str) -> Option<&'a str> {
        let (short, long) = NAMES.iter().find(|(short, _)| *short == short_name)?;
        self.request.ext(if self.short { short } else { long })
    }

    /// A number that cannot be read is an exception with short names and counts as missing with long ones.
    fn number<N: std::str::FromStr>(&self, name: &str) -> Result<Option<N>, String> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        match text.parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) if self.short => {
                Err(format!("java.lang.NumberFormatException: For input string: \"{text}\""))
            }
            Err(_) => Ok(None),
        }
    }
}

impl SendHeader {
    /// Reads the header and checks what servers cannot do without.
    ///
    /// # Errors
    /// The remark of the answer, whose code is 1.
    pub(super) fn read(dialect: Dialect, request: &Frame) -> Result<SendHeader, String> {
        let fields = Fields { request, short: request.code != SEND_MESSAGE };
        let queue_id = fields.number::<i32>("e")?;
        let system_flag = fields.number::<i32>("f")?;
        let born_timestamp = fields.number::<i64>("g")?;
        let flag = fields.number::<i32>("h")?;
        let default_queues = fields.number::<i32>("d")?;
        let reconsume_times = fields.number::<i32>("j")?.unwrap_or(0);
        let max_reconsume_times = fields.number::<i32>("l")?;
        if dialect.is_v5() && request.body.is_empty() {
            return Err(null_body());
        }
        if !dialect.is_v5() && fields.text("b").is_none_or(|topic| topic.trim().is_empty()) {
            // 4.9 looks at the topic before it needs a number.
            return Ok(SendHeader::of_nowhere());
        }
        let no_time = || null_field(dialect, "Long.longValue", "getBornTimestamp");
        // 5.5 looks at the time first, 4.9 at the queue: only the remark shows it.
        if dialect.is_v5() && born_timestamp.is_none() {
            return Err(no_time());
        }
        let missing = |getter: &str| null_field(dialect, "Integer.intValue", getter);
        Ok(SendHeader {
            queue_id: queue_id.ok_or_else(|| missing("getQueueId"))?,
            topic: fields
                .text("b")
                .ok_or_else(|| null_field(dialect, "String.length", "getTopic"))?
                .to_owned(),
            system_flag: system_flag.ok_or_else(|| missing("getSysFlag"))?,
            born_timestamp: born_timestamp.ok_or_else(no_time)?,
            flag: flag.ok_or_else(|| missing("getFlag"))?,
            default_topic: fields.text("c").map(str::to_owned),
            default_queues,
            properties: fields.text("i").unwrap_or_default().to_owned(),
            reconsume_times,
            max_reconsume_times,
            is_batch: fields.text("m").is_some_and(|text| text.eq_ignore_ascii_case("true")),
        })
    }
}

impl SendHeader {
    /// The header of a send without a topic, which is refused for that.
    fn of_nowhere() -> SendHeader {
        SendHeader {
            topic: String::new(),
            default_topic: None,
            default_queues: None,
            queue_id: 0,
            system_flag: 0,
            born_timestamp: 0,
            flag: 0,
            properties: String::new(),
            reconsume_times: 0,
            max_reconsume_times: None,
            is_batch: false,
        }
    }
}

fn null_body() -> String {
    "java.lang.NullPointerException: Cannot read the array length because the return value of \
     \"org.apache.rocketmq.remoting.protocol.RemotingCommand.getBody()\" is null"
        .to_owned()
}

fn null_field(dialect: Dialect, unboxed: &str, getter: &str) -> String {
    let package = if dialect.is_v5() { "remoting.protocol" } else { "common.protocol" };
    format!(
        "java.lang.NullPointerException: Cannot invoke \"java.lang.{unboxed}()\" because the return value of \
         \"org.apache.rocketmq.{package}.header.SendMessageRequestHeader.{getter}()\" is null"
    )
}
