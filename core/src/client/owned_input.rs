//! Inputs that own their parts.

use super::Client;
use crate::ground::Now;
use crate::interface::{CloseReason, Command, CommandId, ConnId, Input};
use bytes::Bytes;

/// An [`Input`] that owns its parts, to be kept and given later or again. A clone shares bodies and received
/// bytes.
///
/// ```
/// use rocketmq_core::client::{Client, ClientConfig, Input, OwnedInput};
/// use rocketmq_core::ground::Now;
///
/// let mut client = Client::new(ClientConfig::new("127.0.0.1:9876".parse()?, 7), Now::default())?;
/// let kept: OwnedInput = Input::Tick.into();
/// kept.clone().give(&mut client, Now::default());
/// kept.give(&mut client, Now::default());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Hash)]
pub enum OwnedInput {
    /// See [`Input::Command`].
    Command {
        /// Repeated by the answer.
        id: CommandId,
        /// What is wanted.
        command: Command,
    },
    /// See [`Input::Connected`].
    Connected {
        /// Which.
        conn: ConnId,
    },
    /// See [`Input::Received`].
    Received {
        /// Where.
        conn: ConnId,
        /// What.
        bytes: Bytes,
    },
    /// See [`Input::Wrote`].
    Wrote {
        /// Where.
        conn: ConnId,
        /// Number of bytes.
        count: usize,
    },
    /// See [`Input::Closed`].
    Closed {
        /// Which.
        conn: ConnId,
        /// Why.
        why: CloseReason,
    },
    /// See [`Input::Tick`].
    Tick,
}

impl OwnedInput {
    /// Gives it to a client.
    pub fn give(self, client: &mut Client, now: Now) {
        let input = match self {
            Self::Command { id, command } => Input::Command { id, command },
            Self::Connected { conn } => Input::Connected { conn },
            Self::Received { conn, bytes } => {
                return client.handle(now, Input::Received { conn, bytes: &bytes });
            }
            Self::Wrote { conn, count } => Input::Wrote { conn, count },
            Self::Closed { conn, why } => Input::Closed { conn, why },
            Self::Tick => Input::Tick,
        };
        client.handle(now, input);
    }
}

impl From<Input<'_>> for OwnedInput {
    /// Copies received bytes, and moves everything else.
    fn from(input: Input<'_>) -> Self {
        match input {
            Input::Command { id, command } => Self::Command { id, command },
            Input::Connected { conn } => Self::Connected { conn },
            Input::Received { conn, bytes } => Self::Received { conn, bytes: Bytes::copy_from_slice(bytes) },
            Input::Wrote { conn, count } => Self::Wrote { conn, count },
            Input::Closed { conn, why } => Self::Closed { conn, why },
            Input::Tick => Self::Tick,
        }
    }
}
