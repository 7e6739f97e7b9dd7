//! The second process: what depends on addresses, on the environment or on anything else of one process gives another
//! hash in the next one.

use std::io::{self, BufRead, Write};
use std::process::{Command, Stdio};

use rocketmq_sim::simulate::session::{Session, run};
use rocketmq_sim::world::{Broken, Invariant};

use crate::args::Args;
use crate::tally::Hashed;
use crate::work::{Failure, care};

/// Answers `--hashes`: reads sessions, writes each with its hash.
pub(crate) fn answer(args: &Args) -> Result<(), String> {
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let line = line.map_err(|error| format!("--hashes: cannot read standard input: {error}"))?;
        let session = Session::read(&line).map_err(|why| format!("--hashes: {line:?}: {why}"))?;
        let hash = hash(&session, args);
        writeln!(out, "{session} {hash:016x}").map_err(|error| format!("--hashes: cannot write: {error}"))?;
    }
    Ok(())
}

fn hash(session: &Session, args: &Args) -> u64 {
    // As in the first process, but once.
    let care = rocketmq_sim::simulate::session::Care { repeated: false, ..care(session.seed, args) };
    run(&session.plan(), care).hash
}

/// Lets another process of this program run the same sessions; gives back those with another hash.
pub(crate) fn compare(args: &Args, hashes: &[Hashed]) -> Result<Vec<Failure>, String> {
    if hashes.is_empty() {
        return Ok(Vec::new());
    }
    let session = |it: &Hashed| Session {
        mode: it.mode,
        seed: it.seed,
        only: args.faults.clone(),
        without: None,
        plain: args.plain,
    };
    let questions: String = hashes.iter().map(|it| format!("{}\n", session(it))).collect();
    let answers = ask(args, questions).map_err(|error| format!("cannot run a second process: {error}"))?;
    let mut answers = answers.lines();
    let mut failures = Vec::new();
    for it in hashes {
        let session = session(it);
        let expected = format!("{session} {:016x}", it.hash);
        let answer =
            answers.next().ok_or_else(|| format!("the second process says nothing about {session}"))?;
        if answer != expected {
            let text = format!("this process had {expected:?}, a second one {answer:?}");
            failures.push(Failure { session, broken: Broken { invariant: Invariant::Determinism, text } });
        }
    }
    Ok(failures)
}

fn ask(args: &Args, questions: String) -> io::Result<String> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("--hashes");
    if let Some(mutant) = args.mutant {
        command.args(["--mutant", mutant.name()]);
    }
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let stdin = child.stdin.take();
    // Both pipes are small: who writes all of the questions first may wait forever.
    let writer =
        std::thread::spawn(move || stdin.map_or(Ok(()), |mut stdin| stdin.write_all(questions.as_bytes())));
    let output = child.wait_with_output()?;
    if !output.status.success() {
        return Err(io::Error::other(format!("it ended with {}", output.status)));
    }
    writer.join().map_err(|_| io::Error::other("it could not be asked"))??;
    String::from_utf8(output.stdout).map_err(io::Error::other)
}
