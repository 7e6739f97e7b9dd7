//! The checks of the fuzz targets on random inputs, so that each change is tried on some that no corpus has.

mod checks;

use proptest::prelude::*;

/// Bytes in which small numbers and those around the ends of types are frequent, as choices and lengths are.
fn input() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        3 => any::<u8>(),
        2 => 0_u8..4,
        1 => prop::sample::select(&[0x7f_u8, 0x80, 0xff, b'"', b'{', b'}', b':', b','][..]),
    ];
    prop::collection::vec(byte, 0..600)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_input_fails_a_check(input in input()) {
        for (_, check) in checks::TARGETS {
            check(&input);
        }
    }

    #[test]
    fn no_choices_fail_a_grammar(choices in input()) {
        let input = [&[checks::header::GRAMMAR], &choices[..]].concat();
        checks::header::check_json(&input);
        checks::route_body::check(&input);
    }

    #[test]
    fn no_body_fails_its_check(input in input(), kind in prop::sample::select(&b"ctm"[..])) {
        checks::admin_bodies::check(&[&[kind], &input[..]].concat());
    }
}
