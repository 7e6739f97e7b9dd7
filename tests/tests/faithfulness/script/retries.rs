//! Sends to the topics of consumer groups, and replies.

use super::requests::{create, send, send_with, view};
use crate::faithfulness::step::{Request, Step, Subject, To};

pub(super) fn steps() -> Vec<Step> {
    let mut it = Subject::of_broker("retries");
    it.ask("unknown group", send("%RETRY%RetryGroup"));
    it.ask("again", send("%RETRY%RetryGroup").field("j", "1"));
    it.ask("settings of the retry topic", Request::new(351).field("topic", "%RETRY%RetryGroup"));
    it.ask("view", view("retries/unknown group"));
    it.ask("16 times", send("%RETRY%RetryGroup").field("j", "16"));
    it.ask("view 16 times", view("retries/16 times"));
    it.ask("17 times", send("%RETRY%RetryGroup").field("j", "17"));
    it.ask("view 17 times", view("retries/17 times"));
    it.ask("3 of 2 times", send("%RETRY%RetryGroup").field("j", "3").field("l", "2"));
    it.ask("view 3 of 2 times", view("retries/3 of 2 times"));
    it.ask(
        "3 of 2 times of an old client",
        send("%RETRY%RetryGroup").field("j", "3").field("l", "2").version(120),
    );
    it.ask("view old client", view("retries/3 of 2 times of an old client"));
    it.ask(
        "3 of 2 times of a client 3.4.9",
        send("%RETRY%RetryGroup").field("j", "3").field("l", "2").version(121),
    );
    it.ask("view client 3.4.9", view("retries/3 of 2 times of a client 3.4.9"));
    it.ask("settings of the dead letters", Request::new(351).field("topic", "%DLQ%RetryGroup"));
    it.ask("to dead letters", send("%DLQ%RetryGroup"));
    it.ask("to dead letters of nobody", send("%DLQ%Nobody"));
    it.ask("to long dead letters", send(&format!("%DLQ%{}", "g".repeat(152))));
    it.ask("view long dead letters", view("retries/to long dead letters"));
    it.ask("to too long dead letters", send(&format!("%DLQ%{}", "g".repeat(251))));
    it.ask("queue beyond", send("%RETRY%RetryGroup").field("e", "9"));
    it.ask("no group", send("%RETRY%"));
    it.ask("illegal group", send("%RETRY%a b"));
    for length in [119, 120, 121, 127, 128, 247, 248, 249] {
        it.ask(&format!("group of {length}"), send(&format!("%RETRY%{}", "g".repeat(length))));
    }
    it.ask("view group of 121", view("retries/group of 121"));
    it.ask("not from the default topic", send("%RETRY%Lone").field("c", "NoSuchTopic"));
    replies(&mut it);
    it.steps
}

/// Replies are pushed to the client that has asked.
fn replies(it: &mut Subject) {
    it.ask("create", create("ReplyTopic", 1));
    let heartbeat = r#"{"clientID":"asker","producerDataSet":[{"groupName":"Askers"}],"consumerDataSet":[]}"#;
    it.ask("asker registers", Request::new(34).body(heartbeat)).on(1);
    let pairs =
        |client: &'static str| [("MSG_TYPE", "reply"), ("CORRELATION_ID", "c1"), ("REPLY_TO_CLIENT", client)];
    it.ask("reply to nobody", send_with("ReplyTopic", &pairs("nobody")).code(325));
    it.ask("reply without client", send("ReplyTopic").code(325));
    it.ask("reply with long names to nobody", send("ReplyTopic").code(324));
    it.ask("reply at queue 99", send_with("ReplyTopic", &pairs("nobody")).code(325).field("e", "99"));
    it.ask("reply asked of a name server", send("ReplyTopic").code(325)).to(To::NameServer);
}
