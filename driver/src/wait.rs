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
        let stage = std::mem::replace(&mut this.stage, Stage::Over);
        let (next, result) = this.handle.shared.enter(|state, now| match stage {
            Stage::Over => (Stage::Over, Poll::Pending),
            _ if state.is_driver_gone() => (Stage::Over, Poll::Ready(None)),
            Stage::Fresh(command) => {
                let begun = state.begin(now, command(now), Some(cx.waker()));
                match begun.answer {
                    Some(answer) => (Stage::Over, Poll::Ready(Some(answer))),
                    None => (Stage::Waiting(begun.id), Poll::Pending),
                }
            }
            Stage::Waiting(id) => match state.answers.look(id, Some(cx.waker())) {
                Look::Ready(answer) => (Stage::Over, Poll::Ready(Some(answer))),
                Look::Waiting if !state.has_driver_ended() => (Stage::Waiting(id), Poll::Pending),
                Look::Waiting | Look::Stale => (Stage::Over, Poll::Ready(None)),
            },
        });
        this.stage = next;
        result
    }
}

impl<C> Drop for Wait<C> {
    fn drop(&mut self) {
        if let Stage::Waiting(id) = self.stage {
            self.handle.shared.enter(|state, now| state.abandon(now, id));
        }
    }
}
