//! Log lines: text for people or JSON for programs, on standard error. The level can be changed while running.

use std::io::IsTerminal;
use std::str::FromStr;

use anyhow::{Context, Result};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::{EnvFilter, Registry, fmt, layer::SubscriberExt, reload, util::SubscriberInitExt};

use crate::config::{LogFile, LogFormat};

/// Changes the level of a running appliance.
#[derive(Clone)]
pub struct LevelHandle(reload::Handle<EnvFilter, Registry>);

impl LevelHandle {
    /// Takes a level, or levels by part: `info,signaling=debug`.
    pub fn set(&self, level: &str) -> Result<()> {
        self.0.reload(filter(level)?).context("the log level could not be changed")
    }
}

/// Starts logging. Call once.
pub fn start(log: &LogFile) -> Result<LevelHandle> {
    let (filter, handle) = reload::Layer::new(filter(&log.level)?);
    let registry = tracing_subscriber::registry().with(filter);
    match log.format {
        LogFormat::Text => {
            registry.with(fmt::layer().with_ansi(in_colour()).with_writer(std::io::stderr)).try_init()?
        }
        LogFormat::Json => {
            registry.with(fmt::layer().json().flatten_event(true).with_writer(std::io::stderr)).try_init()?
        }
    }
    Ok(LevelHandle(handle))
}

/// Where somebody looks and has not said no (no-color.org): colours in a file or the journal are noise.
fn in_colour() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|it| it.is_empty())
}

/// Libraries speak only from `warn` on, whatever our own level is; a level for one of them by name still counts.
fn filter(level: &str) -> Result<EnvFilter> {
    const QUIET: &str =
        "sqlx=warn,rsipstack=error,hyper=warn,rustls=warn,str0m=warn,dimpl=warn,tower_http=warn,h2=warn";
    // A lone word that is no level would be taken for the name of a part, and everything else fall silent.
    let lone = level.split(',').map(str::trim).filter(|word| !word.contains(['=', '[']));
    for word in lone {
        LevelFilter::from_str(word).with_context(|| format!("log.level: `{word}` is not a level"))?;
    }
    EnvFilter::try_new(format!("{QUIET},{level}"))
        .with_context(|| format!("log.level: `{level}` is not a level"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_may_name_parts_and_nonsense_is_refused() {
        assert!(filter("info,signaling=debug").is_ok());
        assert!(filter("signaling=loud=very").is_err());
        assert!(filter("shouting").is_err(), "a slip must not silence the log");
    }
}
