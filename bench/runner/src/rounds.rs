//! Calibration, then the rounds: every load of a group runs in every round, one after another, so that what slows the
//! machine for a while slows all of them.

use std::collections::{HashMap, HashSet};

use anyhow::Result;

use crate::load_program::{Family, Folders};
use crate::machine::{IDLE_ENOUGH, idle_now};
use crate::plan::{CALIBRATION_SECONDS, Cell, Group, Plan};
use crate::results_file::ResultsFile;
use crate::row::{CALIBRATION, Row};
use crate::run_cell::{self, Amount, Broker};
use crate::setting::{Server, Setting};
use crate::statistics::short;

/// A calibration run shorter than this says nothing yet.
const LEAST_CALIBRATION_SECONDS: f64 = 0.1;
const MOST_CALIBRATIONS: u32 = 3;
/// However slow a load is: latencies want a few messages.
const LEAST_MESSAGES: u64 = 20;

/// A load under one setting: what calibration is about.
type Key = (&'static str, Setting);

pub struct Rounds<'a> {
    plan: &'a Plan,
    folders: &'a Folders,
    file: ResultsFile,
    pub rows: Vec<Row>,
    /// Messages per second of each load that could run.
    speeds: HashMap<Key, f64>,
    broken: HashSet<Key>,
}

impl<'a> Rounds<'a> {
    pub fn new(plan: &'a Plan, folders: &'a Folders, file: ResultsFile) -> Self {
        Self { plan, folders, file, rows: Vec::new(), speeds: HashMap::new(), broken: HashSet::new() }
    }

    pub fn add(&mut self, row: Row) -> Result<()> {
        self.file.add(&row)?;
        self.rows.push(row);
        Ok(())
    }

    /// All groups whose server is this one.
    pub fn run_all(&mut self, server: Server, broker: Option<&Broker>) -> Result<()> {
        let groups: Vec<&Group> = self.plan.groups.iter().filter(|group| group.server() == server).collect();
        for cell in groups.iter().flat_map(|group| &group.cells) {
            self.calibrate(cell, broker)?;
        }
        let rounds = self.plan.rounds(server);
        for round in 1..=rounds {
            for group in groups.iter().filter(|group| round <= group.rounds) {
                self.run_group(group, round, rounds, broker)?;
            }
        }
        Ok(())
    }

    fn run_group(&mut self, group: &Group, round: u32, rounds: u32, broker: Option<&Broker>) -> Result<()> {
        let idle = idle_now()?;
        let judgement = if idle >= IDLE_ENOUGH { "idle" } else { "NOT IDLE" };
        let condition = group.cells.first().map(|cell| cell.setting.condition_text()).unwrap_or_default();
        eprintln!("round {round} of {rounds}: {condition}: machine {judgement}, {:.1} %", idle * 100.0);
        for cell in &group.cells {
            let key = (cell.load.name, cell.setting);
            let Some(&speed) = self.speeds.get(&key).filter(|_| !self.broken.contains(&key)) else {
                continue;
            };
            let amount = amount(cell, speed, cell.warm_up(), self.plan.choice.seconds);
            let mut row = Row::new(&group.part.name(), round, cell.load.name, &cell.setting);
            row.idle = Some(idle);
            let row = run_cell::run(self.folders, broker, cell, amount, row);
            say(cell, &row);
            self.speeds.extend(row.per_second().map(|speed| (key, speed)));
            self.add(row)?;
        }
        Ok(())
    }

    /// Finds out how fast the load is; one that cannot run at all is left out from then on.
    fn calibrate(&mut self, cell: &Cell, broker: Option<&Broker>) -> Result<()> {
        let key = (cell.load.name, cell.setting);
        let mut speed = cell.load.first_guess(&cell.setting);
        for _ in 0..MOST_CALIBRATIONS {
            let amount = amount(cell, speed, cell.calibration_warm_up(), CALIBRATION_SECONDS);
            let row = Row::new("calibration", CALIBRATION, cell.load.name, &cell.setting);
            let row = run_cell::run(self.folders, broker, cell, amount, row);
            let (found, seconds) = (row.per_second(), row.seconds);
            if row.trouble.is_some() || found.is_none() {
                say(cell, &row);
                self.broken.insert(key);
                return self.add(row);
            }
            self.add(row)?;
            speed = found.unwrap_or(speed);
            if cell.setting.rate.is_some() || seconds.is_some_and(|s| s >= LEAST_CALIBRATION_SECONDS) {
                break;
            }
        }
        self.speeds.insert(key, speed);
        Ok(())
    }
}

/// At a fixed rate the messages follow from it. A peer's warm-up is not held to the rate: it gets as many messages as in
/// its other runs, or a compiler would still be at work in the measured phase.
fn amount(cell: &Cell, speed: f64, warm_up: f64, seconds: f64) -> Amount {
    let least = u64::from(cell.setting.in_flight) * 2;
    let rate = cell.setting.rate.map(f64::from);
    let warm_up_speed = match (rate, cell.load.family) {
        (Some(_), Family::Peer) => cell.load.first_guess(&cell.setting),
        (Some(rate), Family::Ours | Family::Floor) => rate,
        (None, _) => speed,
    };
    let messages = (rate.unwrap_or(speed) * seconds) as u64;
    let messages = if rate.is_some() { messages } else { messages.max(least) };
    Amount { warm_up: ((warm_up_speed * warm_up) as u64).max(least), messages: messages.max(LEAST_MESSAGES) }
}

fn say(cell: &Cell, row: &Row) {
    let name = format!("  {} ({})", cell.load.name, cell.setting.forms_text());
    if let Some(trouble) = &row.trouble {
        eprintln!("{name}: {trouble}");
        return;
    }
    let figure = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), short);
    let failed = row.failed.filter(|&failed| failed > 0).map(|failed| {
        let error = row.first_error.as_deref().unwrap_or("no reason given");
        format!(", {failed} FAILED, the first one: {error}")
    });
    eprintln!(
        "{name}: {} /s, {} µs CPU, p50 {} µs, p99 {} µs{}",
        figure(row.per_second()),
        figure(row.cpu_us()),
        figure(row.p50_us),
        figure(row.p99_us),
        failed.unwrap_or_default(),
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load_program::TOKIO;
    use crate::peers::JAVA_ASYNC;

    #[test]
    fn runs_are_as_long_as_they_should_be() {
        let cell = Cell { load: TOKIO, setting: Setting::DEFAULT };
        let of = |cell: &Cell, speed| {
            let Amount { warm_up, messages } = amount(cell, speed, cell.warm_up(), 2.0);
            (warm_up, messages)
        };
        assert_eq!(of(&cell, 1_000_000.0), (300_000, 2_000_000));
        assert_eq!(of(&cell, 10.0), (512, 512), "each place in flight is used twice");
        let lonely = Cell { setting: Setting::DEFAULT.in_flight(1), ..cell };
        assert_eq!(of(&lonely, 1.0), (2, 20));
    }

    #[test]
    fn a_fixed_rate_says_how_many_messages_there_are() {
        let setting = Setting::DEFAULT.rate(1000);
        let of = |load| amount(&Cell { load, setting }, 5.0, 8.0, 2.0);
        assert_eq!(of(TOKIO).messages, 2000);
        assert_eq!(of(TOKIO).warm_up, 8000);
        assert_eq!(of(JAVA_ASYNC).messages, 2000);
        assert!(of(JAVA_ASYNC).warm_up > 100_000);
    }
}
