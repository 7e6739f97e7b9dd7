//! Figures that are not of a load: the core alone, its growth, start, idle client, instruction counts.

use std::path::Path;
use std::process::Command;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::Value;

use crate::load_program::Folders;
use crate::plan::{IDLE_SECONDS, Part};
use crate::process;
use crate::row::Row;
use crate::run_cell::start_sink;
use crate::setting::Setting;

const LIMIT: Duration = Duration::from_secs(600);
const RUNTIMES: [&str; 2] = ["tokio", "smol"];

/// Idle clients, each beside its own sink, while everything else is measured: they hardly use the machine, and their
/// wake-ups are counted, not timed.
pub struct IdleClients {
    clients: Vec<(String, JoinHandle<Result<Vec<String>>>)>,
}

impl IdleClients {
    pub fn start(folders: &Folders) -> Self {
        let clients = RUNTIMES.map(|runtime| {
            let folders = folders.clone();
            let client = std::thread::spawn(move || {
                let (sink, address) = start_sink(&folders, &Setting::DEFAULT)?;
                let mut command = Command::new(folders.programs.join("idle"));
                command.args(["--name-server", &address, "--runtime", runtime]);
                command.args(["--seconds", &IDLE_SECONDS.to_string()]);
                let lines = process::run(&mut command, Duration::from_secs(IDLE_SECONDS) + LIMIT)?;
                sink.end(LIMIT)?;
                Ok(lines)
            });
            (format!("idle {runtime}"), client)
        });
        Self { clients: clients.into() }
    }

    pub fn rows(self) -> Vec<Row> {
        let rows = self.clients.into_iter().flat_map(|(name, client)| {
            let lines = client.join().unwrap_or_else(|_| Err(anyhow::anyhow!("its thread has panicked")));
            rows_of(&name, "IDLE ", lines)
        });
        rows.collect()
    }
}

/// The core alone with both forms of headers, its growth, the start of a client, and the committed instruction counts.
pub fn measure(folders: &Folders, quick: bool, bench: &Path) -> Vec<Row> {
    let rounds = if quick { "3" } else { "9" };
    let run = |program: &str, arguments: &[&str]| {
        process::run(Command::new(folders.programs.join(program)).args(arguments), LIMIT)
    };
    let mut rows = Vec::new();
    for (name, form) in [("core JSON", "json"), ("core binary", "rocketmq")] {
        let arguments = ["send", "--rounds", rounds, "--serialize", form, "--answers", form];
        rows.extend(rows_of(name, "CORE ", run("core_cost", &arguments)));
    }
    if !quick {
        rows.extend(rows_of("growth", "GROWTH ", run("core_cost", &["growth"])));
        for runtime in RUNTIMES {
            rows.extend(rows_of(&format!("start {runtime}"), "START ", start(folders, runtime)));
        }
    }
    rows.extend(rows_from("instructions", instructions(&bench.join("instructions/baseline.tsv"))));
    rows
}

/// Name server and broker are one sink; with two names for its address, the client connects twice, as it does outside.
fn start(folders: &Folders, runtime: &str) -> Result<Vec<String>> {
    let (sink, address) = start_sink(folders, &Setting::DEFAULT)?;
    let port = address.rsplit(':').next().unwrap_or_default();
    let name_server = format!("localhost:{port}");
    let mut command = Command::new(folders.programs.join("start"));
    let lines = process::run(command.args(["--name-server", &name_server, "--runtime", runtime]), LIMIT)?;
    sink.end(LIMIT)?;
    Ok(lines)
}

/// A row for each number in each of the lines `<PREFIX>{…}`.
fn rows_of(name: &str, prefix: &str, lines: Result<Vec<String>>) -> Vec<Row> {
    rows_from(name, lines.and_then(|lines| figures(prefix, &lines)))
}

/// Figures of a series get its name and their size as well.
fn rows_from(name: &str, figures: Result<Vec<Named>>) -> Vec<Row> {
    match figures {
        Ok(figures) => {
            let row = |figure: Named| {
                let name =
                    figure.series.map_or_else(|| name.to_owned(), |series| format!("{name}: {series}"));
                let mut row = Row::new(&Part::Core.name(), 1, &name, &Setting::DEFAULT);
                (row.measure, row.value) = (Some(figure.measure), Some(figure.value));
                row
            };
            figures.into_iter().map(row).collect()
        }
        Err(error) => {
            let mut row = Row::new(&Part::Core.name(), 1, name, &Setting::DEFAULT);
            row.trouble = Some(format!("{error:#}"));
            eprintln!("  {name}: {error:#}");
            vec![row]
        }
    }
}

struct Named {
    series: Option<String>,
    measure: String,
    value: f64,
}

fn figures(prefix: &str, lines: &[String]) -> Result<Vec<Named>> {
    let mut figures = Vec::new();
    for text in lines.iter().filter_map(|line| line.strip_prefix(prefix)) {
        let value: Value = serde_json::from_str(text).with_context(|| format!("its line {prefix}{text}"))?;
        let fields = value.as_object().with_context(|| format!("its line {prefix}{text}"))?;
        let series = fields.get("series").and_then(Value::as_str).map(|series| {
            let size = fields.get("size").and_then(Value::as_u64).unwrap_or_default();
            format!("{series} {size}")
        });
        let numbers = fields.iter().filter_map(|(name, value)| Some((name, value.as_f64()?)));
        figures.extend(numbers.map(|(name, value)| Named {
            series: series.clone(),
            measure: name.clone(),
            value,
        }));
    }
    ensure!(!figures.is_empty(), "it printed no line that begins with {prefix}");
    Ok(figures)
}

/// Counted by `bench/instructions/run`, which needs no quiet machine: its committed table is as good as a new one.
fn instructions(baseline: &Path) -> Result<Vec<Named>> {
    #[derive(Deserialize)]
    struct Counted {
        scenario: String,
        instructions: f64,
        allocations: f64,
    }
    let mut table = csv::ReaderBuilder::new()
        .delimiter(b'\t')
        .comment(Some(b'#'))
        .from_path(baseline)
        .with_context(|| format!("{} cannot be read", baseline.display()))?;
    let mut figures = Vec::new();
    for counted in table.deserialize() {
        let Counted { scenario, instructions, allocations } =
            counted.with_context(|| format!("{} is not understood", baseline.display()))?;
        for (measure, value) in [("instructions", instructions), ("allocations", allocations)] {
            figures.push(Named { series: Some(scenario.clone()), measure: measure.to_owned(), value });
        }
    }
    Ok(figures)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_of_a_line_becomes_a_row() {
        let lines = [
            r#"GROWTH {"series":"topics","size":1,"ns_per_send":200.5,"allocations_per_send":null,"ratio":1.0}"#,
            "something else",
            r#"GROWTH {"series":"topics","size":10,"ns_per_send":210.0,"allocations_per_send":null,"ratio":1.05}"#,
        ];
        let rows = rows_of("growth", "GROWTH ", Ok(lines.map(str::to_owned).to_vec()));
        assert_eq!(rows.len(), 6);
        assert!(rows[..3].iter().all(|row| row.name == "growth: topics 1" && !row.counts()));
        assert!(rows[3..].iter().all(|row| row.name == "growth: topics 10"));
        let ratios: Vec<_> =
            rows.iter().filter(|row| row.measure.as_deref() == Some("ratio")).map(|row| row.value).collect();
        assert_eq!(ratios, [Some(1.0), Some(1.05)]);
    }

    #[test]
    fn the_table_of_instructions_is_read() {
        let path = std::env::temp_dir().join(format!("bench-runner-baseline-{}.tsv", std::process::id()));
        let text =
            "# with rustc\nscenario\toperation\tinstructions\tallocations\nencode-json\trequest\t930.5\t2\n";
        std::fs::write(&path, text).unwrap();
        let rows = rows_from("instructions", instructions(&path));
        let found: Vec<_> =
            rows.iter().map(|row| (row.name.as_str(), row.measure.as_deref(), row.value)).collect();
        let name = "instructions: encode-json";
        assert_eq!(
            found,
            [(name, Some("instructions"), Some(930.5)), (name, Some("allocations"), Some(2.0))]
        );
        std::fs::write(&path, "scenario\tother\nencode-json\t1\n").unwrap();
        assert!(rows_from("instructions", instructions(&path))[0].trouble.is_some());
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn a_program_that_fails_leaves_a_row_with_its_trouble() {
        let of =
            |lines: Result<Vec<String>>| rows_of("start tokio", "START ", lines).remove(0).trouble.unwrap();
        assert!(of(Ok(vec!["hello".to_owned()])).contains("START"));
        assert!(of(Ok(vec!["START nonsense".to_owned()])).contains("nonsense"));
        assert!(of(Err(anyhow::anyhow!("it is not there"))).contains("not there"));
    }
}
