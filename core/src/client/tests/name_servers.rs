//! Where the list of name servers comes from, and what happens when it changes.

use super::{Rig, config};
use crate::client::{ClientConfig, CloseReason, Command, ConnId, ConnectionState, Input};
use crate::command::RequestCode;
use crate::ground::endpoint::NameServers;
use crate::interface::{DiscoveryError, LostReason};
use crate::producer::{NoRoute, Outcome, SendErrorKind};
use crate::wire::HttpError;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const WEB: &str = "10.9.9.9:8080";

/// A client that knows no name server but whom to ask for them.
fn without_list() -> ClientConfig {
    let mut config = ClientConfig::new(NameServers::none(), 7);
    config.discovery = Some("10.9.9.9".parse().unwrap());
    config
}

fn http(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

fn bytes(rig: &mut Rig, conn: ConnId, text: &str) {
    rig.input(Input::Received { conn, bytes: text.as_bytes() });
}

/// Opens the connection to the HTTP server that the client asked for just now.
fn connect_web(rig: &mut Rig) -> ConnId {
    let conn = rig.connects.pop().expect("a connect");
    assert_eq!(rig.addresses[&conn], WEB);
    rig.input(Input::Connected { conn });
    conn
}

/// Lets time pass until the next look-up, and answers it.
fn answer_next(rig: &mut Rig, within: Duration, text: &str) {
    rig.connects.clear();
    let end = rig.now.mono + within;
    while rig.connects.is_empty() {
        let next = rig.client.deadline().filter(|at| *at <= end).expect("a look-up in time");
        rig.pass(next.since(rig.now.mono));
    }
    let conn = connect_web(rig);
    bytes(rig, conn, text);
}

fn lists(rig: &Rig) -> Vec<String> {
    rig.client.view().name_servers.iter().map(ToString::to_string).collect()
}

fn asked(rig: &Rig) -> Vec<&str> {
    rig.connects.iter().map(|conn| rig.addresses[conn].as_str()).collect()
}

fn set(rig: &mut Rig, list: &str) {
    rig.command(Command::SetNameServers { name_servers: list.parse().unwrap() });
}

#[test]
fn another_list_is_used_from_the_next_question_on_and_drains_what_left() {
    let mut rig = Rig::new(config());
    let producer = rig.open("PG");
    rig.send(producer, "T", 60 * SECOND);
    rig.connect_all();
    let old = rig.requests[0].conn;
    set(&mut rig, "10.0.0.7:9876");
    assert!(rig.connects.is_empty() && rig.closes.is_empty(), "the question under way may finish");
    rig.answer_route(&["broker-a"]);
    assert_eq!(rig.closes, [old], "its answer is the last thing there");
    assert_eq!(asked(&rig), ["10.0.0.0:10911"], "and counts");
    rig.connects.clear();
    rig.pass(30 * SECOND);
    assert!(asked(&rig).contains(&"10.0.0.7:9876"), "{:?}", asked(&rig));
    let known: Vec<_> = rig.client.view().connections.iter().map(|it| it.endpoint.to_string()).collect();
    assert!(!known.contains(&"127.0.0.1:9876".to_string()), "nothing is left of it: {known:?}");
    assert!(rig.told.iter().any(|notice| notice.contains("NameServersChanged")));
}

#[test]
fn a_question_that_stood_in_line_for_a_server_that_left_goes_to_the_new_one() {
    let mut rig = Rig::new(config());
    let producer = rig.open("PG");
    rig.send(producer, "T", 60 * SECOND);
    let old = rig.connects.pop().unwrap();
    set(&mut rig, "10.0.0.7:9876");
    assert_eq!((&rig.closes[..], &asked(&rig)[..]), (&[old][..], &["10.0.0.7:9876"][..]));
    // A server that left and then fails has not failed for anybody.
    let mut rig = Rig::new(config());
    let producer = rig.open("PG");
    rig.send(producer, "T", 60 * SECOND);
    rig.connect_all();
    set(&mut rig, "10.0.0.7:9876");
    let conn = rig.requests[0].conn;
    rig.input(Input::Closed { conn, why: CloseReason::Reset });
    assert_eq!(asked(&rig), ["10.0.0.7:9876"], "without a pause");
}

#[test]
fn an_empty_list_and_the_same_list_change_nothing() {
    let mut rig = Rig::new(config());
    rig.command(Command::SetNameServers { name_servers: NameServers::none() });
    set(&mut rig, "127.0.0.1:9876");
    assert_eq!(lists(&rig), ["127.0.0.1:9876"]);
    assert!(rig.told.is_empty(), "{:?}", rig.told);
}

#[test]
fn name_servers_are_discovered_at_the_start_and_every_two_minutes() {
    let mut settings = without_list();
    settings.identity.unit_name = Some("u1".into());
    let mut rig = Rig::new(settings);
    assert_eq!(rig.client.deadline(), Some(rig.now.mono), "due at once");
    rig.input(Input::Tick);
    let conn = connect_web(&mut rig);
    let (asked_on, question) = rig.texts.pop().unwrap();
    assert_eq!(asked_on, conn);
    assert!(question.starts_with("GET /rocketmq/nsaddr-u1?nofix=1 HTTP/1.1\r\nHost: 10.9.9.9:8080\r\n"));
    for line in ["Connection: close", "Client-Version: V5_5_0", "Metaq-Client-RequestTS: 1700000000000"] {
        assert!(question.contains(&format!("\r\n{line}\r\n")), "{question}");
    }
    assert!(question.ends_with("\r\n\r\n"));
    for byte in http("200 OK", " ns1:9876;[::1]:9876 \r\nignored").bytes() {
        rig.input(Input::Received { conn, bytes: &[byte] });
    }
    assert_eq!(rig.closes, [conn]);
    let mut list = lists(&rig);
    list.sort();
    assert_eq!(list, ["[::1]:9876", "ns1:9876"]);
    assert_eq!(rig.client.memory().inbox_bytes, 0);
    rig.pass(119 * SECOND);
    assert!(rig.connects.is_empty());
    // The same servers in another order are no news.
    let notices = rig.told.len();
    answer_next(&mut rig, SECOND, &http("200 OK", "[::1]:9876;ns1:9876"));
    assert!(!rig.told[notices..].iter().any(|notice| notice.contains("NameServersChanged")));
    answer_next(&mut rig, 120 * SECOND, &http("200 OK", "ns3:9876"));
    assert_eq!(lists(&rig), ["ns3:9876"]);
}

#[test]
fn a_send_waits_for_the_first_list() {
    let mut rig = Rig::new(without_list());
    let producer = rig.open("PG");
    let id = rig.send(producer, "T", 3 * SECOND);
    let conn = connect_web(&mut rig);
    bytes(&mut rig, conn, &http("503 Busy", ""));
    assert!(rig.answers.is_empty());
    answer_next(&mut rig, SECOND / 5, &http("200 OK", "10.0.0.7:9876"));
    assert_eq!(asked(&rig), ["10.0.0.7:9876"]);
    rig.connect_all();
    rig.answer_route(&["broker-a"]);
    rig.connect_all();
    let send = rig.take_request(RequestCode::SEND_MESSAGE_V2);
    rig.answer_stored(&send, 0, 1);
    assert!(rig.sent(id).is_ok());
}

/// Runs a send of two seconds while discovery does not work; why the send failed.
fn failed_by(fail: impl Fn(&mut Rig, ConnId)) -> DiscoveryError {
    let mut rig = Rig::new(without_list());
    let producer = rig.open("PG");
    let id = rig.send(producer, "T", 20 * SECOND);
    for _ in 0..2_000 {
        for conn in core::mem::take(&mut rig.connects) {
            fail(&mut rig, conn);
        }
        rig.pass(SECOND / 100);
    }
    let error = rig.sent(id).unwrap_err();
    assert_eq!(error.outcome(), Outcome::NotStored);
    let text = error.to_string();
    match error.kind() {
        SendErrorKind::NoRoute(NoRoute::DiscoveryFailed { endpoint, why }) => {
            assert_eq!(endpoint.to_string(), WEB);
            assert!(text.contains(WEB) && text.contains(&why.to_string()), "{text}");
            assert!((3..100).contains(&rig.addresses.len()));
            why.clone()
        }
        other => panic!("{other:?}"),
    }
}

fn answers(text: &str) -> DiscoveryError {
    failed_by(|rig, conn| {
        rig.input(Input::Connected { conn });
        bytes(rig, conn, text);
        rig.input(Input::Closed { conn, why: CloseReason::EndOfStream });
    })
}

#[test]
#[cfg_attr(miri, ignore = "too many steps for an interpreter")]
fn a_send_without_name_servers_says_why_discovery_failed() {
    use DiscoveryError as E;
    let refused = failed_by(|rig, conn| rig.input(Input::Closed { conn, why: CloseReason::Refused }));
    assert_eq!(refused, E::Connection(LostReason::Closed(CloseReason::Refused)));
    assert_eq!(failed_by(|rig, conn| rig.input(Input::Connected { conn })), E::Timeout);
    let hanging = failed_by(|_, _| {});
    assert_eq!(hanging, E::Connection(LostReason::ConnectTimeout(3 * SECOND)));
    assert_eq!(answers(&http("500 Oops", "ns1:9876")), E::Status(500));
    assert_eq!(answers("HTTP/1.1 302 Found\r\nLocation: http://x/\r\n\r\n"), E::Status(302));
    assert_eq!(answers(&http("200 OK", " \r\n")), E::Empty);
    assert_eq!(answers("SSH-2.0\r\n"), E::BadAnswer(HttpError::NotHttp));
    assert_eq!(answers("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nns1"), E::BadAnswer(HttpError::CutOff));
    let huge = "HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n";
    assert_eq!(answers(huge), E::BadAnswer(HttpError::BodyTooLong(65_536)));
    assert!(matches!(answers(&http("200 OK", "<html>")), E::BadList(text) if text.contains("<html>")));
    assert!(matches!(answers(""), E::Connection(LostReason::Closed(CloseReason::EndOfStream))));
}

#[test]
fn an_answer_without_a_length_ends_with_its_connection() {
    let mut rig = Rig::new(without_list());
    rig.input(Input::Tick);
    let conn = connect_web(&mut rig);
    bytes(&mut rig, conn, "HTTP/1.0 200 OK\r\n\r\nns1:98");
    bytes(&mut rig, conn, "76;ns2:9876");
    assert!(lists(&rig).is_empty());
    rig.input(Input::Closed { conn, why: CloseReason::EndOfStream });
    assert_eq!(lists(&rig).len(), 2);
}

#[test]
fn a_failure_never_takes_a_list_away() {
    let mut settings = without_list();
    settings.name_servers = "10.0.0.1:9876".parse().unwrap();
    let mut rig = Rig::new(settings);
    rig.input(Input::Tick);
    let conn = connect_web(&mut rig);
    bytes(&mut rig, conn, &http("200 OK", ""));
    assert_eq!(lists(&rig), ["10.0.0.1:9876"]);
    for text in [http("500 Oops", ""), http("200 OK", "no list"), "rubbish".into()] {
        answer_next(&mut rig, 20 * SECOND, &text);
        assert_eq!(lists(&rig), ["10.0.0.1:9876"]);
    }
    assert_eq!(rig.told.iter().filter(|notice| notice.contains("DiscoveryFailed")).count(), 4);
}

#[test]
fn a_list_set_by_hand_stays_until_another_one_is_found() {
    let mut rig = Rig::new(without_list());
    rig.input(Input::Tick);
    let conn = connect_web(&mut rig);
    bytes(&mut rig, conn, &http("200 OK", "ns1:9876"));
    set(&mut rig, "10.0.0.7:9876");
    answer_next(&mut rig, 120 * SECOND, &http("200 OK", "ns1:9876"));
    assert_eq!(lists(&rig), ["10.0.0.7:9876"]);
    answer_next(&mut rig, 120 * SECOND, &http("200 OK", "ns2:9876"));
    assert_eq!(lists(&rig), ["ns2:9876"]);
}

#[test]
fn a_late_answer_is_not_the_answer_to_the_next_question() {
    let mut rig = Rig::new(without_list());
    rig.input(Input::Tick);
    let slow = connect_web(&mut rig);
    bytes(&mut rig, slow, "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nold:");
    rig.pass(6 * SECOND);
    assert_eq!(rig.closes, [slow], "it has had its time");
    rig.pass(SECOND);
    let conn = connect_web(&mut rig);
    bytes(&mut rig, slow, "9876");
    bytes(&mut rig, conn, &http("200 OK", "new:9876"));
    assert_eq!(lists(&rig), ["new:9876"]);
}

#[test]
fn servers_that_all_fail_bring_the_next_look_up_forward() {
    let mut rig = Rig::new(without_list());
    let producer = rig.open("PG");
    let conn = connect_web(&mut rig);
    bytes(&mut rig, conn, &http("200 OK", "10.0.0.7:9876"));
    rig.send(producer, "T", 60 * SECOND);
    let refused = rig.connects.pop().unwrap();
    rig.input(Input::Closed { conn: refused, why: CloseReason::Refused });
    rig.pass(2 * SECOND);
    assert!(asked(&rig).contains(&WEB), "{:?}", asked(&rig));
}

#[test]
fn a_client_that_shuts_down_asks_nobody() {
    let mut rig = Rig::new(without_list());
    rig.input(Input::Tick);
    let conn = connect_web(&mut rig);
    rig.command(Command::Shutdown { deadline: rig.now.mono + SECOND });
    assert_eq!((&rig.closes[..], rig.client.deadline()), (&[conn][..], None));
    bytes(&mut rig, conn, &http("200 OK", "ns1:9876"));
    assert!(lists(&rig).is_empty() && rig.connects.is_empty());
    let states = rig.client.view().connections;
    assert!(states.iter().all(|it| it.state == ConnectionState::Down), "{states:?}");
}

#[test]
fn a_unit_name_that_is_no_path_is_refused() {
    let mut settings = without_list();
    settings.identity.unit_name = Some("a?b#c".into());
    assert_eq!(settings.check().unwrap_err().field, "unit_name");
}
