//! `patchbay status`, `calls` and `media top`: the same REST as everybody's, over the appliance's own socket.
//!
//! The socket lies in the data folder and can be opened by its owner only, so the file system is the sign-in.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context, Result, anyhow};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

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

async fn connect(config: &Config) -> Result<UnixStream> {
    let socket = socket(config);
    UnixStream::connect(&socket).await.with_context(|| {
        format!(
            "no appliance answers on {}: does `patchbay run` run, with this configuration?",
            socket.display()
        )
    })
}

/// What the running appliance answers to a GET.
pub async fn get(config: &Config, path: &str) -> Result<Value> {
    exchange(connect(config).await?, path).await?.map_err(refused)
}

/// A file that the running appliance gives.
pub async fn file(config: &Config, path: &str) -> Result<Bytes> {
    answer(connect(config).await?, path).await?.map_err(refused)
}

fn refused(body: Value) -> anyhow::Error {
    let why = body["detail"].as_str().or(body["title"].as_str());
    anyhow!("{}", why.unwrap_or("the appliance refused"))
}

/// What a media node answers to a GET at its `[watch]` address.
pub async fn get_of_node(node: SocketAddr, path: &str) -> Result<Value> {
    let stream = TcpStream::connect(node).await.with_context(|| {
        format!(
            "no media node answers on {node}: does `patchbay media` run, with this address in [watch] listen?"
        )
    })?;
    exchange(stream, path).await?.map_err(|_| anyhow!("the media node at {node} does not answer {path}"))
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    path: &str,
) -> Result<Result<Value, Value>> {
    match answer(stream, path).await? {
        Ok(body) => serde_json::from_slice(&body).map(Ok).context("something else than JSON was answered"),
        Err(refused) => Ok(Err(refused)),
    }
}

/// One request over its own connection; the inner error is a refusal's body.
async fn answer(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    path: &str,
) -> Result<Result<Bytes, Value>> {
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let request = hyper::Request::get(path).header("host", "localhost").body(Empty::<Bytes>::new())?;
    let answer = sender.send_request(request).await?;
    let status = answer.status();
    let body =
        Limited::new(answer.into_body(), ANSWER_MAX).collect().await.map_err(|e| anyhow!(e))?.to_bytes();
    if !status.is_success() {
        return Ok(Err(serde_json::from_slice(&body).unwrap_or_default()));
    }
    Ok(Ok(body))
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
