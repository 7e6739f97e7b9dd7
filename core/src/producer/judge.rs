//! What a response code of a broker means for a send: one table, keyed on the code and the class of its remark.

use crate::command::ResponseCode;
use crate::interface::SendStatus;

/// What an answer says about the message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    /// The broker has it.
    Stored(SendStatus),
    Refused(Refusal),
}

/// What a refusal means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Refusal {
    /// The code proves that this attempt stored nothing.
    pub(crate) proves_not_stored: bool,
    pub(crate) next: NextStep,
    /// The route may be stale.
    pub(crate) refresh_route: bool,
    /// The broker is shutting down: nothing more goes to this connection.
    pub(crate) go_away: bool,
}

/// What helps after a refusal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum NextStep {
    /// Nothing: the same would happen again.
    GiveUp,
    /// Another attempt, elsewhere if possible. Counts as a retry.
    TryElsewhere,
    /// Another attempt after a pause, until the deadline. Does not count: the broker asked for it.
    WaitAndTry,
}

impl Refusal {
    /// True when other messages would fare no better there: not when the message is at fault, nor the route.
    pub(crate) fn speaks_against_the_broker(self) -> bool {
        match self.next {
            NextStep::GiveUp => false,
            NextStep::WaitAndTry => true,
            NextStep::TryElsewhere => !self.refresh_route,
        }
    }
}

/// Class name that brokers with ACL 1.0 put before the reason of a refusal.
const ACL_EXCEPTION: &str = "AclException";

/// The table. What is not listed is final and proves nothing.
pub(crate) fn judge(code: ResponseCode, remark: &str) -> Verdict {
    use NextStep::{GiveUp, TryElsewhere, WaitAndTry};
    let (proves_not_stored, next, refresh_route) = match code {
        ResponseCode::SUCCESS => return Verdict::Stored(SendStatus::SendOk),
        ResponseCode::FLUSH_DISK_TIMEOUT => return Verdict::Stored(SendStatus::FlushDiskTimeout),
        ResponseCode::SLAVE_NOT_AVAILABLE => return Verdict::Stored(SendStatus::SlaveNotAvailable),
        ResponseCode::FLUSH_SLAVE_TIMEOUT => return Verdict::Stored(SendStatus::FlushSlaveTimeout),
        // Flow control: refused before the store was reached.
        ResponseCode::SYSTEM_BUSY | ResponseCode::FLOW_CONTROL => (true, WaitAndTry, false),
        ResponseCode::GO_AWAY => (true, WaitAndTry, true),
        ResponseCode::SYSTEM_ERROR => system_error(remark),
        ResponseCode::MESSAGE_ILLEGAL
        | ResponseCode::REQUEST_CODE_NOT_SUPPORTED
        | ResponseCode::VERSION_NOT_SUPPORTED
        | ResponseCode::SUBSCRIPTION_GROUP_NOT_EXIST => (true, GiveUp, false),
        // Disk full, slave, store shut down: another broker may be well.
        ResponseCode::SERVICE_NOT_AVAILABLE => (true, TryElsewhere, false),
        ResponseCode::NO_PERMISSION => no_permission(remark),
        ResponseCode::TOPIC_NOT_EXIST => (true, TryElsewhere, true),
        // 5.3.3 and later: a queue id that the topic does not have (any more), or a bad topic name.
        ResponseCode::INVALID_PARAMETER if names_queue(remark) => (true, TryElsewhere, true),
        ResponseCode::INVALID_PARAMETER => (true, GiveUp, false),
        ResponseCode::NO_BUYER_ID | ResponseCode::NOT_IN_CURRENT_UNIT => (true, TryElsewhere, false),
        // A static topic that another broker leads now.
        ResponseCode::NOT_LEADER_FOR_QUEUE => (true, TryElsewhere, true),
        _ => (false, GiveUp, false),
    };
    let go_away = code == ResponseCode::GO_AWAY;
    Verdict::Refused(Refusal { proves_not_stored, next, refresh_route, go_away })
}

/// Code 1 stands for any exception of the server, so it proves nothing, unless the remark names a check
/// that comes before the store.
fn system_error(remark: &str) -> (bool, NextStep, bool) {
    if remark.contains(ACL_EXCEPTION) {
        (true, NextStep::GiveUp, false)
    } else if names_queue(remark) {
        (true, NextStep::TryElsewhere, true)
    } else if remark.contains("broker unable to service") {
        (true, NextStep::WaitAndTry, false)
    } else {
        (false, NextStep::TryElsewhere, false)
    }
}

/// Code 16 is an ACL refusal, final on every broker, or a broker or topic that takes no messages just now.
fn no_permission(remark: &str) -> (bool, NextStep, bool) {
    if remark.contains("] sending message is forbidden") {
        (true, NextStep::TryElsewhere, true)
    } else {
        (true, NextStep::GiveUp, false)
    }
}

fn names_queue(remark: &str) -> bool {
    remark.contains("request queueId[") && remark.contains("is illegal")
}
