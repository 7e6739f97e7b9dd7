use super::client::{CONN, World};
use crate::cluster::{ClusterConfig, DiscoveryMood, ServerAction, ServerId};

const HTTP: ServerId = ServerId::Discovery;
const QUESTION: &str = "GET /rocketmq/nsaddr HTTP/1.1\r\nHost: a\r\n\r\n";

fn world() -> World {
    World::with(ClusterConfig { name_servers: 2, discovery: true, ..ClusterConfig::default() })
}

/// What is said to the next question, in pieces, and whether the connection is closed then.
fn answer(world: &mut World, pieces: &[&str]) -> (String, bool) {
    for piece in pieces {
        world.cluster.on_bytes(world.now, HTTP, CONN, piece.as_bytes());
    }
    let (mut text, mut closed) = (String::new(), false);
    while let Some((server, action)) = world.cluster.poll_action() {
        assert_eq!(server, HTTP);
        match action {
            ServerAction::Send { bytes, .. } => text.push_str(&String::from_utf8_lossy(&bytes)),
            ServerAction::Close { .. } => closed = true,
        }
    }
    (text, closed)
}

#[test]
fn the_list_is_told_to_a_whole_question_only() {
    let mut world = world();
    assert_eq!(
        answer(&mut world, &["GET /rocketmq/nsaddr-u?nofix=1 HTTP/1.1\r\nHo"]),
        (String::new(), false)
    );
    let (text, closed) = answer(&mut world, &["st: a\r\n\r\n"]);
    assert_eq!(text, "HTTP/1.1 200 OK\r\nContent-Length: 28\r\n\r\n10.0.0.1:9876;10.0.0.2:9876\n");
    assert!(closed);
    let server = world.cluster.discovery_mut().expect("a server");
    assert_eq!(server.asked(), ["/rocketmq/nsaddr-u?nofix=1"]);
}

#[test]
fn what_is_no_question_is_refused() {
    for text in
        ["POST / HTTP/1.1\r\nHost: a\r\n\r\n", "GET x HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\n\r\n"]
    {
        let (text, closed) = answer(&mut world(), &[text]);
        assert!(text.starts_with("HTTP/1.1 400 ") && closed, "{text}");
    }
    assert_eq!(answer(&mut world(), &[&"x".repeat(9_000)]), (String::new(), true));
}

#[test]
fn every_mood_says_what_it_should() {
    let said = |mood| {
        let mut world = world();
        world.cluster.discovery_mut().expect("a server").set_mood(mood);
        answer(&mut world, &[QUESTION])
    };
    assert!(said(DiscoveryMood::Chunked).0.ends_with("\r\n\r\n4\r\n10.0\r\n4\r\n.0.1\r\n4\r\n:987\r\n4\r\n6;10\r\n4\r\n.0.0\r\n4\r\n.2:9\r\n3\r\n876\r\n0\r\n\r\n"));
    assert!(said(DiscoveryMood::WithoutLength).0.ends_with("OK\r\n\r\n10.0.0.1:9876;10.0.0.2:9876"));
    assert!(said(DiscoveryMood::Status(503)).0.starts_with("HTTP/1.1 503 "));
    assert!(said(DiscoveryMood::Empty).0.ends_with("Content-Length: 2\r\n\r\n\r\n"));
    assert_eq!(said(DiscoveryMood::Cut(4)), ("HTTP".to_owned(), true));
    assert_eq!(said(DiscoveryMood::Cut(0)), (String::new(), true));
    assert_eq!(said(DiscoveryMood::Huge).0.len(), 1024 * 1024);
    assert_eq!(said(DiscoveryMood::Silent), (String::new(), false));
    assert!(said(DiscoveryMood::Page).0.contains("<html>"));
    assert!(!said(DiscoveryMood::Garbage).0.contains("HTTP"));
}

#[test]
fn a_late_answer_comes_at_its_time_and_a_dead_server_says_nothing() {
    let mut world = world();
    world.cluster.discovery_mut().expect("a server").set_mood(DiscoveryMood::Late(50));
    assert_eq!(answer(&mut world, &[QUESTION]), (String::new(), false));
    assert_eq!(world.cluster.next_deadline(), Some(world.now + 50));
    world.now += 50;
    world.cluster.on_tick(world.now);
    assert!(answer(&mut world, &[]).0.contains("10.0.0.1:9876"));
    world.cluster.crash(world.now, HTTP);
    assert!(!world.cluster.is_up(HTTP));
    world.cluster.on_connect(world.now, HTTP, CONN, "10.9.9.9:1".parse().expect("an address"));
    assert_eq!(answer(&mut world, &[]), (String::new(), true));
    world.cluster.restart(world.now, HTTP);
    assert!(world.cluster.is_up(HTTP));
}
