//! Mutants that break what goes over a connection.

use bytes::Bytes;
use rocketmq_core::client::ConnId;

use super::ledger::property;
use super::message_trace::is_trace_frame;
use super::mutant::{BEGIN_US, Mutant};
use super::{PipeId, World};
use crate::cluster::{Dialect, Frame, FrameReader};

const SEND: i32 = 310;
const HEARTBEAT: i32 = 34;
const END_TRANSACTION: i32 = 37;
const CHECK: i32 = 39;
/// A request that brokers do not know, and say so.
const UNKNOWN_REQUEST: i32 = 9_999;

/// Cuts a stream into the bytes of its frames.
#[derive(Debug, Default)]
pub(super) struct FrameCutter {
    rest: Vec<u8>,
    cut: u64,
}

impl FrameCutter {
    /// The frames that are whole now, each with its number.
    fn push(&mut self, bytes: &[u8]) -> Vec<(u64, Vec<u8>)> {
        self.rest.extend_from_slice(bytes);
        let mut frames = Vec::new();
        while let Some((length, _)) = self.rest.split_first_chunk::<4>() {
            let whole = (u32::from_be_bytes(*length) as usize).saturating_add(4);
            if self.rest.len() < whole {
                break;
            }
            let rest = self.rest.split_off(whole);
            frames.push((self.cut, std::mem::replace(&mut self.rest, rest)));
            self.cut += 1;
        }
        frames
    }
}

/// Bytes with something instead of something else of the same length.
fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let all = bytes.windows(from.len()).enumerate();
    let places: Vec<usize> = all.filter(|(_, window)| *window == from).map(|(at, _)| at).collect();
    for at in places {
        bytes[at..at + from.len()].copy_from_slice(to);
    }
    bytes
}

/// Bytes from a broker in which no trace switch is off.
fn with_trace_on(bytes: &[u8]) -> Vec<u8> {
    // Anything but `false` is on.
    replaced(bytes, b"\"TRACE_ON\":\"false\"", b"\"TRACE_ON\":\"falsy\"")
}

fn read(bytes: &[u8]) -> Option<Frame> {
    let mut reader = FrameReader::new(Dialect::V4_9_7);
    reader.push(bytes);
    reader.next_frame().ok()?
}

fn set(frame: &mut Frame, name: &str, value: String) {
    let mut fields = frame.ext_fields.iter_mut().flatten();
    if let Some(field) = fields.find(|(key, _)| key == name) {
        field.1 = Some(value.into());
    }
}

impl World {
    /// What the server gets instead of bytes that a client wrote. Only whole frames come out.
    pub(super) fn mutate_up(&mut self, id: PipeId, bytes: Vec<u8>) -> Vec<u8> {
        let Some(mutation) = &mut self.mutation else {
            return bytes;
        };
        let breaks_wire = matches!(
            mutation.mutant,
            Mutant::WritesTwice
                | Mutant::ForgetsHeartbeats
                | Mutant::ForgetsGreeting
                | Mutant::RewritesQueue
                | Mutant::CorruptsFrames
                | Mutant::LosesBodies
                | Mutant::ReusesUniqueIds
                | Mutant::SwapsFrames
                | Mutant::LeavesItsQueue
                | Mutant::ChangesItsMind
                | Mutant::EndsTwice
                | Mutant::ForgetsNamespace
                | Mutant::LosesRecords
                | Mutant::RepeatsRecords
        );
        if !breaks_wire {
            return bytes;
        }
        let frames = mutation.up.entry(id).or_default().push(&bytes);
        let mut out = Vec::new();
        for (number, bytes) in frames {
            match read(&bytes) {
                Some(frame) if !frame.is_response() => self.mutate_frame(id, number, bytes, frame, &mut out),
                _ => out.extend_from_slice(&bytes),
            }
        }
        out
    }

    fn mutate_frame(&mut self, id: PipeId, number: u64, bytes: Vec<u8>, mut frame: Frame, out: &mut Vec<u8>) {
        let ordered = self.queue_of_ordered(&frame);
        let Some(mutation) = &mut self.mutation else { return };
        let is_trace = is_trace_frame(&frame);
        let is_send = frame.code == SEND && !is_trace;
        let (one_in_4, one_in_8) = (mutation.once_in(4), mutation.once_in(8));
        match mutation.mutant {
            Mutant::WritesTwice if is_send && one_in_4 => {
                out.extend_from_slice(&bytes);
                out.extend_from_slice(&bytes);
            }
            Mutant::ForgetsHeartbeats if frame.code == HEARTBEAT && number > 0 => {
                frame.code = UNKNOWN_REQUEST;
                frame.encode_into(out);
            }
            Mutant::ForgetsGreeting if frame.code == HEARTBEAT && number == 0 => {}
            Mutant::ForgetsNamespace if is_send && one_in_8 => {
                let group = frame.ext("a").unwrap_or_default();
                let bare = group.rsplit('%').next().unwrap_or_default().to_owned();
                set(&mut frame, "a", bare);
                frame.encode_into(out);
            }
            Mutant::RewritesQueue if is_send => {
                set(&mut frame, "e", "4711".to_owned());
                frame.encode_into(out);
            }
            Mutant::CorruptsFrames if one_in_4 && one_in_8 => {
                out.extend_from_slice(&[0xFF; 4]);
                out.extend_from_slice(&bytes[4..]);
            }
            Mutant::LosesBodies if is_send && one_in_8 => {
                frame.body = Bytes::new();
                frame.encode_into(out);
            }
            Mutant::ReusesUniqueIds if is_send => {
                self.reuse_id(&mut frame);
                frame.encode_into(out);
            }
            Mutant::SwapsFrames if ordered.is_some() && !frame.is_one_way() => {
                self.swap_frames(id, bytes, &frame, out);
            }
            Mutant::LeavesItsQueue if ordered.flatten().is_some() => {
                let queue: i32 = frame.ext("e").and_then(|text| text.parse().ok()).unwrap_or(0);
                set(&mut frame, "e", ((queue + 1) % 4).to_string());
                frame.encode_into(out);
            }
            Mutant::ChangesItsMind if frame.code == END_TRANSACTION && one_in_4 => {
                let other = if frame.ext("commitOrRollback") == Some("8") { "12" } else { "8" };
                set(&mut frame, "commitOrRollback", other.to_owned());
                frame.encode_into(out);
            }
            Mutant::EndsTwice if frame.code == END_TRANSACTION && one_in_4 => {
                out.extend_from_slice(&bytes);
                out.extend_from_slice(&bytes);
            }
            Mutant::LosesRecords if is_trace => {
                let end = frame.body.iter().position(|byte| *byte == 2).unwrap_or_default();
                frame.body = frame.body.slice(end + 1..);
                // Brokers of 5.x want some body.
                frame.body = if frame.body.is_empty() { Bytes::from_static(b"\x02") } else { frame.body };
                frame.encode_into(out);
            }
            Mutant::RepeatsRecords if is_trace && one_in_4 => {
                frame.body = [frame.body.clone(), frame.body].concat().into();
                frame.encode_into(out);
            }
            _ => out.extend_from_slice(&bytes),
        }
    }

    /// Whether a frame is of an ordered send, and whether its queue is settled.
    fn queue_of_ordered(&self, frame: &Frame) -> Option<Option<i32>> {
        let number = self.send_of_frame(frame)?;
        self.ledger.lane_of(number)?;
        Some(self.ledger.settled_queue(number))
    }

    fn send_of_frame(&self, frame: &Frame) -> Option<usize> {
        let keys = property(frame.ext("i")?, "KEYS")?;
        self.book.sends_of.get(keys.split(' ').next()?)?.last().copied()
    }

    fn reuse_id(&mut self, frame: &mut Frame) {
        let properties = frame.ext("i").unwrap_or_default().to_owned();
        let Some(own) = property(&properties, "UNIQ_KEY") else { return };
        let Some(mutation) = &mut self.mutation else { return };
        if let Some(last) = mutation.last_id.replace(own.to_owned()) {
            set(frame, "i", properties.replace(own, &last));
        }
    }

    /// Keeps a frame back until another one of its lane has passed.
    fn swap_frames(&mut self, id: PipeId, bytes: Vec<u8>, frame: &Frame, out: &mut Vec<u8>) {
        let lane = |frame: &Frame| {
            let number = self.send_of_frame(frame)?;
            Some((number, self.ledger.lane_of(number)?))
        };
        let of_frame = lane(frame);
        let kept = self.mutation.as_ref().and_then(|mutation| mutation.kept_back.get(&id));
        let of_kept = kept.and_then(|kept| read(kept)).and_then(|kept| lane(&kept));
        let swaps = matches!((of_frame, of_kept), (Some(mine), Some(other)) if mine.0 != other.0 && mine.1 == other.1);
        // What is kept back is encoded and not handed over.
        self.sockets_lag = true;
        let Some(mutation) = &mut self.mutation else { return };
        match mutation.kept_back.remove(&id) {
            Some(kept) if swaps => {
                out.extend_from_slice(&bytes);
                out.extend_from_slice(&kept);
            }
            Some(kept) => {
                out.extend_from_slice(&kept);
                mutation.kept_back.insert(id, bytes);
            }
            None => _ = mutation.kept_back.insert(id, bytes),
        }
    }

    /// The bytes that a client reads instead of these; none when they stay as they are.
    pub(super) fn mutate_received(
        &mut self,
        mutant: Mutant,
        client: usize,
        conn: ConnId,
        bytes: &[u8],
    ) -> Option<Vec<u8>> {
        let late = self.now_us >= BEGIN_US;
        Some(match mutant {
            Mutant::IgnoresTraceSwitch => with_trace_on(bytes),
            Mutant::WritesToReadOnly => replaced(bytes, b"\"perm\":4", b"\"perm\":6"),
            Mutant::WritesToSlaves => {
                replaced(bytes, br#"{"1":"10.0.1.99:10911"}"#, br#"{"0":"10.0.1.1:10911"} "#)
            }
            Mutant::KeepsOldRoutes if late => self.lose_routes(client, conn, bytes),
            Mutant::LosesChecks => self.lose_checks(client, conn, bytes),
            Mutant::MixesUpAnswers => self.mix_up(client, conn, bytes),
            _ => return None,
        })
    }

    /// Bytes in which an answer has the number of another request of the connection. Only whole frames come out.
    fn mix_up(&mut self, client: usize, conn: ConnId, bytes: &[u8]) -> Vec<u8> {
        let Some(mutation) = &mut self.mutation else {
            return bytes.to_vec();
        };
        let frames = mutation.down.entry((client, conn)).or_default().push(bytes);
        let mut out = Vec::new();
        for (_, bytes) in frames {
            let pipe = self.by_conn.get(&(client, conn)).copied();
            let other = read(&bytes).and_then(|frame| {
                let other = self.another_request(pipe?, frame.opaque?)?;
                Some(Frame { opaque: Some(other), ..frame })
            });
            match other {
                Some(other) => other.encode_into(&mut out),
                None => out.extend_from_slice(&bytes),
            }
        }
        out
    }

    /// Bytes without the checks of brokers. Only whole frames come out.
    fn lose_checks(&mut self, client: usize, conn: ConnId, bytes: &[u8]) -> Vec<u8> {
        self.lose_frames(client, conn, bytes, |frame| frame.code == CHECK && !frame.is_response())
    }

    /// Bytes without routes. Only whole frames come out.
    fn lose_routes(&mut self, client: usize, conn: ConnId, bytes: &[u8]) -> Vec<u8> {
        let is_route = |frame: &Frame| frame.body.windows(12).any(|window| window == b"\"queueDatas\"");
        self.lose_frames(client, conn, bytes, |frame| frame.is_response() && is_route(frame))
    }

    fn lose_frames(
        &mut self,
        client: usize,
        conn: ConnId,
        bytes: &[u8],
        is_lost: impl Fn(&Frame) -> bool,
    ) -> Vec<u8> {
        let Some(mutation) = &mut self.mutation else {
            return bytes.to_vec();
        };
        let frames = mutation.down.entry((client, conn)).or_default().push(bytes);
        let stays = |bytes: &[u8]| !read(bytes).is_some_and(|frame| is_lost(&frame));
        frames.into_iter().filter(|(_, bytes)| stays(bytes)).flat_map(|(_, bytes)| bytes).collect()
    }

    /// A send without answer on the same connection as this one.
    fn another_request(&self, pipe: PipeId, opaque: i32) -> Option<i32> {
        let mut requests = self.ledger.requests_on(pipe);
        requests.clone().find(|(own, _)| *own == opaque)?;
        let waits = |(other, send): &(i32, usize)| {
            *other != opaque
                && self.ledger.unanswered(pipe, *other).is_some()
                && self.sends[*send].verdict.is_none()
        };
        requests.find(waits).map(|(other, _)| other)
    }

    /// The bytes that a client hands out for a connection.
    pub(super) fn hand_out(&mut self, id: PipeId, client: usize, conn: ConnId) -> Vec<Bytes> {
        let mut chunks = Vec::new();
        self.clients[client].core.outbox(conn, &mut chunks);
        if self.mutation.is_some() {
            let ended = !self.by_conn.contains_key(&(client, conn));
            let seen_before = self.pipes.get(&id).is_some_and(|pipe| !pipe.left_over.is_empty());
            if self.is_mutant(Mutant::WritesAfterEnd) && ended {
                chunks.push(Bytes::from_static(&[0]));
            }
            if self.is_mutant(Mutant::ChangesHandedOver)
                && seen_before
                && let Some(chunk) = chunks.first_mut()
            {
                *chunk = chunk.iter().map(|byte| byte ^ 1).collect();
            }
        }
        chunks
    }
}
