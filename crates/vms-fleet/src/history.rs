//! What servers and machines have used lately: short histories that never grow beyond a bound.
//!
//! LXD counts (seconds of CPU, bytes of network) and says how things stand (memory, disk). From two readings comes a
//! rate. The latest pair gives what is used *now*; a pair that is [`STEP`] apart gives a point of the history, so that a
//! point is the mean of its minute however often LXD is asked.
//!
//! A point has 64 bytes. A machine keeps [`MACHINE_POINTS`] of them (two hours, less than 8 KiB), a server
//! [`SERVER_POINTS`] (four hours, less than 16 KiB): a thousand machines cost 8 MiB, and no more however long the
//! portal runs. What is older than that is forgotten, and so is a machine that is gone.

use std::collections::VecDeque;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;
use uuid::Uuid;
use vms_types::UsagePoint;

use crate::exposition::Reading;

/// From one point of a history to the next.
pub const STEP: Duration = Duration::from_secs(60);
/// Two readings this far apart make a point: readings come when they come, a little before the minute is full too.
const NEARLY: Duration = Duration::from_secs(55);
/// LXD answers with the same figures for 8 s. Counters that stand still for less than this may be those again.
const LXD_KEEPS: Duration = Duration::from_secs(9);
/// Points that are kept of a machine.
pub const MACHINE_POINTS: usize = 120;
/// Points that are kept of a server.
pub const SERVER_POINTS: usize = 240;

/// The latest points, oldest first.
#[derive(Debug, Clone)]
pub(crate) struct Series {
    points: VecDeque<UsagePoint>,
    capacity: usize,
}

impl Series {
    pub const fn new(capacity: usize) -> Self {
        Self { points: VecDeque::new(), capacity }
    }

    pub fn points(&self) -> Vec<UsagePoint> {
        self.points.iter().cloned().collect()
    }

    fn push(&mut self, point: UsagePoint) {
        while self.points.len() >= self.capacity {
            self.points.pop_front();
        }
        self.points.push_back(point);
    }

    /// Forgets what is older than the whole history can be: a machine that is off gets no new points.
    pub fn forget(&mut self, now: DateTime<Utc>) {
        let minutes = i64::try_from(self.capacity).unwrap_or(i64::MAX);
        let oldest = TimeDelta::try_minutes(minutes).and_then(|age| now.checked_sub_signed(age));
        while self.points.front().is_some_and(|point| oldest.is_some_and(|oldest| point.at < oldest)) {
            self.points.pop_front();
        }
    }
}

/// A reading and when it was taken: by the clock that never jumps for rates, by the calendar to be shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Taken {
    pub moment: Instant,
    pub at: DateTime<Utc>,
    pub reading: Reading,
    /// Bytes in use on its disk, where that is known.
    pub disk_bytes: Option<u64>,
}

/// What is known of one machine or server.
#[derive(Debug)]
pub(crate) struct Track {
    /// The machine it is; the name may be given to another one.
    id: Option<Uuid>,
    last: Option<Taken>,
    /// The reading from which the next point is reckoned.
    marked: Option<Taken>,
    now: Option<UsagePoint>,
    pub series: Series,
}

impl Track {
    pub const fn new(id: Option<Uuid>, capacity: usize) -> Self {
        Self { id, last: None, marked: None, now: None, series: Series::new(capacity) }
    }

    pub fn is(&self, id: Option<Uuid>) -> bool {
        self.id == id
    }

    /// What it uses now; `None` until there are two readings.
    pub const fn now(&self) -> Option<&UsagePoint> {
        self.now.as_ref()
    }

    /// Takes in a reading of something that may use so many CPUs; gives how much its counters have grown.
    pub fn take(&mut self, taken: Taken, cpus: f64) -> Reading {
        let grown = self.last.map(|last| growth(&last.reading, &taken.reading)).unwrap_or_default();
        let young = |last: &Taken| taken.moment.saturating_duration_since(last.moment) < LXD_KEEPS;
        if grown == Reading::default() && self.last.as_ref().is_some_and(young) {
            return grown;
        }
        self.now = self.last.as_ref().and_then(|before| point(before, &taken, cpus));
        self.last = Some(taken);
        let marked = *self.marked.get_or_insert(taken);
        // The first comes at once: who opens a chart of a new machine need not wait for its minute.
        let whole =
            self.series.points.is_empty() || taken.moment.saturating_duration_since(marked.moment) >= NEARLY;
        match point(&marked, &taken, cpus) {
            Some(point) if whole => {
                self.series.push(point);
                self.marked = Some(taken);
            }
            Some(_) => {}
            // Its counters began anew: it was restarted, and the minute begins here.
            None => self.marked = Some(taken),
        }
        grown
    }

    /// It is off: what comes next has nothing to do with what was.
    pub fn pause(&mut self) {
        (self.last, self.marked, self.now) = (None, None, None);
    }
}

/// How much the counters have grown; by nothing if they began anew.
fn growth(before: &Reading, after: &Reading) -> Reading {
    let grown = |before: f64, after: f64| (after - before).max(0.0);
    Reading {
        cpu_seconds: grown(before.cpu_seconds, after.cpu_seconds),
        received_bytes: grown(before.received_bytes, after.received_bytes),
        sent_bytes: grown(before.sent_bytes, after.sent_bytes),
        ..Reading::default()
    }
}

/// What was used between two readings; `None` if no time passed, or a counter fell.
fn point(before: &Taken, after: &Taken, cpus: f64) -> Option<UsagePoint> {
    let seconds = after.moment.saturating_duration_since(before.moment).as_secs_f64();
    let rate = |before: f64, after: f64| {
        let grown = after - before;
        (seconds > 0.0 && grown >= 0.0).then(|| grown / seconds)
    };
    let (a, b) = (&before.reading, &after.reading);
    let cpu = rate(a.cpu_seconds, b.cpu_seconds)?;
    Some(UsagePoint {
        at: after.at,
        cpu: if cpus > 0.0 { (cpu / cpus).clamp(0.0, 1.0) } else { 0.0 },
        memory_bytes: whole(b.memory_bytes),
        disk_bytes: after.disk_bytes,
        // An interface that was taken away takes its count with it; that is no reason to start anew.
        received_bytes_per_second: whole(rate(a.received_bytes, b.received_bytes).unwrap_or_default()),
        sent_bytes_per_second: whole(rate(a.sent_bytes, b.sent_bytes).unwrap_or_default()),
    })
}

/// A number of bytes without its fraction; what is none is 0.
pub(crate) fn whole(value: f64) -> u64 {
    Duration::try_from_secs_f64(value).map_or(0, |whole| whole.as_secs())
}

/// A count as a number to divide by. Exact below 2^53.
pub(crate) fn float(count: u64) -> f64 {
    Duration::from_secs(count).as_secs_f64()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn taken(start: Instant, seconds: u64, cpu: f64, received: f64) -> Taken {
        Taken {
            moment: start + Duration::from_secs(seconds),
            at: DateTime::from_timestamp(1_800_000_000 + i64::try_from(seconds).unwrap(), 0).unwrap(),
            reading: Reading {
                cpu_seconds: cpu,
                memory_bytes: 1e6,
                received_bytes: received,
                ..Reading::default()
            },
            disk_bytes: None,
        }
    }

    #[test]
    fn a_point_is_the_mean_of_its_minute_however_often_lxd_is_asked() {
        let start = Instant::now();
        let mut track = Track::new(None, MACHINE_POINTS);
        // 15 s for the first point; then 15 s at rest, and 45 s with one of its two CPUs busy.
        for (seconds, cpu) in [(0, 10.0), (15, 10.0), (30, 10.0), (45, 25.0), (60, 40.0), (75, 55.0)] {
            track.take(taken(start, seconds, cpu, cpu * 100.0), 2.0);
        }
        let now = track.now().unwrap();
        assert!((now.cpu - 0.5).abs() < 1e-9, "{now:?}");
        let points = track.series.points();
        assert_eq!(points.len(), 2);
        let minute = points.last().unwrap();
        assert!((minute.cpu - 0.375).abs() < 1e-9, "{points:?}");
        assert_eq!(minute.received_bytes_per_second, 75);
    }

    #[test]
    fn figures_that_lxd_repeats_are_no_rest() {
        let start = Instant::now();
        let mut track = Track::new(None, MACHINE_POINTS);
        for (seconds, cpu) in [(0, 10.0), (4, 10.0), (8, 14.0), (12, 14.0), (16, 18.0)] {
            track.take(taken(start, seconds, cpu, 0.0), 1.0);
        }
        assert!((track.now().unwrap().cpu - 0.5).abs() < 1e-9, "{:?}", track.now());
        track.take(taken(start, 30, 18.0, 0.0), 1.0);
        assert!(track.now().unwrap().cpu.abs() < 1e-9, "after so long it is: {:?}", track.now());
    }

    #[test]
    fn a_restart_begins_anew_and_a_stop_leaves_a_gap() {
        let start = Instant::now();
        let mut track = Track::new(None, MACHINE_POINTS);
        track.take(taken(start, 0, 100.0, 0.0), 1.0);
        track.take(taken(start, 60, 1.0, 0.0), 1.0);
        assert_eq!((track.now(), track.series.points().len()), (None, 0), "no negative rate, no huge one");
        track.take(taken(start, 120, 31.0, 0.0), 1.0);
        assert_eq!(track.series.points().len(), 1);
        track.pause();
        assert_eq!(track.now(), None);
        track.take(taken(start, 600, 40.0, 0.0), 1.0);
        track.take(taken(start, 660, 46.0, 0.0), 1.0);
        let points = track.series.points();
        assert_eq!(points.len(), 2);
        assert!((points.last().unwrap().cpu - 0.1).abs() < 1e-9, "{points:?}");
    }

    #[test]
    fn a_history_has_a_bound_in_number_and_in_age() {
        let start = Instant::now();
        let mut track = Track::new(None, MACHINE_POINTS);
        for minute in 0..1000 {
            track.take(taken(start, minute * 60, float(minute), 0.0), 1.0);
        }
        assert_eq!(track.series.points().len(), MACHINE_POINTS);
        assert!(track.series.points.capacity() <= 128, "{}", track.series.points.capacity());
        assert!(size_of::<UsagePoint>() <= 64, "{}", size_of::<UsagePoint>());
        let last = track.series.points().last().unwrap().at;
        track.series.forget(last + TimeDelta::minutes(60));
        assert_eq!(track.series.points().len(), 61);
        track.series.forget(last + TimeDelta::minutes(121));
        assert!(track.series.points().is_empty());
    }

    #[test]
    fn numbers_that_are_none_are_nothing() {
        assert_eq!([whole(-1.0), whole(f64::NAN), whole(1.9), whole(4e9)], [0, 0, 1, 4_000_000_000]);
    }
}
