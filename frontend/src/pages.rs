//! The pages: logging in, one's machines, what only administrators have, and the frame around them.

pub(crate) mod admin;
pub(crate) mod login;
pub(crate) mod machines;
pub(crate) mod shell;
