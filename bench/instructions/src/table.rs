//! What is printed of a scenario, and the verdict.

use bench_instructions::scenarios::Scenario;

use crate::callgrind::Cost;

/// More than this much worse, in percent, fails. What callgrind counts repeats itself to far less.
const TOLERATED: f64 = 1.0;

/// The first line of the table.
pub(crate) const HEADER: &str =
    "scenario            per        instructions    baseline    change  allocations    baseline";

/// One scenario, now and when the baseline was made.
pub(crate) struct Row<'s> {
    pub(crate) scenario: &'s Scenario,
    pub(crate) was: Option<Cost>,
    pub(crate) now: Cost,
}

/// What a comparison comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Same,
    /// Less instructions: the baseline should follow.
    Better,
    /// More instructions.
    Worse,
    /// Not the same number of allocations.
    OtherAllocations,
    /// The baseline does not have it.
    New,
}

impl Verdict {
    pub(crate) fn is_fine(self) -> bool {
        matches!(self, Self::Same | Self::Better)
    }

    fn text(self) -> &'static str {
        match self {
            Self::Same => "",
            Self::Better => "better",
            Self::Worse => "WORSE",
            Self::OtherAllocations => "OTHER NUMBER OF ALLOCATIONS",
            Self::New => "NOT IN THE BASELINE",
        }
    }
}

impl Row<'_> {
    pub(crate) fn verdict(&self) -> Verdict {
        let Some(was) = &self.was else {
            return Verdict::New;
        };
        let change = self.change(was);
        if change > TOLERATED {
            Verdict::Worse
        } else if was.allocations != self.now.allocations {
            Verdict::OtherAllocations
        } else if change < -TOLERATED {
            Verdict::Better
        } else {
            Verdict::Same
        }
    }

    /// In percent.
    fn change(&self, was: &Cost) -> f64 {
        (self.now.instructions - was.instructions) * 100.0 / was.instructions
    }

    pub(crate) fn text(&self) -> String {
        let (instructions, allocations) = self.now.texts();
        let (was_instructions, was_allocations, change) = match &self.was {
            Some(was) => {
                let (instructions, allocations) = was.texts();
                (instructions, allocations, format!("{:+.2} %", self.change(was)))
            }
            None => ("-".to_owned(), "-".to_owned(), "-".to_owned()),
        };
        let line = format!(
            "{:<19} {:<8} {instructions:>14} {was_instructions:>11} {change:>9} {allocations:>12} {was_allocations:>11}  {}",
            self.scenario.name,
            self.scenario.operation,
            self.verdict().text()
        );
        line.trim_end().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use bench_instructions::scenarios::ALL;

    use super::{Row, Verdict};
    use crate::callgrind::Cost;

    fn verdict(was: Option<(f64, f64)>, now: (f64, f64)) -> Verdict {
        let cost = |(instructions, allocations)| Cost { instructions, allocations };
        Row { scenario: &ALL[0], was: was.map(cost), now: cost(now) }.verdict()
    }

    #[test]
    fn one_percent_and_any_allocation_count() {
        assert_eq!(verdict(Some((1_000.0, 0.0)), (1_010.0, 0.0)), Verdict::Same);
        assert_eq!(verdict(Some((1_000.0, 0.0)), (1_010.1, 0.0)), Verdict::Worse);
        assert_eq!(verdict(Some((1_000.0, 0.0)), (989.9, 0.0)), Verdict::Better);
        assert_eq!(verdict(Some((1_000.0, 0.0)), (1_000.0, 0.0001)), Verdict::OtherAllocations);
        // Fewer are a change as well, even where instructions became better.
        assert_eq!(verdict(Some((1_000.0, 2.0)), (900.0, 1.0)), Verdict::OtherAllocations);
        assert_eq!(verdict(None, (1_000.0, 0.0)), Verdict::New);
    }

    #[test]
    fn only_what_is_not_worse_passes() {
        let fine = |verdict: Verdict| verdict.is_fine();
        assert!(fine(Verdict::Same) && fine(Verdict::Better));
        assert!(!fine(Verdict::Worse) && !fine(Verdict::OtherAllocations) && !fine(Verdict::New));
    }
}
