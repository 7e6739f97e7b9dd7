//! Trace messages that official clients sent: we write the same records, and find them by the same keys.

mod codec_support;

use codec_support::{FOLDERS, captured, plain};
use rocketmq_core::body::{PubTrace, TraceMessageType};
use rocketmq_core::message::Properties;
use std::collections::BTreeSet;

#[test]
fn records_of_trace_are_written_as_java_writes_them() {
    let mut compared = 0;
    for folder in FOLDERS {
        let sends = captured(folder).into_iter().filter(|frame| frame.from_client && frame.code == 310);
        for frame in sends {
            let java = plain(&frame.bytes);
            if java.ext.get("b").is_none_or(|topic| topic != "RMQ_SYS_TRACE_TOPIC") {
                continue;
            }
            let body = String::from_utf8(java.body.clone()).unwrap();
            let mut ours = String::new();
            let mut found_by = BTreeSet::new();
            for record in body.split_terminator('\u{2}') {
                let fields: Vec<&str> = record.split('\u{1}').collect();
                let known = |at: usize| Some(fields[at]).filter(|text| *text != "null");
                assert_eq!((fields[0], fields.len(), fields[11]), ("Pub", 14, "0"), "{}", frame.name);
                let start = ours.len();
                let keys = PubTrace {
                    time_stamp: fields[1].parse().unwrap(),
                    region: fields[2],
                    group: fields[3],
                    topic: fields[4],
                    msg_id: fields[5],
                    tags: known(6),
                    keys: known(7),
                    store_host: known(8),
                    body_length: fields[9].parse().unwrap(),
                    cost_time: fields[10].parse().unwrap(),
                    message_type: TraceMessageType::Normal,
                    offset_msg_id: known(12),
                    success: fields[13] == "true",
                }
                .write(&mut ours);
                assert!(keys.msg_id.start > start);
                found_by.insert(ours[keys.msg_id].to_owned());
                if let Some(keys) = keys.keys {
                    found_by.extend(ours[keys].split(' ').map(str::to_owned));
                }
            }
            assert_eq!(ours, body, "{}", frame.name);
            let properties = Properties::parse(&java.ext["i"]);
            let java_keys = properties.get("KEYS").unwrap().split(' ').map(str::to_owned);
            assert_eq!(found_by, java_keys.collect(), "{}", frame.name);
            compared += 1;
        }
    }
    assert_eq!(compared, FOLDERS.len());
}
