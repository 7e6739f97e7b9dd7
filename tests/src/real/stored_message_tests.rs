//! The messages are taken unchanged from answers of Apache RocketMQ brokers to pulls of the official Java client.

use super::*;

/// Broker 5.5.0, key and tag.
const V5_5_0: &str = "\
    000000ccdaa320a70731d90400000001000000000000000000000002000000000000236500000000000001a1fdbc80e3\
    7f0000010000ada6000001a1fdbc80f87f000001000055970000000000000000000000000000000668656c6c6f310d56\
    6563746f72546f7069633131005e4b455953016b3102554e49515f4b4559014644303030303030303030303030303030\
    303030303030303030303030303032313241423445304532463241363935343938453330303045025741495401747275\
    650254414753015461674102";

/// Broker 4.9.7, no key, a property of the application, no separator at the end of the properties.
const V4_9_7: &str = "\
    000000dbdaa320a73610a68600000001000000000000000000000004000000000000966b00000000000001a1fdbc7b53\
    7f0000010000c8e6000001a1fdbc7b637f0000010000614f0000000000000000000000000000000568656c6c6f0d5665\
    63746f72546f7069633131006e726567696f6e0165752d3102554e49515f4b4559014644303030303030303030303030\
    30303030303030303030303030303030303231324138344530453246324136393534393335333030313202434c555354\
    45520144656661756c74436c757374657202544147530154616741";

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

/// Puts `bytes` where a host of 4 bytes stands, and corrects the total size.
fn with_v6_host(mut message: Vec<u8>, at: usize, sys_flag: u8) -> Vec<u8> {
    message.splice(at..at + 4, [0xFE, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    message[39] = sys_flag;
    message[3] += 12;
    message
}

#[test]
fn messages_of_both_versions_stand_back_to_back() {
    let answer = [bytes(V5_5_0), bytes(V4_9_7)].concat();
    let [first, second] = StoredMessage::parse_all("broker-a", &answer).unwrap().try_into().unwrap();
    assert_eq!((first.broker.as_str(), first.topic.as_str()), ("broker-a", "VectorTopic11"));
    assert_eq!((first.queue_id, first.queue_offset, first.commit_log_offset), (1, 2, 0x2365));
    assert_eq!((first.flag, first.sys_flag, first.reconsume_times), (0, 0, 0));
    assert_eq!(
        (first.keys(), first.unique_key()),
        ("k1", "FD00000000000000000000000000000212AB4E0E2F2A695498E3000E")
    );
    assert_eq!((first.body.as_slice(), first.body_len()), (b"hello1".as_slice(), 6));
    assert_eq!(
        (first.born_host.to_string(), first.store_host.to_string()),
        ("127.0.0.1:44454".into(), "127.0.0.1:21911".into())
    );
    assert_eq!((first.born_timestamp, first.store_timestamp), (0x1A1_FDBC_80E3, 0x1A1_FDBC_80F8));
    assert_eq!(first.body_crc, 0x0731_D904);
    assert_eq!(first.offset_message_id(), "7F000001000055970000000000002365");
    assert_eq!(
        (second.keys(), second.unique_key()),
        ("", "FD00000000000000000000000000000212A84E0E2F2A695493530012")
    );
    assert_eq!(second.properties.get("region").map(String::as_str), Some("eu-1"));
    assert_eq!(second.properties.get("TAGS").map(String::as_str), Some("TagA"));
}

#[test]
fn hosts_may_be_ipv6() {
    let born = with_v6_host(bytes(V5_5_0), 48, 0x10);
    let stored = with_v6_host(bytes(V5_5_0), 64, 0x20);
    let [born, stored] = StoredMessage::parse_all("b", &[born, stored].concat()).unwrap().try_into().unwrap();
    assert_eq!(born.born_host.to_string(), "[fe80::1]:44454");
    assert_eq!(stored.store_host.to_string(), "[fe80::1]:21911");
    assert_eq!(stored.offset_message_id(), "FE800000000000000000000000000001000055970000000000002365");
}

#[test]
fn the_second_layout_has_two_length_bytes_for_the_topic() {
    let mut message = bytes(V5_5_0);
    message[7] = 0xAB;
    message[3] += 1;
    // The topic's length stands behind 88 bytes of fixed fields and the body.
    message.insert(88 + 6, 0);
    let [message] = StoredMessage::parse_all("b", &message).unwrap().try_into().unwrap();
    assert_eq!((message.topic.as_str(), message.keys()), ("VectorTopic11", "k1"));
}

#[test]
fn whatever_is_cut_off_or_broken_is_an_error_with_its_place() {
    let whole = bytes(V5_5_0);
    for end in 1..whole.len() {
        assert!(StoredMessage::parse_all("b", &whole[..end]).is_err(), "cut at {end}");
    }
    let broken = |at: usize, byte: u8| {
        let mut message = whole.clone();
        message[at] = byte;
        StoredMessage::parse_all("b", &message).unwrap_err()
    };
    assert_eq!(broken(7, 0).reason, "unknown magic number");
    assert_eq!(broken(3, 0xCD).reason, "total size differs from the sizes of the fields");
    assert_eq!(broken(84, 0x7F), MalformedStore { at: 88, reason: "cut off" });
    assert_eq!(StoredMessage::parse_all("b", &[]), Ok(Vec::new()));
}
