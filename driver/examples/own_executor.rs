//! The driver on an executor of one's own: the standard library's threads and sockets, nothing else.

use rocketmq_driver::runtime::Connecting;
use rocketmq_driver::{Client, Endpoint, Message, Runtime, Stream};
use rocketmq_sim::{cluster::ClusterConfig, serve::ServedCluster};
use std::io::{ErrorKind, IoSlice as Part, Read, Result, Write};
use std::net::TcpStream;
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};
use std::{cell::Cell, error::Error, future::Future, pin::Pin, pin::pin, sync::Arc, thread};

thread_local!(static LOOK_AT: Cell<Option<Instant>> = const { Cell::new(None) });

struct Unpark(thread::Thread);
impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs one future on this thread, parked until it is woken or has asked to be looked at.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        LOOK_AT.set(None);
        if let Poll::Ready(done) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return done;
        }
        let wait = |at: Instant| at.saturating_duration_since(Instant::now());
        thread::park_timeout(LOOK_AT.get().map_or(Duration::MAX, wait));
    }
}

fn pending_until<T>(at: Instant) -> Poll<T> {
    LOOK_AT.set(Some(LOOK_AT.get().map_or(at, |next| next.min(at))));
    Poll::Pending
}

struct Sleep(Instant);
impl Future for Sleep {
    type Output = ();
    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if Instant::now() < self.0 { pending_until(self.0) } else { Poll::Ready(()) }
    }
}

/// A socket that does not block. Nothing here says when it is ready, so it is tried every millisecond.
struct Socket(TcpStream);
fn try_it<T>(done: Result<T>) -> Poll<Result<T>> {
    match done.as_ref().map_err(|error| error.kind()) {
        Err(ErrorKind::WouldBlock) => pending_until(Instant::now() + Duration::from_millis(1)),
        _ => Poll::Ready(done),
    }
}
impl Stream for Socket {
    fn poll_read(&mut self, _: &mut Context<'_>, to: &mut [u8]) -> Poll<Result<usize>> {
        try_it(self.0.read(to))
    }
    fn poll_write_vectored(&mut self, _: &mut Context<'_>, of: &[Part<'_>]) -> Poll<Result<usize>> {
        try_it(self.0.write_vectored(of))
    }
}

struct Threads;
impl Runtime for Threads {
    type Stream = Socket;
    type Sleep = Sleep;
    fn connect(&self, to: &Endpoint) -> Connecting<Socket> {
        let tcp = TcpStream::connect((to.host(), to.port())); // blocks: real ones use a thread
        let socket = tcp.and_then(|tcp| tcp.set_nonblocking(true).map(|()| Socket(tcp)));
        Box::pin(std::future::ready(socket))
    }
    fn sleep_until(&self, at: Instant) -> Sleep {
        Sleep(at)
    }
}

fn main() -> std::result::Result<(), Box<dyn Error>> {
    let cluster = ServedCluster::start(ClusterConfig::default())?; // used without an argument
    let address = std::env::args().nth(1).unwrap_or_else(|| cluster.name_server_addr());
    let (client, driver) = Client::builder(address.as_str()).build_with(Threads)?;
    let driver = thread::spawn(|| block_on(driver));
    let producer = block_on(client.producer("own-executor").open())?;
    let message = Message::new("threads".parse()?, "Hello from a plain thread");
    println!("{:?}", block_on(async { producer.send(message).await })?);
    block_on(client.shutdown(Duration::from_secs(3)));
    driver.join().map_err(|_| "the driver failed".into())
}
