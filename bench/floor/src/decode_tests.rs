use super::*;
use std::path::PathBuf;

fn vector(name: &str) -> Vec<u8> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/testdata/vectors");
    let path = folder.join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn json_frame(header: &str) -> Vec<u8> {
    let mut frame = (4 + header.len() as u32).to_be_bytes().to_vec();
    frame.extend_from_slice(&(header.len() as u32).to_be_bytes());
    frame.extend_from_slice(header.as_bytes());
    frame
}

#[test]
fn real_answers_are_read() {
    let frame = vector("5.5.0-json/011-server-send-message-v2-answer-0.bin");
    let answer = Answer::read(&frame).unwrap();
    let expected = Answer {
        code: 0,
        opaque: 13,
        flag: 1,
        remark: b"",
        queue_id: Some(3),
        queue_offset: Some(0),
        message_id: Some(*b"7F0000010000559700000000000000F7"),
    };
    assert_eq!(answer, expected);
    assert_eq!(answer.outcome().unwrap(), Outcome { opaque: 13, failure: None });

    let frame = vector("4.9.7-binary/006-server-send-message-v2-answer-0.bin");
    let answer = Answer::read(&frame).unwrap();
    let expected = Answer {
        opaque: 8,
        queue_id: Some(0),
        message_id: Some(*b"7F0000010000614F000000000000CDDB"),
        ..expected
    };
    assert_eq!(answer, expected);
}

#[test]
fn refusals_tell_their_remark() {
    let frame = vector("5.5.0-json/033-server-code-9999-answer-3.bin");
    let failure = Answer::read(&frame).unwrap().outcome().unwrap().failure;
    assert_eq!(failure.as_deref(), Some("code 3:  request type 9999 not supported"));
    let frame = vector("4.9.7-binary/004-server-get-routeinfo-by-topic-answer-17.bin");
    let failure = Answer::read(&frame).unwrap().outcome().unwrap().failure.unwrap();
    assert!(
        failure.starts_with("code 17: No topic route info in name server for the topic: VectorTopic12\n")
    );
    let frame = vector("5.5.0-json/055-server-unregister-client-answer-0.bin");
    let failure = Answer::read(&frame).unwrap().outcome().unwrap().failure;
    assert_eq!(failure.as_deref(), Some("an answer without msgId, queueId or queueOffset"));
}

#[test]
fn all_real_answers_agree_with_a_json_reader() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/testdata/vectors/5.5.0-json");
    let mut compared = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let frame = std::fs::read(&path).unwrap();
        // The README is there as well.
        if !name.contains("-answer-") {
            continue;
        }
        let header_bytes = u32::from_be_bytes(frame[4..8].try_into().unwrap()) as usize;
        let header: serde_json::Value = serde_json::from_slice(&frame[8..8 + header_bytes]).unwrap();
        let answer = Answer::read(&frame).expect(&name);
        assert_eq!(
            (header["code"].as_i64(), header["opaque"].as_i64()),
            (Some(answer.code), Some(answer.opaque))
        );
        let ext = |field: &str| header["extFields"][field].as_str().and_then(|text| text.parse::<i64>().ok());
        assert_eq!((ext("queueId"), ext("queueOffset")), (answer.queue_id, answer.queue_offset), "{name}");
        compared += 1;
    }
    assert!(compared > 30, "{compared}");
}

#[test]
fn order_and_escapes_do_not_matter() {
    let header = r#"{"remark":"a \"b\\","extFields":{"x":"},\"","queueOffset":"-5"},"#.to_owned()
        + r#""opaque":-1,"flag":1,"z":7,"code":1}"#;
    let frame = json_frame(&header);
    let answer = Answer::read(&frame).unwrap();
    assert_eq!((answer.code, answer.opaque, answer.flag, answer.queue_offset), (1, -1, 1, Some(-5)));
    assert_eq!(answer.remark, br#"a \"b\\"#);
    assert_eq!(answer.outcome().unwrap().opaque, u32::MAX);
}

#[test]
fn what_is_no_answer_is_refused() {
    for header in [
        "",
        "{",
        "{}",
        r#"{"code":0}"#,
        r#"{"code":0,"opaque":1"#,
        r#"{"code":0,"opaque":1}}"#,
        r#"{"code":"0","opaque":1}"#,
    ] {
        assert!(Answer::read(&json_frame(header)).is_none(), "{header}");
    }
    let request = json_frame(r#"{"code":40,"flag":0,"opaque":1}"#);
    assert!(Answer::read(&request).unwrap().outcome().is_err());
    let binary = vector("4.9.7-binary/006-server-send-message-v2-answer-0.bin");
    for length in 0..binary.len() {
        assert!(Answer::read(&binary[..length]).is_none(), "{length}");
    }
}

#[test]
fn numbers_are_whole() {
    assert_eq!(number(b"-120"), Some(-120));
    for text in [&b""[..], b"-", b"1x", b"+1"] {
        assert_eq!(number(text), None);
    }
}
