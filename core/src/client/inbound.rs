//! Requests that servers send to us over our own connections.

use super::Client;
use crate::command::{RequestCode, ResponseCode, version};
use crate::message::{MessageExt, Properties, names};
use crate::net::ConnKey;
use crate::request::{
    ConsumeMessageDirectlyRequestHeader, GetConsumerRunningInfoRequestHeader, GetConsumerStatusRequestHeader,
    ReplyMessageRequestHeader,
};
use crate::wire::{Header, RawFrame, ResponseHead, encode_response};
use alloc::format;
use alloc::string::{String, ToString};

/// The offsets of a consumer that has none (`GetConsumerStatusBody`).
const NO_OFFSETS: &[u8] = br#"{"consumerTable":{},"messageQueueTable":{}}"#;

/// What is answered.
struct Reply {
    code: ResponseCode,
    remark: Option<String>,
    body: &'static [u8],
}

impl Client {
    /// Answers a request of a server the way the Java client does. One-way requests never get an answer.
    pub(super) fn inbound(&mut self, conn: ConnKey, frame: &RawFrame<'_>, header: &Header<'_>) {
        self.counters.inbound_requests += 1;
        if RequestCode(header.code) == RequestCode::CHECK_TRANSACTION_STATE {
            // Never answered itself, also when a proxy does not say that it is one-way.
            if let Some(link) = self.net.link_of(conn) {
                let (producers, mut cx) = self.producing();
                producers.checked(&mut cx, link, header, frame.body);
            }
            return;
        }
        if header.is_oneway() {
            return;
        }
        let Some(Reply { code, remark, body }) = reply_to(header, frame.body) else {
            return;
        };
        let (opaque, language, serialize) = (header.opaque, self.language, frame.serialize);
        let remark = remark.as_deref();
        let head = ResponseHead { code, opaque, remark, version: version::CURRENT, language };
        self.net.answer_inbound(conn, &mut self.actions, |out| {
            encode_response(out, serialize, &head, body).map(drop)
        });
    }
}

/// The answer to a request that wants one; none where Java keeps silent.
fn reply_to(header: &Header<'_>, body: &[u8]) -> Option<Reply> {
    Some(match RequestCode(header.code) {
        // For consumers; brokers send them one-way, and there is nothing to say.
        RequestCode::NOTIFY_CONSUMER_IDS_CHANGED | RequestCode::RESET_CONSUMER_CLIENT_OFFSET => return None,
        RequestCode::PUSH_REPLY_MESSAGE_TO_CLIENT => pushed_reply(header),
        RequestCode::GET_CONSUMER_STATUS_FROM_CLIENT => {
            match GetConsumerStatusRequestHeader::read(&header.ext) {
                Ok(_) => Reply { code: ResponseCode::SUCCESS, remark: None, body: NO_OFFSETS },
                Err(error) => refused(error.to_string()),
            }
        }
        RequestCode::GET_CONSUMER_RUNNING_INFO => {
            match GetConsumerRunningInfoRequestHeader::read(&header.ext) {
                Ok(asked) => no_consumer(&asked.consumer_group),
                Err(error) => refused(error.to_string()),
            }
        }
        RequestCode::CONSUME_MESSAGE_DIRECTLY => consume_directly(header, body),
        _ => Reply {
            code: ResponseCode::REQUEST_CODE_NOT_SUPPORTED,
            remark: Some(format!(" request type {} not supported", header.code)),
            body: b"",
        },
    })
}

/// A reply that nobody waits for is taken note of, as Java does with one that comes late; one that does not say to which
/// request it belongs is not.
fn pushed_reply(header: &Header<'_>) -> Reply {
    let reply = match ReplyMessageRequestHeader::read(&header.ext) {
        Ok(reply) => reply,
        Err(error) => return refused(error.to_string()),
    };
    let properties = Properties::parse(reply.properties.as_deref().unwrap_or_default());
    match properties.get(names::CORRELATION_ID) {
        Some(_) => Reply { code: ResponseCode::SUCCESS, remark: None, body: b"" },
        None => refused("process reply message fail".to_string()),
    }
}

/// There is no consumer; but who sends what is no message learns that first.
fn consume_directly(header: &Header<'_>, mut body: &[u8]) -> Reply {
    let asked = match ConsumeMessageDirectlyRequestHeader::read(&header.ext) {
        Ok(asked) => asked,
        Err(error) => return refused(error.to_string()),
    };
    match MessageExt::read(&mut body) {
        Ok(_) => no_consumer(&asked.consumer_group),
        Err(error) => refused(error.to_string()),
    }
}

fn no_consumer(group: &str) -> Reply {
    refused(format!("The Consumer Group <{group}> not exist in this consumer"))
}

fn refused(remark: String) -> Reply {
    Reply { code: ResponseCode::SYSTEM_ERROR, remark: Some(remark), body: b"" }
}
