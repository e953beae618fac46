//! The REST door, as a program uses it.

use std::sync::Arc;

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
