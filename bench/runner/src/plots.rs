//! Which charts are drawn from a results file.

use std::path::{Path, PathBuf};

use anyhow::Result;
use plotters::style::RGBColor;

use crate::chart::{Chart, Line, Look, Mark};
use crate::load_program::{CODEC_FLOOR, RAW_FLOOR, SMOL, TOKIO, TOKIO_2};
use crate::peers::{GO_SYNC, JAVA_ASYNC, JAVA_SYNC, RUST};
use crate::plan::{BODIES, IN_FLIGHT, RATES};
use crate::results::{Figure, Results};
use crate::row::Row;
use crate::setting::Setting;
use crate::statistics::short;

/// The blue ones are ours, the grey ones floors.
const LOOKS: [(&str, Look); 9] = [
    (TOKIO.name, look(RGBColor(0, 70, 190), 4, false, Mark::Circle)),
    (SMOL.name, look(RGBColor(60, 150, 235), 3, false, Mark::Square)),
    (TOKIO_2.name, look(RGBColor(120, 185, 235), 2, false, Mark::Diamond)),
    (CODEC_FLOOR.name, look(RGBColor(90, 90, 90), 2, true, Mark::Triangle)),
    (RAW_FLOOR.name, look(RGBColor(150, 150, 150), 2, true, Mark::Cross)),
    (JAVA_ASYNC.name, look(RGBColor(200, 45, 45), 2, false, Mark::Circle)),
    (JAVA_SYNC.name, look(RGBColor(235, 130, 40), 2, false, Mark::Square)),
    (GO_SYNC.name, look(RGBColor(30, 140, 80), 2, false, Mark::Triangle)),
    (RUST.name, look(RGBColor(135, 70, 160), 2, false, Mark::Diamond)),
];

const PERCENTILES: [(&str, Figure); 5] = [
    ("50 %", |row| row.p50_us),
    ("90 %", |row| row.p90_us),
    ("99 %", |row| row.p99_us),
    ("99.9 %", |row| row.p999_us),
    ("all", |row| row.max_us),
];

const fn look(colour: RGBColor, width: u32, dashed: bool, mark: Mark) -> Look {
    Look { colour, width, dashed, mark }
}

/// Draws them beside the results file and says where they are; what was not measured is not drawn.
pub fn draw_all(results: &Results, beside: &Path) -> Result<Vec<PathBuf>> {
    let mut drawn = Vec::new();
    for (name, chart) in charts(results) {
        if chart.has_lines() {
            let stem = beside.file_stem().unwrap_or_default().to_string_lossy();
            let path = beside.with_file_name(format!("{stem}-{name}.svg"));
            chart.write(&path)?;
            drawn.push(path);
        }
    }
    Ok(drawn)
}

fn charts(results: &Results) -> Vec<(String, Chart)> {
    let in_flight = IN_FLIGHT.map(|number| {
        (f64::from(number).log2(), short(f64::from(number)), Setting::DEFAULT.in_flight(number))
    });
    let bodies = BODIES.map(|body| {
        let text = if body < 1024 { format!("{body} B") } else { format!("{} KiB", body / 1024) };
        (f64::from(body).log2(), text, Setting::DEFAULT.body(body))
    });
    let (per_second, cpu) = ("messages per second", "client CPU per message, µs");
    let sweep = |title: &str, x_title, y_title, places: &[(f64, String, Setting)], figure| {
        sweep(results, title.to_owned(), (x_title, y_title), places, figure)
    };
    let number = "messages in flight";
    let size = "message body";
    let mut charts = vec![
        (
            "in-flight-throughput".to_owned(),
            sweep("Throughput, 1 KiB, JSON", number, per_second, &in_flight, Row::per_second),
        ),
        (
            "in-flight-cpu".to_owned(),
            sweep("Client CPU per message, 1 KiB, JSON", number, cpu, &in_flight, Row::cpu_us),
        ),
        (
            "body-throughput".to_owned(),
            sweep("Throughput, 256 in flight, JSON", size, per_second, &bodies, Row::per_second),
        ),
        (
            "body-cpu".to_owned(),
            sweep("Client CPU per message, 256 in flight, JSON", size, cpu, &bodies, Row::cpu_us),
        ),
    ];
    charts.extend(RATES.map(|rate| (format!("latency-{rate}"), latencies(results, rate))));
    charts
}

fn sweep(
    results: &Results,
    title: String,
    (x_title, y_title): (&'static str, &'static str),
    places: &[(f64, String, Setting)],
    figure: Figure,
) -> Chart {
    let line = |(name, look): (&str, Look)| {
        let points =
            places.iter().filter_map(|(x, _, setting)| Some((*x, results.spread(name, setting, figure)?)));
        Line { name: name.to_owned(), look, points: points.collect() }
    };
    let lines: Vec<Line> = LOOKS.map(line).into();
    let is_measured = |x: f64| lines.iter().flat_map(|line| &line.points).any(|point| point.0 == x);
    let marks = places.iter().filter(|place| is_measured(place.0));
    let x_marks = marks.map(|(x, text, _)| (*x, text.clone())).collect();
    Chart { title, x_title, y_title, x_marks, lines }
}

fn latencies(results: &Results, rate: u32) -> Chart {
    let setting = Setting::DEFAULT.rate(rate);
    let line = |(name, look): (&str, Look)| {
        let places = PERCENTILES.iter().enumerate();
        let points =
            places.filter_map(|(x, (_, figure))| Some((x as f64, results.spread(name, &setting, *figure)?)));
        Line { name: name.to_owned(), look, points: points.collect() }
    };
    Chart {
        title: format!("Latency at {} messages per second, 1 KiB", short(f64::from(rate))),
        x_title: "share of the messages that took at most this long",
        y_title: "latency from the intended start, µs",
        x_marks: PERCENTILES
            .iter()
            .enumerate()
            .map(|(x, (text, _))| (x as f64, (*text).to_owned()))
            .collect(),
        lines: LOOKS.map(line).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::tests::{results, run};

    #[test]
    fn what_was_measured_is_drawn() {
        let folder = std::env::temp_dir().join(format!("bench-runner-plots-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let sweep = [1, 16, 256].map(|number| {
            run(TOKIO.name, 1, &Setting::DEFAULT.in_flight(number), 1.0, f64::from(number) * 10_000.0)
        });
        let rated = run(SMOL.name, 1, &Setting::DEFAULT.rate(1000), 1.0, 1000.0);
        let rows = [sweep.to_vec(), vec![rated]].concat();
        let drawn = draw_all(&results(rows), &folder.join("2026-11-30.tsv")).unwrap();
        let names: Vec<_> = drawn.iter().map(|path| path.file_name().unwrap().to_string_lossy()).collect();
        assert_eq!(
            names,
            ["in-flight-throughput", "in-flight-cpu", "latency-1000"]
                .map(|name| format!("2026-11-30-{name}.svg"))
        );
        let svg = std::fs::read_to_string(&drawn[0]).unwrap();
        assert!(svg.contains("Throughput, 1 KiB, JSON") && svg.contains("tokio") && !svg.contains("smol"));
        std::fs::remove_dir_all(folder).unwrap();
    }
}
