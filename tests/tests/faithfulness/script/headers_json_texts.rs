//! What servers accept as a JSON header: its text.

use super::headers_json::{json, split};
use crate::faithfulness::step::{Step, Subject};

/// Name of a step, and a whole header, in which `MAP` stands for the fields of the question.
const HEADERS: [(&str, &[u8]); 33] = [
    ("white space", b" {\n\t\"code\" : 30 ,\r \"extFields\" : { \"topic\" : \"Probe\" , \"queueId\" : \"0\" } , \"opaque\" : OPAQUE } "),
    ("white space behind", b"{\"code\":30,\"extFields\":MAP,\"opaque\":OPAQUE}\n\n"),
    ("unknown keys", br#"{"code":30,"extFields":MAP,"opaque":OPAQUE,"x":1,"y":{"z":[1,{"a":null}]}}"#),
    ("key body", br#"{"code":30,"extFields":MAP,"opaque":OPAQUE,"body":"aGk="}"#),
    ("key body null", br#"{"code":30,"extFields":MAP,"opaque":OPAQUE,"body":null}"#),
    ("code twice", br#"{"code":30,"extFields":MAP,"opaque":OPAQUE,"code":31}"#),
    ("number twice", br#"{"code":30,"extFields":MAP,"opaque":7,"opaque":OPAQUE}"#),
    ("map twice", br#"{"code":30,"extFields":{"topic":"Probe"},"opaque":OPAQUE,"extFields":{"queueId":"0"}}"#),
    ("escaped key", br#"{"c\u006fde":30,"extFields":MAP,"opaque":OPAQUE}"#),
    ("escaped value", br#"{"code":30,"extFields":{"t\u006fpic":"Pr\u006fbe","queueId":"\u0030"},"opaque":OPAQUE}"#),
    ("escaped slash", br#"{"code":30,"extFields":{"topic":"a\/b","queueId":"0"},"opaque":OPAQUE}"#),
    ("wrong escape", br#"{"code":30,"extFields":{"topic":"a\qb","queueId":"0"},"opaque":OPAQUE}"#),
    ("half a surrogate pair", br#"{"code":30,"extFields":{"topic":"\ud800","queueId":"0"},"opaque":OPAQUE}"#),
    ("bare line break in a text", b"{\"code\":30,\"extFields\":{\"topic\":\"a\nb\",\"queueId\":\"0\"},\"opaque\":OPAQUE}"),
    ("bare control character in a text", b"{\"code\":30,\"extFields\":{\"topic\":\"a\x01b\",\"queueId\":\"0\"},\"opaque\":OPAQUE}"),
    ("not UTF-8", b"{\"code\":30,\"extFields\":{\"topic\":\"a\xFFb\",\"queueId\":\"0\"},\"opaque\":OPAQUE}"),
    ("not ASCII", b"{\"code\":30,\"extFields\":{\"topic\":\"\xC3\xA4\xE4\xB8\xAD\xF0\x9F\x98\x80\",\"queueId\":\"0\"},\"opaque\":OPAQUE}"),
    ("keys without quotes", br#"{code:30,extFields:{topic:"Probe",queueId:"0"},opaque:OPAQUE}"#),
    ("single quotes", b"{'code':30,'extFields':{'topic':'Probe','queueId':'0'},'opaque':OPAQUE}"),
    ("comma at the end", br#"{"code":30,"extFields":{"topic":"Probe","queueId":"0",},"opaque":OPAQUE,}"#),
    ("two commas", br#"{"code":30,,"extFields":MAP,"opaque":OPAQUE}"#),
    ("comment", br#"{"code":30,/* here */"extFields":MAP,"opaque":OPAQUE}"#),
    ("number with leading zero", br#"{"code":030,"extFields":MAP,"opaque":OPAQUE}"#),
    ("number with plus", br#"{"code":+30,"extFields":MAP,"opaque":OPAQUE}"#),
    ("text behind the object", br#"{"code":30,"extFields":MAP,"opaque":OPAQUE}xyz"#),
    ("two objects", br#"{"code":30,"extFields":MAP,"opaque":OPAQUE}{}"#),
    ("byte order mark", b"\xEF\xBB\xBF{\"code\":30,\"extFields\":MAP,\"opaque\":OPAQUE}"),
    ("brace missing", br#"{"code":30,"extFields":MAP,"opaque":OPAQUE"#),
    ("empty object", b"{}"),
    ("null", b"null"),
    ("a list", br#"[{"code":30,"opaque":OPAQUE}]"#),
    ("a number", b"30"),
    ("spaces only", b"    "),
];

pub(super) fn steps() -> Vec<Step> {
    let mut it = Subject::of_broker("JSON text");
    for (name, header) in HEADERS {
        let map = br#"{"topic":"Probe","queueId":"0"}"#;
        let header = split(header, b"MAP").join(&map[..]);
        it.bytes(name, move |number| json(number, &header));
    }
    it.steps
}
