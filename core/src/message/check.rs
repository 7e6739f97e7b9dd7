//! What is checked before a message is sent, so that no byte of a wrong one is ever written.

use alloc::borrow::ToOwned;
use alloc::string::String;

use super::properties::pair_len;
use super::{Message, PropertyError, names};
use crate::ground::names::NameError;

/// Longest text of properties a store can hold, in bytes: its length field is an i16.
const MAX_STORED_PROPERTIES_LEN: usize = 32_767;
/// Room for what is added on the way: `UNIQ_KEY` by the client, `MSG_REGION`, `TRACE_ON`, `CLUSTER`
/// and the like by the broker.
const ADDED_PROPERTIES_LEN: usize = 200;
/// Longest text of properties a message may have when it is handed in, in bytes.
pub const MAX_PROPERTIES_LEN: usize = MAX_STORED_PROPERTIES_LEN - ADDED_PROPERTIES_LEN;

/// Why a message cannot be sent. Nothing was sent; correct the message and send it again.
#[derive(Debug, Clone, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum MessageError {
    /// The topic is none that a client may send to.
    #[error(transparent)]
    Topic(#[from] NameError),
    /// The body is empty.
    #[error(
        "the message to topic {topic} has an empty body; brokers refuse it, so put at least one byte into it"
    )]
    EmptyBody {
        /// The topic of the message.
        topic: String,
    },
    /// The body is longer than the producer's limit.
    #[error(
        "the body has {len} bytes, at most {max} are allowed; split it, store it elsewhere, or raise the limit of the producer and of the brokers"
    )]
    BodyTooLarge {
        /// Length of the body in bytes.
        len: usize,
        /// The producer's limit in bytes (Java: `maxMessageSize`).
        max: usize,
    },
    /// A queue of `INNER_MULTI_DISPATCH` has a path separator, which would lead a broker to write
    /// outside its store.
    #[error("the property INNER_MULTI_DISPATCH has the path separator {separator:?}; name queues without it")]
    PathInMultiDispatch {
        /// The separator found.
        separator: char,
    },
    /// The properties are longer than a store can hold.
    #[error(
        "the properties have {len} bytes, at most {max} are allowed; brokers store {MAX_STORED_PROPERTIES_LEN}, and \
         client and broker add some themselves; put large values into the body"
    )]
    PropertiesTooLong {
        /// Length of the properties in bytes, with separators.
        len: usize,
        /// The limit in bytes.
        max: usize,
    },
    /// The tag, a key or a property is refused.
    #[error(transparent)]
    Property(#[from] PropertyError),
}

/// Checks a message in Java's order (`Validators#checkMessage`): topic, body, multi dispatch; then
/// the length of its properties, which Java leaves to the broker.
///
/// `max_message_size` is the longest body allowed, in bytes.
///
/// # Errors
/// The first rule that the message breaks.
#[doc(alias = "checkMessage")]
pub fn check_message(message: &Message, max_message_size: usize) -> Result<(), MessageError> {
    if message.topic().is_forbidden_to_send() {
        let name = message.topic().clone();
        return Err(NameError::Forbidden { name }.into());
    }
    let len = message.body().len();
    if len == 0 {
        return Err(MessageError::EmptyBody { topic: message.topic().as_str().to_owned() });
    }
    if len > max_message_size {
        return Err(MessageError::BodyTooLarge { len, max: max_message_size });
    }
    if let Some(queues) = message.property(names::INNER_MULTI_DISPATCH) {
        // Java looks for the separator of its own platform; the broker's may be the other one.
        if let Some(separator) = queues.chars().find(|c| matches!(c, '/' | '\\')) {
            return Err(MessageError::PathInMultiDispatch { separator });
        }
    }
    let len = message.properties().as_wire().len();
    if len > MAX_PROPERTIES_LEN {
        return Err(MessageError::PropertiesTooLong { len, max: MAX_PROPERTIES_LEN });
    }
    Ok(())
}

/// Properties that go with a message besides its own.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct AddedProperties<'a> {
    /// The producer group, as servers know it, of a half message.
    pub(crate) half_of: Option<&'a str>,
    /// The namespace of the first kind.
    pub(crate) instance_id: Option<&'a str>,
}

impl<'a> AddedProperties<'a> {
    /// Names and values.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&'static str, &'a str)> + use<'a> {
        let instance_id = self.instance_id.map(|namespace| (names::INSTANCE_ID, namespace));
        let half = self.half_of.map(|group| [(names::TRAN_MSG, "true"), (names::PGROUP, group)]);
        instance_id.into_iter().chain(half.into_iter().flatten())
    }
}

/// What a message needs beyond [`check_message`]: room for the properties that go with it.
pub(crate) fn check_added(message: &Message, added: &AddedProperties<'_>) -> Result<(), MessageError> {
    let more: usize = added.pairs().map(|(name, value)| pair_len(name.len(), value.len())).sum();
    let len = message.properties().as_wire().len() + more;
    if len > MAX_PROPERTIES_LEN {
        return Err(MessageError::PropertiesTooLong { len, max: MAX_PROPERTIES_LEN });
    }
    Ok(())
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
