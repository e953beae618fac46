//! The REST door, as a program uses it.

use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, Method, StatusCode, header};
use serde_json::Value;

/// A signed-in client.
#[derive(Clone)]
pub struct Http {
    client: Client,
    base: String,
    csrf: Arc<str>,
    /// The session's cookie, for the WebSocket.
    pub cookie: String,
    /// Who is signed in.
    pub user: Value,
}

impl Http {
    /// A client that is not signed in.
    pub fn anonymous(base: &str) -> Client {
        let _ = base;
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        // The appliance's certificate is its own: what is tested here is not the public key infrastructure.
        Client::builder().tls_danger_accept_invalid_certs(true).cookie_store(true).build().expect("a client")
    }

    /// Signs in; ends another session of the same user.
    pub async fn sign_in(base: &str, login: &str, password: &str) -> Result<Self, (StatusCode, Value)> {
        let client = Self::anonymous(base);
        let body = serde_json::json!({ "login": login, "password": password, "force": true });
        let answer =
            client.post(format!("{base}/api/v1/session")).json(&body).send().await.expect("an answer");
        let (status, cookie) = (answer.status(), answer.headers().get(header::SET_COOKIE).cloned());
        let value: Value = answer.json().await.unwrap_or_default();
        if !status.is_success() {
            return Err((status, value));
        }
        let cookie =
            cookie.and_then(|c| c.to_str().ok().map(|c| c.split(';').next().unwrap_or("").to_owned()));
        Ok(Self {
            client,
            base: base.into(),
            csrf: value["csrf"].as_str().expect("a csrf token").into(),
            cookie: cookie.expect("a session cookie"),
            user: value["user"].clone(),
        })
    }

    /// What goes into changing requests.
    pub fn csrf(&self) -> &str {
        &self.csrf
    }

    /// One request under `/api/v1`; the answer's status, `ETag` and body.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        etag: Option<&str>,
    ) -> (StatusCode, Option<String>, Value) {
        let mut request = self
            .client
            .request(method.clone(), format!("{}/api/v1{path}", self.base))
            .header("x-csrf", &*self.csrf);
        if let Some(body) = body {
            request = request.json(&body);
        }
        if let Some(etag) = etag {
            request = request.header(header::IF_MATCH, etag);
        }
        let answer = request.send().await.unwrap_or_else(|e| panic!("{method} {path}: {e}"));
        let etag = answer.headers().get(header::ETAG).and_then(|v| v.to_str().ok()).map(Into::into);
        (answer.status(), etag, answer.json().await.unwrap_or_default())
    }

    /// A request under `/api/v1` to be made by hand: the session's cookie goes with it, the token does not.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, format!("{}/api/v1{path}", self.base))
    }

    /// Everything the list at `path` holds, page by page of `limit`.
    pub async fn walk(&self, path: &str, limit: u32) -> Vec<Value> {
        let (mut items, mut cursor) = (Vec::new(), String::new());
        loop {
            let mut page = self.get(&format!("{path}?limit={limit}{cursor}")).await;
            items.extend(page["items"].as_array_mut().map(std::mem::take).unwrap_or_default());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return items,
            }
        }
    }

    /// The journal from its beginning, over Server-Sent Events, until `whole` says that everything awaited is there, and what
    /// comes within a quarter of a second more. After a minute it is returned as it is.
    pub async fn journal(&self, whole: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        let mut answer = self.request(Method::GET, "/events?after=0").send().await.expect("an answer");
        assert!(answer.status().is_success(), "the journal is followed: {}", answer.status());
        let (mut text, mut entries): (Vec<u8>, Vec<Value>) = Default::default();
        // The stream has no end of its own.
        let end = tokio::time::Instant::now() + Duration::from_secs(60);
        loop {
            let patience = if whole(&entries) { Duration::from_millis(250) } else { Duration::from_secs(60) };
            let next = tokio::time::timeout(patience, tokio::time::timeout_at(end, answer.chunk())).await;
            let Ok(Ok(Ok(Some(chunk)))) = next else { return entries };
            text.extend_from_slice(&chunk);
            while let Some(line) = text.iter().position(|b| *b == b'\n') {
                let line: Vec<u8> = text.drain(..=line).collect();
                if let Some(data) = line.strip_prefix(b"data:") {
                    entries.push(serde_json::from_slice(data).expect("events are JSON"));
                }
            }
        }
    }

    /// What monitoring sees.
    pub async fn metrics(&self) -> crate::metrics::Metrics {
        let answer = self.client.get(format!("{}/metrics", self.base)).send().await.expect("an answer");
        assert!(answer.status().is_success(), "/metrics: {}", answer.status());
        crate::metrics::Metrics::parse(&answer.text().await.expect("a body"))
    }

    /// Reads; panics on a refusal.
    pub async fn get(&self, path: &str) -> Value {
        let (status, _, value) = self.call(Method::GET, path, None, None).await;
        assert!(status.is_success(), "GET {path}: {status} {value}");
        value
    }

    /// Creates; panics on a refusal.
    pub async fn post(&self, path: &str, body: Value) -> Value {
        let (status, _, value) = self.call(Method::POST, path, Some(body), None).await;
        assert!(status.is_success(), "POST {path}: {status} {value}");
        value
    }

    /// Changes an object: reads it, lets `change` edit it, writes it back.
    pub async fn change(&self, path: &str, change: impl FnOnce(&mut Value)) -> Value {
        let (status, etag, mut value) = self.call(Method::GET, path, None, None).await;
        assert!(status.is_success(), "GET {path}: {status} {value}");
        change(&mut value);
        let (status, _, value) = self.call(Method::PUT, path, Some(value), etag.as_deref()).await;
        assert!(status.is_success(), "PUT {path}: {status} {value}");
        value
    }

    /// Raw bytes, such as a recording.
    pub async fn bytes(&self, path: &str) -> (StatusCode, Vec<u8>) {
        let answer = self.client.get(format!("{}/api/v1{path}", self.base)).send().await.expect("an answer");
        let status = answer.status();
        (status, answer.bytes().await.expect("a body").to_vec())
    }
}
