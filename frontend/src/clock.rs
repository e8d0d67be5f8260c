//! Moments on the clock and calendar where the reader is. The browser knows the zone.

use chrono::{DateTime, Utc};

use crate::format::WallTime;

/// A moment in the reader's own time. The browser knows when the clocks there were changed.
pub(crate) fn wall_time(moment: DateTime<Utc>) -> WallTime {
    // Seconds since 1970 fit until 2106.
    let seconds = u32::try_from(moment.timestamp()).unwrap_or_default();
    let date = js_sys::Date::new(&(f64::from(seconds) * 1000.0).into());
    [date.get_full_year(), date.get_month() + 1, date.get_date(), date.get_hours(), date.get_minutes()]
}

/// The moment when a day begins where the reader is, or some days later. The browser knows which text is a day.
pub(crate) fn start_of(day: &str, later: u32) -> Option<DateTime<Utc>> {
    // A date and time without a zone are the reader's own.
    let date = js_sys::Date::new(&format!("{day}T00:00:00").into());
    if !date.get_time().is_finite() {
        return None;
    }
    date.set_date(date.get_date() + later);
    String::from(date.to_iso_string()).parse().ok()
}
