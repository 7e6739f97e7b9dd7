//! Name servers that an HTTP server tells: found at the start, followed while they change, waited for while it fails.

use std::time::Duration;

use rocketmq_driver::{Client, DiscoveryError, Message, NoRoute, Outcome, SendErrorKind};
use rocketmq_sim::cluster::DiscoveryMood;
use rocketmq_sim::lab::{self, Connects, Lab, LabBuilder};

const SECOND: Duration = Duration::from_secs(1);
const GET_ROUTE: i32 = 105;
/// Everything but what is well.
const AILING: [DiscoveryMood; 10] = [
    DiscoveryMood::Status(500),
    DiscoveryMood::Status(302),
    DiscoveryMood::Empty,
    DiscoveryMood::Page,
    DiscoveryMood::Garbage,
    DiscoveryMood::Cut(0),
    DiscoveryMood::Cut(30),
    DiscoveryMood::Huge,
    DiscoveryMood::Late(9_000),
    DiscoveryMood::Silent,
];

fn with_discovery() -> LabBuilder {
    lab::builder().name_servers(2).discovery().topic("placed", 4)
}

/// A client that knows nothing but the HTTP server.
fn client(lab: &Lab) -> Client {
    let url = format!("http://{}/rocketmq/nsaddr", lab.discovery().address());
    let builder = Client::builder_with_discovery(url).process_id(7).seed(lab.seed());
    lab.start(builder.ip([10, 9, 0, 1].into())).expect("the settings are in order")
}

fn set_mood(lab: &Lab, mood: DiscoveryMood) {
    lab.note(format!("discovery: {mood:?}"));
    lab.with_cluster(|cluster, _| cluster.discovery_mut().expect("a server").set_mood(mood));
}

fn message(body: &str) -> Message {
    Message::new("placed".parse().expect("a topic's name"), body.to_owned())
}

#[test]
fn a_client_needs_to_know_the_http_server_only() {
    for mood in [DiscoveryMood::Well, DiscoveryMood::Chunked, DiscoveryMood::WithoutLength] {
        with_discovery().check(0..10, move |lab| async move {
            set_mood(&lab, mood);
            let producer = client(&lab).producer("senders").await.expect("the settings are in order");
            producer.send(message("a")).await.expect("nothing goes wrong");
            assert_eq!(lab.stored("placed").len(), 1);
            lab.with_cluster(|cluster, _| {
                assert_eq!(cluster.discovery_mut().expect("a server").asked(), ["/rocketmq/nsaddr"]);
            });
        });
    }
}

#[test]
fn a_send_waits_while_discovery_fails_in_any_way() {
    for mood in AILING {
        with_discovery().check(0..3, move |lab| async move {
            set_mood(&lab, mood);
            let producer = client(&lab).producer("senders").await.expect("the settings are in order");
            lab.after(8 * SECOND, |lab| set_mood(lab, DiscoveryMood::Well));
            producer.send(message("a")).within(30 * SECOND).await.expect("it is well in time");
            assert_eq!(lab.stored("placed").len(), 1);
        });
    }
}

#[test]
fn a_send_that_waited_in_vain_says_why() {
    for mood in AILING {
        with_discovery().check(0..3, move |lab| async move {
            set_mood(&lab, mood);
            let producer = client(&lab).producer("senders").await.expect("the settings are in order");
            let error = producer.send(message("a")).within(20 * SECOND).await.expect_err("nobody is known");
            assert_eq!((error.outcome(), lab.stored("placed").len()), (Outcome::NotStored, 0));
            let SendErrorKind::NoRoute(NoRoute::DiscoveryFailed { endpoint, why }) = error.kind() else {
                panic!("{error}");
            };
            assert_eq!(endpoint.to_string(), lab.discovery().address().to_string());
            let fits = match mood {
                DiscoveryMood::Status(status) => *why == DiscoveryError::Status(status),
                DiscoveryMood::Empty => *why == DiscoveryError::Empty,
                DiscoveryMood::Page => matches!(why, DiscoveryError::BadList(_)),
                DiscoveryMood::Cut(0) => matches!(why, DiscoveryError::Connection(_)),
                DiscoveryMood::Late(_) | DiscoveryMood::Silent => *why == DiscoveryError::Timeout,
                _ => matches!(why, DiscoveryError::BadAnswer(_)),
            };
            assert!(fits, "{mood:?}: {why:?}");
        });
    }
}

#[test]
fn a_server_that_is_away_is_waited_for() {
    with_discovery().check(0..5, |lab| async move {
        lab.discovery().crash();
        lab.after(3 * SECOND, |lab| lab.discovery().restart());
        lab.after(6 * SECOND, |lab| lab.discovery().set_connects(Connects::Accepted));
        lab.discovery().set_connects(Connects::Hanging);
        let producer = client(&lab).producer("senders").await.expect("the settings are in order");
        producer.send(message("a")).within(30 * SECOND).await.expect("it came back");
    });
}

#[test]
fn a_changed_list_is_followed_and_an_ailing_server_takes_none_away() {
    with_discovery().check(0..5, |lab| async move {
        let client = client(&lab);
        let producer = client.producer("senders").await.expect("the settings are in order");
        producer.send(message("a")).await.expect("nothing goes wrong");
        let addresses: Vec<String> = (0..2).map(|it| lab.name_server(it).address().to_string()).collect();
        let used = client.view().name_server.expect("one is in use").to_string();
        let (left, stays) = if addresses[0] == used { (0, 1) } else { (1, 0) };
        let list = addresses[stays].clone();
        lab.with_cluster(|cluster, _| cluster.discovery_mut().expect("a server").set_list(&list));
        lab.sleep(125 * SECOND).await;
        assert_eq!(client.view().name_server.map(|it| it.to_string()).as_ref(), Some(&addresses[stays]));
        let known: Vec<String> = client.view().connections.iter().map(|it| it.endpoint.to_string()).collect();
        assert!(!known.contains(&addresses[left]), "{known:?}");
        let asked = lab.name_server(left).requests(GET_ROUTE);
        for mood in AILING {
            set_mood(&lab, mood);
            lab.sleep(300 * SECOND).await;
            assert_eq!(client.view().name_servers.len(), 1, "{mood:?}");
        }
        assert_eq!(lab.name_server(left).requests(GET_ROUTE), asked);
        assert!(lab.name_server(stays).requests(GET_ROUTE) > 50, "routes are asked for all the time");
        producer.send(message("b")).await.expect("nothing is wrong with the cluster");
    });
}

#[test]
fn name_servers_that_all_die_are_looked_up_again() {
    with_discovery().check(0..5, |lab| async move {
        let list = lab.name_server(0).address().to_string();
        lab.with_cluster(|cluster, _| cluster.discovery_mut().expect("a server").set_list(&list));
        let client = client(&lab);
        let producer = client.producer("senders").await.expect("the settings are in order");
        producer.send(message("a")).await.expect("nothing goes wrong");
        let list = lab.name_server(1).address().to_string();
        lab.with_cluster(|cluster, _| cluster.discovery_mut().expect("a server").set_list(&list));
        lab.name_server(0).crash();
        lab.create_topic("other", 4);
        let other = Message::new("other".parse().expect("a topic's name"), "b");
        producer.send(other).within(10 * SECOND).await.expect("long before two minutes are over");
        assert!(lab.now() < 12 * SECOND);
    });
}

#[test]
fn a_list_may_be_changed_by_hand() {
    lab::builder().name_servers(2).check(0..10, |lab| async move {
        let addresses: Vec<String> = (0..2).map(|it| lab.name_server(it).address().to_string()).collect();
        let client = lab.start(Client::builder(addresses[0].as_str()).seed(lab.seed())).expect("a client");
        let producer = client.producer("senders").await.expect("the settings are in order");
        producer.send(message("a")).await.expect("nothing goes wrong");
        client.set_name_servers(addresses[1].as_str()).expect("a list");
        assert!(client.set_name_servers("").is_err(), "an empty list would end all sends");
        lab.name_server(0).crash();
        lab.sleep(31 * SECOND).await;
        assert!(lab.name_server(1).requests(GET_ROUTE) > 0);
        let other = Message::new("another".parse().expect("a topic's name"), "b");
        producer.send(other).await.expect("the new server is asked at once");
    });
}
