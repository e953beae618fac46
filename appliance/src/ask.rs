//! `patchbay status` and `patchbay calls`: the same REST as everybody's, over the appliance's own socket.
//!
//! The socket lies in the data folder and can be opened by its owner only, so the file system is the sign-in.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::UnixStream;

use crate::config::Config;

/// Answers are tables, not recordings.
const ANSWER_MAX: usize = 16 << 20;

/// Where a running appliance listens for its operator.
pub fn socket(config: &Config) -> PathBuf {
    config.data_dir.join("control.sock")
}

/// Whether an appliance runs on this data folder.
pub async fn is_running(config: &Config) -> bool {
    UnixStream::connect(socket(config)).await.is_ok()
}

async fn get(config: &Config, path: &str) -> Result<Value> {
    let socket = socket(config);
    let stream = UnixStream::connect(&socket).await.with_context(|| {
        format!(
            "no appliance answers on {}: does `patchbay run` run, with this configuration?",
            socket.display()
        )
    })?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let request = hyper::Request::get(path).header("host", "localhost").body(Empty::<Bytes>::new())?;
    let answer = sender.send_request(request).await?;
    let status = answer.status();
    let body = Limited::new(answer.into_body(), ANSWER_MAX)
        .collect()
        .await
        .map_err(|e| anyhow::anyhow!(e))?
        .to_bytes();
    let value: Value =
        serde_json::from_slice(&body).context("the appliance answered something else than JSON")?;
    if !status.is_success() {
        bail!("{}", value["detail"].as_str().or(value["title"].as_str()).unwrap_or("the appliance refused"));
    }
    Ok(value)
}

/// Whether the appliance is well, and what it does.
pub async fn status(config: &Config, json: bool) -> Result<()> {
    let status = get(config, "/api/v1/status").await?;
    if json {
        println!("{status:#}");
        return Ok(());
    }
    for (name, value) in status.as_object().into_iter().flatten() {
        match value {
            Value::Object(parts) => {
                println!("{name}");
                parts.iter().for_each(|(part, value)| println!("  {part:<18} {}", plain(value)));
            }
            value => println!("{name:<20} {}", plain(value)),
        }
    }
    Ok(())
}

/// The calls in progress.
pub async fn calls(config: &Config, json: bool) -> Result<()> {
    let calls = get(config, "/api/v1/calls").await?;
    if json {
        println!("{calls:#}");
        return Ok(());
    }
    let items = calls["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    if items.is_empty() {
        println!("No calls.");
        return Ok(());
    }
    const COLUMNS: [(&str, usize); 6] =
        [("caller", 18), ("contact", 18), ("service", 20), ("phase", 12), ("agent", 22), ("interaction", 48)];
    let line = |cell: &dyn Fn(&str) -> String| {
        COLUMNS.iter().map(|(name, width)| format!("{:<width$}", cell(name))).collect::<Vec<_>>().join(" ")
    };
    println!("{}", line(&|name| name.into()).trim_end());
    for call in items {
        println!("{}", line(&|name| plain(&call[name])).trim_end());
    }
    Ok(())
}

/// A value for people: names of objects, texts without quotes.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => "-".into(),
        Value::String(text) => text.clone(),
        Value::Object(o) => o
            .get("name")
            .and_then(Value::as_str)
            .map_or_else(|| Value::Object(o.clone()).to_string(), Into::into),
        other => other.to_string(),
    }
}
