//! The codec floor: real requests, real answers, nothing else.

use crate::decode::{Answer, Outcome};
use crate::encode::{Common, Encoder, Numbering};
use crate::encode_binary::BinaryEncoder;
use crate::encode_json::JsonEncoder;
use crate::options::{CodecOptions, Load, PingPongOptions, Serialize, Target, Window};
use crate::report::Report;
use crate::sender::{Codec, Phase, Sender};
use crate::usage::Whose;
use std::io::{self, ErrorKind};
use std::time::{SystemTime, UNIX_EPOCH};

/// Sends in batches.
pub(crate) fn run(options: &CodecOptions) -> io::Result<Report> {
    let variant = format!("codec {}/{}", options.window.batch(), options.window.in_flight);
    measure(variant, &options.target, &options.load, options.window)
}

/// Sends one by one.
pub(crate) fn ping_pong(options: &PingPongOptions) -> io::Result<Report> {
    measure("ping-pong".into(), &options.target, &options.load, Window::ONE)
}

fn measure(variant: String, target: &Target, load: &Load, window: Window) -> io::Result<Report> {
    let phase = match load.serialize {
        Serialize::Json => send::<JsonEncoder>(target, load, window)?,
        Serialize::Rocketmq => send::<BinaryEncoder>(target, load, window)?,
    };
    Report::new(variant, load, &window, phase)
}

fn send<E: Encoder>(target: &Target, load: &Load, window: Window) -> io::Result<Phase> {
    let body = vec![b'x'; load.body];
    let common = Common { topic: &load.topic, broker_name: &target.broker_name, body: &body };
    let numbering = Numbering::new(target.queues, now_millis());
    let codec = RealCodec { numbering, encoder: E::new(&common) };
    Sender::connect(target.to, codec, window, load, Whose::Process)?.run(load)
}

struct RealCodec<E> {
    numbering: Numbering,
    encoder: E,
}

impl<E: Encoder> Codec for RealCodec<E> {
    fn requests(&mut self, out: &mut Vec<u8>, first: u32, count: usize) {
        out.clear();
        self.numbering.set_time(now_millis());
        for index in 0..count as u32 {
            let own = self.numbering.next(first.wrapping_add(index));
            self.encoder.encode(out, &own);
        }
    }

    fn answer(&mut self, frame: &[u8]) -> io::Result<Outcome> {
        let answer = Answer::read(frame).ok_or_else(|| {
            let start = String::from_utf8_lossy(&frame[..frame.len().min(400)]).into_owned();
            io::Error::new(ErrorKind::InvalidData, format!("an answer that cannot be read: {start:?}"))
        })?;
        // Nobody takes the receipt here, and it must be made nevertheless.
        std::hint::black_box((answer.queue_id, answer.queue_offset, answer.message_id));
        answer.outcome()
    }
}

fn now_millis() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64
}
