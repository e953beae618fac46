//! `patchbay queues`: who waits for what, once or every second; on a terminal, as text, or as JSON for programs.

mod table;

use std::io::IsTerminal;
use std::time::Duration;

use anyhow::Result;
use serde_json::Value;

use crate::cli::QueuesArgs;
use crate::config::Config;
use crate::top::screen::{Screen, keys};
use crate::top::table::{Line, Mark};
use crate::{ask, clock, run, top};
use table::Sort;
pub use table::SortBy;

/// Between two looks.
const EVERY: Duration = Duration::from_secs(1);

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
        return screen(&look, sort).await;
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

/// Until `q`, Ctrl-C or a signal.
async fn screen(look: &impl AsyncFn() -> Result<Value>, mut sort: Sort) -> Result<()> {
    // The first look decides whether there is anything to look at; its error is told on the terminal as it was.
    let mut seen = Ok(look().await?);
    let screen = Screen::open()?;
    let mut keys = keys();
    let mut second = tokio::time::interval(EVERY);
    second.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    second.tick().await;
    let stop = run::interrupted();
    tokio::pin!(stop);
    loop {
        match &seen {
            Ok(seen) => screen.draw(&table::lines(&sort.of(Value::clone(seen))), &sort.foot())?,
            Err(error) => {
                let told = Line(vec![(format!("{error:#}"), Mark::Bad)]);
                screen.draw(&[told], "q quit   asked again every second")?;
            }
        }
        tokio::select! {
            _ = &mut stop => return Ok(()),
            _ = second.tick() => seen = look().await,
            Some(key) = keys.recv() => match key {
                // In raw mode Ctrl-C is a key.
                b'q' | b'Q' | 3 => return Ok(()),
                b's' => sort.by = sort.by.next(),
                b'r' => sort.reverse = !sort.reverse,
                _ => {}
            },
        }
    }
}
