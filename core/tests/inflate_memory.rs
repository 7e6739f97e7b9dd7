//! What a compressed body takes of memory while it is inflated: never more than its cap and the decoder itself, however
//! much it would have become.
#![cfg(feature = "zlib")]

use std::alloc::System;

use bytes::Bytes;
use miniz_oxide::deflate::compress_to_vec_zlib;
use rocketmq_core::message::{Message, MessageExt};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// The decoder with its tables.
const DECODER: usize = 32 * 1024;
const MIB: usize = 1024 * 1024;

fn stored(body: Vec<u8>) -> MessageExt {
    MessageExt {
        message: Message::new("T".parse().unwrap(), Bytes::from(body)),
        queue_id: 0,
        queue_offset: 0,
        commit_log_offset: 0,
        system_flag: 1,
        born_timestamp: 0,
        born_host: ([127, 0, 0, 1], 1).into(),
        store_timestamp: 0,
        store_host: ([127, 0, 0, 1], 2).into(),
        reconsume_times: 0,
        prepared_transaction_offset: 0,
    }
}

/// Bytes that were taken in all, and bytes that are kept.
fn taken_and_kept(message: &mut MessageExt, most: usize) -> (usize, usize) {
    let region = Region::new(ALLOCATOR);
    message.inflate(most);
    let change = region.change();
    (change.bytes_allocated, change.bytes_allocated.saturating_sub(change.bytes_deallocated))
}

/// One test, as the allocator counts for the whole process.
#[test]
fn what_a_body_takes_follows_its_cap() {
    // A bomb: 64 KiB that would become 64 MiB.
    let bomb = compress_to_vec_zlib(&vec![0; 64 * MIB], 9);
    assert!(bomb.len() < 70_000, "{}", bomb.len());
    for most in [0, 1, 1_000, 4_096, 300_000] {
        let mut message = stored(bomb.clone());
        let (taken, kept) = taken_and_kept(&mut message, most);
        // Memory that grows by doubling is counted anew each time it moves.
        assert!(taken <= DECODER + 2 * most, "{taken} bytes for {most}");
        assert_eq!((kept, &message.message.body()[..]), (0, &bomb[..]));
    }
    // A body that says little, with much behind its end that nobody reads.
    let mut padded = compress_to_vec_zlib(b"little", 9);
    padded.resize(MIB, 0);
    let mut message = stored(padded);
    let (_, kept) = taken_and_kept(&mut message, 4 * MIB);
    assert_eq!(message.message.body(), &b"little"[..]);
    assert!(kept < 100, "{kept} bytes are kept");
}
