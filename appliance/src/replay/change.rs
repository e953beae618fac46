//! What `patchbay replay` is to try, from its arguments.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use clap::ValueEnum;
use desk::configuration::Configuration;
use desk::past::twin::{AGENTS_ADDED_MAX, Change};
use model::id::{ServiceId, SkillId};
use model::service::{RING_MAX, RingRule, WaitingOrder};
use model::skill::text::parse;
use model::skill::{Level, SkillExpr};

use crate::cli::ReplayArgs;

/// An order of waiting on the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Order {
    Ageing,
    Deadline,
    Slopes,
}

/// Reads the differences; names are those of the present configuration.
pub fn of(args: &ReplayArgs, now: &Configuration) -> Result<Change> {
    let mut change = Change { instead: args.current.then(|| now.floor()), ..Change::default() };
    for text in &args.requirement {
        let (service, who) = assigned(text, now)?;
        change.requirements.push((service, condition(who, now)?));
    }
    for text in &args.priority {
        let (service, priority) = assigned(text, now)?;
        let priority = priority.parse().ok().filter(|points| (0..=1_000).contains(points));
        change
            .priorities
            .push((service, priority.ok_or_else(|| anyhow!("`{text}`: a priority is 0 to 1000"))?));
    }
    for text in &args.order {
        let (service, order) = assigned(text, now)?;
        let order = Order::from_str(order, true)
            .map_err(|_| anyhow!("`{order}` is no order: ageing, deadline, slopes"))?;
        change.orders.push((
            service,
            match order {
                Order::Ageing => WaitingOrder::Ageing,
                Order::Deadline => WaitingOrder::Deadline,
                Order::Slopes => WaitingOrder::Slopes,
            },
        ));
    }
    change.ring_time = args.ring_time.map(Duration::from_secs);
    change.ring = args.ring.map(|agents| match agents {
        0 => (RingRule::All, RING_MAX),
        1 => (RingRule::One, 1),
        several => (RingRule::Several, several),
    });
    for text in &args.agents {
        change.agents.push(crew(text, now)?);
    }
    if change.agents.iter().map(|(count, _)| u64::from(*count)).sum::<u64>() > u64::from(AGENTS_ADDED_MAX) {
        bail!("at most {AGENTS_ADDED_MAX} agents can be added");
    }
    Ok(change)
}

/// `SERVICE=SOMETHING`.
fn assigned<'a>(text: &'a str, now: &Configuration) -> Result<(ServiceId, &'a str)> {
    let (name, rest) = text.split_once('=').ok_or_else(|| anyhow!("`{text}` is not SERVICE=…"))?;
    let name = name.trim();
    let known = now.services.values().find(|service| service.name.to_lowercase() == name.to_lowercase());
    let service = known.ok_or_else(|| anyhow!("there is no service `{name}`"))?;
    Ok((service.id, rest.trim()))
}

fn condition(text: &str, now: &Configuration) -> Result<SkillExpr> {
    parse(text, now.names()).map_err(|error| anyhow!("{error}\n{}", error.shown(text)))
}

/// `2@german >= 7, billing`.
fn crew(text: &str, now: &Configuration) -> Result<(u32, BTreeMap<SkillId, Level>)> {
    let (count, skills) = text.split_once('@').unwrap_or((text, ""));
    let count = count.trim().trim_start_matches('+');
    let count = count.parse().map_err(|_| anyhow!("`{text}` is not COUNT@SKILL>=LEVEL, SKILL …"))?;
    let mut known = BTreeMap::new();
    for skill in skills.split(',').map(str::trim).filter(|skill| !skill.is_empty()) {
        match condition(skill, now)? {
            SkillExpr::AtLeast { skill, level } => drop(known.insert(skill, level)),
            _ => bail!("`{skill}` is not one skill with a level, such as `german >= 7`"),
        }
    }
    Ok((count, known))
}
