//! The program against a sink in a thread.

use bench_sink::{AnswerForm, Options, Report, Server};
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::process::{Command, Output};

struct Sink {
    address: SocketAddr,
    control: BufReader<UnixStream>,
}

impl Sink {
    fn start(change: impl FnOnce(&mut Options)) -> Self {
        let mut options = Options::default();
        change(&mut options);
        let server = Server::bind(&options).unwrap();
        let (ours, theirs) = UnixStream::pair().unwrap();
        let address = server.address();
        let reports = theirs.try_clone().unwrap();
        // It ends when `ours` is dropped.
        std::thread::spawn(move || server.run(theirs, reports).unwrap());
        Self { address, control: BufReader::new(ours) }
    }

    fn stats(&mut self) -> Report {
        self.control.get_mut().write_all(b"stats\n").unwrap();
        let mut line = String::new();
        self.control.read_line(&mut line).unwrap();
        serde_json::from_str(line.strip_prefix("STATS ").unwrap()).unwrap()
    }
}

fn floor(arguments: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_floor")).args(arguments.split_whitespace()).output().unwrap()
}

fn result(arguments: &str) -> Value {
    let output = floor(arguments);
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.lines().count(), 1);
    serde_json::from_str(text.strip_prefix("RESULT ").unwrap()).unwrap()
}

#[test]
fn all_forms_are_sent_and_answered() {
    for answers in [AnswerForm::Json, AnswerForm::Rocketmq] {
        for form in ["json", "rocketmq"] {
            let mut sink = Sink::start(|options| options.answers = answers);
            let to = sink.address;
            let load = "--messages 5000 --warm-up 300 --body 100 --in-flight 256 --batch 64";
            let line = result(&format!("codec --to {to} --serialize {form} {load}"));
            assert_eq!(line["client"], "floor");
            assert_eq!(line["variant"], "codec 64/256");
            assert_eq!(line["serialize"], form);
            assert_eq!((&line["messages"], &line["failed"]), (&Value::from(5_000), &Value::from(0)));
            assert_eq!(line["body_bytes"], 100);
            // One for the latencies at most: none for a message.
            assert!(line["allocations"].as_u64().unwrap() <= 8, "{line}");
            assert!(line["writes"].as_u64().unwrap() >= 5_000_u64.div_ceil(64));
            for pair in ["p50_us", "p90_us", "p99_us", "p999_us", "max_us"].windows(2) {
                assert!(line[pair[0]].as_f64().unwrap() <= line[pair[1]].as_f64().unwrap(), "{line}");
            }
            assert_eq!(sink.stats().messages, 5_300);
        }
    }
}

#[test]
fn one_message_at_a_time() {
    let mut sink = Sink::start(|_| ());
    let line = result(&format!("ping-pong --to {} --messages 400 --warm-up 100", sink.address));
    assert_eq!((&line["in_flight"], &line["variant"]), (&Value::from(1), &Value::from("ping-pong")));
    assert_eq!((&line["writes"], &line["reads"]), (&Value::from(400), &Value::from(400)));
    let stats = sink.stats();
    assert_eq!((stats.messages, stats.reads, stats.writes), (500, 500, 500));
}

#[test]
fn few_in_flight_leave_in_one_write() {
    let sink = Sink::start(|_| ());
    let line = result(&format!("codec --to {} --messages 1600 --warm-up 0 --in-flight 16", sink.address));
    assert_eq!(line["variant"], "codec 16/16");
    assert_eq!(line["writes"], 100);
}

#[test]
fn raw_frames_need_no_sink() {
    for arguments in
        ["--body 1024", "--serialize rocketmq --body 70000 --in-flight 64", "--in-flight 8192 --batch 256"]
    {
        let line = result(&format!("raw --messages 20000 --warm-up 1000 {arguments}"));
        assert_eq!((&line["messages"], &line["failed"]), (&Value::from(20_000), &Value::from(0)), "{line}");
        assert!(line["variant"].as_str().unwrap().starts_with("raw "));
        assert!(line["cpu_seconds"].as_f64().unwrap() > 0.0);
    }
}

#[test]
fn more_in_flight_than_buffers_hold_do_not_block_both_ends() {
    let sink = Sink::start(|_| ());
    let line = result(&format!(
        "codec --to {} --messages 60000 --warm-up 0 --in-flight 30000 --batch 30000",
        sink.address
    ));
    assert_eq!(line["failed"], 0);
}

#[test]
fn delayed_shuffled_and_refused_answers_are_told() {
    let sink = Sink::start(|options| {
        options.delay_us = 2_000;
        options.reorder = 16;
        options.error_rate = 0.1;
    });
    let line = result(&format!("codec --to {} --messages 4000 --warm-up 0", sink.address));
    assert!((250..550).contains(&line["failed"].as_u64().unwrap()), "{line}");
    assert!(line["first_error"].as_str().unwrap().starts_with("code 2: [TIMEOUT_CLEAN_QUEUE]"));
    assert!(line["p50_us"].as_f64().unwrap() >= 2_000.0);
}

#[test]
fn a_rate_is_kept() {
    let sink = Sink::start(|_| ());
    let line = result(&format!("codec --to {} --messages 2000 --warm-up 200 --rate 4000", sink.address));
    let seconds = line["seconds"].as_f64().unwrap();
    // The last message starts 1999 intervals after the first; a busy machine may take longer.
    assert!((0.499..5.0).contains(&seconds), "{line}");
    assert_eq!((&line["sends_per_second_offered"], &line["failed"]), (&Value::from(4000.0), &Value::from(0)));
    assert!(line["writes"].as_u64().unwrap() > 50, "{line}");
}

#[test]
fn what_cannot_work_is_told() {
    let refused = floor("codec --to nowhere");
    assert_eq!(refused.status.code(), Some(2));
    assert_eq!(floor("codec --to 127.0.0.1:1 --in-flight 0").status.code(), Some(2));
    let unreachable = floor("codec --to 127.0.0.1:1");
    assert_eq!(unreachable.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&unreachable.stderr).contains("no connection to 127.0.0.1:1"));
    let slow = Sink::start(|options| options.delay_us = 10_000_000);
    let silent = floor(&format!("codec --to {} --deadline-ms 100", slow.address));
    assert_eq!(silent.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&silent.stderr).contains("no answer to any of 256 messages"));
}
