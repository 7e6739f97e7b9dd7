//! What servers answered to a script, as facts with names, and as a text file.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Facts about what came back in one step, by name, in their order.
pub(crate) type Facts = Vec<(String, String)>;

/// What came back in every step of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Recording {
    /// Where it comes from: lines for people at the head of the file.
    pub(crate) head: String,
    pub(crate) steps: BTreeMap<String, Facts>,
}

impl Recording {
    pub(crate) fn new(head: String) -> Recording {
        Recording { head, steps: BTreeMap::new() }
    }

    /// Takes in the steps of another script.
    pub(crate) fn add(&mut self, other: Recording) {
        for (step, facts) in other.steps {
            assert!(self.steps.insert(step.clone(), facts).is_none(), "{step} is there twice");
        }
    }

    /// The file: for each step its name in brackets, then one line for each fact.
    pub(crate) fn to_text(&self) -> String {
        let mut text = String::new();
        for line in self.head.lines() {
            let _ = writeln!(text, "# {line}");
        }
        for (name, facts) in &self.steps {
            let _ = writeln!(text, "\n[{name}]");
            for (fact, value) in facts {
                let _ = writeln!(text, "{fact}: {value}");
            }
        }
        text
    }

    /// Reads the file; values stay as they are written in it.
    pub(crate) fn from_text(text: &str) -> Recording {
        let head: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("# ")).collect();
        let mut recording = Recording::new(head.join("\n"));
        let mut step = None;
        for line in text.lines() {
            if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                step = Some(recording.steps.entry(name.to_owned()).or_default());
            } else if let (Some(facts), Some((fact, value))) = (&mut step, line.split_once(": ")) {
                facts.push((fact.to_owned(), value.to_owned()));
            }
        }
        recording
    }
}

/// Line breaks, control characters and backslashes escaped, so that a value stands in one line.
pub(crate) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' => line.push_str("\\\\"),
            character if character.is_control() => line.extend(character.escape_default()),
            character => line.push(character),
        }
    }
    line
}

#[test]
fn a_recording_is_read_back() {
    let mut recording = Recording::new("two\nlines".to_owned());
    let facts = [("code", "0"), ("remark", &one_line("a: b\n[c]\\\u{1}")), ("remark", "")];
    let facts = facts.map(|(name, value)| (name.to_owned(), value.to_owned()));
    recording.steps.insert("a/b [c]".to_owned(), facts.to_vec());
    recording.steps.insert("a/silent".to_owned(), Vec::new());
    assert_eq!(Recording::from_text(&recording.to_text()), recording);
}
