//! Fields of a send that are missing or cannot be read.

use super::requests::{create, send, send_long};
use crate::faithfulness::step::{Request, Step, Subject};

pub(super) fn steps() -> Vec<Step> {
    let mut it = Subject::of_broker("send fields");
    it.ask("create", create("FieldTopic", 1));
    for name in ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "m", "n"] {
        it.ask(&format!("without {name}"), send("FieldTopic").without(name));
    }
    for name in [
        "topic",
        "queueId",
        "sysFlag",
        "bornTimestamp",
        "flag",
        "producerGroup",
        "properties",
        "reconsumeTimes",
    ] {
        it.ask(&format!("without {name}"), send_long("FieldTopic").without(name));
    }
    it.ask("empty map", Request::new(310).body("hi"));
    it.ask("empty map, long names", Request::new(10).body("hi"));
    it.ask("no map", Request::new(310).without_fields().body("hi"));
    it.ask("no map, long names", Request::new(10).without_fields().body("hi"));
    it.ask("no map, batch", Request::new(320).without_fields().body("hi"));
    it.ask("no map, binary", Request::new(310).without_fields().body("hi").binary());
    for (name, value) in [
        ("word", "one"),
        ("empty text", ""),
        ("plus", "+0"),
        ("blank before", " 0"),
        ("blank behind", "0 "),
        ("fraction", "0.0"),
        ("hexadecimal", "0x0"),
        ("leading zeros", "000"),
        ("other digits", "\u{661}"),
        ("beyond 32 bits", "2147483648"),
        ("minus zero", "-0"),
    ] {
        it.ask(&format!("queue id {name}"), send("FieldTopic").field("e", value));
        it.ask(&format!("long queue id {name}"), send_long("FieldTopic").field("queueId", value));
    }
    for name in ["d", "f", "g", "h", "j", "l"] {
        it.ask(&format!("{name} not a number"), send("FieldTopic").field(name, "x"));
    }
    it.ask("time beyond 64 bits", send("FieldTopic").field("g", "9223372036854775808"));
    for (name, value) in [("in capitals", "TRUE"), ("one", "1"), ("yes", "yes"), ("empty", "")] {
        it.ask(&format!("batch {name}"), send("FieldTopic").field("m", value));
        it.ask(&format!("unit mode {name}"), send("FieldTopic").field("k", value));
    }
    it.steps
}
