use super::{HttpAnswer, HttpError, HttpLimits};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use proptest::prelude::*;

const LIMITS: HttpLimits = HttpLimits { head: 200, body: 64 };

/// What an answer is, given in one piece and then ended.
fn read(text: &str) -> Result<(u16, String), HttpError> {
    let mut answer = HttpAnswer::new(LIMITS);
    answer.feed(text.as_bytes())?;
    let (status, body) = answer.finish()?;
    Ok((status, String::from_utf8(body.to_vec()).unwrap()))
}

fn ok(body: &str) -> Result<(u16, String), HttpError> {
    Ok((200, body.into()))
}

#[test]
fn a_body_ends_with_its_length_its_last_chunk_or_the_connection() {
    assert_eq!(read("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na:1 and more"), ok("a:1"));
    assert_eq!(read("HTTP/1.1 200 OK\r\ncontent-length:3\r\nContent-Length: 3\r\n\r\na:1"), ok("a:1"));
    let chunks =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n2;x=y\r\na:\r\n1 \r\n1\r\n0\r\nT: x\r\n\r\n";
    assert_eq!(read(chunks), ok("a:1"));
    assert_eq!(read("HTTP/1.0 200\r\n\r\na:1;b:2"), ok("a:1;b:2"));
    // Lines may end without a carriage return.
    assert_eq!(read("HTTP/1.1 200 OK\nContent-Length: 0\n\n"), ok(""));
    assert_eq!(read("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"), ok("x"));
    assert_eq!(read("HTTP/1.1 200 OK\r\nContent-Encoding: identity\r\n\r\nx"), ok("x"));
}

#[test]
fn another_status_is_complete_with_its_headers() {
    for (line, status) in [("HTTP/1.1 500 Oops", 500), ("HTTP/1.1 302 Found", 302), ("HTTP/1.0 204", 204)] {
        let mut answer = HttpAnswer::new(LIMITS);
        let text = format!("{line}\r\nContent-Length: 99999\r\nLocation: http://elsewhere/\r\n\r\n");
        assert_eq!(answer.feed(text.as_bytes()), Ok(true));
        assert_eq!(answer.finish(), Ok((status, &b""[..])));
    }
}

#[test]
fn what_is_no_answer_is_refused() {
    use HttpError as E;
    for (text, error) in [
        ("SSH-2.0-OpenSSH\r\n", E::NotHttp),
        ("\0\0\0\x10", E::NotHttp),
        ("HTTP/2 200\r\n", E::NotHttp),
        ("HTTP/1.x 200 OK\r\n", E::NotHttp),
        ("HTTP/1.1 20 OK\r\n", E::NotHttp),
        ("HTTP/1.1 2000\r\n", E::NotHttp),
        ("HTTP/1.1 099 x\r\n", E::NotHttp),
        ("HTTP/1.1 200 OK\r\nno colon\r\n", E::BadHeader),
        ("HTTP/1.1 200 OK\r\n: x\r\n", E::BadHeader),
        ("HTTP/1.1 200 OK\r\nContent-Length : 3\r\n", E::BadHeader),
        ("HTTP/1.1 200 OK\r\n folded: x\r\n", E::BadHeader),
        ("HTTP/1.1 200 OK\r\nA: x\ry\r\n", E::BadHeader),
        ("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n", E::BadLength),
        ("HTTP/1.1 200 OK\r\nContent-Length: +1\r\n", E::BadLength),
        ("HTTP/1.1 200 OK\r\nContent-Length:\r\n", E::BadLength),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n", E::BadLength),
        ("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n", E::BadLength),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n", E::BadLength),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", E::BadLength),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n", E::UnknownCoding),
        ("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n", E::UnknownCoding),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", E::BadChunk),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n", E::BadChunk),
        ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na:", E::CutOff),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n", E::CutOff),
        ("HTTP/1.1 200 OK\r\n", E::CutOff),
        ("", E::CutOff),
    ] {
        assert_eq!(read(text), Err(error), "{text:?}");
    }
}

#[test]
fn every_size_has_its_limit() {
    let long = "x".repeat(65);
    let (head, body) = (HttpError::HeadTooLong(200), HttpError::BodyTooLong(64));
    assert_eq!(read(&format!("HTTP/1.1 200 {}", "x".repeat(200))), Err(head.clone()));
    assert_eq!(read(&format!("HTTP/1.1 200 OK\r\nA: {}\r\n", "x".repeat(200))), Err(head.clone()));
    assert_eq!(
        read(&format!("HTTP/1.1 100 Continue\r\n\r\n{}", "HTTP/1.1 100\r\n\r\n".repeat(20))),
        Err(head.clone())
    );
    assert_eq!(read("HTTP/1.1 200 OK\r\nContent-Length: 65\r\n\r\n"), Err(body.clone()));
    assert_eq!(read(&format!("HTTP/1.1 200 OK\r\n\r\n{long}")), Err(body.clone()));
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert_eq!(read(&format!("{chunked}41\r\n")), Err(body.clone()));
    assert_eq!(read(&format!("{chunked}40\r\n{}\r\n1\r\n", &long[1..])), Err(body));
    assert_eq!(read(&format!("{chunked}{}", "1\r\nx\r\n".repeat(60))), Err(head));
}

#[test]
fn an_error_stays_and_lets_the_memory_go() {
    let mut answer = HttpAnswer::new(LIMITS);
    assert!(!answer.has_begun());
    assert_eq!(answer.feed(b"HTTP/1.1 200 OK\r\n\r\nxxx"), Ok(false));
    assert_eq!((answer.has_begun(), answer.held()), (true, 3));
    assert_eq!(answer.feed(&[b'x'; 62]), Err(HttpError::BodyTooLong(64)));
    assert_eq!((answer.feed(b""), answer.held()), (Err(HttpError::BodyTooLong(64)), 0));
    assert_eq!(answer.finish(), Err(HttpError::BodyTooLong(64)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 2 } else { 256 }))]

    #[test]
    fn any_body_comes_back_however_it_is_framed_and_cut(
        body in prop::collection::vec(any::<u8>(), 0..=64),
        framing in 0..3_u8,
        chunk in 8..=64_usize,
        piece in 1..=300_usize,
    ) {
        let mut text = Vec::from(&b"HTTP/1.1 200 OK\r\nServer: s\r\n"[..]);
        match framing {
            0 => text.extend_from_slice(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes()),
            1 => text.extend_from_slice(b"\r\n"),
            _ => text.extend_from_slice(b"transfer-encoding: chunked\r\n\r\n"),
        }
        if framing < 2 {
            text.extend_from_slice(&body);
        } else {
            for part in body.chunks(chunk) {
                text.extend_from_slice(format!("{:X}\r\n", part.len()).as_bytes());
                text.extend_from_slice(part);
                text.extend_from_slice(b"\r\n");
            }
            text.extend_from_slice(b"0\r\n\r\n");
        }
        let mut answer = HttpAnswer::new(LIMITS);
        let mut done = false;
        for piece in text.chunks(piece) {
            prop_assert!(!done);
            done = answer.feed(piece).unwrap();
        }
        prop_assert_eq!(done, framing != 1);
        prop_assert_eq!(answer.finish(), Ok((200, &body[..])));
    }
}
