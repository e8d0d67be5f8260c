//! The recorder behind `/metrics`: one for the process, whatever is started in it.

use std::sync::LazyLock;
use std::time::Duration;

use anyhow::{Result, anyhow};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use metrics_process::Collector;
use tokio::task::JoinSet;

/// Upper ends of the histograms' buckets, in seconds: from an answer out of memory to a machine from a large image.
const BUCKETS: [f64; 14] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0, 120.0];
/// Between two times that measured values are put into their buckets; until then they are kept one by one.
const UPKEEP: Duration = Duration::from_secs(5);

static RECORDER: LazyLock<Result<Recorder, BuildError>> = LazyLock::new(|| {
    let suffix = Matcher::Suffix("_duration_seconds".to_owned());
    let handle = PrometheusBuilder::new().set_buckets_for_metric(suffix, &BUCKETS)?.install_recorder()?;
    vms_api::describe_metrics();
    let process = Collector::default();
    process.describe();
    Ok(Recorder { handle, process })
});

struct Recorder {
    handle: PrometheusHandle,
    process: Collector,
}

/// Begins to count. What is returned keeps the recorder's memory small, as long as it is kept.
///
/// # Errors
/// Another recorder counts in this process already.
pub(crate) fn start() -> Result<JoinSet<()>> {
    let recorder =
        RECORDER.as_ref().map_err(|error| anyhow!("the recorder of metrics cannot be installed: {error}"))?;
    let mut upkeep = JoinSet::new();
    upkeep.spawn(async {
        let mut now_and_then = tokio::time::interval(UPKEEP);
        loop {
            now_and_then.tick().await;
            recorder.handle.run_upkeep();
        }
    });
    Ok(upkeep)
}

/// The page.
pub(crate) fn render() -> String {
    RECORDER.as_ref().map_or_else(
        |_| String::new(),
        |recorder| {
            recorder.process.collect();
            recorder.handle.render()
        },
    )
}
