//! The operations of sockets and servers.

use arbitrary::{Result, Unstructured};
use bytes::Bytes;
use rocketmq_core::client::{CloseReason, ConnId, OwnedInput};

use super::super::plain::Plain;
use super::ops::body;
use super::peer::{Peer, Request, State};
use super::{Attempt, Machine, servers};

impl Machine {
    pub(super) fn some_peer(
        &self,
        choices: &mut Unstructured<'_>,
        states: &[State],
    ) -> Result<Option<ConnId>> {
        let fitting = self.peers.iter().filter(|(_, peer)| states.contains(&peer.state));
        let fitting: Vec<ConnId> = fitting.map(|(conn, _)| *conn).collect();
        if fitting.is_empty() { Ok(None) } else { choices.choose(&fitting).copied().map(Some) }
    }

    pub(super) fn connect_done(&mut self, choices: &mut Unstructured<'_>) -> Result<()> {
        let Some(conn) = self.some_peer(choices, &[State::Connecting])? else {
            return Ok(());
        };
        if choices.ratio(3, 4)? {
            self.connected(conn);
        } else {
            const WHY: [CloseReason; 3] =
                [CloseReason::Refused, CloseReason::Unresolved, CloseReason::TimedOut];
            let why = *choices.choose(&WHY)?;
            self.gone(conn, why);
        }
        Ok(())
    }

    fn connected(&mut self, conn: ConnId) {
        self.peers.get_mut(&conn).unwrap().state = State::Open;
        self.give(OwnedInput::Connected { conn });
    }

    fn gone(&mut self, conn: ConnId, why: CloseReason) {
        self.peers.get_mut(&conn).unwrap().state = State::Gone;
        self.give(OwnedInput::Closed { conn, why });
    }

    pub(super) fn cut(&mut self, choices: &mut Unstructured<'_>) -> Result<()> {
        const WHY: [CloseReason; 3] = [CloseReason::Reset, CloseReason::EndOfStream, CloseReason::Other];
        if let Some(conn) = self.some_peer(choices, &[State::Open, State::ClosedHere])? {
            let why = *choices.choose(&WHY)?;
            self.gone(conn, why);
        }
        Ok(())
    }

    /// Inputs about a connection that the client has closed, which the driver did not know yet.
    pub(super) fn stale(&mut self, choices: &mut Unstructured<'_>) -> Result<()> {
        if let Some(conn) = self.some_peer(choices, &[State::ClosedHere])? {
            let input = match choices.arbitrary()? {
                true => OwnedInput::Received { conn, bytes: Bytes::from_static(&[0, 0, 0]) },
                false => OwnedInput::Connected { conn },
            };
            self.give(input);
        }
        Ok(())
    }

    pub(super) fn write(&mut self, choices: &mut Unstructured<'_>) -> Result<()> {
        if let Some(conn) = self.some_peer(choices, &[State::Open])? {
            let most = *choices.choose(&[usize::MAX, 1, 3, 8, 100, 700])?;
            self.write_some(conn, most);
        }
        Ok(())
    }

    /// The socket takes up to `most` bytes.
    fn write_some(&mut self, conn: ConnId, most: usize) {
        let mut chunks: Vec<Bytes> = Vec::new();
        self.client.outbox(conn, &mut chunks);
        let mut bytes = chunks.concat();
        bytes.truncate(most);
        if bytes.is_empty() {
            return;
        }
        let frames = self.peers.get_mut(&conn).unwrap().take(&bytes);
        for frame in frames {
            self.came_in(conn, frame);
        }
        self.give(OwnedInput::Wrote { conn, count: bytes.len() });
    }

    fn came_in(&mut self, conn: ConnId, frame: Plain) {
        let opaque = i32::try_from(frame.opaque).unwrap();
        let (is_answer, one_way) = (frame.flag & 1 != 0, frame.flag & 2 != 0);
        if is_answer {
            return;
        }
        // What the client itself sends nobody waits for.
        let is_users = frame.ext.get("a").is_none_or(|group| group != "CLIENT_INNER_PRODUCER");
        let attempt = (frame.code == 310 && is_users).then(|| self.send_came_in(conn, &frame));
        let peer = self.peers.get_mut(&conn).unwrap();
        let twice = peer.requests.iter().any(|it| it.opaque == opaque && !it.answered && !it.one_way);
        assert!(!twice, "{opaque} is in use");
        let (code, ext) = (frame.code, frame.ext);
        let request = Request { code, opaque, one_way, ext, attempt, answered: false };
        peer.requests.push(request.clone());
        if code == 37 {
            self.end_came_in(&request);
        }
    }

    fn send_came_in(&mut self, conn: ConnId, frame: &Plain) -> usize {
        let number = frame.body.split(|byte| *byte == b';').next().unwrap_or_default();
        let number: usize = std::str::from_utf8(number).unwrap().parse().unwrap();
        let send = &self.sends[number];
        assert_eq!(frame.body, body(number, send.body_len), "another body than was handed in");
        assert_eq!((frame.ext["b"].as_str(), frame.flag & 2 != 0), (send.topic, send.one_way));
        let (broker, queue) = (frame.ext["n"].clone(), frame.ext["e"].clone());
        let offer = |topic: &str| (topic.to_owned(), broker.clone(), queue.parse().unwrap());
        let offered = self.offered.contains(&offer(send.topic)) || self.offered.contains(&offer("TBW102"));
        assert!(offered, "queue {queue} of {broker} was never offered for {}", send.topic);
        let address = self.peers[&conn].address.clone();
        let first = first_port(&address).filter(|_| self.config.vip_channel);
        let is_master = |address: &String| self.masters.contains(&(broker.clone(), address.clone()));
        assert!(
            is_master(&address) || first.as_ref().is_some_and(is_master),
            "{address} was never that of {broker}"
        );
        let properties = frame.ext["i"].split('\u{2}');
        let key = properties.filter_map(|pair| pair.strip_prefix("UNIQ_KEY\u{1}")).next().unwrap().to_owned();
        self.note_key(number, &key);
        self.attempts.push(Attempt { told: None, broker, queue });
        let attempt = self.attempts.len() - 1;
        self.sends[number].attempts.push(attempt);
        self.check_copies(number);
        attempt
    }

    /// Everything goes on for a while, and mostly well.
    pub(super) fn serve(&mut self, choices: &mut Unstructured<'_>) -> Result<()> {
        self.release();
        for _ in 0..4 {
            let conns: Vec<ConnId> = self.peers.keys().copied().collect();
            for conn in conns {
                match self.peers[&conn].state {
                    State::Connecting => self.connected(conn),
                    State::Open => {
                        self.write_some(conn, usize::MAX);
                        self.answer_all(conn, choices)?;
                    }
                    State::ClosedHere | State::Gone => {}
                }
            }
        }
        Ok(())
    }

    fn answer_all(&mut self, conn: ConnId, choices: &mut Unstructured<'_>) -> Result<()> {
        self.web_answer(conn, choices)?;
        for at in 0..self.peers[&conn].requests.len() {
            let request = &self.peers[&conn].requests[at];
            if !request.answered && !request.one_way {
                let well = request.attempt.is_none() || !choices.ratio(1, 3)?;
                self.answer_to(conn, at, well, choices)?;
            }
        }
        self.read_some(conn, usize::MAX);
        Ok(())
    }

    pub(super) fn answer(&mut self, choices: &mut Unstructured<'_>) -> Result<()> {
        let Some(conn) = self.some_peer(choices, &[State::Open])? else {
            return Ok(());
        };
        let peer = &self.peers[&conn];
        if peer.requests.is_empty() {
            return self.web_answer(conn, choices);
        }
        let at = choices.choose_index(peer.requests.len())?;
        if choices.ratio(1, 16)? {
            // Nobody has such an opaque: half of the lives must pass first.
            let opaque = peer.requests[at].opaque ^ 0x4000_0000;
            let bytes = servers::plain_answer(choices, opaque, 0)?;
            self.peers.get_mut(&conn).unwrap().say(&bytes, None);
            return Ok(());
        }
        let well = choices.ratio(1, 3)?;
        self.answer_to(conn, at, well, choices)
    }

    /// One answer; a request that has one gets another, which must not count.
    fn answer_to(
        &mut self,
        conn: ConnId,
        at: usize,
        well: bool,
        choices: &mut Unstructured<'_>,
    ) -> Result<()> {
        let peer = &self.peers[&conn];
        let request = peer.requests[at].clone();
        let is_send = request.code == 310;
        let (bytes, told) = if is_send && !well {
            servers::refused(choices, &request)?
        } else if is_send {
            let code = if choices.ratio(1, 8)? { *choices.choose(&[10, 11, 12])? } else { 0 };
            self.stored += 1;
            servers::stored(choices, &request, code, self.stored)?
        } else if request.code == 105 && well && peer.is_name_server() {
            (self.route_answer(&request, choices)?, None)
        } else if well && super::admin::is_admin(request.code) {
            (super::admin::answer(choices, &request)?, None)
        } else {
            let code = if well { 0 } else { *choices.choose(&[17_i16, 1, 0, 2, 1_500])? };
            if request.code == 37 {
                self.end_was_answered(&request, code);
            }
            (servers::plain_answer(choices, request.opaque, code)?, None)
        };
        let peer = self.peers.get_mut(&conn).unwrap();
        peer.say(&bytes, told);
        peer.requests[at].answered = true;
        Ok(())
    }

    fn route_answer(&mut self, request: &Request, choices: &mut Unstructured<'_>) -> Result<Vec<u8>> {
        let (bytes, offers) = servers::route(choices, request.opaque)?;
        let topic = request.ext.get("topic").cloned().unwrap_or_default();
        for (broker, address, queues) in offers {
            let queues = (0..queues).map(|queue| (topic.clone(), broker.clone(), queue));
            self.offered.extend(queues);
            self.masters.extend(address.map(|address| (broker, address)));
        }
        Ok(bytes)
    }

    pub(super) fn read(&mut self, choices: &mut Unstructured<'_>) -> Result<()> {
        if let Some(conn) = self.some_peer(choices, &[State::Open])? {
            let most = *choices.choose(&[usize::MAX, 1, 5, 9, 60, 200])?;
            self.read_some(conn, most);
        }
        Ok(())
    }

    fn read_some(&mut self, conn: ConnId, most: usize) {
        let Some(peer) = self.peers.get_mut(&conn).filter(|peer| peer.state == State::Open) else {
            return;
        };
        let (bytes, told) = Peer::read(peer, most);
        if bytes.is_empty() {
            return;
        }
        for told in told {
            self.told(told);
        }
        self.give(OwnedInput::Received { conn, bytes: bytes.into() });
    }

    /// A server says something that is no answer.
    pub(super) fn garble(&mut self, choices: &mut Unstructured<'_>) -> Result<()> {
        const WORDS: [&[u8]; 5] =
            [b"HTTP/1.1 400", &[0, 0, 0, 6, 0, 0, 0, 2, b'{', b'}'], &[0xff; 4], &[0, 0, 0, 9, 2], &[0; 8]];
        if let Some(conn) = self.some_peer(choices, &[State::Open])? {
            let peer = self.peers.get_mut(&conn).unwrap();
            peer.say(choices.choose(&WORDS)?, None);
            // The client must not believe anything after it.
            peer.broken = true;
        }
        Ok(())
    }

    pub(super) fn server_asks(&mut self, choices: &mut Unstructured<'_>) -> Result<()> {
        let asks = |conn: &ConnId| !self.peers[conn].is_web();
        if let Some(conn) = self.some_peer(choices, &[State::Open])?.filter(asks) {
            let bytes = servers::server_request(choices)?;
            self.peers.get_mut(&conn).unwrap().say(&bytes, None);
        }
        Ok(())
    }
}

/// The address of which this one is the VIP port.
fn first_port(address: &str) -> Option<String> {
    let (host, port) = address.rsplit_once(':')?;
    Some(format!("{host}:{}", port.parse::<u16>().ok()?.checked_add(2)?))
}
