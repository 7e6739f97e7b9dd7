//! Topics made, changed, read and deleted by request.

use super::requests::{create, max_offset, route, send};
use crate::faithfulness::step::{Request, Step, Subject, To};

fn topic_config(topic: &str) -> Request {
    Request::new(351).field("topic", topic)
}

pub(super) fn steps() -> Vec<Step> {
    let mut it = Subject::of_broker("topics");
    it.ask_both("create", &create("TopicPlain", 2));
    it.ask("create again", create("TopicPlain", 4));
    it.ask("settings", topic_config("TopicPlain"));
    it.ask("settings of an unknown one", topic_config("NoSuchTopic"));
    it.ask("settings without a name", Request::new(351));
    it.ask("one-way", create("TopicQuiet", 1).one_way());
    it.ask("made one-way", topic_config("TopicQuiet")).until("TopicQuiet\"").until("not supported");
    it.ask("by an old client", create("TopicOld", 1).version(0));
    values(&mut it);
    fields(&mut it);
    names(&mut it);
    attributes(&mut it);
    life(&mut it);
    it.steps
}

fn values(it: &mut Subject) {
    for permission in ["0", "1", "2", "4", "7", "8", "15", "16", "-1"] {
        let name = format!("permission {permission}");
        it.ask(&name, create("TopicPerm", 1).field("perm", permission));
        it.ask(&format!("settings with {name}"), topic_config("TopicPerm"));
    }
    it.ask("no queues", create("TopicNone", 0));
    it.ask("settings with no queues", topic_config("TopicNone"));
    it.ask(
        "negative queues",
        create("TopicNegative", 1).field("readQueueNums", "-1").field("writeQueueNums", "-2"),
    );
    it.ask("settings with negative queues", topic_config("TopicNegative"));
    it.ask("many queues", create("TopicMany", 4000));
    it.ask("order", create("TopicOrder", 1).field("order", "TRUE"));
    it.ask("settings of an order topic", topic_config("TopicOrder"));
    it.ask("unit", create("TopicUnit", 1).field("topicSysFlag", "3"));
    it.ask("settings of a unit topic", topic_config("TopicUnit"));
    it.ask("filter type of many tags", create("TopicTags", 1).field("topicFilterType", "MULTI_TAG"));
    it.ask("settings with many tags", topic_config("TopicTags"));
}

fn fields(it: &mut Subject) {
    for name in [
        "topic",
        "defaultTopic",
        "readQueueNums",
        "writeQueueNums",
        "perm",
        "topicFilterType",
        "topicSysFlag",
        "order",
    ] {
        it.ask(&format!("without {name}"), create("TopicPart", 1).without(name));
    }
    it.ask("without fields", Request::new(17).without_fields());
    it.ask("queues not a number", create("TopicPart", 1).field("readQueueNums", "many"));
    it.ask("permission not a number", create("TopicPart", 1).field("perm", "rw"));
    it.ask("system flag not a number", create("TopicPart", 1).field("topicSysFlag", "x"));
    it.ask("unknown filter type", create("TopicPart", 1).field("topicFilterType", "NO_TAG"));
    it.ask("order not a truth", create("TopicPart", 1).field("order", "maybe"));
}

fn names(it: &mut Subject) {
    it.ask("empty name", create("", 1));
    it.ask("blank name", create("  ", 1));
    for name in ["a b", "a/b", "a.b", "a$b", "\u{e4}", "a\u{0}b"] {
        it.ask(&format!("name {name:?}"), create(name, 1));
    }
    it.ask("all legal characters", create("%Topic|legal_-09azAZ", 1));
    it.ask("name of 127", create(&"t".repeat(127), 1));
    it.ask("name of 128", create(&"t".repeat(128), 1));
    it.ask("retry topic", create("%RETRY%TopicGroup", 1));
    it.ask("long retry topic", create(&format!("%RETRY%{}", "g".repeat(200)), 1));
    it.ask("longest retry topic", create(&format!("%RETRY%{}", "g".repeat(248)), 1));
    it.ask("too long retry topic", create(&format!("%RETRY%{}", "g".repeat(249)), 1));
    it.ask("dead letters", create("%DLQ%TopicGroup", 1));
    for name in [
        "TBW102",
        "SELF_TEST_TOPIC",
        "BenchmarkTest",
        "OFFSET_MOVED_EVENT",
        "SCHEDULE_TOPIC_XXXX",
        "RMQ_SYS_TRANS_HALF_TOPIC",
        "RMQ_SYS_TRANS_OP_HALF_TOPIC",
        "TRANS_CHECK_MAX_TIME_TOPIC",
        "RMQ_SYS_TRACE_TOPIC",
        "CHECKPOINT_TOPIC",
        "rmq_sys_wheel_timer",
        "rmq_sys_anything",
        "DefaultCluster",
        "broker-a",
        "DefaultCluster_REPLY_TOPIC",
    ] {
        it.ask(&format!("system topic {name}"), create(name, 1));
    }
}

fn attributes(it: &mut Subject) {
    for text in [
        "+message.type=FIFO",
        "+message.type=MIXED",
        "+message.type=NOTHING",
        "message.type=FIFO",
        "+unknown=1",
        "-message.type",
        "+message.type=FIFO,-message.type",
        "+queue.type=SimpleCQ",
        "nonsense",
    ] {
        it.ask(&format!("attributes {text}"), create("TopicAttributes", 1).field("attributes", text));
    }
    it.ask("settings with attributes", topic_config("TopicAttributes"));
}

/// A topic from its beginning to its end.
fn life(it: &mut Subject) {
    it.ask("life: create", create("TopicLife", 1));
    it.ask("life: route", route("TopicLife")).to(To::NameServer).until("broker-a");
    it.ask("life: send", send("TopicLife"));
    it.ask("life: send again", send("TopicLife"));
    it.ask("life: offset", max_offset("TopicLife")).until("field offset: 2");
    it.ask_both("life: delete", &Request::new(215).field("topic", "TopicLife"));
    it.ask("life: delete an unknown one", Request::new(215).field("topic", "NoSuchTopic"));
    it.ask("life: delete without a name", Request::new(215));
    it.ask("life: delete a system topic", Request::new(215).field("topic", "SELF_TEST_TOPIC"));
    it.ask("life: settings of the deleted", topic_config("TopicLife"));
    it.ask("life: no default topic", send("TopicLife").field("c", "NoDefault"));
}
