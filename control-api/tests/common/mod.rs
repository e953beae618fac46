//! A house with its door: requests go straight into the router, sockets over loopback.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Method, Request, header};
use control_api::wire::legs::MediaLegs;
use control_api::{ApiState, Appliance, PartHealth, Soon};
use desk::testing::{House, PASSWORD, Setup};
use model::id::InteractionId;
use model::trace::CallTrace;
use serde_json::{Value, json};
use tower::ServiceExt as _;

/// The rest of the house: all is well, and the legs are those that a test says; without any the plane does not answer.
#[derive(Default)]
struct Rest {
    legs: Mutex<Option<Arc<MediaLegs>>>,
    trace: Mutex<Option<CallTrace>>,
}
impl Appliance for Rest {
    fn parts(&self) -> Vec<PartHealth> {
        vec![PartHealth { name: "sip".into(), ok: true, detail: None }]
    }
    fn media_driver(&self) -> String {
        "none".into()
    }
    fn accepts_calls(&self) -> bool {
        true
    }
    fn trace(&self, interaction: InteractionId) -> Option<CallTrace> {
        self.trace.lock().unwrap().clone().filter(|trace| trace.interaction == interaction)
    }
    fn legs(&self) -> Soon<'_, Option<Arc<MediaLegs>>> {
        Box::pin(async { self.legs.lock().unwrap().clone() })
    }
}

pub struct Api {
    pub house: House,
    pub router: Router,
    rest: Arc<Rest>,
}

impl Api {
    pub async fn open() -> Self {
        Self::over(House::open_with(Setup::default()).await)
    }

    pub fn over(house: House) -> Self {
        let rest = Arc::new(Rest::default());
        let state = ApiState {
            desk: house.desk.clone(),
            registry: house.registry.clone(),
            counters: control_api::Counters::new(&house.registry).expect("new names"),
            appliance: rest.clone(),
            version: "test",
            started: house.desk.now(),
            origins: Arc::new([]),
        };
        Self { house, router: control_api::router(state), rest }
    }

    /// The media plane has these legs from now on.
    pub fn shows_legs(&self, legs: MediaLegs) {
        *self.rest.legs.lock().unwrap() = Some(Arc::new(legs));
    }

    /// Signalling has this trace of a call in progress from now on, and no other.
    pub fn shows_trace(&self, trace: Option<CallTrace>) {
        *self.rest.trace.lock().unwrap() = trace;
    }

    /// Somebody without a session.
    pub fn stranger(&self) -> Client {
        let address = SocketAddr::from(([198, 51, 100, 7], 40_000));
        Client { router: self.router.clone(), cookie: None, csrf: None, address }
    }

    /// Somebody who signed in.
    pub async fn client(&self, login: &str) -> Client {
        let mut client = self.stranger();
        let answer =
            client.post("/session", json!({"login": login, "password": PASSWORD, "force": true})).await;
        assert_eq!(answer.status, 200, "{:?}", answer.body);
        client.take_session(&answer);
        client
    }

    /// Serves the router on loopback.
    pub async fn serve(&self) -> SocketAddr {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = self.router.clone().into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
        address
    }
}

#[derive(Clone)]
pub struct Client {
    pub router: Router,
    pub cookie: Option<String>,
    pub csrf: Option<String>,
    pub address: SocketAddr,
}

pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
    pub body: Value,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
    pub fn etag(&self) -> String {
        self.header("etag").to_owned()
    }
    /// The problem's name, after a look at its shape.
    pub fn problem(&self) -> &str {
        assert_eq!(self.header("content-type"), "application/problem+json", "{:?}", self.body);
        assert_eq!(self.body["status"], self.status);
        assert!(self.body["title"].is_string() && self.body["detail"].is_string());
        assert_eq!(self.body["request_id"], self.header("x-request-id"));
        self.body["type"].as_str().unwrap().strip_prefix("/problems/").unwrap()
    }
}

impl Client {
    pub fn take_session(&mut self, answer: &Answer) {
        let cookie = answer.header("set-cookie");
        self.cookie = Some(cookie.split(';').next().unwrap().to_owned());
        self.csrf = Some(answer.body["csrf"].as_str().unwrap().to_owned());
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], None).await
    }
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, &[], Some(body)).await
    }
    pub async fn put(&self, path: &str, etag: &str, body: Value) -> Answer {
        self.send(Method::PUT, path, &[("if-match", etag)], Some(body)).await
    }
    pub async fn delete(&self, path: &str, etag: &str) -> Answer {
        self.send(Method::DELETE, path, &[("if-match", etag)], None).await
    }

    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Answer {
        let text = body.map(|body| body.to_string());
        self.raw(method, path, headers, text.map(|text| ("application/json", text.into_bytes()))).await
    }

    pub async fn raw(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<(&str, Vec<u8>)>,
    ) -> Answer {
        let response = self.router.clone().oneshot(self.request(method, path, headers, body)).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, 10 << 20).await.unwrap().to_vec();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Answer { status: parts.status.as_u16(), headers: parts.headers, bytes, body }
    }

    pub fn request(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<(&str, Vec<u8>)>,
    ) -> Request<Body> {
        // Paths outside of the API are given whole.
        let whole = path.strip_prefix('!').map_or_else(|| format!("/api/v1{path}"), str::to_owned);
        let mut request = Request::builder().method(method).uri(whole);
        if let Some(cookie) = &self.cookie {
            request = request.header(header::COOKIE, cookie);
        }
        if let Some(csrf) = &self.csrf {
            request = request.header("x-csrf", csrf);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = match body {
            Some((kind, bytes)) => {
                request = request.header(header::CONTENT_TYPE, kind);
                Body::from(bytes)
            }
            None => Body::empty(),
        };
        let mut request = request.body(body).unwrap();
        request.extensions_mut().insert(ConnectInfo(self.address));
        request
    }
}
