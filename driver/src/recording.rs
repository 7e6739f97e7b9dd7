//! Recordings of a client, with the feature `record`. Without it nothing is kept and no code is there.
//!
//! Inputs and actions are encoded into a buffer under the lock, which costs a copy. The driver's loop takes the
//! buffer out now and then and writes it behind the lock.

#[cfg(not(feature = "record"))]
pub(crate) use off::{Pen, Tape};
#[cfg(feature = "record")]
pub(crate) use on::{Pen, Tape};
#[cfg(feature = "record")]
pub use on::{Recording, RecordingState};

#[cfg(not(feature = "record"))]
mod off {
    use rocketmq_core::client::Client as Core;
    use rocketmq_core::ground::{Instant, Now};
    use rocketmq_core::interface::{Action, Input};

    /// Records nothing.
    #[derive(Debug, Default)]
    pub(crate) struct Tape {}

    impl Tape {
        #[inline]
        pub(crate) fn input(&mut self, _: Now, _: &Input<'_>, _: &mut Core) {}
        #[inline]
        pub(crate) fn action(&mut self, _: Now, _: &Action) {}
        #[inline]
        pub(crate) fn mark(&mut self) {}
        #[inline]
        pub(crate) fn due(&self) -> Option<Instant> {
            None
        }
        pub(crate) fn fail(&mut self, _: String) {}
    }

    /// Writes nothing.
    #[derive(Debug, Default)]
    pub(crate) struct Pen {}

    impl Pen {
        #[inline]
        pub(crate) fn fetch(&mut self, _: &mut Tape, _: Now) -> Option<Instant> {
            None
        }
        #[inline]
        pub(crate) fn fetch_last(&mut self, _: &mut Tape, _: Now, _: bool) {}
        #[inline]
        pub(crate) fn write(&mut self) -> Option<String> {
            None
        }
    }
}

#[cfg(feature = "record")]
mod on {
    use crate::error::wrong;
    use crate::sync::Mutex;
    use rocketmq_core::client::Client as Core;
    use rocketmq_core::ground::{Instant, Now};
    use rocketmq_core::interface::{Action, ClientConfig, ConfigError, HookNames, Input};
    use rocketmq_core::recording::{Bodies, EndReason, Recorder, Ring};
    use std::fmt;
    use std::io::Write;
    use std::sync::{Arc, PoisonError};
    use std::time::Duration;

    /// From so many bytes on, what is encoded is written at the next turn of the loop.
    const ENOUGH: usize = 64 * 1024;
    /// What is encoded is written after so long at the latest, however little it is.
    const SOON: Duration = Duration::from_millis(100);
    /// More than so many bytes are not kept for a writer that is too slow: the recording ends.
    const TOO_MUCH: usize = 64 * 1024 * 1024;
    /// A buffer above this size is given back once it is written.
    const KEPT_CAPACITY: usize = 1024 * 1024;

    type Writer = Box<dyn Write + Send>;

    /// What to record of a client, and where to: see [`ClientBuilder::record`](crate::ClientBuilder::record).
    ///
    /// A recording holds every input of the client with its time, and hashes of what the client did and wrote, so
    /// that its core can be run again and compared: `rocketmq replay FILE` tells what happened and why, and draws it.
    /// The format is that of [`rocketmq_core::recording`]. Topics, tags, keys, properties and addresses are in it; bodies
    /// of messages are left out unless [`bodies`](Self::bodies) says otherwise. Hooks are code and not in it: a recording
    /// names those that the client had, and is replayed with the same ones only.
    ///
    /// ```
    /// use rocketmq_driver::{Bodies, Client, Recording};
    ///
    /// # fn example(file: std::fs::File) {
    /// // Everything, from the first moment on: can be replayed.
    /// let recording = Recording::to_writer(file).bodies(Bodies::Hash);
    /// let builder = Client::builder("127.0.0.1:9876").record(recording);
    /// # drop(builder);
    /// // The newest 16 MiB, in memory, for the moment in which something goes wrong.
    /// let builder = Client::builder("127.0.0.1:9876").record(Recording::recent(16 * 1024 * 1024));
    /// # drop(builder);
    /// # }
    /// ```
    #[derive(Clone)]
    pub struct Recording {
        bodies: Bodies,
        to: To,
    }

    #[derive(Clone)]
    enum To {
        /// Taken by the first client that is built.
        Writer(Arc<Mutex<Option<Writer>>>),
        Recent(usize),
    }

    impl fmt::Debug for Recording {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            let to = match self.to {
                To::Writer(_) => "writer".to_owned(),
                To::Recent(bytes) => format!("the newest {bytes} bytes"),
            };
            f.debug_struct("Recording").field("bodies", &self.bodies).field("to", &to).finish()
        }
    }

    impl Recording {
        /// Records everything to `writer`: a file as a rule.
        ///
        /// The client's task writes, in pieces of 64 KiB or after 100 ms, and stands still meanwhile. Files are fast
        /// enough for that; give what may block for long, such as a socket, a thread of its own. No buffer is
        /// needed. When writing fails, or is so slow that 64 MiB pile up, the recording ends and the client goes on;
        /// [`Client::recording_state`](crate::Client::recording_state) tells why.
        #[must_use]
        pub fn to_writer(writer: impl Write + Send + 'static) -> Self {
            let writer: Writer = Box::new(writer);
            Self { bodies: Bodies::default(), to: To::Writer(Arc::new(Mutex::new(Some(writer)))) }
        }

        /// Keeps the newest records in so many bytes of memory, for
        /// [`Client::recent_recording`](crate::Client::recent_recording).
        ///
        /// Once it has dropped a record, the story can be read and no longer replayed: a client's state is made by all
        /// of its inputs. It therefore tells in words what the client does, which costs more than writing a file.
        #[must_use]
        pub fn recent(bytes: usize) -> Self {
            Self { bodies: Bodies::default(), to: To::Recent(bytes) }
        }

        /// What becomes of the bodies of messages. Default: [`Bodies::LeaveOut`].
        #[must_use]
        pub fn bodies(mut self, bodies: Bodies) -> Self {
            self.bodies = bodies;
            self
        }

        /// Begins to record a client that is made now.
        pub(crate) fn begin(
            self,
            config: &ClientConfig,
            hooks: &HookNames,
            now: Now,
        ) -> Result<(Tape, Pen), ConfigError> {
            let mut recorder = Recorder::with_hooks(config, hooks, now, self.bodies);
            let (to, writer) = match self.to {
                To::Writer(writer) => {
                    let writer = writer.lock().unwrap_or_else(PoisonError::into_inner).take();
                    let taken = "its writer belongs to another client already; make another one";
                    (
                        Where::Pen { since: Some(now.mono) },
                        Some(writer.ok_or_else(|| wrong("record", taken))?),
                    )
                }
                To::Recent(most) => {
                    let start = recorder.take();
                    recorder = recorder.telling();
                    (Where::Ring(Ring::new(start, most)), None)
                }
            };
            let running = Running { recorder, to, spare: Vec::new(), failure: None };
            Ok((Tape(Some(Box::new(running))), Pen { writer, ..Pen::default() }))
        }
    }

    /// How a recording stands.
    #[derive(Clone, PartialEq, Eq, Debug)]
    #[non_exhaustive]
    pub enum RecordingState {
        /// Nothing is recorded.
        Off,
        /// It goes on, and has so many bytes.
        Running {
            /// Encoded so far, written or not.
            bytes: u64,
        },
        /// It has ended: with the client, or before it because of a failure.
        Ended {
            /// Bytes in all.
            bytes: u64,
            /// What went wrong, if it did not end with the client.
            failure: Option<String>,
        },
    }

    /// What is under the lock.
    #[derive(Debug, Default)]
    pub(crate) struct Tape(Option<Box<Running>>);

    #[derive(Debug)]
    struct Running {
        recorder: Recorder,
        to: Where,
        /// Memory for the next bytes on their way to the ring.
        spare: Vec<u8>,
        failure: Option<String>,
    }

    #[derive(Debug)]
    enum Where {
        /// Bytes wait for the pen, the oldest of them since then.
        Pen {
            since: Option<Instant>,
        },
        Ring(Ring),
    }

    impl Tape {
        #[inline]
        pub(crate) fn input(&mut self, now: Now, input: &Input<'_>, core: &mut Core) {
            if let Some(it) = &mut self.0 {
                it.recorder.input(now, input, core);
                it.has_grown(now);
            }
        }

        #[inline]
        pub(crate) fn action(&mut self, now: Now, action: &Action) {
            if let Some(it) = &mut self.0 {
                it.recorder.action(now, action);
            }
        }

        #[inline]
        pub(crate) fn mark(&mut self) {
            if let Some(it) = &mut self.0 {
                it.recorder.mark();
                if let Where::Ring(ring) = &mut it.to {
                    it.spare = it.recorder.take_into(std::mem::take(&mut it.spare));
                    ring.push(&it.spare);
                }
            }
        }

        /// When the pen is to come.
        #[inline]
        pub(crate) fn due(&self) -> Option<Instant> {
            let it = self.0.as_ref()?;
            match it.to {
                Where::Pen { since: Some(since) } if it.recorder.buffered() > 0 => Some(since + SOON),
                Where::Pen { .. } | Where::Ring(_) => None,
            }
        }

        /// Writing has failed.
        pub(crate) fn fail(&mut self, why: String) {
            if let Some(it) = &mut self.0 {
                it.recorder.end(Now::default(), EndReason::TooSlow);
                drop(it.recorder.take());
                it.failure = Some(why);
            }
        }

        pub(crate) fn state(&self) -> RecordingState {
            match &self.0 {
                None => RecordingState::Off,
                Some(it) => {
                    let bytes = it.recorder.written();
                    if it.recorder.has_ended() {
                        RecordingState::Ended { bytes, failure: it.failure.clone() }
                    } else {
                        RecordingState::Running { bytes }
                    }
                }
            }
        }

        pub(crate) fn recent(&self) -> Option<Vec<u8>> {
            match &self.0.as_ref()?.to {
                Where::Ring(ring) => Some(ring.to_vec()),
                Where::Pen { .. } => None,
            }
        }
    }

    impl Running {
        fn has_grown(&mut self, now: Now) {
            if let Where::Pen { since } = &mut self.to {
                since.get_or_insert(now.mono);
                if self.recorder.buffered() > TOO_MUCH && !self.recorder.has_ended() {
                    self.recorder.end(now, EndReason::TooSlow);
                    self.failure = Some(EndReason::TooSlow.to_string());
                }
            }
        }
    }

    /// What the driver's loop holds: bytes on their way to the writer.
    #[derive(Default)]
    pub(crate) struct Pen {
        writer: Option<Writer>,
        bytes: Vec<u8>,
        last: bool,
    }

    impl fmt::Debug for Pen {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.debug_struct("Pen").field("bytes", &self.bytes.len()).finish_non_exhaustive()
        }
    }

    impl Pen {
        /// Takes what is to be written now. When something stays, returns when the next turn is wanted.
        #[inline]
        pub(crate) fn fetch(&mut self, tape: &mut Tape, now: Now) -> Option<Instant> {
            self.writer.as_ref()?;
            let it = tape.0.as_mut()?;
            let Where::Pen { since } = &mut it.to else {
                return None;
            };
            let due = (*since)? + SOON;
            if it.recorder.buffered() < ENOUGH && now.mono < due && !it.recorder.has_ended() {
                return Some(due);
            }
            *since = None;
            self.bytes = it.recorder.take_into(std::mem::take(&mut self.bytes));
            None
        }

        /// The loop ends: takes everything.
        pub(crate) fn fetch_last(&mut self, tape: &mut Tape, now: Now, is_shut_down: bool) {
            let Some(it) = &mut tape.0 else { return };
            let why = if is_shut_down { EndReason::ClientEnded } else { EndReason::DriverDropped };
            it.recorder.end(now, why);
            match &mut it.to {
                Where::Ring(ring) => ring.push(&it.recorder.take()),
                Where::Pen { .. } if self.writer.is_some() => self.bytes = it.recorder.take(),
                Where::Pen { .. } => {}
            }
            self.last = true;
        }

        /// Writes what was taken. When that fails, nothing more is written, and the reason is returned.
        #[inline]
        pub(crate) fn write(&mut self) -> Option<String> {
            if self.bytes.is_empty() {
                return None;
            }
            let writer = self.writer.as_mut()?;
            let done = writer.write_all(&self.bytes);
            let done = if self.last { done.and_then(|()| writer.flush()) } else { done };
            self.bytes.clear();
            self.bytes.shrink_to(KEPT_CAPACITY);
            if self.last || done.is_err() {
                self.writer = None;
            }
            done.err().map(|error| error.to_string())
        }
    }
}
