//! The raw floor: frames of the usual sizes, neither encoded nor decoded.

use crate::decode::Outcome;
use crate::encode::{Common, Encoder, Own};
use crate::encode_binary::BinaryEncoder;
use crate::encode_json::JsonEncoder;
use crate::options::{Load, RawOptions, Serialize};
use crate::report::Report;
use crate::sender::{Codec, Sender};
use crate::usage::Whose;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread::JoinHandle;

/// Where the frames here have the only thing that is looked at.
const OPAQUE_AT: usize = 8;
/// Whole answers of a broker to a send, with ids and offsets of usual lengths.
const JSON_ANSWER_BYTES: usize = 306;
const BINARY_ANSWER_BYTES: usize = 212;
const INBOX_BYTES: usize = 256 * 1024;

/// Sends to a thread of its own.
pub(crate) fn run(options: &RawOptions) -> io::Result<Report> {
    let RawOptions { load, window } = options;
    let answer_bytes = match load.serialize {
        Serialize::Json => JSON_ANSWER_BYTES,
        Serialize::Rocketmq => BINARY_ANSWER_BYTES,
    };
    let (address, receiver) = receiver(answer_bytes)?;
    let codec = RawCodec { frame: frame(load) };
    let phase = Sender::connect(address, codec, *window, load, Whose::Thread)?.run(load)?;
    receiver.join().map_err(|_| io::Error::other("the receiving thread panicked"))??;
    let variant = format!("raw {}/{}", window.batch(), window.in_flight);
    Report::new(variant, load, window, phase)
}

/// One request, as the codec floor would write it.
fn frame(load: &Load) -> Vec<u8> {
    let body = vec![b'x'; load.body];
    let common = Common { topic: &load.topic, broker_name: "broker-a", body: &body };
    let own = Own {
        opaque: 1_000_000,
        queue_id: 1,
        key: 1_000_000,
        born: *b"1700000000000",
        unique_id: *b"000000000000",
    };
    let mut frame = Vec::new();
    match load.serialize {
        Serialize::Json => JsonEncoder::new(&common).encode(&mut frame, &own),
        Serialize::Rocketmq => BinaryEncoder::new(&common).encode(&mut frame, &own),
    }
    frame
}

struct RawCodec {
    frame: Vec<u8>,
}

impl Codec for RawCodec {
    fn requests(&mut self, out: &mut Vec<u8>, first: u32, count: usize) {
        let bytes = self.frame.len() * count;
        while out.len() < bytes {
            out.extend_from_slice(&self.frame);
        }
        out.truncate(bytes);
        for (index, frame) in out.chunks_exact_mut(self.frame.len()).enumerate() {
            let opaque = first.wrapping_add(index as u32).to_be_bytes();
            frame[OPAQUE_AT..OPAQUE_AT + 4].copy_from_slice(&opaque);
        }
    }

    fn answer(&mut self, frame: &[u8]) -> io::Result<Outcome> {
        Ok(Outcome { opaque: u32::from_be_bytes(opaque(frame)?), failure: None })
    }
}

fn opaque(frame: &[u8]) -> io::Result<[u8; 4]> {
    let bytes = frame.get(OPAQUE_AT..).and_then(<[u8]>::first_chunk);
    bytes.copied().ok_or_else(|| io::Error::new(ErrorKind::InvalidData, "a frame without opaque"))
}

/// A thread that answers each frame with `answer_bytes`, in one write per read, until the connection ends.
fn receiver(answer_bytes: usize) -> io::Result<(SocketAddr, JoinHandle<io::Result<()>>)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    let thread = std::thread::spawn(move || receive(listener.accept()?.0, answer_bytes));
    Ok((address, thread))
}

fn receive(mut stream: TcpStream, answer_bytes: usize) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut answer = vec![b'x'; answer_bytes];
    answer[..4].copy_from_slice(&(answer_bytes as u32 - 4).to_be_bytes());
    let mut inbox = vec![0; INBOX_BYTES];
    let mut answers = Vec::new();
    let mut filled = 0;
    loop {
        filled += match stream.read(&mut inbox[filled..])? {
            0 => return Ok(()),
            bytes => bytes,
        };
        let mut count = 0;
        let mut taken = 0;
        while let Some(frame) = whole_frame(&inbox[taken..filled]) {
            if answers.len() == count * answer_bytes {
                answers.extend_from_slice(&answer);
            }
            let at = count * answer_bytes + OPAQUE_AT;
            answers[at..at + 4].copy_from_slice(&opaque(frame)?);
            count += 1;
            taken += frame.len();
        }
        let needed = inbox[taken..filled].first_chunk().map_or(0, |length| 4 + u32::from_be_bytes(*length));
        inbox.copy_within(taken..filled, 0);
        filled -= taken;
        if needed as usize > inbox.len() {
            inbox.resize(needed as usize, 0);
        }
        stream.write_all(&answers[..count * answer_bytes])?;
    }
}

fn whole_frame(bytes: &[u8]) -> Option<&[u8]> {
    let length = bytes.first_chunk::<4>()?;
    bytes.get(..4 + u32::from_be_bytes(*length) as usize)
}
