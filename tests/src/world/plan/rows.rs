//! The table of faults: all fifty of them, and where each is injected.

use super::FaultKind;

/// Where a fault of the table is injected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Where {
    /// In random runs, by the kinds that name this row.
    Here,
    /// In random runs, and by this suite besides.
    HereAnd(&'static str),
    /// By this suite, because it needs what a simulated world does not have.
    Elsewhere(&'static str),
    /// Nowhere yet: it belongs to this feature.
    ToCome(&'static str),
}

/// One row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FaultRow {
    /// Its number, from 1 to 50.
    pub number: u8,
    /// The fault.
    pub fault: &'static str,
    /// Where it is injected.
    pub place: Where,
}

const fn row(number: u8, fault: &'static str, place: Where) -> FaultRow {
    FaultRow { number, fault, place }
}

/// All rows.
pub const FAULT_ROWS: [FaultRow; 50] = [
    row(1, "reads split anywhere", Where::HereAnd("core: codec tests, fuzz target frame_stream")),
    row(2, "many frames and a half in one read", Where::Here),
    row(3, "end or reset anywhere in a frame, going to the client", Where::Here),
    row(4, "length 0, negative, huge", Where::HereAnd("fuzz target frame_stream")),
    row(5, "header length or type byte of nonsense", Where::HereAnd("fuzz target frame_stream")),
    row(6, "another protocol on the port", Where::Here),
    row(7, "malformed and odd JSON headers", Where::HereAnd("fuzz target header_json_diff")),
    row(8, "malformed and odd binary headers", Where::HereAnd("fuzz target header_binary_diff")),
    row(9, "bodies spliced; bytes changed after they were handed over", Where::Here),
    row(10, "writes of k bytes; sockets that take nothing for long", Where::Here),
    row(11, "write errors after k bytes", Where::Here),
    row(12, "vectored writes that end at or beside a border", Where::Here),
    row(13, "a peer that never reads", Where::Here),
    row(14, "connects refused, hanging, late, unresolved, elsewhere", Where::Here),
    row(15, "all brokers down for minutes", Where::Here),
    row(16, "half-open connections, one-way losses", Where::Here),
    row(17, "TLS: hanging handshakes, bad certificates, truncation", Where::ToCome("TLS")),
    row(18, "answers in another order", Where::Here),
    row(19, "answers twice, at once or long after", Where::Here),
    row(20, "answers or requests lost", Where::Here),
    row(21, "answers late", Where::Here),
    row(22, "answers with a wrong request number", Where::Here),
    row(23, "wrong flags, unknown codes, requests of servers", Where::Here),
    row(24, "success without readable fields", Where::Here),
    row(25, "every refusal of the send table, storms of them", Where::Here),
    row(26, "go away, once and again", Where::Here),
    row(27, "stored, and the answer lost", Where::Here),
    row(28, "routes that no send can use", Where::Here),
    row(29, "routes that lie", Where::HereAnd("fuzz target route_body")),
    row(30, "routes that flap", Where::Here),
    row(31, "the master moves", Where::Here),
    row(32, "name servers down, one or all, for hours", Where::Here),
    row(33, "name servers that disagree", Where::Here),
    row(34, "the wall clock jumps", Where::Here),
    row(35, "the process stands still for minutes", Where::Here),
    row(36, "timers early, late, repeated", Where::Here),
    row(37, "coarse timers and clocks", Where::Here),
    row(38, "faster callers than the network", Where::Here),
    row(39, "messages at and above the limits of size", Where::Here),
    row(40, "as many in flight as windows and tables are long", Where::HereAnd("tests/world_room.rs")),
    row(41, "request numbers that wrap around", Where::Here),
    row(
        42,
        "what an operating system may refuse is refused, step by step; a peer makes us take no memory that it has not sent",
        Where::Elsewhere("tests/world_torture.rs, tests/memory.rs"),
    ),
    row(43, "close and shutdown at any moment", Where::Here),
    row(44, "shutdown twice, sends during and after, odd deadlines", Where::Here),
    row(45, "futures dropped at any poll", Where::Elsewhere("tests/lab_cancel.rs")),
    row(
        46,
        "callbacks of users that panic, block, send",
        Where::Elsewhere("driver: tests of hooks and of transaction listeners; tests/lab_users.rs"),
    ),
    row(47, "the client dropped on its own driver task", Where::Elsewhere("tests/lab_users.rs")),
    row(48, "connections clogged one by one, freed in another order", Where::Here),
    row(49, "rolling restarts under load", Where::HereAnd("tests/real_client.rs")),
    row(50, "everything at once", Where::Here),
];

impl FaultRow {
    /// Whether random runs inject it.
    pub fn is_simulated(&self) -> bool {
        matches!(self.place, Where::Here | Where::HereAnd(_))
    }
}

impl FaultKind {
    /// Why this kind need not change what becomes of any send; none for those that must in some run.
    pub fn harmless_because(self) -> Option<&'static str> {
        match self {
            FaultKind::ShortReads | FaultKind::GluedReads => {
                Some("frames are the same however they are split")
            }
            FaultKind::ShortWrites | FaultKind::BorderWrites => {
                Some("what a socket leaves over is written next")
            }
            FaultKind::LateReports | FaultKind::LateActions => Some("a little later is not another outcome"),
            FaultKind::ExtraTicks | FaultKind::LateTicks => Some("a tick only says what the clock says"),
            FaultKind::DoubleAnswers | FaultKind::ReplayedAnswers => Some("the second answer finds nobody"),
            FaultKind::OtherSerialization => Some("answers are read in either form"),
            FaultKind::InboundRequests => Some("requests of servers are answered beside the sends"),
            FaultKind::WallJump => Some("deadlines follow monotonic time"),
            FaultKind::InFlightSweep => Some("one request more than a window is nothing special"),
            FaultKind::OpaqueWrap => Some("numbers are as good as others after they wrapped"),
            FaultKind::SecondShutdown => Some("the first shutdown decides"),
            _ => None,
        }
    }
}
