//! Waits for the answer to one command.

use crate::completions::Look;
use crate::shared::Handle;
use rocketmq_core::ground::Now;
use rocketmq_core::interface::{Answer, Command, CommandId};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// Gives a command at its first poll and waits for its answer; none when the driver is gone. When it is
/// dropped in between, the command goes on and its answer is dropped.
pub(crate) struct Wait<C> {
    handle: Arc<Handle>,
    stage: Stage<C>,
}

enum Stage<C> {
    Fresh(C),
    Waiting(CommandId),
    Over,
}

// The command is moved out before it is called: nothing here is pinned.
impl<C> Unpin for Wait<C> {}

impl<C: FnOnce(Now) -> Command> Wait<C> {
    pub(crate) fn new(handle: Arc<Handle>, command: C) -> Self {
        Self { handle, stage: Stage::Fresh(command) }
    }
}

impl<C: FnOnce(Now) -> Command> Future for Wait<C> {
    type Output = Option<Answer>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Answer>> {
        let this = self.get_mut();
        let (mut answer, mut waits) = (None, None);
        match std::mem::replace(&mut this.stage, Stage::Over) {
            // Polled again after it was ready.
            Stage::Over => return Poll::Pending,
            stage => this.handle.shared.enter(|state, now| match stage {
                _ if state.is_driver_gone() => {}
                Stage::Fresh(command) => {
                    let id = state.begin(now, command(now), Some(cx.waker()), &mut answer);
                    waits = answer.is_none().then_some(id);
                }
                Stage::Waiting(id) => {
                    let found = state.answers.look(id, Some(cx.waker()), &mut answer);
                    waits = (found == Look::Waiting && !state.has_driver_ended()).then_some(id);
                }
                Stage::Over => {}
            }),
        }
        match waits {
            Some(id) => {
                this.stage = Stage::Waiting(id);
                Poll::Pending
            }
            None => Poll::Ready(answer),
        }
    }
}

impl<C> Drop for Wait<C> {
    fn drop(&mut self) {
        if let Stage::Waiting(id) = self.stage {
            self.handle.shared.enter(|state, now| state.abandon(now, id));
        }
    }
}
