//! `/openapi.json`, and a page that shows it to people: made here, nothing is loaded from elsewhere (API-01).

use std::fmt::Write as _;
use std::sync::Arc;

use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Json, Router};
use serde_json::Value;

use crate::state::ApiState;

/// The document, and the page made of it.
#[derive(Clone)]
struct Documents {
    json: Arc<Value>,
    page: Arc<str>,
}

/// Both addresses, for a document.
pub fn routes(document: Value) -> Router<ApiState> {
    let page = page(&document).into();
    let documents = Documents { json: Arc::new(document), page };
    Router::new()
        .route("/openapi.json", get(show_json))
        .route("/docs", get(show_page))
        .layer(Extension(documents))
}

async fn show_json(Extension(documents): Extension<Documents>) -> Response {
    Json(&*documents.json).into_response()
}
async fn show_page(Extension(documents): Extension<Documents>) -> Html<String> {
    Html(documents.page.to_string())
}

fn page(document: &Value) -> String {
    let mut html = String::from(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Patchbay API</title><h1>Patchbay API</h1>",
    );
    let _ = write!(
        html,
        "<p>{}</p><p>The whole document: <a href=\"openapi.json\">openapi.json</a>.</p>",
        escape(document.pointer("/info/description"))
    );
    let paths = document.get("paths").and_then(Value::as_object).into_iter().flatten();
    for (path, item) in paths {
        for (method, operation) in item.as_object().into_iter().flatten() {
            write_operation(&mut html, path, method, operation);
        }
    }
    html.push_str("<h2>Objects</h2>");
    for (name, schema) in
        document.pointer("/components/schemas").and_then(Value::as_object).into_iter().flatten()
    {
        let _ = write!(
            html,
            "<h3 id=\"{0}\">{0}</h3><p>{1}</p><dl>",
            text(name),
            escape(schema.get("description"))
        );
        for (field, about) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let _ = write!(
                html,
                "<dt><code>{}</code> {}</dt><dd>{}</dd>",
                text(field),
                kind(about),
                escape(about.get("description"))
            );
        }
        html.push_str("</dl>");
    }
    html.push_str("</html>");
    html
}

fn write_operation(html: &mut String, path: &str, method: &str, operation: &Value) {
    // Writing to a String does not fail.
    let _ = write!(
        html,
        "<section><h2><code>{} /api/v1{}</code></h2><p>{}</p><ul>",
        text(&method.to_uppercase()),
        text(path.trim_start_matches("/api/v1")),
        escape(operation.get("summary").or(operation.get("description")))
    );
    for parameter in operation.get("parameters").and_then(Value::as_array).into_iter().flatten() {
        let _ = write!(
            html,
            "<li><code>{}</code> ({}): {}</li>",
            escape(parameter.get("name")),
            escape(parameter.get("in")),
            escape(parameter.get("description"))
        );
    }
    if let Some(body) = operation.pointer("/requestBody/content/application~1json/schema") {
        let _ = write!(html, "<li>body: {}</li>", kind(body));
    }
    for (status, answer) in operation.get("responses").and_then(Value::as_object).into_iter().flatten() {
        let schema = answer.pointer("/content/application~1json/schema");
        let _ = write!(
            html,
            "<li>{}: {} {}</li>",
            text(status),
            schema.map(kind).unwrap_or_default(),
            escape(answer.get("description"))
        );
    }
    html.push_str("</ul></section>");
}

/// The type of a schema in a word, linked when it has a name.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next()) {
        return format!("<a href=\"#{0}\">{0}</a>", text(name));
    }
    match schema.get("type") {
        Some(Value::String(name)) => text(name),
        Some(Value::Array(names)) => {
            text(&names.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or "))
        }
        _ => String::new(),
    }
}

fn escape(value: Option<&Value>) -> String {
    text(value.and_then(Value::as_str).unwrap_or_default())
}

fn text(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
