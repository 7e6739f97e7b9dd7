use alloc::format;
use alloc::string::ToString;
use core::net::SocketAddr;

use super::*;

fn endpoint(text: &str) -> Result<Endpoint, EndpointError> {
    text.parse()
}

fn text_of(text: &str) -> String {
    text.into()
}

#[test]
fn host_and_port_split_at_the_last_colon() {
    for (text, host, port, shown) in [
        ("localhost:9876", "localhost", 9876, "localhost:9876"),
        ("10.0.0.2:10911", "10.0.0.2", 10911, "10.0.0.2:10911"),
        ("[fe80::1]:10911", "fe80::1", 10911, "[fe80::1]:10911"),
        ("[fe80::1%eth0]:1", "fe80::1%eth0", 1, "[fe80::1%eth0]:1"),
        ("fe80::1:10911", "fe80::1", 10911, "[fe80::1]:10911"),
        ("my_host-1.example:65535", "my_host-1.example", 65535, "my_host-1.example:65535"),
        ("h:0080", "h", 80, "h:80"),
    ] {
        let parsed = endpoint(text).unwrap();
        assert_eq!((parsed.host(), parsed.port()), (host, port));
        assert_eq!(parsed.to_string(), shown);
        assert_eq!(endpoint(shown).unwrap(), parsed);
        assert_eq!(Endpoint::new(host, port).unwrap(), parsed);
    }
}

#[test]
fn a_missing_port_is_told() {
    for text in ["localhost", "", "localhost:", "[::1]", "[::1]:"] {
        let expected = EndpointError::MissingPort { text: text_of(text) };
        assert_eq!(endpoint(text), Err(expected), "{text:?}");
    }
}

#[test]
fn a_port_is_a_number_from_1_to_65535() {
    for port in ["0", "65536", "99999999999", "-1", "+1", "x", "9876 ", " 9876", "1.5"] {
        let text = format!("h:{port}");
        let port = text_of(port);
        let expected = EndpointError::BadPort { text: text.clone(), port };
        assert_eq!(endpoint(&text), Err(expected));
    }
    assert!(matches!(Endpoint::new("h", 0), Err(EndpointError::BadPort { .. })));
}

#[test]
fn a_host_is_neither_empty_nor_endless() {
    for text in [":9876", " :9876", "[]:9876"] {
        let expected = EndpointError::EmptyHost { text: text_of(text) };
        assert_eq!(endpoint(text), Err(expected));
    }
    let longest = format!("{}:1", "h".repeat(255));
    assert_eq!(endpoint(&longest).unwrap().host().len(), 255);
    let error = endpoint(&format!("{}:1", "h".repeat(256))).unwrap_err();
    assert!(matches!(&error, EndpointError::HostTooLong { len: 256, text } if text.len() == 80));
}

#[test]
fn a_host_has_no_blanks_controls_or_separators() {
    for character in [' ', '\t', '\n', '\u{0}', '\u{7f}', '\u{3000}', '/', ';', ',', '@'] {
        let text = format!("a{character}b:1");
        let expected = EndpointError::IllegalCharacter { text: text.clone(), character };
        assert_eq!(endpoint(&text), Err(expected));
    }
}

#[test]
fn brackets_and_colons_are_for_ipv6_only() {
    for text in ["[localhost]:1", "a:b:1", "[::1:1", "::1]:1", "[[::1]]:1", "[::1]x:1", "fe80:1"] {
        let outcome = endpoint(text);
        if text == "fe80:1" {
            assert_eq!(outcome.unwrap().host(), "fe80");
        } else {
            let expected = EndpointError::BadIpv6 { text: text_of(text) };
            assert_eq!(outcome, Err(expected), "{text:?}");
        }
    }
    for zone in ["%", "%a%b", "%a]"] {
        assert!(endpoint(&format!("[::1{zone}]:1")).is_err());
    }
}

#[test]
fn socket_addresses_become_endpoints() {
    for text in ["127.0.0.1:9876", "[::1]:9876"] {
        let address: SocketAddr = text.parse().unwrap();
        assert_eq!(Endpoint::try_from(address).unwrap().to_string(), text);
    }
    let no_port: SocketAddr = "127.0.0.1:0".parse().unwrap();
    assert!(Endpoint::try_from(no_port).is_err());
}

#[test]
fn endpoints_sort_by_host_then_port() {
    let mut list = ["b:1", "a:2", "a:1"].map(|text| endpoint(text).unwrap());
    list.sort();
    assert_eq!(list.map(|e| e.to_string()), ["a:1", "a:2", "b:1"]);
}

#[test]
fn name_servers_are_trimmed_and_distinct() {
    let list: NameServers = " ns1:9876 ;; ns2:9876;ns1:9876 ; ".parse().unwrap();
    assert_eq!(list.to_string(), "ns1:9876;ns2:9876");
    assert_eq!(list.len(), 2);
    assert!(!list.is_empty());
    assert_eq!(list.to_string().parse(), Ok(list.clone()));
    assert_eq!(list.iter().count(), list.as_slice().len());
    assert_eq!(format!("{list:?}"), "[ns1:9876, ns2:9876]");
}

#[test]
fn name_servers_take_what_follows_the_last_slash_of_an_http_item() {
    let list: NameServers = "http://MQ_INST_1_a.example:80;http://x/y/ns:1;ns:2".parse().unwrap();
    assert_eq!(list.to_string(), "MQ_INST_1_a.example:80;ns:1;ns:2");
    assert!("http://".parse::<NameServers>().is_err());
    assert!("http://ns:1/".parse::<NameServers>().is_err());
}

#[test]
fn an_empty_list_is_an_error_and_none_is_not() {
    for text in ["", ";", " ; ; "] {
        assert_eq!(text.parse::<NameServers>(), Err(NameServersError::Empty));
    }
    assert_eq!(NameServers::from_endpoints([]), Err(NameServersError::Empty));
    assert!(NameServers::none().is_empty());
    assert_eq!(NameServers::none().len(), 0);
}

#[test]
fn a_bad_item_is_named() {
    let error = "ns1:9876; ns2 ;ns3:1".parse::<NameServers>().unwrap_err();
    let source = EndpointError::MissingPort { text: text_of("ns2") };
    assert_eq!(error, NameServersError::BadItem { item: text_of("ns2"), source });
    assert!(error.to_string().contains("\"ns2\""));
}

#[test]
#[cfg_attr(miri, ignore = "too many steps for an interpreter")]
fn a_list_holds_64_different_name_servers() {
    let texts: Vec<_> = (1..=65).map(|port| format!("ns:{port}")).collect();
    assert_eq!(texts[..64].join(";").parse::<NameServers>().unwrap().len(), 64);
    assert_eq!(texts.join(";").parse::<NameServers>(), Err(NameServersError::TooMany));
    // Duplicates do not count.
    let repeated = format!("{};ns:1;ns:2", texts[..64].join(";"));
    assert_eq!(repeated.parse::<NameServers>().unwrap().len(), 64);
}

#[test]
fn one_endpoint_is_a_list() {
    let list = NameServers::from(endpoint("ns:1").unwrap());
    assert_eq!(list, NameServers::try_from("ns:1").unwrap());
    assert_eq!((&list).into_iter().count(), 1);
}
