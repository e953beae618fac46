//! `patchbay replay`: the journal decided again, and yesterday under other rules. Reads the database only, so the appliance may run.

mod change;
mod table;

use std::process::ExitCode;

use anyhow::{Context, Result, anyhow, bail};
use desk::configuration::Configuration;
use desk::past::Past;
use desk::past::verify::Verified;
use model::time::Timestamp;
use store::Store;

use crate::cli::ReplayArgs;
use crate::config::Config;
use crate::users::only_tenant;
use crate::when::moment;

/// Replays and shows; fails when the journal came out otherwise.
pub async fn replay(args: ReplayArgs, now: Timestamp) -> Result<ExitCode> {
    let config = Config::read(&args.config.config)?;
    let time = |text: &Option<String>, otherwise| {
        text.as_deref().map_or(Ok(otherwise), |text| moment(text, now)).map_err(|why| anyhow!(why))
    };
    let (from, to) = (time(&args.from, now - DAY)?, time(&args.to, now)?);
    if from >= to {
        bail!("--from has to be before --to");
    }
    let store = Store::open(&config.database_url).await.context("cannot open the database")?;
    let tenant = only_tenant(&store).await?;
    let configuration = Configuration::load(&store, tenant).await.context("cannot read the configuration")?;
    let past = Past::of(&store, tenant);
    let change = change::of(&args, &configuration)?;
    let code = if change.is_none() {
        let verified = past.decide_again(from, to).await?;
        if args.json {
            println!("{:#}", serde_json::to_value(&verified)?);
        } else {
            println!("{}", words(&verified));
        }
        if verified.difference.is_some() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
    } else {
        let compared = past.what_if((from, to), &change, &configuration, args.seed).await?;
        if args.json {
            println!("{:#}", serde_json::to_value(&compared)?);
        } else {
            print!("{}", table::text(&compared, &configuration));
        }
        ExitCode::SUCCESS
    };
    store.close().await;
    Ok(code)
}

/// Without `--from`: the last day.
const DAY: std::time::Duration = std::time::Duration::from_secs(86_400);

fn words(verified: &Verified) -> String {
    let Some(since) = verified.since else {
        return "Nothing can be decided again: since this program runs here the appliance has not been started, or what the floor decided by is no longer known.".into();
    };
    let same = &verified.same;
    let until = verified.until.unwrap_or(since);
    let mut text = format!(
        "{since} to {until}: {} entries of the floor, {} causes told again, {} decisions the same, {} of them offers; {} starts, {} changes of the configuration.",
        same.entries, same.causes, same.decisions, same.offers, verified.starts, verified.changes
    );
    if let Some(generation) = verified.unknown {
        text += &format!(
            "\nWhat followed generation {generation} of the configuration was passed over up to the next start: it is not known any more."
        );
    }
    match &verified.difference {
        None => text += "\nThe journal came out the same.",
        Some(difference) => {
            let decided = difference.decided.as_ref().map_or("nothing".into(), |event| format!("{event:?}"));
            text += &format!(
                "\nIt came out otherwise at entry {} of {}:\n  written: {:?}\n  decided: {decided}",
                difference.written.seq.0, difference.written.at, difference.written.event
            );
        }
    }
    text
}
