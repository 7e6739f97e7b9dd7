//! Faults of connections.

use std::time::Duration;

use super::super::{FaultKind, FaultStep};
use super::Run;
use crate::cluster::{Frame, SerializeType, ServerId};
use crate::world::{Connects, PipeId, World};

/// What other protocols say first.
const FOREIGN: [&[u8]; 6] = [
    b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x15\x03\x03\x00\x02\x02\x28",
    b"SSH-2.0-OpenSSH_9.6\r\n",
    b"-ERR unknown command\r\n",
    b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64",
];

/// Frames whose first word is no length of a frame.
const BAD_LENGTHS: [u32; 10] =
    [0, 1, 2, 3, 0x0100_0001, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 0x0100_0000, 0xFFFF_FFFC];

/// Second words that are no serialize type with a header length, in a frame of 12 bytes.
const BAD_HEADER_WORDS: [u32; 7] = [0, 9, 0x0200_0004, 0xFF00_0004, 0x00FF_FFFF, 0x0100_0000, 0x0100_0003];

/// Request codes that servers send: transaction check, consumers changed, offsets reset, running info, consume, reply.
const INBOUND: [i32; 9] = [39, 40, 220, 307, 309, 326, 0, 9_999, -1];

impl Run<'_> {
    pub(super) fn connection_fault(&mut self, fault: &FaultStep) -> bool {
        let world = &mut self.world;
        match fault.kind {
            FaultKind::RefusedConnects => self.connects(fault, Connects::Refused),
            FaultKind::HangingConnects => self.connects(fault, Connects::Hanging),
            FaultKind::UnresolvedAddress => self.connects(fault, Connects::Unresolved),
            FaultKind::LateConnects => self.connects(fault, Connects::Late(1_000 * (1 + fault.draw % 5_000))),
            FaultKind::NeverReads if fault.draw.is_multiple_of(4) => {
                let micros = u64::try_from(fault.time.as_micros()).unwrap_or(u64::MAX / 16);
                self.connects(fault, Connects::Unread(60_000_000 + micros * 5))
            }
            FaultKind::OneWayLoss if fault.draw % 4 >= 2 => {
                let server = self.server(fault.which);
                self.world.lose_all_one_way(server, fault.draw.is_multiple_of(2), fault.time);
                true
            }
            FaultKind::ForeignProtocol if fault.draw.is_multiple_of(2) => {
                self.connects(fault, Connects::Foreign(FOREIGN[(fault.draw / 2) as usize % FOREIGN.len()]))
            }
            FaultKind::Swizzle => swizzle(world, fault),
            _ => {
                let pipes = world.pipes();
                if pipes.is_empty() {
                    return false;
                }
                let pipe = pipes[fault.which as usize % pipes.len()];
                one_connection(world, pipe, fault);
                true
            }
        }
    }

    /// A rule for new connections to one server, with the end of those there are, so that there will be new ones.
    fn connects(&mut self, fault: &FaultStep, rule: Connects) -> bool {
        let server = self.server(fault.which);
        self.world.connects(server, rule);
        if fault.draw.is_multiple_of(3) {
            reset_all(&mut self.world, server);
        }
        if fault.draw.is_multiple_of(5) {
            self.world.later(fault.time, move |world| world.connects(server, Connects::Ordinary));
        }
        true
    }
}

fn one_connection(world: &mut World, pipe: PipeId, fault: &FaultStep) {
    let draw = fault.draw as usize;
    match fault.kind {
        FaultKind::CutUp => world.cut_up(pipe, draw % 700),
        FaultKind::CutDown => world.cut_down(pipe, draw % 700),
        FaultKind::EndDown => world.end_down_after(pipe, draw % 700),
        FaultKind::Stall => world.stall(pipe, fault.time),
        FaultKind::NeverReads => world.stall(pipe, Duration::from_secs(60) + fault.time * 5),
        FaultKind::HalfOpen => world.half_open(pipe),
        FaultKind::OneWayLoss => world.lose_one_way(pipe, draw.is_multiple_of(2)),
        FaultKind::SlowLink => world.slow_link(pipe, 1 + draw % 20),
        FaultKind::BadLength => {
            let length = BAD_LENGTHS[draw % BAD_LENGTHS.len()];
            world.inject(pipe, &[length.to_be_bytes(), [0; 4]].concat());
        }
        FaultKind::BadHeaderWord => {
            let word = BAD_HEADER_WORDS[draw % BAD_HEADER_WORDS.len()];
            world.inject(pipe, &[12_u32.to_be_bytes(), word.to_be_bytes(), *b"{\"a\"", *b":1} "].concat());
        }
        FaultKind::ForeignProtocol => world.inject(pipe, FOREIGN[draw % FOREIGN.len()]),
        FaultKind::InboundRequests => {
            for number in 0..1 + draw % 3 {
                world.inject(pipe, &inbound(draw + number));
            }
        }
        _ => world.reset(pipe),
    }
}

/// A request of a server: with or without fields, in either form, one-way or not.
fn inbound(draw: usize) -> Vec<u8> {
    let code = INBOUND[draw % INBOUND.len()];
    let fields: &[(&str, &str)] = match draw / 9 % 4 {
        0 => &[],
        1 => &[("consumerGroup", "orders-consumers"), ("producerGroup", "first"), ("topic", "orders")],
        2 => &[("consumerGroup", ""), ("tranStateTableOffset", "x"), ("commitLogOffset", "-")],
        _ => &[("", "\u{0}\u{1b}[2J"), ("consumerGroup", "\n\r\t%s${jndi:ldap}")],
    };
    let mut frame = Frame::request(code, draw as i32 * 77, fields);
    if draw / 36 % 2 == 1 {
        frame.serialize_type = SerializeType::RocketMq;
    }
    if draw / 72 % 2 == 1 {
        frame.flag = 2;
    }
    if draw / 144 % 4 == 3 {
        frame.body = vec![b'b'; 500].into();
    }
    frame.encode()
}

/// Some connections are clogged one by one, and freed in another order.
fn swizzle(world: &mut World, fault: &FaultStep) -> bool {
    let pipes: Vec<PipeId> = world
        .pipes()
        .into_iter()
        .enumerate()
        .filter(|(at, _)| fault.which >> (at % 16) & 1 == 1)
        .map(|(_, id)| id)
        .collect();
    let count = pipes.len() as u64;
    for (number, pipe) in pipes.into_iter().enumerate() {
        let number = number as u64;
        let step = fault.time / (2 * count as u32 + 1);
        let starts = step * number as u32;
        // Another order for each drawing; the last one is freed at the end of the time.
        let place = (number * (1 + 2 * (fault.draw % 4)) + fault.draw) % count;
        let ends = fault.time / 2 + step * (place as u32 + 1);
        world.later(starts, move |world| world.clog(pipe, ends.saturating_sub(starts)));
    }
    count > 0
}

/// Ends all connections to a server.
fn reset_all(world: &mut World, server: ServerId) {
    let to_it = |id: &PipeId| world.server_of(*id) == Some(server);
    let ended: Vec<PipeId> = world.pipes().into_iter().filter(to_it).collect();
    ended.into_iter().for_each(|pipe| world.reset(pipe));
}
