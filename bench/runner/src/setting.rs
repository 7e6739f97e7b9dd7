//! Under which conditions a load runs: together with the name of the load, this is what the rounds repeat.

use serde::{Deserialize, Serialize};

use crate::statistics::short;

/// What is at the other end.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Server {
    Sink,
    /// A real name server and a real broker.
    Broker,
}

/// Form of the headers. Whoever sends a frame chooses it: a broker may answer binary requests in JSON.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    Json,
    Binary,
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Setting {
    pub server: Server,
    pub in_flight: u32,
    /// Bytes of each message body.
    pub body: u32,
    pub requests: Form,
    pub answers: Form,
    /// Messages per second; without one, as many as `in_flight` allows.
    pub rate: Option<u32>,
    /// How long the sink waits before each answer, in microseconds.
    pub delay_us: u32,
    /// Load and sink share one CPU.
    pub one_cpu: bool,
}

impl Setting {
    /// What is measured unless something else is said.
    pub const DEFAULT: Self = Self {
        server: Server::Sink,
        in_flight: 256,
        body: 1024,
        requests: Form::Json,
        answers: Form::Json,
        rate: None,
        delay_us: 0,
        one_cpu: false,
    };

    pub fn in_flight(self, in_flight: u32) -> Self {
        Self { in_flight, ..self }
    }

    pub fn body(self, body: u32) -> Self {
        Self { body, ..self }
    }

    pub fn forms(self, requests: Form, answers: Form) -> Self {
        Self { requests, answers, ..self }
    }

    pub fn rate(self, rate: u32) -> Self {
        Self { rate: Some(rate), ..self }
    }

    pub fn delay_us(self, delay_us: u32) -> Self {
        Self { delay_us, ..self }
    }

    pub fn one_cpu(self) -> Self {
        Self { in_flight: 1, one_cpu: true, ..self }
    }

    pub fn broker(self) -> Self {
        Self { server: Server::Broker, ..self }
    }

    /// `JSON`, or what is sent and what is answered.
    pub fn forms_text(&self) -> &'static str {
        match (self.requests, self.answers) {
            (Form::Json, Form::Json) => "JSON",
            (Form::Json, Form::Binary) => "JSON, answers binary",
            (Form::Binary, Form::Json) => "binary, answers JSON",
            (Form::Binary, Form::Binary) => "binary",
        }
    }

    /// What sets this apart from other settings of the same part of the plan.
    pub fn condition_text(&self) -> String {
        let mut text = match self.rate {
            Some(rate) => format!("{} messages per second", short(f64::from(rate))),
            None if self.in_flight < 1000 => format!("{} in flight", self.in_flight),
            None => format!("{} {:03} in flight", self.in_flight / 1000, self.in_flight % 1000),
        };
        if self.delay_us > 0 {
            text += &format!(", answers after {} ms", f64::from(self.delay_us) / 1000.0);
        }
        if self.one_cpu {
            text += ", all on one CPU";
        }
        let body = match self.body {
            bytes if bytes >= 1024 && bytes % 1024 == 0 => format!("{} KiB", bytes / 1024),
            bytes => format!("{bytes} B"),
        };
        text + ", " + &body
    }
}

impl Form {
    /// As the flag `--serialize` of every load program has it.
    pub fn flag(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Binary => "rocketmq",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_say_what_they_are() {
        let setting = Setting::DEFAULT;
        assert_eq!(setting.condition_text(), "256 in flight, 1 KiB");
        assert_eq!(setting.rate(1000).body(100).condition_text(), "1 000 messages per second, 100 B");
        assert_eq!(setting.in_flight(1024).body(4096).condition_text(), "1 024 in flight, 4 KiB");
        assert_eq!(
            setting.in_flight(1).delay_us(20_000).condition_text(),
            "1 in flight, answers after 20 ms, 1 KiB"
        );
        assert_eq!(setting.forms(Form::Binary, Form::Json).forms_text(), "binary, answers JSON");
        assert_eq!(setting.broker().one_cpu().condition_text(), "1 in flight, all on one CPU, 1 KiB");
    }
}
