//! What to do after an attempt failed: a pure decision over small values.

use super::judge::NextStep;
use crate::interface::Resend;

/// How an attempt failed, as far as the decision needs it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Failed {
    /// It never left: no connection, or withdrawn before it was written.
    Unwritten,
    /// It left and nothing is known: time-out, lost connection, unreadable answer.
    Unknown,
    /// The broker refused it.
    Refused { proves_not_stored: bool, next: NextStep },
}

/// The facts of the send.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Facts {
    pub(crate) resend: Resend,
    /// Attempts so far that count against `retries`, this one not included.
    pub(crate) counted: u32,
    pub(crate) retries: u32,
    /// A queue on another broker that looks well may be chosen.
    pub(crate) alternative: bool,
    /// Pauses, and refusals that asked to wait, before this attempt.
    pub(crate) waits: u32,
}

/// What comes next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Next {
    /// Another attempt, at once.
    Again,
    /// Another attempt after a pause.
    AgainAfterPause,
    /// The end: the refusal is final.
    Refused,
    /// The end: no attempt is left.
    Exhausted,
    /// The end: another attempt could make a second copy.
    ResendForbidden,
}

/// The decision, and whether the attempt counts against the retries.
pub(crate) fn after_failure(facts: Facts, failed: Failed) -> (Next, bool) {
    let proves_not_stored = match failed {
        Failed::Unwritten => true,
        Failed::Unknown => false,
        Failed::Refused { proves_not_stored, .. } => proves_not_stored,
    };
    let counts = match failed {
        Failed::Unwritten => false,
        Failed::Unknown => true,
        Failed::Refused { next, .. } => next != NextStep::WaitAndTry,
    };
    if matches!(failed, Failed::Refused { next: NextStep::GiveUp, .. }) {
        return (Next::Refused, counts);
    }
    if counts && facts.counted >= facts.retries {
        return (Next::Exhausted, counts);
    }
    if !proves_not_stored && facts.resend == Resend::OnlyWhenNotStored {
        return (Next::ResendForbidden, counts);
    }
    // A pause helps where the same broker is asked again; and when it is not the only one that asks to wait.
    let waits = matches!(failed, Failed::Refused { next: NextStep::WaitAndTry, .. }) && facts.waits > 0;
    if facts.alternative && !waits { (Next::Again, counts) } else { (Next::AgainAfterPause, counts) }
}
