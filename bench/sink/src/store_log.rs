//! A file with the unique ids of stored messages, to compare with what a client was told.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// Writes one id per line; a message without one gives an empty line.
pub(crate) struct StoreLog {
    file: BufWriter<File>,
    /// Kept until the next flush, where it can be told: answering goes on meanwhile.
    error: Option<io::Error>,
}

impl StoreLog {
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        let file = File::create(path)
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))?;
        Ok(Self { file: BufWriter::with_capacity(256 * 1024, file), error: None })
    }

    pub(crate) fn add(&mut self, unique_id: &[u8]) {
        let written = self.file.write_all(unique_id).and_then(|()| self.file.write_all(b"\n"));
        if let Err(error) = written {
            self.error.get_or_insert(error);
        }
    }

    /// Puts everything into the file.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        match self.error.take() {
            Some(error) => Err(io::Error::new(error.kind(), format!("the file of stored ids: {error}"))),
            None => self.file.flush(),
        }
    }
}
