//! What is run: parts, each a list of groups whose loads run one after another in every round.

use clap::ValueEnum;

use crate::load_program::{
    CODEC_FLOOR, Load, RAW_FLOOR, SMOL, SMOL_COUNTING, TOKIO, TOKIO_2, TOKIO_COUNTING, TOKIO_ENQUEUE,
    TOKIO_ONE_WAY, TOKIO_RECORD, TOKIO_RECORD_OFF, TOKIO_RECORD_RECENT,
};
use crate::peers::{GO_ASYNC, GO_SYNC, JAVA_ASYNC, JAVA_SYNC, RUST, RUST_COUNTING};
use crate::setting::{Form, Server, Setting};

pub const IN_FLIGHT: [u32; 7] = [1, 4, 16, 64, 256, 1024, 8192];
pub const BODIES: [u32; 4] = [100, 1024, 4096, 65_536];
/// Messages per second. The peers stay below the first of these that none of them reaches.
pub const RATES: [u32; 5] = [1000, 10_000, 40_000, 200_000, 500_000];
const MOST_RATE_OF_PEERS: u32 = 40_000;
pub const SLOW_SINK_IN_FLIGHT: [u32; 5] = [1, 16, 256, 1024, 10_000];
pub const SLOW_SINK_DELAY_US: u32 = 20_000;

/// Seconds that a look at the idle machine takes when it is idle, and a sink to start and end.
const IDLE_CHECK: f64 = 0.3;
const AROUND_A_RUN: f64 = 0.05;
/// For how long idle clients are watched: their regular work comes every half minute.
pub const IDLE_SECONDS: u64 = 120;
/// A calibration run is this long; a load that has to be warm for it gets as much again of its warm-up.
pub const CALIBRATION_SECONDS: f64 = 0.25;
pub const MOST_CALIBRATION_WARM_UP: f64 = 3.0;
/// Seconds of the figures that are no runs of loads, and of a real broker's start and end.
const CORE: f64 = 90.0;
const CORE_QUICK: f64 = 2.0;
const BROKER_START: f64 = 25.0;
/// What a broker stores stays on the disk until the end.
const MOST_BROKER_WARM_UP: f64 = 4.0;

/// One subject of measurement. Its name is its `--only` value and the `part` column of the results file.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Part {
    /// All clients and all variants of ours, 1 KiB, 256 in flight
    Clients,
    /// From 1 to 8 192 messages in flight, 1 KiB
    InFlight,
    /// Bodies from 100 B to 64 KiB, 256 in flight
    Body,
    /// Latency at fixed offered rates
    Rates,
    /// One message in flight, load and sink on the same CPU
    OneCpu,
    /// A healthy sink that answers after 20 ms
    SlowSink,
    /// The core without I/O, growth, start, idle client, instruction counts
    Core,
    /// A real broker, 1 KiB, 256 in flight
    Real,
}

/// One load under one setting.
#[derive(Clone, Copy, Debug)]
pub struct Cell {
    pub load: Load,
    pub setting: Setting,
}

/// Loads that run one after another in every round.
#[derive(Clone, Debug)]
pub struct Group {
    pub part: Part,
    pub rounds: u32,
    pub cells: Vec<Cell>,
}

#[derive(Clone, Copy, Debug)]
pub struct Choice {
    pub quick: bool,
    pub peers: bool,
    pub real: bool,
    /// Seconds of each measured phase.
    pub seconds: f64,
    /// For all groups, instead of what the plan says.
    pub rounds: Option<u32>,
}

pub struct Plan {
    pub choice: Choice,
    pub groups: Vec<Group>,
    /// Whether the figures that are no run of a load are wanted.
    pub core: bool,
}

impl Part {
    pub fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    pub fn title(self) -> String {
        let help = self.to_possible_value().and_then(|value| value.get_help().map(ToString::to_string));
        help.unwrap_or_default()
    }
}

impl Plan {
    /// All parts, or `only` some of them.
    pub fn new(choice: Choice, only: &[Part]) -> Self {
        let wanted = |part: Part| only.is_empty() || only.contains(&part);
        let mut groups = vec![clients(&choice)];
        groups.extend(in_flight(&choice));
        groups.extend(bodies(&choice));
        groups.extend(rates(&choice));
        groups.push(one_cpu(&choice));
        groups.extend(slow_sink(&choice));
        groups.extend(choice.real.then(|| real(&choice)));
        groups.retain(|group| wanted(group.part) && !group.cells.is_empty());
        Self { choice, groups, core: wanted(Part::Core) }
    }

    pub fn rounds(&self, server: Server) -> u32 {
        let groups = self.groups.iter().filter(|group| group.server() == server);
        groups.map(|group| group.rounds).max().unwrap_or(0)
    }

    /// Seconds that everything needs if nothing goes wrong; builds are not in it.
    pub fn seconds(&self) -> f64 {
        let loads: f64 = self.groups.iter().map(|group| group.seconds(self.choice.seconds)).sum();
        let core = if self.choice.quick { CORE_QUICK } else { CORE };
        let broker = if self.rounds(Server::Broker) > 0 { BROKER_START } else { 0.0 };
        let idle = if self.core && !self.choice.quick { IDLE_SECONDS as f64 } else { 0.0 };
        // Idle clients are watched while the loads run.
        (loads + broker).max(idle) + if self.core { core } else { 0.0 }
    }

    /// What is planned, and how long that takes; with each load under each setting if it is to be `whole`.
    pub fn text(&self, whole: bool) -> String {
        let runs: usize = self.groups.iter().map(|group| group.cells.len() * group.rounds as usize).sum();
        let minutes = self.seconds() / 60.0;
        let mut text = format!("planned: {runs} runs and their calibration, {minutes:.1} minutes");
        for group in self.groups.iter().filter(|_| whole) {
            let (part, rounds) = (group.part.name(), group.rounds);
            let minutes = group.seconds(self.choice.seconds) / 60.0;
            text += &format!("\n{part}: {rounds} rounds, {minutes:.1} minutes");
            for Cell { load, setting } in &group.cells {
                text += &format!("\n  {}, {}, {}", load.name, setting.forms_text(), setting.condition_text());
            }
        }
        text
    }
}

impl Group {
    fn new(part: Part, choice: &Choice, rounds: u32, setting: Setting, loads: &[Load]) -> Self {
        Self { part, rounds: choice.rounds.unwrap_or(rounds), cells: Vec::new() }.with(choice, setting, loads)
    }

    fn with(mut self, choice: &Choice, setting: Setting, loads: &[Load]) -> Self {
        use crate::load_program::Family::Peer;
        let loads = loads.iter().filter(|load| choice.peers || load.family != Peer);
        let cells = loads.filter(|load| load.can(&setting)).map(|&load| Cell { load, setting });
        self.cells.extend(cells);
        self
    }

    pub fn server(&self) -> Server {
        self.cells.first().map_or(Server::Sink, |cell| cell.setting.server)
    }

    pub fn seconds(&self, measured: f64) -> f64 {
        let runs: f64 = self.cells.iter().map(|cell| cell.seconds(measured)).sum();
        let calibration: f64 = self.cells.iter().map(Cell::calibration_seconds).sum();
        f64::from(self.rounds) * (runs + IDLE_CHECK) + calibration
    }
}

impl Cell {
    pub fn seconds(&self, measured: f64) -> f64 {
        self.load.start + self.warm_up() + measured + AROUND_A_RUN
    }

    /// Seconds of messages before the measured ones.
    pub fn warm_up(&self) -> f64 {
        let most = if self.setting.server == Server::Broker { MOST_BROKER_WARM_UP } else { f64::INFINITY };
        self.load.warm_up.min(most)
    }

    fn calibration_seconds(&self) -> f64 {
        self.load.start + self.calibration_warm_up() + CALIBRATION_SECONDS + AROUND_A_RUN
    }

    pub fn calibration_warm_up(&self) -> f64 {
        self.warm_up().min(MOST_CALIBRATION_WARM_UP)
    }
}

fn clients(choice: &Choice) -> Group {
    let setting = Setting::DEFAULT;
    let (binary, half) = (setting.forms(Form::Binary, Form::Binary), setting.forms(Form::Binary, Form::Json));
    let rounds = if choice.quick { 3 } else { 5 };
    let group = Group::new(Part::Clients, choice, rounds, setting, &[CODEC_FLOOR, TOKIO, SMOL, TOKIO_2])
        .with(choice, setting, &[RAW_FLOOR, TOKIO_ENQUEUE, TOKIO_ONE_WAY])
        .with(choice, half, &[TOKIO])
        .with(choice, binary, &[CODEC_FLOOR, TOKIO])
        .with(choice, setting, &[TOKIO_COUNTING]);
    if choice.quick {
        return group.with(choice, setting, &[JAVA_ASYNC, GO_SYNC, RUST]);
    }
    group
        .with(choice, setting, &[TOKIO_RECORD_OFF, TOKIO_RECORD, TOKIO_RECORD_RECENT, SMOL_COUNTING])
        .with(choice, half, &[SMOL, CODEC_FLOOR])
        .with(choice, binary, &[SMOL])
        .with(choice, setting, &[JAVA_ASYNC, JAVA_SYNC, GO_SYNC, GO_ASYNC, RUST, RUST_COUNTING])
        .with(choice, half, &[JAVA_ASYNC, RUST])
        .with(choice, binary, &[JAVA_ASYNC, RUST])
}

/// 256 in flight are in [`clients`].
fn in_flight(choice: &Choice) -> Vec<Group> {
    let of = |in_flight: u32| {
        let setting = Setting::DEFAULT.in_flight(in_flight);
        let group = Group::new(Part::InFlight, choice, 3, setting, &[CODEC_FLOOR, TOKIO, SMOL]);
        if choice.quick {
            return group;
        }
        group.with(choice, setting, &[TOKIO_2, RAW_FLOOR]).with(
            choice,
            setting,
            &[JAVA_ASYNC, JAVA_SYNC, GO_SYNC, RUST],
        )
    };
    let numbers = IN_FLIGHT.into_iter().filter(|&number| number != Setting::DEFAULT.in_flight);
    numbers.filter(|number| !choice.quick || [1, 16, 1024].contains(number)).map(of).collect()
}

/// 1 KiB is in [`clients`].
fn bodies(choice: &Choice) -> Vec<Group> {
    let of = |body: u32| {
        let setting = Setting::DEFAULT.body(body);
        let group = Group::new(Part::Body, choice, 3, setting, &[CODEC_FLOOR, TOKIO]);
        if choice.quick {
            return group;
        }
        group.with(choice, setting, &[SMOL, RAW_FLOOR, JAVA_ASYNC, GO_SYNC, RUST])
    };
    BODIES.into_iter().filter(|&body| body != Setting::DEFAULT.body).map(of).collect()
}

fn rates(choice: &Choice) -> Vec<Group> {
    let of = |rate: u32| {
        let setting = Setting::DEFAULT.rate(rate);
        let group = Group::new(Part::Rates, choice, 3, setting, &[TOKIO, SMOL]);
        if choice.quick || rate > MOST_RATE_OF_PEERS {
            return group;
        }
        group.with(choice, setting, &[JAVA_ASYNC, GO_SYNC, RUST])
    };
    RATES.into_iter().filter(|rate| !choice.quick || [10_000, 200_000].contains(rate)).map(of).collect()
}

fn one_cpu(choice: &Choice) -> Group {
    let setting = Setting::DEFAULT.one_cpu();
    let group = Group::new(Part::OneCpu, choice, 3, setting, &[CODEC_FLOOR, TOKIO, SMOL]);
    if choice.quick {
        return group;
    }
    Group { rounds: choice.rounds.unwrap_or(5), ..group }.with(choice, setting, &[TOKIO_2, RAW_FLOOR]).with(
        choice,
        setting,
        &[JAVA_SYNC, GO_SYNC, RUST],
    )
}

fn slow_sink(choice: &Choice) -> Vec<Group> {
    let of = |in_flight: u32| {
        let setting = Setting::DEFAULT.delay_us(SLOW_SINK_DELAY_US).in_flight(in_flight);
        let group = Group::new(Part::SlowSink, choice, 1, setting, &[TOKIO, SMOL]);
        let with_peers = !choice.quick && in_flight >= 1024;
        let peers: &[Load] = if with_peers { &[JAVA_ASYNC, GO_SYNC, RUST] } else { &[] };
        group.with(choice, setting, &[TOKIO_2]).with(choice, setting, peers)
    };
    let numbers = SLOW_SINK_IN_FLIGHT.into_iter();
    numbers.filter(|number| !choice.quick || [1, 1024, 10_000].contains(number)).map(of).collect()
}

fn real(choice: &Choice) -> Group {
    let setting = Setting::DEFAULT.broker();
    let rounds = if choice.quick { 3 } else { 5 };
    Group::new(Part::Real, choice, rounds, setting, &[TOKIO, SMOL])
        .with(choice, setting, &[JAVA_ASYNC, JAVA_SYNC, GO_SYNC, RUST])
        .with(choice, setting.forms(Form::Binary, Form::Json), &[TOKIO])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(quick: bool) -> Choice {
        Choice { quick, peers: true, real: true, seconds: if quick { 0.5 } else { 2.0 }, rounds: None }
    }

    #[test]
    fn no_cell_is_run_by_two_groups() {
        for quick in [true, false] {
            let plan = Plan::new(choice(quick), &[]);
            let mut seen = Vec::new();
            for cell in plan.groups.iter().flat_map(|group| &group.cells) {
                let cell = (cell.load.name, cell.setting);
                assert!(!seen.contains(&cell), "{cell:?}");
                seen.push(cell);
            }
        }
    }

    #[test]
    fn the_plan_keeps_its_time() {
        let full = Plan::new(choice(false), &[]).seconds() / 60.0;
        assert!(full < 52.0, "{full} minutes, and builds come on top");
        let quick = Plan::new(Choice { peers: false, real: false, ..choice(true) }, &[]).seconds();
        assert!(quick < 150.0, "{quick} s, and builds come on top");
    }

    #[test]
    fn the_sweeps_are_whole_and_medians_have_rounds() {
        let plan = Plan::new(choice(false), &[]);
        let has = |setting: Setting| {
            let mut cells = plan.groups.iter().flat_map(|group| &group.cells);
            cells.any(|cell| cell.setting == setting && cell.load.name == TOKIO.name)
        };
        assert!(IN_FLIGHT.iter().all(|&number| has(Setting::DEFAULT.in_flight(number))));
        assert!(BODIES.iter().all(|&body| has(Setting::DEFAULT.body(body))));
        assert!(RATES.iter().all(|&rate| has(Setting::DEFAULT.rate(rate))));
        let timed = plan.groups.iter().filter(|group| group.part != Part::SlowSink);
        assert!(timed.into_iter().all(|group| group.rounds >= 3));
    }

    #[test]
    fn a_part_can_be_run_alone_and_without_peers() {
        let alone = Plan::new(choice(false), &[Part::OneCpu]);
        assert!(!alone.core && alone.groups.len() == 1 && alone.groups[0].cells.len() > 3);
        let ours = Plan::new(Choice { peers: false, real: false, ..choice(false) }, &[]);
        let mut cells = ours.groups.iter().flat_map(|group| &group.cells);
        assert!(cells.all(|cell| cell.load.family != crate::load_program::Family::Peer));
        assert_eq!(ours.rounds(Server::Broker), 0);
        assert_eq!(Plan::new(Choice { rounds: Some(2), ..choice(true) }, &[]).rounds(Server::Sink), 2);
    }
}
