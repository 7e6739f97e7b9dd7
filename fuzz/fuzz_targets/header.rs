#![no_main]
#![allow(dead_code, reason = "both targets share the checks, each uses its own")]

// The checks live with the tests, which replay the corpus on stable compilers.
#[path = "../../core/tests/codec_support/checks.rs"]
mod checks;
#[path = "../../core/tests/codec_support/slow.rs"]
mod slow;

libfuzzer_sys::fuzz_target!(|input: &[u8]| checks::header(input));
