//! The messages in the body of a batch.

/// Total size, magic number, checksum, flag and the body's length, 4 bytes each.
const BEFORE_BODY: usize = 20;

/// The properties of each message, up to the first one that is not whole.
pub(crate) fn properties(mut body: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (size, _) = body.split_first_chunk::<4>()?;
        let (message, rest) = body.split_at_checked(u32::from_be_bytes(*size) as usize)?;
        body = rest;
        let (fixed, rest) = message.split_first_chunk::<BEFORE_BODY>()?;
        let body_bytes = u32::from_be_bytes([fixed[16], fixed[17], fixed[18], fixed[19]]) as usize;
        let (_, rest) = rest.split_at_checked(body_bytes)?;
        let (properties_bytes, properties) = rest.split_first_chunk::<2>()?;
        properties.get(..usize::from(u16::from_be_bytes(*properties_bytes)))
    })
}
