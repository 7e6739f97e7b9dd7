//! Sends that a broker refuses, and some that it surprisingly does not.

use super::requests::{create, send, send_long, send_with};
use crate::faithfulness::step::{Step, Subject};

pub(super) fn steps() -> Vec<Step> {
    let mut it = Subject::of_broker("refusals");
    it.ask("create", create("RefusedTopic", 2));
    for queue in ["1", "2", "3", "99", "2147483647"] {
        it.ask(&format!("queue {queue}"), send("RefusedTopic").field("e", queue));
    }
    it.ask("queue 99, long names", send_long("RefusedTopic").field("queueId", "99"));
    it.ask("queue 99, binary", send("RefusedTopic").field("e", "99").binary());
    it.ask("queue 99, one-way", send("RefusedTopic").field("e", "99").one_way());
    it.ask("create with more to read", create("ReadTopic", 2).field("readQueueNums", "5"));
    it.ask("queue that can only be read", send("ReadTopic").field("e", "4"));
    it.ask("queue beyond both", send("ReadTopic").field("e", "5"));
    for (name, topic) in [
        ("empty", String::new()),
        ("blank", " ".to_owned()),
        ("with a blank", "a b".to_owned()),
        ("with a slash", "a/b".to_owned()),
        ("not ASCII", "\u{e4}".to_owned()),
        ("of 127", "s".repeat(127)),
        ("of 128", "s".repeat(128)),
        ("of 255", "s".repeat(255)),
        ("of 256", "s".repeat(256)),
    ] {
        it.ask_both(&format!("topic {name}"), &send(&topic));
    }
    for topic in [
        "SCHEDULE_TOPIC_XXXX",
        "RMQ_SYS_TRANS_HALF_TOPIC",
        "RMQ_SYS_TRANS_OP_HALF_TOPIC",
        "TRANS_CHECK_MAX_TIME_TOPIC",
        "SELF_TEST_TOPIC",
        "OFFSET_MOVED_EVENT",
        "BenchmarkTest",
        "TBW102",
        "RMQ_SYS_TRACE_TOPIC",
        "rmq_sys_wheel_timer",
        "rmq_sys_anything",
        "CHECKPOINT_TOPIC",
        "DefaultCluster",
        "broker-a",
        "DefaultCluster_REPLY_TOPIC",
    ] {
        it.ask(&format!("system topic {topic}"), send(topic));
    }
    it.ask("system topic, one-way", send("SELF_TEST_TOPIC").one_way());
    it.ask("empty body", send("RefusedTopic").body(""));
    it.ask("empty body, long names", send_long("RefusedTopic").body(""));
    it.ask("empty body, wrong queue", send("RefusedTopic").body("").field("e", "99"));
    for permission in ["0", "2", "4"] {
        it.ask(
            &format!("create with permission {permission}"),
            create("PermTopic", 1).field("perm", permission),
        );
        it.ask(&format!("permission {permission}"), send("PermTopic"));
    }
    it.ask("create with no queues", create("NoQueues", 0));
    it.ask("no queues", send("NoQueues"));
    it.ask("no queues, broker chooses", send("NoQueues").field("e", "-1"));
    it.ask("INNER_NUM", send_with("RefusedTopic", &[("INNER_NUM", "2")]));
    it.steps
}
