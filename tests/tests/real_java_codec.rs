//! The encoder and decoder of the official Java client against ours: it reads what we write, we read what it writes, and
//! on everything else both agree but for the listed differences.
//!
//! Needs Java 17 and Maven, so it is asked for explicitly:
//! `cargo test -p rocketmq-sim --test real_java_codec -- --ignored`.

#[path = "../../core/tests/checks/mod.rs"]
mod checks;
#[path = "real_java_codec/differences.rs"]
mod differences;
#[path = "real_java_codec/java.rs"]
mod java;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use arbitrary::Unstructured;
use checks::command::frame;
use checks::{near_json, roundtrip};
use differences::{Case, DIFFERENCES, EMPTY_TEXT};
use java::{Fields, Made, ours, read_all};
use rocketmq_core::ground::Rng;
use rocketmq_core::wire::SerializeType::{Json, RocketMq};

const FOLDERS: [&str; 4] = ["5.5.0-json", "5.5.0-binary", "4.9.7-json", "4.9.7-binary"];

/// Every frame that was captured between official clients and servers.
fn captured() -> Vec<Vec<u8>> {
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/testdata/vectors");
    let mut frames = Vec::new();
    for folder in FOLDERS {
        let index = fs::read_to_string(vectors.join(folder).join("index.tsv")).unwrap();
        let names = index.lines().skip(1).map(|line| line.split('\t').next().unwrap());
        frames.extend(names.map(|name| fs::read(vectors.join(folder).join(name)).unwrap()));
    }
    assert!(frames.len() > 300);
    frames
}

fn random_bytes(rng: &mut Rng, most: u64) -> Vec<u8> {
    (0..rng.below(most)).map(|_| rng.below(256) as u8).collect()
}

/// Judges frames; returns which differences showed. One that is not in the table fails.
fn compare(frames: &[Vec<u8>]) -> BTreeSet<&'static str> {
    let mut seen = BTreeSet::new();
    let mut alike = 0;
    let mut unlisted = Vec::new();
    for (frame, java) in frames.iter().zip(read_all(frames)) {
        let case = Case::new(frame, java);
        if case.agrees() {
            alike += 1;
            continue;
        }
        let reasons: Vec<_> = DIFFERENCES.iter().filter(|row| row.explains(&case)).collect();
        if reasons.is_empty() {
            unlisted.push(format!("{case:?}"));
        }
        seen.extend(reasons.iter().map(|row| row.name));
    }
    let some = &unlisted[..unlisted.len().min(12)];
    assert!(
        some.is_empty(),
        "{} differences that are not in the table, such as\n{}",
        unlisted.len(),
        some.join("\n")
    );
    println!("{} frames, {alike} alike, differences: {seen:?}", frames.len());
    seen
}

#[test]
#[ignore = "runs Java"]
fn java_reads_what_we_write_and_we_read_what_it_writes() {
    let mut rng = Rng::new(20);
    let mut frames = Vec::new();
    let mut wanted: Vec<Fields> = Vec::new();
    while frames.len() < 4_000 {
        let bytes = random_bytes(&mut rng, 400);
        let Ok(command) = roundtrip::command(&mut Unstructured::new(&bytes)) else {
            continue;
        };
        for form in [Json, RocketMq] {
            let frame = command.encode(form);
            wanted.push(ours(&frame).expect("our own frame"));
            frames.push(frame);
        }
    }
    for ((frame, wanted), made) in frames.iter().zip(wanted).zip(read_all(&frames)) {
        let Made::Read { fields, as_json, as_binary } = made else {
            panic!("Java refuses what we wrote: {frame:02x?}");
        };
        // In its binary layout Java takes an empty text for none.
        let wanted = if frame[4] == 1 { wanted.without_empty() } else { wanted };
        assert_eq!(fields.without_null(), wanted);
        assert_eq!(ours(&as_json.unwrap()).unwrap(), wanted);
        assert_eq!(ours(&as_binary.unwrap()).unwrap().without_empty(), wanted.without_empty());
    }
}

#[test]
#[ignore = "runs Java"]
fn captured_frames_are_read_alike() {
    // In one frame: the official client creates a topic with `attributes` that are empty text, and its own decoder takes
    // them for none. Nothing else may show.
    assert_eq!(compare(&captured()), BTreeSet::from([EMPTY_TEXT]));
    let with_empty_text = |frame: &Vec<u8>| {
        frame[4] == 1 && ours(frame).unwrap().ext.values().any(|value| value.as_deref() == Some(""))
    };
    let frames: Vec<_> = captured().into_iter().filter(with_empty_text).collect();
    assert_eq!(frames.len(), 1);
    assert!(frames[0].windows(10).any(|part| part == b"attributes"));
}

#[test]
#[ignore = "runs Java"]
fn every_listed_difference_is_one() {
    let rows = DIFFERENCES.iter().flat_map(|row| row.examples.iter().map(move |example| (row, *example)));
    let rows: Vec<_> = rows.collect();
    let frames: Vec<_> = rows.iter().map(|(row, header)| frame(row.form, header, b"x")).collect();
    for (((row, header), frame), java) in rows.iter().zip(&frames).zip(read_all(&frames)) {
        let case = Case::new(frame, java);
        let text = String::from_utf8_lossy(header);
        assert!(!case.agrees() && row.explains(&case), "{}: {text}: {case:?}", row.name);
    }
}

#[test]
#[ignore = "runs Java"]
fn headers_that_are_nearly_right_are_read_alike_but_for_the_listed_differences() {
    let mut rng = Rng::new(21);
    let draw = |_| {
        let bytes = random_bytes(&mut rng, 300);
        let text = near_json::header(&mut Unstructured::new(&bytes)).unwrap_or_default();
        frame(Json, if text.is_empty() { b"{}" } else { text.as_bytes() }, b"")
    };
    let frames: Vec<_> = (0..4_000).map(draw).collect();
    assert!(!compare(&frames).is_empty());
}

#[test]
#[ignore = "runs Java"]
fn damaged_frames_are_read_alike_but_for_the_listed_differences() {
    let mut rng = Rng::new(22);
    let sound = captured();
    let mut damaged = || {
        let mut frame = sound[rng.below(sound.len() as u64) as usize].clone();
        let header = u64::from(u16::from_be_bytes([frame[6], frame[7]]));
        for _ in 0..=rng.below(3) {
            let at = 8 + rng.below(header) as usize;
            frame[at] = match rng.below(3) {
                0 => rng.below(256) as u8,
                1 => [0, 1, 0x7f, 0x80, 0xff, b'"', b'{', b'0'][rng.below(8) as usize],
                _ => frame[at].wrapping_add(1),
            };
        }
        frame
    };
    let frames: Vec<_> = (0..4_000).map(|_| damaged()).collect();
    assert!(!compare(&frames).is_empty());
}
