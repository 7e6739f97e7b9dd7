//! JSON as an ordered tree, read by `serde_json`: keys may repeat, and every value keeps the text it stood as.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// A value, with its text.
#[derive(Debug)]
pub(crate) enum Node {
    Null,
    /// A string, decoded.
    Text(String),
    Object(String, Vec<(String, Node)>),
    List(String, Vec<Node>),
    /// A number, `true` or `false`.
    Scalar(String),
}

impl Node {
    /// The value as text; none for null.
    pub(crate) fn text(self) -> Option<String> {
        match self {
            Node::Null => None,
            Node::Text(text) | Node::Object(text, _) | Node::List(text, _) | Node::Scalar(text) => Some(text),
        }
    }
}

/// Reads one value and nothing else; none when it is not JSON or nested deeper than `max_depth`.
pub(crate) fn read(text: &str, max_depth: usize) -> Option<Node> {
    node(serde_json::from_str(text).ok()?, max_depth)
}

fn node(raw: &RawValue, depth_left: usize) -> Option<Node> {
    let text = raw.get();
    Some(match text.as_bytes().first()? {
        b'n' => Node::Null,
        b'"' => Node::Text(serde_json::from_str(text).ok()?),
        b'{' => {
            let inner = depth_left.checked_sub(1)?;
            let Members(members) = serde_json::from_str(text).ok()?;
            let members = members.into_iter().map(|(key, value)| Some((key, node(value, inner)?)));
            Node::Object(text.into(), members.collect::<Option<_>>()?)
        }
        b'[' => {
            let inner = depth_left.checked_sub(1)?;
            let items: Vec<&RawValue> = serde_json::from_str(text).ok()?;
            let items = items.into_iter().map(|item| node(item, inner));
            Node::List(text.into(), items.collect::<Option<_>>()?)
        }
        _ => Node::Scalar(text.into()),
    })
}

/// The members of an object in their order, repeated ones too.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}
