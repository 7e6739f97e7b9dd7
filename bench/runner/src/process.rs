//! Processes with pipes and time limits: a program that runs to its end, and a server that is spoken to by line.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// How many of the last lines of a program's standard error an error message repeats.
const LAST_LINES: usize = 12;
const LAST_WORDS_LIMIT: Duration = Duration::from_secs(1);
const BETWEEN_LOOKS: Duration = Duration::from_millis(2);

/// Runs a program to its end and returns the lines it printed; an exit status other than 0 is an error.
pub fn run(command: &mut Command, limit: Duration) -> Result<Vec<String>> {
    let mut program = Program::start(command.stdin(Stdio::null()), limit)?;
    let lines = match program.read_to_end(limit) {
        Ok(lines) => lines,
        Err(error) => return Err(program.explain(error)),
    };
    match program.wait(limit) {
        Ok(status) if status.success() => Ok(lines),
        Ok(status) => Err(program.explain(anyhow::anyhow!("it ended with {status}"))),
        Err(error) => Err(program.explain(error)),
    }
}

/// A server that says when it is ready, answers questions line by line, and ends at the end of its standard input.
pub struct LineServer {
    program: Program,
    input: Option<ChildStdin>,
}

impl LineServer {
    /// Returns the lines up to the one that begins with `READY`, this one included.
    pub fn start(command: &mut Command, limit: Duration) -> Result<(Self, Vec<String>)> {
        let mut program = Program::start(command.stdin(Stdio::piped()), limit)?;
        let input = program.child.stdin.take();
        let mut lines = Vec::new();
        loop {
            match program.line(limit) {
                Ok(line) => {
                    lines.push(line);
                    if lines.last().is_some_and(|line| line.starts_with("READY")) {
                        return Ok((Self { program, input }, lines));
                    }
                }
                Err(error) => return Err(program.explain(error.context("it did not become ready"))),
            }
        }
    }

    pub fn ask(&mut self, question: &str, limit: Duration) -> Result<String> {
        self.program.limit_from_now(limit);
        let input = self.input.as_mut().context("its input is closed")?;
        input.write_all(format!("{question}\n").as_bytes()).context("it does not read its input")?;
        match self.program.line(limit) {
            Ok(line) => Ok(line),
            Err(error) => Err(self.program.explain(error)),
        }
    }

    /// Ends it by closing its input.
    pub fn end(mut self, limit: Duration) -> Result<()> {
        self.program.limit_from_now(limit);
        self.input = None;
        match self.program.wait(limit) {
            Ok(_) => Ok(()),
            Err(error) => Err(self.program.explain(error.context("its input is closed"))),
        }
    }
}

struct Program {
    name: String,
    child: Child,
    lines: Receiver<String>,
    errors: Option<JoinHandle<String>>,
    deadline: Instant,
}

impl Program {
    fn start(command: &mut Command, limit: Duration) -> Result<Self> {
        let name = format!("{command:?}").replace('"', "");
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("{name} cannot be started"))?;
        let (sender, lines) = channel();
        let output = child.stdout.take().context("no pipe from its output")?;
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let errors = child.stderr.take().context("no pipe from its standard error")?;
        let errors = Some(std::thread::spawn(move || last_lines(errors)));
        Ok(Self { name, child, lines, errors, deadline: Instant::now() + limit })
    }

    fn limit_from_now(&mut self, limit: Duration) {
        self.deadline = Instant::now() + limit;
    }

    fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    fn line(&mut self, limit: Duration) -> Result<String> {
        match self.lines.recv_timeout(self.left()) {
            Ok(line) => Ok(line),
            Err(RecvTimeoutError::Timeout) => bail!("it said nothing more within {limit:?}"),
            Err(RecvTimeoutError::Disconnected) => bail!("it closed its output"),
        }
    }

    fn read_to_end(&mut self, limit: Duration) -> Result<Vec<String>> {
        let mut lines = Vec::new();
        loop {
            match self.lines.recv_timeout(self.left()) {
                Ok(line) => lines.push(line),
                Err(RecvTimeoutError::Disconnected) => return Ok(lines),
                Err(RecvTimeoutError::Timeout) => bail!("it did not end within {limit:?}"),
            }
        }
    }

    fn wait(&mut self, limit: Duration) -> Result<ExitStatus> {
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            if self.left().is_zero() {
                bail!("it did not end within {limit:?}");
            }
            std::thread::sleep(BETWEEN_LOOKS);
        }
    }

    /// Ends the program and adds its name and its last words to an error.
    fn explain(&mut self, error: anyhow::Error) -> anyhow::Error {
        self.kill();
        let words = self.last_words();
        let error = error.context(self.name.clone());
        if words.is_empty() { error } else { anyhow::anyhow!("{error:#}; it said: {words}") }
    }

    /// A process that the program has left behind may keep the pipe open: that must not stop us.
    fn last_words(&mut self) -> String {
        self.limit_from_now(LAST_WORDS_LIMIT);
        let Some(errors) = self.errors.take() else { return String::new() };
        while !errors.is_finished() && !self.left().is_zero() {
            std::thread::sleep(BETWEEN_LOOKS);
        }
        if errors.is_finished() { errors.join().unwrap_or_default() } else { String::new() }
    }

    fn kill(&mut self) {
        // Both fail only if it has ended and was waited for already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}

fn last_lines(errors: impl Read) -> String {
    let mut last = VecDeque::new();
    for line in BufReader::new(errors).lines().map_while(Result::ok) {
        if last.len() == LAST_LINES {
            last.pop_front();
        }
        last.push_back(line);
    }
    Vec::from(last).join(" | ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(20);

    fn shell(script: &str) -> Command {
        let mut command = Command::new("bash");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn lines_of_a_program_that_ends() {
        assert_eq!(run(&mut shell("echo one; echo two"), LONG).unwrap(), ["one", "two"]);
        let error = format!("{:#}", run(&mut shell("echo it is broken >&2; exit 3"), LONG).unwrap_err());
        assert!(error.contains("exit status: 3") && error.contains("it is broken"), "{error}");
        let error = format!("{:#}", run(&mut Command::new("no-such-program"), LONG).unwrap_err());
        assert!(error.contains("no-such-program cannot be started"), "{error}");
    }

    #[test]
    fn a_program_that_does_not_end_is_ended() {
        let limit = Duration::from_millis(50);
        let error = format!("{:#}", run(&mut shell("exec sleep 600"), limit).unwrap_err());
        assert!(error.contains("did not end within 50ms"), "{error}");
        let closed = format!("{:#}", run(&mut shell("exec >&- sleep 600"), limit).unwrap_err());
        assert!(closed.contains("did not end within 50ms"), "{closed}");
    }

    #[test]
    fn a_server_answers_and_ends_with_its_input() {
        let script = "echo A=1; echo READY 127.0.0.1:1; while read -r line; do echo got $line; done";
        let (mut server, lines) = LineServer::start(&mut shell(script), LONG).unwrap();
        assert_eq!(lines, ["A=1", "READY 127.0.0.1:1"]);
        assert_eq!(server.ask("stats", LONG).unwrap(), "got stats");
        server.end(LONG).unwrap();

        let error = LineServer::start(&mut shell("echo no port is free >&2"), LONG).err().unwrap();
        let error = format!("{error:#}");
        assert!(error.contains("did not become ready") && error.contains("no port is free"), "{error}");
    }

    #[test]
    fn a_server_that_goes_on_is_ended() {
        let script = "echo READY; exec sleep 600";
        let (server, _) = LineServer::start(&mut shell(script), LONG).unwrap();
        let pid = server.program.child.id();
        assert!(server.end(Duration::from_millis(50)).is_err());
        assert!(procfs::process::Process::new(pid as i32).is_err(), "it is still there");
    }
}
