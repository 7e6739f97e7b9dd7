//! Hooks as applications give them: they see what they should, and their panics stay with what they were asked about.

use super::world::{Task, World, message, run};
use crate::{
    CheckForbidden, Client, Driver, InterceptedMessage, Outcome, OutgoingRequest, PlannedAttempt, Producer,
    Refusal, RequestView, RpcHook, RpcOutcome, SendEnd, SendErrorKind, SendInterceptor, SendVerdict,
};
use rocketmq_core::command::RequestCode;
use std::future::IntoFuture;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// What each hook does with messages and their requests.
#[derive(Default)]
struct Bomb {
    /// Panics at each call before something from then on.
    armed: AtomicUsize,
    before: AtomicUsize,
    after: AtomicUsize,
    stored: AtomicUsize,
}

impl Bomb {
    fn before(&self) -> Result<(), Refusal> {
        self.before.fetch_add(1, Ordering::Relaxed);
        if self.armed.load(Ordering::Relaxed) > 0 {
            // As a panic, without its noise.
            std::panic::resume_unwind(Box::new("boom"));
        }
        Ok(())
    }

    fn after(&self) {
        self.after.fetch_add(1, Ordering::Relaxed);
        std::panic::resume_unwind(Box::new("boom"));
    }

    fn counts(&self) -> (usize, usize) {
        (self.before.load(Ordering::Relaxed), self.after.load(Ordering::Relaxed))
    }
}

impl RpcHook for Bomb {
    fn name(&self) -> &str {
        "bomb"
    }

    fn before_request(&self, request: &mut OutgoingRequest<'_>) -> Result<(), Refusal> {
        if request.code() == RequestCode::SEND_MESSAGE_V2 { self.before() } else { Ok(()) }
    }

    fn after_response(&self, request: &RequestView<'_>, _: &RpcOutcome<'_>) {
        if request.code == RequestCode::SEND_MESSAGE_V2 {
            self.after();
        }
    }
}

impl SendInterceptor for Bomb {
    fn name(&self) -> &str {
        std::panic::resume_unwind(Box::new("boom"));
    }

    fn before_send(&self, message: &mut InterceptedMessage<'_>) -> Result<(), Refusal> {
        message.set_property("seen", "yes").map_err(|error| Refusal::new(error.to_string()))?;
        self.before()
    }

    fn after_send(&self, send: &SendEnd<'_>) {
        self.stored.fetch_add(usize::from(matches!(send.verdict, SendVerdict::Stored(_))), Ordering::Relaxed);
        self.after();
    }
}

impl CheckForbidden for Bomb {
    fn name(&self) -> &str {
        "bomb"
    }

    fn check(&self, _: &PlannedAttempt<'_>) -> Result<(), Refusal> {
        self.before()
    }
}

fn start(builder: crate::ClientBuilder) -> (Client, Producer, Task<Driver<World>>) {
    let (client, driver) = builder.build_with(World::new()).unwrap();
    let mut driver = Task::new(driver);
    let producer = run(&mut driver, client.producer("group").into_future()).unwrap();
    (client, producer, driver)
}

/// Sends a message that goes through, one at which a hook panics, and another that goes through.
fn survives(builder: crate::ClientBuilder, bomb: &Bomb) -> SendErrorKind {
    let (_client, producer, mut driver) = start(builder);
    let mut send = || run(&mut driver, producer.send(message("body")).into_future());
    send().unwrap();
    bomb.armed.store(1, Ordering::Relaxed);
    let error = send().unwrap_err();
    assert_eq!(error.outcome(), Outcome::NotStored);
    assert!(error.to_string().contains("it panicked: boom"), "{error}");
    bomb.armed.store(0, Ordering::Relaxed);
    send().unwrap();
    error.kind().clone()
}

#[test]
fn a_panic_of_an_rpc_hook_fails_its_own_send_only() {
    let bomb = Arc::new(Bomb::default());
    let kind = survives(World::builder().rpc_hook(bomb.clone()), &bomb);
    assert!(matches!(kind, SendErrorKind::Hook(_)));
    assert_eq!(bomb.counts(), (3, 2));
}

#[test]
fn a_panic_of_an_interceptor_fails_its_own_send_only() {
    let bomb = Arc::new(Bomb::default());
    let kind = survives(World::builder().send_interceptor(bomb.clone()), &bomb);
    assert!(matches!(&kind, SendErrorKind::Intercepted(why) if why.hook == "(without a name)"), "{kind}");
    assert_eq!((bomb.counts(), bomb.stored.load(Ordering::Relaxed)), ((3, 2), 2));
}

#[test]
fn a_panic_of_a_check_fails_its_own_send_only() {
    let bomb = Arc::new(Bomb::default());
    let kind = survives(World::builder().check_forbidden(bomb.clone()), &bomb);
    assert!(matches!(kind, SendErrorKind::Forbidden { .. }));
    assert_eq!(bomb.counts(), (3, 0));
}

/// Where a hook calls a client.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    BeforeRequest,
    AfterResponse,
    BeforeSend,
    AfterSend,
    Check,
}

/// Hands a message to a producer, whose client may be the one that calls the hook.
struct Caller {
    place: Place,
    producer: Mutex<Option<Producer>>,
    /// What came of it, as far as that was told.
    told: Mutex<Vec<Result<(), String>>>,
}

impl Caller {
    fn new(place: Place) -> Arc<Self> {
        Arc::new(Self { place, producer: Mutex::default(), told: Mutex::default() })
    }

    fn call(&self, place: Place) {
        let producer = self.producer.lock().unwrap().clone();
        if let Some(producer) = producer.filter(|_| place == self.place) {
            let done = producer.try_enqueue(message("from a hook"));
            let done = done.map(drop).map_err(|error| error.to_string());
            self.told.lock().unwrap().push(done);
        }
    }

    fn set(&self, producer: Option<&Producer>) {
        let old = std::mem::replace(&mut *self.producer.lock().unwrap(), producer.cloned());
        drop(old);
    }

    fn builder(self: &Arc<Self>) -> crate::ClientBuilder {
        World::builder().rpc_hook(self.clone()).send_interceptor(self.clone()).check_forbidden(self.clone())
    }
}

impl RpcHook for Caller {
    fn name(&self) -> &str {
        "caller"
    }

    fn before_request(&self, request: &mut OutgoingRequest<'_>) -> Result<(), Refusal> {
        if request.code() == RequestCode::SEND_MESSAGE_V2 {
            self.call(Place::BeforeRequest);
        }
        Ok(())
    }

    fn after_response(&self, request: &RequestView<'_>, _: &RpcOutcome<'_>) {
        if request.code == RequestCode::SEND_MESSAGE_V2 {
            self.call(Place::AfterResponse);
        }
    }
}

impl SendInterceptor for Caller {
    fn name(&self) -> &str {
        "caller"
    }

    fn before_send(&self, _: &mut InterceptedMessage<'_>) -> Result<(), Refusal> {
        self.call(Place::BeforeSend);
        Ok(())
    }

    fn after_send(&self, _: &SendEnd<'_>) {
        self.call(Place::AfterSend);
    }
}

impl CheckForbidden for Caller {
    fn name(&self) -> &str {
        "caller"
    }

    fn check(&self, _: &PlannedAttempt<'_>) -> Result<(), Refusal> {
        self.call(Place::Check);
        Ok(())
    }
}

#[test]
fn a_hook_that_calls_its_own_client_refuses_and_nobody_stands_still() {
    let afterwards = [Place::AfterResponse, Place::AfterSend];
    for place in [Place::BeforeRequest, Place::BeforeSend, Place::Check].into_iter().chain(afterwards) {
        let caller = Caller::new(place);
        let (client, producer, mut driver) = start(caller.builder());
        let mut send = || run(&mut driver, producer.send(message("body")).into_future());
        send().unwrap();
        caller.set(Some(&producer));
        let sent = send();
        caller.set(None);
        if afterwards.contains(&place) {
            sent.unwrap();
        } else {
            let error = sent.unwrap_err();
            assert_eq!(error.outcome(), Outcome::NotStored, "{place:?}");
            assert!(error.to_string().contains("a hook must not call its own client"), "{error}");
        }
        send().unwrap();
        assert!(caller.told.lock().unwrap().is_empty(), "{place:?}: the call was unwound");
        assert_eq!(client.memory().messages, 0, "{place:?}");
    }
}

#[test]
fn a_hook_may_call_another_client_but_not_its_own_through_that() {
    let (caller, back) = (Caller::new(Place::BeforeSend), Caller::new(Place::BeforeSend));
    let (_client, producer, mut driver) = start(caller.builder());
    let (_other, other, mut others_driver) = start(back.builder());
    caller.set(Some(&other));
    run(&mut driver, producer.send(message("one")).into_future()).unwrap();
    assert_eq!(*caller.told.lock().unwrap(), [Ok(())]);
    run(&mut others_driver, other.flush(super::LONG)).unwrap();
    back.set(Some(&producer));
    run(&mut driver, producer.send(message("two")).into_future()).unwrap();
    caller.set(None);
    back.set(None);
    let told = caller.told.lock().unwrap();
    let error = told.last().unwrap().as_ref().unwrap_err();
    assert!(error.contains("a hook must not call its own client"), "{error}");
    assert!(back.told.lock().unwrap().is_empty());
}
