//! One accepted connection, seen from the side that writes.

use std::io::{self, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// A client that takes nothing for this long is dropped, so that no thread hangs on it for ever.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// A socket that several threads may write to, each of them whole frames.
pub(super) struct Link {
    stream: TcpStream,
    writing: Mutex<()>,
}

impl Link {
    pub(super) fn new(stream: &TcpStream) -> io::Result<Link> {
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(WRITE_TIMEOUT))?;
        Ok(Link { stream: stream.try_clone()?, writing: Mutex::new(()) })
    }

    /// Writes all bytes; a connection that does not take them is closed, which its reader sees.
    pub(super) fn write(&self, bytes: &[u8]) {
        let _turn = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        if (&self.stream).write_all(bytes).is_err() {
            self.close();
        }
    }

    /// Closes both directions; what has been written before still arrives.
    pub(super) fn close(&self) {
        // It fails only when the peer has closed already.
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}
