//! `patchbay queues`: who waits for what, once or every second; on a terminal, as text, or as JSON for programs.

mod table;

use std::io::IsTerminal;

use anyhow::Result;
use serde_json::Value;

use crate::cli::QueuesArgs;
use crate::config::Config;
use crate::top::{EVERY, screen};
use crate::{ask, clock, run, top};
use table::Sort;
pub use table::SortBy;

/// Shows the queues.
pub async fn queues(args: QueuesArgs) -> Result<()> {
    let config = Config::read(&args.ask.config.config)?;
    let sort = Sort { by: args.sort, reverse: args.reverse, service: args.service };
    let look = async || {
        let mut seen = ask::get(&config, "/api/v1/queues").await?;
        // The appliance runs on this machine: it has this clock.
        seen["at"] = clock::now().millis().into();
        Ok(seen)
    };
    if !args.watch {
        top::put(&text(sort.of(look().await?), args.ask.json))?;
        return Ok(());
    }
    if !args.ask.json && std::io::stdout().is_terminal() {
        return screen::watch(&look, sort).await;
    }
    let looks = async {
        while top::put(&text(sort.of(look().await?), args.ask.json))? {
            tokio::time::sleep(EVERY).await;
        }
        Ok(())
    };
    tokio::select! {
        end = looks => end,
        _ = run::interrupted() => Ok(()),
    }
}

fn text(queues: Value, json: bool) -> String {
    if json {
        return format!("{queues}\n");
    }
    table::lines(&queues).iter().map(|line| line.plain() + "\n").collect()
}
