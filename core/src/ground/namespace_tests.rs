use super::*;
use alloc::string::{String, ToString};
use alloc::vec;
use proptest::prelude::*;

fn namespace(text: &str) -> Namespace {
    text.parse().unwrap()
}

#[test]
fn names_are_wrapped_as_java_wraps_them() {
    let ns = namespace("MQ_INST_1_a");
    for (name, wrapped) in [
        ("orders", "MQ_INST_1_a%orders"),
        ("a%b", "MQ_INST_1_a%a%b"),
        ("%RETRY%clerks", "%RETRY%MQ_INST_1_a%clerks"),
        ("%DLQ%clerks", "%DLQ%MQ_INST_1_a%clerks"),
        ("%OTHER%clerks", "MQ_INST_1_a%%OTHER%clerks"),
        // Of another namespace, and of one with a longer name.
        ("MQ_INST_2_b%orders", "MQ_INST_1_a%MQ_INST_2_b%orders"),
        ("MQ_INST_1_ab%orders", "MQ_INST_1_a%MQ_INST_1_ab%orders"),
        ("MQ_INST_1_a", "MQ_INST_1_a%MQ_INST_1_a"),
        ("DEFAULT_PRODUCER", "MQ_INST_1_a%DEFAULT_PRODUCER"),
        // Only names that are theirs in each letter belong to the system.
        ("tbw102", "MQ_INST_1_a%tbw102"),
        ("%RETRY%TBW102", "%RETRY%MQ_INST_1_a%TBW102"),
        ("RMQ_SYS_mine", "MQ_INST_1_a%RMQ_SYS_mine"),
    ] {
        assert_eq!(ns.wrap(name), wrapped, "{name}");
        assert_eq!(ns.bare(wrapped), name, "{wrapped}");
        assert!(ns.has(wrapped) && !ns.has(name), "{name}");
    }
}

#[test]
fn names_of_the_system_and_wrapped_ones_stay_as_they_are() {
    let ns = namespace("MQ_INST_1_a");
    let of_the_system = ["rmq_sys_wheel_timer", "CID_RMQ_SYS_TRANS", "rmq_sys_"];
    for name in SYSTEM_NAMES.into_iter().chain(of_the_system) {
        assert_eq!((ns.wrap(name), ns.bare(name)), (name.into(), name.into()));
    }
    for name in ["MQ_INST_1_a%orders", "%RETRY%MQ_INST_1_a%clerks", "%DLQ%MQ_INST_1_a%x", ""] {
        assert_eq!(ns.wrap(name), name);
    }
    assert_eq!(ns.wrap_group("CLIENT_INNER_PRODUCER"), "CLIENT_INNER_PRODUCER");
    assert_eq!(ns.wrap_group("clerks"), "MQ_INST_1_a%clerks");
}

#[test]
fn foreign_names_are_not_unwrapped() {
    let ns = namespace("MQ_INST_1_a");
    for name in
        ["orders", "MQ_INST_2_b%orders", "%RETRY%MQ_INST_2_b%x", "MQ_INST_1_a", "MQ_INST_1_ab%x", "%", ""]
    {
        assert_eq!(ns.bare(name), name);
        assert!(!ns.has(name), "{name}");
    }
    // In the namespace, but wrapping the rest would lead elsewhere.
    for name in ["MQ_INST_1_a%TBW102", "MQ_INST_1_a%", "MQ_INST_1_a%MQ_INST_1_a%x", "MQ_INST_1_a%%RETRY%x"] {
        assert_eq!((ns.wrap(name), ns.bare(name)), (name.into(), name.into()));
        assert!(ns.has(name), "{name}");
    }
}

#[test]
fn lengths_are_those_of_the_wrapped_name() {
    let ns = namespace("ns");
    let topic = |len: usize| "t".repeat(len).parse::<TopicName>().unwrap();
    let group = |len: usize| "g".repeat(len).parse::<GroupName>().unwrap();
    assert_eq!(ns.check_topic(&topic(124)), Ok(()));
    let what = "topic with its namespace";
    assert_eq!(ns.check_topic(&topic(125)), Err(NameError::TooLong { what, len: 128, max: 127 }));
    assert_eq!(ns.check_group(&group(117)), Ok(()));
    let what = "group with its namespace";
    assert_eq!(ns.check_group(&group(118)), Err(NameError::TooLong { what, len: 121, max: 120 }));
    // A wrapped one has its namespace already.
    assert_eq!(ns.check_topic(&format!("ns%{}", "t".repeat(124)).parse().unwrap()), Ok(()));
}

#[test]
fn a_namespace_is_checked() {
    let parse = |text: &str| text.parse::<Namespace>().map(|ns| ns.to_string());
    let what = "namespace";
    assert_eq!(parse("a|B_1-x"), Ok("a|B_1-x".into()));
    for blank in ["", " ", "\n"] {
        assert_eq!(parse(blank), Err(NameError::Blank { what }));
    }
    // Java takes it, and then unwraps names at the wrong place.
    assert_eq!(parse("a%b"), Err(NameError::IllegalCharacter { what, character: '%', at: 1 }));
    assert_eq!(parse("ä"), Err(NameError::IllegalCharacter { what, character: 'ä', at: 0 }));
    assert_eq!(parse(&"n".repeat(124)).unwrap().len(), 124);
    assert_eq!(parse(&"n".repeat(125)), Err(NameError::TooLong { what, len: 125, max: 124 }));
}

/// Names out of the pieces that matter.
fn names() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("ns"),
        Just("ns%"),
        Just("%"),
        Just("%RETRY%"),
        Just("%DLQ%"),
        Just("TBW102"),
        Just("rmq_sys_"),
        Just("other%"),
        Just("x"),
        Just("CID_RMQ_SYS_"),
        Just("n"),
    ];
    prop::collection::vec(piece, 1..5).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 8 } else { 2_000 }))]

    #[test]
    fn wrapping_leads_back_and_does_nothing_twice(name in names()) {
        let ns = namespace("ns");
        let wrapped = ns.wrap(&name).into_owned();
        prop_assert_eq!(ns.wrapped_len(&name), wrapped.len());
        prop_assert!(ns.has(&wrapped));
        prop_assert_eq!(&*ns.wrap(&wrapped), &*wrapped);
        // Nobody's name is lost: it comes back, unless it was wrapped to begin with.
        let bare = ns.bare(&wrapped).into_owned();
        prop_assert!(bare == name || ns.has(&name), "{} became {} and then {}", name, wrapped, bare);
        prop_assert_eq!(&*ns.wrap(&bare), &*wrapped);
        prop_assert_eq!(&*ns.bare(&bare), &*bare);
    }

    #[test]
    fn what_is_handed_out_leads_back_where_it_came_from(name in names()) {
        let ns = namespace("ns");
        let bare = ns.bare(&name);
        if ns.has(&name) {
            prop_assert_eq!(&*ns.wrap(&bare), &*name);
        } else {
            prop_assert_eq!(&*bare, &*name);
        }
    }
}
