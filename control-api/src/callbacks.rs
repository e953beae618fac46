//! Callbacks that programs book for customers who have not called (docs/integrator.md).

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use desk::floor::callback::NewCallback;
use model::id::InteractionId;
use model::people::Privilege;
use serde::Serialize;
use utoipa::ToSchema;

use crate::config::{fingerprint, json, once_only};
use crate::identity::Who;
use crate::json::Json;
use crate::problem::{ApiError, Problem};
use crate::state::ApiState;

/// A callback that was booked.
#[derive(Serialize, ToSchema)]
struct Booked {
    /// The interaction that it is.
    #[schema(value_type = String)]
    interaction: InteractionId,
}

/// A customer wants to be called, at once or at a time. It waits in the line of the service as if the customer had called at that time.
#[utoipa::path(post, path = "/callbacks", tag = "contacts", request_body = NewCallback, params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = Booked),
    (status = 403, body = Problem, content_type = "application/problem+json", description = "The privilege is missing, or the number may not be dialled"),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "The number is to be called already, the service is closed, or it has as many as it may"),
    (status = 422, body = Problem, content_type = "application/problem+json", description = "A field cannot be taken as it is")))]
pub async fn book(
    State(state): State<ApiState>,
    who: Who,
    headers: HeaderMap,
    Json(body): Json<NewCallback>,
) -> Result<Response, ApiError> {
    who.needs(Privilege::BringContacts)?;
    let request = fingerprint("/callbacks", &body);
    let work = async {
        let interaction = state.desk.book_callback(body).await?;
        Ok((201, json(&Booked { interaction })))
    };
    Ok(once_only(&state, &who, &headers, &request, work).await?.0)
}
