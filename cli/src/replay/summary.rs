//! What a recording holds, in numbers.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use rocketmq_core::recording::{Bodies, Condition, Replay, Start};

use super::event::{Verdict, What};
use crate::text::date_time;

/// Counts over the whole recording, whatever part of it is shown.
#[derive(Debug)]
pub(crate) struct Summary {
    made_by: String,
    bodies: Bodies,
    format: u8,
    client_id: String,
    name_servers: String,
    began: String,
    lasted: Duration,
    opened: u64,
    up: u64,
    ends: BTreeMap<String, u64>,
    asked: u64,
    answered: u64,
    late: u64,
    refused: BTreeMap<String, u64>,
    sends: u64,
    verdicts: BTreeMap<Verdict, u64>,
    retries: u64,
    open_sends: usize,
    replayed: Option<(u64, u64)>,
    /// Writes whose bytes were compared, and others.
    writes: (u64, u64),
    /// The replay ended with another action than recorded.
    differs: bool,
    gap: Option<(u64, u64)>,
    condition: Condition,
}

impl Summary {
    pub(crate) fn new(start: &Start) -> Self {
        let client_id = start.config.client_id().map_or_else(|_| "?".to_owned(), |id| id.to_string());
        Self {
            made_by: start.made_by.chars().filter(|c| !c.is_control()).take(40).collect(),
            bodies: start.bodies,
            format: start.format,
            client_id,
            name_servers: start.config.name_servers.to_string(),
            began: date_time(start.now.unix_ms),
            lasted: Duration::ZERO,
            opened: 0,
            up: 0,
            ends: BTreeMap::new(),
            asked: 0,
            answered: 0,
            late: 0,
            refused: BTreeMap::new(),
            sends: 0,
            verdicts: BTreeMap::new(),
            retries: 0,
            open_sends: 0,
            replayed: None,
            writes: (0, 0),
            differs: false,
            gap: None,
            condition: Condition::Reading,
        }
    }

    /// One more event.
    pub(crate) fn count(&mut self, what: &What) {
        match what {
            What::Opens { .. } => self.opened += 1,
            What::Up { .. } => self.up += 1,
            What::Down { why, .. } => *self.ends.entry(why.clone()).or_default() += 1,
            What::Asked { .. } => self.asked += 1,
            What::Answered { answer, .. } if !answer.is_request => {
                self.answered += 1;
                self.late += u64::from(answer.after.is_none());
                if !answer.success {
                    *self.refused.entry(answer.code.clone()).or_default() += 1;
                }
            }
            What::Send { .. } => self.sends += 1,
            What::Verdict { verdict, .. } => *self.verdicts.entry(*verdict).or_default() += 1,
            What::Retry { .. } => self.retries += 1,
            _ => {}
        }
    }

    /// Something happened so long after the start.
    pub(crate) fn passed(&mut self, time: Duration) {
        self.lasted = self.lasted.max(time);
    }

    /// From the start to the last input.
    pub(crate) fn lasted(&self) -> Duration {
        self.lasted
    }

    pub(crate) fn client_id(&self) -> &str {
        &self.client_id
    }

    pub(crate) fn began(&self) -> &str {
        &self.began
    }

    pub(crate) fn replayed(&mut self, replay: &Replay<'_>, open_sends: usize, differs: bool) {
        self.differs = differs;
        self.replayed = Some((replay.inputs(), replay.checked_actions()));
        self.writes = (replay.compared_writes(), replay.uncompared_writes());
        self.condition = replay.condition();
        self.open_sends = open_sends;
    }

    pub(crate) fn only_read(&mut self, condition: Condition) {
        self.condition = condition;
    }

    pub(crate) fn gap(&mut self, records: u64, bytes: u64) {
        self.gap = Some((records, bytes));
    }

    /// Messages and what became of them.
    pub(crate) fn sends_line(&self) -> String {
        let mut parts = Vec::new();
        for verdict in Verdict::ALL {
            if let Some(count) = self.verdicts.get(&verdict) {
                parts.push(format!("{count} {}", verdict.as_str()));
            }
        }
        if self.open_sends > 0 {
            parts.push(format!("{} without verdict", self.open_sends));
        }
        if parts.is_empty() {
            return format!("{}", self.sends);
        }
        format!("{}: {}", self.sends, parts.join(", "))
    }

    fn connections_line(&self) -> String {
        let mut line = format!("{} opened, {} came up", self.opened, self.up);
        for (why, count) in &self.ends {
            line.push_str(&format!(", {count} {why}"));
        }
        line
    }

    fn requests_line(&self) -> String {
        let mut line = format!("{} written, {} answered", self.asked, self.answered);
        for (code, count) in &self.refused {
            line.push_str(&format!(", {count} with {code}"));
        }
        if self.late > 0 {
            line.push_str(&format!(", {} late", self.late));
        }
        line
    }

    /// How far the bytes that were written are known to be the same.
    fn writes_line(&self) -> String {
        let (compared, others) = self.writes;
        if self.format < 2 {
            return format!(
                "{others} not checked: a recording of format {} has no hashes of them",
                self.format
            );
        }
        let bodies = if self.bodies == Bodies::Keep { "with" } else { "without" };
        let mut line = format!("{compared} checked, {bodies} the bodies of frames: the same");
        if others > 0 {
            line.push_str(&format!("; {others} not checked, their connection was closed"));
        }
        line
    }

    fn condition_line(&self) -> String {
        match self.condition {
            Condition::Ended(why) => format!("complete: {why}"),
            Condition::Cut { at } => {
                format!("cut in the middle of the record at byte {at}: the process died while it wrote")
            }
            Condition::Unfinished => "without end: the process died, or still runs".to_owned(),
            _ => "not read to its end".to_owned(),
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bodies = match self.bodies {
            Bodies::Keep => "kept",
            Bodies::LeaveOut => "left out",
            Bodies::Hash => "hashed",
        };
        writeln!(f, "client        {} of {}", self.client_id, self.name_servers)?;
        writeln!(f, "recorded      {}, {:.6} s", self.began, self.lasted.as_secs_f64())?;
        writeln!(f, "              by rocketmq-core {}, bodies {bodies}", self.made_by)?;
        if self.made_by != env!("CARGO_PKG_VERSION") {
            writeln!(f, "              (this is {}, which may act differently)", env!("CARGO_PKG_VERSION"))?;
        }
        writeln!(f, "recording     {}", self.condition_line())?;
        if let Some((records, bytes)) = self.gap {
            writeln!(f, "              {records} older records ({bytes} bytes) were dropped")?;
        }
        if self.opened > 0 {
            writeln!(f, "connections   {}", self.connections_line())?;
            writeln!(f, "requests      {}", self.requests_line())?;
        }
        writeln!(f, "sends         {}", self.sends_line())?;
        writeln!(f, "retries       {}", self.retries)?;
        let Some((inputs, actions)) = self.replayed else {
            return writeln!(f, "replay        not possible without the beginning");
        };
        if self.differs {
            writeln!(f, "replay        DIFFERENT at input {inputs}; {actions} actions before were the same")?;
        } else {
            writeln!(f, "replay        {inputs} inputs, {actions} actions checked: the same")?;
        }
        writeln!(f, "writes        {}", self.writes_line())
    }
}
