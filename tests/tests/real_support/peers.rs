//! Cases of name-server addresses that belong to somebody else.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use rocketmq_tokio::{NoRoute, Outcome, SendErrorKind};

use super::audit::audit;
use super::bench::Bench;
use super::load::{Load, Until, message};

const LONG: Duration = Duration::from_secs(30);
const HTTP_ANSWER: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
/// Fatal, unexpected message.
const TLS_ALERT: &[u8] = &[0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x0A];

/// A server that answers the first bytes of every connection with these; it lives as long as the test program.
fn answers_with(answer: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    thread::spawn(move || {
        for stream in listener.incoming() {
            // Whoever hangs up first, the next one is served.
            let _ = stream.and_then(|mut stream| {
                let _ = stream.read(&mut [0; 1024])?;
                stream.write_all(answer)
            });
        }
    });
    address
}

/// The error of a send that has this address for its only name server.
fn error_of(bench: &Bench<'_>, address: &str) -> String {
    let client = bench.client_of(address);
    let producer = bench.producer(&client, "wrong-address");
    let message = message(&bench.topic("wrong-address"), "never-sent");
    let error = bench
        .run(async move { producer.send(message).within(Duration::from_secs(1)).await })
        .expect_err("it is no name server");
    assert_eq!(error.outcome(), Outcome::NotStored);
    bench.run(async move { client.shutdown(LONG).await });
    match error.kind() {
        SendErrorKind::NoRoute(why @ NoRoute::NoNameServerReachable(_)) => {
            let text = why.to_string();
            assert!(text.contains(address), "it names {address}: {text}");
            text
        }
        kind => panic!("{kind:?}"),
    }
}

/// The error names the likely cause; next to a wrong address, a good one works.
pub(crate) fn wrong_address(bench: &Bench<'_>) -> String {
    let web_server = answers_with(HTTP_ANSWER);
    let text = error_of(bench, &web_server);
    assert!(text.contains("HTTP") && text.contains("web server"), "{text}");
    let tls = error_of(bench, &answers_with(TLS_ALERT));
    assert!(tls.contains("expects TLS"), "{tls}");
    // A broker speaks the protocol, but does not know the question.
    let broker = bench.cluster.broker_address("broker-a").expect("an address");
    let broker_text = error_of(bench, broker);
    assert!(broker_text.contains("not supported"), "{broker_text}");
    let free = TcpListener::bind("127.0.0.1:0").expect("a port");
    let nobody = free.local_addr().expect("an address").to_string();
    drop(free);
    let nobody_text = error_of(bench, &nobody);
    assert!(nobody_text.contains("refused"), "{nobody_text}");

    let topic = bench.topic_on("good-address", &["broker-a"]);
    let client = bench.client_of(&format!("{web_server};{nobody};{}", bench.cluster.name_server()));
    let load = Load::new(bench, &bench.producer(&client, "good-address"), &topic).within(LONG);
    let sent = bench.wait(load.lanes(1, &Until::count(10)));
    audit(bench.cluster, &topic, &sent).all_stored().once();
    bench.run(async move { client.shutdown(LONG).await });
    text
}
