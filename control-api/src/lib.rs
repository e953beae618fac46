//! The door: REST, WebSocket, OpenAPI and the console's files.
//!
//! [`router`] gives everything as one axum router over a [`DeskHandle`](desk::DeskHandle). Handlers are a few lines:
//! they read the request, ask the desk, show the answer. Whoever serves the router makes it know the peer's address:
//! `router.into_make_service_with_connect_info::<SocketAddr>()`.
//!
//! Not here: TLS and listening (`appliance`), what anything means (`desk`).
#![forbid(unsafe_code)]

mod api_keys;
mod attending;
mod audit;
mod blocks;
mod callbacks;
mod calls_flow;
mod colleagues;
mod config;
mod console;
mod contacts;
mod counters;
mod diversions;
mod docs;
mod events;
mod explain;
mod files;
mod greetings;
mod health;
mod identity;
mod json;
mod legs;
mod live;
mod page;
mod problem;
mod records;
mod reports;
mod request_id;
mod secure;
mod session;
mod socket;
mod state;
mod trace;
mod trunks;
mod voicemails;
pub mod wire;

use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderValue, header};
use axum::routing::get;
use axum::{Router, middleware};
use utoipa::OpenApi;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use counters::Counters;
pub use health::Readiness;
pub use identity::LocalOperator;
pub use problem::Problem;
pub use state::{ApiState, Appliance, PartHealth, Soon};

/// Largest body.
const BODY_MAX: usize = 1024 * 1024;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Patchbay",
        description = "Everything that the console does, and what programs may do. Times are milliseconds since 1970. \
            Lists have cursors. Refusals are RFC 9457 problems. Programs send a key with each request: \
            Authorization: Bearer pbk_… . People sign in with POST /session; their requests that change something carry \
            the header x-csrf."
    ),
    modifiers(&SignIn),
    security(("session" = []), ("key" = []))
)]
struct ApiDoc;

/// The session cookie and the key, for the document.
struct SignIn;
impl utoipa::Modify for SignIn {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(identity::COOKIE)));
        let components = openapi.components.get_or_insert_default();
        components.add_security_scheme("session", cookie);
        components.add_security_scheme("key", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    }
}

/// All handlers under `/api/v1`, with their documentation.
fn api() -> OpenApiRouter<ApiState> {
    OpenApiRouter::with_openapi(ApiDoc::openapi())
        .routes(routes!(session::open, session::show, session::close))
        .routes(routes!(session::preferences, session::set_preferences))
        .routes(routes!(session::numbers))
        .routes(routes!(session::phone, session::choose_phone, session::usual_phone))
        .routes(routes!(diversions::own, diversions::set_own))
        .routes(routes!(diversions::of_user, diversions::set_of_user))
        .merge(greetings::routes())
        .routes(routes!(socket::open))
        .routes(routes!(records::list))
        .routes(routes!(records::show))
        .routes(routes!(records::recording))
        .routes(routes!(records::peaks))
        .routes(routes!(records::accesses))
        .routes(routes!(records::erase))
        .routes(routes!(reports::list, reports::make))
        .routes(routes!(reports::count))
        .routes(routes!(reports::log))
        .routes(routes!(reports::mark))
        .routes(routes!(voicemails::list))
        .routes(routes!(voicemails::count))
        .routes(routes!(voicemails::audio))
        .routes(routes!(voicemails::peaks))
        .routes(routes!(voicemails::mark))
        .routes(routes!(voicemails::erase))
        .routes(routes!(live::agents))
        .routes(routes!(live::force))
        .routes(routes!(live::help))
        .routes(routes!(live::queues))
        .routes(routes!(live::emergency))
        .routes(routes!(live::emergency_everywhere))
        .routes(routes!(colleagues::list))
        .routes(routes!(live::calls, live::place))
        .routes(routes!(live::call))
        .routes(routes!(explain::one))
        .routes(routes!(explain::waiting))
        .routes(routes!(live::hang_up))
        .routes(routes!(live::cancel_callback))
        .routes(routes!(live::pause_recording))
        .routes(routes!(calls_flow::start, calls_flow::take_back))
        .routes(routes!(attending::attend, attending::stop))
        .routes(routes!(attending::take_over))
        .routes(routes!(contacts::bring))
        .routes(routes!(contacts::show))
        .routes(routes!(contacts::messages, contacts::write))
        .routes(routes!(contacts::end))
        .routes(routes!(callbacks::book))
        .routes(routes!(contacts::waiting))
        .routes(routes!(contacts::take))
        .routes(routes!(contacts::draft, contacts::save_draft))
        .routes(routes!(contacts::list))
        .routes(routes!(trace::show))
        .routes(routes!(trace::pcap))
        .routes(routes!(trunks::states))
        .routes(routes!(legs::all))
        .routes(routes!(legs::of_call))
        .routes(routes!(live::status))
        .routes(routes!(events::follow))
        .routes(routes!(audit::list))
        .routes(routes!(blocks::list, blocks::add))
        .routes(routes!(blocks::remove))
        .routes(routes!(api_keys::list, api_keys::create))
        .routes(routes!(api_keys::revoke))
        .merge(config::routes())
}

/// The OpenAPI document of the API.
pub fn document() -> serde_json::Value {
    let (_, document) = OpenApiRouter::new().nest("/api/v1", api()).split_for_parts();
    let mut document = serde_json::to_value(document).unwrap_or_default();
    document["info"]["version"] = "1".into();
    // Handlers of different objects have the same names; generated clients need one name for each operation.
    for (path, item) in document["paths"].as_object_mut().into_iter().flatten() {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            let words =
                path.trim_start_matches("/api/v1/").replace(['/', '-', '.'], "_").replace(['{', '}'], "");
            operation["operationId"] = format!("{method}_{words}").into();
        }
    }
    document
}

/// Everything: the API under `/api/v1`, health, figures, problem pages, and the console.
pub fn router(state: ApiState) -> Router {
    let (api, _) = api().split_for_parts();
    let no_store = middleware::map_response(async |mut response: axum::response::Response| {
        response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
        response
    });
    let api = api.merge(docs::routes(document())).layer(no_store);
    Router::new()
        .nest("/api/v1", api)
        .route("/livez", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .route("/problems/{slug}", get(problem::page))
        .fallback(console::serve)
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .layer(middleware::from_fn(request_id::headers_fit))
        .layer(middleware::from_fn(problem::finish))
        .layer(middleware::from_fn_with_state(state.clone(), request_id::identify))
        .layer(middleware::from_fn(secure::headers))
        .with_state(state)
}
