//! Charts, as SVG: a title, two named axes, a few lines with a legend.

use anyhow::{Result, anyhow};
use plotters::prelude::*;

use crate::report;

/// Colours that also people who see few of them can tell apart (Okabe and Ito).
const COLOURS: [RGBColor; 5] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(90, 90, 90),
];
const SIZE: (u32, u32) = (820, 480);

/// One line of a chart.
#[derive(Debug, Clone)]
pub struct Line {
    /// For the legend.
    pub name: String,
    /// Its points, from left to right.
    pub points: Vec<(f64, f64)>,
}

/// What stands around the lines.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// `docs/benchmarks/FILE.svg`.
    pub file: &'a str,
    /// What is shown.
    pub title: &'a str,
    /// The horizontal axis, with its unit.
    pub x: &'a str,
    /// The vertical axis, with its unit.
    pub y: &'a str,
    /// Mark each point: for a few that were measured one by one.
    pub dots: bool,
    /// The legend stands where no line is: below right, or above left.
    pub legend_below: bool,
}

/// Draws the lines from zero up.
///
/// # Errors
/// When the file cannot be written.
pub fn lines(frame: Frame<'_>, lines: &[Line]) -> Result<()> {
    let path = report::directory().join(format!("{}.svg", frame.file));
    draw(&path, frame, lines).map_err(|error| anyhow!("cannot draw {}: {error}", path.display()))
}

fn draw(path: &std::path::Path, frame: Frame<'_>, lines: &[Line]) -> Result<(), Box<dyn std::error::Error>> {
    let all = || lines.iter().flat_map(|line| line.points.iter());
    let right = all().map(|point| point.0).fold(1.0, f64::max);
    let top = all().map(|point| point.1).fold(0.0, f64::max).max(0.001) * 1.05;
    let root = SVGBackend::new(path, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .caption(frame.title, ("sans-serif", 22))
        .margin(14)
        .margin_right(34)
        .x_label_area_size(48)
        .y_label_area_size(70)
        .build_cartesian_2d(0.0..right, 0.0..top)?;
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .bold_line_style(RGBColor(220, 220, 220))
        .x_desc(frame.x)
        .y_desc(frame.y)
        .x_label_formatter(&short)
        .y_label_formatter(&short)
        .label_style(("sans-serif", 15))
        .axis_desc_style(("sans-serif", 16))
        .draw()?;
    for (line, colour) in lines.iter().zip(COLOURS) {
        chart
            .draw_series(LineSeries::new(line.points.iter().copied(), colour.stroke_width(2)))?
            .label(&line.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 22, y)], colour.stroke_width(3)));
        if frame.dots {
            chart.draw_series(line.points.iter().map(|point| Circle::new(*point, 3, colour.filled())))?;
        }
    }
    chart
        .configure_series_labels()
        .position(if frame.legend_below {
            SeriesLabelPosition::LowerRight
        } else {
            SeriesLabelPosition::UpperLeft
        })
        .background_style(WHITE.mix(0.85))
        .border_style(RGBColor(200, 200, 200))
        .label_font(("sans-serif", 15))
        .draw()?;
    root.present()?;
    Ok(())
}

/// A number of an axis without zeros that say nothing.
fn short(value: &f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    #[test]
    fn numbers_of_axes_are_short() {
        assert_eq!([0.0, 200.0, 0.5, 2.25].map(|n| super::short(&n)), ["0", "200", "0.5", "2.25"]);
    }
}
