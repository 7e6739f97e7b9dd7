//! The report of `send`: one tab-separated line for each message.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::stats::Verdict;

/// The header line; others read the file by these names.
const COLUMNS: &str = "key\tverdict\tstatus\tmsg_id\toffset_msg_id\tbroker\tqueue_id\tqueue_offset\tattempts\terror\tended\tend_verdict\tchecks";
/// Lines are collected up to this size before they go to the file.
const BUFFER_BYTES: usize = 64 * 1024;
/// A line that comes so long after the last write takes all collected ones along.
const FLUSH_AFTER: Duration = Duration::from_secs(1);

/// One line. What is not known stays empty.
#[derive(Debug, Default)]
pub(crate) struct Row<'a> {
    /// The key that the message carries, if any.
    pub(crate) key: &'a str,
    /// The verdict, none only in a default row.
    pub(crate) verdict: Option<Verdict>,
    /// The status of a stored message, in Java's spelling.
    pub(crate) status: &'a str,
    /// The unique key.
    pub(crate) msg_id: &'a str,
    /// The broker's id of the stored copy.
    pub(crate) offset_msg_id: &'a str,
    /// The broker that stored it.
    pub(crate) broker: &'a str,
    /// The queue it is in.
    pub(crate) queue_id: Option<i32>,
    /// Its position in the queue.
    pub(crate) queue_offset: Option<i64>,
    /// Attempts that may have reached a broker: no more copies exist.
    pub(crate) attempts: u32,
    /// The kind of error.
    pub(crate) error: &'a str,
    /// How the transaction of a half message ended, as far as this run has a say in it.
    pub(crate) ended: &'a str,
    /// What is known of that.
    pub(crate) end_verdict: &'a str,
    /// How often the broker asked about it; none when it was no half message that is stored.
    pub(crate) checks: Option<u32>,
}

/// Writes rows to a file through a buffer of fixed size.
#[derive(Debug)]
pub(crate) struct Report<W: Write> {
    out: BufWriter<W>,
    flushed: Instant,
}

impl Report<File> {
    /// Makes the file, replacing an older one, and writes the header line.
    ///
    /// # Errors
    /// The file cannot be made or written.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        Self::new(File::create(path)?)
    }
}

impl<W: Write> Report<W> {
    fn new(out: W) -> io::Result<Self> {
        let mut out = BufWriter::with_capacity(BUFFER_BYTES, out);
        writeln!(out, "{COLUMNS}")?;
        out.flush()?;
        Ok(Self { out, flushed: Instant::now() })
    }

    /// Adds one line.
    ///
    /// # Errors
    /// The file cannot be written; the report is then incomplete.
    pub(crate) fn write(&mut self, row: &Row<'_>) -> io::Result<()> {
        self.field(row.key)?;
        self.field(row.verdict.map_or("", Verdict::as_str))?;
        self.field(row.status)?;
        self.field(row.msg_id)?;
        self.field(row.offset_msg_id)?;
        self.field(row.broker)?;
        self.number(row.queue_id.map(i64::from))?;
        self.number(row.queue_offset)?;
        self.number(Some(i64::from(row.attempts)))?;
        self.field(row.error)?;
        self.field(row.ended)?;
        self.field(row.end_verdict)?;
        match row.checks {
            Some(checks) => writeln!(self.out, "{checks}")?,
            None => self.out.write_all(b"\n")?,
        }
        if self.flushed.elapsed() >= FLUSH_AFTER {
            self.flush()?;
        }
        Ok(())
    }

    /// Brings every collected line to the file.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.flushed = Instant::now();
        self.out.flush()
    }

    fn field(&mut self, text: &str) -> io::Result<()> {
        write_escaped(&mut self.out, text)?;
        self.out.write_all(b"\t")
    }

    fn number(&mut self, number: Option<i64>) -> io::Result<()> {
        match number {
            Some(number) => write!(self.out, "{number}\t"),
            None => self.out.write_all(b"\t"),
        }
    }
}

/// Writes a field so that it holds neither tabs nor line ends.
fn write_escaped(out: &mut impl Write, text: &str) -> io::Result<()> {
    let mut rest = text;
    while let Some(at) = rest.find(['\t', '\n', '\r', '\\']) {
        let (plain, special) = rest.split_at(at);
        out.write_all(plain.as_bytes())?;
        let escaped: &[u8] = match special.as_bytes().first() {
            Some(b'\t') => b"\\t",
            Some(b'\n') => b"\\n",
            Some(b'\r') => b"\\r",
            _ => b"\\\\",
        };
        out.write_all(escaped)?;
        rest = special.get(1..).unwrap_or_default();
    }
    out.write_all(rest.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(rows: &[Row<'_>]) -> Vec<String> {
        let mut bytes = Vec::new();
        let mut report = Report::new(&mut bytes).expect("memory");
        for row in rows {
            report.write(row).expect("memory");
        }
        report.flush().expect("memory");
        drop(report);
        let text = String::from_utf8(bytes).expect("UTF-8");
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_stored_message_fills_every_column_but_the_error() {
        let row = Row {
            key: "k7",
            verdict: Some(Verdict::Stored),
            status: "SEND_OK",
            msg_id: "7F00",
            offset_msg_id: "0A00",
            broker: "broker-a",
            queue_id: Some(3),
            queue_offset: Some(41),
            attempts: 1,
            ended: "commit",
            end_verdict: "acknowledged",
            checks: Some(2),
            error: "",
        };
        let expected = "k7\tstored\tSEND_OK\t7F00\t0A00\tbroker-a\t3\t41\t1\t\tcommit\tacknowledged\t2";
        assert_eq!(lines(&[row]), [COLUMNS, expected]);
    }

    #[test]
    fn unknown_fields_are_empty_and_every_line_has_all_columns() {
        let row = Row { verdict: Some(Verdict::NotStored), error: "timeout", ..Row::default() };
        let lines = lines(&[row]);
        assert_eq!(lines[1], "\tnot-stored\t\t\t\t\t\t\t0\ttimeout\t\t\t");
        assert!(lines.iter().all(|line| line.split('\t').count() == 13));
    }

    #[test]
    fn separators_inside_fields_are_escaped() {
        let row = Row { key: "a\tb\nc\rd\\e", error: "\\\n", ..Row::default() };
        let lines = lines(&[row]);
        assert_eq!(lines.len(), 2);
        assert!(lines[1].starts_with("a\\tb\\nc\\rd\\\\e\t"), "{}", lines[1]);
        assert!(lines[1].ends_with("\t\\\\\\n\t\t\t"), "{}", lines[1]);
    }

    #[test]
    fn a_file_that_cannot_be_made_is_an_error() {
        assert!(Report::create(Path::new("/nonexistent/dir/report.tsv")).is_err());
    }
}
