//! `patchbay explain`: why a caller waits, rings or rang where it does, in words.

use anyhow::{Result, anyhow, bail};
use model::id::InteractionId;
use model::time::Timestamp;
use serde_json::Value;

use crate::ask;
use crate::cli::ExplainArgs;
use crate::config::Config;

/// Agents shown one by one; JSON has more.
const SHOWN: usize = 20;

/// Asks and shows.
pub async fn explain(args: &ExplainArgs, now: Timestamp) -> Result<()> {
    let config = Config::read(&args.ask.config.config)?;
    let Some(interaction) = &args.interaction else {
        if args.offer.is_some() || args.at.is_some() {
            bail!("--offer and --at need an interaction");
        }
        let all = ask::get(&config, "/api/v1/waiting/explanations").await?;
        if args.ask.json {
            println!("{all:#}");
            return Ok(());
        }
        let items = all["items"].as_array().map(Vec::as_slice).unwrap_or_default();
        if items.is_empty() {
            println!("Nobody waits.");
        }
        items.iter().for_each(|why| println!("{}\n", text(why)));
        return Ok(());
    };
    let interaction: InteractionId = interaction.parse().map_err(|error| anyhow!("{error}"))?;
    let moment = match (&args.offer, &args.at) {
        (Some(offer), _) if offer == "last" || offer.parse::<u32>().is_ok() => format!("?offer={offer}"),
        (Some(offer), _) => bail!("`{offer}` is no offer: a number from 1, or last"),
        (None, Some(at)) => {
            format!("?at={}", crate::when::moment(at, now).map_err(|why| anyhow!(why))?.millis())
        }
        (None, None) => String::new(),
    };
    let why = ask::get(&config, &format!("/api/v1/interactions/{interaction}/explanation{moment}")).await?;
    if args.ask.json {
        println!("{why:#}")
    } else {
        println!("{}", text(&why))
    }
    Ok(())
}

/// An explanation for people.
fn text(why: &Value) -> String {
    let mut lines = Vec::new();
    let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let time = |value: &Value| value.as_u64().map_or("-".into(), |ms| Timestamp::from_millis(ms).to_string());
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let wait = why["at"].as_u64().unwrap_or(0).saturating_sub(why["waiting_since"].as_u64().unwrap_or(0));
    lines.push(format!(
        "{}  {}  {}, {} s since it was queued, as of {}",
        word(&why["interaction"]),
        word(&why["service"]["name"]),
        word(&why["stage"]),
        wait / 1_000,
        time(&why["at"])
    ));
    if let Some(position) = why["position"].as_u64() {
        let expected = why["expected_wait_s"].as_u64().map_or("not known".into(), |wait| format!("{wait} s"));
        lines.push(format!(
            "  {position} of the same service come first; priority {}; expected wait {expected}",
            why["priority"]
        ));
    }
    lines.push(format!(
        "  step {} of {} asks for {}: {} agents fit, {} of them are signed in",
        why["step"],
        why["steps"],
        word(&why["asks_for"]),
        why["fitting"],
        why["online"]
    ));
    if why["hopeless"] == true {
        lines.push("  nobody of the configuration fits this step or a later one: it waits in vain".into());
    }
    if let Some(next) = why["next"].as_object() {
        lines.push(format!("  next step: {} from {}", word(&next["asks_for"]), time(&next["at"])));
    }
    if let Some(chosen) = why["chosen"]["name"].as_str() {
        let again = match why["rederived"].as_bool() {
            Some(true) => "worked out again from the journal, it is the same agent",
            _ => {
                "worked out again from the journal, it is another agent: the configuration of the time is not known"
            }
        };
        lines.push(format!("  rung: {chosen} ({again})"));
    }
    for (n, one) in list(&why["candidates"]).iter().take(SHOWN).enumerate() {
        let lost = one["lost_on"].as_str().map_or(String::new(), |term| format!("lost on {term}: "));
        lines.push(format!(
            "  {:>3}. {:<24} {lost}{}",
            n + 1,
            word(&one["agent"]["name"]),
            word(&one["text"])
        ));
    }
    let fitting: Vec<_> =
        list(&why["agents"]).into_iter().filter(|one| one["verdict"] != "unskilled").collect();
    if why["candidates"].as_array().is_none_or(Vec::is_empty) && !fitting.is_empty() {
        lines.push("  agents who fit:".into());
        for one in fitting.iter().take(SHOWN) {
            let until =
                one["until"].as_u64().map_or(String::new(), |_| format!(" until {}", time(&one["until"])));
            lines.push(format!(
                "       {:<24} {}{until}",
                word(&one["agent"]["name"]),
                word(&one["verdict"])
            ));
        }
        if fitting.len() > SHOWN {
            lines.push(format!("       … {} more (--json has them)", fitting.len() - SHOWN));
        }
    }
    for advice in list(&why["advice"]) {
        lines.push(format!("  - {}", word(&advice["text"])));
    }
    for offer in list(&why["offers"]) {
        let end = offer["result"].as_str().unwrap_or("rings");
        let until =
            offer["ended_at"].as_u64().map_or(String::new(), |_| format!(" at {}", time(&offer["ended_at"])));
        lines.push(format!(
            "  offer {}: {} to {}, {end}{until}",
            offer["number"],
            time(&offer["at"]),
            word(&offer["agent"]["name"])
        ));
    }
    // Names come from far away: what would move the cursor is left out.
    let clean = |line: String| line.chars().filter(|c| !c.is_control()).collect::<String>();
    lines.into_iter().map(clean).collect::<Vec<_>>().join("\n")
}
