use super::*;
use crate::options::AnswerForm;
use crate::vectors;
use serde_json::Value;

/// Port of the broker that the recorded answers are from.
const PORT: u16 = 21911;

fn brokers(change: impl FnOnce(&mut Options)) -> Brokers {
    let mut options = Options::default();
    change(&mut options);
    Brokers::new(&options, &[PORT]).unwrap()
}

fn answer(brokers: &mut Brokers, frame: &[u8]) -> Vec<u8> {
    let request = brokers.read(frame).expect("a frame");
    let mut out = Vec::new();
    brokers.answer(0, &request, &mut out);
    out
}

/// Header and body of a frame whose header is in JSON.
fn parts(frame: &[u8]) -> (&str, &[u8]) {
    let length = u32::from_be_bytes(frame[..4].try_into().unwrap()) as usize;
    assert_eq!(length + 4, frame.len());
    assert_eq!(frame[4], 0, "a JSON header");
    let header = u32::from_be_bytes([0, frame[5], frame[6], frame[7]]) as usize;
    let (header, body) = frame[8..].split_at(header);
    (std::str::from_utf8(header).unwrap(), body)
}

fn header_of(frame: &[u8]) -> Value {
    serde_json::from_str(parts(frame).0).unwrap()
}

fn opaque_of(frame: &[u8], brokers: &Brokers) -> i32 {
    match frame[4] {
        0 => header_of(frame)["opaque"].as_i64().unwrap() as i32,
        _ => brokers.read(frame).unwrap().opaque,
    }
}

/// Requests of `version` and the real answers to them.
fn pairs(version: &str, part: &str, brokers: &Brokers) -> Vec<(String, Vec<u8>, Vec<u8>)> {
    let requests = vectors::frames(version, "-client-");
    let mut found = Vec::new();
    for (name, answer) in vectors::frames(version, part) {
        let opaque = opaque_of(&answer, brokers);
        if let Some((_, request)) = requests.iter().find(|(_, frame)| opaque_of(frame, brokers) == opaque) {
            found.push((name, request.clone(), answer));
        }
    }
    found
}

#[test]
fn answers_to_sends_are_those_of_a_real_broker_but_for_offsets() {
    let mut brokers = brokers(|_| ());
    let mut compared = 0;
    for version in ["5.5.0-json", "5.5.0-binary"] {
        for part in ["-server-send-message", "-server-send-batch-message"] {
            for (name, request, real) in pairs(version, part, &brokers) {
                let real_header = parts(&real).0;
                if !name.ends_with("answer-0.bin") || real_header.contains("recallHandle") {
                    continue;
                }
                let answer = answer(&mut brokers, &request);
                let mut ours = parts(&answer).0.to_owned();
                for field in ["msgId", "queueOffset"] {
                    let text = |header: &str| {
                        let header: Value = serde_json::from_str(header).unwrap();
                        format!("\"{field}\":{}", header["extFields"][field])
                    };
                    ours = ours.replace(&text(&ours), &text(real_header));
                }
                assert_eq!(ours, real_header, "{name}");
                let length_of_ids = |frame| header_of(frame)["extFields"]["msgId"].as_str().unwrap().len();
                assert_eq!(length_of_ids(&answer), length_of_ids(&real), "{name}");
                assert_eq!(
                    &header_of(&answer)["extFields"]["msgId"].as_str().unwrap()[..16],
                    "7F00000100005597"
                );
                compared += 1;
            }
        }
    }
    assert!(compared >= 12, "{compared} answers compared");
}

#[test]
fn other_answers_are_those_of_real_servers() {
    let mut brokers = brokers(|options| options.topics = "VectorTopic".parse().unwrap());
    let mut compared = 0;
    for version in ["5.5.0-json", "5.5.0-binary"] {
        for part in ["-server-get-routeinfo", "-server-heart-beat", "-server-unregister-client"] {
            for (name, request, real) in pairs(version, part, &brokers) {
                let answer = answer(&mut brokers, &request);
                assert_eq!(String::from_utf8_lossy(&answer), String::from_utf8_lossy(&real), "{name}");
                compared += 1;
            }
        }
    }
    assert!(compared >= 7, "{compared} answers compared");
}

#[test]
fn scanned_headers_are_those_of_a_json_reader() {
    let brokers = brokers(|_| ());
    for version in ["4.9.7-json", "5.5.0-json"] {
        for (name, frame) in vectors::frames(version, "-client-") {
            let request = brokers.read(&frame).expect(&name);
            let (header, body) = (header_of(&frame), parts(&frame).1);
            assert_eq!(i64::from(request.code), header["code"], "{name}");
            assert_eq!(i64::from(request.opaque), header["opaque"], "{name}");
            assert_eq!(request.one_way, header["flag"].as_i64().unwrap() & 2 != 0, "{name}");
            assert_eq!(request.body, body, "{name}");
            let ext = &header["extFields"];
            if request.is_send() {
                let queue = if request.code == code::SEND_MESSAGE { &ext["queueId"] } else { &ext["e"] };
                let queue: i32 = queue.as_str().unwrap_or("0").parse().unwrap();
                assert_eq!(u16::try_from(queue).unwrap_or(0), request.queue_id(&brokers.scanner), "{name}");
            }
            if request.code == code::GET_ROUTEINFO_BY_TOPIC {
                let topic = request.topic(&brokers.scanner).unwrap();
                assert_eq!(ext["topic"], String::from_utf8_lossy(topic).as_ref(), "{name}");
            }
        }
    }
}

/// A frame with a JSON header.
fn json_frame(header: &str, body: &[u8]) -> Vec<u8> {
    let mut frame = ((4 + header.len() + body.len()) as u32).to_be_bytes().to_vec();
    frame.extend_from_slice(&(header.len() as u32).to_be_bytes());
    frame.extend_from_slice(header.as_bytes());
    frame.extend_from_slice(body);
    frame
}

#[test]
fn keys_before_the_ext_fields_and_braces_within_them_are_understood() {
    let mut brokers = brokers(|_| ());
    let go_head =
        r#"{"code":10,"language":"GO","version":317,"opaque":-7,"flag":0,"remark":"a \"},\"opaque\":1","#;
    let properties = r"a\u0001x},\u0002UNIQ_KEY\u00017F00000100002A\u0002TAGS\u0001TagA";
    let go_ext = format!(r#""extFields":{{"batch":"false","properties":"{properties}","queueId":"5"}}}}"#);
    let answer_to_go = header_of(&answer(&mut brokers, &json_frame(&format!("{go_head}{go_ext}"), b"body")));
    assert_eq!(answer_to_go["opaque"], -7);
    assert_eq!(answer_to_go["extFields"]["queueId"], "5");
    assert_eq!(answer_to_go["extFields"]["transactionId"], "7F00000100002A");

    let java_ext = r#""extFields":{"e":"3","i":"x\u0001},","j":"}},{\"opaque\":9,"}"#;
    let java = format!("{{\"code\":310,{java_ext},\"flag\":0,\"language\":\"JAVA\",\"opaque\":8}}");
    let answer_to_java = header_of(&answer(&mut brokers, &json_frame(&java, b"body")));
    assert_eq!(answer_to_java["opaque"], 8);
    assert_eq!(answer_to_java["extFields"]["queueId"], "3");
    assert!(answer_to_java["extFields"].get("transactionId").is_none());
}

#[test]
fn what_is_no_frame_is_not_understood() {
    let brokers = brokers(|_| ());
    for header in ["", "{", "{\"code\":310}", "{ \"code\": 310, \"opaque\": 1 }", "{\"code\":x,\"opaque\":1}"]
    {
        assert!(brokers.read(&json_frame(header, b"")).is_none(), "{header}");
    }
    let mut of_unknown_type = json_frame("{\"code\":34,\"opaque\":1}", b"");
    assert!(brokers.read(&of_unknown_type).is_some());
    of_unknown_type[4] = 2;
    assert!(brokers.read(&of_unknown_type).is_none());
    let binary = vectors::frame("5.5.0-binary/005-client-send-message-v2.bin");
    for length in 0..8 + 17 {
        assert!(brokers.read(&binary[..length]).is_none(), "{length}");
    }
}

#[test]
fn one_way_requests_are_counted_and_not_answered() {
    let mut brokers = brokers(|_| ());
    for flag in [2, 0] {
        let send = format!("{{\"code\":310,\"extFields\":{{\"e\":\"1\"}},\"flag\":{flag},\"opaque\":8}}");
        assert_eq!(answer(&mut brokers, &json_frame(&send, b"body")).is_empty(), flag == 2);
        let heartbeat = format!("{{\"code\":34,\"flag\":{flag},\"opaque\":9}}");
        assert_eq!(answer(&mut brokers, &json_frame(&heartbeat, b"")).is_empty(), flag == 2);
    }
    assert_eq!(brokers.take_messages(), 2);
    assert_eq!(brokers.take_messages(), 0);
}

#[test]
fn offsets_rise_for_each_queue_and_by_each_message_of_a_batch() {
    let mut brokers = brokers(|_| ());
    let send = vectors::frame("5.5.0-json/010-client-send-message-v2.bin");
    let batch = vectors::frame("5.5.0-json/029-client-send-batch-message.bin");
    let offset = |frame: Vec<u8>| header_of(&frame)["extFields"]["queueOffset"].as_str().unwrap().to_owned();
    let offsets: Vec<String> =
        [&send, &send, &batch, &batch, &send].map(|frame| offset(answer(&mut brokers, frame))).into();
    assert_eq!(offsets, ["0", "1", "0", "3", "2"]);
    assert_eq!(brokers.take_messages(), 9);
}

#[test]
fn binary_answers_are_those_of_a_real_broker_of_their_version() {
    let ids = MessageIds { broker: b"7F0000010000614F", log_offset: 0xCDDB, step: 0, count: 1 };
    let stored = Stored { queue_id: 0, queue_offset: 0, unique_id: b"", message_ids: ids };
    let mut out = Vec::new();
    answer::stored(Form::Binary, &mut out, 8, &stored);
    let mut real = vectors::frame("4.9.7-binary/006-server-send-message-v2-answer-0.bin");
    // The only difference: the version.
    real[11..13].copy_from_slice(&answer::VERSION.to_be_bytes());
    assert_eq!(out, real);

    out.clear();
    let refused = Plain { code: TOPIC_NOT_EXIST, remark: Some("é"), ..Plain::SUCCESS };
    answer::plain(Form::Binary, &mut out, 1, &refused);
    assert_eq!(out, b"\0\0\0\x1b\x01\0\0\x17\0\x11\0\x02\x01\0\0\0\x01\0\0\0\x01\0\0\0\x02\xc3\xa9\0\0\0\0");
}

#[test]
fn the_form_of_answers_can_be_chosen() {
    let json = vectors::frame("5.5.0-json/010-client-send-message-v2.bin");
    let binary = vectors::frame("5.5.0-binary/009-client-send-message-v2.bin");
    let expected = [(AnswerForm::Json, [0, 0]), (AnswerForm::Rocketmq, [1, 1]), (AnswerForm::Same, [0, 1])];
    for (form, kinds) in expected {
        let mut brokers = brokers(|options| options.answers = form);
        assert_eq!([&json, &binary].map(|frame| answer(&mut brokers, frame)[4]), kinds, "{form:?}");
    }
    let mut brokers = brokers(|options| options.answers = AnswerForm::Rocketmq);
    let answer = answer(&mut brokers, &binary);
    let ext = crate::request_binary::head(&answer[8..]).expect("a binary header").ext;
    let id = crate::request_binary::field(ext, b"transactionId");
    assert_eq!(id, Some(&b"FD00000000000000000000000000000216FE4E0E2F2A6955859E0001"[..]));
    assert_eq!(crate::request_binary::field(ext, b"queueId"), Some(&b"1"[..]));
}

#[test]
fn refused_sends_are_as_many_as_asked_for_and_not_stored() {
    let ids = std::env::temp_dir().join(format!("sink-refused-{}", std::process::id()));
    let mut brokers = brokers(|options| {
        options.error_rate = 0.25;
        options.store_ids = Some(ids.clone());
    });
    let send = vectors::frame("5.5.0-json/010-client-send-message-v2.bin");
    let mut refused = 0;
    for _ in 0..4_000 {
        let header = header_of(&answer(&mut brokers, &send));
        if header["code"] == 2 {
            refused += 1;
            assert_eq!(header["remark"], BUSY_REMARK);
            assert!(header.get("extFields").is_none());
        }
    }
    assert!((850..1_150).contains(&refused), "{refused} of 4000");
    brokers.flush().unwrap();
    let stored = std::fs::read_to_string(&ids).unwrap();
    std::fs::remove_file(ids).unwrap();
    assert_eq!(stored.lines().count(), 4_000 - refused);
}

#[test]
fn ids_of_stored_messages_are_logged_one_by_one() {
    let ids = std::env::temp_dir().join(format!("sink-stored-{}", std::process::id()));
    let mut brokers = brokers(|options| options.store_ids = Some(ids.clone()));
    for name in
        ["5.5.0-json/010-client-send-message-v2.bin", "5.5.0-binary/028-client-send-batch-message.bin"]
    {
        answer(&mut brokers, &vectors::frame(name));
    }
    brokers.flush().unwrap();
    let stored = std::fs::read_to_string(&ids).unwrap();
    std::fs::remove_file(ids).unwrap();
    let expected = [
        "FD00000000000000000000000000000212AB4E0E2F2A695497BB0001",
        "FD00000000000000000000000000000216FE4E0E2F2A695586EC000E",
        "FD00000000000000000000000000000216FE4E0E2F2A695586EC000F",
        "FD00000000000000000000000000000216FE4E0E2F2A695586EC0010",
    ];
    assert_eq!(stored.lines().collect::<Vec<_>>(), expected);
}
