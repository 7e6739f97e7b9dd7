use super::*;

fn read(line: &str) -> Result<Args, Usage> {
    Args::read(line.split_whitespace().map(str::to_owned))
}

fn complaint(line: &str) -> String {
    read(line).expect_err("a complaint").0
}

#[test]
fn a_range_of_seeds_is_read_in_all_its_forms() {
    let range = |line| match read(line).expect("good flags").task {
        Task::Seeds(Seeds { first, end }) => (first, end),
        other => panic!("{other:?}"),
    };
    assert_eq!(range("--seeds 3..10"), (3, 10));
    assert_eq!(range("--seeds=3..=10"), (3, 11));
    assert_eq!(range("--seeds 0..2_000_000"), (0, 2_000_000));
    assert_eq!(range("--seeds 7.. --minutes 0.5"), (7, u64::MAX));
}

#[test]
fn all_flags_are_read() {
    let fault = FaultKind::ALL[0];
    let line = format!(
        "--seeds 0..9 --mode liveness --jobs 3 --minutes 2 --faults {} --failures 4 --shrink-runs 0 --coverage --json \
         --corpus some/file --mutants",
        fault.name()
    );
    let args = read(&line).expect("good flags");
    assert_eq!(args.modes, [Mode::Liveness]);
    assert_eq!((args.jobs, args.failures, args.shrink_runs), (3, 4, 0));
    assert_eq!(args.time, Some(Duration::from_secs(120)));
    assert_eq!(args.faults, Some(vec![fault]));
    assert_eq!(args.corpus, Some(PathBuf::from("some/file")));
    assert!(args.coverage && args.json && args.mutants && !args.transcript);
}

#[test]
fn without_more_everything_runs_in_both_modes() {
    let args = read("--seeds 0..1").expect("good flags");
    assert_eq!(args.modes, [Mode::Safety, Mode::Liveness]);
    assert_eq!(args.faults, None);
    assert!(args.jobs >= 1 && args.time.is_none() && !args.json);
    assert_eq!(read("--seeds 0..1 --faults none").expect("good flags").faults, Some(Vec::new()));
    assert_eq!(read("--mutants").expect("good flags").task, Task::Mutants);
    assert_eq!(read("--seeds 0..1 --help").expect("good flags").task, Task::Help);
}

#[test]
fn each_complaint_names_the_flag() {
    for (line, flag) in [
        ("--seeds 5..5", "--seeds"),
        ("--seeds five", "--seeds"),
        ("--seeds 5..", "--seeds"),
        ("--seeds", "--seeds"),
        ("--seed -1", "--seed"),
        ("--seed 18446744073709551616", "--seed"),
        ("--seed 1 --mode fast", "--mode"),
        ("--seeds 0..1 --jobs 0", "--jobs"),
        ("--seeds 0..1 --minutes -3", "--minutes"),
        ("--seeds 0..1 --minutes NaN", "--minutes"),
        ("--seeds 0..1 --minutes 1e300", "--minutes"),
        ("--seeds 0..1 --faults lightning", "--faults"),
        ("--seeds 0..1 --mutant lightning", "--mutant"),
        ("--seeds 0..1 --json=yes", "--json"),
        ("--seeds 0..1 --json --json", "--json"),
        ("--seeds 0..1 --seed 3", "--seed"),
        ("--seeds 0..1 --transcript", "--transcript"),
        ("--seed 1 --jobs 2", "--jobs"),
        ("--sedes 0..1", "--sedes"),
        ("0..1", "0..1"),
        ("", "--seeds"),
    ] {
        let text = complaint(line);
        assert!(text.contains(flag), "{line:?}: {text}");
    }
}

#[test]
fn a_wrong_name_gets_the_right_ones() {
    let text = complaint("--seeds 0..1 --faults lightning");
    assert!(FaultKind::ALL.iter().all(|kind| text.contains(kind.name())), "{text}");
}

#[test]
fn help_tells_about_every_flag() {
    for flag in VALUED.iter().chain(FITTING.iter().map(|(flag, _)| flag)) {
        assert!(HELP.contains(&format!("\n  {flag} ")), "{flag}");
    }
}
