//! Offsets and stored messages.

use super::requests::{create, max_offset, send_with, view};
use crate::faithfulness::step::{Request, Step, Subject};

fn queue(code: i32, topic: &str, queue_id: &str) -> Request {
    Request::new(code).fields(&[("topic", topic), ("queueId", queue_id)])
}

fn search(timestamp: &str) -> Request {
    queue(29, "QueryTopic", "0").field("timestamp", timestamp)
}

fn query(key: &str, unique: &str) -> Request {
    Request::new(12).fields(&[
        ("topic", "QueryTopic"),
        ("key", key),
        ("maxNum", "10"),
        ("beginTimestamp", "0"),
        ("endTimestamp", "9223372036854775807"),
        ("_UNIQUE_KEY_QUERY", unique),
    ])
}

pub(super) fn steps() -> Vec<Step> {
    let mut it = Subject::of_broker("queries");
    it.ask("create", create("QueryTopic", 1));
    for (name, code) in [("search", 29), ("max", 30), ("min", 31), ("earliest", 32)] {
        let of = |topic: &str, id: &str| queue(code, topic, id).field("timestamp", "1000");
        it.ask(&format!("{name} of an empty topic"), of("QueryTopic", "0"));
        it.ask(&format!("{name} of an unknown topic"), of("NoSuchTopic", "0"));
        it.ask(&format!("{name} of an unknown queue"), of("QueryTopic", "77"));
        it.ask(&format!("{name} of a negative queue"), of("QueryTopic", "-1"));
        it.ask(&format!("{name} without topic"), of("QueryTopic", "0").without("topic"));
        it.ask(&format!("{name} without queue"), of("QueryTopic", "0").without("queueId"));
        it.ask(&format!("{name} of a queue that is no number"), of("QueryTopic", "x"));
        it.ask(&format!("{name} without fields"), Request::new(code).without_fields());
        it.ask(&format!("{name}, binary"), of("QueryTopic", "0").binary());
    }
    for key in ["1", "2", "3"] {
        let pairs = [("KEYS", "common other"), ("own", key)];
        it.ask(&format!("send {key}"), send_with("QueryTopic", &pairs));
    }
    it.ask("max", max_offset("QueryTopic")).until("field offset: 3");
    it.ask("max, not committed", max_offset("QueryTopic").field("committed", "false"));
    it.ask("min", queue(31, "QueryTopic", "0"));
    it.ask("earliest", queue(32, "QueryTopic", "0"));
    times(&mut it);
    by_key(&mut it);
    by_place(&mut it);
    it.steps
}

fn times(it: &mut Subject) {
    it.ask("search the beginning of time", search("0"));
    it.ask("search a negative time", search("-1"));
    it.ask("search the future", search("99999999999999"));
    it.ask("search the end of time", search("9223372036854775807"));
    it.ask("search the upper end", search("99999999999999").field("boundaryType", "UPPER"));
    it.ask("search the lower end", search("0").field("boundaryType", "LOWER"));
    it.ask("search an unknown end", search("0").field("boundaryType", "MIDDLE"));
    it.ask("search without time", queue(29, "QueryTopic", "0"));
    it.ask("search what is no time", search("now"));
}

fn by_key(it: &mut Subject) {
    it.ask("key", query("common", "false")).until("own=3");
    it.ask("key, binary", query("common", "false").binary());
    it.ask("second key", query("other", "false"));
    it.ask("unknown key", query("nothing", "false"));
    it.ask("unknown key, binary", query("nothing", "false").binary());
    it.ask("key of an unknown topic", query("common", "false").field("topic", "NoSuchTopic"));
    it.ask("at most one", query("common", "false").field("maxNum", "1"));
    it.ask("at most none", query("common", "false").field("maxNum", "0"));
    it.ask("unique key", query("KEY", "true"));
    it.ask("unique key asked for as key", query("KEY", "false"));
    it.ask("at most one unique key", query("KEY", "true").field("maxNum", "1"));
    it.ask("without kind of key", query("common", "false").without("_UNIQUE_KEY_QUERY"));
    it.ask("long ago", query("common", "false").field("endTimestamp", "1000"));
    it.ask("later", query("common", "false").field("beginTimestamp", "9000000000000"));
    for name in ["topic", "key", "maxNum", "beginTimestamp", "endTimestamp"] {
        it.ask(&format!("query without {name}"), query("common", "false").without(name));
    }
    it.ask("query without fields", Request::new(12).without_fields());
}

fn by_place(it: &mut Subject) {
    it.ask("view", view("queries/send 1"));
    it.ask("view with topic", view("queries/send 2").field("topic", "QueryTopic"));
    it.ask("view with another topic", view("queries/send 2").field("topic", "Another"));
    it.ask("view nothing", Request::new(33).field("offset", "99999999999"));
    it.ask("view nothing, binary", Request::new(33).field("offset", "99999999999").binary());
    it.ask("view a negative place", Request::new(33).field("offset", "-1"));
    it.ask("view without place", Request::new(33));
    it.ask("view what is no place", Request::new(33).field("offset", "there"));
    it.ask("view without fields", Request::new(33).without_fields());
}
