//! Written contacts from a channel of an integrator's own: they are brought, written in and ended here, and `/events` tells
//! what agents do (docs/integrator.md).

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use desk::console::protocol::{Command, Message};
use desk::floor::written::{Asked, ContactView, NewContact, WaitingContacts, WrittenList, Wrote};
use model::id::InteractionId;
use model::people::Privilege;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::config::{fingerprint, json, once_only};
use crate::identity::Who;
use crate::json::{Json, Params, PathId};
use crate::page::List;
use crate::problem::{ApiError, Problem};
use crate::state::ApiState;

/// A customer begins to write. The service's queue takes the contact, leads it on, or ends it with a message that says why.
#[utoipa::path(post, path = "/contacts", tag = "contacts", request_body = NewContact, params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = Wrote),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json", description = "A field cannot be taken as it is"),
    (status = 503, body = Problem, content_type = "application/problem+json", description = "Not kept: send it again with the same key")))]
pub async fn bring(
    State(state): State<ApiState>,
    who: Who,
    headers: HeaderMap,
    Json(body): Json<NewContact>,
) -> Result<Response, ApiError> {
    who.needs(Privilege::BringContacts)?;
    let request = fingerprint("/contacts", &body);
    let work = async { Ok((201, json(&state.desk.bring_contact(body).await?))) };
    Ok(once_only(&state, &who, &headers, &request, work).await?.0)
}

/// How a contact stands. One that is over is in the records.
#[utoipa::path(get, path = "/contacts/{interaction}", tag = "contacts", params(("interaction" = String, Path)), responses(
    (status = 200, body = ContactView), (status = 404, body = Problem, content_type = "application/problem+json")))]
pub async fn show(
    State(state): State<ApiState>,
    who: Who,
    PathId(interaction): PathId<InteractionId>,
) -> Result<axum::Json<ContactView>, ApiError> {
    who.needs(Privilege::BringContacts)?;
    Ok(axum::Json(state.desk.contact(interaction).await?))
}

/// What a customer writes.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMessage {
    /// Plain text, 1 to 4000 characters.
    text: String,
}

/// The customer writes on; an email that has ended goes on.
#[utoipa::path(post, path = "/contacts/{interaction}/messages", tag = "contacts", request_body = NewMessage,
    params(("interaction" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = Wrote),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "It has ended, or has 2000 messages"),
    (status = 503, body = Problem, content_type = "application/problem+json", description = "Not kept: send it again with the same key")))]
pub async fn write(
    State(state): State<ApiState>,
    who: Who,
    headers: HeaderMap,
    PathId(interaction): PathId<InteractionId>,
    Json(body): Json<NewMessage>,
) -> Result<Response, ApiError> {
    who.needs(Privilege::BringContacts)?;
    let request = fingerprint(&format!("/contacts/{interaction}/messages"), &body);
    let work = async { Ok((201, json(&state.desk.write_for_customer(interaction, body.text).await?))) };
    Ok(once_only(&state, &who, &headers, &request, work).await?.0)
}

/// Where to begin.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct After {
    /// The number of the last message that was seen; 0: from the first on.
    #[serde(default)]
    after: u32,
}

/// What was written after a message, in order, at most 500: for channels, for the agent who has or had the contact, and for
/// whoever sees all records.
#[utoipa::path(get, path = "/contacts/{interaction}/messages", tag = "contacts", params(("interaction" = String, Path), After), responses(
    (status = 200, body = List<Message>), (status = 404, body = Problem, content_type = "application/problem+json")))]
pub async fn messages(
    State(state): State<ApiState>,
    who: Who,
    PathId(interaction): PathId<InteractionId>,
    Params(from): Params<After>,
) -> Result<axum::Json<List<Message>>, ApiError> {
    Ok(axum::Json(List::whole(state.desk.messages(&who.identity, interaction, from.after).await?)))
}

/// What an agent has written of an answer and not sent.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Draft {
    /// Plain text, at most 100 000 characters; empty: nothing.
    text: String,
}

/// The draft of an answer to an own email (MAIL-17).
#[utoipa::path(get, path = "/contacts/{interaction}/draft", tag = "contacts", params(("interaction" = String, Path)), responses(
    (status = 200, body = Draft), (status = 404, body = Problem, content_type = "application/problem+json")))]
pub async fn draft(
    State(state): State<ApiState>,
    who: Who,
    PathId(interaction): PathId<InteractionId>,
) -> Result<axum::Json<Draft>, ApiError> {
    who.needs(Privilege::TakeInteractions)?;
    Ok(axum::Json(Draft { text: state.desk.draft(&who.identity, interaction).await? }))
}

/// Keeps the draft of an answer to an own email, until the answer is sent; it goes with the email wherever that goes.
#[utoipa::path(put, path = "/contacts/{interaction}/draft", tag = "contacts", request_body = Draft, params(("interaction" = String, Path)), responses(
    (status = 204, description = "It is kept"), (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json", description = "It is too long")))]
pub async fn save_draft(
    State(state): State<ApiState>,
    who: Who,
    PathId(interaction): PathId<InteractionId>,
    Json(draft): Json<Draft>,
) -> Result<StatusCode, ApiError> {
    who.needs(Privilege::TakeInteractions)?;
    state.desk.save_draft(&who.identity, interaction, &draft.text).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A page of the written contacts that wait, or of those in a personal queue, at most 100 rows (MAIL-07, MAIL-14). Agents see
/// the queues of the services they may answer, and their own; supervisors all.
#[utoipa::path(get, path = "/written", tag = "contacts", params(Asked), responses(
    (status = 200, body = WrittenList), (status = 403, body = Problem, content_type = "application/problem+json")))]
pub async fn list(
    State(state): State<ApiState>,
    who: Who,
    Params(asked): Params<Asked>,
) -> Result<axum::Json<WrittenList>, ApiError> {
    who.needs(Privilege::TakeInteractions)?;
    Ok(axum::Json(state.desk.written_list(&who.identity, asked).await?))
}

/// The customer ends it (CHAT-16).
#[utoipa::path(post, path = "/contacts/{interaction}/end", tag = "contacts", params(("interaction" = String, Path)), responses(
    (status = 204, description = "It is over"), (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "It was over already")))]
pub async fn end(
    State(state): State<ApiState>,
    who: Who,
    PathId(interaction): PathId<InteractionId>,
) -> Result<StatusCode, ApiError> {
    who.needs(Privilege::BringContacts)?;
    state.desk.end_for_customer(interaction).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Whom one may pick from the queues of one's own services: chats and text messages that wait, in the order in which they are served
/// (LIVE-06).
#[utoipa::path(get, path = "/waiting", tag = "contacts", responses(
    (status = 200, body = WaitingContacts), (status = 403, body = Problem, content_type = "application/problem+json")))]
pub async fn waiting(
    State(state): State<ApiState>,
    who: Who,
) -> Result<axum::Json<WaitingContacts>, ApiError> {
    who.needs(Privilege::TakeInteractions)?;
    Ok(axum::Json(state.desk.waiting_contacts(who.person()?.identity.user.id).await?))
}

/// Picks one of them, as `take` of the console does. Of two who pick the same the first gets it.
#[utoipa::path(post, path = "/waiting/{interaction}/take", tag = "contacts", params(("interaction" = String, Path)), responses(
    (status = 204, description = "It is in hand"),
    (status = 403, body = Problem, content_type = "application/problem+json", description = "It is for others"),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "Somebody was faster, or there is no room")))]
pub async fn take(
    State(state): State<ApiState>,
    who: Who,
    PathId(interaction): PathId<InteractionId>,
) -> Result<StatusCode, ApiError> {
    who.needs(Privilege::TakeInteractions)?;
    let identity = &who.person()?.identity;
    state.desk.command(identity.user.id, identity.session, Command::Take { interaction }).await?;
    Ok(StatusCode::NO_CONTENT)
}
