//! A small model of a send: what its caller may be told, given which frames of it left and what servers answered.

use rocketmq_core::client::LostReason;
use rocketmq_core::producer::{
    Attempt, AttemptFailure, Outcome, SendError, SendErrorKind, SendReceipt, SendStatus,
};

use super::{Invariant, Verdict};
use crate::cluster::Frame;

/// One attempt of a send, as seen on the wire: all bytes of its frame were handed over.
#[derive(Debug, Clone)]
pub(super) struct Handed {
    pub(super) queue_id: i32,
    /// The first answer to it that the client has read.
    pub(super) said: Option<Said>,
}

/// What an answer says about the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) code: i32,
    /// The code and the remark prove that nothing was stored.
    pub(super) proves_not_stored: bool,
    /// Where it is stored: queue, offset, offset message id.
    pub(super) place: Option<(i32, i64, String)>,
}

impl Said {
    pub(super) fn read(answer: &Frame) -> Said {
        let number = |name: &str| answer.ext(name)?.parse::<i64>().ok();
        let place = stored_as(answer.code).and_then(|_| {
            let queue_id = i32::try_from(number("queueId")?).ok()?;
            Some((queue_id, number("queueOffset")?, answer.ext("msgId")?.to_owned()))
        });
        let remark = answer.remark.as_deref().unwrap_or_default();
        Said { code: answer.code, proves_not_stored: proves_not_stored(answer.code, remark), place }
    }

    /// Whether it is what this receipt repeats.
    pub(super) fn is_of(&self, receipt: &SendReceipt) -> bool {
        stored_as(self.code) == Some(receipt.status)
            && self.place.as_ref().is_some_and(|(queue_id, offset, id)| {
                *queue_id == receipt.queue.queue_id
                    && *offset == receipt.queue_offset
                    && id == receipt.offset_message_id.as_str()
            })
    }
}

/// The codes of a broker that has stored the message.
fn stored_as(code: i32) -> Option<SendStatus> {
    Some(match code {
        0 => SendStatus::SendOk,
        10 => SendStatus::FlushDiskTimeout,
        11 => SendStatus::SlaveNotAvailable,
        12 => SendStatus::FlushSlaveTimeout,
        _ => return None,
    })
}

/// The refusals that brokers give before they come to their store.
fn proves_not_stored(code: i32, remark: &str) -> bool {
    match code {
        // Any exception, also one behind the store, unless the remark names a check that comes first.
        1 => {
            remark.contains("AclException")
                || remark.contains("broker unable to service")
                || (remark.contains("request queueId[") && remark.contains("is illegal"))
        }
        2 | 3 | 13..=17 | 26 | 29 | 204 | 205 | 215 | 501 | 1500 => true,
        _ => false,
    }
}

/// What speaks against a verdict.
pub(super) type Objection = (Invariant, String);

/// Whether a send whose frames these are may get this verdict.
pub(super) fn judge(frames: &[Handed], verdict: &Verdict) -> Result<(), Objection> {
    match verdict {
        Verdict::HandedOver if frames.is_empty() => {
            Err((Invariant::NoFalseOk, "handed over, and no frame of it was".to_owned()))
        }
        Verdict::HandedOver => Ok(()),
        Verdict::Stored(receipt) => {
            let told = |frame: &Handed| frame.said.as_ref().is_some_and(|said| said.is_of(receipt));
            if !frames.iter().any(told) {
                return Err((Invariant::NoFalseOk, format!("no answer to it says {receipt:?}")));
            }
            attempts(frames, receipt.attempts)
        }
        Verdict::Failed(error) => {
            refusals(frames, error)?;
            match error.outcome() {
                Outcome::NotStored => not_stored(frames)?,
                Outcome::MayBeStored => may_be_stored(frames, error)?,
            }
            attempts(frames, error.written_attempts())
        }
    }
}

/// I4: a verdict counts every attempt that left.
fn attempts(frames: &[Handed], counted: u32) -> Result<(), Objection> {
    if frames.len() > counted as usize {
        let text = format!("{} frames left, the verdict counts {counted}: {frames:?}", frames.len());
        return Err((Invariant::Duplicates, text));
    }
    Ok(())
}

/// I3: whatever left in full was refused for a reason that proves it.
fn not_stored(frames: &[Handed]) -> Result<(), Objection> {
    let proven = |frame: &Handed| frame.said.as_ref().is_some_and(|said| said.proves_not_stored);
    match frames.iter().find(|frame| !proven(frame)) {
        Some(frame) => {
            Err((Invariant::NoFalseCertainty, format!("told not stored, but all of {frame:?} left")))
        }
        None => Ok(()),
    }
}

/// I3: some attempt was written that no answer disproves.
fn may_be_stored(frames: &[Handed], error: &SendError) -> Result<(), Objection> {
    let proven = |frame: &Handed| frame.said.as_ref().is_some_and(|said| said.proves_not_stored);
    let refused = |attempt: &Attempt| matches!(attempt.failure, AttemptFailure::Refused { .. });
    let mut written = error.attempts().iter().filter(|attempt| attempt.written);
    let all_refused = error.attempts_left_out() == 0 && written.all(refused);
    let text = if error.written_attempts() == 0 {
        "may be stored without a written attempt"
    } else if all_refused && frames.iter().all(proven) {
        "may be stored, and every attempt was refused for a reason that proves the contrary"
    } else {
        return Ok(());
    };
    Err((Invariant::NoFalseCertainty, text.to_owned()))
}

/// I3: what counts as written can have been received. When the network has ended the connection of an attempt, all of its
/// frame was handed over before. When a connection lives on, the rest may still leave, unless sockets take everything at once
/// (`prompt`); when it was closed by the client, the driver may have been writing at that moment. To be asked in the end: what
/// was encoded in the moment of the verdict is handed over after it.
pub(super) fn written(frames: &[Handed], error: &SendError, prompt: bool) -> Result<(), Objection> {
    // A shutdown may encode, and close before anybody has asked for the bytes.
    let prompt = prompt && !matches!(error.kind(), SendErrorKind::ClientClosed);
    let left = |attempt: &&Attempt| {
        attempt.written
            && match &attempt.failure {
                AttemptFailure::Connection(LostReason::Closed(_)) => true,
                AttemptFailure::Timeout => prompt,
                _ => false,
            }
    };
    let least = error.attempts().iter().filter(left).count();
    if frames.len() < least {
        let text = format!("{least} attempts are told as written, and {} frames left: {error}", frames.len());
        return Err((Invariant::NoFalseCertainty, text));
    }
    Ok(())
}

/// I10: a refusal that the error tells of was an answer to this send.
fn refusals(frames: &[Handed], error: &SendError) -> Result<(), Objection> {
    for attempt in error.attempts() {
        if let AttemptFailure::Refused { code, .. } = &attempt.failure {
            let is_it = |frame: &Handed| {
                frame.queue_id == attempt.queue_id
                    && frame.said.as_ref().is_some_and(|said| said.code == code.0)
            };
            if !frames.iter().any(is_it) {
                return Err((Invariant::Isolation, format!("nobody refused it as told: {attempt}")));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Handed, Said, judge, proves_not_stored};
    use crate::cluster::Frame;
    use crate::world::{Invariant, Verdict};
    use rocketmq_core::producer::{SendError, SendErrorKind};

    fn handed(said: Option<Said>) -> Handed {
        Handed { queue_id: 0, said }
    }

    fn answer(code: i32) -> Said {
        Said::read(&Frame { code, ..Frame::request(0, 7, &[]) })
    }

    fn not_stored() -> Verdict {
        let topic = "orders".parse().unwrap();
        Verdict::Failed(SendError::before_any_attempt(SendErrorKind::Timeout, topic, None))
    }

    fn objection(frames: &[Handed], verdict: &Verdict) -> Option<Invariant> {
        judge(frames, verdict).err().map(|(invariant, _)| invariant)
    }

    #[test]
    fn not_stored_needs_proof_for_every_frame_that_left() {
        assert_eq!(objection(&[], &not_stored()), None);
        assert_eq!(objection(&[handed(None)], &not_stored()), Some(Invariant::NoFalseCertainty));
        let unclear = [handed(Some(answer(2))), handed(Some(answer(1)))];
        assert_eq!(objection(&unclear, &not_stored()), Some(Invariant::NoFalseCertainty));
        // Proven, but the verdict forgot to count it.
        assert_eq!(objection(&[handed(Some(answer(2)))], &not_stored()), Some(Invariant::Duplicates));
    }

    #[test]
    fn handed_over_needs_a_frame() {
        assert_eq!(objection(&[], &Verdict::HandedOver), Some(Invariant::NoFalseOk));
        assert_eq!(objection(&[handed(None)], &Verdict::HandedOver), None);
    }

    #[test]
    fn an_answer_says_where_only_when_it_says_stored() {
        let fields = [("queueId", "3"), ("queueOffset", "9"), ("msgId", "0A")];
        let stored = Said::read(&Frame::request(0, 7, &fields));
        assert_eq!(stored.place, Some((3, 9, "0A".to_owned())));
        assert_eq!(Said::read(&Frame::request(2, 7, &fields)).place, None);
        assert_eq!(Said::read(&Frame::request(0, 7, &fields[..2])).place, None);
    }

    #[test]
    fn code_one_proves_nothing_without_its_reason() {
        assert!(!proves_not_stored(1, "java.lang.IllegalStateException"));
        assert!(proves_not_stored(1, "request queueId[9] is illegal, topic orders"));
        assert!(!proves_not_stored(9_999, ""));
    }
}
