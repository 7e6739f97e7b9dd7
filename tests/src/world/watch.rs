//! What frames tell about states that random runs must reach.

use super::{PipeId, World};
use crate::cluster::{Frame, ServerId};

/// A connection with pending requests from which nothing came for this long has stalled, by the clients' defaults.
const STALL_US: u64 = 100_000;

impl World {
    /// A client has written a request.
    pub(super) fn watch_request(&mut self, id: PipeId, frame: &Frame) {
        if frame.is_one_way() || frame.is_response() {
            return;
        }
        let now_us = self.now_us;
        let Some(pipe) = self.pipes.get_mut(&id) else { return };
        pipe.asked += 1;
        pipe.asked_at = now_us;
        let life = (frame.opaque.unwrap_or_default() >> 16) as u16;
        let first = *pipe.first_life.get_or_insert(life);
        let (client, used_again) = (pipe.client, life != first);
        self.reached.slots_used_again += u64::from(used_again);
        // The sign changes, or all bits are used up.
        self.reached.wrapped_opaques += u64::from(used_again && (life == 0 || life == 0x8000));
        if frame.code != 310 {
            return;
        }
        let stalled = |(other, pipe): (&PipeId, &super::Pipe)| {
            let quiet = pipe.heard_at.max(pipe.asked_at) + STALL_US < now_us;
            let of_broker = matches!(pipe.server, Some(ServerId::Broker(_)));
            *other != id
                && pipe.client == client
                && pipe.is_live()
                && of_broker
                && pipe.asked > pipe.answered
                && quiet
        };
        self.reached.passed_over_stalled += u64::from(self.pipes.iter().any(stalled));
    }

    /// A client has read an answer.
    pub(super) fn watch_answer(&mut self, id: PipeId) {
        let now_us = self.now_us;
        if let Some(pipe) = self.pipes.get_mut(&id) {
            pipe.answered += 1;
            pipe.heard_at = now_us;
        }
    }
}
