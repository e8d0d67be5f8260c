//! Checks of the repository itself, which no compiler makes: who may use whom, and what must not stand in a file.

pub mod deps;
pub mod files;
pub mod openapi;
