//! Actions in words.

use crate::interface::{Action, Answer, Notice};
use alloc::format;
use alloc::string::String;

/// What a reader of a story wants to know of an action; none for mere reminders.
///
/// ```
/// use rocketmq_core::client::Action;
/// use rocketmq_core::ground::Instant;
/// use rocketmq_core::recording::told;
///
/// assert_eq!(told(&Action::SetTimer { at: Instant::ZERO }), None);
/// ```
#[must_use]
pub fn told(action: &Action) -> Option<String> {
    Some(match action {
        Action::Write { .. } | Action::SetTimer { .. } => return None,
        Action::Connect { conn, to } => format!("connection {conn:?}: opens to {to}"),
        Action::Close { conn } => format!("connection {conn:?}: closed by the client"),
        Action::Answer { id, answer } => format!("command {}: {}", id.0, told_answer(answer)?),
        Action::Check(check) => format!(
            "producer {:?} is asked about the transaction of {} in topic {}",
            check.producer,
            check.unique_key,
            check.message.message.topic()
        ),
        Action::Notice(notice) => told_notice(notice)?,
    })
}

/// An answer in words; none for room that was given, which the send that uses it shows.
#[must_use]
pub fn told_answer(answer: &Answer) -> Option<String> {
    Some(match answer {
        Answer::Opened(Ok(producer)) => format!("producer {producer:?} is open"),
        Answer::Opened(Err(error)) => format!("no producer: {error}"),
        Answer::Room(Ok(())) => return None,
        Answer::Room(Err(error)) => format!("no room: {error}"),
        Answer::Sent(Ok(receipt)) => {
            let attempts = match receipt.attempts {
                1 => "1 attempt",
                more => return Some(told_stored(receipt, &format!("{more} attempts"))),
            };
            told_stored(receipt, attempts)
        }
        Answer::Sent(Err(error)) | Answer::HandedOver(Err(error)) => {
            let mut text = format!("{}: {}", error.outcome(), error.kind());
            for attempt in error.attempts() {
                text.push_str("; ");
                text.push_str(&format!("{attempt}"));
            }
            if error.attempts_left_out() > 0 {
                text.push_str(&format!("; {} attempts left out", error.attempts_left_out()));
            }
            text
        }
        Answer::HandedOver(Ok(())) => String::from("handed over to the connection"),
        Answer::Ended(Ok(())) => String::from("the transaction is ended"),
        Answer::Ended(Err(error)) => format!("{error}"),
        Answer::Flushed(Ok(())) => String::from("flushed, every send has its verdict"),
        Answer::Flushed(Err(left)) => format!("not flushed, {left} sends without verdict"),
        Answer::Closed(undelivered) => format!("closed, {} messages not delivered", undelivered.len()),
        Answer::Admin(Ok(answer)) => format!("{answer}"),
        Answer::Admin(Err(error)) => format!("{error}"),
    })
}

fn told_stored(receipt: &crate::interface::SendReceipt, attempts: &str) -> String {
    let (status, queue, offset) = (receipt.status, &receipt.queue, receipt.queue_offset);
    format!("stored, {status} in {queue} at {offset}, {attempts}, id {}", receipt.message_id)
}

fn told_notice(notice: &Notice) -> Option<String> {
    Some(match notice {
        // The input that it follows says so already.
        Notice::ConnectionUp { .. } => return None,
        Notice::ConnectionDown { endpoint, why } => format!("connection to {endpoint} is down: {why}"),
        Notice::RouteChanged { topic, queues, provisional } => {
            let borrowed = if *provisional { ", borrowed from the default topic" } else { "" };
            format!("route of {topic}: {queues} writable queues{borrowed}")
        }
        Notice::BrokerLeft { broker } => format!("broker {broker} is in no route any more"),
        Notice::VipChannelUnreachable { broker, address, why, pause } => {
            let wait = pause.as_millis();
            format!("VIP port {address} of broker {broker} is left alone for {wait} ms: {why}")
        }
        Notice::BrokerAvoided { broker, latency, failed, avoided_for } => {
            let (took, wait) = (latency.as_millis(), avoided_for.as_millis());
            let what = if *failed { "failed" } else { "was late" };
            format!("broker {broker} is avoided for {wait} ms: an attempt {what} after {took} ms")
        }
        Notice::NameServersChanged { name_servers } => format!("name servers are {name_servers} now"),
        Notice::DiscoveryFailed { endpoint, why } => {
            format!("no list of name servers from {endpoint}: {why}")
        }
        Notice::Retry { topic, broker, why, after } => {
            let broker = broker.as_ref().map_or("no broker", |broker| broker.as_str());
            let after = after.as_micros() as f64 / 1_000.0;
            format!("a message for {topic} is tried again in {after} ms; {broker}: {why}")
        }
        Notice::StrayAnswer { endpoint, kind, code } => {
            format!("answer {code} from {endpoint} that nobody waits for ({kind:?})")
        }
        Notice::HeartbeatFailed { endpoint, why } => format!("heartbeat to {endpoint} failed: {why}"),
    })
}
