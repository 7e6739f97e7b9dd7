use crate::cluster::{Dialect, Frame, FrameError, FrameReader, SerializeType};

const V4: Dialect = Dialect::V4_9_7;
const V5: Dialect = Dialect::V5_5_0;

fn read(dialect: Dialect, bytes: &[u8]) -> Result<Option<Frame>, FrameError> {
    let mut reader = FrameReader::new(dialect);
    reader.push(bytes);
    reader.next_frame()
}

fn whole(dialect: Dialect, bytes: &[u8]) -> Frame {
    read(dialect, bytes).expect("a frame that can be read").expect("a whole frame")
}

/// A frame with this type byte, header and body.
fn frame(type_byte: u8, header: &[u8], body: &[u8]) -> Vec<u8> {
    let mut out = ((4 + header.len() + body.len()) as u32).to_be_bytes().to_vec();
    out.push(type_byte);
    out.extend_from_slice(&(header.len() as u32).to_be_bytes()[1..]);
    out.extend_from_slice(header);
    out.extend_from_slice(body);
    out
}

fn json(dialect: Dialect, header: &str) -> Result<Option<Frame>, FrameError> {
    read(dialect, &frame(0, header.as_bytes(), b"and a body"))
}

fn example() -> Frame {
    let mut frame = Frame::request(310, -2, &[("i", "KEYS\u{1}k\u{2}"), ("b", "T\"\\\n\u{e9}")]);
    frame.remark = Some("line\nline \u{1F600}".to_owned());
    frame.body = b"hello".to_vec().into();
    frame
}

#[test]
fn what_is_written_is_read_in_both_forms() {
    for dialect in [V4, V5] {
        for serialize_type in [SerializeType::Json, SerializeType::RocketMq] {
            let mut written = Frame { serialize_type, ..example() };
            let mut read = whole(dialect, &written.encode());
            for frame in [&mut written, &mut read] {
                frame.ext_fields.as_mut().expect("ext fields").sort();
            }
            assert_eq!(read, written);
        }
    }
}

#[test]
fn json_text_is_the_documented_one() {
    let frame = Frame { version: 479, language: Some(12), ..Frame::request(105, 1, &[("topic", "T")]) };
    let text = br#"{"code":105,"extFields":{"topic":"T"},"flag":0,"language":"RUST","opaque":1,"serializeTypeCurrentRPC":"JSON","version":479}"#;
    let mut expected = vec![0, 0, 0, 0x7F, 0, 0, 0, 0x7B];
    expected.extend_from_slice(text);
    assert_eq!(frame.encode(), expected);
}

#[test]
fn binary_bytes_are_the_documented_ones() {
    let frame = Frame {
        serialize_type: SerializeType::RocketMq,
        version: 479,
        language: Some(12),
        ..Frame::request(105, 1, &[("topic", "T")])
    };
    let expected = [
        0, 0, 0, 0x25, 1, 0, 0, 0x21, 0, 0x69, 0x0C, 1, 0xDF, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0x0C, 0, 5, b't', b'o', b'p', b'i', b'c', 0, 0, 0, 1, b'T',
    ];
    assert_eq!(frame.encode(), expected);
}

#[test]
fn frames_are_cut_wherever_the_bytes_are_cut() {
    let mut stream = example().encode();
    stream.extend(Frame { serialize_type: SerializeType::RocketMq, ..example() }.encode());
    for step in 1..stream.len() {
        let mut reader = FrameReader::new(V5);
        let mut frames = 0;
        for piece in stream.chunks(step) {
            reader.push(piece);
            while reader.next_frame().expect("good frames").is_some() {
                frames += 1;
            }
        }
        assert_eq!(frames, 2, "in pieces of {step}");
    }
}

#[test]
fn lengths_are_bounded() {
    let too_long = [&16_777_213_u32.to_be_bytes()[..], &[0; 8]].concat();
    let longest = [&16_777_212_u32.to_be_bytes()[..], &[0; 8]].concat();
    assert_eq!(read(V4, &too_long), Err(FrameError::Length));
    assert_eq!(read(V4, &longest), Ok(None));
    for total in [-1_i32, i32::MIN, 0, 3] {
        let bytes = [&total.to_be_bytes()[..], &[0; 8]].concat();
        assert_eq!(read(V4, &bytes), Err(FrameError::Length), "{total}");
    }
    assert_eq!(read(V4, &frame(0, b"", b"body")), Err(FrameError::HeaderLength));
    assert_eq!(read(V4, &[0, 0, 0, 6, 0, 0, 0, 3, b'{', b'}']), Err(FrameError::HeaderLength));
}

#[test]
fn v5_waits_for_twelve_bytes_at_the_start_of_a_connection() {
    let bad = [0, 0, 0, 1, 0, 0, 0, 0];
    assert_eq!(read(V5, &bad), Ok(None));
    assert_eq!(read(V4, &bad), Err(FrameError::Length));
    assert_eq!(read(V5, &[0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]), Err(FrameError::Length));
}

#[test]
fn type_bytes_other_than_0_and_1_are_refused() {
    for type_byte in [2, 0x80, 0xFF] {
        assert_eq!(read(V5, &frame(type_byte, b"{\"code\":1}", b"")), Err(FrameError::SerializeType));
    }
    let binary = Frame { serialize_type: SerializeType::RocketMq, ..example() }.encode();
    let json = example().encode();
    assert_eq!(read(V5, &frame(0, &binary[8..binary.len() - 5], b"")), Err(FrameError::Header));
    assert_eq!(read(V5, &frame(1, &json[8..json.len() - 5], b"")), Err(FrameError::Header));
}

#[test]
fn json_is_read_with_the_leniency_of_servers() {
    for dialect in [V4, V5] {
        let only_code = json(dialect, r#"{"code":10}"#).expect("accepted").expect("whole");
        assert_eq!(
            (only_code.code, only_code.opaque, only_code.language, only_code.version),
            (10, None, Some(0), 0)
        );
        assert_eq!(only_code.ext_fields, None);
        let text = r#" { "code" : "10", "flag":null, "what":[{"a":1}], "opaque":"7", "language":null,
            "serializeTypeCurrentRPC":"ROCKETMQ", "extFields":{"n":4,"b":true,"l":[1],"z":null,"s":"t"}} "#;
        let loose = json(dialect, text).expect("accepted").expect("whole");
        assert_eq!((loose.code, loose.opaque, loose.flag, loose.language), (10, Some(7), 0, None));
        assert_eq!(loose.serialize_type, SerializeType::Json);
        let fields = ["n", "b", "l", "z", "s"].map(|name| loose.ext(name));
        assert_eq!(fields, [Some("4"), Some("true"), Some("[1]"), None, Some("t")]);
        for (text, language) in
            [("\"RUST\"", Some(12)), ("\"rust\"", None), ("\"KLINGON\"", None), ("12", Some(12))]
        {
            let frame = json(dialect, &format!("{{\"code\":1,\"language\":{text}}}"))
                .expect("accepted")
                .expect("whole");
            assert_eq!(frame.language, language, "{text}");
        }
    }
}

#[test]
fn json_that_servers_refuse_is_refused() {
    for text in ["{", "[]", "null", "x", r#"{"code":1,"opaque":2147483648}"#, r#"{"code":1,"language":99}"#] {
        for dialect in [V4, V5] {
            assert_eq!(json(dialect, text), Err(FrameError::Header), "{text}");
        }
    }
    let with_body = r#"{"code":1,"body":"x"}"#;
    assert_eq!(json(V5, with_body), Err(FrameError::Header));
    assert!(json(V4, with_body).is_ok());
    let not_utf8 = frame(0, b"{\"code\":1,\"remark\":\"\xFF\"}", b"");
    assert_eq!(read(V5, &not_utf8), Err(FrameError::Header));
    assert!(read(V4, &not_utf8).is_ok());
}

/// A binary header with this language, remark length and ext block, the latter with its length.
fn binary(language: u8, remark_length: i32, ext: &[u8]) -> Vec<u8> {
    let mut header = vec![0, 10, language, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0];
    header.extend_from_slice(&remark_length.to_be_bytes());
    header.extend_from_slice(ext);
    frame(1, &header, b"")
}

#[test]
fn binary_is_read_with_the_leniency_of_servers() {
    let unknown_language = whole(V5, &binary(200, 0, &[0, 0, 0, 0]));
    assert_eq!((unknown_language.language, unknown_language.ext_fields), (None, None));
    assert_eq!(whole(V5, &binary(0, 0, &[0xFF, 0xFF, 0xFF, 0xFF])).ext_fields, None);
    let twice =
        [0, 0, 0, 24, 0, 1, b'k', 0, 0, 0, 1, b'a', 0, 1, b'k', 0, 0, 0, 1, b'b', 0, 1, b'e', 0, 0, 0, 0, 9];
    let mut with_tail = twice.to_vec();
    with_tail[3] = 23;
    let read_fields = whole(V5, &binary(0, 0, &with_tail));
    assert_eq!((read_fields.ext("k"), read_fields.ext("e")), (Some("b"), None));
    assert_eq!(read_fields.ext_fields.map(|fields| fields.len()), Some(3));
}

#[test]
fn binary_that_servers_refuse_is_refused() {
    let remark_minus_one = binary(0, -1, &[0, 0, 0, 0]);
    let negative_key = binary(0, 0, &[0, 0, 0, 2, 0xFF, 0xFF]);
    let long_block = binary(0, 0, &[0, 0, 0, 9]);
    let long_value = binary(0, 0, &[0, 0, 0, 7, 0, 1, b'k', 0, 0, 0, 9]);
    let cut = frame(1, &[0, 10, 0], b"and a body");
    for bytes in [remark_minus_one, negative_key, long_block, long_value, cut] {
        assert_eq!(read(V5, &bytes), Err(FrameError::Header), "{bytes:?}");
    }
}
