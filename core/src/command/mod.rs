//! The vocabulary of commands: request and response codes, languages, versions, typed headers.

mod code;
mod fields;
mod language;
mod request_code;
mod response_code;
pub mod version;

pub(crate) use fields::header;
pub use fields::{FieldError, ReadField, WriteField};
pub use language::LanguageCode;
pub use request_code::RequestCode;
pub use response_code::ResponseCode;
