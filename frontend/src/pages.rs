//! The pages: logging in, one's machines, and what only administrators have.

pub(crate) mod all_machines;
pub(crate) mod audit;
pub(crate) mod login;
pub(crate) mod machines;
