//! One client for all who ask for the same client id: Java's `MQClientManager`.

use crate::client::{Client, ClientBuilder};
use crate::driver::Driver;
use crate::runtime::{Runtime, Spawn};
use crate::shared::Handle;
use crate::sync::{Mutex, MutexGuard};
use rocketmq_core::ground::names::ClientId;
use rocketmq_core::interface::{ClientConfig, ConfigError, HookNames};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, Weak};
use std::time::Duration;

/// Clients that are shared by their client id: `ip@instance[@unit]`.
///
/// Who asks for an id that is known gets another handle of the client that runs under it, whichever runtime drives it. The
/// table itself keeps no client alive: when its last handle was dropped, or it was shut down, the next who asks gets a new
/// one. Clones share one table.
///
/// Without an [instance name](ClientBuilder::instance_name) each client has an id of its own, so nothing is shared, as in
/// Java.
///
/// ```
/// use rocketmq_driver::{Client, SharedClients};
/// # fn example<R: rocketmq_driver::Spawn + Clone>(runtime: R) -> Result<(), rocketmq_driver::SharedClientError> {
/// let clients = SharedClients::default();
/// let builder = || Client::builder("127.0.0.1:9876").instance_name("shop");
/// let one = clients.start_with(builder(), runtime.clone())?;
/// let other = clients.start_with(builder(), runtime)?;
/// assert!(one.is_same(&other));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default)]
#[doc(alias = "MQClientManager")]
pub struct SharedClients {
    table: Arc<Mutex<BTreeMap<ClientId, Running>>>,
}

/// A client that was made for somebody.
#[derive(Debug)]
struct Running {
    config: ClientConfig,
    drop_budget: Duration,
    hooks: HookNames,
    handle: Weak<Handle>,
}

/// Why a shared client could not be had.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SharedClientError {
    /// A setting cannot work.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A client of that id runs already, with another value of a setting. Give both the same, or another instance name.
    #[error(
        "client {client_id} runs already with another {setting}; give both the same, or another instance_name"
    )]
    OtherSetting {
        /// The id.
        client_id: ClientId,
        /// The name of the setting.
        setting: &'static str,
    },
}

impl SharedClients {
    /// The client that runs under the builder's client id; or a new one, and its driver, which must be spawned or polled.
    ///
    /// What the two must have in common are all settings but the seed, and the names of their hooks: those of the first
    /// serve both. Name servers count as they were when the client was built. A recording cannot be begun by the second
    /// who asks.
    ///
    /// # Errors
    /// A setting that cannot work; or one that the running client has another value of.
    pub fn build_with<R: Runtime>(
        &self,
        builder: ClientBuilder,
        runtime: R,
    ) -> Result<(Client, Option<Driver<R>>), SharedClientError> {
        let (config, drop_budget) = builder.settings()?;
        let client_id = config.client_id()?;
        // Held while the client is made: who asks at the same time gets the same one.
        let mut table = self.lock();
        table.retain(|_, running| running.handle.strong_count() > 0);
        let found = table.get(&client_id).and_then(Running::client);
        // What may be a last handle by now is dropped behind the lock: others are woken then.
        let (result, _handle) = match found {
            Some((client, running)) if client.is_open() => {
                match running.difference(&config, drop_budget, &builder) {
                    None => (Ok((client, None)), None),
                    Some(setting) => {
                        (Err(SharedClientError::OtherSetting { client_id, setting }), Some(client))
                    }
                }
            }
            old => {
                let old = old.map(|(client, _)| client);
                let hooks = builder.hooks.names();
                let (client, driver) = builder.build_with(runtime)?;
                table.insert(client_id, Running { config, drop_budget, hooks, handle: client.downgrade() });
                (Ok((client, Some(driver))), old)
            }
        };
        drop(table);
        result
    }

    /// As [`build_with`](Self::build_with); the driver of a new client is spawned.
    ///
    /// # Errors
    /// As [`build_with`](Self::build_with).
    pub fn start_with<R: Spawn + Clone>(
        &self,
        builder: ClientBuilder,
        runtime: R,
    ) -> Result<Client, SharedClientError> {
        let (client, driver) = self.build_with(builder, runtime.clone())?;
        if let Some(driver) = driver {
            runtime.spawn(driver);
        }
        Ok(client)
    }

    /// How many clients have a handle somewhere.
    #[must_use]
    pub fn count(&self) -> usize {
        self.lock().values().filter(|running| running.handle.strong_count() > 0).count()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<ClientId, Running>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Running {
    /// Another handle of the client, and what is known of it.
    fn client(&self) -> Option<(Client, &Self)> {
        Some((Client::from_handle(self.handle.upgrade()?), self))
    }

    fn difference(
        &self,
        config: &ClientConfig,
        drop_budget: Duration,
        builder: &ClientBuilder,
    ) -> Option<&'static str> {
        let other = (self.drop_budget != drop_budget).then_some("drop_budget");
        let hooks = || (self.hooks != builder.hooks.names()).then_some("hooks");
        let recording = || builder.wants_recording().then_some("record");
        self.config.difference(config).or(other).or_else(hooks).or_else(recording)
    }
}
