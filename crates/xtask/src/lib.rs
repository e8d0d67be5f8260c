//! Repository tooling: what `cargo xtask` can do, and the lab of real parts that the tests stand on.

pub mod apt;
pub mod build;
pub mod checks;
pub mod ci;
pub mod demo;
pub mod directory;
pub mod lab;
mod precompress;
pub mod proc;
pub mod repo;
pub mod suites;
pub mod toolchain;
pub mod ui;
pub mod vms_toml;
