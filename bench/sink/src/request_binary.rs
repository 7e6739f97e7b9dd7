//! Binary headers: fixed offsets, then the ext fields with their lengths.

use crate::request::Head;

/// Code, language, version, opaque, flag and the remark's length.
const FIXED_BYTES: usize = 17;

/// Reads the fixed part of `header` and finds the ext fields.
pub(crate) fn head(header: &[u8]) -> Option<Head<'_>> {
    let (fixed, rest) = header.split_first_chunk::<FIXED_BYTES>()?;
    let code = i16::from_be_bytes([fixed[0], fixed[1]]);
    let opaque = i32::from_be_bytes([fixed[5], fixed[6], fixed[7], fixed[8]]);
    let flag = i32::from_be_bytes([fixed[9], fixed[10], fixed[11], fixed[12]]);
    let remark_bytes = u32::from_be_bytes([fixed[13], fixed[14], fixed[15], fixed[16]]) as usize;
    let (_, after_remark) = rest.split_at_checked(remark_bytes)?;
    let (ext_bytes, ext) = after_remark.split_first_chunk::<4>()?;
    let (ext, _) = ext.split_at_checked(u32::from_be_bytes(*ext_bytes) as usize)?;
    Some(Head { code: i32::from(code), flag, opaque, ext })
}

/// The value of the first ext field called `name`.
pub(crate) fn field<'a>(mut ext: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    loop {
        let (name_bytes, rest) = ext.split_first_chunk::<2>()?;
        let (found, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*name_bytes)))?;
        let (value_bytes, rest) = rest.split_first_chunk::<4>()?;
        let (value, rest) = rest.split_at_checked(u32::from_be_bytes(*value_bytes) as usize)?;
        if found == name {
            return Some(value);
        }
        ext = rest;
    }
}
