//! Sizes up to which a broker stores.

use super::requests::{create, properties, send, send_long};
use crate::faithfulness::step::{Step, Subject};

const MAX_BODY: usize = 4 * 1024 * 1024;

/// A properties string of this length.
fn long_properties(length: usize) -> String {
    let start = format!("{}p\u{1}", properties("KEY"));
    let value = "x".repeat(length - start.len() - 1);
    format!("{start}{value}\u{2}")
}

pub(super) fn steps() -> Vec<Step> {
    let mut it = Subject::of_broker("limits");
    it.ask("create", create("LimitTopic", 1));
    it.ask("largest body", send("LimitTopic").body(vec![b'x'; MAX_BODY]));
    it.ask("body too large", send("LimitTopic").body(vec![b'x'; MAX_BODY + 1]));
    it.ask("body too large, binary", send("LimitTopic").body(vec![b'x'; MAX_BODY + 1]).binary());
    it.ask("body too large, long names", send_long("LimitTopic").body(vec![b'x'; MAX_BODY + 1]));
    it.ask("body too large, one-way", send("LimitTopic").body(vec![b'x'; MAX_BODY + 1]).one_way());
    it.ask("body too large, wrong queue", send("LimitTopic").field("e", "9").body(vec![b'x'; MAX_BODY + 1]));
    for length in [32_704, 32_705, 32_706, 32_707, 32_744, 32_745, 32_746, 32_767, 32_768, 40_000] {
        it.ask(&format!("properties of {length}"), send("LimitTopic").field("i", &long_properties(length)));
    }
    it.ask("properties too long, binary", send("LimitTopic").field("i", &long_properties(33_000)).binary());
    it.ask("create a long name", create(&"l".repeat(127), 1));
    it.ask("longest name", send(&"l".repeat(127)));
    it.ask("body of one byte", send("LimitTopic").body("x"));
    it.steps
}
