//! `patchbay media top`: live legs on a terminal, or as text or JSON for programs.
//!
//! - `pick`: which legs, in which order; `table`: how they look (pure)
//! - `screen`: the terminal
//!
//! Rates come from whoever is asked, who has seen the legs before; a first look without rates is followed by a second.

mod pick;
pub mod screen;
pub mod table;

use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result};
use control_api::wire::legs::MediaLegs;

use crate::cli::TopArgs;
use crate::config::Config;
use crate::{ask, run};
use pick::Pick;
pub use pick::SortBy;

/// Between two looks.
pub const EVERY: Duration = Duration::from_secs(1);
/// Pages of one look at the appliance: at 200 legs each more than a box carries.
const PAGES_MAX: usize = 500;

/// Who is asked.
enum Source {
    Appliance(Box<Config>),
    Node(SocketAddr),
}

impl Source {
    /// All legs.
    async fn read(&self) -> Result<MediaLegs> {
        let config = match self {
            Self::Node(node) => {
                let answer = ask::get_of_node(*node, "/legs").await?;
                return serde_json::from_value(answer).context("the node is of another version");
            }
            Self::Appliance(config) => config,
        };
        let mut all: Option<MediaLegs> = None;
        for _ in 0..PAGES_MAX {
            let cursor = all.as_ref().and_then(|all| all.next_cursor.as_ref());
            let more = cursor.map_or(String::new(), |cursor| format!("&cursor={cursor}"));
            let answer = ask::get(config, &format!("/api/v1/media/legs?limit=200{more}")).await?;
            let page: MediaLegs =
                serde_json::from_value(answer).context("the appliance is of another version")?;
            let all = match &mut all {
                None => all.insert(page),
                Some(all) => {
                    all.items.extend(page.items);
                    all.next_cursor = page.next_cursor;
                    all
                }
            };
            if all.next_cursor.is_none() {
                break;
            }
        }
        all.context("nothing was answered")
    }
}

/// Shows live legs until it is told to end.
pub async fn top(args: TopArgs) -> Result<()> {
    let source = match args.node {
        Some(node) => Source::Node(node),
        None => Source::Appliance(Box::new(Config::read(&args.config.config)?)),
    };
    let pick = Pick { sort: args.sort, reverse: args.reverse, call: args.call, trunk: args.trunk };
    if args.once {
        let mut seen = source.read().await?;
        if seen.totals.packets_in_per_s.is_none() {
            tokio::time::sleep(EVERY).await;
            seen = source.read().await?;
        }
        put(&text(pick.of(seen), args.json)?)?;
        return Ok(());
    }
    if args.json || !std::io::stdout().is_terminal() {
        return stream(&source, &pick, args.json).await;
    }
    screen::watch(&async || source.read().await, pick).await
}

/// One look after the other, for programs; ends when nobody reads any more.
async fn stream(source: &Source, pick: &Pick, json: bool) -> Result<()> {
    let looks = async {
        loop {
            if !put(&text(pick.of(source.read().await?), json)?)? {
                return Ok(());
            }
            tokio::time::sleep(EVERY).await;
        }
    };
    tokio::select! {
        end = looks => end,
        _ = run::interrupted() => Ok(()),
    }
}

fn text(seen: MediaLegs, json: bool) -> Result<String> {
    if json {
        return Ok(serde_json::to_string(&seen)? + "\n");
    }
    let lines = table::lines(&seen);
    Ok(lines.iter().map(|line| line.plain() + "\n").collect::<String>() + "\n")
}

/// False: nobody reads any more.
pub fn put(text: &str) -> Result<bool> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(false),
        written => written.map(|()| true).context("cannot write"),
    }
}
