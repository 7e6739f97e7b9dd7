//! One run: the server at the other end, the load, and what was seen of both.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::contract::{LoadResult, SinkStats};
use crate::load_program::{Folders, on_one_cpu_if};
use crate::machine::{CpuTime, cpu_of, cpu_of_ended_children};
use crate::plan::Cell;
use crate::process::{self, LineServer};
use crate::row::Row;
use crate::setting::{Form, Server, Setting};

/// A sink starts, answers and ends at once.
const SINK_LIMIT: Duration = Duration::from_secs(20);
const BROKER_START_LIMIT: Duration = Duration::from_secs(400);
const BROKER_END_LIMIT: Duration = Duration::from_secs(90);
/// A load gets this long, and ten times what it should need.
const LEAST_LOAD_LIMIT: f64 = 60.0;

/// How many messages a run sends.
#[derive(Clone, Copy, Debug)]
pub struct Amount {
    pub warm_up: u64,
    pub messages: u64,
}

/// A real name server and a real broker.
pub struct Broker {
    servers: LineServer,
    address: String,
    pid: u32,
}

impl Broker {
    /// `script` is tests/real/servers. Its brokers are made small for tests; here they get the compiler and the memory
    /// that a broker usually has.
    pub fn start(script: &Path) -> Result<Self> {
        let mut command = Command::new(script);
        command.args(["serve", "--broker-setting", "mappedFileSizeCommitLog=268435456"]);
        for option in ["-XX:TieredStopAtLevel=4", "-Xms512m", "-Xmx1g", "-XX:MaxDirectMemorySize=1g"] {
            command.args(["--java-option", option]);
        }
        let (servers, lines) = LineServer::start(&mut command, BROKER_START_LIMIT)?;
        let variable = |name: &str| {
            let value = lines.iter().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
            value.with_context(|| format!("{} did not print {name}", script.display()))
        };
        let address = variable("ROCKETMQ_NAME_SERVER")?.to_owned();
        let pid = variable("ROCKETMQ_BROKER_PIDS")?;
        let pid = pid.parse().with_context(|| format!("the broker's process is '{pid}', not one number"))?;
        Ok(Self { servers, address, pid })
    }

    pub fn end(self) -> Result<()> {
        self.servers.end(BROKER_END_LIMIT)
    }
}

/// Fills in the row of a run; what went wrong is in it as well.
pub fn run(folders: &Folders, broker: Option<&Broker>, cell: &Cell, amount: Amount, mut row: Row) -> Row {
    row.warm_up = amount.warm_up;
    let outcome = match (cell.setting.server, broker) {
        (Server::Sink, _) => beside_sink(folders, cell, amount, &mut row),
        (Server::Broker, Some(broker)) => beside_broker(folders, broker, cell, amount, &mut row),
        (Server::Broker, None) => Err(anyhow::anyhow!("no broker was started")),
    };
    row.trouble = outcome.err().map(|error| format!("{error:#}"));
    row
}

/// Each run has a sink of its own, so that nothing is left over from the run before.
fn beside_sink(folders: &Folders, cell: &Cell, amount: Amount, row: &mut Row) -> Result<()> {
    let (machine, ended) = (CpuTime::now()?, cpu_of_ended_children()?);
    let (mut sink, address) = start_sink(folders, &cell.setting)?;
    let result = run_load(folders, cell, amount, &address)?;
    row.take_sink(&SinkStats::parse(&sink.ask("stats", SINK_LIMIT)?)?);
    sink.end(SINK_LIMIT)?;
    row.others = Some(CpuTime::now()?.used_by_others_since(&machine, cpu_of_ended_children()? - ended));
    row.take_result(result);
    Ok(())
}

pub fn start_sink(folders: &Folders, setting: &Setting) -> Result<(LineServer, String)> {
    let program = folders.programs.join("sink");
    let mut command = on_one_cpu_if(setting.one_cpu, &program.to_string_lossy());
    command.args(["--answers", setting.answers.flag(), "--delay-us", &setting.delay_us.to_string()]);
    let (sink, lines) = LineServer::start(&mut command, SINK_LIMIT)?;
    let ready = lines.last().map(String::as_str).unwrap_or_default();
    let Some(address) = ready.strip_prefix("READY ") else { bail!("the sink's first line is '{ready}'") };
    Ok((sink, address.to_owned()))
}

fn beside_broker(
    folders: &Folders,
    broker: &Broker,
    cell: &Cell,
    amount: Amount,
    row: &mut Row,
) -> Result<()> {
    let (machine, ended, before) = (CpuTime::now()?, cpu_of_ended_children()?, cpu_of(broker.pid)?);
    let result = run_load(folders, cell, amount, &broker.address)?;
    let used = cpu_of(broker.pid)? - before;
    let ours = cpu_of_ended_children()? - ended + used;
    row.others = Some(CpuTime::now()?.used_by_others_since(&machine, ours));
    row.broker_cpu_seconds = Some(used);
    row.take_result(result);
    Ok(())
}

fn run_load(folders: &Folders, cell: &Cell, amount: Amount, address: &str) -> Result<LoadResult> {
    let mut command = cell.load.command(folders, address, &cell.setting);
    command.args(["--messages", &amount.messages.to_string(), "--warm-up", &amount.warm_up.to_string()]);
    let limit = LEAST_LOAD_LIMIT + 10.0 * cell.seconds(2.0);
    let lines = process::run(&mut command, Duration::from_secs_f64(limit))?;
    let result = LoadResult::find(lines.iter().map(String::as_str))?;
    check(&result, &cell.setting, amount)?;
    Ok(result)
}

/// A load that did something else than it was asked for must not be compared with the others.
fn check(result: &LoadResult, setting: &Setting, amount: Amount) -> Result<()> {
    let asked = [u64::from(setting.in_flight), u64::from(setting.body), amount.messages];
    let done = [result.in_flight, result.body_bytes, result.messages];
    ensure!(
        asked == done,
        "asked for in-flight number, body and messages {asked:?}, it says that it did {done:?}"
    );
    if let Some(serialize) = &result.serialize {
        ensure!(
            serialize == setting.requests.flag(),
            "asked for {:?}, it sent {serialize}",
            setting.requests
        );
    } else {
        ensure!(setting.requests == Form::Json, "it does not say that it sent binary requests");
    }
    ensure!(result.seconds > 0.0, "it says that it took {} s", result.seconds);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::tests::RESULT;

    #[test]
    fn a_load_that_did_something_else_is_found_out() {
        let amount = Amount { warm_up: 1, messages: 1000 };
        let result = LoadResult::find([RESULT]).unwrap();
        let check = |result: &LoadResult, setting: &Setting| super::check(result, setting, amount);
        let setting = Setting::DEFAULT;
        check(&result, &setting).unwrap();
        assert!(check(&result, &setting.in_flight(16)).is_err());
        assert!(check(&result, &setting.body(100)).is_err());
        assert!(check(&result, &setting.forms(Form::Binary, Form::Json)).is_err());
        assert!(check(&LoadResult { seconds: 0.0, ..result.clone() }, &setting).is_err());
        assert!(check(&LoadResult { messages: 999, ..result.clone() }, &setting).is_err());
        let silent = LoadResult { serialize: None, ..result };
        check(&silent, &setting).unwrap();
        assert!(check(&silent, &setting.forms(Form::Binary, Form::Binary)).is_err());
    }
}
