//! The console's own files, built by `make console` and embedded; without them a page that says so.

use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use desk::refusal::Refusal;
use rust_embed::RustEmbed;

use crate::problem::ApiError;

/// `console/dist`. In a development build files are read when they are asked for.
#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../console/dist"]
#[allow_missing = true]
struct Files;

const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Patchbay</title>\
    <h1>The console is not built</h1><p>The appliance runs; its console was left out of this build. \
    Run <code>make console</code> and build the appliance again.</p>\
    <p><a href=\"/api/v1/docs\">The API</a> is there all the same.</p></html>";

/// Any address that is no other: a file, or the console's page for an address of its own.
pub async fn serve(uri: Uri, headers: HeaderMap) -> Result<Response, ApiError> {
    let path = uri.path().trim_start_matches('/');
    if path.starts_with("api/") || path.starts_with("problems/") {
        return Err(Refusal::missing("address").into());
    }
    let path = if path.is_empty() { "index.html" } else { path };
    if let Some(file) = Files::get(path) {
        return Ok(send(path, &file, &headers));
    }
    // An address without an ending is one of the console's own views.
    if path.rsplit('/').next().is_some_and(|name| name.contains('.')) && path != "index.html" {
        return Err(Refusal::missing("address").into());
    }
    match Files::get("index.html") {
        Some(file) => Ok(send("index.html", &file, &headers)),
        None => Ok(Html(NOT_BUILT).into_response()),
    }
}

fn send(path: &str, file: &rust_embed::EmbeddedFile, headers: &HeaderMap) -> Response {
    let tag: String = file.metadata.sha256_hash().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let tag = format!("\"{tag}\"");
    let tag_value = HeaderValue::from_str(&tag).unwrap_or(HeaderValue::from_static("\"\""));
    // Names under assets/ carry a hash of their content.
    let cache = if path.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    let common = [(header::ETAG, tag_value), (header::CACHE_CONTROL, HeaderValue::from_static(cache))];
    if headers.get(header::IF_NONE_MATCH).is_some_and(|value| value.as_bytes() == tag.as_bytes()) {
        return (StatusCode::NOT_MODIFIED, common).into_response();
    }
    let kind = [(header::CONTENT_TYPE, HeaderValue::from_static(media_type(path)))];
    (common, kind, file.data.clone().into_owned()).into_response()
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json" | "map") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("wav") => "audio/wav",
        Some("mp3") => "audio/mpeg",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
