//! What the fuzz targets check. A plain test replays the committed corpora with the same code on any compiler, so every
//! check has to stand here, not in a target.
//!
//! A check takes the bytes of one input and panics when the library does not do what it should. Next to each check stands
//! what it compares with: slow, obvious code that shares nothing with the library's.
//!
//! `inflate` stands beside these: who takes it in has the feature `zlib`.

#![allow(dead_code, reason = "each user takes a part of it")]

pub(crate) mod admin_bodies;
pub(crate) mod command;
pub(crate) mod frame_stream;
pub(crate) mod header;
pub(crate) mod http_answer;
pub(crate) mod json;
pub(crate) mod machine;
pub(crate) mod near_json;
pub(crate) mod plain;
pub(crate) mod props;
pub(crate) mod roundtrip;
pub(crate) mod route_body;
pub(crate) mod slow;

/// The check of a target.
pub(crate) type Check = fn(&[u8]);

/// Every target whose check stands here: the name of its corpus and of its program.
pub(crate) const TARGETS: [(&str, Check); 9] = [
    ("frame_stream", frame_stream::check),
    ("header_json_diff", header::check_json),
    ("header_binary_diff", header::check_binary),
    ("roundtrip", roundtrip::check),
    ("props", props::check),
    ("route_body", route_body::check),
    ("admin_bodies", admin_bodies::check),
    ("state_machine", machine::check),
    ("http_answer", http_answer::check),
];
