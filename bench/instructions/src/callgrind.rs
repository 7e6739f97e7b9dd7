//! Running a scenario under callgrind.

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use bench_instructions::probe::MEASURED_FUNCTION;
use bench_instructions::scenarios::Scenario;

/// Callgrind counts a copy by `rep movsb`, which the C library takes for large ones, as one instruction per byte;
/// without it they cost about as much as they do on the processor, compared with the rest.
const TUNABLES: &str = "glibc.cpu.hwcaps=-ERMS";

/// Why nothing could be counted.
#[derive(Debug)]
pub(crate) struct Error(String);

impl Error {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What one operation costs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Cost {
    pub(crate) instructions: f64,
    pub(crate) allocations: f64,
}

impl Cost {
    /// Instructions and allocations as the baseline has them.
    pub(crate) fn texts(&self) -> (String, String) {
        (format!("{:.1}", self.instructions), self.allocations.to_string())
    }
}

/// What a whole run cost.
#[derive(Clone, Copy)]
struct Total {
    instructions: u64,
    allocations: u64,
}

/// A scenario under way.
struct Run {
    child: Child,
    out: PathBuf,
}

/// Callgrind, and where its files go.
pub(crate) struct Callgrind {
    valgrind: PathBuf,
    /// Where the scenarios' program is.
    programs: PathBuf,
    files: PathBuf,
}

impl Callgrind {
    /// Looks whether everything is there.
    pub(crate) fn find() -> Result<Self, Error> {
        if !has_avx2() {
            // Valgrind shows every program the same processor, except that it hides what the real one lacks.
            return Err(Error::new("this needs an x86-64 processor with AVX2: the C library chooses by it"));
        }
        let valgrind = in_path("valgrind")
            .ok_or_else(|| Error::new("valgrind is not installed: apt-get install valgrind"))?;
        let program = env::current_exe().map_err(|error| Error::new(format!("own path: {error}")))?;
        let programs = program.parent().unwrap_or(Path::new(".")).to_owned();
        let files = programs.join("callgrind");
        fs::create_dir_all(&files)
            .map_err(|error| Error::new(format!("cannot make {}: {error}", files.display())))?;
        Ok(Self { valgrind, programs, files })
    }

    /// The versions on which figures depend.
    pub(crate) fn tools(&self, compiler: &str) -> Result<String, Error> {
        let valgrind = output_of(Command::new(&self.valgrind).arg("--version"))?;
        let glibc = output_of(Command::new("getconf").arg("GNU_LIBC_VERSION"))?;
        Ok(format!("{compiler}, {}, {glibc}, target CPU x86-64", valgrind.replace('-', " ")))
    }

    /// Counts one operation of a scenario: the difference of two runs.
    pub(crate) fn cost(&self, scenario: &Scenario) -> Result<Cost, Error> {
        // Both at once: a count does not mind.
        let short = self.start(scenario, scenario.warm_up)?;
        let long = self.start(scenario, scenario.warm_up + scenario.rounds)?;
        let (short, long) = (short.finish(), long.finish());
        let (short, long) = (short?, long?);
        let operations = (scenario.rounds * scenario.per_round) as f64;
        let per_operation = |long: u64, short: u64, digits: f64| {
            ((long as f64 - short as f64) / operations * digits).round() / digits
        };
        // As many digits as the baseline has: more would not be repeatable, and less would hide a change.
        Ok(Cost {
            instructions: per_operation(long.instructions, short.instructions, 10.0),
            allocations: per_operation(long.allocations, short.allocations, 10_000.0),
        })
    }

    /// Runs a scenario, warm-up and all. Callgrind's file and the operations in it.
    pub(crate) fn record(&self, scenario: &Scenario) -> Result<(PathBuf, u64), Error> {
        let rounds = scenario.warm_up + scenario.rounds;
        let run = self.start(scenario, rounds)?;
        let out = run.out.clone();
        run.finish()?;
        Ok((out, rounds * scenario.per_round))
    }

    fn start(&self, scenario: &Scenario, rounds: u64) -> Result<Run, Error> {
        let out = self.files.join(format!("{}-{rounds}.out", scenario.name));
        let mut option = OsString::from("--callgrind-out-file=");
        option.push(&out);
        let child = Command::new(&self.valgrind)
            .args(["--quiet", "--tool=callgrind"])
            .arg(format!("--toggle-collect={MEASURED_FUNCTION}"))
            .arg(option)
            .arg("./scenario")
            // Arguments and environment lie before the stack: their length must not move it.
            .args([scenario.name, &format!("{rounds:06}")])
            .current_dir(&self.programs)
            .env_clear()
            .env("GLIBC_TUNABLES", TUNABLES)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| Error::new(format!("cannot start valgrind: {error}")))?;
        Ok(Run { child, out })
    }
}

impl Run {
    fn finish(self) -> Result<Total, Error> {
        let failed = |why: String| Error::new(format!("{}: {why}", self.out.display()));
        let output = self.child.wait_with_output().map_err(|error| failed(error.to_string()))?;
        let (told, complaint) = (text(&output.stdout), text(&output.stderr));
        if !output.status.success() {
            return Err(failed(format!("the scenario failed, {}: {complaint}", output.status)));
        }
        let allocations =
            told.parse().map_err(|_| failed(format!("no number of allocations: {told} {complaint}")))?;
        let file = fs::read_to_string(&self.out).map_err(|error| failed(error.to_string()))?;
        let instructions = file.lines().find_map(|line| line.strip_prefix("totals: ")?.trim().parse().ok());
        match instructions {
            None | Some(0) => Err(failed(format!("callgrind saw nothing of {MEASURED_FUNCTION}"))),
            Some(instructions) => Ok(Total { instructions, allocations }),
        }
    }
}

fn has_avx2() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::arch::is_x86_feature_detected!("avx2");
    #[cfg(not(target_arch = "x86_64"))]
    return false;
}

fn in_path(program: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join(program)).find(|path| path.is_file())
}

/// What a program prints, without the end of the line.
pub(crate) fn output_of(command: &mut Command) -> Result<String, Error> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| Error::new(format!("cannot start {program}: {error}")))?;
    if !output.status.success() {
        return Err(Error::new(format!("{program} failed, {}: {}", output.status, text(&output.stderr))));
    }
    Ok(text(&output.stdout))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}
