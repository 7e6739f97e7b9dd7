//! The list of sessions that broke something once: a file of lines that people can read and write.
//!
//! A line is a mode, a seed, sometimes the faults that the session was limited to or one that was left out, `plain`
//! without half messages and all else that is drawn beside sends and faults, and after `#` why it is here:
//!
//! ```text
//! safety 1336 # a verdict after the deadline
//! liveness 42 only=reset,crash # never connected again
//! ```

use std::fmt;
use std::io::{self, Write};
use std::path::Path;

use super::session::Session;

/// What a new file starts with.
const HEAD: &str = "\
# Sessions that broke something once. The ordinary tests run each of them again.
# A line: safety or liveness, the seed, only=FAULT,FAULT when only these were drawn, without=FAULT when it was
# left out of what was drawn, plain when half messages and all else that is drawn beside
# sends and faults were, and after a # why it is here.
";

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What broke.
    pub session: Session,
    /// Why it is in the list.
    pub why: String,
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The reason stays on its line.
        let why = self.why.replace(['\n', '\r'], " ");
        write!(f, "{}", self.session)?;
        if why.is_empty() { Ok(()) } else { write!(f, " # {why}") }
    }
}

/// A line that is no entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadLine {
    /// Its number, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub why: String,
}

impl fmt::Display for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.why)
    }
}

impl std::error::Error for BadLine {}

/// Reads a whole file.
///
/// # Errors
/// The first line that is no entry.
pub fn read(text: &str) -> Result<Vec<Entry>, BadLine> {
    let mut entries = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let (session, why) = line.split_once('#').unwrap_or((line, ""));
        if !session.trim().is_empty() {
            let session = Session::read(session).map_err(|why| BadLine { line: at + 1, why })?;
            entries.push(Entry { session, why: why.trim().to_owned() });
        }
    }
    Ok(entries)
}

/// Adds a session at the end of the file, which is made when there is none; false when the file has it already.
///
/// # Errors
/// The file cannot be read or written, or has a line that is no entry.
pub fn append(file: &Path, entry: &Entry) -> io::Result<bool> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error),
    };
    let known = read(&text).map_err(|bad| io::Error::new(io::ErrorKind::InvalidData, bad))?;
    if known.iter().any(|it| it.session == entry.session) {
        return Ok(false);
    }
    let head = if text.is_empty() { HEAD } else { "" };
    let line_end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(file)?;
    file.write_all(format!("{head}{line_end}{entry}\n").as_bytes())?;
    Ok(true)
}

#[cfg(test)]
#[path = "corpus_tests.rs"]
mod tests;
