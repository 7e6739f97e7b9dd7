use alloc::format;

use super::*;

#[test]
fn every_reserved_name_is_found() {
    assert!(RESERVED.is_sorted());
    for name in RESERVED {
        assert!(is_reserved_property(name));
        assert!(!is_reserved_property(&format!("{name}1")));
    }
    for name in ["", "order", "keys", "A", "\u{4e2d}"] {
        assert!(!is_reserved_property(name));
    }
}

#[test]
fn a_key_has_no_blank_at_any_place() {
    for len in 1..20 {
        let mut key = alloc::vec![b'k'; len];
        assert_eq!(check_key(core::str::from_utf8(&key).unwrap()), Ok(()));
        for at in 0..len {
            key[at] = b' ';
            let refused = check_key(core::str::from_utf8(&key).unwrap());
            let name = names::KEYS.to_owned();
            let expected = match len {
                1 => PropertyError::BlankValue { name },
                _ => PropertyError::BlankInKey { key: core::str::from_utf8(&key).unwrap().to_owned() },
            };
            assert_eq!(refused, Err(expected));
            key[at] = b'\t';
            let character = '\t';
            let name = names::KEYS.to_owned();
            let expected = PropertyError::ControlInValue { name, character };
            assert_eq!(check_key(core::str::from_utf8(&key).unwrap()), Err(expected));
            key[at] = b'k';
        }
    }
}

#[test]
fn white_space_of_any_width_is_blank() {
    for blank in ["", " ", "\u{85}", "\u{a0}\u{2003}", "\u{3000}\u{3000}\u{3000}"] {
        let name = names::KEYS.to_owned();
        assert_eq!(check_value(names::KEYS, blank), Err(PropertyError::BlankValue { name: name.clone() }));
        if !blank.contains(' ') {
            assert_eq!(check_key(blank), Err(PropertyError::BlankValue { name }));
        }
    }
    for text in [" a", "\u{3000}a", "a ", "\u{7f}", "\u{200b}"] {
        assert_eq!(check_value(names::TAGS, text), Ok(()));
    }
}
