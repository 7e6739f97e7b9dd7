//! The fuzz targets as functions. The checks live with the tests, which replay the corpora on stable compilers.

#[path = "../../core/tests/checks/mod.rs"]
mod checks;
#[path = "../../core/tests/checks/inflate.rs"]
mod inflate;
#[path = "../../tests/tests/world_fuzz/simulation.rs"]
mod simulation;

macro_rules! targets {
    ($($target:ident: $check:path,)*) => {
        $(
            /// The target of this name: takes one input, and panics when the check fails.
            pub fn $target(input: &[u8]) {
                $check(input);
            }
        )*
    };
}

targets! {
    frame_stream: checks::frame_stream::check,
    header_json_diff: checks::header::check_json,
    header_binary_diff: checks::header::check_binary,
    roundtrip: checks::roundtrip::check,
    props: checks::props::check,
    route_body: checks::route_body::check,
    admin_bodies: checks::admin_bodies::check,
    inflate: check_inflate,
    state_machine: checks::machine::check,
    http_answer: checks::http_answer::check,
    simulation: simulation::check,
}

/// The library that inflates looks at no checksum when it is built for a fuzzer.
fn check_inflate(input: &[u8]) {
    inflate::check(input, false);
}

/// Where the lengths of a binary header stand, and how many bytes each has, as far as the header is sound.
pub fn binary_lengths(header: &[u8]) -> Vec<(usize, usize)> {
    let number = |at: usize, len: usize| {
        let bytes = header.get(at..at + len)?;
        Some(bytes.iter().fold(0, |sum: usize, byte| sum << 8 | usize::from(*byte)))
    };
    let mut lengths = vec![(13, 4)];
    let mut walk = || {
        let mut at = 17 + number(13, 4)?;
        lengths.push((at, 4));
        at += 4;
        loop {
            lengths.push((at, 2));
            at += 2 + number(at, 2)?;
            lengths.push((at, 4));
            at += 4 + number(at, 4)?;
        }
    };
    let _: Option<()> = walk();
    lengths.retain(|(at, len)| at + len <= header.len());
    lengths
}
