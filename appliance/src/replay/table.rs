//! Figures before and after, for people.

use desk::configuration::Configuration;
use desk::past::twin::{Compared, Figures, Outcome};

/// A line of figures.
type Row = (&'static str, fn(&Figures) -> String);

const ROWS: [Row; 8] = [
    ("customers", |f| f.customers.to_string()),
    ("answered", |f| f.answered.to_string()),
    ("abandoned", |f| f.abandoned.to_string()),
    ("turned away", |f| f.turned_away.to_string()),
    ("service level", |f| format!("{:.1} %", f.service_level_percent)),
    ("abandonment", |f| format!("{:.1} %", f.abandoned_percent)),
    ("mean wait", |f| format!("{:.1} s", f.mean_wait_s)),
    ("95 % wait at most", |f| format!("{:.1} s", f.p95_wait_s)),
];

/// The tables, and what was assumed.
pub fn text(compared: &Compared, config: &Configuration) -> String {
    let columns = [&compared.recorded, &compared.same_rules, &compared.changed];
    let mut text = format!("{} to {}\n\n", compared.from, compared.to);
    text += &line("ALL SERVICES", ["RECORDED", "TWIN, AS IT WAS", "TWIN, CHANGED"].map(str::to_owned));
    for (name, figure) in ROWS {
        text += &line(name, columns.map(|outcome| figure(&outcome.total)));
    }
    text += &line("occupancy", columns.map(|outcome| format!("{:.1} %", outcome.occupancy_percent)));
    let mut services: Vec<_> = columns.iter().flat_map(|outcome| outcome.services.keys().copied()).collect();
    services.sort_unstable();
    services.dedup();
    if services.len() > 1 {
        for service in services {
            let name = config.name_service(service).name;
            let name: String = name.chars().filter(|c| !c.is_control()).collect();
            text += &format!("\n{}\n", if name.is_empty() { service.to_string() } else { name });
            let of = |outcome: &Outcome| outcome.services.get(&service).cloned().unwrap_or_default();
            for (name, figure) in ROWS {
                text += &line(name, columns.map(|outcome| figure(&of(outcome))));
            }
        }
    }
    text + ASSUMED
}

fn line(name: &str, cells: [String; 3]) -> String {
    let cells = cells.map(|cell| format!("{cell:>17}")).concat();
    format!("  {name:<20}{cells}\n")
}

const ASSUMED: &str = "
Compare the two columns of the twin; RECORDED beside TWIN, AS IT WAS shows how near the twin comes to what happened.
Kept: arrivals, how long those waited who left, how long calls lasted whoever answers, sign-ins and breaks.
Assumed, with chance from --seed: who was answered would have left later, as the patience of all says (Kaplan-Meier); a
customer who was not answered talks as long as another of the service; agents take, decline and miss offers as they did;
whom a rule makes Not ready comes back as quickly as others did. Calls between colleagues are left out.
The service level is the share of all customers who were answered within the time of their service.
";
