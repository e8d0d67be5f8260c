//! The `vms` program. Everything is in the library; this hands over the command line.

use clap::Parser as _;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    vms_server::commands::Cli::parse().run().await
}
