//! Asks systems of the operator by HTTP for flows: only those the configuration lists, and only at addresses that they may have.
//!
//! The name is looked up here, the addresses are looked over, and the connection goes to one of those that passed: a name that leads
//! elsewhere a moment later (DNS rebinding) leads nowhere. Redirects are not followed: an answer of 3xx is a refusal.

mod guard;

use std::collections::BTreeMap;
use std::net::SocketAddr;

use anyhow::{Context, Result};
use arc_swap::ArcSwap;
use async_trait::async_trait;
use desk::flow::{ANSWER_MAX, Reply, Request};
use desk::systems::{Askable, Systems};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::task::JoinSet;

use crate::config::FlowsFile;
use crate::secret::of_file;
use guard::{Allowed, may_be_asked};

/// Addresses of one name that are tried.
const ADDRESSES_MAX: usize = 4;

/// Systems that flows may ask.
pub struct HttpSystems(ArcSwap<Settings>);

struct Settings {
    allowed: Vec<Allowed>,
    secrets: BTreeMap<String, String>,
}

impl HttpSystems {
    /// As the configuration says; its secrets are read now.
    pub fn new(file: &FlowsFile) -> Result<Self> {
        Ok(Self(ArcSwap::from_pointee(Settings::read(file)?)))
    }

    /// The configuration was read again.
    pub fn reload(&self, file: &FlowsFile) -> Result<()> {
        self.0.store(Settings::read(file)?.into());
        Ok(())
    }

    async fn answer(&self, request: &Request) -> Result<Reply> {
        let settings = self.0.load_full();
        let asked = |allowed: &&Allowed| allowed.is(&request.host, request.port);
        // A flow that is in use was looked over before the list was changed.
        let allowed = settings.allowed.iter().find(asked).context("it is not listed any more")?;
        let stream = connect(request, allowed).await?;
        if request.secure {
            let connector = signaling::authorities::connector()
                .context("the certificates of this machine's authorities cannot be read")?;
            let name = ServerName::try_from(request.host.clone())?;
            talk(connector.connect(name, stream).await?, request, &settings.secrets).await
        } else {
            talk(stream, request, &settings.secrets).await
        }
    }
}

#[async_trait]
impl Systems for HttpSystems {
    fn askable(&self) -> Askable {
        let settings = self.0.load();
        let hosts = settings.allowed.iter().map(Allowed::host_port).collect();
        Askable { hosts, secrets: settings.secrets.keys().cloned().collect() }
    }

    async fn ask(&self, request: &Request) -> Reply {
        match self.answer(request).await {
            Ok(reply) => reply,
            Err(error) => {
                tracing::warn!(
                    host = request.host,
                    port = request.port,
                    error = format!("{error:#}"),
                    "a system could not be asked"
                );
                Reply::Failed
            }
        }
    }
}

impl Settings {
    fn read(file: &FlowsFile) -> Result<Self> {
        let listed = [(&file.http_allow, false), (&file.http_allow_private, true)];
        let each =
            listed.into_iter().flat_map(|(list, private)| list.iter().map(move |text| (text, private)));
        let allowed = each
            .map(|(text, private)| {
                Allowed::parse(text, private)
                    .with_context(|| format!("[flows] http_allow: `{text}` is no `host:port`"))
            })
            .collect::<Result<_>>()?;
        let secrets = file
            .secrets
            .iter()
            .map(|(name, from)| Ok((name.clone(), of_file(&format!("[flows] secrets: `{name}`"), from)?)));
        Ok(Self { allowed, secrets: secrets.collect::<Result<_>>()? })
    }
}

/// Connects to an address of the system that it may have.
async fn connect(request: &Request, allowed: &Allowed) -> Result<TcpStream> {
    let found: Vec<SocketAddr> = lookup_host((request.host.as_str(), request.port)).await?.collect();
    let passed: Vec<_> =
        found.iter().filter(|at| may_be_asked(at.ip(), allowed)).take(ADDRESSES_MAX).collect();
    let mut last = anyhow::anyhow!(
        "its name leads to an address within; if it should, list it in `http_allow_private` of [flows]"
    );
    for at in passed {
        match TcpStream::connect(at).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error.into(),
        }
    }
    Err(last)
}

async fn talk<S>(stream: S, request: &Request, secrets: &BTreeMap<String, String>) -> Result<Reply>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    // Ends with this request, answered or not.
    let mut carried = JoinSet::new();
    carried.spawn(connection);
    let mut asked = hyper::Request::builder()
        .method(request.method.word())
        .uri(&request.path)
        .header("host", host_header(request))
        .header("user-agent", concat!("Patchbay/", env!("CARGO_PKG_VERSION")))
        .header("accept", "application/json")
        .header("connection", "close");
    if request.body.is_some() {
        asked = asked.header("content-type", "application/json");
    }
    for (name, value) in &request.headers {
        asked = asked.header(name, value);
    }
    for (name, secret) in &request.secrets {
        let value = secrets.get(secret).with_context(|| format!("there is no secret `{secret}` any more"))?;
        let mut value = hyper::header::HeaderValue::from_str(value)?;
        value.set_sensitive(true);
        asked = asked.header(name, value);
    }
    let body = request.body.clone().unwrap_or_default();
    let answer = sender.send_request(asked.body(Full::new(Bytes::from(body)))?).await?;
    let status = answer.status().as_u16();
    let body = Limited::new(answer.into_body(), ANSWER_MAX)
        .collect()
        .await
        .map_err(|error| anyhow::anyhow!(error))?;
    Ok(request.read(status, &body.to_bytes()))
}

/// RFC 9110 §7.2: without the port where it is the scheme's own.
fn host_header(request: &Request) -> String {
    let host = if request.host.contains(':') { format!("[{}]", request.host) } else { request.host.clone() };
    match (request.secure, request.port) {
        (true, 443) | (false, 80) => host,
        (_, port) => format!("{host}:{port}"),
    }
}
