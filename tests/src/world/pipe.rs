//! One connection between a client and a server: bytes on their way, and how far both ends are.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use rocketmq_core::client::ConnId;

use crate::cluster::{Dialect, FrameReader, ServerId};

/// How many of 1000 short writes are of one byte only.
pub(crate) const ONE_BYTE: u64 = 300;

/// A connection, from the connect to the moment when both ends know of its end.
pub(crate) struct Pipe {
    pub(crate) client: usize,
    pub(crate) conn: ConnId,
    /// None when no server of the cluster has this address.
    pub(crate) server: Option<ServerId>,
    pub(crate) address: String,
    /// It goes to the second port of a broker: this is the first one's address, as routes give it.
    pub(crate) second_of: Option<String>,
    /// The client was told that it is up.
    pub(crate) open: bool,
    /// The client has closed it or knows that it is gone.
    pub(crate) client_gone: bool,
    /// The server has closed it or knows that it is gone.
    pub(crate) server_gone: bool,
    /// Bytes vanish in both directions, and so does the news of an end.
    pub(crate) half_open: bool,
    /// The socket takes nothing before this time.
    pub(crate) stalled_until: u64,
    /// The connection is reset when so many more bytes have gone up.
    pub(crate) cut_up: Option<usize>,
    /// The connection is reset when so many more bytes have come down.
    pub(crate) cut_down: Option<usize>,
    /// The end after `cut_down` is one in order, and no reset.
    pub(crate) ends_in_order: bool,
    /// Nothing arrives before this time, in either direction.
    pub(crate) clogged_until: u64,
    /// What goes up, or what comes down, vanishes.
    pub(crate) lost_up: bool,
    pub(crate) lost_down: bool,
    /// Bytes that the socket takes in a millisecond; 0 for any number.
    pub(crate) bytes_per_ms: usize,
    /// Requests and answers so far, and when the last of each came.
    pub(crate) asked: u64,
    pub(crate) answered: u64,
    pub(crate) asked_at: u64,
    pub(crate) heard_at: u64,
    /// The upper half of the first request number.
    pub(crate) first_life: Option<u16>,
    /// The connect was put off once.
    pub(crate) put_off: bool,
    /// Bytes that the socket took and the driver has not reported.
    pub(crate) unreported: usize,
    /// Those bytes, if the world records.
    pub(crate) taken: Vec<u8>,
    /// What the last write did not take, or the beginning of it.
    pub(crate) left_over: Vec<u8>,
    pub(crate) write_planned: bool,
    pub(crate) read_planned: bool,
    /// When the last bytes on their way arrive, up and down.
    pub(crate) last_up: u64,
    pub(crate) last_down: u64,
    /// Arrived at the client and not read.
    pub(crate) arrived: Vec<u8>,
    /// Reads what the client writes, by the servers' own codec.
    pub(crate) up: FrameReader,
    /// Reads what the server says, before it is tampered with.
    pub(crate) spoken: FrameReader,
    /// Reads what the client has read.
    pub(crate) down: FrameReader,
    /// The client has broken the stream of frames; nothing is read any more.
    pub(crate) frames: usize,
    /// Route queries without answer: opaque to topic, and when it was asked.
    pub(crate) queries: BTreeMap<i32, (String, u64)>,
    /// When the last heartbeat went up, or when the connection came up, or when none was due for the last time.
    pub(crate) last_heartbeat: u64,
    /// Since when the socket may not take everything at once, or the server hear it: heartbeats may be late.
    pub(crate) hindered_since: Option<u64>,
    /// The server asked to go away.
    pub(crate) told_to_go: bool,
}

impl Pipe {
    pub(crate) fn new(client: usize, conn: ConnId, server: Option<ServerId>, address: String) -> Pipe {
        // The older reader looks at no connection as a whole, so it fits the middle of a stream, too.
        let reader = || FrameReader::new(Dialect::V4_9_7);
        Pipe {
            client,
            conn,
            server,
            address,
            second_of: None,
            open: false,
            client_gone: false,
            server_gone: false,
            half_open: false,
            stalled_until: 0,
            cut_up: None,
            cut_down: None,
            ends_in_order: false,
            clogged_until: 0,
            lost_up: false,
            lost_down: false,
            bytes_per_ms: 0,
            asked: 0,
            answered: 0,
            asked_at: 0,
            heard_at: 0,
            first_life: None,
            put_off: false,
            unreported: 0,
            taken: Vec::new(),
            left_over: Vec::new(),
            write_planned: false,
            read_planned: false,
            last_up: 0,
            last_down: 0,
            arrived: Vec::new(),
            up: reader(),
            spoken: reader(),
            down: reader(),
            frames: 0,
            queries: BTreeMap::new(),
            last_heartbeat: 0,
            hindered_since: None,
            told_to_go: false,
        }
    }

    /// A broker listens on the port two below its own, too.
    pub(crate) fn take_second_port(&mut self, server_at: impl Fn(SocketAddr) -> Option<ServerId>) {
        let Ok(mut first) = self.address.parse::<SocketAddr>() else { return };
        first.set_port(first.port().saturating_add(2));
        if let Some(broker @ ServerId::Broker(_)) = server_at(first) {
            (self.server, self.second_of) = (Some(broker), Some(first.to_string()));
        }
    }

    /// The address that a route gives for what is at the other end.
    pub(crate) fn route_address(&self) -> &str {
        self.second_of.as_deref().unwrap_or(&self.address)
    }

    pub(crate) fn is_live(&self) -> bool {
        self.open && !self.client_gone
    }

    /// Whether what goes over it are frames, and not HTTP.
    pub(crate) fn has_frames(&self) -> bool {
        self.server != Some(ServerId::Discovery)
    }

    /// A name for stories.
    pub(crate) fn peer(&self) -> String {
        match self.server {
            Some(ServerId::NameServer(index)) => format!("name server {index}"),
            Some(ServerId::Broker(index)) => match u8::try_from(index) {
                Ok(small) if small < 26 => format!("broker-{}", char::from(b'a' + small)),
                _ => format!("broker-{index}"),
            },
            Some(ServerId::Discovery) => "discovery".to_owned(),
            None => self.address.clone(),
        }
    }
}
