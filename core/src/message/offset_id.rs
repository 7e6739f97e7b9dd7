//! Offset message ids: the ids that brokers make (`msgId` of a send response).

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use core::str::FromStr;

use super::hex;

/// Longest id in bytes.
const MAX_LEN: usize = 64;
/// Digits of an id with an IPv4 and with an IPv6 address.
const IPV4_DIGITS: usize = 32;
const IPV6_DIGITS: usize = 56;
/// Digits of the port (4 bytes) and of the commit log offset (8 bytes).
const PORT_DIGITS: usize = 8;
const OFFSET_DIGITS: usize = 16;

/// The id a broker gives to a stored message: where it stands in which broker's commit log.
///
/// Written as the hexadecimal digits of the broker's address (4 or 16 bytes), its port (4 bytes) and
/// the offset in its commit log (8 bytes). Another text that a server sends, up to 64 bytes, is kept
/// as it is; its parts are then unknown.
#[doc(alias = "offsetMsgId")]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OffsetMessageId {
    // Text, then zeros: so the derived order is the order of the texts.
    text: [u8; MAX_LEN],
    len: u8,
}

/// Why a text is no offset message id. The message is stored all the same: only its place is
/// unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OffsetMessageIdError {
    /// The text is empty.
    #[error("the offset message id is empty; look the message up by its unique key")]
    Empty,
    /// The text is longer than any id of one message.
    #[error(
        "the offset message id has {len} bytes, at most {MAX_LEN} are read; look the message up by its unique key"
    )]
    TooLong {
        /// Length of the text in bytes.
        len: usize,
    },
}

impl OffsetMessageId {
    /// The id of the message at `commit_log_offset` of the broker that listens at `store`.
    #[doc(alias = "createMessageId")]
    #[must_use]
    pub fn new(store: SocketAddr, commit_log_offset: i64) -> OffsetMessageId {
        let mut bytes = [0; IPV6_DIGITS / 2];
        let address_len = match store.ip() {
            IpAddr::V4(v4) => {
                bytes[..4].copy_from_slice(&v4.octets());
                4
            }
            IpAddr::V6(v6) => {
                bytes[..16].copy_from_slice(&v6.octets());
                16
            }
        };
        let (port_at, offset_at) = (address_len, address_len + 4);
        let end = offset_at + 8;
        bytes[port_at..offset_at].copy_from_slice(&u32::from(store.port()).to_be_bytes());
        bytes[offset_at..end].copy_from_slice(&commit_log_offset.to_be_bytes());
        let mut text = [0; MAX_LEN];
        hex::write_upper(&bytes[..end], &mut text[..end * 2]);
        OffsetMessageId { text, len: (end * 2) as u8 }
    }

    /// Reads the `msgId` of a response.
    ///
    /// # Errors
    /// An empty text, and one of more than 64 bytes, such as the joined ids of a batch.
    pub fn parse(text: &str) -> Result<OffsetMessageId, OffsetMessageIdError> {
        Self::parse_utf8(text.as_bytes())
    }

    /// The same for bytes that are known to be UTF-8.
    pub(crate) fn parse_utf8(text: &[u8]) -> Result<OffsetMessageId, OffsetMessageIdError> {
        if text.is_empty() {
            return Err(OffsetMessageIdError::Empty);
        }
        let too_long = OffsetMessageIdError::TooLong { len: text.len() };
        let len = u8::try_from(text.len()).map_err(|_| too_long)?;
        let mut id = OffsetMessageId { text: [0; MAX_LEN], len };
        let target = id.text.get_mut(..text.len()).ok_or(too_long)?;
        target.copy_from_slice(text);
        Ok(id)
    }

    /// The id as text, as the server wrote it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(self.bytes()).unwrap_or("")
    }

    /// Address and port of the broker that stored the message. `None` if the id has another form.
    #[must_use]
    pub fn store_address(&self) -> Option<SocketAddr> {
        let address_len = self.address_digits()?;
        let digits = self.bytes();
        let address = hex::read(digits.get(..address_len)?)?;
        let port = hex::read(digits.get(address_len..address_len + PORT_DIGITS)?)?;
        let ip = match u32::try_from(address) {
            Ok(v4) if digits.len() == IPV4_DIGITS => IpAddr::V4(Ipv4Addr::from(v4)),
            _ => IpAddr::V6(Ipv6Addr::from(address)),
        };
        Some(SocketAddr::new(ip, u16::try_from(port).ok()?))
    }

    /// Where the message begins in the broker's commit log, in bytes. `None` if the id has another
    /// form.
    #[doc(alias = "commitLogOffset")]
    #[must_use]
    pub fn commit_log_offset(&self) -> Option<i64> {
        let at = self.address_digits()?.checked_add(PORT_DIGITS)?;
        let offset = hex::read(self.bytes().get(at..)?)?;
        // 16 digits are 64 bits; Java reads them as a signed number.
        u64::try_from(offset).ok().map(u64::cast_signed)
    }

    /// How many digits the address has. `None`: not the form of an id.
    fn address_digits(&self) -> Option<usize> {
        let digits = self.bytes();
        let fits =
            matches!(digits.len(), IPV4_DIGITS | IPV6_DIGITS) && digits.iter().all(u8::is_ascii_hexdigit);
        fits.then(|| digits.len().saturating_sub(PORT_DIGITS + OFFSET_DIGITS))
    }

    fn bytes(&self) -> &[u8] {
        self.text.get(..usize::from(self.len)).unwrap_or(&[])
    }
}

impl FromStr for OffsetMessageId {
    type Err = OffsetMessageIdError;
    fn from_str(text: &str) -> Result<OffsetMessageId, OffsetMessageIdError> {
        OffsetMessageId::parse(text)
    }
}

impl AsRef<str> for OffsetMessageId {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for OffsetMessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for OffsetMessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
#[path = "offset_id_tests.rs"]
mod tests;
