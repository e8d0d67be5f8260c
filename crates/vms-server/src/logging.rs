//! The server's log, on standard error: lines for people, or JSON for programs.

use anyhow::{Context as _, Result};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

use crate::config::{LogConfig, LogFormat};

/// The filter that `[log] level` stands for.
pub(crate) fn filter(level: &str) -> Result<EnvFilter, ParseError> {
    EnvFilter::try_new(level)
}

/// Begins to log. Once per process.
///
/// # Errors
/// A level that is no filter, or a log that was started before.
pub fn start_logging(config: &LogConfig) -> Result<()> {
    let filter =
        filter(&config.level).with_context(|| format!("[log] level: {:?} is no filter", config.level))?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match config.format {
        LogFormat::Text => builder.with_ansi(false).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    started.map_err(|error| anyhow::anyhow!("the log cannot be started: {error}"))
}
