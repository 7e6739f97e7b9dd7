use alloc::string::ToString;

use super::{FrameError, Prefix, SerializeType, UnknownSerializeType, WireLimits};

#[test]
fn serialize_types_are_read_in_any_letter_case() {
    for (text, serialize) in [
        ("JSON", SerializeType::Json),
        ("json", SerializeType::Json),
        ("RocketMQ", SerializeType::RocketMq),
        ("binary", SerializeType::RocketMq),
    ] {
        assert_eq!(text.parse(), Ok(serialize));
        assert_eq!(serialize.to_string().parse(), Ok(serialize));
    }
    assert_eq!("".parse::<SerializeType>(), Err(UnknownSerializeType));
    assert_eq!(SerializeType::default().to_string(), "JSON");
}

#[test]
fn each_part_of_a_prefix_is_checked_as_soon_as_it_is_there() {
    let limits = WireLimits { max_frame: 100, max_header: 10, ..WireLimits::default() };
    let check = |bytes: &[u8]| Prefix::check(bytes, &limits);
    assert_eq!(check(&[0, 0, 0]), Ok(None));
    assert_eq!(check(&[0, 0, 0, 97]), Err(FrameError::Oversize { bytes: 101, limit: 100 }));
    assert_eq!(check(&[0, 0, 0, 96]), Ok(None));
    assert_eq!(check(&[0, 0, 0, 96, 7]), Err(FrameError::UnknownSerializeType { found: 7 }));
    assert_eq!(check(&[0, 0, 0, 96, 1, 0, 0]), Ok(None));
    let oversize = FrameError::HeaderOversize { header: 11, limit: 10 };
    assert_eq!(check(&[0, 0, 0, 96, 1, 0, 0, 11]), Err(oversize));
    let prefix = Prefix { serialize: SerializeType::RocketMq, header_len: 10, frame_len: 100 };
    assert_eq!(check(&[0, 0, 0, 96, 1, 0, 0, 10]), Ok(Some(prefix)));
}

#[test]
fn messages_say_what_the_likely_cause_is() {
    assert!(FrameError::Http.to_string().contains("HTTP"));
    assert!(FrameError::TlsAlert.to_string().contains("expects TLS"));
    assert!(FrameError::EmptyHeader.to_string().contains("gRPC"));
}
