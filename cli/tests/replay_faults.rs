//! `rocketmq replay` of a client that has seen trouble: the transcript tells of it, and so does the picture.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use rocketmq_driver::{Bodies, Outcome, Producer};
use rocketmq_sim::lab::{self, Lab, SendFault};

use common::recorded::{SECOND, file, message, record, replay};
use common::{assert_code, run, stderr};

async fn outcome(producer: &Producer, number: usize) -> Option<Outcome> {
    producer.send(message(number)).within(SECOND).await.err().map(|error| error.outcome())
}

/// Seven messages: one that is stored at once, one that is refused and tried again, one whose connection is lost, one
/// that is refused for good, one without answer, one while nobody listens, and one when all is well again.
async fn misfortunes(lab: Lab, producer: Producer) {
    let broker = lab.broker(0);
    assert_eq!(outcome(&producer, 1).await, None);
    broker.next_sends(1, SendFault::busy());
    assert_eq!(outcome(&producer, 2).await, None);
    broker.next_sends(1, SendFault::StoreThenReset);
    assert_eq!(outcome(&producer, 3).await, None);
    let remark = "the message is illegal".to_owned();
    broker.next_sends(1, SendFault::Refuse { code: 13, remark });
    assert_eq!(outcome(&producer, 4).await, Some(Outcome::NotStored));
    broker.next_sends(10, SendFault::Lose);
    assert_eq!(outcome(&producer, 5).await, Some(Outcome::MayBeStored));
    broker.clear_send_faults();
    broker.crash();
    lab.sleep(SECOND).await;
    assert_eq!(outcome(&producer, 6).await, Some(Outcome::NotStored));
    broker.restart();
    producer.send(message(7)).within(60 * SECOND).await.expect("the broker is back");
}

fn recording(name: &str, bodies: Bodies) -> PathBuf {
    record(name, &lab::builder().topic("placed", 4), bodies, misfortunes)
}

fn transcript(path: &Path) -> String {
    let output = run(replay(path, &["--transcript"]));
    assert_code(&output, 0);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What the transcript must tell, in this order, each with everything in one line.
const TOLD: [&[&str]; 21] = [
    &["#1 stored, SEND_OK in placed/broker-a/", ", 1 attempt,"],
    // A refusal that is not the end.
    &["c2 <- SYSTEM_BUSY to ", " after ", ": [TIMEOUT_CLEAN_QUEUE]broker busy"],
    &["a message for placed is tried again in ", " ms; broker-a: refused with SYSTEM_BUSY(2): "],
    &["c2 -> SEND_MESSAGE_V2 "],
    &["#2 stored, SEND_OK in placed/broker-a/", ", 2 attempts,"],
    // A lost connection.
    &["c2 ends: connection reset; 1 request had no answer"],
    &["a message for placed is tried again in ", " ms; broker-a: connection failed: connection reset"],
    &["c3 opens to ", ", broker-a"],
    &["#3 stored, SEND_OK in placed/broker-a/", ", 2 attempts,"],
    // A refusal for good.
    &["c3 <- MESSAGE_ILLEGAL to ", ": the message is illegal"],
    &["#4 not stored: broker broker-a refused it: MESSAGE_ILLEGAL(13), the message is illegal; "],
    // No answer.
    &["a message for placed is tried again in ", " ms; broker-a: no answer in time"],
    &["#5 may be stored: no verdict within the deadline; ", ", written, ", ": no answer in time"],
    &["c3 ends: closed by the peer; ", " requests had no answer"],
    // Nobody listens.
    &["c4 opens to ", ", broker-a"],
    &["c4 ends: connection refused"],
    &["a message for placed is tried again in ", " ms; broker-a: connection failed: connection refused"],
    &["c1 <- TOPIC_NOT_EXIST to "],
    &["#6 not stored: no verdict within the deadline; ", ", not written, ", ": connection refused"],
    &["c8 is up"],
    &["#7 stored, SEND_OK in placed/broker-a/", ", 1 attempt,"],
];

#[test]
fn the_transcript_tells_each_misfortune_in_its_place() {
    for (bodies, checked) in
        [(Bodies::Keep, "with"), (Bodies::LeaveOut, "without"), (Bodies::Hash, "without")]
    {
        let path = recording(&format!("faults-{checked}-{bodies:?}"), bodies);
        let text = transcript(&path);
        let mut lines = text.lines();
        for parts in TOLD {
            let found = lines.any(|line| parts.iter().all(|part| line.contains(part)));
            assert!(found, "{parts:?} is missing, or not in its place, in\n{text}");
        }
        for line in [
            "connections   8 opened, 4 came up, 1 closed by the peer, 4 connection refused, 1 connection reset\n",
            ", 1 with MESSAGE_ILLEGAL, 1 with SYSTEM_BUSY, 1 with TOPIC_NOT_EXIST\n",
            "sends         7: 4 stored, 1 may be stored, 2 not stored\n",
            "actions checked: the same\n",
            &format!(" checked, {checked} the bodies of frames: the same\n"),
        ] {
            assert!(text.contains(line), "{line:?} is missing in\n{text}");
        }
        assert!(!text.contains("nobody shall see"), "{text}");
        fs::remove_file(path).expect("there");
    }
}

/// Elements of this class under which a pointer finds this text. The legend's have none.
fn marks(svg: &str, class: &str, text: &str) -> usize {
    let class = format!("class=\"{class}\"><title>");
    svg.split('<')
        .zip(svg.split('<').skip(1))
        .filter(|(element, title)| {
            format!("{element}<{title}").contains(&class)
                && title.starts_with("title>")
                && title.contains(text)
        })
        .count()
}

#[test]
fn the_picture_marks_each_misfortune() {
    let (path, picture) = (recording("faults-drawn", Bodies::LeaveOut), file("faults-drawn.svg"));
    let output = run(replay(&path, &["--timeline", &picture.display().to_string()]));
    assert_code(&output, 0);
    let svg = fs::read_to_string(&picture).expect("a picture");
    for (class, text, count) in [
        ("fault", "connection reset", 1),
        ("fault", "closed by the peer", 1),
        ("fault", "connection refused", 4),
        ("fault", "", 6),
        ("end", "client is shutting down", 2),
        ("retry", "refused with SYSTEM_BUSY(2)", 1),
        ("retry", "connection failed: connection reset", 1),
        ("retry", "connection failed: connection refused", 1),
        ("refused", "", 3),
        ("lost", "SEND_MESSAGE_V2", 4),
        ("stored", "", 4),
        ("may-be-stored", "", 1),
        ("not-stored", "", 2),
    ] {
        assert_eq!(marks(&svg, class, text), count, "{class} {text:?} in\n{svg}");
    }
    assert!(marks(&svg, "retry", "no answer in time") > 0, "{svg}");
    let retries = format!("retries       {}\n", marks(&svg, "retry", ""));
    let text = transcript(&path);
    assert!(text.contains(&retries), "{retries:?} is not in\n{text}");
    assert!(svg.contains("class=\"fault-text\">c2 connection reset</text>"), "{svg}");
    fs::remove_file(path).expect("there");
    fs::remove_file(picture).expect("there");
}

/// A key decides about nothing that the client does: only what was written to the socket tells.
#[test]
fn another_byte_on_the_wire_is_found_out() {
    for bodies in [Bodies::Keep, Bodies::LeaveOut, Bodies::Hash] {
        let path = recording(&format!("other-byte-{bodies:?}"), bodies);
        let mut bytes = fs::read(&path).expect("a recording");
        let key = b"key-3";
        let at = bytes.windows(key.len()).position(|window| window == key).expect("the third message");
        bytes[at + key.len() - 1] = b'8';
        fs::write(&path, &bytes).expect("written");
        let output = run(replay(&path, &[]));
        assert_code(&output, 2);
        let text = stderr(&output);
        for expected in
            ["the client acts differently: input ", " at byte ", "recorded is ", " s after the start"]
        {
            assert!(text.contains(expected), "{expected:?} is missing in\n{text}");
        }
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(text.contains("replay        DIFFERENT at input "), "{text}");
        fs::remove_file(path).expect("there");
    }
}

/// Whether today's client does the same as the one of this recording is another matter.
#[test]
fn a_recording_of_the_first_version_says_that_its_bytes_cannot_be_compared() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/testdata/recordings/format-1.rec");
    let output = run(replay(&path, &[]));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains(" not checked: a recording of format 1 has no hashes of them\n"), "{text}");
}
