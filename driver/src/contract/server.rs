//! Scripted servers: threads of the standard library on loopback sockets.

use super::peer::{Peer, Store};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;

/// A listening socket whose every connection is handed to a script, on a thread of its own.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    open: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Listens on a free port. The script gets the number of the connection, from 0, and its stream.
    ///
    /// # Errors
    /// When no port can be had.
    pub fn start(script: impl Fn(usize, TcpStream) + Send + Sync + 'static) -> io::Result<Self> {
        Self::start_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?, script)
    }

    /// As [`start`](Self::start), on a socket that listens already.
    ///
    /// # Errors
    /// When the address of the socket cannot be had.
    pub fn start_on(
        listener: TcpListener,
        script: impl Fn(usize, TcpStream) + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let open = Arc::new(AtomicBool::new(true));
        let (script, is_open) = (Arc::new(script), open.clone());
        let thread = std::thread::spawn(move || {
            for (number, stream) in listener.incoming().flatten().enumerate() {
                if !is_open.load(Ordering::SeqCst) {
                    break;
                }
                let script = script.clone();
                std::thread::spawn(move || script(number, stream));
            }
        });
        Ok(Self { address, open, thread: Some(thread) })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.open.store(false, Ordering::SeqCst);
        // The thread sits in `accept`: a connection lets it look at the flag.
        if TcpStream::connect(self.address).is_ok()
            && let Some(thread) = self.thread.take()
        {
            drop(thread.join());
        }
    }
}

/// One connection to a broker of a [`Cluster`], for its script.
#[derive(Debug)]
pub struct Visit {
    /// The broker, from 0.
    pub broker: usize,
    /// The number of the connection to this broker, from 0.
    pub number: usize,
    /// The connection.
    pub stream: TcpStream,
    /// What answers as a broker does.
    pub peer: Peer,
}

impl Visit {
    /// Serves as a broker does until the client goes.
    pub fn serve(self) {
        self.serve_with(|stream, answer| stream.write_all(answer));
    }

    /// Serves until the client goes; each answer is written by `write`, whose error ends the connection.
    pub fn serve_with(mut self, mut write: impl FnMut(&mut TcpStream, &[u8]) -> io::Result<()>) {
        let mut buffer = [0; 4096];
        while let Ok(count) = self.stream.read(&mut buffer) {
            let bytes = buffer.get(..count).unwrap_or_default();
            let answers = self.peer.receive(bytes);
            if count == 0 || answers.iter().any(|answer| write(&mut self.stream, answer).is_err()) {
                return;
            }
        }
    }

    /// Reads one request without answering it, and returns the answer it would get. None when the client goes
    /// before.
    pub fn read_request(&mut self) -> Option<Vec<u8>> {
        let mut buffer = [0; 4096];
        loop {
            let count = self.stream.read(&mut buffer).ok().filter(|count| *count > 0)?;
            if let Some(answer) = self.peer.receive(buffer.get(..count)?).into_iter().next() {
                return Some(answer);
            }
        }
    }
}

/// A name server that behaves, and brokers that follow a script.
#[derive(Debug)]
pub struct Cluster {
    name_server: Server,
    brokers: Vec<Server>,
    store: Store,
    visits: Arc<AtomicUsize>,
}

impl Cluster {
    /// Starts brokers `b0`, `b1` and so on, each with one queue of any topic.
    ///
    /// # Errors
    /// When no port can be had.
    pub fn start(brokers: usize, script: impl Fn(Visit) + Send + Sync + 'static) -> io::Result<Self> {
        let mut listeners = Vec::new();
        let mut names = Vec::new();
        for index in 0..brokers {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            names.push((format!("b{index}"), listener.local_addr()?.port()));
            listeners.push(listener);
        }
        let mut cluster = Self::with_route(names.clone())?;
        let script = Arc::new(script);
        for (broker, listener) in listeners.into_iter().enumerate() {
            let (script, names, store) = (script.clone(), names.clone(), cluster.store.clone());
            let visits = cluster.visits.clone();
            cluster.brokers.push(Server::start_on(listener, move |number, stream| {
                visits.fetch_add(1, Ordering::SeqCst);
                script(Visit { broker, number, stream, peer: Peer::new(store.clone(), &names) });
            })?);
        }
        Ok(cluster)
    }

    /// A name server only: its route names brokers that nobody started.
    ///
    /// # Errors
    /// When no port can be had.
    pub fn with_route(brokers: Vec<(String, u16)>) -> io::Result<Self> {
        let store = Store::default();
        let route_store = store.clone();
        let name_server = Server::start(move |number, stream| {
            let peer = Peer::new(route_store.clone(), &brokers);
            Visit { broker: 0, number, stream, peer }.serve();
        })?;
        Ok(Self { name_server, brokers: Vec::new(), store, visits: Arc::default() })
    }

    /// The address of the name server, as a client is configured with it.
    #[must_use]
    pub fn name_server(&self) -> String {
        self.name_server.address().to_string()
    }

    /// What the brokers have seen.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// How many connections the brokers got.
    #[must_use]
    pub fn visits(&self) -> usize {
        self.visits.load(Ordering::SeqCst)
    }
}
