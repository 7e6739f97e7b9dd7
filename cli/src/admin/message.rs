//! A stored message, for people and for programs.

use rocketmq_driver::{Compression, MessageExt};
use serde_json::{Map, Value, json};

use crate::text::{date_time, printable, push_table};

/// Most characters of a body that people are shown.
const SHOWN_BODY: usize = 1_024;
/// Most of them in a row of a table.
const SHOWN_IN_ROW: usize = 32;
/// The property of a unique id.
const UNIQUE_KEY: &str = "UNIQ_KEY";

fn unique_id(message: &MessageExt) -> &str {
    message.message.property(UNIQUE_KEY).unwrap_or_default()
}

fn compression(message: &MessageExt) -> Option<&'static str> {
    message.compression().map(|kind| match kind {
        Compression::Zlib => "zlib",
        Compression::Lz4 => "lz4",
        Compression::Zstd => "zstd",
        _ => "unknown",
    })
}

/// The text of a body, or the beginning of its bytes in hexadecimal.
fn excerpt(body: &[u8], most: usize) -> String {
    let mut text = match std::str::from_utf8(body) {
        Ok(text) => printable(&text.chars().take(most).collect::<String>()),
        Err(_) => format!("0x{}", hex(body.get(..most / 2).unwrap_or(body))),
    };
    let cut = match std::str::from_utf8(body) {
        Ok(whole) => whole.chars().nth(most).is_some(),
        Err(_) => body.len() > most / 2,
    };
    if cut {
        text.push('…');
    }
    text
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn to_json(message: &MessageExt) -> Value {
    let of = &message.message;
    let properties: Map<String, Value> =
        of.properties().iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    let (body, body_hex) = match std::str::from_utf8(of.body()) {
        Ok(text) => (Value::from(text), Value::Null),
        Err(_) => (Value::Null, Value::from(hex(of.body()))),
    };
    json!({
        "topic": of.topic().as_str(),
        "unique_id": unique_id(message),
        "offset_id": message.offset_message_id().as_str(),
        "store_host": message.store_host.to_string(),
        "queue": message.queue_id,
        "queue_offset": message.queue_offset,
        "commit_log_offset": message.commit_log_offset,
        "store_timestamp": message.store_timestamp,
        "born_timestamp": message.born_timestamp,
        "born_host": message.born_host.to_string(),
        "tag": of.tag(),
        "keys": of.keys().collect::<Vec<_>>(),
        "properties": properties,
        "flag": of.flag(),
        "system_flag": message.system_flag,
        "reconsume_times": message.reconsume_times,
        "compression": compression(message),
        "body_len": of.body().len(),
        "body": body,
        "body_hex": body_hex,
    })
}

/// One message in full.
pub(super) fn to_text(message: &MessageExt) -> String {
    let of = &message.message;
    let mut rows: Vec<[String; 2]> = Vec::new();
    let mut row = |name: &str, value: String| rows.push([name.to_owned(), value]);
    row("topic", of.topic().to_string());
    row("unique id", printable(unique_id(message)));
    row("offset id", message.offset_message_id().to_string());
    row("broker", message.store_host.to_string());
    row("queue", format!("{} at offset {}", message.queue_id, message.queue_offset));
    row("stored", date_time(message.store_timestamp));
    row("born", format!("{} at {}", date_time(message.born_timestamp), message.born_host));
    row("tag", printable(of.tag().unwrap_or("-")));
    let keys = of.keys().map(printable).collect::<Vec<_>>().join(" ");
    row("keys", if keys.is_empty() { "-".to_owned() } else { keys });
    row("flags", format!("{}, system {}", of.flag(), message.system_flag));
    row("consumed", format!("{} times before", message.reconsume_times));
    for (name, value) in of.properties().iter() {
        row("property", format!("{} = {}", printable(name), printable(value)));
    }
    let packed = compression(message).map(|kind| format!(", compressed with {kind}")).unwrap_or_default();
    row("body", format!("{} bytes{packed}", of.body().len()));
    let mut text = String::new();
    push_table(&mut text, &rows);
    text.push('\n');
    text.push_str(&excerpt(of.body(), SHOWN_BODY));
    text.push('\n');
    text
}

/// Many messages, one row for each.
pub(super) fn to_table(messages: &[MessageExt]) -> String {
    let mut rows =
        vec![["STORED", "BROKER", "QUEUE", "OFFSET", "UNIQUE ID", "BYTES", "BODY"].map(str::to_owned)];
    for message in messages {
        rows.push([
            date_time(message.store_timestamp),
            message.store_host.to_string(),
            message.queue_id.to_string(),
            message.queue_offset.to_string(),
            printable(unique_id(message)),
            message.message.body().len().to_string(),
            excerpt(message.message.body(), SHOWN_IN_ROW),
        ]);
    }
    let mut text = String::new();
    push_table(&mut text, &rows);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_shown_as_text_when_they_are_text() {
        assert_eq!(excerpt(b"4 apples", 8), "4 apples");
        assert_eq!(excerpt(b"4 apples", 7), "4 apple…");
        assert_eq!(excerpt("\u{1b}[2Jå".as_bytes(), 100), "\\u{1b}[2Jå");
        assert_eq!(excerpt(&[0xff, 0x00, 0x10], 6), "0xff0010");
        assert_eq!(excerpt(&[0xff, 0x00, 0x10], 4), "0xff00…");
        assert_eq!(excerpt(b"", 4), "");
    }
}
