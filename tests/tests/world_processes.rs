//! The program `simulate`, as a process: what it answers, what it prints and how it ends.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use rocketmq_sim::simulate::session::{Care, Session, run};
use rocketmq_sim::world::Mutant;
use rocketmq_sim::world::plan::Mode;

const BIN: &str = env!("CARGO_BIN_EXE_simulate");

/// Runs it with these flags; a corpus that it may write to comes by itself.
fn simulate(flags: &str) -> Output {
    Command::new(BIN).args(flags.split_whitespace()).stdin(Stdio::null()).output().expect("a process")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("text")
}

/// A file that no other test uses.
fn scratch(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("simulate-{name}"));
    let _not_there = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder");
    folder.join("seeds.txt")
}

#[test]
fn a_second_process_has_the_same_hashes() {
    let care = Care { replayed: true, ..Care::default() };
    let (mut questions, mut answers) = (String::new(), String::new());
    for seed in 0..30 {
        for mode in [Mode::Safety, Mode::Liveness] {
            let session = Session { mode, seed, only: None, without: None, plain: false };
            writeln!(questions, "{session}").expect("a string");
            writeln!(answers, "{session} {:016x}", run(&session.plan(), care).hash).expect("a string");
        }
    }
    let mut child = Command::new(BIN)
        .arg("--hashes")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a process");
    child.stdin.take().expect("a pipe").write_all(questions.as_bytes()).expect("written");
    let output = child.wait_with_output().expect("an end");
    assert!(output.status.success());
    assert_eq!(text(&output.stdout), answers);
}

#[test]
fn what_cannot_be_run_is_told_by_the_flag() {
    for (flags, named) in [
        ("", "--seeds"),
        ("--seeds 9..3", "--seeds"),
        ("--seeds 0..3 --faults lightning", "--faults"),
        ("--seeds 0..3 --mode sometimes", "--mode"),
        ("--seed 3 --jobs 2", "--jobs"),
        ("--lightning", "--lightning"),
    ] {
        let output = simulate(flags);
        assert_eq!(output.status.code(), Some(2), "{flags}");
        assert!(output.stdout.is_empty(), "{flags}");
        assert!(text(&output.stderr).contains(named), "{flags}: {}", text(&output.stderr));
    }
}

#[test]
fn help_is_no_error() {
    let output = simulate("--help");
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stdout).contains("--transcript"));
}

#[test]
fn seeds_that_hold_end_in_a_summary() {
    let corpus = scratch("holds");
    let output = simulate(&format!("--seeds 0..60 --jobs 2 --corpus {}", corpus.display()));
    let (out, progress) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{out}{progress}");
    let sessions =
        out.lines().find_map(|line| line.strip_prefix("  sessions  ")).expect("a line for sessions");
    assert_eq!(sessions.trim(), "120");
    for part in
        ["Seeds 0..60 in safety and liveness: 0 failed", "sessions per core-hour", "I18 order", "half-open"]
    {
        assert!(out.contains(part), "{part}: {out}");
    }
    assert!(progress.contains("running 6 sessions again in a second process"), "{progress}");
    assert!(!corpus.exists());
}

#[test]
fn the_summary_can_be_read_by_programs() {
    let output = simulate("--seeds 0..20 --mode safety --faults reset,crash --json");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let summary: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(summary["sessions"], 20);
    assert!(summary["sends"].as_u64().is_some_and(|sends| sends >= 1_000), "{summary}");
    assert_eq!(summary["faults"].as_array().map(Vec::len), Some(2));
    assert_eq!((&summary["repeated"], &summary["second_process"]), (&2.into(), &1.into()));
    assert_eq!(summary["failures"], serde_json::json!([]));
}

#[test]
fn a_seed_tells_its_story() {
    let output = simulate("--seed 7 --mode safety --transcript");
    let out = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{out}");
    assert!(out.starts_with("safety 7, "), "{out}");
    let ends = out.lines().last().expect("lines");
    assert!(ends.starts_with("safety 7: ") && ends.ends_with("nothing broke"), "{ends}");
    for part in ["application of client 0: sends k0", "connects to", "SEND_MESSAGE_V2", " stored: SEND_OK"] {
        assert!(out.contains(part), "{part}: {out}");
    }
}

#[test]
fn what_breaks_is_made_small_and_told() {
    let (mutant, corpus) = (Mutant::ALL[0].name(), scratch("breaks"));
    let flags =
        format!("--seeds 0..400 --jobs 1 --shrink-runs 150 --mutant {mutant} --corpus {}", corpus.display());
    let output = simulate(&flags);
    let out = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{out}{}", text(&output.stderr));
    for part in
        ["FAILED: ", "Shrunk in ", "Its plan: ", "Its transcript:", "Again: simulate --seed ", "1 failed"]
    {
        assert!(out.contains(part), "{part}: {out}");
    }
    // It says how to see it again, and that is so.
    let again =
        out.lines().find_map(|line| line.strip_prefix("Again: simulate ")).expect("how to run it again");
    let output = simulate(again);
    assert_eq!(output.status.code(), Some(1), "{again}");
    assert!(text(&output.stdout).contains("BROKEN I"), "{again}");
    // Nobody is to look for a bug that was put in on purpose.
    assert!(!corpus.exists());
}
