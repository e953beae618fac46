//! `/tables`: what flows look values up in, imported as CSV (ROUTE-08).

use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::StatusCode;
use desk::lookups::LookupTable;
use model::people::Privilege;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::identity::Who;
use crate::json::{Octets, Params};
use crate::problem::{ApiError, Problem};
use crate::state::ApiState;

/// Largest CSV, in octets.
const CSV_MAX: usize = 16 * 1024 * 1024;

/// A table, without its rows.
#[derive(Serialize, ToSchema)]
pub struct Table {
    /// As flows name it.
    name: String,
    /// Names of the columns after the key.
    columns: Vec<String>,
    /// Whether keys are telephone numbers, however they are written.
    phone_keys: bool,
    /// How many.
    rows: u64,
    /// When it was imported, in milliseconds since 1970.
    changed_at: u64,
}

impl From<LookupTable> for Table {
    fn from(table: LookupTable) -> Self {
        let LookupTable { name, columns, phone_keys, rows, changed_at } = table;
        Self { name, columns, phone_keys, rows, changed_at: changed_at.millis() }
    }
}

/// All tables.
#[derive(Serialize, ToSchema)]
pub struct Tables {
    /// By name; at most 32.
    items: Vec<Table>,
}

/// How a CSV is read.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Reading {
    /// `true`: keys are telephone numbers; `0049 30 123`, `+49 (30) 123` and `+4930123` are the same.
    #[serde(default)]
    phone_keys: bool,
}

/// All tables that flows may look values up in.
#[utoipa::path(get, path = "/tables", tag = "configuration", responses(
    (status = 200, body = Tables), (status = 403, body = Problem, content_type = "application/problem+json")))]
async fn list(State(state): State<ApiState>, who: Who) -> Result<axum::Json<Tables>, ApiError> {
    who.needs(Privilege::SeeConfiguration)?;
    Ok(axum::Json(Tables { items: state.desk.lookup_tables().into_iter().map(Table::from).collect() }))
}

/// Put a table in the place of the one of this name, or make it: CSV of at most 100,000 rows and 16 MiB, whose first line names the
/// columns and whose first column has the keys. Repeating it changes nothing.
#[utoipa::path(put, path = "/tables/{name}", tag = "configuration", params(("name" = String, Path), Reading),
    request_body(content = String, content_type = "text/csv"), responses(
    (status = 200, body = Table),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json", description = "With the line that is wrong")))]
async fn import(
    State(state): State<ApiState>,
    who: Who,
    Path(name): Path<String>,
    Params(reading): Params<Reading>,
    Octets(csv): Octets,
) -> Result<axum::Json<Table>, ApiError> {
    who.needs(Privilege::Administer)?;
    let table = state.desk.import_lookup_table(&name, &csv, reading.phone_keys, who.actor).await?;
    Ok(axum::Json(table.into()))
}

/// Remove a table. Flows that name it cannot be gone through until it is back.
#[utoipa::path(delete, path = "/tables/{name}", tag = "configuration", params(("name" = String, Path)), responses(
    (status = 204), (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json")))]
async fn remove(
    State(state): State<ApiState>,
    who: Who,
    Path(name): Path<String>,
) -> Result<StatusCode, ApiError> {
    who.needs(Privilege::Administer)?;
    state.desk.delete_lookup_table(&name, who.actor).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The addresses.
pub fn routes() -> OpenApiRouter<ApiState> {
    let changing = OpenApiRouter::new().routes(routes!(import, remove)).layer(DefaultBodyLimit::max(CSV_MAX));
    OpenApiRouter::new().routes(routes!(list)).merge(changing)
}
