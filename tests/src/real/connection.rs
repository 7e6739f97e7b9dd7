//! One blocking connection to a real server, with JSON headers.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::RealError;

/// Longer than any answer takes on a loaded machine; a stopped server is noticed after it.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

/// The size Java's frame decoder allows, its own length bytes included.
const LARGEST_FRAME: usize = 16 * 1024 * 1024;

/// Name servers of 4.9 write routes as strict JSON for clients from this version on (`V4_9_4`).
const VERSION: i32 = 401;

/// A blocking connection to one name server or broker: one request at a time.
#[derive(Debug)]
pub struct ServerConnection {
    address: String,
    stream: TcpStream,
    opaque: i32,
}

/// The answer to one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The response code; 0 is success.
    pub code: i32,
    /// The text that came with it, empty if none did.
    pub remark: String,
    /// The fields of the custom header (`extFields`).
    pub fields: BTreeMap<String, String>,
    /// The body.
    pub body: Vec<u8>,
}

impl ServerConnection {
    /// Connects to `address`, of the form `host:port`.
    pub fn open(address: &str) -> Result<Self, RealError> {
        let failed = || format!("connecting to {address}");
        let target = address
            .to_socket_addrs()
            .and_then(|mut all| all.next().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound)))
            .map_err(RealError::io(failed()))?;
        let stream = TcpStream::connect_timeout(&target, ANSWER_LIMIT).map_err(RealError::io(failed()))?;
        stream
            .set_nodelay(true)
            .and_then(|()| stream.set_read_timeout(Some(ANSWER_LIMIT)))
            .and_then(|()| stream.set_write_timeout(Some(ANSWER_LIMIT)))
            .map_err(RealError::io(failed()))?;
        Ok(Self { address: address.to_owned(), stream, opaque: 0 })
    }

    /// The address this is connected to.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Sends a request and waits for its answer, whatever its code.
    pub fn ask(&mut self, code: i32, fields: &[(&str, &str)], body: &[u8]) -> Result<Answer, RealError> {
        self.opaque = self.opaque.wrapping_add(1);
        let frame = encode_request(code, self.opaque, fields, body)?;
        let action = format!("request {code} to {}", self.address);
        self.stream.write_all(&frame).map_err(RealError::io(action.clone()))?;
        loop {
            let frame = read_frame(&mut self.stream).map_err(RealError::io(action.clone()))?;
            // A request of the server's own, or an answer nobody waits for, is not ours.
            if let Some(answer) = decode_answer(&frame, self.opaque)? {
                return Ok(answer);
            }
        }
    }

    /// Like [`ask`](Self::ask), but any answer other than code 0 is an error.
    pub fn call(&mut self, code: i32, fields: &[(&str, &str)], body: &[u8]) -> Result<Answer, RealError> {
        let answer = self.ask(code, fields, body)?;
        if answer.code == 0 { Ok(answer) } else { Err(self.refused(code, answer)) }
    }

    pub(super) fn refused(&self, request: i32, answer: Answer) -> RealError {
        RealError::Refused { server: self.address.clone(), request, code: answer.code, remark: answer.remark }
    }
}

impl Answer {
    /// A field of the answer's header, read as a number.
    pub fn number(&self, field: &str) -> Result<i64, RealError> {
        let text = self.fields.get(field).map_or("", String::as_str);
        text.parse().map_err(|_| {
            RealError::malformed(format!("field {field} of an answer"), format_args!("{text:?}"))
        })
    }
}

fn encode_request(
    code: i32,
    opaque: i32,
    fields: &[(&str, &str)],
    body: &[u8],
) -> Result<Vec<u8>, RealError> {
    let fields: Map<String, Value> =
        fields.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    let header = json!({
        "code": code, "language": "RUST", "version": VERSION, "opaque": opaque, "flag": 0,
        "serializeTypeCurrentRPC": "JSON", "extFields": fields,
    })
    .to_string();
    let total = 4 + header.len() + body.len();
    if total + 4 > LARGEST_FRAME {
        return Err(RealError::malformed("a request", "larger than a frame may be"));
    }
    let too_long = |_| RealError::malformed("a request", "length does not fit");
    let mut frame = Vec::with_capacity(total + 4);
    frame.extend_from_slice(&u32::try_from(total).map_err(too_long)?.to_be_bytes());
    // The high byte would be the serialize type, which is 0 for JSON.
    frame.extend_from_slice(&u32::try_from(header.len()).map_err(too_long)?.to_be_bytes());
    frame.extend_from_slice(header.as_bytes());
    frame.extend_from_slice(body);
    Ok(frame)
}

/// Reads what follows the length of one frame.
fn read_frame(stream: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if !(4..=LARGEST_FRAME).contains(&length) {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("a frame of {length} bytes")));
    }
    let mut frame = vec![0; length];
    stream.read_exact(&mut frame)?;
    Ok(frame)
}

/// The answer in `frame`, or nothing if the frame is not the answer to request `opaque`.
fn decode_answer(frame: &[u8], opaque: i32) -> Result<Option<Answer>, RealError> {
    let malformed = |reason: &str| RealError::malformed("an answer", reason);
    let (lengths, rest) = frame.split_first_chunk::<4>().ok_or_else(|| malformed("no header length"))?;
    let [serialize_type, length @ ..] = *lengths;
    if serialize_type != 0 {
        return Err(malformed("the header is not JSON"));
    }
    let length = length.iter().fold(0, |sum, byte| (sum << 8) | usize::from(*byte));
    let (header, body) =
        rest.split_at_checked(length).ok_or_else(|| malformed("header longer than the frame"))?;
    let header: Value = serde_json::from_slice(header).map_err(|e| RealError::malformed("a header", e))?;
    let number = |name: &str| header.get(name).and_then(Value::as_i64).ok_or_else(|| malformed(name));
    if number("flag")? & 1 == 0 || number("opaque")? != i64::from(opaque) {
        return Ok(None);
    }
    let fields = header.get("extFields").and_then(Value::as_object).into_iter().flatten();
    Ok(Some(Answer {
        code: i32::try_from(number("code")?).map_err(|_| malformed("code out of range"))?,
        remark: header.get("remark").and_then(Value::as_str).unwrap_or_default().to_owned(),
        fields: fields.map(|(name, value)| (name.clone(), text_of(value))).collect(),
        body: body.to_vec(),
    }))
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(header: &str, body: &[u8]) -> Vec<u8> {
        let mut frame = u32::try_from(header.len()).unwrap().to_be_bytes().to_vec();
        frame.extend_from_slice(header.as_bytes());
        frame.extend_from_slice(body);
        frame
    }

    #[test]
    fn a_request_has_its_lengths_and_fields() {
        let bytes = encode_request(30, 7, &[("topic", "T"), ("queueId", "3")], b"xy").unwrap();
        let inner = read_frame(&mut bytes.as_slice()).unwrap();
        assert_eq!(inner.len() + 4, bytes.len());
        let length = usize::from(inner[2]) * 256 + usize::from(inner[3]);
        let header: Value = serde_json::from_slice(&inner[4..4 + length]).unwrap();
        assert_eq!(header["code"], 30);
        assert_eq!(header["opaque"], 7);
        assert_eq!(header["extFields"], json!({"topic": "T", "queueId": "3"}));
        assert_eq!(&inner[4 + length..], b"xy");
    }

    #[test]
    fn an_answer_is_taken_only_for_its_request() {
        let text =
            r#"{"code":0,"extFields":{"offset":"6"},"flag":1,"language":"JAVA","opaque":126,"version":513}"#;
        let answer = decode_answer(&frame(text, b"b"), 126).unwrap().unwrap();
        assert_eq!((answer.code, answer.number("offset").unwrap(), answer.body), (0, 6, b"b".to_vec()));
        assert_eq!(decode_answer(&frame(text, b""), 125).unwrap(), None);
        let request = text.replace(r#""flag":1"#, r#""flag":0"#);
        assert_eq!(decode_answer(&frame(&request, b""), 126).unwrap(), None);
    }

    #[test]
    fn broken_frames_are_errors() {
        assert!(decode_answer(&[0, 0, 0], 1).is_err());
        assert!(decode_answer(&[0, 0, 0, 9, b'{'], 1).is_err());
        assert!(decode_answer(&[1, 0, 0, 2, b'{', b'}'], 1).is_err());
        assert!(read_frame(&mut [0xFF; 8].as_slice()).is_err());
        assert!(read_frame(&mut [0, 0, 0, 9, 1].as_slice()).is_err());
    }
}
