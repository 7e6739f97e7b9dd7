//! Sends that are in order, and what is stored then.

use super::requests::{create, max_offset, properties, route, send, send_long, send_with, view};
use crate::faithfulness::step::{Request, Step, Subject, To};

pub(super) fn steps() -> Vec<Step> {
    let mut it = Subject::of_broker("sends");
    it.ask("create", create("SendTopic", 1));
    it.ask_both("short names", &send("SendTopic"));
    it.ask_both("long names", &send_long("SendTopic"));
    it.ask("old client", send("SendTopic").version(0));
    it.ask("unknown language", send("SendTopic").language(99).binary());
    it.ask("short names under 320", send("SendTopic").code(320));
    it.ask("long names under 310", send_long("SendTopic").code(310));
    it.ask("long names under 320", send_long("SendTopic").code(320));
    it.ask("short names under 10", send("SendTopic").code(10));
    it.ask("least fields", least());
    it.ask("least fields, binary", least().binary());
    it.ask("broker chooses the queue", send("SendTopic").field("e", "-1"));
    it.ask("very negative queue", send("SendTopic").field("e", "-2147483648"));
    it.ask("another broker's name", send("SendTopic").field("n", "broker-z"));
    it.ask("unit mode", send("SendTopic").field("k", "true"));
    it.ask("unknown fields", send("SendTopic").field("z", "1").field("ns", "x").field("nsd", "true"));
    it.ask("one-way", send("SendTopic").one_way());
    it.ask("one-way, binary", send("SendTopic").one_way().binary());
    it.ask("offset after one-way", max_offset("SendTopic")).until("field offset: 16");
    stored(&mut it);
    created(&mut it);
    it.steps
}

fn least() -> Request {
    Request::new(310)
        .fields(&[("b", "SendTopic"), ("e", "0"), ("f", "0"), ("g", "1700000000000"), ("h", "0")])
        .body("least")
}

/// What becomes of the parts of a message.
fn stored(it: &mut Subject) {
    it.ask("create for stored", create("StoredTopic", 2));
    it.ask("stored: plain", send("StoredTopic"));
    it.ask("view plain", view("sends/stored: plain"));
    it.ask("view plain, binary", view("sends/stored: plain").binary());
    it.ask("stored: queue 1", send("StoredTopic").field("e", "1"));
    it.ask("view queue 1", view("sends/stored: queue 1"));
    it.ask("stored: flag", send("StoredTopic").field("h", "-7"));
    it.ask("view flag", view("sends/stored: flag"));
    let pairs = [("KEYS", "k1 k2"), ("TAGS", "t"), ("own", "v"), ("POP_CK", "x"), ("CLUSTER", "Mine")];
    it.ask("stored: properties", send_with("StoredTopic", &pairs));
    it.ask("view properties", view("sends/stored: properties"));
    it.ask("stored: properties not closed", send("StoredTopic").field("i", "UNIQ_KEY\u{1}KEY\u{2}a\u{1}b"));
    it.ask("view properties not closed", view("sends/stored: properties not closed"));
    let odd =
        format!("{}\u{1}v\u{2}empty\u{1}\u{2}three\u{1}a\u{1}b\u{2}name\u{2}x\u{1}\u{2}", properties("KEY"));
    it.ask("stored: odd properties", send("StoredTopic").field("i", &odd));
    it.ask("view odd properties", view("sends/stored: odd properties"));
    let twice = format!("{}same\u{1}1\u{2}same\u{1}2\u{2}", properties("KEY"));
    it.ask("stored: property twice", send("StoredTopic").field("i", &twice));
    it.ask("view property twice", view("sends/stored: property twice"));
    it.ask("stored: own region", send_with("StoredTopic", &[("MSG_REGION", "Mine"), ("TRACE_ON", "false")]));
    it.ask("view own region", view("sends/stored: own region"));
    it.ask("stored: no properties", send("StoredTopic").without("i"));
    it.ask("view no properties", view("sends/stored: no properties"));
    it.ask("stored: empty properties", send("StoredTopic").field("i", ""));
    it.ask("stored: no unique key", send("StoredTopic").field("i", "own\u{1}v\u{2}"));
    it.ask("view no unique key", view("sends/stored: no unique key"));
    it.ask(
        "stored: not ASCII",
        send_with("StoredTopic", &[("own", "\u{e4}\u{4e2d}\u{1f600}")]).body("\u{1f600}"),
    );
    it.ask("view not ASCII", view("sends/stored: not ASCII"));
    for flag in ["1", "257", "769", "2", "1024"] {
        let name = format!("stored: system flag {flag}");
        it.ask(&name, send("StoredTopic").field("f", flag));
        it.ask(&format!("view system flag {flag}"), view(&format!("sends/{name}")));
    }
    it.ask("stored: reconsumed", send("StoredTopic").field("j", "3").field("l", "5"));
    it.ask("view reconsumed", view("sends/stored: reconsumed"));
    it.ask("stored: born long ago", send("StoredTopic").field("g", "-1"));
    it.ask("view born long ago", view("sends/stored: born long ago"));
    it.ask("offset of queue 0", max_offset("StoredTopic")).until("field offset: 18");
}

/// Topics that a send makes.
fn created(it: &mut Subject) {
    for (topic, queues) in [("MadeFour", "4"), ("MadeHundred", "100"), ("MadeOne", "1")] {
        it.ask(&format!("new topic with {queues} queues"), send(topic).field("d", queues));
        it.ask(&format!("route of the topic with {queues} queues"), route(topic))
            .to(To::NameServer)
            .until("broker-a");
    }
    for (topic, queues) in [("MadeNone", "0"), ("MadeLess", "-3")] {
        it.ask(&format!("new topic with {queues} queues"), send(topic).field("d", queues));
        it.ask(
            &format!("settings of the topic with {queues} queues"),
            Request::new(351).field("topic", topic),
        );
    }
    it.ask("made from itself", send("MadeItself").field("c", "MadeItself"));
    it.ask("made from nothing", send("MadeNothing").field("c", "NoSuchTopic"));
    it.ask("made from an empty name", send("MadeEmpty").field("c", ""));
    it.ask("made from an ordinary topic", send("MadeOrdinary").field("c", "SendTopic"));
    it.ask(
        "made from the cluster's topic",
        send("MadeCluster").field("c", "DefaultCluster").field("d", "20"),
    );
    it.ask("settings of the cluster's child", Request::new(351).field("topic", "MadeCluster"));
    it.ask("made without default topic", send("MadeAbsent").without("c"));
    it.ask("made without number of queues", send("MadeCountless").without("d"));
    it.ask("made at a queue beyond", send("MadeBeyond").field("e", "9"));
    it.ask("made all the same", Request::new(351).field("topic", "MadeBeyond"));
}
