//! Which faults were injected in many runs, and how often each changed an outcome: runs are repeated without one kind
//! of fault, and what became of every send is compared.

use std::fmt;
use std::ops::Range;

use super::{
    FAULT_ROWS, FaultClass, FaultCounts, FaultKind, FaultRow, Mode, Plan, RunOptions, RunReport, Where,
    run_plan,
};
use crate::world::Reached;

/// What many runs have covered.
#[derive(Debug, Clone, Default)]
pub struct CoverageReport {
    /// Plans that ran.
    pub runs: u64,
    /// How often each kind was injected.
    pub injected: FaultCounts,
    /// How many runs were repeated without each kind.
    pub tried: FaultCounts,
    /// How many of those came out otherwise.
    pub changed: FaultCounts,
    /// Which states were reached.
    pub reached: Reached,
}

/// Runs these seeds, and every `sample_every`th of them also without each of its kinds of faults.
pub fn coverage(mode: Mode, seeds: Range<u64>, sample_every: u64) -> CoverageReport {
    let mut report = CoverageReport::default();
    for seed in seeds {
        let plan = Plan::draw(seed, mode, None);
        report.note(&run_plan(&plan, &OPTIONS));
        if seed % sample_every.max(1) == 0 {
            report.compare(&plan, &plan.faults());
        }
    }
    report
}

const OPTIONS: RunOptions = RunOptions { silent: true, records: false, mutant: None };

impl CoverageReport {
    /// Notes an ordinary run.
    pub fn note(&mut self, run: &RunReport) {
        self.runs += 1;
        self.injected.add(&run.faults);
        self.reached.add(&run.reached);
    }

    /// Adds what other runs have covered.
    pub fn add(&mut self, other: &CoverageReport) {
        self.runs += other.runs;
        self.injected.add(&other.injected);
        self.tried.add(&other.tried);
        self.changed.add(&other.changed);
        self.reached.add(&other.reached);
    }

    /// Runs a plan with and without each of these kinds. The network's own dice rest meanwhile, so that a difference
    /// comes from the fault and not from other dice.
    pub fn compare(&mut self, plan: &Plan, kinds: &[FaultKind]) {
        let quiet = quiet(plan, None);
        let base = run_plan(&quiet, &OPTIONS);
        for kind in kinds {
            let (with, without) = match kind.class() {
                _ if *kind == FaultKind::Everything => {
                    (base.clone(), run_plan(&quiet.without(*kind), &OPTIONS))
                }
                FaultClass::Everywhere => (run_plan(&self::quiet(plan, Some(*kind)), &OPTIONS), base.clone()),
                _ => (base.clone(), run_plan(&quiet.without(*kind), &OPTIONS)),
            };
            self.tried.count(*kind, 1);
            self.changed.count(*kind, u64::from(with.differences(&without) > 0));
        }
    }

    /// Runs plans that have one kind of fault only, with and without it, until one comes out otherwise, or `most` of
    /// them did not. For kinds of which a sample has few.
    pub fn compare_alone(&mut self, mode: Mode, kind: FaultKind, seeds: Range<u64>) {
        for seed in seeds {
            if self.changed.of(kind) > 0 {
                return;
            }
            let plan = Plan::draw(seed, mode, Some(&[kind]));
            self.compare(&plan, &[kind]);
        }
    }

    /// Kinds that were never injected.
    pub fn never_injected(&self) -> Vec<FaultKind> {
        self.injected.iter().filter(|(_, count)| *count == 0).map(|(kind, _)| kind).collect()
    }

    /// Kinds that could change an outcome and never did.
    pub fn never_changed(&self) -> Vec<FaultKind> {
        let silent = self.changed.iter().filter(|(_, count)| *count == 0).map(|(kind, _)| kind);
        silent.filter(|kind| kind.harmless_because().is_none()).collect()
    }

    /// States that were never reached.
    pub fn never_reached(&self) -> Vec<&'static str> {
        self.reached.fields().into_iter().filter(|(_, count)| *count == 0).map(|(name, _)| name).collect()
    }
}

/// The plan with a network whose latency is always the same, and without settings that go wrong, except one.
fn quiet(plan: &Plan, except: Option<FaultKind>) -> Plan {
    let mut plan = plan.clone();
    plan.shape.network.jitter_us = 0;
    for kind in FaultKind::ALL {
        if kind.class() == FaultClass::Everywhere && *kind != FaultKind::Everything && Some(*kind) != except {
            plan.shape.calm(*kind);
        }
    }
    plan
}

impl fmt::Display for CoverageReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:>3}  {:<58} {:>10} {:>8} {:>8}", "row", "fault", "injected", "compared", "changed")?;
        for row in &FAULT_ROWS {
            write!(f, "{:>3}  {:<58}", row.number, row.fault)?;
            self.write_counts(f, row)?;
        }
        writeln!(f, "\n{:<26} {:<8} {:>10} {:>8} {:>8}", "kind", "rows", "injected", "compared", "changed")?;
        for (kind, injected) in self.injected.iter() {
            let rows: Vec<String> = kind.rows().iter().map(ToString::to_string).collect();
            let (tried, changed) = (self.tried.of(kind), self.changed.of(kind));
            write!(f, "{:<26} {:<8} {injected:>10} {tried:>8} {changed:>8}", kind.name(), rows.join(" "))?;
            writeln!(f, "  {}", kind.harmless_because().unwrap_or_default())?;
        }
        writeln!(f, "\n{:<32} {:>10}", "state", "reached")?;
        for (state, count) in self.reached.fields() {
            writeln!(f, "{state:<32} {count:>10}")?;
        }
        Ok(())
    }
}

impl CoverageReport {
    fn write_counts(&self, f: &mut fmt::Formatter<'_>, row: &FaultRow) -> fmt::Result {
        let number = row.number;
        match row.place {
            Where::Here | Where::HereAnd(_) => {
                let (injected, tried) = (self.injected.of_row(number), self.tried.of_row(number));
                write!(f, " {injected:>10} {tried:>8} {:>8}", self.changed.of_row(number))?;
                match row.place {
                    Where::HereAnd(also) => writeln!(f, "  also: {also}"),
                    _ => writeln!(f),
                }
            }
            Where::Elsewhere(suite) => writeln!(f, " {:>28}  in: {suite}", "-"),
            Where::ToCome(feature) => writeln!(f, " {:>28}  to come with: {feature}", "-"),
        }
    }
}
