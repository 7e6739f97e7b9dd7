//! The frame that ends a transaction (`END_TRANSACTION`, request code 37).

use super::producers::{Producers, table_key};
use super::transaction::EndKey;
use crate::command::{RequestCode, version};
use crate::interface::TransactionEnd;
use crate::net::Outbox;
use crate::request::{COMMIT_TYPE, EndTransactionRequestHeader, ROLLBACK_TYPE};
use crate::wire::{EncodeError, RequestHead};

impl Producers {
    /// Writes the frame that ends a transaction. False when there is no such end.
    // Kept apart from the sends that are encoded beside it.
    #[inline(never)]
    pub(crate) fn encode_end(
        &self,
        key: EndKey,
        opaque: i32,
        outbox: &mut Outbox,
    ) -> Result<bool, EncodeError> {
        let Some(state) = self.transactions.ends.get(key) else {
            return Ok(false);
        };
        let Some(producer) = self.table.get(table_key(state.producer)) else {
            return Ok(false);
        };
        let head = RequestHead {
            code: RequestCode::END_TRANSACTION,
            flag: 0,
            opaque,
            version: version::CURRENT,
            language: self.language,
        };
        let half = &state.half;
        let header = EndTransactionRequestHeader {
            // Java forgets the namespace of the topic here, which a broker that checks permissions would refuse.
            topic: Some(self.naming.topic(&half.topic)),
            producer_group: self.naming.group(&producer.config.group),
            tran_state_table_offset: half.queue_offset,
            commit_log_offset: half.commit_log_offset,
            commit_or_rollback: match state.end {
                TransactionEnd::Commit => COMMIT_TYPE,
                TransactionEnd::Rollback => ROLLBACK_TYPE,
            },
            from_transaction_check: state.asked_from.is_some(),
            msg_id: half.unique_key.as_str().into(),
            transaction_id: Some(half.unique_key.as_str().into()),
            broker_name: Some(half.broker_name.as_str().into()),
        };
        outbox.append(0, |out| self.naming.encode(out, self.serialize, &head, &header, &[]))?;
        Ok(true)
    }
}
