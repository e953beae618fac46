//! The figures as a picture: events a second against agents and against those who wait, both scales logarithmic. Plain SVG on
//! its own white ground, so that it can be read on a dark page too.

use std::fmt::Write as _;

use crate::{Figures, Point};

const PICTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/pictures/router.svg");
/// Of the whole picture, and of a plot within its half: left, top, width, height.
const WHOLE: (f64, f64) = (900.0, 330.0);
const PLOT: (f64, f64, f64, f64) = (60.0, 60.0, 370.0, 210.0);
/// What the vertical scale covers, in powers of ten.
const DECADES: (i32, i32) = (0, 7);

pub fn draw(figures: &Figures) {
    match std::fs::write(PICTURE, picture(figures)) {
        Ok(()) => println!("{PICTURE}"),
        Err(why) => {
            println!("cannot write {PICTURE}: {why}");
            std::process::exit(1);
        }
    }
}

fn picture(figures: &Figures) -> String {
    let mut svg = String::new();
    // Writing to a string cannot fail.
    _ = writeln!(
        svg,
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0} {1}" role="img" aria-label="Events a second against agents and against waiting customers: Patchbay stays between two and four million, a router that polls SQLite falls to some six hundred" font-family="sans-serif" font-size="11" fill="#333">
<rect width="{0}" height="{1}" fill="#fff"/>
<path d="M60 18h24" stroke="#1f6f5c" stroke-width="3"/><text x="90" y="22">Patchbay</text>
<path d="M200 18h24" stroke="#b5482a" stroke-width="3" stroke-dasharray="6 3"/><text x="230" y="22">a router that polls SQLite in memory</text>"##,
        WHOLE.0, WHOLE.1
    );
    panel(0.0, "agents, five waiting for each", &figures.by_agents, |point| point.agents as f64, &mut svg);
    panel(450.0, "waiting, 10,000 agents", &figures.by_waiting, |point| point.waiting as f64, &mut svg);
    svg += "</svg>\n";
    svg
}

fn panel(at: f64, title: &str, points: &[Point], of: impl Fn(&Point) -> f64, svg: &mut String) {
    let (left, top, width, height) = PLOT;
    // Nobody waiting stands where one would.
    let place = |point: &Point| of(point).max(1.0).log10();
    let first = points.iter().map(place).fold(f64::MAX, f64::min);
    let last = points.iter().map(place).fold(f64::MIN, f64::max);
    let x = |point: &Point| left + width * (place(point) - first) / (last - first);
    let y = |rate: f64| {
        let share = (rate.max(1.0).log10() - f64::from(DECADES.0)) / f64::from(DECADES.1 - DECADES.0);
        top + height * (1.0 - share)
    };
    _ = writeln!(svg, r#"<g transform="translate({at} 0)">"#);
    _ = writeln!(svg, r#"<text x="{left}" y="46" font-size="13" font-weight="bold">events a second</text>"#);
    for power in DECADES.0..=DECADES.1 {
        let rate = 10_f64.powi(power);
        _ = writeln!(
            svg,
            r##"<path d="M{left} {0:.1}h{width}" stroke="#ddd"/><text x="{1}" y="{2:.1}" text-anchor="end">{3}</text>"##,
            y(rate),
            left - 5.0,
            y(rate) + 4.0,
            ["1", "10", "100", "1,000", "10,000", "100,000", "1 M", "10 M"][power as usize]
        );
    }
    for point in points {
        let number = of(point);
        let label =
            if number >= 1_000.0 { format!("{:.0},000", number / 1_000.0) } else { format!("{number:.0}") };
        _ = writeln!(
            svg,
            r#"<text x="{:.1}" y="{}" text-anchor="middle">{label}</text>"#,
            x(point),
            top + height + 16.0
        );
    }
    _ = writeln!(
        svg,
        r#"<text x="{}" y="{}" text-anchor="middle">{title}</text>"#,
        left + width / 2.0,
        top + height + 36.0
    );
    let mut line = |rate: fn(&Point) -> f64, look: &str| {
        let path: Vec<String> =
            points.iter().map(|point| format!("{:.1},{:.1}", x(point), y(rate(point)))).collect();
        _ = writeln!(svg, r#"<polyline points="{}" fill="none" stroke-width="2" {look}/>"#, path.join(" "));
    };
    line(|point| point.ours, r##"stroke="#1f6f5c""##);
    line(|point| point.polling, r##"stroke="#b5482a" stroke-dasharray="6 3""##);
    svg.push_str("</g>\n");
}
