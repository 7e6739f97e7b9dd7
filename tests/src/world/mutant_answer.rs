//! What mutants do to the answers of a client.

use rocketmq_core::client::{Action, Answer, CommandId};
use rocketmq_core::ground::Instant;
use rocketmq_core::producer::{SendError, SendErrorKind, SendReceipt};

use super::{Mutant, World};

impl World {
    pub(super) fn mutate_answer(&mut self, client: usize, id: CommandId, answer: Answer) -> Option<Action> {
        let is_shutdown = self.shutdowns.contains(&(client, id));
        let next_in_line = self.clients[client].held.next_in_line(id);
        let now = Instant::from_micros(self.now_us);
        let namespace = self.clients[client].config.namespace.clone();
        let mutation = self.mutation.as_mut()?;
        let one_in_4 = mutation.once_in(4);
        let mut then = |action| mutation.next_actions.push_back((client, action));
        let (id, answer) = match (mutation.mutant, answer) {
            (Mutant::AnswersTwice, Answer::Sent(result)) => {
                then(Action::Answer { id, answer: Answer::Sent(result.clone()) });
                (id, Answer::Sent(result))
            }
            (Mutant::AnswersUnasked, answer @ Answer::Sent(_)) => {
                then(Action::Answer { id: CommandId(id.0 + 1_000_000), answer: Answer::Flushed(Ok(())) });
                (id, answer)
            }
            (Mutant::HandsOutNamespace, Answer::Sent(Ok(mut receipt))) => {
                if let Some(namespace) = namespace.filter(|_| one_in_4) {
                    let wrapped = namespace.wrap(receipt.queue.topic.as_str());
                    receipt.queue.topic = wrapped.parse().expect("it is in use");
                }
                (id, Answer::Sent(Ok(receipt)))
            }
            (Mutant::InventsReceipts, Answer::Sent(Ok(receipt))) => {
                mutation.receipt = Some(receipt.clone());
                (id, Answer::Sent(Ok(receipt)))
            }
            (Mutant::InventsReceipts, Answer::Sent(Err(error))) => {
                let invented = mutation
                    .receipt
                    .clone()
                    .map(|receipt| SendReceipt { queue_offset: receipt.queue_offset + 1_000_000, ..receipt });
                (id, Answer::Sent(invented.ok_or(error)))
            }
            (Mutant::SaysHandedOver, Answer::HandedOver(Err(_))) => (id, Answer::HandedOver(Ok(()))),
            (Mutant::DeniesStored, Answer::Sent(Err(error))) => (id, Answer::Sent(Err(denied(error)))),
            (Mutant::ForgetsAttempts, Answer::Sent(Ok(receipt))) => {
                (id, Answer::Sent(Ok(SendReceipt { attempts: 1, ..receipt })))
            }
            (Mutant::ForgetsFlushes, Answer::Flushed(_)) if one_in_4 => return None,
            (Mutant::InventsEnds, Answer::Ended(Err(_))) => (id, Answer::Ended(Ok(()))),
            (Mutant::GrantsOutOfTurn, Answer::Room(Ok(()))) => {
                (next_in_line.unwrap_or(id), Answer::Room(Ok(())))
            }
            (Mutant::ActsAfterEnd, answer @ Answer::Closed(_)) if is_shutdown => {
                then(Action::SetTimer { at: now });
                (id, answer)
            }
            (_, answer) => (id, answer),
        };
        Some(Action::Answer { id, answer })
    }
}

fn denied(error: SendError) -> SendError {
    if !error.may_be_stored() {
        return error;
    }
    let topic = error.topic().clone();
    SendError::before_any_attempt(SendErrorKind::Timeout, topic, error.into_message())
}
