//! Where we read a frame otherwise than the Java client does, each with its reason. We take what servers really send and
//! refuse the rest; of the captured frames one is among these.

use std::fmt;

use rocketmq_core::wire::SerializeType::{self, Json, RocketMq};
use rocketmq_core::wire::{HeaderError, WireLimits};

use crate::checks::json::{self, Node};
use crate::java::{Fields, Made, ours};

/// One frame and what both made of it.
pub(crate) struct Case<'a> {
    header: &'a [u8],
    form: SerializeType,
    ours: Result<Fields, HeaderError>,
    java: Result<Fields, String>,
}

impl fmt::Debug for Case<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header = String::from_utf8_lossy(self.header);
        write!(f, "{header:?}\n ours {:?}\n java {:?}", self.ours, self.java)
    }
}

impl<'a> Case<'a> {
    pub(crate) fn new(frame: &'a [u8], java: Made) -> Case<'a> {
        let header_len = usize::from(frame[5]) << 16 | usize::from(frame[6]) << 8 | usize::from(frame[7]);
        let java = match java {
            Made::Refused(why) => Err(why),
            Made::Read { fields, .. } => Ok(fields.without_null()),
        };
        let form = if frame[4] == 0 { Json } else { RocketMq };
        Case { header: &frame[8..8 + header_len], form, ours: ours(frame), java }
    }

    pub(crate) fn agrees(&self) -> bool {
        match (&self.ours, &self.java) {
            (Ok(ours), Ok(java)) => ours == java,
            (ours, java) => ours.is_err() && java.is_err(),
        }
    }

    fn outcome(&self) -> Outcome {
        match (&self.ours, &self.java) {
            (Err(_), Ok(_)) => Outcome::WeRefuse,
            (Ok(_), Err(_)) => Outcome::JavaRefuses,
            _ => Outcome::ReadOtherwise,
        }
    }

    /// The members of a JSON header.
    fn members(&self) -> Vec<(String, Node)> {
        let text = std::str::from_utf8(self.header).unwrap_or_default();
        match json::read(text, usize::MAX) {
            Some(Node::Object(_, members)) => members,
            _ => Vec::new(),
        }
    }

    fn member(&self, name: &str) -> Option<Node> {
        self.members().into_iter().rev().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    fn ext_members(&self) -> Vec<(String, Node)> {
        match self.member("extFields") {
            Some(Node::Object(_, members)) => members,
            _ => Vec::new(),
        }
    }
}

/// How a difference shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Outcome {
    WeRefuse,
    JavaRefuses,
    ReadOtherwise,
}

/// One row of the table.
pub(crate) struct Difference {
    pub(crate) name: &'static str,
    pub(crate) form: SerializeType,
    outcome: Outcome,
    pub(crate) examples: &'static [&'static [u8]],
    is_it: fn(&Case<'_>) -> bool,
}

impl Difference {
    pub(crate) fn explains(&self, case: &Case<'_>) -> bool {
        self.form == case.form && self.outcome == case.outcome() && (self.is_it)(case)
    }
}

const NUMBERS: [&str; 4] = ["code", "flag", "opaque", "version"];

fn is_integer(value: Node) -> bool {
    value.text().is_none_or(|text| text.parse::<i32>().is_ok())
}

/// The one difference that shows in captured frames.
pub(crate) const EMPTY_TEXT: &str = "an empty name or value, which Java takes for null; to us it is empty";

/// All differences.
pub(crate) const DIFFERENCES: [Difference; 15] = [
    Difference {
        name: "text that is not JSON: Java forgives much of it, no server writes any",
        form: Json,
        outcome: Outcome::WeRefuse,
        examples: &[
            br#"{"code":1,"opaque":2,}"#,
            br#"{'code':1,'opaque':2}"#,
            br#"{"code":1,/* */"opaque":2}"#,
            br#"{"code":01,"opaque":2}"#,
            br#"{"code":+1,"opaque":2}"#,
            br#"{"code":1,"opaque":2,"x":1.}"#,
            br#"{"code":1,"opaque":2,"remark":"\x41"}"#,
            br#"{"code":1,"opaque":2,"remark":"\ud83d"}"#,
            b"{\"code\":1,\"opaque\":2,\"remark\":\"\x01\"}",
            b"{\"code\":1,\"opaque\":2,\"remark\":\"\n\"}",
        ],
        is_it: |case| case.members().is_empty(),
    },
    Difference {
        name: "no code or no opaque: Java takes the code for 0, which is SUCCESS, and a fresh opaque of its own, which \
               may be that of another request",
        form: Json,
        outcome: Outcome::WeRefuse,
        examples: &[
            b"{}",
            br#"{"opaque":2}"#,
            br#"{"code":null,"opaque":2}"#,
            br#"{"code":1}"#,
            br#"{"code":1,"opaque":null}"#,
            br#"{"CODE":1,"OPAQUE":2}"#,
        ],
        is_it: |case| {
            ["code", "opaque"].iter().any(|name| matches!(case.member(name), None | Some(Node::Null)))
        },
    },
    Difference {
        name: "a number that is none of 32 bits: Java cuts fractions off and takes lists, objects and true for numbers",
        form: Json,
        outcome: Outcome::WeRefuse,
        examples: &[
            br#"{"code":1,"opaque":1.5}"#,
            br#"{"code":2e3,"opaque":2}"#,
            br#"{"code":true,"opaque":2}"#,
            br#"{"code":"","opaque":2}"#,
            br#"{"code":{},"opaque":2}"#,
            br#"{"code":[1],"opaque":2}"#,
        ],
        is_it: |case| {
            case.members().into_iter().any(|(key, value)| NUMBERS.contains(&key.as_str()) && !is_integer(value))
        },
    },
    Difference {
        name: "nested deeper than our limit",
        form: Json,
        outcome: Outcome::WeRefuse,
        examples: &[br#"{"code":1,"opaque":2,"x":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}"#],
        is_it: |case| {
            let text = std::str::from_utf8(case.header).unwrap_or_default();
            let most = WireLimits::default().max_depth;
            json::read(text, usize::MAX).is_some() && json::read(text, most).is_none()
        },
    },
    Difference {
        name: "a language as a number, which Java takes for its place in the list; we know it by name only",
        form: Json,
        outcome: Outcome::ReadOtherwise,
        examples: &[br#"{"code":1,"opaque":2,"language":3}"#, br#"{"code":1,"opaque":2,"language":"3"}"#],
        is_it: |case| {
            let named = |language: &Node| matches!(language, Node::Text(name) if name.parse::<u8>().is_err());
            case.member("language").is_some_and(|language| !named(&language))
        },
    },
    Difference {
        name: "a name with a character beyond 16 bits, over which Java's library stumbles, mostly where there is an escape, too",
        form: Json,
        outcome: Outcome::JavaRefuses,
        examples: &[
            "{\"code\":0,\"opaque\":1,\"language\":\"😀\\n\"}".as_bytes(),
            "{\"code\":0,\"opaque\":1,\"😀\":2}".as_bytes(),
            "{\"code\":0,\"opaque\":1,\"extFields\":{\"😀\\n\":\"x\"}}".as_bytes(),
        ],
        is_it: |case| {
            let text = String::from_utf8_lossy(case.header);
            text.chars().any(|character| character > '\u{ffff}')
        },
    },
    Difference {
        name: "a language that is neither text nor number, which says nothing to us",
        form: Json,
        outcome: Outcome::JavaRefuses,
        examples: &[br#"{"code":1,"opaque":2,"language":true}"#],
        is_it: |case| {
            let odd = |value: Node| !matches!(value, Node::Text(_) | Node::Null);
            case.members().into_iter().any(|(key, value)| key == "language" && odd(value))
        },
    },
    Difference {
        name: "ext fields as an empty text, which is none to Java",
        form: Json,
        outcome: Outcome::WeRefuse,
        examples: &[br#"{"code":0,"opaque":1,"extFields":""}"#],
        is_it: |case| matches!(case.member("extFields"), Some(Node::Text(_))),
    },
    Difference {
        name: "a remark or ext value that is no text: Java writes numbers and objects anew, we take them as they stand",
        form: Json,
        outcome: Outcome::ReadOtherwise,
        examples: &[
            br#"{"code":1,"opaque":2,"extFields":{"a":1e5}}"#,
            br#"{"code":1,"opaque":2,"extFields":{"a":-0}}"#,
            br#"{"code":1,"opaque":2,"extFields":{"a":[1, 2]}}"#,
            br#"{"code":1,"opaque":2,"remark":{"a" : 1}}"#,
        ],
        is_it: |case| {
            let other = |value: &Node| !matches!(value, Node::Text(_) | Node::Null);
            case.member("remark").as_ref().is_some_and(other)
                || case.ext_members().iter().any(|(_, value)| other(value))
        },
    },
    Difference {
        name: "a repeated ext field that is null in the end: to us null is absent, and the text before it stands",
        form: Json,
        outcome: Outcome::ReadOtherwise,
        examples: &[br#"{"code":1,"opaque":2,"extFields":{"a":"1","a":null}}"#],
        is_it: |case| case.ext_members().iter().any(|(_, value)| matches!(value, Node::Null)),
    },
    Difference {
        name: "keys that the Java library itself gives a meaning",
        form: Json,
        outcome: Outcome::JavaRefuses,
        examples: &[
            br#"{"code":1,"opaque":2,"body":"QUJD"}"#,
            br#"{"code":1,"opaque":2,"serializeTypeCurrentRPC":5}"#,
        ],
        is_it: |case| {
            ["body", "serializeTypeCurrentRPC"].iter().any(|name| case.member(name).is_some())
        },
    },
    Difference {
        name: "text that is not UTF-8: Java puts replacement characters into it",
        form: RocketMq,
        outcome: Outcome::WeRefuse,
        examples: &[
            b"\0\x01\0\0\x02\0\0\0\x03\0\0\0\0\0\0\0\x01\xff\0\0\0\0",
            b"\0\x01\0\0\x02\0\0\0\x03\0\0\0\0\0\0\0\0\0\0\0\x08\0\x01k\0\0\0\x01\xff",
        ],
        is_it: |case| matches!(case.ours, Err(HeaderError::InvalidUtf8)),
    },
    Difference {
        name: EMPTY_TEXT,
        form: RocketMq,
        outcome: Outcome::ReadOtherwise,
        examples: &[
            b"\0\x01\0\0\x02\0\0\0\x03\0\0\0\0\0\0\0\0\0\0\0\x07\0\x01k\0\0\0\0",
            b"\0\x01\0\0\x02\0\0\0\x03\0\0\0\0\0\0\0\0\0\0\0\x07\0\0\0\0\0\x01v",
        ],
        is_it: |case| {
            let empty = |(name, value): (&String, &Option<String>)| {
                name.is_empty() || value.as_ref().is_none_or(String::is_empty)
            };
            case.ours.as_ref().is_ok_and(|fields| fields.ext.iter().any(empty))
        },
    },
    Difference {
        name: "ext fields that reach past their announced length, which Java does not look at while it reads one",
        form: RocketMq,
        outcome: Outcome::WeRefuse,
        examples: &[b"\0\x01\0\0\x02\0\0\0\x03\0\0\0\0\0\0\0\0\0\0\0\x03\0\x01k\0\0\0\x01v"],
        is_it: |case| matches!(case.ours, Err(HeaderError::Binary { .. })),
    },
    Difference {
        name: "bytes between the ext fields and the end of the header: Java takes them for the start of the body",
        form: RocketMq,
        outcome: Outcome::ReadOtherwise,
        examples: &[b"\0\x01\0\0\x02\0\0\0\x03\0\0\0\0\0\0\0\0\0\0\0\0abc"],
        is_it: |case| {
            let length = |at: usize| {
                let bytes = case.header.get(at..at + 4)?.try_into().ok()?;
                usize::try_from(i32::from_be_bytes(bytes).max(0)).ok()
            };
            let remark = length(13);
            let end = remark.and_then(|remark| Some(21 + remark + length(17 + remark)?));
            end.is_some_and(|end| end < case.header.len())
        },
    },
];
