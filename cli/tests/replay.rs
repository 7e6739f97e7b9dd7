//! `rocketmq send --record` and `rocketmq replay`: recordings come back, as text and as pictures.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use common::{assert_code, cluster, rocketmq, run, send, stderr};

/// A file that no other test uses.
fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()))
}

/// Records so many messages.
fn record(name: &str, args: &[&str]) -> PathBuf {
    let path = file(name);
    let cluster = cluster(2);
    let mut command = send(&cluster, &["--body", "nobody shall see this", "--key-prefix", "key-"]);
    command.args(args).arg("--record").arg(&path);
    assert_code(&run(command), 0);
    path
}

fn replay(path: &Path, args: &[&str]) -> Command {
    let mut command = rocketmq(&["replay"]);
    command.arg(path).args(args);
    command
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_recording_replays_and_tells_its_story() {
    for (runtime, bodies) in [("tokio", "keep"), ("smol", "drop"), ("tokio", "hash")] {
        let args = ["--count", "30", "--runtime", runtime, "--record-bodies", bodies];
        let path = record(&format!("story-{bodies}"), &args);
        let bytes = fs::read(&path).expect("a recording");
        let body = b"nobody shall see this";
        assert_eq!(bytes.windows(body.len()).any(|window| window == body), bodies == "keep");
        let output = run(replay(&path, &["--transcript"]));
        assert_code(&output, 0);
        let text = stdout(&output);
        for expected in [
            "open producer of group rocketmq-cli",
            "c1 opens to 127.0.0.1:",
            ", name server",
            "c1 is up",
            "c1 -> GET_ROUTEINFO_BY_TOPIC",
            "topic CliTopic",
            "c1 <- SUCCESS to",
            "#30 send 21 bytes to CliTopic, keys \"key-29\"",
            "-> SEND_MESSAGE_V2",
            "#1 stored, SEND_OK in CliTopic/",
            "sends         30: 30 stored\n",
            "recording     complete: the client was shut down\n",
            "actions checked: the same\n",
        ] {
            assert!(text.contains(expected), "{expected:?} is missing in\n{text}");
        }
        assert_eq!(text.contains("body hash "), bodies == "hash");
        fs::remove_file(path).expect("there");
    }
}

#[test]
fn a_part_of_the_story() {
    let path = record("part", &["--count", "5"]);
    let output = run(replay(&path, &["--transcript", "--from", "1h"]));
    assert_code(&output, 1);
    let output = run(replay(&path, &["--transcript", "--from", "3600"]));
    assert_code(&output, 0);
    let text = stdout(&output);
    assert!(!text.contains("GET_ROUTEINFO") && text.contains("sends         5: 5 stored"), "{text}");
    let output = run(replay(&path, &["--transcript", "--to", "0"]));
    assert!(!stdout(&output).contains("-> SEND_MESSAGE_V2"));
    fs::remove_file(path).expect("there");
}

#[test]
fn a_picture_of_the_story() {
    let path = record("picture", &["--count", "40"]);
    let picture = file("picture.svg");
    let output = run(replay(&path, &["--timeline", &picture.display().to_string()]));
    assert_code(&output, 0);
    let svg = fs::read_to_string(&picture).expect("a picture");
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
    // One of each is in the legend.
    assert_eq!(svg.matches("class=\"stored\"").count(), 41, "{svg}");
    assert_eq!(svg.matches("class=\"send-request\"").count(), 41);
    assert!(svg.matches("class=\"route-request\"").count() > 1);
    assert!(svg.contains(">name server</text>") && svg.contains(">broker-a</text>"), "{svg}");
    let nowhere = file("no-such-folder").join("x.svg");
    assert_code(&run(replay(&path, &["--timeline", &nowhere.display().to_string()])), 1);
    fs::remove_file(path).expect("there");
    fs::remove_file(picture).expect("there");
}

#[test]
fn a_cut_recording_is_told_as_far_as_it_goes() {
    let path = record("cut", &["--count", "20"]);
    let bytes = fs::read(&path).expect("a recording");
    fs::write(&path, &bytes[..bytes.len() * 2 / 3]).expect("written");
    let output = run(replay(&path, &[]));
    assert_code(&output, 0);
    let text = stdout(&output);
    assert!(text.contains("the process died"), "{text}");
    fs::remove_file(path).expect("there");
}

#[test]
fn another_seed_is_found_out() {
    let path = record("seed", &["--count", "3"]);
    let mut bytes = fs::read(&path).expect("a recording");
    let name = b"seed\0";
    let at = bytes.windows(name.len()).position(|window| window == name).expect("the setting");
    bytes[at + name.len()] ^= 1;
    fs::write(&path, &bytes).expect("written");
    let output = run(replay(&path, &[]));
    assert_code(&output, 2);
    let text = stderr(&output);
    assert!(text.contains("the client acts differently") && text.contains("at input "), "{text}");
    assert!(stdout(&output).contains("replay        DIFFERENT at input "), "{}", stdout(&output));
    fs::remove_file(path).expect("there");
}

#[test]
fn what_is_no_recording_is_refused() {
    let path = file("none");
    for bytes in [&b""[..], b"RMQ-REC", b"RMQ-REC\x07", b"RMQ-REC\x01\x03\x01\x00\x00", b"something else"] {
        fs::write(&path, bytes).expect("written");
        let output = run(replay(&path, &["--transcript"]));
        assert_code(&output, 1);
        assert!(stderr(&output).contains("at byte "), "{}", stderr(&output));
    }
    fs::remove_file(&path).expect("there");
    assert_code(&run(replay(&path, &[])), 1);
    assert_code(&run(rocketmq(&["replay"])), 1);
    assert_code(&run(rocketmq(&["send", "--record-bodies", "keep"])), 1);
}
