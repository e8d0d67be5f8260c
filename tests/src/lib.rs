//! What the suites share.

#[cfg(feature = "real")]
pub mod real;
