//! Messages for later: delay levels and exact times.

use std::collections::BTreeMap;

use super::BrokerSettings;
use super::log::NewMessage;
use crate::cluster::Text;
use crate::cluster::properties::{get_property, remove_property, set_property};
use crate::cluster::topic::{SCHEDULE_TOPIC, TIMER_TOPIC};

/// Delay of each level from 1 on, in seconds.
const LEVEL_SECONDS: [u64; 18] =
    [1, 5, 10, 30, 60, 120, 180, 240, 300, 360, 420, 480, 540, 600, 1200, 1800, 3600, 7200];
/// The furthest time that a timer message may have, in milliseconds from now: three days.
const MAX_TIMER_MS: i64 = 259_200_000;
const TIMER_PROPERTIES: [&str; 3] = ["TIMER_DELAY_SEC", "TIMER_DELAY_MS", "TIMER_DELIVER_MS"];

/// When a message is to be delivered, and where it waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wait {
    /// Deliver at once.
    No,
    /// Wait for a delay level.
    Level { queue_id: i32, due_ms: u64 },
    /// Wait for an exact time, rounded as the property `TIMER_OUT_MS` has it.
    Timer { out_ms: i64 },
}

/// Response code and remark of a refused delay.
pub(super) type Refusal = (i32, String);

/// Whether the properties say anything about a later delivery.
pub(super) fn is_asked_for(pairs: &[(Text, Text)]) -> bool {
    pairs.iter().any(|(name, _)| name == "DELAY" || TIMER_PROPERTIES.contains(&name.as_str()))
}

/// Reads the delay properties and rewrites them as a broker does.
pub(super) fn examine(
    v5: bool,
    settings: &BrokerSettings,
    now_ms: u64,
    pairs: &mut Vec<(Text, Text)>,
) -> Result<Wait, Refusal> {
    let level: i32 = match get_property(pairs, "DELAY") {
        None => 0,
        Some(text) => text.parse().map_err(|_| {
            let remark = format!("java.lang.NumberFormatException: For input string: \"{text}\"");
            (1, remark)
        })?,
    };
    if level > 0 {
        return Ok(wait_for_level(v5, level, now_ms, pairs));
    }
    let timer = TIMER_PROPERTIES.into_iter().find(|name| v5 && get_property(pairs, name).is_some());
    match timer {
        None => Ok(Wait::No),
        Some(_) if !settings.timer_wheel => {
            let remark = "accurate timer message is not enabled, timerWheelEnable is false";
            Err((1, remark.to_owned()))
        }
        Some(name) => wait_for_time(name, now_ms, pairs),
    }
}

/// A level takes precedence over exact times; one above the highest is lowered to it.
fn wait_for_level(v5: bool, level: i32, now_ms: u64, pairs: &mut Vec<(Text, Text)>) -> Wait {
    // 4.9 does not know them.
    for name in TIMER_PROPERTIES.into_iter().filter(|_| v5) {
        remove_property(pairs, name);
    }
    let level = usize::try_from(level).unwrap_or(usize::MAX).min(LEVEL_SECONDS.len());
    set_property(pairs, "DELAY", &level.to_string());
    let seconds = LEVEL_SECONDS.get(level - 1).copied().unwrap_or_default();
    Wait::Level { queue_id: level as i32 - 1, due_ms: now_ms.saturating_add(seconds * 1000) }
}

fn wait_for_time(name: &str, now_ms: u64, pairs: &mut Vec<(Text, Text)>) -> Result<Wait, Refusal> {
    let illegal = || {
        let remark = format!(
            "timer message illegal, the delay time should not be bigger than the max delay {MAX_TIMER_MS}ms; or if \
             set del msg, the delay time should be bigger than the current time"
        );
        (13, remark)
    };
    let now = now_ms as i64;
    let number: i64 = get_property(pairs, name).and_then(|text| text.parse().ok()).ok_or_else(illegal)?;
    let at = match name {
        // As in Java: what is too large comes out below zero, and that is not in the future.
        "TIMER_DELAY_SEC" => now.wrapping_add(number.wrapping_mul(1000)),
        "TIMER_DELAY_MS" => now.wrapping_add(number),
        _ => number,
    };
    if at <= now {
        return Ok(Wait::No);
    }
    if at - now > MAX_TIMER_MS {
        return Err(illegal());
    }
    // Rounded down to whole seconds, and a whole second less when it was one already.
    let out_ms = (at - 1) / 1000 * 1000;
    set_property(pairs, "TIMER_OUT_MS", &out_ms.to_string());
    Ok(Wait::Timer { out_ms })
}

/// Puts a message where it waits; hands back the copy that is delivered later, with its time.
pub(super) fn divert(wait: &Wait, pairs: &mut Vec<(Text, Text)>, message: &mut NewMessage) -> Option<u64> {
    let (topic, queue_id, due_ms) = match wait {
        Wait::No => return None,
        Wait::Level { queue_id, due_ms } => (SCHEDULE_TOPIC, *queue_id, *due_ms),
        Wait::Timer { out_ms } => (TIMER_TOPIC, 0, u64::try_from(*out_ms).unwrap_or(0).saturating_add(1000)),
    };
    set_property(pairs, "REAL_TOPIC", &message.topic);
    set_property(pairs, "REAL_QID", &message.queue_id.to_string());
    topic.clone_into(&mut message.topic);
    message.queue_id = queue_id;
    Some(due_ms)
}

/// The handle by which a timer message could be recalled: the four parts in URL-safe Base64.
pub(super) fn recall_handle(topic: &str, broker: &str, out_ms: i64, unique_key: &str) -> String {
    base64(format!("v1 {topic} {broker} {} {unique_key}", out_ms + 1).as_bytes())
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let byte = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let bits = (byte(0) << 16) | (byte(1) << 8) | byte(2);
        for position in 0..4 {
            let digit = DIGITS[((bits >> (18 - 6 * position)) & 63) as usize];
            out.push(if position <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    out
}

/// The messages that wait for their time.
#[derive(Default)]
pub(super) struct Delayed {
    messages: BTreeMap<(u64, u64), NewMessage>,
    sequence: u64,
}

impl Delayed {
    pub(super) fn add(&mut self, due_ms: u64, message: NewMessage) {
        self.sequence += 1;
        self.messages.insert((due_ms, self.sequence), message);
    }

    pub(super) fn next_due(&self) -> Option<u64> {
        self.messages.keys().next().map(|(due, _)| *due)
    }

    pub(super) fn take_due(&mut self, now_ms: u64) -> Vec<NewMessage> {
        let later = self.messages.split_off(&(now_ms.saturating_add(1), 0));
        std::mem::replace(&mut self.messages, later).into_values().collect()
    }
}
