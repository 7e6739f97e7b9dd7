//! Hooks of applications, and the second port of brokers.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rocketmq_tokio::rocketmq_core::command::RequestCode;
use rocketmq_tokio::{
    CheckForbidden, InterceptedMessage, Message, OutgoingRequest, PlannedAttempt, Refusal, RequestView,
    RpcHook, RpcOutcome, SendEnd, SendErrorKind, SendInterceptor, SendVerdict,
};

use super::audit::audit;
use super::bench::Bench;
use super::load::{Load, Until};

const LONG: Duration = Duration::from_secs(30);

/// Counts what it sees, by what it is.
#[derive(Default)]
struct Book(Mutex<BTreeMap<String, usize>>);

impl Book {
    fn note(&self, what: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(what).or_default() += 1;
    }

    /// How often something was seen whose name begins so.
    fn count(&self, begin: &str) -> usize {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.iter().filter(|(what, _)| what.starts_with(begin)).map(|(_, count)| count).sum()
    }
}

impl RpcHook for Book {
    fn name(&self) -> &str {
        "book"
    }

    fn before_request(&self, request: &mut OutgoingRequest<'_>) -> Result<(), Refusal> {
        self.note(format!("before {} {}", request.code().0, request.endpoint()));
        request.add_field("addedByHook", "a \"quoted\" value")
    }

    fn after_response(&self, request: &RequestView<'_>, outcome: &RpcOutcome<'_>) {
        assert_eq!(request.fields().get("addedByHook").as_deref(), Some("a \"quoted\" value"));
        let how = if matches!(outcome, RpcOutcome::Answered(answer) if answer.code.0 == 0) {
            "ok"
        } else {
            "other"
        };
        self.note(format!("after {} {how}", request.code.0));
    }
}

impl SendInterceptor for Book {
    fn name(&self) -> &str {
        "book"
    }

    fn before_send(&self, message: &mut InterceptedMessage<'_>) -> Result<(), Refusal> {
        if message.body().as_ref() == b"refused" {
            return Err(Refusal::new("not this one"));
        }
        self.note("shown".to_owned());
        message.set_tag("hooked").map_err(|error| Refusal::new(error.to_string()))
    }

    fn after_send(&self, send: &SendEnd<'_>) {
        let stored = matches!(send.verdict, SendVerdict::Stored(_));
        self.note(if stored { "told stored" } else { "told failed" }.to_owned());
    }
}

impl CheckForbidden for Book {
    fn name(&self) -> &str {
        "book"
    }

    fn check(&self, attempt: &PlannedAttempt<'_>) -> Result<(), Refusal> {
        let forbidden = attempt.message.body().as_ref() == b"forbidden";
        if forbidden { Err(Refusal::new("not today")) } else { Ok(()) }
    }
}

/// Real servers take requests with further fields, in both forms of headers, and store what interceptors make of messages.
pub(crate) fn hooks(bench: &Bench<'_>) -> String {
    const COUNT: usize = 100;
    let topic = bench.topic_on("hooks", &["broker-a", "broker-b"]);
    let book = Arc::new(Book::default());
    let client = bench.client_with(|builder| {
        let (rpc, send, check) = (book.clone(), book.clone(), book.clone());
        builder.rpc_hook(rpc).send_interceptor(send).check_forbidden(check)
    });
    let producer = bench.producer(&client, "hooks");
    let sent = bench.wait(Load::new(bench, &producer, &topic).within(LONG).lanes(4, &Until::count(COUNT)));
    let figures = audit(bench.cluster, &topic, &sent).all_stored().once();
    let stored = bench.cluster.stored(topic.as_str()).expect("the store");
    assert!(
        stored.iter().all(|message| message.properties.get("TAGS").map(String::as_str) == Some("hooked"))
    );
    for (body, of) in [("refused", "not this one"), ("forbidden", "not today")] {
        let (producer, message) = (producer.clone(), Message::new(topic.clone(), body));
        let error = bench.run(async move { producer.send(message).await }).expect_err("a hook says no");
        let by_hook = matches!(error.kind(), SendErrorKind::Intercepted(_) | SendErrorKind::Forbidden { .. });
        assert!(by_hook && !error.may_be_stored() && error.to_string().contains(of), "{error}");
    }
    drop(producer);
    bench.run(async move { client.shutdown(LONG).await });
    // Each request that was let through has ended once.
    assert_eq!(book.count("before "), book.count("after "));
    assert_eq!((book.count("shown"), book.count("told stored")), (COUNT + 1, COUNT));
    let sends = RequestCode::SEND_MESSAGE_V2.0;
    assert!(book.count(&format!("after {sends} ok")) >= COUNT);
    for code in [RequestCode::GET_ROUTEINFO_BY_TOPIC, RequestCode::HEART_BEAT, RequestCode::UNREGISTER_CLIENT]
    {
        assert!(book.count(&format!("after {} ok", code.0)) > 0, "{code:?}");
    }
    format!("{figures}; {} requests with a field more", book.count("before "))
}

/// Sends go to the second port of real brokers once it is connected, and nothing else does.
pub(crate) fn vip_channel(bench: &Bench<'_>) -> String {
    const COUNT: usize = 300;
    let topic = bench.topic_on("vip-channel", &["broker-a", "broker-b"]);
    let book = Arc::new(Book::default());
    let client = bench.client_with(|builder| builder.vip_channel(true).rpc_hook(book.clone()));
    let producer = bench.producer(&client, "vip-channel");
    let sent = bench.wait(Load::new(bench, &producer, &topic).within(LONG).lanes(1, &Until::count(COUNT)));
    let figures = audit(bench.cluster, &topic, &sent).all_stored().once();
    drop(producer);
    bench.run(async move { client.shutdown(LONG).await });
    let (mut second, mut first) = (0, 0);
    for broker in ["broker-a", "broker-b"] {
        let address = bench.cluster.broker_address(broker).expect("its address");
        let (host, port) = address.rsplit_once(':').expect("a port");
        let vip = format!("{host}:{}", port.parse::<u16>().expect("a number") - 2);
        let sends = RequestCode::SEND_MESSAGE_V2.0;
        second += book.count(&format!("before {sends} {vip}"));
        first += book.count(&format!("before {sends} {address}"));
        for other in [RequestCode::HEART_BEAT, RequestCode::UNREGISTER_CLIENT] {
            assert_eq!(book.count(&format!("before {} {vip}", other.0)), 0, "{other:?}");
            assert!(book.count(&format!("before {} {address}", other.0)) > 0, "{other:?}");
        }
    }
    assert!(first >= 2 && second > COUNT / 2, "{first} to the first ports, {second} to the second");
    format!(
        "{figures}; {second} requests to the second ports, {first} to the first before those were connected"
    )
}
