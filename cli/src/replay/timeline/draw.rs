//! Lays the picture out.

use std::collections::HashMap;
use std::time::Duration;

use super::super::event::{RequestKind, Verdict};
use super::super::summary::Summary;
use super::pack::rows;
use super::svg::Svg;
use super::{Connection, Lane, RequestEnd, SendBar, Timeline};

const WIDTH: f64 = 1_400.0;
/// Where time begins and ends.
const LEFT: f64 = 190.0;
const RIGHT: f64 = WIDTH - 30.0;
/// No bar is narrower, so that the shortest can be seen.
const LEAST_WIDTH: f64 = 2.0;
/// All rows of one block together are about so high, unless they are few.
const BLOCK: f64 = 300.0;
const MOST_ROW: f64 = 15.0;
const LEAST_ROW: f64 = 2.0;
/// Letters of the small text, about so wide.
const LETTER: f64 = 5.6;

const STYLE: &str = "text{font-family:Helvetica,Arial,sans-serif;font-size:11px;fill:#333}\
.paper{fill:#fff}.head{font-size:16px;font-weight:bold}.sub{fill:#666}.block{font-weight:bold;font-size:12px}\
.tick{fill:#666;text-anchor:middle}.small{font-size:9.5px;fill:#666}.fault-text{font-size:9.5px;fill:#b3261e}\
.on-bar{font-size:9px;fill:#fff}.on-white{font-size:9px;fill:#c8372d}.grid{stroke:#e7e7e7;stroke-width:1}.rule{stroke:#bbb;stroke-width:1}\
.stored{fill:#2e9e5b}.may-be-stored{fill:#e39b00}.not-stored{fill:#c8372d}.handed-over{fill:#4a7dc4}\
.no-verdict{fill:#9a9a9a}.send-request{fill:#5b8dd6}.route-request{fill:#9467bd}.other-request{fill:#a1785c}\
.refused{fill:#d9480f}.lost{fill:#fff;stroke:#c8372d;stroke-width:1}.unanswered{fill:#fff;stroke:#888;stroke-width:1}\
.opening{fill:#e2d7b5}.up{fill:#bfe3cd}.fault{stroke:#c8372d;stroke-width:2;fill:none}\
.end{stroke:#666;stroke-width:1.5}.retry{stroke:#e39b00;stroke-width:1.2;stroke-opacity:.8}";

/// Time to places.
struct Scale {
    from: Duration,
    to: Duration,
}

impl Scale {
    fn x(&self, at: Duration) -> f64 {
        let span = self.to.saturating_sub(self.from).as_secs_f64();
        let part = at.saturating_sub(self.from).as_secs_f64() / span.max(1e-6);
        LEFT + part.min(1.0) * (RIGHT - LEFT)
    }

    /// Where a bar is drawn; none when it lies outside.
    fn place(&self, from: Duration, to: Option<Duration>) -> Option<(f64, f64)> {
        let to = to.unwrap_or(self.to);
        if to < self.from || from > self.to {
            return None;
        }
        let x = self.x(from);
        Some((x, (self.x(to) - x).max(LEAST_WIDTH)))
    }

    fn holds(&self, at: Duration) -> bool {
        (self.from..=self.to).contains(&at)
    }
}

pub(super) fn draw(timeline: &Timeline, summary: &Summary) -> String {
    let from = timeline.from.unwrap_or_else(|| first(timeline));
    // There may be nothing at all to be seen: the scale needs a length all the same.
    let to = timeline.to.unwrap_or(timeline.last).min(timeline.last).max(from + Duration::from_millis(1));
    let scale = Scale { from, to };
    // Grid and axis lie under everything else, but their height is known only in the end.
    let mut blocks = Svg::new();
    let mut y = 92.0;
    y = sends(&mut blocks, &scale, timeline, y);
    for lane in &timeline.lanes {
        y = self::lane(&mut blocks, &scale, lane, &timeline.numbers, y);
    }
    let bottom = y + 4.0;
    let mut svg = Svg::new();
    heading(&mut svg, summary, &scale);
    axis(&mut svg, &scale, (76.0, bottom));
    svg.append(blocks);
    let height = legend(&mut svg, bottom + 34.0);
    svg.finish((WIDTH, height), STYLE)
}

/// A little before the first thing to be seen.
fn first(timeline: &Timeline) -> Duration {
    let opens = timeline.lanes.iter().flat_map(|lane| &lane.connections).map(|connection| connection.opens);
    opens.chain(timeline.sends.iter().map(|bar| bar.from)).min().unwrap_or_default()
}

fn heading(svg: &mut Svg, summary: &Summary, scale: &Scale) {
    svg.text((14.0, 26.0), "head", &format!("RocketMQ client {}", summary.client_id()));
    let (from, to) = (scale.from.as_secs_f64(), scale.to.as_secs_f64());
    let line = format!("recorded {}, shown from {from:.6} s to {to:.6} s after the start", summary.began());
    svg.text((14.0, 44.0), "sub", &line);
    svg.text((14.0, 60.0), "sub", &format!("sends {}", summary.sends_line()));
}

/// Grid lines at round times, with the times above and below.
fn axis(svg: &mut Svg, scale: &Scale, (top, bottom): (f64, f64)) {
    let step = round_step(scale.to.saturating_sub(scale.from));
    let mut at = Duration::ZERO;
    if let Some(steps) = scale.from.as_nanos().checked_div(step.as_nanos()) {
        at = step.saturating_mul(u32::try_from(steps).unwrap_or(u32::MAX));
    }
    while at <= scale.to {
        if at >= scale.from {
            let (x, label) = (scale.x(at), label(at, step));
            svg.line((x, top + 4.0), (x, bottom), "grid", "");
            svg.text((x, top), "tick", &label);
            svg.text((x, bottom + 13.0), "tick", &label);
        }
        at += step;
    }
    svg.line((LEFT, bottom), (RIGHT, bottom), "rule", "");
}

/// At most fourteen steps of 1, 2 or 5 with zeros.
fn round_step(span: Duration) -> Duration {
    let least = (span / 14).max(Duration::from_nanos(100));
    let mut step = Duration::from_nanos(100);
    loop {
        for factor in [1, 2, 5] {
            if step * factor >= least {
                return step * factor;
            }
        }
        step *= 10;
    }
}

/// As many digits as tell one step from the next.
fn label(at: Duration, step: Duration) -> String {
    if step >= Duration::from_secs(1) {
        format!("{} s", at.as_secs())
    } else if step >= Duration::from_millis(100) {
        format!("{:.1} s", at.as_secs_f64())
    } else {
        let mut digits = 0;
        let mut smallest = Duration::from_millis(1);
        while smallest > step && digits < 4 {
            smallest /= 10;
            digits += 1;
        }
        format!("{:.digits$} ms", at.as_secs_f64() * 1e3)
    }
}

/// How high rows are when there are so many.
fn row_height(rows: usize) -> f64 {
    (BLOCK / rows.max(1) as f64).clamp(LEAST_ROW, MOST_ROW)
}

fn block_title(svg: &mut Svg, y: f64, title: &str, lines: &[String]) {
    svg.line((14.0, y), (RIGHT, y), "rule", "");
    svg.text((14.0, y + 15.0), "block", title);
    for (number, line) in lines.iter().enumerate() {
        svg.text((14.0, y + 29.0 + 13.0 * number as f64), "small", line);
    }
}

/// The sends and, above them, the moments of retries.
fn sends(svg: &mut Svg, scale: &Scale, timeline: &Timeline, y: f64) -> f64 {
    let shown: Vec<(&SendBar, (f64, f64))> = timeline
        .sends
        .iter()
        .filter_map(|bar| scale.place(bar.from, bar.to).map(|place| (bar, place)))
        .collect();
    let retries: Vec<_> = timeline.retries.iter().filter(|mark| scale.holds(mark.at)).collect();
    let mut lines = vec![counted(shown.len(), "message")];
    let mut top = y + 8.0;
    if !retries.is_empty() {
        let word = if retries.len() == 1 { "retry" } else { "retries" };
        lines.push(format!("{} {word}", retries.len()));
        for mark in &retries {
            let x = scale.x(mark.at);
            svg.line((x, top), (x, top + 9.0), "retry", &mark.text);
        }
        top += 13.0;
    }
    block_title(svg, y, "sends", &lines);
    let (places, count) = rows(shown.iter().map(|(_, (x, width))| (*x, x + width + 1.0)));
    let height = row_height(count);
    for ((bar, (x, width)), row) in shown.iter().zip(places) {
        let at = top + row as f64 * height;
        let class = bar.verdict.map_or("no-verdict", verdict_class);
        svg.bar((*x, at), (*width, bar_height(height)), class, &bar.text);
        bar_label(svg, (*x, at), (*width, height), &format!("#{}", bar.number), "on-bar");
    }
    (top + count as f64 * height + 10.0).max(y + 24.0 + 13.0 * lines.len() as f64)
}

/// A text on a bar, if there is room for it.
fn bar_label(svg: &mut Svg, (x, y): (f64, f64), (width, height): (f64, f64), label: &str, class: &str) {
    if height >= 10.0 && width > label.len() as f64 * LETTER + 8.0 {
        svg.text((x + 3.0, y + height - 4.5), class, label);
    }
}

/// Bars that are high enough stand a little apart.
fn bar_height(row: f64) -> f64 {
    if row >= 4.0 { row - 1.5 } else { row - 0.4 }
}

/// One server: a strip with its connections, and the requests under it.
fn lane(svg: &mut Svg, scale: &Scale, lane: &Lane, numbers: &HashMap<String, usize>, y: f64) -> f64 {
    let shown: Vec<_> = lane
        .requests
        .iter()
        .filter_map(|bar| scale.place(bar.from, bar.to).map(|place| (bar, place)))
        .collect();
    let connections: Vec<&Connection> = lane
        .connections
        .iter()
        .filter(|connection| {
            scale.place(connection.opens, connection.ends.as_ref().map(|end| end.at)).is_some()
        })
        .collect();
    let lines = [
        lane.address.clone(),
        format!("{}, {}", counted(connections.len(), "connection"), counted(shown.len(), "request")),
    ];
    block_title(svg, y, &lane.peer, &lines);
    strip(svg, scale, &connections, y + 8.0);
    let top = y + 36.0;
    let (places, count) = rows(shown.iter().map(|(_, (x, width))| (*x, x + width + 1.0)));
    let height = row_height(count);
    for ((bar, (x, width)), row) in shown.iter().zip(places) {
        let at = top + row as f64 * height;
        let class = request_class(bar.kind, bar.end);
        svg.bar((*x, at), (*width, bar_height(height)), class, &bar.text);
        let number = bar.key.as_ref().and_then(|key| numbers.get(key));
        let label = number.map_or_else(|| bar.name.clone(), |number| format!("#{number}"));
        let on_white = matches!(bar.end, RequestEnd::Lost | RequestEnd::Open);
        bar_label(svg, (*x, at), (*width, height), &label, if on_white { "on-white" } else { "on-bar" });
    }
    (top + count as f64 * height + 10.0).max(y + 56.0)
}

/// Connections of one server one after the other, with what ended them.
fn strip(svg: &mut Svg, scale: &Scale, connections: &[&Connection], y: f64) {
    // Texts only where the one before leaves room; the pointer shows the others.
    let mut free = 0.0;
    for connection in connections {
        let end = connection.ends.as_ref();
        let until = end.map(|end| end.at);
        let name = connection.conn;
        if let Some((x, width)) = scale.place(connection.opens, connection.up.or(until)) {
            svg.bar((x, y), (width, 10.0), "opening", &format!("{name} is being opened"));
        }
        if let Some(up) = connection.up
            && let Some((x, width)) = scale.place(up, until)
        {
            svg.bar((x, y), (width, 10.0), "up", &format!("{name} is up"));
        }
        let Some(end) = end.filter(|end| scale.holds(end.at)) else { continue };
        let (x, tip) = (scale.x(end.at), format!("{name} {}", end.why));
        if end.fault {
            svg.cross((x, y + 5.0), 4.5, "fault", &tip);
        } else {
            svg.line((x, y - 1.0), (x, y + 11.0), "end", &tip);
        }
        let width = tip.len() as f64 * LETTER * 0.95;
        let start = (x - 4.0).min(RIGHT - width);
        if start >= free && end.fault {
            svg.text((start, y + 21.0), "fault-text", &tip);
            free = start + width + 8.0;
        }
    }
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

fn verdict_class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Stored => "stored",
        Verdict::HandedOver => "handed-over",
        Verdict::MayBeStored => "may-be-stored",
        Verdict::NotStored => "not-stored",
    }
}

fn request_class(kind: RequestKind, end: RequestEnd) -> &'static str {
    match (end, kind) {
        (RequestEnd::Refused, _) => "refused",
        (RequestEnd::Lost, _) => "lost",
        (RequestEnd::Open, _) => "unanswered",
        (_, RequestKind::Send) => "send-request",
        (_, RequestKind::Route) => "route-request",
        (_, RequestKind::Other) => "other-request",
    }
}

const LEGEND: [(&str, &str); 14] = [
    ("stored", "stored"),
    ("may-be-stored", "may be stored"),
    ("not-stored", "not stored"),
    ("handed-over", "one-way, handed over"),
    ("no-verdict", "no verdict"),
    ("send-request", "message sent"),
    ("route-request", "route asked for"),
    ("other-request", "heartbeat or other"),
    ("refused", "answered with an error"),
    ("lost", "connection ended before the answer"),
    ("unanswered", "no answer"),
    ("opening", "connecting"),
    ("up", "connected"),
    ("", "retry"),
];

/// What the colours mean. Returns where the picture ends.
fn legend(svg: &mut Svg, y: f64) -> f64 {
    let (mut x, mut y) = (14.0, y);
    for (class, text) in LEGEND {
        let width = 30.0 + text.len() as f64 * LETTER;
        if x + width > RIGHT {
            x = 14.0;
            y += 18.0;
        }
        if class.is_empty() {
            svg.line((x + 5.0, y - 9.0), (x + 5.0, y), "retry", "");
        } else {
            svg.bar((x, y - 9.0), (10.0, 9.0), class, "");
        }
        svg.text((x + 14.0, y), "small", text);
        x += width;
    }
    svg.cross((x + 5.0, y - 4.0), 4.0, "fault", "");
    svg.text((x + 14.0, y), "small", "connection refused, reset or lost");
    y + 16.0
}
