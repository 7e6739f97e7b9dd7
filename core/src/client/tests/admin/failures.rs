//! Servers that do not answer, answer wrongly, or are too many; and the end of connections and clients.

use super::*;

#[test]
fn a_name_server_that_does_not_help_is_followed_by_the_next() {
    let mut rig = Rig::new(ClientConfig::new("10.9.0.1:9876;10.9.0.2:9876".parse().unwrap(), 7));
    let id = rig.asks(AdminRequest::ClusterInfo);
    let first = rig.reply(RequestCode::GET_BROKER_CLUSTER_INFO, &[], b"<html>");
    let second = rig.take_request(RequestCode::GET_BROKER_CLUSTER_INFO);
    assert_ne!(rig.address_of(first.conn), rig.address_of(second.conn));
    rig.answer_raw(second.conn, second.opaque, 0, None, Vec::new(), TWO_BROKERS.as_bytes());
    assert!(rig.administered(id).is_ok());
}

#[test]
fn nobody_there_is_told_with_its_reason_and_before_the_deadline() {
    let mut rig = Rig::new(config());
    let id = rig.admin(AdminRequest::ClusterInfo);
    let begin = rig.now.mono;
    let mut connects = 0;
    while rig.answers.is_empty() && rig.now.mono < begin + SHORT {
        for conn in core::mem::take(&mut rig.connects) {
            connects += 1;
            rig.input(Input::Closed { conn, why: CloseReason::Refused });
        }
        rig.pass(Duration::from_millis(10));
    }
    let error = rig.fails(id);
    assert!(error.to_string().contains("127.0.0.1:9876: connection failed: connection refused"), "{error}");
    assert!(rig.now.mono < begin + Duration::from_secs(2), "{:?}", rig.now.mono.since(begin));
    assert_eq!(connects, 3);
}

#[test]
fn silence_ends_at_the_deadline_and_costs_as_many_questions_as_said() {
    let mut rig = Rig::new(config());
    let id = rig.asks(AdminRequest::MaxOffset(queue(0)));
    rig.route(&["broker-a"]);
    let mut questions = 0;
    for _ in 0..30 {
        questions += rig.requests.iter().filter(|it| it.code == RequestCode::GET_MAX_OFFSET).count();
        rig.requests.clear();
        rig.pass(Duration::from_millis(100));
    }
    let AdminError::Broker(failure) = rig.fails(id) else {
        panic!("another error");
    };
    assert_eq!((failure.why, questions), (CallFailure::Timeout, 3));
    assert_eq!(failure.endpoint, Some("10.0.0.0:10911".parse().unwrap()));
}

#[test]
fn a_lost_connection_is_opened_again() {
    let mut rig = Rig::new(config());
    let id = rig.asks(AdminRequest::MaxOffset(queue(0)));
    rig.route(&["broker-a"]);
    let lost = rig.take_request(RequestCode::GET_MAX_OFFSET);
    rig.input(Input::Closed { conn: lost.conn, why: CloseReason::Reset });
    rig.pass(Duration::from_millis(200));
    rig.connect_all();
    rig.reply(RequestCode::GET_MAX_OFFSET, &[("offset", "1")], b"");
    assert_eq!(rig.administered(id), Ok(AdminAnswer::Offset(1)));
}

#[test]
fn a_busy_broker_is_asked_again_and_one_that_stays_busy_has_refused() {
    let mut rig = Rig::new(config());
    let id = rig.asks(AdminRequest::MaxOffset(queue(0)));
    rig.route(&["broker-a"]);
    for _ in 0..3 {
        let asked = rig.take_request(RequestCode::GET_MAX_OFFSET);
        rig.answer(&asked, 2, Some("system busy"));
        assert!(!rig.has_request(RequestCode::GET_MAX_OFFSET), "it is given time");
        rig.pass(Duration::from_millis(500));
    }
    let AdminError::Broker(failure) = rig.fails(id) else {
        panic!("another error");
    };
    assert!(matches!(&failure.why, CallFailure::Refused { remark, .. } if remark == "system busy"));
}

#[test]
fn answers_that_do_not_fit_are_errors() {
    for ext in [&[][..], &[("offset", "")], &[("offset", "many")], &[("offset", "99999999999999999999")]] {
        let mut rig = Rig::new(config());
        let id = rig.asks(AdminRequest::MaxOffset(queue(0)));
        rig.route(&["broker-a"]);
        rig.reply(RequestCode::GET_MAX_OFFSET, ext, b"");
        let error = rig.fails(id);
        assert!(
            matches!(&error, AdminError::Broker(it) if matches!(it.why, CallFailure::BadAnswer(_))),
            "{error}"
        );
    }
}

#[test]
fn calls_are_limited_in_number_and_end_with_the_client() {
    let mut limited = config();
    limited.limits.admin_calls = 2;
    let mut rig = Rig::new(limited);
    let ids = [0; 3].map(|_| rig.admin(AdminRequest::ClusterInfo));
    assert_eq!(rig.fails(ids[2]), AdminError::TooMany(2));
    let shutdown = rig.command(Command::Shutdown { deadline: rig.now.mono + SHORT });
    for id in &ids[..2] {
        assert_eq!(rig.fails(*id), AdminError::ClientClosed);
    }
    assert!(rig.answers.contains_key(&shutdown));
    let late = rig.admin(AdminRequest::ClusterInfo);
    assert_eq!(rig.fails(late), AdminError::ClientClosed);
    assert_eq!(rig.client.deadline(), None);
}

#[test]
fn connections_to_brokers_are_kept_for_the_next_call_and_then_closed() {
    let (mut rig, _) = ready(&["broker-a"]);
    let heartbeats = rig.client.counters().heartbeats;
    let mut conns = Vec::new();
    for _ in 0..2 {
        let id = rig.asks(view(1_000));
        conns.push(rig.reply(RequestCode::VIEW_MESSAGE_BY_ID, &[], &ORDINARY.bytes()).conn);
        assert!(rig.administered(id).is_ok());
        rig.pass(Duration::from_secs(5));
    }
    assert_eq!(conns[0], conns[1]);
    assert!(rig.addresses.values().filter(|at| *at == "10.0.0.0:10911").count() == 2, "one is for sends");
    assert_eq!(rig.client.counters().heartbeats, heartbeats, "it is not greeted");
    assert!(rig.closes.is_empty());
    rig.pass(Duration::from_secs(6));
    assert_eq!(rig.closes, [conns[0]]);
    let left = rig.client.view().connections.len();
    let id = rig.asks(view(1_000));
    let again = rig.reply(RequestCode::VIEW_MESSAGE_BY_ID, &[], &ORDINARY.bytes()).conn;
    assert!(rig.administered(id).is_ok());
    assert_ne!(again, conns[0]);
    rig.pass(Duration::from_secs(11));
    assert_eq!(rig.client.view().connections.len(), left, "no address is left behind");
}

#[test]
fn a_call_of_many_brokers_asks_a_few_at_a_time() {
    let names: Vec<String> = (0..40).map(|n| format!("broker-{n:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut rig = Rig::new(config());
    let id = rig.asks(query());
    rig.route(&names);
    let mut answered = 0;
    while rig.has_request(RequestCode::QUERY_MESSAGE) {
        assert!(rig.requests.len() <= 16, "{}", rig.requests.len());
        let asked = rig.take_request(RequestCode::QUERY_MESSAGE);
        rig.answer(&asked, 22, None);
        rig.connect_all();
        answered += 1;
    }
    assert_eq!(answered, 40);
    assert!(matches!(rig.administered(id), Ok(AdminAnswer::Messages(result)) if result.messages.is_empty()));
}

#[test]
fn a_deadline_far_away_does_not_wait_for_a_silent_name_server() {
    let mut rig = Rig::new(config());
    let request = Box::new(AdminRequest::ClusterInfo);
    let id = rig.command(Command::Admin { request, deadline: Instant::NEVER });
    rig.connect_all();
    rig.pass(Duration::from_secs(11));
    rig.connect_all();
    assert!(matches!(rig.fails(id), AdminError::NoNameServer { failure: CallFailure::Timeout, .. }));
}
