//! The committed figures.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use bench_instructions::scenarios::ALL;

use crate::callgrind::{Cost, Error};

const TOOLS: &str = "# Made by bench/instructions/run --bless with ";
const COLUMNS: &str = "scenario\toperation\tinstructions\tallocations";

/// Scenario by scenario what an operation cost when the baseline was made.
#[derive(Default)]
pub(crate) struct Baseline {
    tools: String,
    costs: BTreeMap<String, Cost>,
}

impl Baseline {
    /// Reads the file; an empty baseline when there is none.
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        match fs::read_to_string(path) {
            Ok(text) => {
                Self::parse(&text).map_err(|line| Error::new(format!("{}: bad line: {line}", path.display())))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(Error::new(format!("cannot read {}: {error}", path.display()))),
        }
    }

    /// The line that is wrong, if one is.
    fn parse(text: &str) -> Result<Self, String> {
        let mut baseline = Self::default();
        for line in text.lines().filter(|line| *line != COLUMNS) {
            if let Some(tools) = line.strip_prefix(TOOLS) {
                baseline.tools = tools.to_owned();
            } else if !line.starts_with('#') {
                let (name, cost) = read_line(line).ok_or_else(|| line.to_owned())?;
                baseline.costs.insert(name, cost);
            }
        }
        Ok(baseline)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Cost> {
        self.costs.get(name)
    }

    pub(crate) fn set(&mut self, name: &str, cost: Cost) {
        self.costs.insert(name.to_owned(), cost);
    }

    /// The tools it was made with.
    pub(crate) fn tools(&self) -> &str {
        &self.tools
    }

    pub(crate) fn write(&self, path: &Path, tools: &str) -> Result<(), Error> {
        fs::write(path, self.text(tools))
            .map_err(|error| Error::new(format!("cannot write {}: {error}", path.display())))
    }

    /// What it has of the scenarios that there are.
    fn text(&self, tools: &str) -> String {
        let mut text = format!("{TOOLS}{tools}\n{COLUMNS}\n");
        for scenario in ALL {
            if let Some(cost) = self.get(scenario.name) {
                let (instructions, allocations) = cost.texts();
                let (name, operation) = (scenario.name, scenario.operation);
                text += &format!("{name}\t{operation}\t{instructions}\t{allocations}\n");
            }
        }
        text
    }
}

fn read_line(line: &str) -> Option<(String, Cost)> {
    let mut columns = line.split('\t');
    let (name, _operation) = (columns.next()?, columns.next()?);
    let instructions = columns.next()?.parse().ok()?;
    let allocations = columns.next()?.parse().ok()?;
    Some((name.to_owned(), Cost { instructions, allocations }))
}

#[cfg(test)]
mod tests {
    use super::Baseline;
    use crate::callgrind::Cost;

    #[test]
    fn what_is_written_is_read() {
        let name = bench_instructions::scenarios::ALL[3].name;
        let cost = Cost { instructions: 1234.5, allocations: 0.0625 };
        let mut baseline = Baseline::default();
        baseline.set(name, cost.clone());
        baseline.set("gone", cost.clone());
        let text = baseline.text("tools of today");
        let read = Baseline::parse(&text).expect("it can be read");
        assert_eq!(read.get(name), Some(&cost));
        assert_eq!(read.get("gone"), None, "scenarios that are no more are left out");
        assert_eq!(read.tools(), "tools of today");
    }

    #[test]
    fn a_bad_line_is_told() {
        assert_eq!(Baseline::parse("a\tsend\tmany\t0\n").err().as_deref(), Some("a\tsend\tmany\t0"));
        assert_eq!(Baseline::parse("<<<<<<< ours\n").err().as_deref(), Some("<<<<<<< ours"));
    }
}
