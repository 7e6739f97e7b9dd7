//! Hooks around requests: what they see, and what they may add.

use super::action::LostReason;
use super::hooks::{HookError, Refusal};
use crate::command::{RequestCode, ResponseCode};
use crate::ground::endpoint::Endpoint;
use crate::wire::{ExtFields, Header, RawFrame, WireLimits, Written};
use alloc::borrow::Cow;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

/// Most ext fields that hooks may add to one request.
const MOST_ADDED: usize = 64;
/// Most bytes of names and values that hooks may add to one request.
const MOST_ADDED_BYTES: usize = 32 * 1024;
/// Longest name of an added field.
const LONGEST_NAME: usize = 255;

/// Called before and after every request of a client: sends, ends of transactions, heartbeats, unregistering, route
/// queries and administrative calls. The question of HTTP discovery is no request, and what brokers ask is not shown.
///
/// `before_request` is called once for each request, at the moment in which its frame is made; a send that is tried again
/// makes another request. If it returns `Ok`, exactly one call of `after_response` follows, whatever becomes of the request,
/// unless the client is dropped without a shutdown.
///
/// **Both run inside the client, under its lock**: they must not wait, and must not call the client or its producers. They
/// should be functions of what they are given, so that a [recorded](crate::interface::Hooks) run can be replayed with them.
///
/// With hooks the client holds the header of each request under way once more.
///
/// ```
/// use rocketmq_core::interface::{OutgoingRequest, Refusal, RpcHook};
///
/// struct Zone(String);
///
/// impl RpcHook for Zone {
///     fn name(&self) -> &str {
///         "zone"
///     }
///
///     fn before_request(&self, request: &mut OutgoingRequest<'_>) -> Result<(), Refusal> {
///         request.add_field("__ZONE_NAME", &self.0)?;
///         request.add_field("__ZONE_MODE", "true")
///     }
/// }
/// ```
#[doc(alias = "registerRPCHook")]
pub trait RpcHook: Send + Sync + 'static {
    /// A name for errors and logs.
    fn name(&self) -> &str;

    /// A request is about to be written. It may get further ext fields.
    ///
    /// # Errors
    /// The request is not written, and ends with an error that names the hook. Nothing else is touched: a send ends as *not
    /// stored* unless an earlier attempt may have stored it, a heartbeat or a route query is tried again later.
    #[doc(alias = "doBeforeRequest")]
    fn before_request(&self, request: &mut OutgoingRequest<'_>) -> Result<(), Refusal>;

    /// The request has ended.
    #[doc(alias = "doAfterResponse")]
    fn after_response(&self, request: &RequestView<'_>, outcome: &RpcOutcome<'_>) {
        let _ = (request, outcome);
    }
}

impl<H: RpcHook + ?Sized> RpcHook for Arc<H> {
    fn name(&self) -> &str {
        H::name(self)
    }

    fn before_request(&self, request: &mut OutgoingRequest<'_>) -> Result<(), Refusal> {
        H::before_request(self, request)
    }

    fn after_response(&self, request: &RequestView<'_>, outcome: &RpcOutcome<'_>) {
        H::after_response(self, request, outcome);
    }
}

/// A request as hooks see it.
#[derive(Clone, Debug)]
pub struct RequestView<'a> {
    /// Where it goes.
    pub endpoint: &'a Endpoint,
    /// What it asks for.
    pub code: RequestCode,
    /// Its number on its connection.
    pub opaque: i32,
    /// No answer is wanted.
    pub one_way: bool,
    pub(crate) frame: RawFrame<'a>,
    pub(crate) limits: &'a WireLimits,
}

impl<'a> RequestView<'a> {
    /// Its ext fields. When it was written, those that hooks have added are among them. Read from its header at each call.
    #[must_use]
    pub fn fields(&self) -> ExtFields<'a> {
        Header::parse(&self.frame, self.limits).map(|header| header.ext).unwrap_or_default()
    }
}

/// The answer to a request.
#[derive(Clone, Debug)]
pub struct ResponseView<'a> {
    /// What became of the request.
    pub code: ResponseCode,
    /// The server's text, as it came.
    pub remark: Option<&'a str>,
    /// The ext fields.
    pub fields: ExtFields<'a>,
    /// The body.
    pub body: &'a [u8],
}

/// How a request ended.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum RpcOutcome<'a> {
    /// With an answer, whatever it says.
    Answered(ResponseView<'a>),
    /// The socket took all of a one-way request; no answer is expected.
    HandedOver,
    /// Without an answer.
    Failed {
        /// False when the server cannot have all of it.
        written: bool,
        /// Why.
        why: RpcFailure,
    },
}

/// Why a request has no answer.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RpcFailure {
    /// No answer in its time.
    #[error("no answer in time")]
    Timeout,
    /// Its connection ended.
    #[error("{0}")]
    Connection(LostReason),
    /// Nobody waits for the answer any more: a send came to its deadline, or its producer was closed.
    #[error("nobody waits for the answer any more")]
    Withdrawn,
    /// Another hook refused it. It was not written.
    #[error(transparent)]
    Hook(HookError),
    /// It does not fit into a frame. It was not written.
    #[error("request cannot be encoded: {0}")]
    NotEncodable(String),
}

/// A request that is about to be written.
pub struct OutgoingRequest<'a> {
    view: RequestView<'a>,
    written: Written<'a>,
    body: &'a [u8],
    added: &'a mut AddedFields,
}

impl fmt::Debug for OutgoingRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutgoingRequest").field("request", &self.view).field("added", &self.added).finish()
    }
}

impl<'a> OutgoingRequest<'a> {
    pub(crate) fn new(
        view: RequestView<'a>,
        written: Written<'a>,
        body: &'a [u8],
        added: &'a mut AddedFields,
    ) -> Self {
        Self { view, written, body, added }
    }

    /// Where it goes.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        self.view.endpoint
    }

    /// What it asks for.
    #[must_use]
    pub fn code(&self) -> RequestCode {
        self.view.code
    }

    /// Its number on its connection.
    #[must_use]
    pub fn opaque(&self) -> i32 {
        self.view.opaque
    }

    /// No answer is wanted.
    #[must_use]
    pub fn is_one_way(&self) -> bool {
        self.view.one_way
    }

    /// Its body.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        self.body
    }

    /// Its ext fields so far, those that hooks have added last. Read from its header at each call.
    pub fn fields(&self) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
        let added = self.added.iter().map(|(name, value)| (Cow::Borrowed(name), Cow::Borrowed(value)));
        self.view.fields().iter().chain(added)
    }

    /// The value of a field.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<Cow<'_, str>> {
        self.fields().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// Adds an ext field. Fields that are there already stay as they are.
    ///
    /// # Errors
    /// The name is taken, empty, longer than 255 bytes or has control characters, quotes or backslashes, or hooks have
    /// added 64 fields or 32 KiB to this request already. Handing the error on by `?` ends the request; dropping it leaves the field out.
    pub fn add_field(&mut self, name: &str, value: &str) -> Result<(), Refusal> {
        // Headers in JSON have names as they are, without escapes.
        let is_wrong = |c: char| c.is_control() || matches!(c, '"' | '\\');
        if name.is_empty() || name.len() > LONGEST_NAME || name.chars().any(is_wrong) {
            return Err(Refusal::new(
                "the name of a field must have 1 to 255 bytes, no control characters, quotes or backslashes",
            ));
        }
        if self.written.has_field(name) || self.added.iter().any(|(known, _)| known == name) {
            return Err(Refusal::new(alloc::format!("the request has a field {name} already")));
        }
        self.added.push(name, value)
    }
}

/// The fields that hooks have added to one request.
#[derive(Debug, Default)]
pub(crate) struct AddedFields {
    fields: Vec<(String, String)>,
    bytes: usize,
}

impl AddedFields {
    pub(crate) fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub(crate) fn clear(&mut self) {
        self.fields.clear();
        self.bytes = 0;
    }

    fn push(&mut self, name: &str, value: &str) -> Result<(), Refusal> {
        let bytes = self.bytes.saturating_add(name.len()).saturating_add(value.len());
        if self.fields.len() == MOST_ADDED || bytes > MOST_ADDED_BYTES {
            let most = "hooks may add 64 fields and 32 KiB to a request at most";
            return Err(Refusal::new(most));
        }
        self.bytes = bytes;
        self.fields.push((name.into(), value.into()));
        Ok(())
    }
}
