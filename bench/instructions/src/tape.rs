//! A recording as the driver makes it, into memory that is used again: what the file costs is not counted.

use rocketmq_core::client::{Action, Client, ClientConfig, Input};
use rocketmq_core::ground::Now;
use rocketmq_core::recording::{Bodies, Recorder};

/// From so many bytes on the driver writes them.
const ENOUGH: usize = 64 * 1024;

/// Records a client.
pub(crate) struct Tape {
    recorder: Recorder,
    taken: Vec<u8>,
}

impl Tape {
    pub(crate) fn new(config: &ClientConfig, now: Now, bodies: Bodies) -> Self {
        Self { recorder: Recorder::new(config, now, bodies), taken: Vec::new() }
    }

    /// Gives the client an input and takes what it does about it.
    pub(crate) fn input(
        &mut self,
        client: &mut Client,
        now: Now,
        input: Input<'_>,
        mut note: impl FnMut(Action),
    ) {
        self.recorder.input(now, &input, client);
        client.handle(now, input);
        while let Some(action) = client.poll_action() {
            self.recorder.action(now, &action);
            note(action);
        }
        self.recorder.mark();
        if self.recorder.buffered() >= ENOUGH {
            self.taken = self.recorder.take_into(std::mem::take(&mut self.taken));
        }
    }
}
