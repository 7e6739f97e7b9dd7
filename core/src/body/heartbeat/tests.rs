use bytes::BytesMut;

use super::write_heartbeat_data;

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
