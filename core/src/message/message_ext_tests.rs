use super::{Compression, MessageExt, MessageExtError};
use crate::message::hex;
use alloc::vec::Vec;

/// What a broker wrote: topic `T`, body `hi`, queue 3, offset 5, at 1000 of its commit log.
const STORED: &str = concat!(
    "00000068DAA320A758932AAC00000003000000000000000000000005",
    "00000000000003E8000000000000018BCFE568000A000001000015B3",
    "0000018BCFE568010A00000200002A9F000000000000000000000000",
    "0000000268690154000A57414954017472756502"
);

fn bytes(text: &str) -> Vec<u8> {
    let digit = |at: usize| hex::read(&text.as_bytes()[at..at + 2]).unwrap();
    (0..text.len()).step_by(2).map(|at| u8::try_from(digit(at)).unwrap()).collect()
}

#[test]
fn a_stored_message_is_read_as_a_broker_wrote_it() {
    let stored = bytes(STORED);
    let mut rest = stored.as_slice();
    let read = MessageExt::read(&mut rest).unwrap();
    assert!(rest.is_empty());
    assert_eq!((read.message.topic().as_str(), &read.message.body()[..]), ("T", &b"hi"[..]));
    assert_eq!((read.queue_id, read.queue_offset, read.commit_log_offset), (3, 5, 1_000));
    assert_eq!((read.born_timestamp, read.store_timestamp), (1_700_000_000_000, 1_700_000_000_001));
    assert_eq!(read.born_host, "10.0.0.1:5555".parse().unwrap());
    assert_eq!(read.store_host, "10.0.0.2:10911".parse().unwrap());
    assert_eq!((read.system_flag, read.reconsume_times, read.prepared_transaction_offset), (0, 0, 0));
    assert_eq!(read.message.properties().as_wire(), "WAIT\u{1}true\u{2}");
    assert_eq!(read.offset_message_id().as_str(), "0A00000200002A9F00000000000003E8");
    assert_eq!((read.compression(), read.unique_key(), read.transaction_check_times()), (None, None, 0));
}

#[test]
fn messages_stand_back_to_back() {
    let twice = bytes(STORED).repeat(2);
    let mut rest = twice.as_slice();
    let first = MessageExt::read(&mut rest).unwrap();
    assert_eq!(rest.len(), twice.len() / 2);
    assert_eq!(MessageExt::read(&mut rest), Ok(first));
    assert!(rest.is_empty());
}

#[test]
fn a_message_that_is_cut_off_is_an_error_wherever_that_is() {
    let stored = bytes(STORED);
    for len in 0..stored.len() {
        let error = MessageExt::read(&mut &stored[..len]).unwrap_err();
        assert!(matches!(error, MessageExtError::CutOff(_)), "{len}: {error}");
    }
}

#[test]
fn the_second_layout_has_a_longer_topic_and_addresses_may_be_long() {
    let mut stored = bytes(STORED);
    stored[7] = 0xAB;
    // The length of the topic has two bytes.
    stored.insert(90, 0);
    // Both addresses have 16 bytes.
    stored[39] = 0x30;
    for at in [64, 48] {
        for _ in 0..12 {
            stored.insert(at, 0);
        }
    }
    let read = MessageExt::read(&mut stored.as_slice()).unwrap();
    assert_eq!((read.message.topic().as_str(), &read.message.body()[..]), ("T", &b"hi"[..]));
    assert_eq!(read.born_host, "[::a00:1]:5555".parse().unwrap());
    assert_eq!(read.store_host, "[::a00:2]:10911".parse().unwrap());
}

#[test]
fn what_cannot_be_is_refused() {
    let change = |at: usize, to: &[u8]| {
        let mut stored = bytes(STORED);
        stored[at..at + to.len()].copy_from_slice(to);
        MessageExt::read(&mut stored.as_slice()).unwrap_err()
    };
    assert_eq!(change(4, &[0xCB, 0xD4, 0x31, 0x94]), MessageExtError::Magic(0xCBD4_3194));
    assert_eq!(change(52, &[0, 1, 0, 0]), MessageExtError::Port(65_536));
    assert_eq!(change(84, &[0xFF; 4]), MessageExtError::NegativeLength("body"));
    assert_eq!(change(84, &[0x7F, 0xFF, 0xFF, 0xFF]), MessageExtError::CutOff("body"));
    assert_eq!(change(90, &[0xFF]), MessageExtError::NegativeLength("topic"));
    assert_eq!(change(91, &[0xFF]), MessageExtError::NotUtf8("topic"));
    assert!(matches!(change(91, b" "), MessageExtError::Topic(_)));
    assert_eq!(change(92, &[0x80, 0]), MessageExtError::NegativeLength("properties"));
}

#[test]
fn the_system_flag_tells_the_compression() {
    for (flag, expected) in [
        (0, None),
        (0x300, None),
        (0x001, Some(Compression::Zlib)),
        (0x301, Some(Compression::Zlib)),
        (0x101, Some(Compression::Lz4)),
        (0x201, Some(Compression::Zstd)),
        (0x705, Some(Compression::Unknown(7))),
    ] {
        assert_eq!(Compression::of_system_flag(flag), expected, "{flag:#x}");
    }
}
