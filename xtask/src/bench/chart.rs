//! The chart: some figures of BENCHMARKS.md as bars, in benchmarks.svg beside it.

use std::fmt::Write;
use std::fs;

use super::Fallible;
use crate::{Outcome, workspace};

/// A part of the chart: the case and the column of its table, and what a reader is told it is.
struct Panel {
    case: &'static str,
    column: &'static str,
    title: &'static str,
    unit: &'static str,
}

/// In each of them less is better.
const PANELS: [Panel; 6] = [
    Panel {
        case: "instructions",
        column: "short head",
        title: "A short reply",
        unit: "instructions in user space",
    },
    Panel {
        case: "hello-64",
        column: "CPU us/request",
        title: "A short reply, 64 connections",
        unit: "µs of CPU",
    },
    Panel { case: "ws-1k", column: "CPU us/message", title: "WebSocket echo of 1 KB", unit: "µs of CPU" },
    Panel {
        case: "tls-reply-1m", column: "CPU us/request", title: "A megabyte over TLS", unit: "µs of CPU"
    },
    Panel { case: "storm", column: "memory B/connection", title: "A held connection", unit: "bytes" },
    Panel { case: "footprint", column: "stripped KB", title: "The program, stripped", unit: "KB" },
];

/// Whom it shows, as the tables and as the chart call them.
const PEERS: [(&str, &str); 8] = [
    ("ours", "this crate"),
    ("c", "Mongoose in C"),
    ("hyper", "hyper"),
    ("actix", "actix-web"),
    ("axum", "axum"),
    ("tiny_http", "tiny_http"),
    ("fastwebsockets", "fastwebsockets"),
    ("tokio_tungstenite", "tokio-tungstenite"),
];

/// A bar: its label, whether it is ours, its figure, and the figure as the table writes it.
#[derive(Debug, PartialEq)]
struct Bar {
    label: &'static str,
    ours: bool,
    figure: f64,
    text: String,
}

const WIDTH: u32 = 880;
const MARGIN: u32 = 24;
/// Of a panel, with the gap on its right.
const PANEL: u32 = (WIDTH - MARGIN) / 2;
const LABEL: u32 = 132;
/// Leaves room for a figure behind the longest bar.
const LONGEST: u32 = PANEL - LABEL - MARGIN - 64;
const LINE: u32 = 22;

/// By class, because a page that shows the picture as an image passes on whether it is dark, and nothing else.
const STYLE: &str = "\
text{font:13px system-ui,sans-serif;fill:#24292f}.title{font-weight:600}.unit,.note{fill:#57606a}\
.back{fill:#fff}.bar{fill:#9aa4af}.ours{fill:#1a7f37}text.ours{font-weight:600}\
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.unit,.note{fill:#9198a1}.back{fill:#0d1117}\
.bar{fill:#59636e}.ours{fill:#3fb950}}";

/// Writes benchmarks.svg by the figures of BENCHMARKS.md.
pub fn write() -> Outcome {
    let figures = fs::read_to_string(workspace::root().join("BENCHMARKS.md"))?;
    let file = workspace::root().join("benchmarks.svg");
    fs::write(&file, draw(&figures)?)?;
    println!("Written to {}", file.display());
    Ok(())
}

fn draw(figures: &str) -> Fallible<String> {
    let mut body = String::new();
    let mut top = MARGIN;
    for row in PANELS.chunks(2) {
        let mut lines = 0;
        for (panel, left) in row.iter().zip([MARGIN, MARGIN + PANEL]) {
            let bars = bars(figures, panel)?;
            lines = lines.max(bars.len() as u32);
            draw_panel(&mut body, panel, &bars, left, top)?;
        }
        top += (lines + 2) * LINE;
    }
    let height = top + LINE;
    let note =
        "Less is better in all of them. Medians of one run on one machine: BENCHMARKS.md has the rest.";
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">\n\
         <title>What it costs, here and elsewhere</title>\n<style>{STYLE}</style>\n\
         <rect class=\"back\" width=\"{WIDTH}\" height=\"{height}\" rx=\"8\"/>\n{body}\
         <text class=\"note\" x=\"{MARGIN}\" y=\"{top}\">{note}</text>\n</svg>\n"
    ))
}

fn draw_panel(body: &mut String, panel: &Panel, bars: &[Bar], left: u32, top: u32) -> Outcome {
    let (title, unit) = (panel.title, panel.unit);
    writeln!(
        body,
        "<text class=\"title\" x=\"{left}\" y=\"{}\">{title}<tspan class=\"unit\" dx=\"8\" font-weight=\"400\">{unit}</tspan></text>",
        top + 14
    )?;
    let most = bars.iter().map(|bar| bar.figure).fold(0.0, f64::max);
    for (bar, line) in bars.iter().zip(1..) {
        let y = top + line * LINE;
        let length = (bar.figure / most * f64::from(LONGEST)).max(1.0);
        let (from, base, ours) = (left + LABEL, y + 15, if bar.ours { " ours" } else { "" });
        writeln!(body, "<text class=\"label{ours}\" x=\"{left}\" y=\"{base}\">{}</text>", bar.label)?;
        writeln!(
            body,
            "<rect class=\"bar{ours}\" x=\"{from}\" y=\"{}\" width=\"{length:.1}\" height=\"14\" rx=\"2\"/>",
            y + 4
        )?;
        let behind = f64::from(from) + length + 6.0;
        writeln!(body, "<text class=\"figure{ours}\" x=\"{behind:.1}\" y=\"{base}\">{}</text>", bar.text)?;
    }
    Ok(())
}

/// The medians of one column of one case, the least first.
fn bars(figures: &str, panel: &Panel) -> Fallible<Vec<Bar>> {
    let heading = format!("### {}: ", panel.case);
    let lacks = || format!("BENCHMARKS.md has no {:?} of {:?}", panel.column, panel.case);
    let mut lines = figures.lines().skip_while(|line| !line.starts_with(&heading)).skip(1);
    let head = lines.find(|line| line.starts_with('|')).ok_or_else(lacks)?;
    let column = cells(head).position(|cell| cell == panel.column).ok_or_else(lacks)?;
    let mut bars = Vec::new();
    for line in lines.skip(1).take_while(|line| line.starts_with('|')) {
        let shown = PEERS.iter().find(|(name, _)| cells(line).next() == Some(name));
        let Some(text) = cells(line).nth(column).and_then(|cell| cell.split(' ').next()) else { continue };
        if let (Some((name, label)), false) = (shown, text.is_empty()) {
            let figure = text.replace(',', "").parse()?;
            bars.push(Bar { label, ours: *name == "ours", figure, text: text.to_owned() });
        }
    }
    if !bars.iter().any(|bar| bar.ours) {
        return Err(lacks().into());
    }
    bars.sort_by(|one, other| one.figure.total_cmp(&other.figure));
    Ok(bars)
}

/// What stands in a line of a table.
fn cells(line: &str) -> impl Iterator<Item = &str> {
    line.trim_matches('|').split('|').map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::{Bar, PANELS, bars, draw};
    use crate::workspace;
    use std::fs;

    #[test]
    fn a_median_is_read_back_without_its_extremes_and_the_least_comes_first() {
        let table = "### storm: 8,000 connections\n\n\
                     | | accepted/s | x ours | memory B/connection | x ours |\n| --- | ---: | ---: | ---: | ---: |\n\
                     | ours | 39,290 (31,037-40,269) | 1.00 | 1,139 (1,138-1,139) | 1.00 |\n\
                     | floor | 30,623 | 0.76 | 31.7 | 0.03 |\n| nobody | 1 | 1 | 1 | 1 |\n\
                     | may_minihttp | | | 2 | 2 |\n| axum | | | 9.5 | 2 |\n| c | 1 | 1 | | |\n\n\
                     | hyper | 1 | 1 | 1 | 1 |\n";
        let bar = |label, ours, figure, text: &str| Bar { label, ours, figure, text: text.to_owned() };
        let found = bars(table, &PANELS[4]).unwrap();
        assert_eq!(found, [bar("axum", false, 9.5, "9.5"), bar("this crate", true, 1139.0, "1,139")]);
        assert!(bars(table, &PANELS[0]).is_err());
    }

    #[test]
    fn the_chart_shows_the_figures_that_are_checked_in() {
        let read = |name: &str| fs::read_to_string(workspace::root().join(name)).unwrap();
        assert!(
            draw(&read("BENCHMARKS.md")).unwrap() == read("benchmarks.svg"),
            "run `cargo xtask bench --chart`"
        );
    }
}
