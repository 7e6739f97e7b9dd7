//! The rules of this repository that no compiler keeps: floors, dependencies, forbidden words, sizes, and tables of the
//! documents that must agree with the code.
//!
//! Each rule is a function from text to complaints. One test applies it to the repository, another one shows on bad
//! text that it can fail.

#[path = "tidy/crates.rs"]
mod crates;
#[path = "tidy/documents.rs"]
mod documents;
#[path = "tidy/floors.rs"]
mod floors;
#[path = "tidy/lexer.rs"]
mod lexer;
#[path = "tidy/repository.rs"]
mod repository;
#[path = "tidy/request_codes.rs"]
mod request_codes;
#[path = "tidy/sizes.rs"]
mod sizes;
#[path = "tidy/words.rs"]
mod words;

/// Fails with all complaints, one to a line.
#[track_caller]
fn none(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}
