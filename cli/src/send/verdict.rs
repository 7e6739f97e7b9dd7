//! What became of one message, and the short names of errors.

use std::borrow::Cow;

use rocketmq_core::command::ResponseCode;
use rocketmq_driver::{AttemptFailure, NoRoute, Outcome, SendError, SendErrorKind, SendReceipt, UniqueKey};
use rocketmq_driver::{EndTransactionError, EndVerdict, LocalTransactionState};

use crate::report::Row;
use crate::stats::Verdict;

/// The end of one send.
#[derive(Debug)]
pub(crate) enum Ending {
    /// A broker acknowledged it.
    Stored(SendReceipt),
    /// A broker acknowledged it as a half message.
    Half(HalfEnding),
    /// A one-way message with this unique key that a connection took.
    HandedOver(UniqueKey),
    /// It has no receipt.
    Failed(SendError),
    /// It could not even be made, so nothing was sent.
    Unmade,
    /// The program ended before it had a verdict.
    Interrupted {
        /// Attempts that may have reached a broker.
        most_attempts: u32,
    },
}

impl Ending {
    /// The verdict.
    pub(crate) fn verdict(&self) -> Verdict {
        match self {
            Self::Stored(_) | Self::Half(_) => Verdict::Stored,
            Self::HandedOver(_) | Self::Interrupted { .. } => Verdict::MayBeStored,
            Self::Unmade => Verdict::NotStored,
            Self::Failed(error) => match error.outcome() {
                Outcome::NotStored => Verdict::NotStored,
                Outcome::MayBeStored => Verdict::MayBeStored,
            },
        }
    }

    /// Attempts that may have reached a broker.
    pub(crate) fn attempts(&self) -> u32 {
        match self {
            Self::Stored(receipt) | Self::Half(HalfEnding { receipt, .. }) => receipt.attempts,
            Self::HandedOver(_) => 1,
            Self::Failed(error) => error.written_attempts(),
            Self::Unmade => 0,
            Self::Interrupted { most_attempts } => *most_attempts,
        }
    }

    /// The kind of error, empty when there is none.
    pub(crate) fn error(&self) -> Cow<'static, str> {
        match self {
            Self::Stored(_) | Self::Half(_) | Self::HandedOver(_) => "".into(),
            Self::Failed(error) => error_kind(error),
            Self::Unmade => "invalid-message".into(),
            Self::Interrupted { .. } => "interrupted".into(),
        }
    }

    /// Calls `use_row` with the line of the report.
    pub(crate) fn with_row<T>(&self, key: &str, error: &str, use_row: impl FnOnce(&Row<'_>) -> T) -> T {
        let row =
            Row { key, verdict: Some(self.verdict()), attempts: self.attempts(), error, ..Row::default() };
        match self {
            Self::Stored(receipt) => use_row(&stored_row(receipt, row)),
            Self::Half(half) => use_row(&Row {
                ended: state_name(half.ended),
                end_verdict: half.outcome.map_or("", EndOutcome::as_str),
                checks: Some(half.checks),
                ..stored_row(&half.receipt, row)
            }),
            Self::HandedOver(id) => use_row(&Row { msg_id: id.as_str(), ..row }),
            Self::Failed(failed) => {
                let id = failed.message().and_then(|message| message.unique_key());
                let msg_id = id.as_ref().map_or("", |id| id.as_str());
                use_row(&Row { msg_id, ..row })
            }
            Self::Unmade | Self::Interrupted { .. } => use_row(&row),
        }
    }
}

fn stored_row<'a>(receipt: &'a SendReceipt, row: Row<'a>) -> Row<'a> {
    Row {
        status: receipt.status.as_str(),
        msg_id: receipt.message_id.as_str(),
        offset_msg_id: receipt.offset_message_id.as_str(),
        broker: receipt.queue.broker_name.as_str(),
        queue_id: Some(receipt.queue.queue_id),
        queue_offset: Some(receipt.queue_offset),
        ..row
    }
}

/// A stored half message and the end of its transaction.
#[derive(Debug)]
pub(crate) struct HalfEnding {
    /// Of the half message.
    pub(crate) receipt: SendReceipt,
    /// How this run ended it, or answered a check.
    pub(crate) ended: LocalTransactionState,
    /// What is known of that; none when nothing was said.
    pub(crate) outcome: Option<EndOutcome>,
    /// How often its broker asked.
    pub(crate) checks: u32,
}

/// What is known of the end of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EndOutcome {
    /// The broker has done it.
    Acknowledged,
    /// The broker did not do it.
    Refused,
    /// No broker got it.
    NotDelivered,
    /// The broker may have done it.
    MayBeDelivered,
}

impl EndOutcome {
    /// The name in reports.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Acknowledged => "acknowledged",
            Self::Refused => "refused",
            Self::NotDelivered => "not-delivered",
            Self::MayBeDelivered => "may-be-delivered",
        }
    }
}

impl From<&Result<(), EndTransactionError>> for EndOutcome {
    fn from(result: &Result<(), EndTransactionError>) -> Self {
        match result.as_ref().map_err(EndTransactionError::verdict) {
            Ok(()) => Self::Acknowledged,
            Err(EndVerdict::Refused) => Self::Refused,
            Err(EndVerdict::NotDelivered) => Self::NotDelivered,
            Err(EndVerdict::MayBeDelivered) => Self::MayBeDelivered,
        }
    }
}

fn state_name(state: LocalTransactionState) -> &'static str {
    match state {
        LocalTransactionState::Commit => "commit",
        LocalTransactionState::Rollback => "rollback",
        LocalTransactionState::Unknown => "unknown",
    }
}

/// A short name for counting: what ended the send and, when that was time or the number of retries, what
/// was wrong with its last attempt, as in `timeout:no-answer`.
fn error_kind(error: &SendError) -> Cow<'static, str> {
    let ended_by = match error.kind() {
        SendErrorKind::InvalidMessage(_) => return "invalid-message".into(),
        SendErrorKind::Full => return "full".into(),
        SendErrorKind::NoRoomInTime => return "no-room-in-time".into(),
        SendErrorKind::LargerThanLimit { .. } => return "larger-than-limit".into(),
        SendErrorKind::NoRoute(why) => return no_route_kind(why).into(),
        SendErrorKind::UnknownQueue(_) => return "unknown-queue".into(),
        SendErrorKind::OtherTopic(_) => return "other-topic".into(),
        SendErrorKind::Refused { code, .. } => {
            return format!("refused:{}", code_name(*code)).into();
        }
        SendErrorKind::ProducerClosed => return "producer-closed".into(),
        SendErrorKind::ClientClosed => return "client-closed".into(),
        SendErrorKind::DriverGone => return "driver-gone".into(),
        SendErrorKind::RetriesExhausted(_) => "retries-exhausted",
        SendErrorKind::Timeout => "timeout",
        SendErrorKind::ResendForbidden => "resend-forbidden",
        _ => return "other".into(),
    };
    match error.attempts().last() {
        Some(last) => format!("{ended_by}:{}", failure_kind(&last.failure)).into(),
        None => ended_by.into(),
    }
}

fn no_route_kind(why: &NoRoute) -> &'static str {
    match why {
        NoRoute::NoNameServerConfigured => "no-route:no-name-server-configured",
        NoRoute::NoNameServerReachable(_) => "no-route:no-name-server-reachable",
        NoRoute::DiscoveryFailed { .. } => "no-route:discovery-failed",
        NoRoute::TopicUnknown { .. } => "no-route:topic-unknown",
        NoRoute::NoWritableQueue(_) => "no-route:no-writable-queue",
        NoRoute::NoMaster(_) => "no-route:no-master",
        NoRoute::StaticTopic(_) => "no-route:static-topic",
        _ => "no-route:other",
    }
}

fn failure_kind(failure: &AttemptFailure) -> Cow<'static, str> {
    match failure {
        AttemptFailure::Connection(_) => "connection".into(),
        AttemptFailure::Timeout => "no-answer".into(),
        AttemptFailure::Refused { code, .. } => format!("refused:{}", code_name(*code)).into(),
        AttemptFailure::BadAnswer(_) => "bad-answer".into(),
        AttemptFailure::Status(status) => status.as_str().into(),
        AttemptFailure::Encode(_) => "not-encodable".into(),
        AttemptFailure::NotWritten => "not-written".into(),
        _ => "other".into(),
    }
}

fn code_name(code: ResponseCode) -> String {
    code.name().map_or_else(|| code.0.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rocketmq_driver::{Message, TopicName};

    const KEY: &str = "7F00000100001B6D3586000000000000";

    fn failed(kind: SendErrorKind) -> Ending {
        let topic: TopicName = "orders".parse().expect("a topic");
        Ending::Failed(SendError::before_any_attempt(kind, topic, None))
    }

    #[test]
    fn kinds_are_short_and_tell_the_code() {
        let broker = "broker-a".parse().expect("a broker name");
        let code = ResponseCode::SYSTEM_BUSY;
        let refused = failed(SendErrorKind::Refused { broker, code, remark: "later".into() });
        assert_eq!(refused.error(), "refused:SYSTEM_BUSY");
        assert_eq!(code_name(ResponseCode(4711)), "4711");
        assert_eq!(failed(SendErrorKind::Timeout).error(), "timeout");
        let why = NoRoute::NoNameServerReachable("refused".into());
        let kind = failed(SendErrorKind::NoRoute(why)).error();
        assert_eq!(kind, "no-route:no-name-server-reachable");
    }

    #[test]
    fn verdicts_follow_the_outcome() {
        assert_eq!(failed(SendErrorKind::Full).verdict(), Verdict::NotStored);
        let topic: TopicName = "orders".parse().expect("a topic");
        let gone = Ending::Failed(SendError::driver_gone(topic));
        assert_eq!(gone.verdict(), Verdict::MayBeStored);
        let handed_over = Ending::HandedOver(KEY.parse().expect("a key"));
        assert_eq!((handed_over.verdict(), handed_over.attempts()), (Verdict::MayBeStored, 1));
        handed_over.with_row("", "", |row| assert_eq!(row.msg_id, KEY));
        let cut = Ending::Interrupted { most_attempts: 3 };
        assert_eq!((cut.verdict(), cut.attempts()), (Verdict::MayBeStored, 3));
        assert_eq!((Ending::Unmade.verdict(), Ending::Unmade.attempts()), (Verdict::NotStored, 0));
    }

    #[test]
    fn a_failed_message_tells_its_unique_key() {
        let topic: TopicName = "orders".parse().expect("a topic");
        let mut message = Message::new(topic.clone(), "body");
        let key: UniqueKey = KEY.parse().expect("a key");
        message.set_unique_key(key);
        let error = SendError::before_any_attempt(SendErrorKind::Timeout, topic, Some(message));
        Ending::Failed(error).with_row("k", "timeout", |row| {
            assert_eq!(row.msg_id, KEY);
            assert_eq!((row.key, row.broker, row.queue_id), ("k", "", None));
        });
    }
}
