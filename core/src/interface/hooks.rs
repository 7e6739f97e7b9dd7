//! The hooks of a client: who they are, and what they say no with.

use super::rpc_hook::RpcHook;
use super::send_hook::{CheckForbidden, SendInterceptor};
use super::text::clean_text;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

/// Why a hook does not let something through.
#[derive(Clone, PartialEq, Eq, Debug, Hash, thiserror::Error)]
#[error("{reason}")]
pub struct Refusal {
    reason: String,
}

impl Refusal {
    /// A refusal with its reason, for people.
    #[must_use]
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into() }
    }

    /// The reason.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

/// A hook did not let something through, or panicked. What it was asked about did not happen; nothing else is touched.
#[derive(Clone, PartialEq, Eq, Debug, Hash, thiserror::Error)]
#[error("hook {hook}: {reason}")]
pub struct HookError {
    /// The name of the hook.
    pub hook: String,
    /// Its reason, escaped and capped.
    pub reason: String,
}

impl HookError {
    pub(crate) fn new(hook: &str, refusal: &Refusal) -> Self {
        Self { hook: clean_text(hook), reason: clean_text(&refusal.reason) }
    }
}

/// The names of the hooks of a client.
#[derive(Clone, PartialEq, Eq, Debug, Default, Hash)]
pub struct HookNames {
    /// Around requests.
    pub rpc: Vec<String>,
    /// Around sends.
    pub interceptors: Vec<String>,
    /// Before attempts.
    pub forbidden: Vec<String>,
}

/// The hooks of a client, each kind in the order in which they are called.
///
/// They stand beside the [settings](crate::interface::ClientConfig), which are plain values. A recording of a client names
/// the hooks that it had, and can be replayed with hooks of the same names only.
#[derive(Clone, Default)]
pub struct Hooks {
    /// Around requests.
    pub rpc: Vec<Arc<dyn RpcHook>>,
    /// Around sends.
    pub interceptors: Vec<Arc<dyn SendInterceptor>>,
    /// Before attempts.
    pub forbidden: Vec<Arc<dyn CheckForbidden>>,
}

impl Hooks {
    /// True when there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rpc.is_empty() && self.interceptors.is_empty() && self.forbidden.is_empty()
    }

    /// Their names.
    #[must_use]
    pub fn names(&self) -> HookNames {
        HookNames {
            rpc: self.rpc.iter().map(|hook| hook.name().into()).collect(),
            interceptors: self.interceptors.iter().map(|hook| hook.name().into()).collect(),
            forbidden: self.forbidden.iter().map(|hook| hook.name().into()).collect(),
        }
    }
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let HookNames { rpc, interceptors, forbidden } = self.names();
        f.debug_struct("Hooks")
            .field("rpc", &rpc)
            .field("interceptors", &interceptors)
            .field("forbidden", &forbidden)
            .finish()
    }
}
