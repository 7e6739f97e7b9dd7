//! Streams of tokio, as the driver wants them.

use rocketmq_driver::Stream;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A stream of tokio.
#[derive(Debug)]
pub struct TokioStream<Io> {
    io: Io,
    /// Some streams keep what was written until they are flushed.
    unflushed: bool,
}

impl<Io> TokioStream<Io> {
    /// Wraps a connected stream.
    pub fn new(io: Io) -> Self {
        Self { io, unflushed: false }
    }
}

impl<Io: AsyncWrite + Unpin> TokioStream<Io> {
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.io).poll_flush(cx);
        self.unflushed = flushed.is_pending();
        flushed
    }
}

impl<Io: AsyncRead + AsyncWrite + Send + Unpin + 'static> Stream for TokioStream<Io> {
    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        if self.unflushed
            && let Poll::Ready(flushed) = self.poll_flush(cx)
        {
            flushed?;
        }
        let mut buffer = ReadBuf::new(into);
        Pin::new(&mut self.io).poll_read(cx, &mut buffer).map_ok(|()| buffer.filled().len())
    }

    fn poll_write_vectored(&mut self, cx: &mut Context<'_>, from: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let taken = Pin::new(&mut self.io).poll_write_vectored(cx, from);
        if matches!(taken, Poll::Ready(Ok(1..))) {
            self.unflushed = true;
            // Nobody may come again before there is something to read. An error comes again with that.
            if let Poll::Ready(Err(_)) = self.poll_flush(cx) {
                self.unflushed = true;
            }
        }
        taken
    }
}
