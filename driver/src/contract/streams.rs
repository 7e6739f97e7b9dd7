//! Cases for the streams and the timer of a runtime, without a client.

#![allow(clippy::missing_panics_doc, clippy::unwrap_used, clippy::expect_used)]

use super::{Harness, Server};
use crate::runtime::{Runtime, Stream, close_reason};
use rocketmq_core::ground::endpoint::Endpoint;
use rocketmq_core::interface::CloseReason;
use std::future::{Future, poll_fn};
use std::io::{self, IoSlice, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener, ToSocketAddrs};
use std::sync::mpsc;
use std::task::Poll;
use std::time::{Duration, Instant};

type StreamOf<H> = <<H as Harness>::Runtime as Runtime>::Stream;

async fn connect<H: Harness>(harness: &H, server: &Server) -> StreamOf<H> {
    let to = Endpoint::try_from(server.address()).unwrap();
    harness.runtime().connect(&to).await.expect("the server listens")
}

async fn read(stream: &mut impl Stream, into: &mut [u8]) -> io::Result<usize> {
    poll_fn(|cx| stream.poll_read(cx, into)).await
}

/// Nobody listens: the connect ends with an error that says so.
pub fn a_refused_connect_says_so<H: Harness>(harness: &H) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let to = Endpoint::try_from(listener.local_addr().unwrap()).unwrap();
    drop(listener);
    let error = harness.block_on(async { harness.runtime().connect(&to).await.err() });
    assert_eq!(error.map(|error| close_reason(&error)), Some(CloseReason::Refused));
}

/// A host that cannot exist: the connect ends with an error that says so. The label is too long for any
/// resolver to ask the network about it.
pub fn an_unknown_host_says_so<H: Harness>(harness: &H) {
    let to = Endpoint::new(&format!("{}.invalid", "x".repeat(64)), 9876).unwrap();
    let error = harness.block_on(async { harness.runtime().connect(&to).await.err() });
    assert_eq!(error.map(|error| close_reason(&error)), Some(CloseReason::Unresolved));
}

/// Every address of a host is tried: `localhost` has one of each family, as a rule, and a server listens at one of them.
pub fn every_address_of_a_host_is_tried<H: Harness>(harness: &H) {
    for ip in [IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)] {
        // Not every machine has IPv6, and not every one gives it a name.
        let Ok(listener) = TcpListener::bind((ip, 0)) else {
            continue;
        };
        let address = listener.local_addr().unwrap();
        let named = ("localhost", address.port()).to_socket_addrs().unwrap().any(|known| known == address);
        let host = named.then(|| Endpoint::new("localhost", address.port()).unwrap());
        for to in host.into_iter().chain([Endpoint::try_from(address).unwrap()]) {
            let stream = harness.block_on(async { harness.runtime().connect(&to).await });
            assert!(stream.is_ok(), "{to}: {:?}", stream.err());
        }
    }
}

/// More than the kernel's buffers hold is written to a server that does not read until it is told to:
/// writes are partial and then wait, and nothing is lost, doubled or reordered.
pub fn a_stream_keeps_every_byte_in_order_through_small_buffers<H: Harness>(harness: &H) {
    const TOTAL: usize = 24 * 1024 * 1024;
    let (go, gone) = mpsc::channel();
    let (result, outcome) = mpsc::channel();
    let gone = std::sync::Mutex::new(gone);
    let server = Server::start(move |_, mut stream| {
        let _ = gone.lock().unwrap().recv();
        let mut all = Vec::new();
        drop(stream.read_to_end(&mut all));
        drop(result.send(all));
    })
    .unwrap();
    let bytes: Vec<u8> = (0..TOTAL).map(|at| (at % 251) as u8).collect();
    let mut waited = 0_u32;
    harness.block_on(async {
        let mut stream = connect(harness, &server).await;
        let mut at = 0;
        while at < TOTAL {
            let rest = &bytes[at..];
            let (a, b) = rest.split_at(rest.len().min(70_001));
            let slices = [IoSlice::new(a), IoSlice::new(&b[..b.len().min(1_000_003)])];
            at += poll_fn(|cx| {
                let polled = stream.poll_write_vectored(cx, &slices);
                if polled.is_pending() {
                    waited += 1;
                    let _ = go.send(());
                }
                polled
            })
            .await
            .unwrap();
        }
    });
    let all = outcome.recv().unwrap();
    assert!(waited > 0, "{TOTAL} bytes never filled the buffers: the case shows nothing");
    assert_eq!(all.len(), TOTAL);
    assert!(all == bytes, "the bytes were not kept");
}

/// The peer closes: reads end with 0.
pub fn a_closed_stream_ends<H: Harness>(harness: &H) {
    let server = Server::start(|_, mut stream| drop(stream.write_all(b"bye"))).unwrap();
    let got = harness.block_on(async {
        let mut stream = connect(harness, &server).await;
        let (mut all, mut buffer) = (Vec::new(), [0; 16]);
        loop {
            match read(&mut stream, &mut buffer).await.unwrap() {
                0 => return all,
                count => all.extend_from_slice(&buffer[..count]),
            }
        }
    });
    assert_eq!(got, b"bye");
}

/// The peer resets: reads fail with an error that says so.
pub fn a_reset_stream_fails<H: Harness>(harness: &H) {
    // Unread bytes turn a close into a reset.
    let server = Server::start(|_, stream| drop(stream.peek(&mut [0]))).unwrap();
    let error = harness.block_on(async {
        let mut stream = connect(harness, &server).await;
        let count = poll_fn(|cx| stream.poll_write_vectored(cx, &[IoSlice::new(b"unread")])).await.unwrap();
        assert_eq!(count, 6);
        read(&mut stream, &mut [0; 16]).await.err()
    });
    assert_eq!(error.map(|error| close_reason(&error)), Some(CloseReason::Reset));
}

/// Each byte comes alone, the next one only after it was read.
pub fn bytes_come_one_by_one<H: Harness>(harness: &H) {
    let server = Server::start(|_, mut stream| {
        for byte in 0..100_u8 {
            let sent = stream.write_all(&[byte]);
            if sent.is_err() || stream.read_exact(&mut [0]).is_err() {
                return;
            }
        }
    })
    .unwrap();
    harness.block_on(async {
        let mut stream = connect(harness, &server).await;
        for byte in 0..100_u8 {
            let mut buffer = [255; 16];
            assert_eq!(read(&mut stream, &mut buffer).await.unwrap(), 1);
            assert_eq!(buffer[0], byte);
            let count = poll_fn(|cx| stream.poll_write_vectored(cx, &[IoSlice::new(b"!")])).await.unwrap();
            assert_eq!(count, 1);
        }
    });
}

/// A read with nothing to read waits, and its task is woken when something comes.
pub fn a_read_waits_and_is_woken<H: Harness>(harness: &H) {
    let (go, gone) = mpsc::channel();
    let gone = std::sync::Mutex::new(gone);
    let server = Server::start(move |_, mut stream| {
        let _ = gone.lock().unwrap().recv();
        drop(stream.write_all(b"x"));
    })
    .unwrap();
    let polls = harness.block_on(async {
        let mut stream = connect(harness, &server).await;
        let mut polls = 0;
        poll_fn(|cx| {
            polls += 1;
            let polled = stream.poll_read(cx, &mut [0; 4]);
            if polled.is_pending() {
                let _ = go.send(());
            }
            polled
        })
        .await
        .unwrap();
        polls
    });
    assert!(polls > 1, "nothing was there to be read");
}

/// A timer never fires early, and one whose time has passed fires at once.
pub fn a_sleep_ends_at_its_time_and_a_past_one_at_once<H: Harness>(harness: &H) {
    harness.block_on(async {
        let runtime = harness.runtime();
        let start: Instant = runtime.now();
        runtime.sleep_until(start).await;
        let at = start + Duration::from_millis(5);
        let mut sleep = Box::pin(runtime.sleep_until(at));
        let mut polls = 0;
        poll_fn(|cx| {
            polls += 1;
            if sleep.as_mut().poll(cx).is_ready() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        assert!(runtime.now() >= at, "the timer fired early");
    });
}
