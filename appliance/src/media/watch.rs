//! `/metrics`, `/legs`, `/livez` and `/readyz` of a media node, for machines that watch it. Plain HTTP without sign-in: no keys and
//! no voices, but addresses and call-ids.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, Result};
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use ng::StatusHandle;
use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{IntCounter, IntCounterVec, IntGauge, Opts, Registry, TextEncoder};
use tokio::net::TcpListener;

use crate::clock;
use crate::legs::Legs;
use crate::metrics::follow;

/// The node looks up every second; so long without it, and it hangs.
const STUCK_S: u64 = 10;

/// Serves until the task is dropped.
pub async fn serve(
    addresses: &[SocketAddr],
    registry: Registry,
    status: StatusHandle,
    calls_max: usize,
    legs: Legs,
) -> Result<()> {
    let watched = Watched { registry, status, calls_max, legs: Arc::new(legs) };
    let app = Router::new()
        .route("/metrics", get(metrics))
        .route("/legs", get(all_legs))
        .route("/livez", get(live))
        .route("/readyz", get(ready))
        .with_state(watched);
    for address in addresses {
        let listener = TcpListener::bind(address)
            .await
            .with_context(|| format!("cannot serve /metrics at {address}; see [watch] listen"))?;
        tracing::info!(address = %listener.local_addr()?, "metrics");
        let app = app.clone();
        tokio::spawn(async move { axum::serve(listener, app).await });
    }
    Ok(())
}

#[derive(Clone)]
struct Watched {
    registry: Registry,
    status: StatusHandle,
    calls_max: usize,
    legs: Arc<Legs>,
}

/// The node's task turns.
async fn live(State(watched): State<Watched>) -> Response {
    let stood = clock::now().since(watched.status.read().at).as_secs();
    if stood < STUCK_S {
        return (StatusCode::OK, "live\n").into_response();
    }
    (StatusCode::SERVICE_UNAVAILABLE, format!("the node has not moved for {stood} s\n")).into_response()
}

/// The node has room for a call.
async fn ready(State(watched): State<Watched>) -> Response {
    let calls = watched.status.read().calls;
    if calls < watched.calls_max {
        return (StatusCode::OK, "ready\n").into_response();
    }
    (StatusCode::SERVICE_UNAVAILABLE, format!("{calls} calls are as many as may be\n")).into_response()
}

/// All live legs: what `patchbay media top` shows.
async fn all_legs(State(watched): State<Watched>) -> Response {
    match watched.legs.read().await {
        Some(legs) => Json(legs.as_ref()).into_response(),
        None => (StatusCode::SERVICE_UNAVAILABLE, "the media plane does not answer\n").into_response(),
    }
}

async fn metrics(State(watched): State<Watched>) -> Response {
    match TextEncoder::new().encode_to_string(&watched.registry.gather()) {
        Ok(text) => {
            let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
            ([(header::CONTENT_TYPE, kind)], text).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "figures could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// What proxies do with the node.
pub struct Proxies {
    status: StatusHandle,
    datagrams: IntCounter,
    requests: IntCounterVec,
    errors: IntCounter,
    began: IntCounter,
    ended: IntCounterVec,
    refused: IntCounter,
    failed: IntCounter,
    calls: IntGauge,
}

impl Proxies {
    /// Reads what the node counts.
    pub fn new(status: StatusHandle) -> Result<Self> {
        let vec = |name: &str, help: &str, label: &str| IntCounterVec::new(Opts::new(name, help), &[label]);
        Ok(Self {
            status,
            datagrams: IntCounter::new(
                "patchbay_ng_datagrams_total",
                "Datagrams that came to NG addresses.",
            )?,
            requests: vec(
                "patchbay_ng_requests_total",
                "Datagrams by what became of them: carried out or refused, repeated, without a cookie, too many at once.",
                "fate",
            )?,
            errors: IntCounter::new(
                "patchbay_ng_errors_total",
                "Requests that were answered with an error.",
            )?,
            began: IntCounter::new("patchbay_ng_calls_began_total", "Calls that were offered.")?,
            ended: vec(
                "patchbay_ng_calls_ended_total",
                "Calls that ended; by silence, or because a proxy said so.",
                "why",
            )?,
            refused: IntCounter::new(
                "patchbay_ng_calls_refused_total",
                "Offers refused because there are too many calls.",
            )?,
            failed: IntCounter::new(
                "patchbay_ng_failed_total",
                "Requests that the media plane did not carry out.",
            )?,
            calls: IntGauge::new("patchbay_ng_calls", "Calls at this moment.")?,
        })
    }

    fn families(&self) -> [&dyn Collector; 8] {
        [
            &self.datagrams,
            &self.requests,
            &self.errors,
            &self.began,
            &self.ended,
            &self.refused,
            &self.failed,
            &self.calls,
        ]
    }
}

impl Collector for Proxies {
    fn desc(&self) -> Vec<&Desc> {
        self.families().into_iter().flat_map(Collector::desc).collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let status = self.status.read();
        let (counts, totals) = (status.counts, status.totals);
        follow(&self.datagrams, counts.datagrams);
        let fates = [
            ("done", counts.requests - counts.overloaded),
            ("repeated", counts.repeated),
            ("senseless", counts.senseless),
            ("overloaded", counts.overloaded),
        ];
        for (fate, total) in fates {
            follow(&self.requests.with_label_values(&[fate]), total);
        }
        follow(&self.errors, counts.errors);
        follow(&self.began, totals.began);
        follow(&self.ended.with_label_values(&["silence"]), totals.timed_out.min(totals.ended));
        follow(&self.ended.with_label_values(&["proxy"]), totals.ended.saturating_sub(totals.timed_out));
        follow(&self.refused, totals.refused);
        follow(&self.failed, totals.failed);
        self.calls.set(i64::try_from(status.calls).unwrap_or(i64::MAX));
        self.families().into_iter().flat_map(Collector::collect).collect()
    }
}
