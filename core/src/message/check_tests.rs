use alloc::string::ToString;

use super::*;

const LIMIT: usize = 4 * 1024 * 1024;

fn message(topic: &str, body: usize) -> Message {
    Message::new(topic.parse().unwrap(), alloc::vec![0; body])
}

#[test]
fn sizes_up_to_the_limit_pass() {
    for body in [1, LIMIT - 1, LIMIT] {
        assert_eq!(check_message(&message("t", body), LIMIT), Ok(()));
    }
}

#[test]
fn system_topics_are_refused_before_the_body_is_looked_at() {
    let refused = check_message(&message("SELF_TEST_TOPIC", 0), LIMIT).unwrap_err();
    let name = "SELF_TEST_TOPIC".parse().unwrap();
    assert_eq!(refused, MessageError::Topic(NameError::Forbidden { name }));
    assert!(refused.to_string().contains("forbidden"));
}

#[test]
fn an_empty_body_is_refused() {
    let topic = "t".into();
    let expected = Err(MessageError::EmptyBody { topic });
    assert_eq!(check_message(&message("t", 0), LIMIT), expected);
}

#[test]
fn a_large_body_is_refused_before_multi_dispatch() {
    let mut large = message("t", LIMIT + 1);
    set(&mut large, "INNER_MULTI_DISPATCH", "a/b");
    let (len, max) = (LIMIT + 1, LIMIT);
    assert_eq!(check_message(&large, LIMIT), Err(MessageError::BodyTooLarge { len, max }));
}

#[test]
fn multi_dispatch_has_no_path_separator() {
    let mut multi = message("t", 1);
    set(&mut multi, "INNER_MULTI_DISPATCH", "%LMQ%a,%LMQ%b");
    assert_eq!(check_message(&multi, LIMIT), Ok(()));
    for (queues, separator) in [("a/b", '/'), ("a,..\\b", '\\')] {
        set(&mut multi, "INNER_MULTI_DISPATCH", queues);
        let expected = Err(MessageError::PathInMultiDispatch { separator });
        assert_eq!(check_message(&multi, LIMIT), expected);
    }
}

#[test]
#[cfg_attr(miri, ignore = "too many steps for an interpreter")]
fn properties_leave_room_for_what_is_added() {
    let mut long = message("t", 1);
    let others = long.properties().as_wire().len() + "p__".len();
    set(&mut long, "p", &"v".repeat(MAX_PROPERTIES_LEN - others));
    assert_eq!(long.properties().as_wire().len(), 32_567);
    assert_eq!(check_message(&long, LIMIT), Ok(()));
    set(&mut long, "p", &"v".repeat(MAX_PROPERTIES_LEN - others + 1));
    let (len, max) = (32_568, 32_567);
    assert_eq!(check_message(&long, LIMIT), Err(MessageError::PropertiesTooLong { len, max }));
}

fn set(message: &mut Message, name: &str, value: &str) {
    message.properties.insert(name, value).unwrap();
}
