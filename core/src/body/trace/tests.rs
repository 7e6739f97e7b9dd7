use super::{EndTransactionTrace, PubTrace, TraceMessageType};
use alloc::string::String;
use alloc::vec::Vec;

fn half() -> PubTrace<'static> {
    PubTrace {
        time_stamp: -1,
        region: "",
        group: "PG",
        topic: "%RETRY%T",
        msg_id: "0A",
        tags: None,
        keys: Some("k1 k2"),
        store_host: None,
        body_length: 0,
        cost_time: u64::MAX,
        message_type: TraceMessageType::Half,
        offset_msg_id: None,
        success: false,
    }
}

#[test]
fn a_send_is_fourteen_fields() {
    let mut text = String::from("before");
    let found_by = half().write(&mut text);
    let fields: Vec<&str> =
        text.strip_prefix("before").unwrap().strip_suffix('\u{2}').unwrap().split('\u{1}').collect();
    assert_eq!(
        fields,
        [
            "Pub",
            "-1",
            "",
            "PG",
            "%RETRY%T",
            "0A",
            "null",
            "k1 k2",
            "null",
            "0",
            "9223372036854775807",
            "1",
            "null",
            "false"
        ]
    );
    assert_eq!((&text[found_by.msg_id], &text[found_by.keys.unwrap()]), ("0A", "k1 k2"));
}

#[test]
fn the_end_of_a_transaction_is_thirteen_fields() {
    let end = EndTransactionTrace {
        time_stamp: 1_700_000_000_000,
        region: "DefaultRegion",
        group: "PG",
        topic: "T",
        msg_id: "0A",
        tags: Some("tag"),
        keys: None,
        store_host: Some("[::1]:10911"),
        commit: false,
        from_check: true,
    };
    let mut text = String::new();
    let found_by = end.write(&mut text);
    EndTransactionTrace { commit: true, from_check: false, ..end }.write(&mut text);
    assert_eq!(
        text,
        "EndTransaction\u{1}1700000000000\u{1}DefaultRegion\u{1}PG\u{1}T\u{1}0A\u{1}tag\u{1}null\u{1}[::1]:10911\u{1}2\u{1}0A\
         \u{1}ROLLBACK_MESSAGE\u{1}true\u{2}\
         EndTransaction\u{1}1700000000000\u{1}DefaultRegion\u{1}PG\u{1}T\u{1}0A\u{1}tag\u{1}null\u{1}[::1]:10911\u{1}2\u{1}0A\
         \u{1}COMMIT_MESSAGE\u{1}false\u{2}"
    );
    assert_eq!((&text[found_by.msg_id], found_by.keys), ("0A", None));
}

#[test]
fn no_text_of_a_server_makes_a_record_of_its_own() {
    let record = PubTrace {
        region: "a\u{2}Pub\u{1}b",
        offset_msg_id: Some("\u{1}\u{2}"),
        message_type: TraceMessageType::Delay,
        ..half()
    };
    let mut text = String::new();
    record.write(&mut text);
    assert_eq!(text.matches('\u{2}').count(), 1);
    let fields: Vec<&str> = text.split('\u{1}').collect();
    assert_eq!((fields.len(), fields[2], fields[11], fields[12]), (14, "a Pub b", "3", "  "));
}
