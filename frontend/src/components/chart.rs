//! A small chart of one figure over the last hours: a line over an area, drawn as SVG. What it shows stands beside it as
//! text, and a screen reader is told the latest and the highest value in place of the picture.

use leptos::prelude::*;
use vms_types::UsagePoint;

use crate::format;
use crate::i18n::{Texts, use_i18n};

/// The picture's own size; the page stretches it.
const WIDTH: f64 = 300.0;
const HEIGHT: f64 = 64.0;
/// Points further apart than so many steps are not joined: between them nothing was measured.
const GAP: f64 = 2.5;

/// What a chart shows of each point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Figure {
    Cpu,
    Memory,
    Disk,
    Received,
    Sent,
}

impl Figure {
    /// Every figure, in the order in which they are shown.
    pub(crate) const ALL: [Self; 5] = [Self::Cpu, Self::Memory, Self::Disk, Self::Received, Self::Sent];

    /// Its name in the page, for tests.
    pub(crate) const fn testid(self) -> &'static str {
        match self {
            Self::Cpu => "chart-cpu",
            Self::Memory => "chart-memory",
            Self::Disk => "chart-disk",
            Self::Received => "chart-received",
            Self::Sent => "chart-sent",
        }
    }

    const fn title(self, texts: &Texts) -> &'static str {
        match self {
            Self::Cpu => texts.chart_cpu,
            Self::Memory => texts.chart_memory,
            Self::Disk => texts.chart_disk,
            Self::Received => texts.chart_received,
            Self::Sent => texts.chart_sent,
        }
    }

    fn of(self, point: &UsagePoint) -> Option<f64> {
        match self {
            Self::Cpu => Some(point.cpu),
            Self::Memory => Some(format::float(point.memory_bytes)),
            Self::Disk => point.disk_bytes.map(format::float),
            Self::Received => Some(format::float(point.received_bytes_per_second)),
            Self::Sent => Some(format::float(point.sent_bytes_per_second)),
        }
    }

    fn words(self, texts: &Texts, value: f64) -> String {
        match self {
            Self::Cpu => format::percent(value),
            Self::Memory | Self::Disk => format::bytes(format::whole(value), texts.decimal_mark),
            Self::Received | Self::Sent => {
                format!("{}/s", format::bytes(format::whole(value), texts.decimal_mark))
            }
        }
    }
}

/// The charts of all figures of which anything is known.
#[component]
pub(crate) fn Charts(
    #[prop(into)] points: Signal<Vec<UsagePoint>>,
    /// How many hours they show.
    hours: u32,
    /// Seconds from one point to the next.
    #[prop(into)]
    step: Signal<u32>,
    /// The most memory and disk there can be, where that is known.
    #[prop(into)]
    tops: Signal<(Option<u64>, Option<u64>)>,
) -> impl IntoView {
    let chart = move |figure: Figure| {
        let known = move || points.with(|all| all.iter().any(|point| figure.of(point).is_some()));
        let top = Signal::derive(move || match figure {
            Figure::Cpu => Some(1.0),
            Figure::Memory => tops.get().0.map(format::float),
            Figure::Disk => tops.get().1.map(format::float),
            Figure::Received | Figure::Sent => None,
        });
        view! { <Show when=known><Chart figure points hours step top/></Show> }
    };
    view! { <div class="charts">{Figure::ALL.map(chart).into_iter().collect_view()}</div> }
}

/// One chart.
#[component]
fn Chart(
    figure: Figure,
    points: Signal<Vec<UsagePoint>>,
    hours: u32,
    step: Signal<u32>,
    top: Signal<Option<f64>>,
) -> impl IntoView {
    let i18n = use_i18n();
    let values = Memo::new(move |_| {
        let value = |point: &UsagePoint| Some((seconds(point), figure.of(point)?));
        points.with(|all| all.iter().filter_map(value).collect::<Vec<_>>())
    });
    let now = move || values.with(|all| all.last().map_or(0.0, |(_, value)| *value));
    let highest = move || values.with(|all| all.iter().fold(0.0_f64, |top, (_, value)| top.max(*value)));
    let words = move |value| figure.words(i18n.t(), value);
    let curve = Memo::new(move |_| {
        let until = js_sys::Date::now() / 1000.0;
        // Without a bound the highest value reaches three quarters.
        let top = top.get().unwrap_or_else(|| highest() / 0.75);
        let span = f64::from(hours) * 3600.0;
        values.with(|all| curve(all, until - span, until, top, f64::from(step.get()) * GAP))
    });
    view! {
        <figure class="chart" data-testid=figure.testid()>
            <figcaption>
                <span>{move || figure.title(i18n.t())}</span>
                <strong>{move || words(now())}</strong>
            </figcaption>
            <svg
                role="img" viewBox=format!("0 0 {WIDTH} {HEIGHT}") preserveAspectRatio="none"
                aria-label=move || (i18n.t().chart_words)(figure.title(i18n.t()), &words(now()), &words(highest()))
            >
                <path class="chart-area" d=move || curve.with(|curve| curve.area.clone())></path>
                <path class="chart-line" d=move || curve.with(|curve| curve.line.clone())></path>
            </svg>
            <p class="chart-foot" aria-hidden="true">
                <span>{format!("−{hours} h")}</span>
                <span>{move || (i18n.t().chart_highest)(&words(highest()))}</span>
            </p>
        </figure>
    }
}

/// Seconds since 1970. They fit until 2106.
fn seconds(point: &UsagePoint) -> f64 {
    u32::try_from(point.at.timestamp()).map_or(0.0, f64::from)
}

/// The two paths of a chart.
#[derive(Debug, Clone, PartialEq, Default)]
struct Curve {
    line: String,
    area: String,
}

/// Draws values over time. What lies before `from` is left out; what is higher than `top` is cut off.
fn curve(values: &[(f64, f64)], from: f64, until: f64, top: f64, gap: f64) -> Curve {
    let mut curve = Curve::default();
    let mut before: Option<f64> = None;
    let mut last_x = 0.0;
    for (at, value) in values.iter().filter(|(at, _)| *at >= from && *at <= until) {
        let x = (at - from) / (until - from) * WIDTH;
        let share = if top > 0.0 { (value / top).clamp(0.0, 1.0) } else { 0.0 };
        let y = HEIGHT * (1.0 - share);
        if before.is_some_and(|before| at - before <= gap) {
            curve.line.push_str(&format!("L{x:.1} {y:.1}"));
            curve.area.push_str(&format!("L{x:.1} {y:.1}"));
        } else {
            if before.is_some() {
                curve.area.push_str(&format!("L{last_x:.1} {HEIGHT}Z"));
            }
            // A point by itself is seen too.
            curve.line.push_str(&format!("M{x:.1} {y:.1}h1"));
            curve.area.push_str(&format!("M{x:.1} {HEIGHT}L{x:.1} {y:.1}"));
        }
        (before, last_x) = (Some(*at), x);
    }
    if before.is_some() {
        curve.area.push_str(&format!("L{last_x:.1} {HEIGHT}Z"));
    }
    curve
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_goes_from_left_to_right_and_breaks_where_nothing_was_measured() {
        let values = [(0.0, 1.0), (50.0, 0.5), (90.0, 2.0), (100.0, 0.0)];
        let drawn = curve(&values, 0.0, 100.0, 1.0, 45.0);
        assert_eq!(drawn.line, "M0.0 0.0h1M150.0 32.0h1L270.0 0.0L300.0 64.0");
        assert_eq!(drawn.area, "M0.0 64L0.0 0.0L0.0 64ZM150.0 64L150.0 32.0L270.0 0.0L300.0 64.0L300.0 64Z");
    }

    #[test]
    fn what_is_older_or_nothing_draws_nothing() {
        assert_eq!(curve(&[], 0.0, 100.0, 1.0, 10.0), Curve::default());
        assert_eq!(curve(&[(-1.0, 1.0)], 0.0, 100.0, 1.0, 10.0), Curve::default());
        assert_eq!(curve(&[(0.0, 5.0)], 0.0, 100.0, 0.0, 10.0).line, "M0.0 64.0h1", "no bound, no height");
    }
}
