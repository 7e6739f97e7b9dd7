//! RPC hooks: what is done around each request when a client has some. All of it is out of the way of one that has none.
//!
//! A request is encoded as always, into an outbox of its own. The hooks look at its header; what they add is put among the
//! fields that it has. So the bytes of a request to which nothing is added are those that it has without hooks.

use super::{Client, Purpose};
use crate::command::{RequestCode, ResponseCode};
use crate::ground::endpoint::Endpoint;
use crate::interface::{
    AddedFields, CallFailure, HookError, OutgoingRequest, Refusal, RequestView, ResponseView, RpcFailure,
    RpcHook, RpcOutcome,
};
use crate::net::{ConnKey, EndedHow, Failure, FailureReason, Outbox, ToWrite};
use crate::producer::ProducerPurpose;
use crate::wire::{
    EncodeError, FieldSink, Header, PREFIX_BYTES, RawFrame, SerializeType, WireLimits, WriteFields, Written,
};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec::Vec;
use bytes::Bytes;

/// The RPC hooks of a client, and the requests that they have seen.
#[derive(Debug)]
pub(super) struct RpcHooks {
    hooks: List,
    /// What the hooks of one request have added.
    added: AddedFields,
    /// Requests that were written, by connection, number, and whether they are one-way: those have numbers of their own.
    under_way: BTreeMap<(ConnKey, i32, bool), UnderWay>,
}

struct List(Vec<Arc<dyn RpcHook>>);

impl core::fmt::Debug for List {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|hook| hook.name())).finish()
    }
}

/// A request that was written.
#[derive(Debug)]
struct UnderWay {
    endpoint: Endpoint,
    code: RequestCode,
    serialize: SerializeType,
    header: Box<[u8]>,
}

/// A request that is about to be written.
#[derive(Clone, Copy)]
struct About<'a> {
    endpoint: &'a Endpoint,
    code: RequestCode,
    opaque: i32,
    one_way: bool,
    frame: RawFrame<'a>,
    limits: &'a WireLimits,
}

impl<'a> About<'a> {
    fn view(self) -> RequestView<'a> {
        let Self { endpoint, code, opaque, one_way, frame, limits } = self;
        RequestView { endpoint, code, opaque, one_way, frame, limits }
    }
}

/// Which request goes where.
struct To<'a> {
    work: &'a ToWrite<Purpose>,
    endpoint: &'a Endpoint,
    one_way: bool,
}

/// Why a request is not written.
enum NotWritten {
    /// By the hook of this place in the list.
    Refused(usize, HookError),
    NotEncodable(EncodeError),
}

impl RpcHooks {
    pub(super) fn new(hooks: Vec<Arc<dyn RpcHook>>) -> Option<Box<Self>> {
        let (added, under_way) = (AddedFields::default(), BTreeMap::new());
        (!hooks.is_empty()).then(|| Box::new(Self { hooks: List(hooks), added, under_way }))
    }

    /// Asks all hooks.
    fn before(
        &mut self,
        about: About<'_>,
        written: Written<'_>,
        body: &[u8],
    ) -> Result<(), (usize, HookError)> {
        self.added.clear();
        for (place, hook) in self.hooks.0.iter().enumerate() {
            let mut request = OutgoingRequest::new(about.view(), written, body, &mut self.added);
            let answer = hook.before_request(&mut request);
            answer.map_err(|refusal| (place, HookError::new(hook.name(), &refusal)))?;
        }
        Ok(())
    }

    /// Tells the first `count` hooks how a request ended.
    fn after(&self, count: usize, request: &RequestView<'_>, outcome: &RpcOutcome<'_>) {
        for hook in self.hooks.0.iter().take(count) {
            hook.after_response(request, outcome);
        }
    }

    /// A request that was written has ended.
    fn ended(
        &mut self,
        conn: ConnKey,
        opaque: i32,
        one_way: bool,
        limits: &WireLimits,
        outcome: &RpcOutcome<'_>,
    ) {
        let Some(written) = self.under_way.remove(&(conn, opaque, one_way)) else {
            return;
        };
        let frame = RawFrame { serialize: written.serialize, header: &written.header, body: &[] };
        let about = About { endpoint: &written.endpoint, code: written.code, opaque, one_way, frame, limits };
        self.after(self.hooks.0.len(), &about.view(), outcome);
    }
}

impl Client {
    /// A request is encoded: the hooks see it, and then it goes to its connection. False when it has ended instead.
    #[cold]
    #[inline(never)]
    pub(super) fn show_to_hooks(&mut self, work: &ToWrite<Purpose>) -> bool {
        if matches!(work.purpose, Purpose::Discovery) {
            return true;
        }
        let Err(why) = self.show(work) else {
            return true;
        };
        self.net.not_encodable(work);
        match why {
            NotWritten::NotEncodable(error) => self.not_encodable(work, &error),
            NotWritten::Refused(_, error) => self.refused_by_hook(work.purpose, work.conn, error),
        }
        false
    }

    fn show(&mut self, work: &ToWrite<Purpose>) -> Result<(), NotWritten> {
        let Self { rpc: Some(rpc), net, wire, .. } = self else {
            return Ok(());
        };
        let encoded = net.take_encoded();
        let endpoint = net.link_of(work.conn).and_then(|link| net.endpoint(link)).cloned();
        let one_way = net.is_one_way(work.request);
        match (net.own_outbox(work.conn), endpoint) {
            (Some(outbox), Some(endpoint)) => {
                let to = To { work, endpoint: &endpoint, one_way };
                rpc.write(&to, encoded, outbox, wire)
            }
            // Its connection is there, since it was to be written.
            _ => Ok(()),
        }
    }

    /// A hook did not let a request through: whoever made it learns of it.
    fn refused_by_hook(&mut self, purpose: Purpose, conn: ConnKey, error: HookError) {
        let now = self.now.mono;
        match purpose {
            Purpose::Producer(ProducerPurpose::Send(key)) => {
                let (producers, mut cx) = self.producing();
                producers.refused_by_hook(&mut cx, key, error);
            }
            Purpose::Producer(ProducerPurpose::EndTransaction(key)) => {
                let (producers, mut cx) = self.producing();
                producers.end_refused_by_hook(&mut cx, key, error);
            }
            Purpose::Producer(purpose @ ProducerPurpose::Unregister(_)) => {
                let failure = Failure { written: false, why: FailureReason::Timeout };
                let (producers, mut cx) = self.producing();
                producers.failed(&mut cx, purpose, failure);
            }
            Purpose::Admin(purpose) => {
                let (admin, mut cx) = self.administering();
                admin.not_encodable(&mut cx, purpose, CallFailure::Hook(error));
            }
            Purpose::Cluster(purpose) => {
                let link = self.net.link_of(conn);
                if let Some(from) = link.and_then(|link| self.net.endpoint(link)).cloned() {
                    self.cluster.not_asked(now, purpose, &from, error.to_string(), &mut self.net);
                }
            }
            Purpose::Heartbeat(purpose) => {
                let (heartbeat, mut cx) = self.greeting();
                heartbeat.unanswered(&mut cx, purpose, error.to_string());
            }
            Purpose::Discovery => {}
        }
    }

    /// A request has its answer.
    #[cold]
    #[inline(never)]
    pub(super) fn hooks_answered(&mut self, conn: ConnKey, header: &Header<'_>, body: &[u8]) {
        let Self { rpc: Some(rpc), wire, .. } = self else {
            return;
        };
        let answer = ResponseView {
            code: ResponseCode(header.code),
            remark: header.remark.as_deref(),
            fields: header.ext,
            body,
        };
        rpc.ended(conn, header.opaque, false, wire, &RpcOutcome::Answered(answer));
    }

    /// Requests have ended without an answer.
    #[cold]
    #[inline(never)]
    pub(super) fn hooks_ended(&mut self) {
        let Self { rpc: Some(rpc), net, wire, .. } = self else {
            return;
        };
        for ended in net.take_ended() {
            let failed = |written, why| RpcOutcome::Failed { written, why };
            let outcome = match ended.how {
                EndedHow::HandedOver => RpcOutcome::HandedOver,
                EndedHow::Withdrawn => failed(true, RpcFailure::Withdrawn),
                EndedHow::Failed(Failure { written, why: FailureReason::Timeout }) => {
                    failed(written, RpcFailure::Timeout)
                }
                EndedHow::Failed(Failure { written, why: FailureReason::Connection(why) }) => {
                    failed(written, RpcFailure::Connection(why))
                }
            };
            rpc.ended(ended.conn, ended.opaque, ended.one_way, wire, &outcome);
        }
    }
}

impl RpcHooks {
    /// Shows the request that was just encoded to the hooks, and appends it to the outbox of its connection.
    fn write(
        &mut self,
        to: &To<'_>,
        (first, shared): (Bytes, Option<Bytes>),
        outbox: &mut Outbox,
        limits: &WireLimits,
    ) -> Result<(), NotWritten> {
        let To { work, endpoint, one_way } = *to;
        let unreadable = || Refusal::new("the request cannot be read");
        let Some(request) = Written::read(&first) else {
            return Err(NotWritten::Refused(0, HookError::new("(none)", &unreadable())));
        };
        let Written { frame, code, .. } = request;
        let about = About { endpoint, code: RequestCode(code), opaque: work.opaque, one_way, frame, limits };
        let written = match self.before(about, request, shared.as_deref().unwrap_or(frame.body)) {
            Ok(()) => {
                self.append(outbox, &first, &request, shared.as_ref()).map_err(NotWritten::NotEncodable)
            }
            Err((place, error)) => Err(NotWritten::Refused(place, error)),
        };
        let error = match written {
            Ok(header) => {
                let (endpoint, code, serialize) = (endpoint.clone(), about.code, frame.serialize);
                let under_way = UnderWay { endpoint, code, serialize, header };
                self.under_way.insert((work.conn, work.opaque, one_way), under_way);
                return Ok(());
            }
            Err(error) => error,
        };
        // Those that had let it through learn that it was for nothing.
        let (count, why) = match &error {
            NotWritten::Refused(place, error) => (*place, RpcFailure::Hook(error.clone())),
            NotWritten::NotEncodable(error) => {
                (self.hooks.0.len(), RpcFailure::NotEncodable(error.to_string()))
            }
        };
        self.after(count, &about.view(), &RpcOutcome::Failed { written: false, why });
        Err(error)
    }

    /// Appends a request with what was added to it; gives its header.
    fn append(
        &self,
        outbox: &mut Outbox,
        first: &Bytes,
        request: &Written<'_>,
        shared: Option<&Bytes>,
    ) -> Result<Box<[u8]>, EncodeError> {
        let frame = request.frame;
        let mut copy: Box<[u8]> = Box::default();
        if self.added.is_empty() {
            copy = frame.header.into();
            outbox.append(first.len(), |out| {
                out.extend_from_slice(first);
                Ok(())
            })?;
        } else {
            let body_len = shared.map_or(frame.body.len(), Bytes::len);
            outbox.append(first.len(), |out| {
                let before = out.len();
                request.append_with(out, &self.added, body_len)?;
                copy = out.get(before + PREFIX_BYTES..).unwrap_or_default().into();
                out.extend_from_slice(frame.body);
                Ok(())
            })?;
        }
        if let Some(body) = shared {
            outbox.append_shared(body.clone());
        }
        Ok(copy)
    }
}

impl WriteFields for AddedFields {
    fn write<S: FieldSink>(&self, sink: &mut S) {
        for (name, value) in self.iter() {
            sink.str(name, value);
        }
    }
}
