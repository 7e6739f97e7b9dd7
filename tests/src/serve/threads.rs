//! What each thread of a served cluster does.

use std::io::{ErrorKind, Read};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::link::Link;
use super::shared::Shared;
use super::spawn;
use crate::cluster::{ConnKey, ServerId};

/// Bytes taken from a socket at once: enough for a few hundred small sends, whose answers then go out in one write.
const READ_SIZE: usize = 128 * 1024;

/// Accepts connections until the door is closed.
pub(super) fn accept(shared: &Arc<Shared>, server: ServerId, listener: &TcpListener, open: &AtomicBool) {
    loop {
        let accepted = listener.accept();
        if !open.load(Ordering::SeqCst) {
            return;
        }
        // A failed accept concerns one connection (reset while it waited, no descriptor left): the next may succeed.
        if let Ok((stream, peer)) = accepted {
            start_reader(shared, server, stream, peer);
        }
    }
}

fn start_reader(shared: &Arc<Shared>, server: ServerId, stream: TcpStream, peer: SocketAddr) {
    // Without a link or a thread the stream is dropped, which the client sees as a closed connection.
    let Ok(link) = Link::new(&stream) else { return };
    let mut state = shared.lock();
    if state.stopped {
        return;
    }
    let conn = state.open(shared.now_ms(), server, Arc::new(link), peer);
    shared.carry_out(state);
    let own = Arc::clone(shared);
    match spawn("connection", move || read(&own, server, conn, stream)) {
        Ok(thread) => shared.add_reader(thread),
        Err(_) => shared.lock().closed(shared.now_ms(), server, conn),
    }
}

/// Reads from one connection and writes the answers until it is closed.
fn read(shared: &Shared, server: ServerId, conn: ConnKey, mut stream: TcpStream) {
    let mut buffer = vec![0; READ_SIZE];
    loop {
        let bytes = match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => buffer.get(..length).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(_) => break,
        };
        let mut state = shared.wait_for_resume(shared.lock(), server);
        state.cluster.on_bytes(shared.now_ms(), server, conn, bytes);
        shared.carry_out(state);
        // Closed with something unread the kernel resets the connection, as for a real server. If the rest were read
        // first, a client in the middle of a long write would wait for room that nobody tells it about.
        if !shared.is_open(server, conn) {
            break;
        }
    }
    let mut state = shared.lock();
    state.closed(shared.now_ms(), server, conn);
    shared.carry_out(state);
}

/// Gives the cluster its time until the end.
pub(super) fn tick(shared: &Shared) {
    let mut state = shared.lock();
    while !state.stopped {
        let now_ms = shared.now_ms();
        if state.cluster.next_deadline().is_some_and(|at| at <= now_ms) {
            state.cluster.on_tick(now_ms);
            shared.carry_out(state);
            state = shared.lock();
        } else {
            state = shared.sleep(state);
        }
    }
}
