//! A laboratory for services that send to RocketMQ: their own code, with ordinary [`Producer`](rocketmq_driver::Producer)
//! handles, against a simulated cluster in simulated time.
//!
//! A [`Lab`] is a cluster of name servers and brokers, a network, a clock and an executor in one thread. All of it hangs
//! on one seed: the latencies, which task gets the next turn, the clients' own randomness. Nothing sleeps: hours pass in
//! milliseconds, and a failure comes back with its seed.
//!
//! ```
//! use rocketmq_driver::Message;
//! use rocketmq_sim::lab::{self, SendFault};
//! use std::time::Duration;
//!
//! // In a test: #[test] fn an_order_survives_the_death_of_a_broker() {
//! lab::check(0..20, |lab| async move {
//!     let producer = lab.client().producer("orders").await?;
//!     // What goes wrong: the broker stores the next message and dies before it answers.
//!     lab.broker(0).next_sends(1, SendFault::StoreThenCrash);
//!     lab.after(Duration::from_secs(1), |lab| lab.broker(0).restart());
//!     // The code under test.
//!     producer.send(Message::new("placed".parse()?, "4 apples")).await?;
//!     // What must hold: the client sent it again, with the same unique key.
//!     assert_eq!(lab.stored("placed").len(), 2);
//!     assert_eq!(lab.duplicates("placed").len(), 1);
//!     Ok::<(), Box<dyn std::error::Error>>(())
//! });
//! ```
//!
//! # What goes where
//!
//! - [`builder`] sets up the cluster ([`LabBuilder`]): brokers, topics, the release to imitate, the network, bounds.
//!   [`check`] and [`run`] use the defaults: one name server, one broker, topics that sends create.
//! - [`Lab::client`] makes clients. Code that makes its own takes [`Lab::client_builder`] and [`Lab::runtime`].
//! - [`Lab::spawn`], [`Lab::sleep`] and [`Lab::timeout`] take the place of an executor's. Channels, locks and `select!`
//!   of any library work as they are.
//! - [`Lab::broker`] and [`Lab::name_server`] are where things go wrong; [`Lab::at`] and [`Lab::after`] say when.
//! - [`Lab::stored`], [`Lab::duplicates`] and their kin tell what happened.
//! - [`drop_at`] cancels a future at any of its polls.
//!
//! # When a test fails
//!
//! The seed and the end of the story (what the network and the servers did) are printed. The environment variable
//! `ROCKETMQ_LAB_SEED` lets [`check`] run that seed alone. A test that waits for something that cannot come, that runs
//! without letting time pass, or that is not done after a day of simulated time fails with a text that says who waits.
//!
//! # What decides besides the seed
//!
//! Nothing may, or runs differ: no real clock, no other threads, no random order of a `HashMap`. [`check`] runs its
//! first seed twice and fails when the stories differ.
//!
//! # tokio
//!
//! Code that is tied to tokio (its timers, `tokio::spawn`) runs with
//! [`check_on_tokio`](LabBuilder::check_on_tokio) of the feature `tokio`: the same lab under a tokio runtime whose clock
//! is paused. Then tokio decides about the turns, and its timers count in milliseconds.

mod builder;
mod cancel;
mod control;
mod executor;
mod network;
#[cfg(feature = "tokio")]
mod paused_tokio;
mod questions;
mod runtime;
mod sends;
mod state;
mod story;
mod task;
mod time;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use rocketmq_driver::{Client, ClientBuilder, ConfigError, Spawn};

pub use builder::{Checked, LabBuilder, Report, TestResult, builder, check, run};
pub use cancel::{DropAt, Dropping, drop_at};
pub use control::{Broker, Server};
pub use network::{Connects, Network};
pub use questions::Duplicate;
pub use runtime::{SimRuntime, SimStream};
pub use sends::SendFault;
use state::Shared;
pub use task::{JoinError, JoinHandle};
pub use time::{Sleep, TimedOut};

/// The handle of a run: a clone is another handle of the same. The [module](self) tells how to use it.
#[derive(Clone)]
pub struct Lab {
    shared: Arc<Shared>,
}

impl fmt::Debug for Lab {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lab").field("seed", &self.seed()).field("now", &self.now()).finish_non_exhaustive()
    }
}

impl Lab {
    /// The seed of the run.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.shared.seed
    }

    /// A random number below `bound`, for the test's own choices; 0 when `bound` is 0. It hangs on the seed, and nothing
    /// of the lab hangs on it.
    #[must_use]
    pub fn random_below(&self, bound: u64) -> u64 {
        self.shared.enter(|state| state.user_dice.below(bound))
    }

    /// The name servers, as clients are configured with them: `host:port;host:port`.
    #[must_use]
    pub fn name_server_addr(&self) -> String {
        self.shared.enter(|state| state.cluster.name_server_addr())
    }

    /// A client of the cluster, whose driver runs as a task of the lab.
    ///
    /// ```
    /// # rocketmq_sim::lab::run(1, |lab| async move {
    /// let client = lab.client();
    /// let producer = client.producer("orders").await.unwrap();
    /// # drop(producer);
    /// # });
    /// ```
    #[must_use]
    pub fn client(&self) -> Client {
        match self.start(self.client_builder()) {
            Ok(client) => client,
            Err(error) => panic!("the default settings of a client do not work: {error}"),
        }
    }

    /// The settings of a client of this cluster. Its address, process id and seed come from the lab, so that runs are
    /// alike; everything else is the default.
    pub fn client_builder(&self) -> ClientBuilder {
        let (number, seed, name_servers) = self.shared.enter(|state| {
            state.next_client += 1;
            (state.next_client, state.seeds.next_u64(), state.cluster.name_server_addr())
        });
        let ip = Ipv4Addr::new(10, 9, 0, u8::try_from(number).unwrap_or(u8::MAX));
        Client::builder(name_servers.as_str())
            .ip(IpAddr::V4(ip))
            .process_id(number.saturating_add(1_000))
            .seed(seed)
    }

    /// Makes a client with settings of one's own and spawns its driver.
    ///
    /// # Errors
    /// The first setting that cannot work, by name, and why.
    pub fn start(&self, builder: ClientBuilder) -> Result<Client, ConfigError> {
        let runtime = self.runtime();
        let (client, driver) = builder.build_with(runtime.clone())?;
        runtime.spawn(driver);
        Ok(client)
    }

    /// Adds a line to the story, so that the printed end of it shows what the test did when.
    pub fn note(&self, text: impl AsRef<str>) {
        self.shared.enter(|state| state.tell(|| format!("test: {}", text.as_ref())));
    }

    /// The story so far, the last 4000 lines at most: seconds of simulated time, who, what.
    #[must_use]
    pub fn story(&self) -> String {
        self.shared.enter(|state| state.story.last(usize::MAX))
    }

    /// A number for everything that has happened so far, down to each byte: the same seed gives the same.
    #[must_use]
    pub fn story_hash(&self) -> u64 {
        self.shared.enter(|state| state.story.value())
    }
}
