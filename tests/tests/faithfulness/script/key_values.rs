//! Key-value configuration of name servers.

use crate::faithfulness::step::{Request, Step, Subject};

fn put(namespace: &str, key: &str, value: &str) -> Request {
    Request::new(100).fields(&[("namespace", namespace), ("key", key), ("value", value)])
}

fn get(namespace: &str, key: &str) -> Request {
    Request::new(101).fields(&[("namespace", namespace), ("key", key)])
}

fn delete(namespace: &str, key: &str) -> Request {
    Request::new(102).fields(&[("namespace", namespace), ("key", key)])
}

pub(super) fn steps() -> Vec<Step> {
    let mut it = Subject::of_name_server("key values");
    it.ask_both("get from nowhere", &get("FaithSpace", "k"));
    it.ask("list of nowhere", Request::new(219).field("namespace", "FaithSpace"));
    it.ask("put", put("FaithSpace", "k", "v"));
    it.ask_both("get", &get("FaithSpace", "k"));
    it.ask("get another key", get("FaithSpace", "other"));
    it.ask_both("list", &Request::new(219).field("namespace", "FaithSpace"));
    it.ask("put again", put("FaithSpace", "k", "two words, \"quoted\""));
    it.ask("get what needs escapes", get("FaithSpace", "k"));
    it.ask("list what needs escapes", Request::new(219).field("namespace", "FaithSpace"));
    it.ask("put without a namespace", put("FaithSpace", "k", "v").without("namespace"));
    it.ask("put without a key", put("FaithSpace", "k", "v").without("key"));
    it.ask("put without a value", put("FaithSpace", "k", "v").without("value"));
    it.ask("put one-way", put("FaithSpace", "quiet", "v").one_way());
    it.ask("get what was put one-way", get("FaithSpace", "quiet")).until("field value: v");
    it.ask("get without a namespace", get("FaithSpace", "k").without("namespace"));
    it.ask("get without fields", Request::new(101).without_fields());
    it.ask("list without a namespace", Request::new(219));
    it.ask_both("delete", &delete("FaithSpace", "k"));
    it.ask("delete again", delete("FaithSpace", "k"));
    it.ask("delete from nowhere", delete("NoSpace", "k"));
    it.ask("delete without a key", delete("FaithSpace", "k").without("key"));
    it.ask("delete the last", delete("FaithSpace", "quiet"));
    it.ask("list of what is empty now", Request::new(219).field("namespace", "FaithSpace"));
    it.steps
}
