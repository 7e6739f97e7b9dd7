//! Half messages.

use super::requests::{create, send_with, view};
use crate::faithfulness::step::{Request, Step, Subject};

fn half() -> Request {
    send_with("HalfTopic", &[("TRAN_MSG", "true"), ("PGROUP", "HalfGroup")])
        .field("f", "4")
        .field("a", "HalfGroup")
}

/// The end of the half message of an earlier step.
fn end(step: &str, decision: &str) -> Request {
    Request::new(37).fields(&[
        ("producerGroup", "HalfGroup"),
        ("tranStateTableOffset", &format!("{{offset {step}}}")),
        ("commitLogOffset", &format!("{{place {step}}}")),
        ("commitOrRollback", decision),
        ("fromTransactionCheck", "false"),
        ("msgId", "KEY"),
        ("transactionId", "KEY"),
        ("topic", "HalfTopic"),
    ])
}

pub(super) fn steps() -> Vec<Step> {
    let mut it = Subject::of_broker("transactions");
    it.ask("create", create("HalfTopic", 1));
    it.ask_both("half", &half());
    it.ask("view half", view("transactions/half"));
    it.ask("property without the flag", half().field("f", "0"));
    it.ask("view property without the flag", view("transactions/property without the flag"));
    it.ask("flag without the property", send_with("HalfTopic", &[]).field("f", "4"));
    it.ask("view flag without the property", view("transactions/flag without the property"));
    it.ask(
        "property in capitals",
        send_with("HalfTopic", &[("TRAN_MSG", "TRUE"), ("PGROUP", "HalfGroup")]).field("f", "4"),
    );
    it.ask("property false", send_with("HalfTopic", &[("TRAN_MSG", "false")]).field("f", "4"));
    it.ask(
        "half with delay",
        send_with("HalfTopic", &[("TRAN_MSG", "true"), ("PGROUP", "HalfGroup"), ("DELAY", "3")])
            .field("f", "4"),
    );
    it.ask("view half with delay", view("transactions/half with delay"));
    it.ask("half, one-way", half().one_way());
    it.ask("offset after one-way", super::requests::max_offset("RMQ_SYS_TRANS_HALF_TOPIC"))
        .until("field offset: 5");
    it.ask("half at queue 99", half().field("e", "99"));
    it.ask("half to a new topic", half().field("b", "HalfNew"));
    ends(&mut it);
    it.steps
}

fn ends(it: &mut Subject) {
    it.ask("unknown decision", end("transactions/half", "5"));
    it.ask("decision still open", end("transactions/half", "0"));
    it.ask("wrong group", end("transactions/half", "8").field("producerGroup", "OtherGroup"));
    it.ask("wrong queue offset", end("transactions/half", "8").field("tranStateTableOffset", "77"));
    it.ask("wrong place", end("transactions/half", "8").field("commitLogOffset", "1"));
    it.ask("place of an ordinary message", end("transactions/flag without the property", "8"));
    it.ask("without decision", end("transactions/half", "8").without("commitOrRollback"));
    it.ask("without place", end("transactions/half", "8").without("commitLogOffset"));
    it.ask("without fields", Request::new(37).without_fields());
    it.ask("roll back", end("transactions/half, binary", "12"));
    it.ask("commit", end("transactions/half", "8"));
    it.ask("commit, binary", end("transactions/property in capitals", "8").binary());
    let pairs = [("TRAN_MSG", "true"), ("PGROUP", "HalfGroup"), ("KEYS", "final")];
    it.ask("half with key", send_with("HalfTopic", &pairs).field("f", "4"));
    it.ask("commit with key", end("transactions/half with key", "8"));
    let visible = Request::new(12).fields(&[
        ("topic", "HalfTopic"),
        ("key", "final"),
        ("maxNum", "10"),
        ("beginTimestamp", "0"),
        ("endTimestamp", "9223372036854775807"),
    ]);
    it.ask("visible", visible.clone()).until("stored: ");
    it.ask("commit again", end("transactions/half with key", "8"));
    it.ask("visible twice", visible).until("queue 0 offset 3 ");
    it.ask("offset after the commits", super::requests::max_offset("HalfTopic")).until("field offset: 4");
}
