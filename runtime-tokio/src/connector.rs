//! How connections are opened.

use rocketmq_driver::Endpoint;
use rocketmq_driver::addresses::connect_any;
use rocketmq_driver::runtime::unresolved;
use std::future::Future;
use std::io;
use std::pin::Pin;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};

/// Opens byte streams. [`Tcp`] does it by default; a closure does it in tests with streams in memory.
///
/// ```
/// use rocketmq_tokio::{Endpoint, Tokio};
///
/// let runtime = Tokio::with_connector(|to: Endpoint| async move {
///     let (ours, theirs) = tokio::io::duplex(64 * 1024);
///     // Give `theirs` to whatever plays the server at `to`.
/// #   drop((theirs, to));
///     Ok(ours)
/// });
/// # drop(runtime);
/// ```
pub trait Connector: Send + Sync + 'static {
    /// A connected stream.
    type Io: AsyncRead + AsyncWrite + Send + Unpin + 'static;

    /// Opens a stream to `to`. Dropping the future gives up.
    fn connect(&self, to: Endpoint) -> Pin<Box<dyn Future<Output = io::Result<Self::Io>> + Send>>;
}

impl<F, T, Io> Connector for F
where
    F: Fn(Endpoint) -> T + Send + Sync + 'static,
    T: Future<Output = io::Result<Io>> + Send + 'static,
    Io: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    type Io = Io;

    fn connect(&self, to: Endpoint) -> Pin<Box<dyn Future<Output = io::Result<Io>> + Send>> {
        Box::pin(self(to))
    }
}

/// TCP without delay (`TCP_NODELAY`). Host names are resolved anew each time, and every address is tried: the next one
/// when one fails, or beside it after a quarter of a second.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tcp;

impl Connector for Tcp {
    type Io = TcpStream;

    fn connect(&self, to: Endpoint) -> Pin<Box<dyn Future<Output = io::Result<TcpStream>> + Send>> {
        Box::pin(async move {
            let addresses = lookup_host((to.host(), to.port())).await.map_err(unresolved)?;
            let stream = connect_any(addresses, TcpStream::connect, tokio::time::sleep).await?;
            stream.set_nodelay(true)?;
            Ok(stream)
        })
    }
}
