//! Streams of smol, as the driver wants them.

use rocketmq_driver::Stream;
use smol::Async;
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::TcpStream;
use std::task::{Context, Poll, ready};

/// A TCP stream of smol.
#[derive(Debug)]
pub struct SmolStream {
    tcp: Async<TcpStream>,
    /// The last read filled its buffer, so there may be more: else the reactor is asked, not the kernel.
    readable: bool,
    /// The last write was taken whole, so there may be room.
    writable: bool,
}

impl SmolStream {
    /// Wraps a connected stream.
    #[must_use]
    pub fn new(tcp: Async<TcpStream>) -> Self {
        Self { tcp, readable: true, writable: true }
    }
}

impl Stream for SmolStream {
    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        loop {
            if !self.readable {
                ready!(self.tcp.poll_readable(cx))?;
            }
            match self.tcp.get_ref().read(into) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.readable = false,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                done => {
                    self.readable = matches!(done, Ok(count) if count == into.len());
                    return Poll::Ready(done);
                }
            }
        }
    }

    fn poll_write_vectored(&mut self, cx: &mut Context<'_>, from: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        loop {
            if !self.writable {
                ready!(self.tcp.poll_writable(cx))?;
            }
            match self.tcp.get_ref().write_vectored(from) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.writable = false,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                done => {
                    self.writable = true;
                    return Poll::Ready(done);
                }
            }
        }
    }
}
