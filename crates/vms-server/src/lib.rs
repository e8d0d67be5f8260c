//! The `vms` program: configuration, command line, and the wiring of all parts.
//!
//! * [`Config`] is `vms.toml` with the environment over it; what is wrong is said by key.
//! * [`Server`] is everything put together and listening. [`run`] runs it until a signal comes; tests start one in their
//!   own process, on port 0, and stop it by hand.
//! * [`commands`] are the subcommands.

pub mod commands;
mod config;
mod logging;
mod metrics;
mod server;

pub use config::{
    Config, DatabaseConfig, HttpConfig, LogConfig, LogFormat, LxdConfig, MachinesConfig, OverviewConfig,
    QuotaConfig, SiteConfig, TokensConfig,
};
pub use logging::start_logging;
pub use server::{Server, run};
