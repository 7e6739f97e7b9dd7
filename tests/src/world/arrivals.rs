//! What arrives at a client: bytes, in pieces as a driver reads them, and the end of a connection.

use rocketmq_core::client::{CloseReason, OwnedInput};

use super::pipe::ONE_BYTE;
use super::{Event, PipeId, World};

impl World {
    pub(super) fn arrive_down(&mut self, id: PipeId, bytes: &[u8]) {
        let Some(pipe) = self.pipes.get_mut(&id) else {
            return;
        };
        if !pipe.is_live() || pipe.half_open {
            return;
        }
        pipe.arrived.extend_from_slice(bytes);
        if !pipe.read_planned {
            pipe.read_planned = true;
            let delay = self.up_to(self.network.read_delay_us);
            self.plan(self.now_us + delay, Event::Read(id));
        }
    }

    pub(super) fn read(&mut self, id: PipeId) {
        let short = self.chance(self.network.short_reads);
        let one_byte = self.chance(ONE_BYTE);
        let Some(most) = self.fails_to_read(id) else {
            return;
        };
        let Some(pipe) = self.pipes.get_mut(&id) else {
            return;
        };
        pipe.read_planned = false;
        if !pipe.is_live() || pipe.arrived.is_empty() {
            return;
        }
        let mut count = pipe.arrived.len().min(most);
        if short {
            count = if one_byte { 1 } else { 1 + self.rng.below(count as u64) as usize };
            self.reached.short_reads += 1;
        }
        let mut cut = false;
        if let Some(left) = pipe.cut_down {
            count = count.min(left);
            pipe.cut_down = Some(left - count);
            cut = left == count;
        }
        let rest = pipe.arrived.split_off(count);
        let bytes = std::mem::replace(&mut pipe.arrived, rest);
        let (client, conn) = (pipe.client, pipe.conn);
        if !pipe.arrived.is_empty() && !cut {
            pipe.read_planned = true;
            self.plan(self.now_us, Event::Read(id));
        }
        if count > 0 {
            self.note_read(id, &bytes);
            if self.pipes.get(&id).is_some_and(|pipe| (1..4).contains(&pipe.down.held())) {
                self.reached.reads_split_in_length += 1;
            }
            self.give(client, OwnedInput::Received { conn, bytes: bytes.into() });
        }
        if cut {
            self.cut_off(id);
        }
    }

    pub(super) fn end_down(&mut self, id: PipeId, why: CloseReason) {
        let Some(pipe) = self.pipes.get_mut(&id) else {
            return;
        };
        if !pipe.is_live() {
            if !pipe.open && !pipe.client_gone {
                return;
            }
            self.pipes.remove(&id);
            return;
        }
        if !pipe.arrived.is_empty() && why == CloseReason::EndOfStream {
            self.plan(self.now_us + 1, Event::DownEnd(id, why));
            if let Some(pipe) = self.pipes.get_mut(&id)
                && !pipe.read_planned
            {
                pipe.read_planned = true;
                self.plan(self.now_us, Event::Read(id));
            }
            return;
        }
        // What the socket took is reported before its end.
        self.report_written(id);
        self.note_pipe_end(id);
        if let Some(pipe) = self.pipes.remove(&id) {
            // The answer to the report may have closed it.
            if self.by_conn.remove(&(pipe.client, pipe.conn)).is_some() {
                let at = self.now_us;
                self.story.tell(at, || format!("network: {} ends: {why}", pipe.peer()));
                self.give(pipe.client, OwnedInput::Closed { conn: pipe.conn, why });
                self.check_nothing_left(id, pipe.client, pipe.conn);
            }
        }
    }
}
