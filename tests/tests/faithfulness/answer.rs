//! An answer without its accidents: addresses, times, places in the log, what a server chose at random.

use std::collections::BTreeSet;

use rocketmq_sim::cluster::{Frame, SerializeType};
use rocketmq_sim::real::StoredMessage;

use super::recording::{Facts, one_line};

/// Longer bodies are shown by their length.
const LONGEST_TEXT: usize = 3000;
/// Where a stored message has its magic number, and how that begins.
const MAGIC: (usize, [u8; 3]) = (4, [0xDA, 0xA3, 0x20]);
/// Lists without an order: how the body begins, how the list ends, what stands between two entries.
const LISTS: [(&str, &str, &str); 3] = [
    ("{\"topicList\":[", "]", ","),
    ("{\"consumerIdList\":[", "]", ","),
    ("{\"connectionSet\":[{", "}]", "},{"),
];

/// The facts about one answer. `number` is what its opaque should be.
pub(super) fn facts_of(answer: &Frame, number: i32) -> Facts {
    let format = match answer.serialize_type {
        SerializeType::Json => "JSON",
        SerializeType::RocketMq => "ROCKETMQ",
    };
    let mut facts: Facts = vec![
        ("code".to_owned(), answer.code.to_string()),
        ("format".to_owned(), format.to_owned()),
        ("head".to_owned(), head(answer, number)),
    ];
    if let Some(remark) = &answer.remark {
        facts.push(("remark".to_owned(), one_line(&mask(&without_details(remark)))));
    }
    match &answer.ext_fields {
        None => {}
        Some(fields) if fields.is_empty() => facts.push(("fields".to_owned(), "none in the map".to_owned())),
        Some(fields) => {
            let sorted: BTreeSet<_> = fields.iter().collect();
            for (name, value) in sorted {
                let value = value.as_deref().unwrap_or("<null>");
                facts.push((format!("field {name}"), one_line(&mask_field(name, value))));
            }
        }
    }
    facts.extend(body_facts(&answer.body));
    facts
}

/// What a server asks of its own accord.
pub(super) fn request_text(request: &Frame) -> String {
    let fields: Vec<String> = request
        .ext_fields
        .iter()
        .flatten()
        .map(|(name, value)| format!("{name}={}", mask_field(name, value.as_deref().unwrap_or("<null>"))))
        .collect();
    let format = request.serialize_type;
    let text = format!("code {} {format:?} flag {} {}", request.code, request.flag, fields.join(" "));
    one_line(text.trim_end())
}

fn head(answer: &Frame, number: i32) -> String {
    let language = answer.language.map_or("none".to_owned(), |code| code.to_string());
    let opaque = if answer.opaque == Some(number) { "own" } else { "another" };
    format!("language {language}, version {}, flag {}, {opaque} number", answer.version, answer.flag)
}

/// The text of an exception depends on the Java runtime, the place in the source on the build: only its class counts.
/// How a date is written depends on the time zone, how full the disk is on the machine.
fn without_details(remark: &str) -> String {
    if remark.starts_with("Cannot invoke ") {
        return "<null pointer>".to_owned();
    }
    if let Some(at) = remark.find("unable to service, until ") {
        return format!("{}unable to service, until <time>", &remark[..at]);
    }
    if let Some((before, (_, after))) =
        remark.split_once(" [CL: ").and_then(|(before, rest)| Some((before, rest.split_once(']')?)))
    {
        return format!("{before} [<use>]{after}");
    }
    let class = remark.split([':', ',']).next().unwrap_or_default();
    let is_class = ["java.", "org.apache.", "io.netty.", "com.alibaba."]
        .iter()
        .any(|package| class.starts_with(package))
        && !class.contains(' ');
    if is_class { class.to_owned() } else { remark.to_owned() }
}

fn mask_field(name: &str, value: &str) -> String {
    match name {
        "msgId" => value.split(',').map(mask_offset_id).collect::<Vec<_>>().join(","),
        "transactionId" if !value.starts_with("KEY") => "<made>".to_owned(),
        "recallHandle" => format!("<handle, {} characters>", value.len()),
        "indexLastUpdatePhyoffset" if value != "0" => "<place>".to_owned(),
        _ => mask(value),
    }
}

fn mask_offset_id(id: &str) -> String {
    let is_id =
        id.len() == 32 && id.starts_with("7F000001") && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_id { "<offset id>".to_owned() } else { id.to_owned() }
}

/// Replaces loopback addresses with ports, and times.
pub(super) fn mask(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if let Some(after) = rest.strip_prefix("127.0.0.1:") {
            let port = after.bytes().take_while(u8::is_ascii_digit).count();
            out.push_str("<address>");
            rest = &after[port..];
        } else if digits == 13 && !rest.starts_with("17000000000") && rest.starts_with(['1', '2']) {
            out.push_str("<time>");
            rest = &rest[digits..];
        } else if digits > 0 {
            out.push_str(&rest[..digits]);
            rest = &rest[digits..];
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    out
}

fn body_facts(body: &[u8]) -> Facts {
    let is_stored = body.get(MAGIC.0..MAGIC.0 + 3) == Some(MAGIC.1.as_slice());
    if is_stored {
        return match StoredMessage::parse_all("broker-a", body) {
            Ok(messages) => messages.iter().map(|one| ("stored".to_owned(), stored(one))).collect(),
            Err(error) => vec![("stored".to_owned(), format!("unreadable: {error}"))],
        };
    }
    if body.is_empty() {
        return Vec::new();
    }
    let text = match std::str::from_utf8(body) {
        Ok(text) if text.len() <= LONGEST_TEXT => mask(&in_order(text)),
        _ => format!("<{} bytes>", body.len()),
    };
    vec![("body".to_owned(), one_line(&text))]
}

/// Lists that servers take out of hash tables have no order.
fn in_order(text: &str) -> String {
    for (start, end, between) in LISTS {
        let Some((list, rest)) = text.strip_prefix(start).and_then(|rest| rest.split_once(end)) else {
            continue;
        };
        let mut entries: Vec<&str> = list.split(between).collect();
        entries.sort_by_key(|entry| mask(entry));
        return format!("{start}{}{end}{rest}", entries.join(between));
    }
    text.to_owned()
}

fn stored(message: &StoredMessage) -> String {
    let body = match std::str::from_utf8(&message.body) {
        Ok(text) if text.len() <= 100 => format!("{text:?}"),
        _ => format!("<{} bytes>", message.body_len()),
    };
    let property = |(name, value): (&String, &String)| match name.as_str() {
        "UNIQ_KEY" if !value.starts_with("KEY") => format!("{name}=<made>"),
        _ => format!("{name}={}", mask(value)),
    };
    let properties: Vec<String> = message.properties.iter().map(property).collect();
    let text = format!(
        "{} queue {} offset {} flag {} system flag {} born {} again {} body {body} crc {:08x} {}",
        message.topic,
        message.queue_id,
        message.queue_offset,
        message.flag,
        message.sys_flag,
        mask(&message.born_timestamp.to_string()),
        message.reconsume_times,
        message.body_crc,
        properties.join(" ")
    );
    one_line(&text)
}
