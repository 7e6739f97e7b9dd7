//! JSON requests: six texts that are the same for all messages, five values in between, the body.

use crate::encode::{CODE, Common, Encoder, GROUP, Own, VERSION};
use crate::unique_id::UniqueIds;

/// Writes requests of one route.
pub(crate) struct JsonEncoder {
    to_queue: Vec<u8>,
    to_key: Vec<u8>,
    to_unique_id: Vec<u8>,
    to_opaque: Vec<u8>,
    /// The end of the header, and the body.
    to_end: Vec<u8>,
    header_end_bytes: usize,
}

impl Encoder for JsonEncoder {
    fn new(common: &Common<'_>) -> Self {
        let Common { topic, broker_name, body } = common;
        let process = UniqueIds::process_digits();
        let process = String::from_utf8_lossy(&process);
        let header_end = format!(",\"serializeTypeCurrentRPC\":\"JSON\",\"version\":{VERSION}}}");
        Self {
            to_queue: format!(
                "{{\"code\":{CODE},\"extFields\":{{\"a\":\"{GROUP}\",\"b\":\"{topic}\",\
                \"c\":\"TBW102\",\"d\":\"4\",\"f\":\"0\",\"j\":\"0\",\"k\":\"false\",\
                \"m\":\"false\",\"n\":\"{broker_name}\",\"e\":\""
            )
            .into(),
            to_key: b"\",\"i\":\"KEYS\\u0001k".into(),
            to_unique_id: format!("\\u0002UNIQ_KEY\\u0001{process}").into(),
            to_opaque: concat!(
                r#"\u0002WAIT\u0001true\u0002TAGS\u0001TagA\u0002"},"#,
                r#""flag":0,"language":"RUST","opaque":"#,
            )
            .into(),
            header_end_bytes: header_end.len(),
            to_end: [header_end.as_bytes(), body].concat(),
        }
    }

    #[inline]
    fn encode(&self, out: &mut Vec<u8>, own: &Own) {
        let mut digits = itoa::Buffer::new();
        let start = out.len();
        out.extend_from_slice(&[0; 8]);
        out.extend_from_slice(&self.to_queue);
        out.extend_from_slice(digits.format(own.queue_id).as_bytes());
        out.extend_from_slice(b"\",\"h\":\"0\",\"g\":\"");
        out.extend_from_slice(&own.born);
        out.extend_from_slice(&self.to_key);
        out.extend_from_slice(digits.format(own.key).as_bytes());
        out.extend_from_slice(&self.to_unique_id);
        out.extend_from_slice(&own.unique_id);
        out.extend_from_slice(&self.to_opaque);
        out.extend_from_slice(digits.format(own.opaque as i32).as_bytes());
        let header_bytes = out.len() - start - 8 + self.header_end_bytes;
        out.extend_from_slice(&self.to_end);
        // The type byte of JSON is 0, so it is part of the header's length.
        let frame_bytes = ((out.len() - start - 4) as u32).to_be_bytes();
        out[start..start + 4].copy_from_slice(&frame_bytes);
        out[start + 4..start + 8].copy_from_slice(&(header_bytes as u32).to_be_bytes());
    }
}
