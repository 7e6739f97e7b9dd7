//! A broker of 5.x that has been asked to stop, and does so gracefully.

use super::requests::{create, max_offset, send};
use crate::faithfulness::step::{Request, Step, Subject};

/// What has to be set and made before.
pub(crate) fn preparation() -> Vec<Step> {
    let mut it = Subject::of_broker("before the farewell");
    it.ask("create", create("FarewellTopic", 1));
    it.ask("send", send("FarewellTopic"));
    it.ask("graceful shutdown", super::requests::setting("enableShutdownGracefully=true"));
    it.steps
}

/// What is asked while the broker goes.
pub(crate) fn farewell() -> Vec<Step> {
    let heartbeat =
        || Request::new(34).body(r#"{"clientID":"late","producerDataSet":[{"groupName":"Late"}]}"#);
    let mut it = Subject::of_broker("farewell");
    it.ask("heartbeat", heartbeat()).until("please go away");
    it.ask_both("send", &send("FarewellTopic"));
    it.ask("send, one-way", send("FarewellTopic").one_way());
    it.ask("send on a new connection", send("FarewellTopic")).on(1);
    it.ask("offset", max_offset("FarewellTopic"));
    it.ask("offset of client 5.3.3", max_offset("FarewellTopic").version(479));
    it.ask("offset of client 5.3.2", max_offset("FarewellTopic").version(476));
    it.ask("offset of client 5.3.1", max_offset("FarewellTopic").version(475));
    it.ask("offset of an old client", max_offset("FarewellTopic").version(0));
    it.ask("send of an old client", send("FarewellTopic").version(0));
    it.ask("heartbeat of an old client", heartbeat().version(0));
    it.ask("unknown code", Request::new(9999));
    it.steps
}
