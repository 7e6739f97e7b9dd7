//! One client's connection: what is read but not yet whole, what is answered but not yet taken.

use crate::pace::Window;
use crate::stats::Report;
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;

/// Room for a read, as long as no frame is larger.
const INBOX_BYTES: usize = 256 * 1024;
/// No server takes larger frames.
const LARGEST_FRAME_BYTES: usize = 16 * 1024 * 1024;
/// Answers that a client may leave unread before nothing more is read from it.
const LARGEST_OUTBOX_BYTES: usize = 64 * 1024 * 1024;

pub(crate) struct Connection {
    pub(crate) stream: TcpStream,
    /// The broker whose port it came to.
    pub(crate) broker: usize,
    pub(crate) serial: u64,
    pub(crate) window: Window,
    /// What is waited for now: room to write as well, or only that.
    pub(crate) interest: Interest,
    inbox: Vec<u8>,
    start: usize,
    end: usize,
    outbox: Vec<u8>,
    sent: usize,
}

/// What a connection waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interest {
    Read,
    ReadAndWrite,
    /// The client reads nothing: what it sends is left in its own buffers.
    Write,
}

impl Connection {
    /// Takes over an accepted stream.
    pub(crate) fn new(stream: TcpStream, broker: usize, serial: u64) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            broker,
            serial,
            window: Window::default(),
            interest: Interest::Read,
            inbox: vec![0; INBOX_BYTES],
            start: 0,
            end: 0,
            outbox: Vec::new(),
            sent: 0,
        })
    }

    /// Reads once. Gives whether the connection is still open.
    pub(crate) fn read(&mut self, counted: &mut Report) -> io::Result<bool> {
        match self.stream.read(&mut self.inbox[self.end..]) {
            Ok(0) => Ok(false),
            Ok(bytes) => {
                self.end += bytes;
                counted.reads += 1;
                counted.read_bytes += bytes as u64;
                Ok(true)
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Where the next whole frame is in the inbox. Without one, makes room for the rest of it.
    pub(crate) fn next_frame(&mut self) -> io::Result<Option<std::ops::Range<usize>>> {
        let waiting = &self.inbox[self.start..self.end];
        let needed = waiting.first_chunk::<4>().map(|length| 4 + u32::from_be_bytes(*length) as usize);
        match needed {
            Some(needed) if needed > LARGEST_FRAME_BYTES => {
                Err(io::Error::new(ErrorKind::InvalidData, format!("a frame of {needed} bytes")))
            }
            Some(needed) if waiting.len() >= needed => {
                let frame = self.start..self.start + needed;
                self.start = frame.end;
                Ok(Some(frame))
            }
            _ => {
                self.make_room(needed.unwrap_or_default());
                Ok(None)
            }
        }
    }

    /// Moves what was read of the next frame to the front, and lets the inbox hold `needed` bytes.
    fn make_room(&mut self, needed: usize) {
        self.inbox.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if needed > self.inbox.len() {
            self.inbox.resize(needed, 0);
        }
    }

    /// The bytes of a frame found by [`next_frame`](Self::next_frame), and the window its answer may go to.
    pub(crate) fn frame_and_window(&mut self, frame: std::ops::Range<usize>) -> (&[u8], &mut Window) {
        (&self.inbox[frame], &mut self.window)
    }

    /// Writes `answers`; what the client does not take now is kept.
    pub(crate) fn send(&mut self, answers: &[u8], counted: &mut Report) -> io::Result<()> {
        if !self.outbox.is_empty() {
            self.outbox.extend_from_slice(answers);
            return Ok(());
        }
        let taken = write(&self.stream, answers, counted)?;
        self.outbox.extend_from_slice(&answers[taken..]);
        Ok(())
    }

    /// Writes what was kept.
    pub(crate) fn send_rest(&mut self, counted: &mut Report) -> io::Result<()> {
        self.sent += write(&self.stream, &self.outbox[self.sent..], counted)?;
        if self.sent == self.outbox.len() {
            self.outbox.clear();
            self.sent = 0;
        }
        Ok(())
    }

    /// What to wait for from now on.
    pub(crate) fn wanted(&self) -> Interest {
        match self.outbox.len() - self.sent {
            0 => Interest::Read,
            waiting if waiting < LARGEST_OUTBOX_BYTES => Interest::ReadAndWrite,
            _ => Interest::Write,
        }
    }
}

/// Writes once and gives the number of bytes taken.
fn write(mut stream: &TcpStream, bytes: &[u8], counted: &mut Report) -> io::Result<usize> {
    if bytes.is_empty() {
        return Ok(0);
    }
    match stream.write(bytes) {
        Ok(taken) => {
            counted.writes += 1;
            counted.write_bytes += taken as u64;
            Ok(taken)
        }
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Ok(0),
        Err(error) => Err(error),
    }
}
