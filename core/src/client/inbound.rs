//! Requests that servers send to us over our own connections.

use super::Client;
use crate::command::{RequestCode, ResponseCode, version};
use crate::net::ConnKey;
use crate::wire::{Header, SerializeType, encode_response};
use alloc::format;
use alloc::string::String;

impl Client {
    /// Answers a request of a server the way the Java client does. One-way requests never get an answer.
    pub(super) fn inbound(&mut self, conn: ConnKey, serialize: SerializeType, header: &Header<'_>) {
        self.counters.inbound_requests += 1;
        if header.is_oneway() {
            return;
        }
        let Some((code, remark)) = reply_to(header) else {
            return;
        };
        let (opaque, language) = (header.opaque, self.language);
        self.net.answer_inbound(conn, &mut self.actions, |out| {
            encode_response(out, serialize, opaque, code, remark.as_deref(), version::CURRENT, language)
                .map(drop)
        });
    }
}

/// Code and remark of the answer; none where Java keeps silent.
fn reply_to(header: &Header<'_>) -> Option<(ResponseCode, Option<String>)> {
    match RequestCode(header.code) {
        // For consumers and transactions; brokers send them one-way, and there is nothing to say.
        RequestCode::CHECK_TRANSACTION_STATE
        | RequestCode::NOTIFY_CONSUMER_IDS_CHANGED
        | RequestCode::RESET_CONSUMER_CLIENT_OFFSET => None,
        // A reply that nobody waits for: taken note of.
        RequestCode::PUSH_REPLY_MESSAGE_TO_CLIENT => Some((ResponseCode::SUCCESS, None)),
        RequestCode::GET_CONSUMER_RUNNING_INFO | RequestCode::CONSUME_MESSAGE_DIRECTLY => {
            let group = header.ext.get("consumerGroup").unwrap_or_default();
            let remark = format!("The Consumer Group <{group}> not exist in this consumer");
            Some((ResponseCode::SYSTEM_ERROR, Some(remark)))
        }
        _ => {
            let remark = format!(" request type {} not supported", header.code);
            Some((ResponseCode::REQUEST_CODE_NOT_SUPPORTED, Some(remark)))
        }
    }
}
