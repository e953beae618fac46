//! `/events`: the journal as Server-Sent Events, resumable by number (API-02).

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event as SseEvent, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use desk::JournalReader;
use desk::refusal::Refusal;
use futures_util::stream::{self, Stream};
use model::people::Privilege;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::identity::Who;
use crate::json::Params;
use crate::problem::{ApiError, Problem};
use crate::state::ApiState;

/// Where to begin.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct From {
    /// The last event that was seen; `Last-Event-ID` counts more. Without either: from now on.
    after: Option<u64>,
}

/// Everything that happens, as it becomes durable. Each event's `id` is its number in the journal.
#[utoipa::path(get, path = "/events", tag = "events", params(From, ("Last-Event-ID" = Option<u64>, Header)), responses(
    (status = 200, content_type = "text/event-stream", description = "journal entries"),
    (status = 403, body = Problem, content_type = "application/problem+json")))]
pub async fn follow(
    State(state): State<ApiState>,
    who: Who,
    headers: HeaderMap,
    Params(from): Params<From>,
) -> Result<Response, ApiError> {
    who.needs(Privilege::SeeAllRecords)?;
    let header = match headers.get("last-event-id") {
        None => None,
        Some(value) => {
            let number = value.to_str().ok().and_then(|text| text.parse().ok());
            let why = || Refusal::Malformed { why: "Last-Event-ID is a number.".into() };
            Some(number.ok_or_else(why)?)
        }
    };
    let reader = state.desk.read_journal(header.or(from.after)).await?;
    let alive = KeepAlive::new().interval(Duration::from_secs(15)).text("alive");
    Ok(Sse::new(events(reader)).keep_alive(alive).into_response())
}

/// Ends when the journal cannot be read; the client comes back with `Last-Event-ID`.
fn events(reader: JournalReader) -> impl Stream<Item = Result<SseEvent, Infallible>> {
    stream::unfold(reader, |mut reader| async move {
        let entry = reader.next().await?;
        let event = SseEvent::default().id(entry.seq.0.to_string()).event("entry");
        let event = event.json_data(&*entry).unwrap_or_default();
        Some((Ok(event), reader))
    })
}
