//! The thesis' way: a shell script that gives LXD one command after another. And LXD's own benchmark.

use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use xtask::lab::Lxd;
use xtask::proc;

use super::{Series, Way, Work, at_rest, settle};
use crate::target::Target;

/// All four works, one command at a time.
///
/// # Errors
/// When a command fails.
pub async fn run(target: &Target, lxd: &Lxd, count: usize) -> Result<Way> {
    let mut way = Way::default();
    settle()?;
    for (work, series) in Work::ALL.into_iter().zip(&mut way) {
        *series = script(lxd, count, &command(work, lxd.image_alias())).await.context(work.name())?;
        if work == Work::Create {
            at_rest(target).await?;
        }
    }
    Ok(way)
}

fn command(work: Work, image: &str) -> String {
    match work {
        Work::Create => format!("lxc launch --quiet {image} bench$n"),
        Work::Snapshot => "lxc snapshot bench$n antes".to_owned(),
        Work::Restore => "lxc restore bench$n antes".to_owned(),
        Work::Remove => "lxc delete --force bench$n".to_owned(),
    }
}

/// Runs one command for each `$n` and notes when each was done.
async fn script(lxd: &Lxd, count: usize, command: &str) -> Result<Series> {
    let text =
        format!("for n in $(seq {count}); do {command} </dev/null >/dev/null || exit 1; echo $n; done");
    let since = Instant::now();
    let mut child = tokio::process::Command::from(environment(lxd, Command::new("sh")))
        .args(["-c", &text])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .context("cannot start sh")?;
    let mut done = BufReader::new(child.stdout.take().context("no output")?).lines();
    let mut series = Series::new();
    while done.next_line().await?.is_some() {
        series.push(since.elapsed().as_secs_f64());
    }
    let status = child.wait().await?;
    ensure!(status.success() && series.len() == count, "`{command}` failed after {} times", series.len());
    Ok(series)
}

/// Runs `lxd-benchmark`.
///
/// # Errors
/// When it fails.
pub fn benchmark(lxd: &Lxd, arguments: &[&str]) -> Result<()> {
    let mut command = environment(lxd, Command::new("timeout"));
    proc::output(command.args(["300", "lxd-benchmark"]).args(arguments)).map(drop)
}

fn environment(lxd: &Lxd, mut command: Command) -> Command {
    command.env("LXD_DIR", lxd.dir()).env("LXD_CONF", lxd.dir().join("client")).current_dir(lxd.dir());
    command
}
