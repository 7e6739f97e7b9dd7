//! A line chart as SVG: both axes by powers, points with bars from least to greatest value, names at the side.

use std::ops::Range;
use std::path::Path;

use anyhow::{Result, anyhow};
use plotters::coord::Shift;
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, ValueFormatter};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::statistics::Spread;

const SIZE: (u32, u32) = (980, 560);
const NAMES_WIDTH: u32 = 230;
const INK: RGBColor = RGBColor(40, 40, 40);
const GRID: RGBColor = RGBColor(222, 222, 222);
const FONT: &str = "sans-serif";

pub struct Chart {
    pub title: String,
    pub x_title: &'static str,
    pub y_title: &'static str,
    /// Place and text of each mark of the x axis, in rising order.
    pub x_marks: Vec<(f64, String)>,
    pub lines: Vec<Line>,
}

pub struct Line {
    pub name: String,
    pub look: Look,
    /// Place on the x axis, and value.
    pub points: Vec<(f64, Spread)>,
}

#[derive(Clone, Copy, Debug)]
pub struct Look {
    pub colour: RGBColor,
    pub width: u32,
    pub dashed: bool,
    pub mark: Mark,
}

/// So that lines can be told apart without their colours.
#[derive(Clone, Copy, Debug)]
pub enum Mark {
    Circle,
    Square,
    Triangle,
    Diamond,
    Cross,
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

impl Chart {
    /// Whether there is a line to draw.
    pub fn has_lines(&self) -> bool {
        self.lines.iter().any(|line| line.points.len() > 1)
    }

    pub fn write(&self, path: &Path) -> Result<()> {
        let root = SVGBackend::new(path, SIZE).into_drawing_area();
        self.draw(&root)
            .and_then(|()| Ok(root.present()?))
            .map_err(|error| anyhow!("{} cannot be drawn: {error}", path.display()))
    }

    fn draw(&self, root: &Area<'_>) -> Result<()> {
        root.fill(&WHITE)?;
        let (left, right) = root.split_horizontally(SIZE.0 - NAMES_WIDTH);
        let (x_axis, y_axis) = (self.x_axis(), self.y_axis());
        let (x_count, y_count) = (x_axis.marks.len(), y_axis.marks.len());
        let mut area = ChartBuilder::on(&left)
            .caption(&self.title, (FONT, 19).into_font().color(&INK))
            .margin(12)
            .x_label_area_size(48)
            .y_label_area_size(72)
            .build_cartesian_2d(x_axis, y_axis)?;
        let text = (FONT, 14).into_font().color(&INK);
        area.configure_mesh()
            .x_desc(self.x_title)
            .y_desc(self.y_title)
            .axis_desc_style(text.clone())
            .label_style(text)
            .axis_style(INK)
            .bold_line_style(GRID)
            .light_line_style(TRANSPARENT)
            .x_labels(x_count)
            .y_labels(y_count)
            .draw()?;
        for line in self.lines.iter().rev() {
            let points: Vec<(f64, f64)> =
                line.points.iter().map(|(x, value)| (*x, value.median.log10())).collect();
            let stroke = line.look.colour.stroke_width(line.look.width);
            if line.look.dashed {
                area.draw_series(DashedLineSeries::new(points.clone(), 6, 4, stroke))?;
            } else {
                area.draw_series(LineSeries::new(points.clone(), stroke))?;
            }
            area.draw_series(line.points.iter().map(|(x, value)| {
                let ends = vec![(*x, value.least.log10()), (*x, value.most.log10())];
                PathElement::new(ends, line.look.colour.mix(0.55).stroke_width(2))
            }))?;
            for point in &points {
                root.draw(&mark(area.backend_coord(point), line.look))?;
            }
        }
        self.names(&right)
    }

    /// Beside the chart, in the order in which the lines end.
    fn names(&self, area: &Area<'_>) -> Result<()> {
        let mut lines: Vec<&Line> = self.lines.iter().filter(|line| !line.points.is_empty()).collect();
        let end = |line: &Line| line.points.last().map_or(0.0, |point| point.1.median);
        lines.sort_by(|a, b| end(b).total_cmp(&end(a)));
        for (index, line) in lines.into_iter().enumerate() {
            let y = 60 + 26 * index as i32;
            let stroke = line.look.colour.stroke_width(line.look.width);
            if line.look.dashed {
                for x in [4, 14, 24] {
                    area.draw(&PathElement::new(vec![(x, y), (x + 6, y)], stroke))?;
                }
            } else {
                area.draw(&PathElement::new(vec![(4, y), (30, y)], stroke))?;
            }
            area.draw(&mark((17, y), line.look))?;
            let style = (FONT, 14).into_font().color(&INK).pos(Pos::new(HPos::Left, VPos::Center));
            area.draw(&Text::new(line.name.clone(), (38, y), style))?;
        }
        Ok(())
    }

    fn x_axis(&self) -> Axis {
        let first = self.x_marks.first().map_or(0.0, |mark| mark.0);
        let last = self.x_marks.last().map_or(1.0, |mark| mark.0);
        let margin = (last - first) * 0.03;
        Axis { from: first - margin, to: last + margin, marks: self.x_marks.clone() }
    }

    fn y_axis(&self) -> Axis {
        let values = || self.lines.iter().flat_map(|line| &line.points).map(|(_, value)| value);
        let least = values().map(|value| value.least).fold(f64::INFINITY, f64::min);
        let most = values().map(|value| value.most).fold(f64::MIN_POSITIVE, f64::max);
        let (from, to) = (least.min(most) * 0.8, most * 1.25);
        let mark = |value: f64| (value.log10(), amount_text(value));
        Axis {
            from: from.log10(),
            to: to.log10(),
            marks: marks_of_powers(from, to).into_iter().map(mark).collect(),
        }
    }
}

/// An axis that is marked where it is told.
struct Axis {
    from: f64,
    to: f64,
    marks: Vec<(f64, String)>,
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (low, high): (i32, i32)) -> i32 {
        let share = (value - self.from) / (self.to - self.from);
        low + (share * f64::from(high - low)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.marks.iter().map(|mark| mark.0).collect()
    }

    fn range(&self) -> Range<f64> {
        self.from..self.to
    }
}

impl ValueFormatter<f64> for Axis {
    fn format_ext(&self, value: &f64) -> String {
        let found = self.marks.iter().find(|mark| mark.0 == *value);
        found.map(|mark| mark.1.clone()).unwrap_or_default()
    }
}

fn mark<'a, B: DrawingBackend + 'a, C: Clone + 'a>(at: C, look: Look) -> DynElement<'a, B, C> {
    let filled = look.colour.filled();
    let shape = |points: &[(i32, i32)]| Polygon::new(points.to_vec(), filled);
    let element = EmptyElement::at(at);
    match look.mark {
        Mark::Circle => (element + Circle::new((0, 0), 5, filled)).into_dyn(),
        Mark::Square => (element + shape(&[(-4, -4), (4, -4), (4, 4), (-4, 4)])).into_dyn(),
        Mark::Triangle => (element + shape(&[(0, -6), (6, 5), (-6, 5)])).into_dyn(),
        Mark::Diamond => (element + shape(&[(0, -6), (6, 0), (0, 6), (-6, 0)])).into_dyn(),
        Mark::Cross => (element + Cross::new((0, 0), 4, look.colour.stroke_width(2))).into_dyn(),
    }
}

/// 1, 2 and 5 times powers of ten between both ends; only the powers where that would be too many.
fn marks_of_powers(from: f64, to: f64) -> Vec<f64> {
    let powers = from.log10().floor() as i32..=to.log10().ceil() as i32;
    let of = |steps: &[f64]| -> Vec<f64> {
        let all = powers.clone().flat_map(|power| steps.iter().map(move |step| step * 10_f64.powi(power)));
        all.filter(|mark| (from..=to).contains(mark)).collect()
    };
    let fine = of(&[1.0, 2.0, 5.0]);
    if fine.len() <= 14 { fine } else { of(&[1.0]) }
}

/// `20 k`, `2 M`, `0.5`
fn amount_text(value: f64) -> String {
    let (scaled, suffix) = match value {
        value if value > 0.999e6 => (value / 1e6, " M"),
        value if value > 0.999e3 => (value / 1e3, " k"),
        value => (value, ""),
    };
    // The value came back from a logarithm: 2 may be 1.9999999.
    let text = format!("{scaled:.3}");
    format!("{}{suffix}", text.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_round_numbers() {
        assert_eq!(marks_of_powers(0.4, 12.0), [0.5, 1.0, 2.0, 5.0, 10.0]);
        assert_eq!(marks_of_powers(0.9, 2e7).len(), 8, "powers of ten only");
        let texts: Vec<String> =
            [0.05, 0.5, 1.999_999_9, 20.0, 1e3, 20e3, 1e6, 2.5e6].map(amount_text).to_vec();
        assert_eq!(texts, ["0.05", "0.5", "2", "20", "1 k", "20 k", "1 M", "2.5 M"]);
    }
}
