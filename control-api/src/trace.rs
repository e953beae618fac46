//! `/records/{interaction}/trace`: the SIP messages of a call, to be read and as a capture file (SIP-08).

mod capture;

use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use desk::refusal::Refusal;
use model::id::InteractionId;
use model::people::Privilege;
use model::trace::CallTrace;

use crate::identity::Who;
use crate::json::PathId;
use crate::problem::{ApiError, Problem};
use crate::state::ApiState;
use crate::wire::trace::Trace;

/// The SIP messages of a call, of one in progress as well. Keys of media, answers to challenges and keys that were pressed are blotted
/// out. Kept as many days as `[trace] keep_days` says; every access is audited.
#[utoipa::path(get, path = "/records/{interaction}/trace", tag = "records",
    params(("interaction" = String, Path)), responses(
    (status = 200, body = Trace), (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json", description = "There is none, or none any more")))]
pub async fn show(
    State(state): State<ApiState>,
    who: Who,
    PathId(interaction): PathId<InteractionId>,
) -> Result<axum::Json<Trace>, ApiError> {
    Ok(axum::Json(Trace::new(&wanted(&state, &who, interaction).await?)))
}

/// The same as a capture file, for Wireshark and its like: each message as a UDP datagram, whatever it travelled over.
#[utoipa::path(get, path = "/records/{interaction}/trace.pcap", tag = "records",
    params(("interaction" = String, Path)), responses(
    (status = 200, description = "The file", content_type = "application/vnd.tcpdump.pcap"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json", description = "There is none, or none any more")))]
pub async fn pcap(
    State(state): State<ApiState>,
    who: Who,
    PathId(interaction): PathId<InteractionId>,
) -> Result<Response, ApiError> {
    let trace = wanted(&state, &who, interaction).await?;
    let file = capture::capture(&trace).map_err(|error| {
        tracing::error!(%interaction, %error, "a trace cannot be written as a capture file");
        Refusal::Unavailable
    })?;
    let headers = [
        (header::CONTENT_TYPE, "application/vnd.tcpdump.pcap".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{interaction}.pcap\"")),
    ];
    Ok((headers, Body::from(file)).into_response())
}

async fn wanted(state: &ApiState, who: &Who, interaction: InteractionId) -> Result<CallTrace, ApiError> {
    who.needs(Privilege::Supervise)?;
    let live = state.appliance.trace(interaction);
    Ok(state.desk.trace(interaction, live, who.actor).await?)
}
