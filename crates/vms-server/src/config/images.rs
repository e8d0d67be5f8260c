//! `[images]`: what may be uploaded.

use serde::Deserialize;

/// `[images]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ImagesConfig {
    /// The largest image that may be uploaded, in bytes.
    pub max_upload_bytes: u64,
}

impl Default for ImagesConfig {
    fn default() -> Self {
        Self { max_upload_bytes: 10 << 30 }
    }
}
