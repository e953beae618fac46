//! Legs as lines of text. Pure: colours are marks on cells, and whoever prints decides about them.

use control_api::wire::legs::{Leg, MediaLegs};
use model::time::Timestamp;

/// How urgently something wants to be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Not at all.
    Plain,
    /// A heading.
    Head,
    /// Not as it should be.
    Doubtful,
    /// Bad.
    Bad,
}

/// A line: pieces of text with marks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line(pub Vec<(String, Mark)>);

impl Line {
    fn of(text: impl Into<String>, mark: Mark) -> Self {
        Self(vec![(text.into(), mark)])
    }
    /// Without marks.
    pub fn plain(&self) -> String {
        let text: String = self.0.iter().map(|(text, _)| text.as_str()).collect();
        text.trim_end().to_owned()
    }
}

/// Below this MOS users are dissatisfied, and below this nearly all are (G.107 annex B).
const MOS_DOUBTFUL: f32 = 3.6;
const MOS_BAD: f32 = 3.1;
/// Loss in percent, jitter and round trip in milliseconds: from here doubtful, and bad.
const LOSS: (f32, f32) = (1.0, 5.0);
const JITTER: (f32, f32) = (20.0, 50.0);
const RTT: (f32, f32) = (300.0, 500.0);

/// A column: its name, its width, and what it says of a leg. Numbers stand at the right.
type Column = (&'static str, usize, bool, fn(&Leg) -> (String, Mark));

const COLUMNS: [Column; 13] = [
    ("CALL", 12, false, |leg| plain(leg.call.as_deref().map_or("-".into(), |call| tail(call, 12)))),
    ("WHO", 22, false, |leg| {
        plain(leg.who.name.as_ref().map_or(leg.who.kind.clone(), |name| format!("{} {name}", leg.who.kind)))
    }),
    ("CODEC", 11, false, |leg| {
        let name = |codec: &Option<String>| codec.clone().unwrap_or("-".into());
        plain(format!("{}/{}", name(&leg.codec_in), name(&leg.codec_out)))
    }),
    ("PKT/S", 9, true, |leg| plain(both(leg.received.packets_per_s, leg.sent.packets_per_s))),
    ("KBIT/S", 11, true, |leg| plain(both(leg.received.kbits_per_s, leg.sent.kbits_per_s))),
    ("LOSS%", 6, true, |leg| above(Some(leg.received.loss_percent), LOSS, 1)),
    ("JITTER", 7, true, |leg| above(Some(leg.received.jitter_ms), JITTER, 1)),
    ("RTT", 6, true, |leg| above(leg.rtt_ms, RTT, 0)),
    ("BUFFER", 6, true, |leg| plain(leg.buffer_ms.map_or("-".into(), |ms| ms.to_string()))),
    ("MOS", 5, true, |leg| match leg.mos {
        None => plain("-".into()),
        Some(mos) if mos < MOS_BAD => (format!("{mos:.2}"), Mark::Bad),
        Some(mos) if mos < MOS_DOUBTFUL => (format!("{mos:.2}"), Mark::Doubtful),
        Some(mos) => plain(format!("{mos:.2}")),
    }),
    ("SECURITY", 15, false, |leg| plain(security(&leg.security))),
    ("CARRIED", 7, false, |leg| plain(leg.carried.clone())),
    ("AGE", 10, true, |leg| plain(format!("{} {}", leg.age_ms.map_or("-".into(), age), flags(leg)))),
];

/// All lines: totals, headings, a line a leg.
pub fn lines(seen: &MediaLegs) -> Vec<Line> {
    let mut lines = totals(seen);
    lines.push(Line::of(row(|(name, ..)| ((*name).to_owned(), Mark::Head)).plain(), Mark::Head));
    lines.extend(seen.items.iter().map(|leg| row(|(.., cell)| cell(leg))));
    lines
}

fn row(cell: impl Fn(&Column) -> (String, Mark)) -> Line {
    let cells = COLUMNS.iter().map(|column| {
        let (text, mark) = cell(column);
        let (width, text) = (column.1, cut(&text, column.1));
        let padded = if column.2 { format!("{text:>width$} ") } else { format!("{text:<width$} ") };
        (padded, mark)
    });
    Line(cells.collect())
}

fn totals(seen: &MediaLegs) -> Vec<Line> {
    let totals = &seen.totals;
    let rate = |rate: Option<f32>| rate.map_or("-".into(), |rate| format!("{rate:.0}"));
    let whole = format!(
        "{}  {} legs ({} shown), {} rooms, {} packets/s in, {} out",
        Timestamp::from_millis(seen.at),
        totals.legs,
        seen.items.len(),
        totals.rooms,
        rate(totals.packets_in_per_s),
        rate(totals.packets_out_per_s),
    );
    let threads: Vec<String> = totals
        .threads
        .iter()
        .map(|thread| format!("{} {} {:.1} %", thread.thread, thread.driver, thread.busy_percent))
        .collect();
    let mut lines = vec![Line::of(whole, Mark::Plain)];
    lines.push(Line::of(format!("media threads busy: {}", threads.join(", ")), Mark::Plain));
    if !totals.dropped.is_empty() {
        let mut line = Line::of("dropped:", Mark::Plain);
        for dropped in &totals.dropped {
            let now = dropped.per_s.is_some_and(|per_s| per_s > 0.0);
            let mark = if now { Mark::Doubtful } else { Mark::Plain };
            let text = format!(" {} {} ({}/s)", dropped.reason, dropped.total, rate(dropped.per_s));
            line.0.push((text, mark));
        }
        lines.push(line);
    }
    lines.push(Line::default());
    lines
}

fn plain(text: String) -> (String, Mark) {
    (text, Mark::Plain)
}

fn above(value: Option<f32>, (doubtful, bad): (f32, f32), digits: usize) -> (String, Mark) {
    let Some(value) = value else { return plain("-".into()) };
    let mark = match value {
        value if value >= bad => Mark::Bad,
        value if value >= doubtful => Mark::Doubtful,
        _ => Mark::Plain,
    };
    (format!("{value:.digits$}"), mark)
}

fn both(received: Option<f32>, sent: Option<f32>) -> String {
    let number = |n: Option<f32>| n.map_or("-".into(), |n| format!("{n:.0}"));
    format!("{}/{}", number(received), number(sent))
}

/// `dtls AES_CM_128_HMAC_SHA1_80` as `dtls AES128-80`.
fn security(text: &str) -> String {
    let short = match text.split_once(' ') {
        Some((how, "AES_CM_128_HMAC_SHA1_80")) => format!("{how} AES128-80"),
        Some((how, "AES_CM_128_HMAC_SHA1_32")) => format!("{how} AES128-32"),
        Some((how, "AES_256_CM_HMAC_SHA1_80")) => format!("{how} AES256-80"),
        Some((how, "AEAD_AES_128_GCM")) => format!("{how} AES128-GCM"),
        Some((how, "AEAD_AES_256_GCM")) => format!("{how} AES256-GCM"),
        _ => text.to_owned(),
    };
    cut(&short, 15)
}

fn age(ms: u64) -> String {
    let s = ms / 1_000;
    match s {
        0..60 => format!("{s}s"),
        60..3_600 => format!("{}m{:02}", s / 60, s % 60),
        _ => format!("{}h{:02}", s / 3_600, s % 3_600 / 60),
    }
}

fn flags(leg: &Leg) -> String {
    [(leg.recorded, 'R'), (leg.muted, 'M'), (leg.medium == "video", 'V')]
        .map(|(on, flag)| if on { flag } else { '·' })
        .iter()
        .collect()
}

/// Names come from far away: what would move the cursor is left out.
fn cut(text: &str, width: usize) -> String {
    let clean = text.chars().filter(|c| !c.is_control());
    if clean.clone().count() <= width {
        return clean.collect();
    }
    clean.take(width.saturating_sub(1)).chain(['…']).collect()
}

/// Ids differ at their end.
fn tail(id: &str, width: usize) -> String {
    let len = id.chars().count();
    if len <= width {
        return id.to_owned();
    }
    id.chars().skip(len - width).collect()
}

#[cfg(test)]
mod tests;
