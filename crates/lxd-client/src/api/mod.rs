//! One method per endpoint of LXD, by subject.

mod certificates;
mod cluster;
mod images;
mod instances;
mod networks;
mod operations;
mod profiles;
mod server;
mod snapshots;
mod storage;

pub use certificates::certificate_body;
pub use images::ImageUpload;
pub use instances::RebuildSource;
