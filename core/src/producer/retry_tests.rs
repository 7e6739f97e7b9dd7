use super::judge::NextStep;
use super::retry::{Facts, Failed, Next, after_failure};
use crate::interface::Resend;

const FACTS: Facts =
    Facts { resend: Resend::WhenMayBeStored, counted: 0, retries: 2, alternative: true, waits: 0 };

fn refused(proves_not_stored: bool, next: NextStep) -> Failed {
    Failed::Refused { proves_not_stored, next }
}

#[test]
fn the_table() {
    let alone = Facts { alternative: false, ..FACTS };
    let used_up = Facts { counted: 2, ..FACTS };
    let careful = Facts { resend: Resend::OnlyWhenNotStored, ..FACTS };
    let paused = Facts { waits: 1, ..FACTS };
    let cases = [
        ("never left", FACTS, Failed::Unwritten, (Next::Again, false)),
        ("never left, one broker", alone, Failed::Unwritten, (Next::AgainAfterPause, false)),
        ("never left, no retries left", used_up, Failed::Unwritten, (Next::Again, false)),
        ("unknown", FACTS, Failed::Unknown, (Next::Again, true)),
        ("unknown, one broker", alone, Failed::Unknown, (Next::AgainAfterPause, true)),
        ("unknown, no retries left", used_up, Failed::Unknown, (Next::Exhausted, true)),
        ("unknown, careful", careful, Failed::Unknown, (Next::ResendForbidden, true)),
        ("never left, careful", careful, Failed::Unwritten, (Next::Again, false)),
        ("final", FACTS, refused(true, NextStep::GiveUp), (Next::Refused, true)),
        ("final, unproven", FACTS, refused(false, NextStep::GiveUp), (Next::Refused, true)),
        ("elsewhere", FACTS, refused(true, NextStep::TryElsewhere), (Next::Again, true)),
        ("elsewhere, alone", alone, refused(true, NextStep::TryElsewhere), (Next::AgainAfterPause, true)),
        ("elsewhere, used up", used_up, refused(true, NextStep::TryElsewhere), (Next::Exhausted, true)),
        ("elsewhere, careful", careful, refused(true, NextStep::TryElsewhere), (Next::Again, true)),
        ("unproven, careful", careful, refused(false, NextStep::TryElsewhere), (Next::ResendForbidden, true)),
        ("busy", FACTS, refused(true, NextStep::WaitAndTry), (Next::Again, false)),
        ("busy again", paused, refused(true, NextStep::WaitAndTry), (Next::AgainAfterPause, false)),
        ("busy, alone", alone, refused(true, NextStep::WaitAndTry), (Next::AgainAfterPause, false)),
        ("busy, used up", used_up, refused(true, NextStep::WaitAndTry), (Next::Again, false)),
    ];
    for (name, facts, failed, expected) in cases {
        assert_eq!(after_failure(facts, failed), expected, "{name}");
    }
}
