//! Gives a recording to a new client and checks that it acts as the recorded one did.

use super::digest::Digest;
use super::error::ReadError;
use super::outbound::Outbound;
use super::read::{BodyKept, Condition, Reader, Record};
use crate::client::{Client, OwnedInput};
use crate::ground::Now;
use crate::interface::{Action, ConfigError, ConnId, HookNames, Hooks};
use alloc::boxed::Box;
use alloc::vec::Vec;
use bytes::Bytes;

/// One input of a replay, and what came of it.
#[derive(Debug)]
pub struct Step {
    /// The number of the input, from 1.
    pub number: u64,
    /// Where its record begins, in bytes.
    pub position: usize,
    /// When it happened.
    pub now: Now,
    /// What happened. Bodies that were not kept are zeros.
    pub input: OwnedInput,
    /// For a send: whether the body is the true one.
    pub body: BodyKept,
    /// For a `Wrote`: the bytes that the socket took.
    pub wrote: Vec<Bytes>,
    /// What the client did about it.
    pub actions: Vec<Action>,
}

/// Why a replay cannot go on.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// The bytes are wrong.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The configuration is refused here.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The recorded client had other hooks than were given. Hooks change what is sent, so a replay needs the same ones: see
    /// [`Replay::with_hooks`].
    #[error("the client was recorded with other hooks: {recorded:?}; given are {given:?}")]
    Hooks {
        /// Those of the recorded client.
        recorded: Box<HookNames>,
        /// Those that were given.
        given: Box<HookNames>,
    },
    /// The beginning is missing. Read it as a story with [`Reader`].
    #[error("{records} records are missing at byte {position}: what comes after them cannot be replayed")]
    Gap {
        /// How many.
        records: u64,
        /// Where, in bytes.
        position: usize,
    },
    /// The client acted differently.
    #[error(
        "after input {inputs}: {found} actions with hash {found_hash:016x}, recorded are {expected} with hash {expected_hash:016x}"
    )]
    Different {
        /// Inputs given so far. The difference lies in the actions since the mark before.
        inputs: u64,
        /// Recorded number of actions.
        expected: u64,
        /// Recorded hash.
        expected_hash: u64,
        /// Number of actions here.
        found: u64,
        /// Hash here.
        found_hash: u64,
    },
    /// The socket took bytes that the client has not made here.
    #[error("input {input}: {count} bytes were written, but there are {found}")]
    NotWritten {
        /// Number of the input.
        input: u64,
        /// Recorded number of bytes.
        count: usize,
        /// Bytes here.
        found: usize,
    },
    /// The socket took other bytes than the client has made here.
    #[error(
        "input {input} at byte {position}: the {count} bytes that were written have hash {found_hash:016x}, recorded is {expected_hash:016x}"
    )]
    OtherBytes {
        /// Number of the input.
        input: u64,
        /// Where its record begins, in bytes.
        position: usize,
        /// How many bytes were written.
        count: usize,
        /// Recorded hash.
        expected_hash: u64,
        /// Hash here.
        found_hash: u64,
    },
}

impl ReplayError {
    /// True when the recording is sound, and the client acts differently.
    #[must_use]
    pub fn is_difference(&self) -> bool {
        matches!(self, Self::Different { .. } | Self::NotWritten { .. } | Self::OtherBytes { .. })
    }
}

/// A replay, input by input. See [`Recorder`](super::Recorder) for an example.
#[derive(Debug)]
pub struct Replay<'a> {
    reader: Reader<'a>,
    client: Client,
    digest: Digest,
    inputs: u64,
    checked: u64,
    outbound: Outbound,
    compared_writes: u64,
    uncompared_writes: u64,
    failed: Option<ReplayError>,
}

impl<'a> Replay<'a> {
    /// Makes the client as it was.
    ///
    /// # Errors
    /// The configuration is refused, or the client had hooks.
    pub fn new(reader: Reader<'a>) -> Result<Self, ReplayError> {
        Self::with_hooks(reader, Hooks::default())
    }

    /// Makes the client as it was, with its hooks: those of the same names that do the same.
    ///
    /// # Errors
    /// The configuration is refused, or the client had hooks of other names.
    pub fn with_hooks(reader: Reader<'a>, hooks: Hooks) -> Result<Self, ReplayError> {
        let start = reader.start();
        let (recorded, given) = (start.hooks.clone(), hooks.names());
        if recorded != given {
            let (recorded, given) = (Box::new(recorded), Box::new(given));
            return Err(ReplayError::Hooks { recorded, given });
        }
        let client = Client::with_hooks(start.config.clone(), hooks, start.now)?;
        let digest = Digest::new(start.bodies);
        let outbound = Outbound::new(start.bodies);
        Ok(Self {
            reader,
            client,
            digest,
            inputs: 0,
            checked: 0,
            outbound,
            compared_writes: 0,
            uncompared_writes: 0,
            failed: None,
        })
    }

    /// The next input, given to the client; none at the end.
    ///
    /// Whether the actions of a step are the recorded ones is found out at the next call.
    ///
    /// # Errors
    /// What is wrong, or the first difference. The same error comes again.
    pub fn next_step(&mut self) -> Result<Option<Step>, ReplayError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let step = self.advance();
        self.failed = step.as_ref().err().cloned();
        step
    }

    fn advance(&mut self) -> Result<Option<Step>, ReplayError> {
        loop {
            let position = self.reader.position();
            match self.reader.next_record()? {
                Some(Record::Input { now, input, body, wrote }) => {
                    return self.input(position, now, input, body, wrote).map(Some);
                }
                Some(Record::Mark { actions, hash }) => self.check(actions, hash)?,
                Some(Record::Gap { records, .. }) => return Err(ReplayError::Gap { records, position }),
                Some(Record::Told { .. } | Record::End { .. }) => {}
                None => return Ok(None),
            }
        }
    }

    fn input(
        &mut self,
        position: usize,
        now: Now,
        input: OwnedInput,
        body: BodyKept,
        hash: Option<u64>,
    ) -> Result<Step, ReplayError> {
        self.inputs += 1;
        let wrote = match input {
            OwnedInput::Wrote { conn, count } => self.written(position, conn, count, hash)?,
            _ => Vec::new(),
        };
        if let OwnedInput::Closed { conn, .. } = &input {
            self.outbound.forget(*conn);
        }
        input.clone().give(&mut self.client, now);
        let mut actions = Vec::new();
        while let Some(action) = self.client.poll_action() {
            self.digest.add(&action);
            if let Action::Close { conn } = &action {
                self.outbound.forget(*conn);
            }
            actions.push(action);
        }
        Ok(Step { number: self.inputs, position, now, input, body, wrote, actions })
    }

    /// The bytes that the socket took, compared with the recorded ones. A connection that the client has closed
    /// meanwhile has none, there as here.
    fn written(
        &mut self,
        position: usize,
        conn: ConnId,
        count: usize,
        expected: Option<u64>,
    ) -> Result<Vec<Bytes>, ReplayError> {
        let mut chunks = Vec::new();
        self.client.outbox(conn, &mut chunks);
        let (found, input) = (chunks.iter().map(Bytes::len).sum(), self.inputs);
        let found_hash = self.outbound.hash(conn, &chunks, count);
        if (found > 0 && found < count) || (found == 0 && expected.is_some_and(|hash| hash != found_hash)) {
            return Err(ReplayError::NotWritten { input, count, found });
        }
        match expected {
            Some(expected_hash) if expected_hash != found_hash => {
                return Err(ReplayError::OtherBytes { input, position, count, expected_hash, found_hash });
            }
            Some(_) if found > 0 => self.compared_writes += 1,
            _ => self.uncompared_writes += 1,
        }
        let mut left = count;
        for chunk in &mut chunks {
            chunk.truncate(left);
            left -= chunk.len();
        }
        chunks.retain(|chunk| !chunk.is_empty());
        Ok(chunks)
    }

    fn check(&mut self, expected: u64, expected_hash: u64) -> Result<(), ReplayError> {
        let (found, found_hash) = (self.digest.actions(), self.digest.value());
        if (expected, expected_hash) == (found, found_hash) {
            self.checked = found;
            return Ok(());
        }
        Err(ReplayError::Different { inputs: self.inputs, expected, expected_hash, found, found_hash })
    }

    /// The client, as it is after the last step.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The recording, as far as it is read.
    #[must_use]
    pub fn reader(&self) -> &Reader<'a> {
        &self.reader
    }

    /// How the recording stops, once [`next_step`](Self::next_step) has returned none.
    #[must_use]
    pub fn condition(&self) -> Condition {
        self.reader.condition()
    }

    /// Inputs given so far.
    #[must_use]
    pub fn inputs(&self) -> u64 {
        self.inputs
    }

    /// Actions that are known to be the recorded ones.
    #[must_use]
    pub fn checked_actions(&self) -> u64 {
        self.checked
    }

    /// Writes whose bytes are known to be the recorded ones: all of them with [`Bodies::Keep`](super::Bodies::Keep),
    /// otherwise all but the bodies of frames.
    #[must_use]
    pub fn compared_writes(&self) -> u64 {
        self.compared_writes
    }

    /// Writes whose bytes could not be compared: the recording has no hashes of them, or the client had closed the
    /// connection and has none of the bytes any more.
    #[must_use]
    pub fn uncompared_writes(&self) -> u64 {
        self.uncompared_writes
    }
}
