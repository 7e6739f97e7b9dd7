//! Bodies that are compressed with zlib: the committed fuzz corpus and random inputs, with the check of the fuzz target.
#![cfg(feature = "zlib")]

use std::fs;
use std::path::Path;

use proptest::prelude::*;

#[path = "checks/inflate.rs"]
mod inflate;

fn check(input: &[u8]) {
    inflate::check(input, true);
}

#[test]
fn inflate_corpus() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/inflate");
    let mut inputs: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    inputs.sort();
    assert!(inputs.len() >= 20, "{} inputs", inputs.len());
    for input in inputs {
        // Shown only when the check fails.
        println!("{}", input.display());
        check(&fs::read(&input).unwrap());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn random_bodies_and_blocks_are_read_as_slow_code_reads_them(
        kind in prop::sample::select(&b"zd"[..]),
        most in any::<u16>(),
        body in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let [high, low] = most.to_be_bytes();
        check(&[&[kind, high, low], &body[..]].concat());
        // A header that is right.
        check(&[&[b'z', high, low, 0x78, 0x9c], &body[..]].concat());
    }

    #[test]
    fn changed_bytes_are_read_as_slow_code_reads_them(
        plain in prop::collection::vec(0_u8..4, 0..500),
        level in 0_u8..10,
        (at, byte) in any::<(prop::sample::Index, u8)>(),
        spare in -2_i32..3,
    ) {
        let mut body = miniz_oxide::deflate::compress_to_vec_zlib(&plain, level);
        let most = i32::try_from(plain.len()).unwrap() + spare;
        let [high, low] = u16::try_from(most.max(0)).unwrap().to_be_bytes();
        check(&[&[b'z', high, low], &body[..]].concat());
        let at = at.index(body.len());
        body[at] ^= byte;
        check(&[&[b'z', high, low], &body[..]].concat());
        // The blocks alone: the header and the checksum are not what is wrong with them.
        check(&[&[b'd', high, low], &body[2..]].concat());
    }
}
