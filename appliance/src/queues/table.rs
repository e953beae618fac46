//! Queues as lines of text, in the order that is wanted. Pure.

use clap::ValueEnum;
use model::time::Timestamp;
use serde_json::{Value, json};

use crate::top::screen::{View, name, next};
use crate::top::table::{Line, Mark};

/// What comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SortBy {
    /// The longest wait.
    Wait,
    /// The most who wait.
    Waiting,
    /// The fewest agents who are Ready.
    Ready,
    /// By name.
    Name,
}

/// Which queues, in which order.
#[derive(Clone, Debug)]
pub struct Sort {
    pub by: SortBy,
    pub reverse: bool,
    /// Part of a service's name.
    pub service: Option<String>,
}

impl Sort {
    /// The queues that are wanted; equal ones stand by name.
    pub fn of(&self, mut queues: Value) -> Value {
        let Some(items) = queues["items"].as_array_mut() else { return queues };
        let name = |queue: &Value| queue["service"]["name"].as_str().unwrap_or_default().to_lowercase();
        if let Some(part) = &self.service {
            items.retain(|queue| name(queue).contains(&part.to_lowercase()));
        }
        items.sort_by_key(name);
        let number = |queue: &Value, key: &str| queue[key].as_u64();
        match self.by {
            SortBy::Wait => items.sort_by_key(|queue| number(queue, "longest_since").unwrap_or(u64::MAX)),
            SortBy::Waiting => items.sort_by_key(|queue| std::cmp::Reverse(number(queue, "waiting"))),
            SortBy::Ready => items.sort_by_key(|queue| number(queue, "ready_agents")),
            SortBy::Name => {}
        }
        if self.reverse {
            items.reverse();
        }
        queues
    }
}

impl View<Value> for Sort {
    fn lines(&self, seen: &Value) -> Vec<Line> {
        lines(&self.of(seen.clone()))
    }
    fn sorted_by(&self) -> String {
        name(&self.by)
    }
    fn sort_by_next(&mut self) {
        self.by = next(&self.by);
    }
    fn reverse(&mut self) -> &mut bool {
        &mut self.reverse
    }
}

/// A column: heading, width, and what it says of a queue at a moment. Numbers stand at the right.
type Column = (&'static str, usize, fn(&Value, u64) -> (String, Mark));

const COLUMNS: [Column; 11] = [
    ("QUEUE", 28, |queue, _| (cut(queue["service"]["name"].as_str().unwrap_or("-"), 28), Mark::Plain)),
    ("STATE", 10, |queue, _| match (queue["emergency"] == true, queue["open"] == true) {
        (true, _) => ("emergency".into(), Mark::Bad),
        (_, false) => ("closed".into(), Mark::Doubtful),
        _ => ("open".into(), Mark::Plain),
    }),
    ("WAITING", 8, |queue, _| (count(queue, "waiting"), busy(queue))),
    ("BACK", 5, |queue, _| (count(queue, "callbacks"), Mark::Plain)),
    ("LONGEST", 9, |queue, at| {
        let since = queue["longest_since"].as_u64();
        (since.map_or("-".into(), |since| minutes(at.saturating_sub(since) / 1_000)), busy(queue))
    }),
    ("AGENTS", 7, |queue, _| {
        (count(queue, "agents"), if queue["agents"] == 0 { Mark::Bad } else { Mark::Plain })
    }),
    ("READY", 6, |queue, _| (count(queue, "ready_agents"), Mark::Plain)),
    ("BUSY", 5, |queue, _| (count(queue, "busy_agents"), Mark::Plain)),
    ("EXPECTED", 9, |queue, _| (queue["expected_wait_s"].as_u64().map_or("-".into(), minutes), Mark::Plain)),
    // Of the last half hour, which shows what is going on; of today in JSON.
    ("SL", 6, |queue, _| (percent(&queue["half_hour"]["service_level_percent"]), Mark::Plain)),
    ("ABANDONED", 10, |queue, _| (percent(&queue["half_hour"]["abandoned_percent"]), Mark::Plain)),
];

/// A heading and a line for each queue, with the sum at the end.
pub fn lines(queues: &Value) -> Vec<Line> {
    let items = queues["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    let at = queues["at"].as_u64().unwrap_or_default();
    let row = |cell: &dyn Fn(&Column) -> (String, Mark)| {
        let cells = COLUMNS.iter().enumerate().map(|(n, column)| {
            let (text, mark) = cell(column);
            let width = column.1;
            (if n == 0 { format!("{text:<width$} ") } else { format!("{text:>width$} ") }, mark)
        });
        Line(cells.collect())
    };
    let mut lines = vec![row(&|column| (column.0.to_owned(), Mark::Head))];
    lines.extend(items.iter().map(|queue| row(&|column| (column.2)(queue, at))));
    let waiting: u64 = items.iter().filter_map(|queue| queue["waiting"].as_u64()).sum();
    let whole =
        json!({ "service": { "name": format!("{} queues, {}", items.len(), Timestamp::from_millis(at)) } });
    let name = cut(whole["service"]["name"].as_str().unwrap_or_default(), 40);
    lines.push(Line(vec![(format!("{waiting} waiting in {name}"), Mark::Head)]));
    lines
}

fn count(queue: &Value, key: &str) -> String {
    queue[key].as_u64().map_or("-".into(), |number| number.to_string())
}

fn percent(share: &Value) -> String {
    share.as_f64().map_or("-".into(), |share| format!("{share:.0} %"))
}

/// Somebody waits though somebody is Ready for a moment only; somebody who waits without agents is bad.
fn busy(queue: &Value) -> Mark {
    match (queue["waiting"].as_u64(), queue["agents"].as_u64()) {
        (Some(1..), Some(0)) => Mark::Bad,
        (Some(1..), _) => Mark::Doubtful,
        _ => Mark::Plain,
    }
}

fn minutes(seconds: u64) -> String {
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

/// Names are somebody else's: what would move the cursor is left out.
fn cut(text: &str, width: usize) -> String {
    text.chars().filter(|c| !c.is_control()).take(width).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen() -> Value {
        let queue = |name: &str, waiting: u64, since: Option<u64>, agents: u64, ready: u64| {
            json!({ "service": { "id": "service_1", "name": name }, "open": name != "billing",
                "emergency": name == "Sales", "waiting": waiting, "callbacks": 1, "longest_since": since,
                "agents": agents, "ready_agents": ready, "busy_agents": agents - ready, "expected_wait_s": since.map(|_| 75),
                "half_hour": { "service_level_percent": since.map(|_| 83.3), "abandoned_percent": since.map(|_| 4.0) } })
        };
        json!({ "at": 100_000, "items": [
            queue("Sales", 0, None, 3, 2), queue("Help\u{1b}[2J", 4, Some(30_000), 0, 0), queue("billing", 9, Some(90_000), 2, 0)
        ] })
    }
    fn names(by: SortBy, reverse: bool) -> Vec<char> {
        let sorted = Sort { by, reverse, service: None }.of(seen());
        let items = sorted["items"].as_array().unwrap().clone();
        items.iter().filter_map(|queue| queue["service"]["name"].as_str()?.chars().next()).collect()
    }

    #[test]
    fn the_longest_wait_comes_first_unless_said_otherwise() {
        assert_eq!(names(SortBy::Wait, false), ['H', 'b', 'S']);
        assert_eq!(names(SortBy::Waiting, false), ['b', 'H', 'S']);
        assert_eq!(names(SortBy::Ready, false), ['b', 'H', 'S']);
        assert_eq!(names(SortBy::Name, true), ['S', 'H', 'b']);
        let one = Sort { by: SortBy::Name, reverse: false, service: Some("BILL".into()) }.of(seen());
        assert_eq!(one["items"].as_array().map(Vec::len), Some(1));
    }

    #[test]
    fn a_line_says_how_long_and_how_many_and_moves_no_cursor() {
        let lines = lines(&Sort { by: SortBy::Wait, reverse: false, service: None }.of(seen()));
        let words: Vec<_> = lines
            .iter()
            .map(|line| line.plain().split_whitespace().map(str::to_owned).collect::<Vec<_>>())
            .collect();
        assert_eq!(
            words[1],
            ["Help[2J", "open", "4", "1", "1:10", "0", "0", "0", "1:15", "83", "%", "4", "%"]
        );
        assert_eq!(words[3], ["Sales", "emergency", "0", "1", "-", "3", "2", "1", "-", "-", "-"]);
        assert_eq!((words[2][1].as_str(), lines[2].0[1].1), ("closed", Mark::Doubtful), "by decreasing wait");
        assert!(lines[4].plain().starts_with("13 waiting in 3 queues"), "{}", lines[4].plain());
        assert_eq!(lines[1].0[2].1, Mark::Bad, "who waits without an agent stands out");
    }
}
