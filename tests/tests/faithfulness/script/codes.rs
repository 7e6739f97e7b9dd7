//! Request codes that a server does not serve, and some that only consumers and tools use.

use crate::faithfulness::step::{Request, Step, Subject, To};

pub(super) fn steps() -> Vec<Step> {
    let mut it = Subject::of_broker("codes");
    for code in [9999, 0, -1, 1, 39, 40, 47, 302, 1500, i32::MAX] {
        it.ask(&format!("code {code}"), Request::new(code));
    }
    it.ask("code 9999, binary", Request::new(9999).binary());
    it.ask("code 9999 without fields", Request::new(9999).without_fields());
    it.ask("code 9999 with a body", Request::new(9999).body("what"));
    it.ask("code 9999, one-way", Request::new(9999).one_way());
    it.ask("code 9999 of an old client", Request::new(9999).version(0));
    it.ask("route asked of a broker", Request::new(105).field("topic", "TBW102"));
    it.ask("all topics asked of a broker", Request::new(206));
    for code in [9999, 0, -1, 10, 34, 310] {
        it.ask(&format!("code {code}, name server"), Request::new(code)).to(To::NameServer);
    }
    it.ask("code 9999, name server, binary", Request::new(9999).binary()).to(To::NameServer);
    it.ask("code 9999, name server, one-way", Request::new(9999).one_way()).to(To::NameServer);
    consumers(&mut it);
    it.steps
}

/// What consumers ask: one request of each, refused where that is possible.
fn consumers(it: &mut Subject) {
    let queue = [("consumerGroup", "NoGroup"), ("topic", "NoTopic"), ("queueId", "0")];
    it.ask("offset of an unknown group", Request::new(14).fields(&queue));
    it.ask("offset stored for an unknown group", Request::new(15).fields(&queue).field("commitOffset", "1"));
    let pull = [
        ("queueOffset", "0"),
        ("maxMsgNums", "1"),
        ("sysFlag", "4"),
        ("commitOffset", "0"),
        ("suspendTimeoutMillis", "0"),
        ("subscription", "*"),
        ("subVersion", "0"),
    ];
    it.ask("pull from an unknown topic", Request::new(11).fields(&queue).fields(&pull));
    it.ask("lite pull from an unknown topic", Request::new(361).fields(&queue).fields(&pull));
    it.ask(
        "send back for an unknown group",
        Request::new(36).fields(&[("offset", "0"), ("group", "NoGroup"), ("delayLevel", "0")]),
    );
    it.ask("members of an unknown group", Request::new(38).field("consumerGroup", "NoGroup"));
    let locks = r#"{"clientId":"c","consumerGroup":"NoGroup","mqSet":[]}"#;
    it.ask("lock", Request::new(41).body(locks));
    it.ask("unlock", Request::new(42).body(locks));
    it.ask("check of a subscription", Request::new(46).body(r#"{"clientId":"c","group":"g"}"#));
    it.ask(
        "recall with a bad handle",
        Request::new(370).fields(&[("topic", "NoTopic"), ("recallHandle", "x")]),
    );
    it.ask("consumers of an unknown group", Request::new(203).field("consumerGroup", "NoGroup"));
    it.ask("statistics of an unknown topic", Request::new(202).field("topic", "NoTopic"));
    it.ask("settings of an unknown group", Request::new(352).field("group", "NoGroup"));
}
