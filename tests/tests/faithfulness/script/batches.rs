//! Batches.

use super::requests::{create, max_offset, properties, send, view};
use crate::faithfulness::step::{Request, Step, Subject};

/// One part: flag, body, properties.
fn part(flag: i32, body: &[u8], properties: &str) -> Vec<u8> {
    let total = 22 + body.len() + properties.len();
    let mut bytes = (total as u32).to_be_bytes().to_vec();
    bytes.extend_from_slice(&[0; 8]);
    bytes.extend_from_slice(&flag.to_be_bytes());
    bytes.extend_from_slice(&(body.len() as u32).to_be_bytes());
    bytes.extend_from_slice(body);
    bytes.extend_from_slice(&(properties.len() as u16).to_be_bytes());
    bytes.extend_from_slice(properties.as_bytes());
    bytes
}

fn parts(count: usize) -> Vec<u8> {
    (0..count).flat_map(|at| part(0, b"part", &properties(&format!("KEY{at}")))).collect()
}

fn batch(body: Vec<u8>) -> Request {
    send("BatchTopic").code(320).field("m", "true").field("i", "WAIT\u{1}true\u{2}").body(body)
}

pub(super) fn steps() -> Vec<Step> {
    let mut it = Subject::of_broker("batches");
    it.ask("create", create("BatchTopic", 1));
    it.ask_both("of three", &batch(parts(3)));
    it.ask("of one", batch(parts(1)));
    it.ask("of 200", batch(parts(200)));
    it.ask("under 310", batch(parts(2)).code(310));
    it.ask(
        "under 10 with long names",
        super::requests::send_long("BatchTopic").field("batch", "true").body(parts(2)),
    );
    it.ask("not marked", batch(parts(2)).field("m", "false"));
    it.ask("one-way", batch(parts(2)).one_way());
    it.ask("offset after one-way", max_offset("BatchTopic")).until("field offset: 214");
    it.ask("without properties", batch(parts(1)).without("i"));
    it.ask("stored", batch(part(7, b"body", "UNIQ_KEY\u{1}KEY9\u{2}TAGS\u{1}t\u{2}")));
    it.ask("view stored", view("batches/stored"));
    it.ask("stored, not closed", batch(part(7, b"body", "UNIQ_KEY\u{1}KEY9\u{2}TAGS\u{1}t")));
    it.ask("view stored, not closed", view("batches/stored, not closed"));
    it.ask("with own key", batch(parts(2)).field("i", &properties("KEYBATCH")));
    it.ask("view with own key", view("batches/with own key"));
    it.ask("part with empty body", batch([part(0, b"", "a\u{1}b\u{2}"), part(0, b"x", "")].concat()));
    it.ask("part with delay", batch(part(0, b"x", "UNIQ_KEY\u{1}KEYD\u{2}DELAY\u{1}3\u{2}")));
    it.ask("view part with delay", view("batches/part with delay"));
    broken(&mut it);
    refused(&mut it);
    it.ask("offset at the end", max_offset("BatchTopic")).until("field offset: 227");
    it.steps
}

fn broken(it: &mut Subject) {
    it.ask("empty", batch(Vec::new()));
    it.ask("cut off in the lengths", batch(parts(1)[..10].to_vec()));
    it.ask("cut off in the body", batch(parts(1)[..22].to_vec()));
    let whole = parts(1);
    it.ask("cut off in the properties", batch(whole[..whole.len() - 3].to_vec()));
    it.ask("bytes behind", batch([parts(1), vec![0, 0, 0]].concat()));
    it.ask("wrong total", {
        let mut bytes = parts(1);
        bytes[3] = 1;
        batch(bytes)
    });
    it.ask("wrong total and magic in the second", {
        let mut second = parts(1);
        second[..8].copy_from_slice(&[0xFF; 8]);
        batch([parts(1), second].concat())
    });
    it.ask("negative length of a body", {
        let mut bytes = parts(1);
        bytes[16..20].copy_from_slice(&[0xFF; 4]);
        batch(bytes)
    });
    it.ask("huge length of a body", {
        let mut bytes = parts(1);
        bytes[16..20].copy_from_slice(&[0x7F, 0xFF, 0xFF, 0xFF]);
        batch(bytes)
    });
    it.ask("negative length of properties", {
        let mut bytes = part(0, b"", "abc");
        bytes[20..22].copy_from_slice(&[0xFF; 2]);
        batch(bytes)
    });
    it.ask("ordinary message marked as batch", send("BatchTopic").field("m", "true"));
}

fn refused(it: &mut Subject) {
    it.ask("transaction", batch(parts(1)).field("f", "4"));
    it.ask("delay of the batch", batch(parts(1)).field("i", "DELAY\u{1}3\u{2}"));
    it.ask("delay 0 of the batch", batch(parts(1)).field("i", "DELAY\u{1}0\u{2}"));
    it.ask("to a retry topic", batch(parts(1)).field("b", "%RETRY%BatchGroup"));
    it.ask("to an illegal topic", batch(parts(1)).field("b", "a b"));
    it.ask("to a system topic", batch(parts(1)).field("b", "SELF_TEST_TOPIC"));
    it.ask("to queue 99", batch(parts(1)).field("e", "99"));
    let large = [part(0, &vec![b'x'; 2 << 20], ""), part(0, &vec![b'x'; (2 << 20) + 1], "")].concat();
    it.ask("larger than the limit", batch(large));
    it.ask("INNER_NUM in a part", batch(part(0, b"x", "INNER_NUM\u{1}2\u{2}")));
    it.ask("to a new topic", batch(parts(1)).field("b", "BatchNew"));
}
