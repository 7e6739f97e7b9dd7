//! One session: what is drawn from a seed, and how carefully it is run.

use std::fmt;

use crate::world::plan::{FaultKind, Mode, Plan, RunOptions, RunReport, run_plan};
use crate::world::{Broken, Invariant, Mutant};

/// All that it takes to draw a plan again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Whether the world heals in the end.
    pub mode: Mode,
    /// The seed.
    pub seed: u64,
    /// The faults that are drawn from; none: all.
    pub only: Option<Vec<FaultKind>>,
    /// A fault that is left out of what was drawn; nothing else changes.
    pub without: Option<FaultKind>,
    /// Half messages, namespaces, message trace, hooks, VIP channels, heartbeats of version 2 and the latency-fault strategy
    /// are left out.
    pub plain: bool,
}

impl Session {
    /// Its plan: the same each time.
    pub fn plan(&self) -> Plan {
        let plan = Plan::draw(self.seed, self.mode, self.only.as_deref());
        let plan = if self.plain { plan.plain() } else { plan };
        self.without.map_or_else(|| plan.clone(), |kind| plan.without(kind))
    }

    /// Reads what [`Session`] writes: a mode, a seed, and sometimes `only=` with faults, `without=` with one, and
    /// `plain`.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn read(text: &str) -> Result<Session, String> {
        let mut words = text.split_whitespace();
        let mode = words.next().and_then(mode_named).ok_or("it starts with neither safety nor liveness")?;
        let seed =
            words.next().and_then(|word| word.parse().ok()).ok_or("there is no seed behind the mode")?;
        let mut session = Session { mode, seed, only: None, without: None, plain: false };
        for word in words {
            match word.split_once('=') {
                None if word == "plain" => session.plain = true,
                Some(("only", list)) => session.only = Some(read_faults(list)?),
                Some(("without", name)) => session.without = read_faults(name)?.first().copied(),
                _ => return Err(format!("{word:?} is not known here")),
            }
        }
        Ok(session)
    }
}

impl fmt::Display for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", mode_name(self.mode), self.seed)?;
        match self.only.as_deref() {
            None => {}
            Some([]) => f.write_str(" only=none")?,
            Some(kinds) => {
                let names: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
                write!(f, " only={}", names.join(","))?;
            }
        }
        self.without.map_or(Ok(()), |kind| write!(f, " without={}", kind.name()))?;
        if self.plain { f.write_str(" plain") } else { Ok(()) }
    }
}

/// The name of a mode, as files and flags write it.
pub fn mode_name(mode: Mode) -> &'static str {
    match mode {
        Mode::Safety => "safety",
        Mode::Liveness => "liveness",
    }
}

/// The mode of this name.
pub fn mode_named(name: &str) -> Option<Mode> {
    [Mode::Safety, Mode::Liveness].into_iter().find(|mode| mode_name(*mode) == name)
}

/// Reads names of faults, separated by commas; `none` is no fault at all.
///
/// # Errors
/// The name that no fault has, with all names that there are.
pub fn read_faults(list: &str) -> Result<Vec<FaultKind>, String> {
    if list == "none" {
        return Ok(Vec::new());
    }
    let read = |name: &str| {
        let found = FaultKind::ALL.iter().find(|kind| kind.name() == name);
        let names = || FaultKind::ALL.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", ");
        found.copied().ok_or_else(|| format!("there is no fault {name:?}, but there are: {}", names()))
    };
    list.split(',').map(|name| read(name.trim())).collect()
}

/// What is checked beyond the invariants that every run checks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Care {
    /// The plan runs twice, and the hashes over all inputs and actions must be the same.
    pub repeated: bool,
    /// The inputs are given to further clients whose actions are taken at other moments: they must be the same.
    pub replayed: bool,
    /// What is broken on purpose.
    pub mutant: Option<Mutant>,
}

/// Runs a plan without its story; with `care.repeated` a second time.
pub fn run(plan: &Plan, care: Care) -> RunReport {
    let options = RunOptions { silent: true, records: care.replayed, mutant: care.mutant };
    let mut report = run_plan(plan, &options);
    if care.repeated && report.broken.is_none() {
        report.checked.count(Invariant::Determinism);
        let again = run_plan(plan, &options).hash;
        if again != report.hash {
            let text = format!("the hash was {:016x} and then {again:016x}", report.hash);
            report.broken = Some(Broken { invariant: Invariant::Determinism, text });
        }
    }
    report
}

/// Runs a plan with its story.
pub fn run_with_story(plan: &Plan, mutant: Option<Mutant>) -> RunReport {
    run_plan(plan, &RunOptions { silent: false, records: false, mutant })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_read_as_it_is_written() {
        let some = vec![FaultKind::ALL[0], FaultKind::ALL[1]];
        for only in [None, Some(Vec::new()), Some(some)] {
            for (mode, without) in [(Mode::Safety, None), (Mode::Liveness, Some(FaultKind::ALL[2]))] {
                let plain = without.is_none();
                let session = Session { mode, seed: u64::MAX - 1, only: only.clone(), without, plain };
                assert_eq!(Session::read(&session.to_string()), Ok(session));
            }
        }
    }

    #[test]
    fn what_is_no_session_is_told() {
        for (text, why) in [
            ("", "neither safety nor liveness"),
            ("safely 2", "neither safety nor liveness"),
            ("safety", "no seed"),
            ("safety -4", "no seed"),
            ("safety 4 never", "\"never\""),
            ("safety 4 only=lightning", "no fault \"lightning\""),
        ] {
            let complaint = Session::read(text).expect_err(text);
            assert!(complaint.contains(why), "{text:?}: {complaint}");
        }
    }
}
