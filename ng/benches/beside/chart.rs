//! The figures as a picture: one panel a profile, calls to the right, share of a core upwards. Plain SVG.

use std::fmt::Write as _;

use serde_json::Value;

const PICTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/pictures/cost.svg");
/// Of a panel, in pixels, with its margins.
const PANEL: (f64, f64) = (300.0, 220.0);
/// Of the plot within it: left, top, width, height.
const PLOT: (f64, f64, f64, f64) = (46.0, 34.0, 236.0, 140.0);
const COLUMNS: usize = 3;
/// Programs with the colours of their lines.
const LINES: [(&str, &str, &str); 4] = [
    ("io_uring", "Patchbay, io_uring", "#1f6f5c"),
    ("mmsg", "Patchbay, mmsg", "#7bb661"),
    ("xdp", "Patchbay, by the kernel", "#2c5f9e"),
    ("rtpengine", "rtpengine 10.5.3, user space", "#b5482a"),
];

/// Draws the last run's figures.
pub fn draw(panels: &[Value]) {
    if panels.is_empty() {
        println!("there are no figures yet: `make bench-media` takes them");
        std::process::exit(1);
    }
    match std::fs::write(PICTURE, picture(panels)) {
        Ok(()) => println!("{PICTURE}"),
        Err(why) => {
            println!("cannot write {PICTURE}: {why}");
            std::process::exit(1);
        }
    }
}

fn picture(panels: &[Value]) -> String {
    let rows = panels.len().div_ceil(COLUMNS);
    let (width, height) = (PANEL.0 * COLUMNS as f64, PANEL.1 * rows as f64 + 40.0);
    let mut svg = String::new();
    // Writing to a string cannot fail.
    _ = writeln!(
        svg,
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="11" fill="#333">
<rect width="{width}" height="{height}" fill="#fff"/>"##
    );
    for (n, (_, name, colour)) in LINES.iter().enumerate() {
        let x = 46.0 + 210.0 * n as f64;
        _ = writeln!(
            svg,
            r#"<path d="M{x} 18h24" stroke="{colour}" stroke-width="3"/><text x="{}" y="22">{name}</text>"#,
            x + 30.0
        );
    }
    for (n, panel) in panels.iter().enumerate() {
        let (column, row) = (n % COLUMNS, n / COLUMNS);
        let at = (PANEL.0 * column as f64, PANEL.1 * row as f64 + 30.0);
        _ = writeln!(svg, r#"<g transform="translate({} {})">"#, at.0, at.1);
        draw_panel(panel, &mut svg);
        svg += "</g>\n";
    }
    svg += "</svg>\n";
    svg
}

/// Calls and percent of a core of one program's runs.
fn points(engine: &Value) -> Vec<(f64, f64)> {
    let runs = engine["runs"].as_array().into_iter().flatten();
    runs.filter_map(|run| Some((run["calls"].as_f64()?, run["core_percent"].as_f64()?))).collect()
}

fn draw_panel(panel: &Value, svg: &mut String) {
    let engines: Vec<&Value> = panel["engines"].as_array().into_iter().flatten().collect();
    let all: Vec<(f64, f64)> = engines.iter().flat_map(|engine| points(engine)).collect();
    let most_calls = all.iter().map(|point| point.0).fold(1.0, f64::max);
    let most_percent = all.iter().map(|point| point.1).fold(1.0, f64::max);
    let top = (most_percent / 20.0).ceil() * 20.0;
    let (left, above, width, height) = PLOT;
    let x = |calls: f64| left + width * calls / most_calls;
    let y = |percent: f64| above + height * (1.0 - percent / top);
    let title = panel["title"].as_str().unwrap_or_default();
    _ = writeln!(svg, r#"<text x="{left}" y="24" font-size="13" font-weight="bold">{title}</text>"#);
    for step in 0..=4 {
        let percent = top * f64::from(step) / 4.0;
        _ = writeln!(
            svg,
            r##"<path d="M{left} {0:.1}h{width}" stroke="#ddd"/><text x="{1}" y="{2:.1}" text-anchor="end">{percent:.0} %</text>"##,
            y(percent),
            left - 5.0,
            y(percent) + 4.0
        );
        let calls = most_calls * f64::from(step) / 4.0;
        _ = writeln!(
            svg,
            r#"<text x="{:.1}" y="{}" text-anchor="middle">{calls:.0}</text>"#,
            x(calls),
            above + height + 16.0
        );
    }
    _ = writeln!(
        svg,
        r#"<text x="{}" y="{}" text-anchor="middle">calls; share of a core</text>"#,
        left + width / 2.0,
        above + height + 32.0
    );
    for (name, _, colour) in LINES {
        let Some(engine) = engines.iter().find(|engine| engine["name"] == name) else { continue };
        let line: Vec<String> = points(engine)
            .iter()
            .map(|(calls, percent)| format!("{:.1},{:.1}", x(*calls), y(*percent)))
            .collect();
        let line = line.join(" ");
        _ = writeln!(svg, r#"<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>"#);
    }
}
