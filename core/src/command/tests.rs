use alloc::format;
use alloc::string::ToString;
use std::collections::BTreeSet;

use super::{LanguageCode, RequestCode, ResponseCode};

#[test]
fn codes_print_as_name_and_number() {
    assert_eq!(RequestCode::SEND_MESSAGE_V2.to_string(), "SEND_MESSAGE_V2(310)");
    assert_eq!(format!("{:?}", ResponseCode::TOPIC_NOT_EXIST), "TOPIC_NOT_EXIST(17)");
    assert_eq!(ResponseCode(9999).to_string(), "CODE(9999)");
    assert_eq!(ResponseCode::RPC_TIME_OUT.to_string(), "RPC_TIME_OUT(-1006)");
    assert_eq!(RequestCode::from(34), RequestCode::HEART_BEAT);
}

#[test]
fn every_named_code_has_its_own_name_and_number() {
    for named in [
        RequestCode::NAMED.iter().map(|code| (code.0, code.name())).collect::<BTreeSet<_>>(),
        ResponseCode::NAMED.iter().map(|code| (code.0, code.name())).collect(),
    ] {
        let names: BTreeSet<_> = named.iter().filter_map(|(_, name)| *name).collect();
        let numbers: BTreeSet<_> = named.iter().map(|(number, _)| number).collect();
        assert_eq!((names.len(), numbers.len()), (named.len(), named.len()));
    }
    assert_eq!((RequestCode(1).name(), RequestCode(200_151).name()), (None, Some("BATCH_ACK_MESSAGE")));
    assert_eq!((ResponseCode(5).name(), ResponseCode(0).name()), (None, Some("SUCCESS")));
}

#[test]
fn languages_are_found_by_name_and_number() {
    for (number, language) in LanguageCode::NAMED.into_iter().enumerate() {
        assert_eq!(usize::from(language.code()), number);
        assert_eq!(LanguageCode::from_code(language.code()), language);
        assert_eq!(LanguageCode::from_name(language.name()), language);
    }
    assert_eq!(LanguageCode::Rust.code(), 12);
    for unknown in ["rust", "", "KLINGON"] {
        assert_eq!(LanguageCode::from_name(unknown), LanguageCode::Unknown);
    }
    assert_eq!(LanguageCode::from_code(14), LanguageCode::Unknown);
    assert_eq!(LanguageCode::Unknown.name(), "OTHER");
}
