//! The builder against a model that is too simple to be wrong.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use proptest::prelude::*;

use super::super::is_reserved_property;
use super::*;

/// A call of the builder.
#[derive(Debug, Clone)]
enum Call {
    Tag(String),
    Key(String),
    Property(String, String),
    Wait(bool),
}

fn build(calls: &[Call]) -> Result<Message, MessageError> {
    let builder = Message::builder("orders".parse().unwrap()).body("b");
    let called = calls.iter().fold(builder, |builder, call| match call {
        Call::Tag(tag) => builder.tag(tag),
        Call::Key(key) => builder.key(key),
        Call::Property(name, value) => builder.property(name, value),
        Call::Wait(wait) => builder.wait_store_msg_ok(*wait),
    });
    called.build()
}

/// What the builder should come to: the pairs as a list, the keys apart until the end.
struct Model {
    pairs: Vec<(String, String)>,
    keys: Vec<String>,
}

impl Model {
    fn run(calls: &[Call]) -> Result<String, PropertyError> {
        let mut model = Model { pairs: Vec::new(), keys: Vec::new() };
        model.set("WAIT", "true");
        for call in calls {
            model.call(call)?;
        }
        if !model.keys.is_empty() {
            model.set("KEYS", &model.keys.join(" "));
        }
        Ok(model.pairs.iter().map(|(name, value)| format!("{name}\u{1}{value}\u{2}")).collect())
    }

    fn call(&mut self, call: &Call) -> Result<(), PropertyError> {
        match call {
            Call::Tag(tag) => {
                check_value("TAGS", tag)?;
                self.set("TAGS", tag);
            }
            Call::Key(key) => {
                check_value("KEYS", key)?;
                if key.contains(' ') {
                    return Err(PropertyError::BlankInKey { key: key.clone() });
                }
                self.keys.push(key.clone());
            }
            Call::Property(name, value) => {
                check_name(name)?;
                check_value(name, value)?;
                self.set(name, value);
            }
            Call::Wait(wait) => self.set("WAIT", &wait.to_string()),
        }
        Ok(())
    }

    fn set(&mut self, name: &str, value: &str) {
        self.pairs.retain(|(other, _)| other != name);
        self.pairs.push((name.to_string(), value.to_string()));
    }
}

fn check_name(name: &str) -> Result<(), PropertyError> {
    let owned = name.to_string();
    if is_reserved_property(name) {
        return Err(PropertyError::Reserved { name: owned });
    }
    if name.trim().is_empty() {
        return Err(PropertyError::BlankName);
    }
    match control(name) {
        Some(character) => Err(PropertyError::ControlInName { name: owned, character }),
        None => Ok(()),
    }
}

fn check_value(name: &str, value: &str) -> Result<(), PropertyError> {
    let name = name.to_string();
    if let Some(character) = control(value) {
        return Err(PropertyError::ControlInValue { name, character });
    }
    if value.trim().is_empty() {
        return Err(PropertyError::BlankValue { name });
    }
    Ok(())
}

fn control(text: &str) -> Option<char> {
    text.chars().find(|character| *character < ' ')
}

/// A text that is nearly always in order, of any length around the eight bytes that are looked at
/// at once.
fn text() -> impl Strategy<Value = String> {
    let good = prop_oneof![
        20 => prop::char::range('a', 'd'),
        1 => prop::sample::select(&['!', '~', '\u{7f}', '\u{80}', '\u{e4}', '\u{4e2d}', '\u{1f600}'][..]),
    ];
    let any = prop_oneof![
        4 => prop::char::range('a', 'd'),
        1 => prop::char::range('\u{0}', '!'),
        1 => prop::sample::select(&[' ', '\u{85}', '\u{a0}', '\u{2003}', '\u{3000}'][..]),
    ];
    let of = |length: core::ops::Range<usize>, character: BoxedStrategy<char>| {
        prop::collection::vec(character, length).prop_map(|list| list.into_iter().collect::<String>())
    };
    prop_oneof![
        30 => of(1..20, good.boxed()),
        1 => of(0..20, any.clone().boxed()),
        1 => of(0..3, any.boxed()),
    ]
}

/// Few names, so that they come again; some are RocketMQ's, some begin like one of them.
fn name() -> impl Strategy<Value = String> {
    const NAMES: [&str; 12] =
        ["a", "ab", "b", "T", "TAG", "TAGS2", "KEY", "WAI", "UNIQ", "1ST", "_", "\u{4e2d}"];
    const REFUSED: [&str; 5] = ["KEYS", "TAGS", "WAIT", "UNIQ_KEY", "__CRC32#"];
    prop_oneof![
        20 => prop::sample::select(&NAMES[..]).prop_map(String::from),
        4 => text(),
        1 => prop::sample::select(&REFUSED[..]).prop_map(String::from),
    ]
}

fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        1 => text().prop_map(Call::Tag),
        2 => text().prop_map(Call::Key),
        3 => (name(), text()).prop_map(|(name, value)| Call::Property(name, value)),
        1 => any::<bool>().prop_map(Call::Wait),
    ]
}

#[test]
fn the_immunity_time_is_in_whole_seconds() {
    let built = |time| Message::builder("T".parse().unwrap()).check_immunity_time(time).build();
    for (millis, seconds) in [(1, "1"), (1_000, "1"), (1_001, "2"), (60_000, "60")] {
        let message = built(Duration::from_millis(millis)).unwrap();
        assert_eq!(message.property("CHECK_IMMUNITY_TIME_IN_SECONDS"), Some(seconds));
    }
    let message = built(Duration::MAX).unwrap();
    assert_eq!(message.property("CHECK_IMMUNITY_TIME_IN_SECONDS"), Some("2147483647"));
    assert_eq!(built(Duration::ZERO), Err(MessageError::from(PropertyError::NoImmunityTime)));
}

proptest! {
    #[test]
    fn the_builder_does_what_the_model_does(calls in prop::collection::vec(call(), 0..12)) {
        let built = build(&calls).map(|message| message.properties().clone());
        match (built, Model::run(&calls)) {
            (Ok(properties), Ok(wire)) => {
                prop_assert_eq!(properties.as_wire(), &wire);
                // The same as if it had been read: what is kept beside the text is right, too.
                prop_assert_eq!(&properties, &Properties::parse(&wire));
                for (name, value) in &properties {
                    prop_assert_eq!(properties.get(name), Some(value));
                }
            }
            (built, expected) => prop_assert_eq!(built.err(), expected.err().map(MessageError::from)),
        }
    }
}
