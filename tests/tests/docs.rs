//! What strangers read is true: links lead somewhere, lists are complete, and the examples of the API guide do what they say.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[path = "docs/book.rs"]
mod book;
#[path = "docs/examples.rs"]
mod examples;
#[path = "docs/pages.rs"]
mod pages;
#[path = "docs/portal.rs"]
mod portal;
