//! Bodies that other clients compressed, as they were sent.

use bytes::Bytes;
use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;

use super::{Compression, MessageExt};

impl MessageExt {
    /// Inflates a body that was compressed with zlib, unless it would have more than `most` bytes: then, and when it cannot
    /// be inflated, it stays as it is, and [`compression`](MessageExt::compression) tells so.
    pub fn inflate(&mut self, most: usize) {
        if self.compression() == Some(Compression::Zlib)
            && let Ok(plain) = decompress_to_vec_zlib_with_limit(self.message.body(), most)
        {
            // Without the room that is left behind it, which can be twice what came: limits count the body alone.
            self.set_plain_body(Bytes::from(plain.into_boxed_slice()));
        }
    }
}

#[cfg(test)]
#[path = "inflate_tests.rs"]
mod tests;
