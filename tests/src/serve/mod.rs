//! The simulated cluster on loopback sockets, driven by threads of the standard library.
//!
//! One thread per listening socket accepts, one per connection reads and answers, and one waits for the next time at
//! which a server has something to do: a delayed answer, an idle connection, a registration. All of them share one
//! [`Cluster`] behind a mutex; sockets are written to outside of it.

mod link;
mod shared;
mod threads;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use crate::cluster::{Cluster, ClusterConfig, ServerId};
use shared::Shared;

/// A cluster that listens on loopback addresses until it is dropped.
pub struct ServedCluster {
    shared: Arc<Shared>,
    name_server_addr: String,
    doors: Mutex<BTreeMap<ServerId, Door>>,
    ticker: Option<JoinHandle<()>>,
}

/// A listening socket with the thread that accepts from it.
struct Door {
    open: Arc<AtomicBool>,
    address: SocketAddr,
    thread: JoinHandle<()>,
}

impl Door {
    fn close(self) {
        self.open.store(false, Ordering::SeqCst);
        // The thread sits in `accept`: a connection lets it look at the flag. When even that cannot be made, the
        // thread has nothing to be joined for.
        if TcpStream::connect(self.address).is_ok() {
            // A panic in the thread has been reported by it already.
            let _ = self.thread.join();
        }
    }
}

impl ServedCluster {
    /// Starts all servers of a cluster. Addresses that the configuration leaves open become free ports of 127.0.0.1.
    ///
    /// Times of the cluster are milliseconds since the Unix epoch.
    ///
    /// # Errors
    /// A given address cannot be bound, or a thread cannot be started.
    pub fn start(mut config: ClusterConfig) -> io::Result<ServedCluster> {
        let mut listeners = Vec::new();
        let name_servers = std::mem::take(&mut config.name_server_addresses);
        let brokers = std::mem::take(&mut config.broker_addresses);
        for index in 0..config.name_servers {
            let listener = bind(name_servers.get(index))?;
            config.name_server_addresses.push(listener.local_addr()?);
            listeners.push((ServerId::NameServer(index), listener));
        }
        for index in 0..config.brokers {
            let listener = bind(brokers.get(index))?;
            config.broker_addresses.push(listener.local_addr()?);
            listeners.push((ServerId::Broker(index), listener));
        }
        if config.discovery {
            let listener = bind(config.discovery_address.as_ref())?;
            config.discovery_address = Some(listener.local_addr()?);
            listeners.push((ServerId::Discovery, listener));
        }
        let shared = Arc::new(Shared::new(config));
        let name_server_addr = shared.lock().cluster.name_server_addr();
        let mut served =
            ServedCluster { shared, name_server_addr, doors: Mutex::new(BTreeMap::new()), ticker: None };
        let shared = Arc::clone(&served.shared);
        served.ticker = Some(spawn("ticker", move || threads::tick(&shared))?);
        for (server, listener) in listeners {
            served.open_door(server, listener)?;
        }
        Ok(served)
    }

    /// The name-server addresses as clients are configured with them: `127.0.0.1:PORT;127.0.0.1:PORT`.
    pub fn name_server_addr(&self) -> String {
        self.name_server_addr.clone()
    }

    /// The address of the HTTP server that knows the name servers; nobody listens there unless the cluster has one.
    pub fn discovery_addr(&self) -> String {
        self.with_cluster(|cluster| cluster.address(ServerId::Discovery).to_string())
    }

    /// The time of the cluster, for those controls that want it: milliseconds since the Unix epoch.
    pub fn now_ms(&self) -> u64 {
        self.shared.now_ms()
    }

    /// Controls of the cluster and its logs. What the call changes takes effect at once.
    ///
    /// All servers wait while the call runs. To crash and restart use the methods of this type: they close and open
    /// the listening socket, too.
    pub fn with_cluster<R>(&self, call: impl FnOnce(&mut Cluster) -> R) -> R {
        let mut state = self.shared.lock();
        let result = call(&mut state.cluster);
        self.shared.carry_out(state);
        self.shared.wake_all();
        result
    }

    /// Kills a broker: its connections are closed, its port refuses connections, name servers forget it.
    pub fn crash_broker(&self, index: usize) {
        self.crash(ServerId::Broker(index));
    }

    /// Starts a broker again on the same port, with its store.
    ///
    /// # Errors
    /// The port is taken.
    pub fn restart_broker(&self, index: usize) -> io::Result<()> {
        self.restart(ServerId::Broker(index))
    }

    /// Stops a broker as a stopped process: it accepts connections, reads nothing more and says nothing.
    pub fn pause_broker(&self, index: usize) {
        self.with_cluster(|cluster| cluster.pause(ServerId::Broker(index)));
    }

    /// Ends the pause of a broker.
    pub fn resume_broker(&self, index: usize) {
        let now_ms = self.now_ms();
        self.with_cluster(|cluster| cluster.resume(now_ms, ServerId::Broker(index)));
    }

    /// Lets a broker stop in order: name servers forget it, answers that were due are sent, then it is gone.
    pub fn leave_broker(&self, index: usize) {
        let now_ms = self.now_ms();
        self.with_cluster(|cluster| cluster.leave(now_ms, index));
        self.close_door(ServerId::Broker(index));
    }

    /// Kills a server: its connections are closed, its port refuses connections.
    pub fn crash(&self, server: ServerId) {
        let now_ms = self.now_ms();
        self.with_cluster(|cluster| cluster.crash(now_ms, server));
        self.close_door(server);
    }

    /// Starts a killed server again on the same port; one that runs is left alone.
    ///
    /// # Errors
    /// The port is taken.
    pub fn restart(&self, server: ServerId) -> io::Result<()> {
        if self.lock_doors().contains_key(&server) {
            return Ok(());
        }
        let address = self.with_cluster(|cluster| cluster.address(server));
        let listener = TcpListener::bind(address)?;
        let now_ms = self.now_ms();
        self.with_cluster(|cluster| cluster.restart(now_ms, server));
        self.open_door(server, listener)
    }

    fn open_door(&self, server: ServerId, listener: TcpListener) -> io::Result<()> {
        let address = listener.local_addr()?;
        let open = Arc::new(AtomicBool::new(true));
        let shared = Arc::clone(&self.shared);
        let still_open = Arc::clone(&open);
        let thread = spawn("accept", move || threads::accept(&shared, server, &listener, &still_open))?;
        self.lock_doors().insert(server, Door { open, address, thread });
        Ok(())
    }

    fn close_door(&self, server: ServerId) {
        let door = self.lock_doors().remove(&server);
        if let Some(door) = door {
            door.close();
        }
    }

    fn lock_doors(&self) -> std::sync::MutexGuard<'_, BTreeMap<ServerId, Door>> {
        self.doors.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ServedCluster {
    fn drop(&mut self) {
        self.shared.stop();
        let doors = std::mem::take(&mut *self.lock_doors());
        for door in doors.into_values() {
            door.close();
        }
        if let Some(ticker) = self.ticker.take() {
            let _ = ticker.join();
        }
        self.shared.join_readers();
    }
}

fn bind(address: Option<&SocketAddr>) -> io::Result<TcpListener> {
    TcpListener::bind(address.copied().unwrap_or_else(|| (Ipv4Addr::LOCALHOST, 0).into()))
}

/// Starts a thread; its name shows up in debuggers and panics.
fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name(format!("simulated-{name}")).spawn(run)
}
