//! Properties: what is set comes back, what could split into something else is refused, and foreign texts are read by
//! Java's rules.

use arbitrary::{Result, Unstructured};
use rocketmq_core::message::{Message, Properties, is_reserved_property};

const COMMON: [&str; 14] = [
    "a",
    "b",
    "KEYS",
    "TAGS",
    "WAIT",
    "UNIQ_KEY",
    "DELAY",
    "",
    " ",
    "\u{1}",
    "\u{2}",
    "x\u{1}y\u{2}z",
    "\u{7f}",
    "\u{3000}",
];

/// Choices: properties that are set one after the other, and then a text from elsewhere.
pub(crate) fn check(input: &[u8]) {
    let mut choices = Unstructured::new(input);
    let Ok(pairs) = pairs(&mut choices) else {
        return;
    };
    set(&pairs);
    build(&pairs);
    if let Ok(text) = std::str::from_utf8(choices.take_rest()) {
        read(text);
    }
}

type Pair = (u8, String, String);

fn pairs(choices: &mut Unstructured<'_>) -> Result<Vec<Pair>> {
    let count = choices.int_in_range(0..=8)?;
    (0..count).map(|_| Ok((choices.int_in_range(0..=3)?, text(choices)?, text(choices)?))).collect()
}

fn text(choices: &mut Unstructured<'_>) -> Result<String> {
    if choices.ratio(1, 3)? { Ok((*choices.choose(&COMMON)?).into()) } else { choices.arbitrary() }
}

/// A text that could be taken for two, or for none.
fn is_bad(text: &str) -> bool {
    text.trim().is_empty() || text.chars().any(|c| c < ' ')
}

fn put(model: &mut Vec<(String, String)>, name: &str, value: &str) {
    model.retain(|(known, _)| known != name);
    model.push((name.into(), value.into()));
}

fn wire(model: &[(String, String)]) -> String {
    model.iter().map(|(name, value)| format!("{name}\u{1}{value}\u{2}")).collect()
}

fn same(properties: &Properties, model: &[(String, String)]) {
    let pairs: Vec<_> = properties.iter().map(|(name, value)| (name.into(), value.into())).collect();
    assert_eq!(pairs, model);
    assert_eq!(properties.as_wire(), wire(model));
    assert_eq!(&Properties::parse(properties.as_wire()), properties);
    let count = |wanted: char| properties.as_wire().chars().filter(|c| *c == wanted).count();
    assert_eq!((count('\u{1}'), count('\u{2}')), (model.len(), model.len()));
    for (name, value) in model {
        assert_eq!(properties.get(name), Some(value.as_str()));
    }
}

fn set(pairs: &[Pair]) {
    let mut properties = Properties::new();
    let mut model = Vec::new();
    for (kind, name, value) in pairs {
        let reserved = kind % 2 == 1;
        let refused = is_bad(name) || is_bad(value) || (!reserved && is_reserved_property(name));
        let set =
            if reserved { properties.insert_reserved(name, value) } else { properties.insert(name, value) };
        assert_eq!(set.is_err(), refused, "{name:?} {value:?}");
        if !refused {
            put(&mut model, name, value);
        }
        same(&properties, &model);
    }
}

/// The same by way of a message: tag, keys and user properties.
fn build(pairs: &[Pair]) {
    let mut builder = Message::builder("T".parse().unwrap());
    let mut model = vec![("WAIT".to_owned(), "true".to_owned())];
    let mut keys = Vec::new();
    let mut refused = false;
    for (kind, name, value) in pairs {
        match kind {
            0 => {
                refused |= is_bad(value) || is_bad(name) || is_reserved_property(name);
                builder = builder.property(name, value);
                put(&mut model, name, value);
            }
            1 => {
                refused |= is_bad(value);
                builder = builder.tag(value);
                put(&mut model, "TAGS", value);
            }
            2 => {
                refused |= is_bad(value) || value.contains(' ');
                builder = builder.key(value);
                keys.push(value.as_str());
            }
            _ => {
                let wait = name.len().is_multiple_of(2);
                builder = builder.wait_store_msg_ok(wait);
                put(&mut model, "WAIT", &wait.to_string());
            }
        }
    }
    let built = builder.build();
    assert_eq!(built.is_err(), refused);
    let Ok(message) = built else {
        return;
    };
    if !keys.is_empty() {
        put(&mut model, "KEYS", &keys.join(" "));
    }
    same(message.properties(), &model);
    assert_eq!(message.keys().collect::<Vec<_>>(), keys);
}

/// Any text: pieces end at \u{2}, names at their first \u{1}, nothing empty counts, the last of a name wins.
fn read(text: &str) {
    let mut model = Vec::new();
    for piece in text.split('\u{2}') {
        let mut halves = piece.splitn(2, '\u{1}');
        let (name, value) = (halves.next().unwrap_or_default(), halves.next().unwrap_or_default());
        if !name.is_empty() && !value.is_empty() {
            put(&mut model, name, value);
        }
    }
    let read = Properties::parse(text);
    let pairs: Vec<_> = read.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    assert_eq!(pairs, model);
    assert_eq!(Properties::parse(read.as_wire()), read);
}
