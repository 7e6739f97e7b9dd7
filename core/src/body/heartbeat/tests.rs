use bytes::BytesMut;

use super::{write_heartbeat_data, write_heartbeat_v2};

fn written(client_id: &str, groups: &[&str]) -> serde_json::Value {
    let mut body = BytesMut::new();
    write_heartbeat_data(&mut body, client_id, groups.iter().copied());
    serde_json::from_slice(&body).unwrap()
}

#[test]
fn names_are_escaped() {
    let body = written("a\"b\\c\u{1}é", &["x\n", "y"]);
    assert_eq!(body["clientID"], "a\"b\\c\u{1}é");
    assert_eq!(body["producerDataSet"], serde_json::json!([{"groupName": "x\n"}, {"groupName": "y"}]));
}

#[test]
fn without_groups_the_list_is_empty_not_missing() {
    let body = written("c", &[]);
    assert_eq!(body["producerDataSet"], serde_json::json!([]));
    assert_eq!(body["consumerDataSet"], serde_json::json!([]));
}

#[test]
fn version_two_adds_its_fingerprint_and_leaves_no_producer_out() {
    for (fingerprint, without_sub) in [(837_276_344, false), (i32::MIN, true), (-1, true)] {
        let mut body = BytesMut::new();
        write_heartbeat_v2(&mut body, "c", ["PG"], fingerprint, without_sub);
        let expected = alloc::format!(
            "{{\"clientID\":\"c\",\"consumerDataSet\":[],\"heartbeatFingerprint\":{fingerprint},\
             \"producerDataSet\":[{{\"groupName\":\"PG\"}}],\"withoutSub\":{without_sub}}}"
        );
        assert_eq!(body, expected);
    }
}
