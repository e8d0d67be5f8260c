//! What a process costs, as Linux counts it: `/proc/PID/stat` and `/proc/PID/status`.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use crate::stats::number;

/// Processor time so far, at a moment.
#[derive(Debug, Clone, Copy)]
pub struct Used {
    at: Instant,
    processor: Duration,
}

/// Reads the processor time that a process and its threads have used.
///
/// # Errors
/// When there is no such process.
pub fn used(pid: u32) -> Result<Used> {
    let file = format!("/proc/{pid}/stat");
    let text = std::fs::read_to_string(&file).with_context(|| format!("cannot read {file}"))?;
    // The name stands in parentheses and may hold anything; fields 14 and 15 are user and system time, in ticks.
    let (_, fields) = text.rsplit_once(')').with_context(|| format!("{file} is not as expected"))?;
    let ticks: u64 =
        fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    let seconds = number(ticks) / number(rustix::param::clock_ticks_per_second());
    Ok(Used { at: Instant::now(), processor: Duration::try_from_secs_f64(seconds)? })
}

impl Used {
    /// Processors in use since `earlier`, on average, in percent: 100 is one of them, all the time.
    pub fn percent_since(self, earlier: Self) -> f64 {
        let time = self.at.saturating_duration_since(earlier.at).as_secs_f64().max(0.001);
        self.processor.saturating_sub(earlier.processor).as_secs_f64() / time * 100.0
    }
}

/// Memory of a process, in MiB.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    /// Resident now (`VmRSS`).
    pub now: f64,
    /// Resident at most, so far (`VmHWM`).
    pub peak: f64,
}

/// Reads a process' memory.
///
/// # Errors
/// When there is no such process.
pub fn memory(pid: u32) -> Result<Memory> {
    let file = format!("/proc/{pid}/status");
    let text = std::fs::read_to_string(&file).with_context(|| format!("cannot read {file}"))?;
    let mib = |key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(key))?;
        let kib: u32 = line.trim_start_matches(':').trim().strip_suffix(" kB")?.parse().ok()?;
        Some(f64::from(kib) / 1024.0)
    };
    let what = || format!("{file} is not as expected");
    Ok(Memory { now: mib("VmRSS").with_context(what)?, peak: mib("VmHWM").with_context(what)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_memory_and_time() {
        let before = used(std::process::id()).unwrap();
        let since = Instant::now();
        while since.elapsed() < Duration::from_millis(200) {
            std::hint::spin_loop();
        }
        let memory = memory(std::process::id()).unwrap();
        assert!(used(std::process::id()).unwrap().percent_since(before) > 1.0);
        assert!(memory.now > 0.5 && memory.peak >= memory.now, "{memory:?}");
    }
}
