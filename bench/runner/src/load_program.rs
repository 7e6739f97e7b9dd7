//! The programs that can be a load: how each is called, and what the runner has to know about it beforehand.

use std::path::PathBuf;
use std::process::Command;

use crate::setting::{Server, Setting};

/// Messages per second: a guess at what a broker stores on a small machine.
const MOST_OF_A_BROKER: f64 = 15_000.0;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Family {
    /// As little as any client could do.
    Floor,
    Ours,
    Peer,
}

/// One load program in one mode.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// In tables, plots and the results file.
    pub name: &'static str,
    pub family: Family,
    /// Program and arguments; `{programs}` and `{peers}` stand for the folders of our builds and of the peers.
    pub command: &'static [&'static str],
    /// The flag that takes the address of the server; none for a load that brings its own other end.
    pub address_flag: Option<&'static str>,
    /// Seconds from the start of the process to its first message.
    pub start: f64,
    /// Seconds of messages before the measured ones.
    pub warm_up: f64,
    /// More than this many in flight are not asked of it.
    pub most_in_flight: u32,
    /// Messages per second: a first guess, for calibration.
    pub guess: f64,
}

/// Where the built programs are.
#[derive(Clone, Debug)]
pub struct Folders {
    pub programs: PathBuf,
    pub peers: PathBuf,
}

const OURS: Load = Load {
    name: "",
    family: Family::Ours,
    command: &[],
    address_flag: Some("--name-server"),
    start: 0.1,
    warm_up: 0.3,
    most_in_flight: u32::MAX,
    guess: 400_000.0,
};

const fn ours(name: &'static str, command: &'static [&'static str]) -> Load {
    Load { name, command, ..OURS }
}

pub const TOKIO: Load = ours("tokio", &["{programs}/load", "--runtime", "tokio"]);
pub const SMOL: Load = ours("smol", &["{programs}/load", "--runtime", "smol"]);
pub const TOKIO_2: Load = ours("tokio, 2 workers", &["{programs}/load", "--runtime", "tokio2"]);
pub const TOKIO_ENQUEUE: Load =
    ours("tokio, enqueue", &["{programs}/load", "--runtime", "tokio", "--style", "enqueue"]);
pub const TOKIO_ONE_WAY: Load =
    ours("tokio, one-way", &["{programs}/load", "--runtime", "tokio", "--style", "one-way"]);
/// The build that can record, not recording.
pub const TOKIO_RECORD_OFF: Load =
    ours("tokio, able to record", &["{programs}/load-record", "--runtime", "tokio"]);
/// What recording costs the client, without what a disk costs.
pub const TOKIO_RECORD: Load =
    ours("tokio, recording", &["{programs}/load-record", "--runtime", "tokio", "--record", "/dev/null"]);
pub const TOKIO_RECORD_RECENT: Load = ours(
    "tokio, recording 16 MiB",
    &["{programs}/load-record", "--runtime", "tokio", "--record-recent", "16777216"],
);
/// Behind the name of a load: its build that counts allocations is slower, so that nothing else of it is used.
pub const COUNTING: &str = ", counting allocations";
pub const TOKIO_COUNTING: Load =
    ours("tokio, counting allocations", &["{programs}/load-count", "--runtime", "tokio"]);
pub const SMOL_COUNTING: Load =
    ours("smol, counting allocations", &["{programs}/load-count", "--runtime", "smol"]);

const FLOOR: Load = Load { family: Family::Floor, address_flag: Some("--to"), guess: 800_000.0, ..OURS };

/// Frames of the usual size to a thread of its own, which answers: neither is encoded or decoded.
pub const RAW_FLOOR: Load =
    Load { name: "floor: raw bytes", command: &["{programs}/floor", "raw"], address_flag: None, ..FLOOR };
pub const CODEC_FLOOR: Load = Load { name: "floor: codec", command: &["{programs}/floor", "codec"], ..FLOOR };

impl Load {
    pub fn can(&self, setting: &Setting) -> bool {
        setting.in_flight <= self.most_in_flight
    }

    /// Messages per second to begin the calibration with.
    pub fn first_guess(&self, setting: &Setting) -> f64 {
        let waiting = 60e-6 + f64::from(setting.delay_us) / 1e6;
        let by_in_flight = f64::from(setting.in_flight) / waiting;
        let by_size = self.guess / (1.0 + f64::from(setting.body) / 8192.0);
        let most = if setting.server == Server::Broker { MOST_OF_A_BROKER } else { f64::INFINITY };
        by_in_flight.min(by_size).min(most)
    }

    pub fn command(&self, folders: &Folders, address: &str, setting: &Setting) -> Command {
        let mut words = self.command.iter().map(|word| {
            word.replace("{programs}", &folders.programs.to_string_lossy())
                .replace("{peers}", &folders.peers.to_string_lossy())
        });
        let mut command = on_one_cpu_if(setting.one_cpu, &words.next().unwrap_or_default());
        command.args(words).args(self.address_flag.iter().flat_map(|flag| [*flag, address]));
        command.args(["--in-flight", &setting.in_flight.to_string()]);
        command.args(["--body", &setting.body.to_string()]);
        command.args(["--serialize", setting.requests.flag()]);
        if let Some(rate) = setting.rate {
            command.args(["--rate", &rate.to_string()]);
        }
        command
    }
}

pub fn on_one_cpu_if(one_cpu: bool, program: &str) -> Command {
    if !one_cpu {
        return Command::new(program);
    }
    let mut command = Command::new("taskset");
    command.args(["-c", "0", program]);
    command
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::Form;

    fn words(command: &Command) -> String {
        let mut words = vec![command.get_program().to_string_lossy()];
        words.extend(command.get_args().map(|word| word.to_string_lossy()));
        words.join(" ")
    }

    #[test]
    fn commands() {
        let folders = Folders { programs: "/p".into(), peers: "/q".into() };
        let setting = Setting::DEFAULT.forms(Form::Binary, Form::Json).rate(500);
        assert_eq!(
            words(&TOKIO_ENQUEUE.command(&folders, "127.0.0.1:9", &setting)),
            "/p/load --runtime tokio --style enqueue --name-server 127.0.0.1:9 --in-flight 256 --body 1024 \
             --serialize rocketmq --rate 500"
        );
        assert_eq!(
            words(&CODEC_FLOOR.command(&folders, "127.0.0.1:9", &Setting::DEFAULT.one_cpu())),
            "taskset -c 0 /p/floor codec --to 127.0.0.1:9 --in-flight 1 --body 1024 --serialize json"
        );
    }

    #[test]
    fn guesses_know_what_holds_a_load_back() {
        let setting = Setting::DEFAULT;
        assert!(TOKIO.first_guess(&setting.in_flight(1)) < 20_000.0);
        assert!(TOKIO.first_guess(&setting.in_flight(1).delay_us(20_000)) < 50.0);
        assert_eq!(TOKIO.first_guess(&setting.broker()), MOST_OF_A_BROKER);
        assert!(TOKIO.first_guess(&setting) > 100_000.0);
        assert!(TOKIO.first_guess(&setting.body(65_536)) < 100_000.0);
    }
}
