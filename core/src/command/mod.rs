//! The vocabulary of commands: request and response codes, languages, versions.

mod code;
mod language;
mod request_code;
mod response_code;
pub mod version;

pub use language::LanguageCode;
pub use request_code::RequestCode;
pub use response_code::ResponseCode;

#[cfg(test)]
mod tests;
