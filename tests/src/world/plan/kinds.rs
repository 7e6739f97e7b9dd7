//! The kinds of faults, and to which rows of the fault table each belongs.

/// What a kind of fault acts on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultClass {
    /// The whole run: a setting of the network or of the driver.
    Everywhere,
    /// One connection, or new ones.
    Connections,
    /// Answers on their way to clients.
    Answers,
    /// Servers.
    Servers,
    /// Clocks and processes.
    Clock,
    /// What applications ask for.
    Callers,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident $name:literal $class:ident [$($row:literal)*],)*) => {
        /// A kind of fault.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum FaultKind {
            $($(#[$doc])* $kind,)*
        }

        impl FaultKind {
            /// All of them.
            pub const ALL: &'static [FaultKind] = &[$(FaultKind::$kind),*];

            /// Its name, in words joined by hyphens.
            pub fn name(self) -> &'static str {
                match self { $(FaultKind::$kind => $name,)* }
            }

            /// The rows of the fault table that it belongs to, from 1 to 50.
            pub fn rows(self) -> &'static [u8] {
                match self { $(FaultKind::$kind => &[$($row),*],)* }
            }

            /// What it acts on.
            pub fn class(self) -> FaultClass {
                match self { $(FaultKind::$kind => FaultClass::$class,)* }
            }
        }
    };
}

kinds! {
    /// Reads hand out a part of what has arrived, down to one byte.
    ShortReads "short-reads" Everywhere [1],
    /// Arrived bytes wait for others and are read with them.
    GluedReads "glued-reads" Everywhere [2],
    /// Sockets take a part of what they are given, down to one byte.
    ShortWrites "short-writes" Everywhere [10],
    /// Sockets take what ends just before, at, or just behind a border between two chunks.
    BorderWrites "border-writes" Everywhere [12],
    /// The driver reports late what a socket took, and still holds those bytes.
    LateReports "late-reports" Everywhere [9],
    /// The driver takes actions late, many at once.
    LateActions "late-actions" Everywhere [36],
    /// Ticks come late.
    LateTicks "late-ticks" Everywhere [36],
    /// Ticks come that nobody asked for, early and again.
    ExtraTicks "extra-ticks" Everywhere [36],
    /// Timers go off at multiples of 1 ms, 10 ms or 1 s only.
    CoarseTimers "coarse-timers" Everywhere [37],
    /// Monotonic time stands still between jumps of 1 ms to 1 s.
    CoarseClock "coarse-clock" Everywhere [37],
    /// Some connects are refused, some never end, although the server is up.
    FlakyConnects "flaky-connects" Everywhere [14],
    /// Connects take longer than the client waits for them.
    LateConnects "late-connects" Connections [14],
    /// Connects to one server are refused.
    RefusedConnects "refused-connects" Connections [14],
    /// Connects to one server never end.
    HangingConnects "hanging-connects" Connections [14],
    /// The address of one server cannot be resolved.
    UnresolvedAddress "unresolved-address" Connections [14],
    /// A connection is reset now.
    Reset "reset" Connections [3],
    /// A connection is reset after some more bytes to the client.
    CutDown "cut-down" Connections [3],
    /// A connection ends in order after some more bytes to the client.
    EndDown "end-down" Connections [3],
    /// A connection is reset after some more bytes to the server.
    CutUp "cut-up" Connections [11],
    /// A socket takes nothing for some seconds.
    Stall "stall" Connections [10],
    /// A peer reads nothing for more than a minute.
    NeverReads "never-reads" Connections [13],
    /// A peer vanishes without news.
    HalfOpen "half-open" Connections [16],
    /// What goes in one direction of a connection vanishes.
    OneWayLoss "one-way-loss" Connections [16],
    /// A connection takes few bytes per second.
    SlowLink "slow-link" Connections [38],
    /// Some connections are clogged one by one and freed in another order.
    Swizzle "swizzle" Connections [48],
    /// A length word of nonsense arrives.
    BadLength "bad-length" Connections [4],
    /// A header length or serialize type of nonsense arrives.
    BadHeaderWord "bad-header-word" Connections [5],
    /// Another protocol answers.
    ForeignProtocol "foreign-protocol" Connections [6],
    /// Servers ask the client something.
    InboundRequests "inbound-requests" Connections [23],
    /// Answers are lost.
    LostAnswers "lost-answers" Answers [20],
    /// Answers come late, with everything behind them.
    LateAnswers "late-answers" Answers [21],
    /// Answers come in another order.
    ReorderedAnswers "reordered-answers" Answers [18],
    /// Answers come twice.
    DoubleAnswers "double-answers" Answers [19],
    /// An answer comes once more, long after.
    ReplayedAnswers "replayed-answers" Answers [19],
    /// Answers have the number of no request, or of one on another connection.
    WrongOpaque "wrong-opaque" Answers [22],
    /// Answers are flagged as requests, or as one-way.
    WrongFlags "wrong-flags" Answers [23],
    /// Answers have a code that nobody knows.
    UnknownCodes "unknown-codes" Answers [23],
    /// Answers to sends lack fields, or have unreadable ones.
    BadFields "bad-fields" Answers [24],
    /// Answers have a JSON header that is none, or an odd one.
    BadJson "bad-json" Answers [7],
    /// Answers have a binary header that is none, or an odd one.
    BadBinary "bad-binary" Answers [8],
    /// Answers come in the other serialize type.
    OtherSerialization "other-serialization" Answers [7 8],
    /// Answers have the body of another answer behind or instead of theirs.
    SplicedBodies "spliced-bodies" Answers [9],
    /// Routes without topic, queues, brokers, masters or the right to write.
    EmptyRoutes "empty-routes" Answers [28],
    /// Routes that lie.
    LyingRoutes "lying-routes" Answers [29],
    /// Routes that change with every answer.
    FlappingRoutes "flapping-routes" Answers [30],
    /// One name server tells of other routes than the others.
    DisagreeingNameServers "disagreeing-name-servers" Answers [33],
    /// A broker is killed and comes back.
    Crash "crash" Servers [27],
    /// A broker stops doing anything and goes on.
    Pause "pause" Servers [13 21],
    /// A broker stops in order and comes back.
    Leave "leave" Servers [49],
    /// Brokers are restarted one after the other, in order or killed.
    RollingRestart "rolling-restart" Servers [49],
    /// All brokers are down for minutes.
    AllBrokersDown "all-brokers-down" Servers [15],
    /// A broker asks to go away, once or for a while.
    GoAway "go-away" Servers [26],
    /// The master of a broker moves to another address.
    MasterSwitch "master-switch" Servers [31],
    /// A broker says that it is busy, many times.
    BusyStorm "busy-storm" Servers [25],
    /// A broker refuses sends with one of all codes.
    Refusals "refusals" Servers [25],
    /// A broker stores and answers with a lesser status.
    LesserStatus "lesser-status" Servers [25],
    /// A broker stores and never answers.
    SilentStore "silent-store" Servers [27],
    /// A broker neither stores nor answers.
    LostRequests "lost-requests" Servers [20],
    /// A broker answers late.
    SlowBroker "slow-broker" Servers [21],
    /// A topic loses the right to be written.
    Permission "permission" Servers [28],
    /// Sends create no topics any more.
    NoAutoCreate "no-auto-create" Servers [28],
    /// A name server is killed and comes back knowing nothing.
    NameServerCrash "name-server-crash" Servers [32],
    /// A name server stops doing anything and goes on.
    NameServerPause "name-server-pause" Servers [32],
    /// All name servers are down, for minutes or hours.
    NameServersDown "name-servers-down" Servers [32],
    /// The wall clock jumps.
    WallJump "wall-jump" Clock [34],
    /// The process stands still for up to five minutes.
    ProcessPause "process-pause" Clock [35],
    /// Far more sends than there is room for.
    Flood "flood" Callers [38],
    /// Messages at the limits of size, and above them, among small ones.
    HugeMessages "huge-messages" Callers [39],
    /// As many requests in flight as tables, windows and slots are long, one less and one more.
    InFlightSweep "in-flight-sweep" Callers [40],
    /// Request numbers come to their end and start again.
    OpaqueWrap "opaque-wrap" Callers [41],
    /// Deadlines of zero and of a day.
    OddDeadlines "odd-deadlines" Callers [44],
    /// Producers are closed at any moment, and twice.
    CloseAnywhere "close-anywhere" Callers [43],
    /// A client is shut down at any moment.
    EarlyShutdown "early-shutdown" Callers [43],
    /// A client is shut down twice, and asked to send during and after it.
    SecondShutdown "second-shutdown" Callers [44],
    /// All kinds of faults in one run, each at a low rate.
    Everything "everything" Everywhere [50],
}

impl FaultKind {
    /// The kind with this name.
    pub fn named(name: &str) -> Option<FaultKind> {
        FaultKind::ALL.iter().copied().find(|kind| kind.name() == name)
    }

    /// The kinds that belong to this row of the fault table.
    pub fn of_row(row: u8) -> impl Iterator<Item = FaultKind> {
        FaultKind::ALL.iter().copied().filter(move |kind| kind.rows().contains(&row))
    }
}

/// How often each kind of fault was injected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FaultCounts([u64; FaultKind::ALL.len()]);

impl Default for FaultCounts {
    fn default() -> FaultCounts {
        FaultCounts([0; FaultKind::ALL.len()])
    }
}

impl FaultCounts {
    /// Adds to the count of one kind.
    pub fn count(&mut self, kind: FaultKind, times: u64) {
        self.0[kind as usize] += times;
    }

    /// How often this kind was injected.
    pub fn of(&self, kind: FaultKind) -> u64 {
        self.0[kind as usize]
    }

    /// How often all kinds of this row of the fault table were injected.
    pub fn of_row(&self, row: u8) -> u64 {
        FaultKind::of_row(row).map(|kind| self.of(kind)).sum()
    }

    /// How often any fault was injected.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Adds the counts of another run.
    pub fn add(&mut self, other: &FaultCounts) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine += theirs;
        }
    }

    /// All kinds with their counts.
    pub fn iter(&self) -> impl Iterator<Item = (FaultKind, u64)> + '_ {
        FaultKind::ALL.iter().map(|kind| (*kind, self.of(*kind)))
    }
}
