//! `/console`: the WebSocket of a console page. Frames and their rules; what they mean is the desk's.

use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use desk::DeskHandle;
use desk::auth::Identity;
use desk::auth::token::same;
use desk::console::outbox::{OutboxReader, outbox};
use desk::console::protocol::Command;
use desk::refusal::Refusal;
use model::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use crate::counters::Counters;
use crate::identity::Who;
use crate::json::Params;
use crate::problem::{ApiError, Problem};
use crate::state::ApiState;

/// Largest frame of a page.
const FRAME_MAX: usize = 64 * 1024;
/// How often the page is pinged.
const PING: Duration = Duration::from_secs(15);
/// A page that is silent for so long is gone.
const SILENCE: Duration = Duration::from_secs(70);
/// A page that does not take a frame within this time is gone.
const SEND_PATIENCE: Duration = Duration::from_secs(10);
/// A page has this long to answer a good-bye.
const CLOSE_PATIENCE: Duration = Duration::from_secs(2);
/// Frames that are not understood before the socket is closed.
const BAD_FRAMES_MAX: u32 = 20;
/// The socket's place was taken by a newer page of the same session.
const REPLACED: u16 = 4001;
/// The page did not read: it comes back with `after`.
const OVERRUN: u16 = 4002;

/// How the page comes.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Opening {
    /// The session's CSRF token.
    csrf: String,
    /// The last event the page has seen.
    after: Option<u64>,
}

/// Open the console's WebSocket (docs/protocols/console.md).
#[utoipa::path(get, path = "/console", tag = "console", params(Opening), responses(
    (status = 101, description = "The protocol of the console begins"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json", description = "Wrong Origin or CSRF token")))]
pub async fn open(
    State(state): State<ApiState>,
    who: Who,
    Params(opening): Params<Opening>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Result<Response, ApiError> {
    who.person()?;
    if !same(opening.csrf.as_bytes(), who.identity.csrf.as_bytes()) || !origin_fits(&headers, &state.origins)
    {
        return Err(Refusal::BadCsrf.into());
    }
    let upgrade = upgrade.max_message_size(FRAME_MAX).max_frame_size(FRAME_MAX);
    Ok(upgrade.on_upgrade(move |socket| serve(socket, state, who.identity, opening.after)))
}

/// Browsers always say where a page came from; programs do not, and they need the cookie and the token all the same.
fn origin_fits(headers: &HeaderMap, others: &[String]) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    let Ok(origin) = origin.to_str() else { return false };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let own = origin.split_once("://").map(|(_, authority)| authority);
    (own.is_some() && own == host) || others.iter().any(|other| other == origin)
}

/// An answer to a command.
#[derive(Serialize)]
struct Answer {
    re: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ok: Option<serde_json::Map<String, serde_json::Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Problem>,
}

async fn serve(mut socket: WebSocket, state: ApiState, who: Identity, after: Option<u64>) {
    let (desk, counters) = (&state.desk, &state.counters);
    let (page, mut frames) = outbox();
    let user = who.user.id;
    if let Err(refusal) = desk.attach(&who, after, page).await {
        close(&mut socket, close_code::AWAY, refusal.kind().slug).await;
        return;
    }
    let farewell =
        Conversation { desk, counters, who: &who, bad_frames: 0 }.run(&mut socket, &mut frames).await;
    // The reader goes first: by that the desk sees that this page, and no newer one, is gone.
    drop(frames);
    desk.detached(user).await;
    if let Some((code, why)) = farewell {
        close(&mut socket, code, why).await;
    }
}

struct Conversation<'a> {
    desk: &'a DeskHandle,
    counters: &'a Counters,
    who: &'a Identity,
    bad_frames: u32,
}

/// How the socket is closed; `None` when it is gone already.
type Farewell = Option<(u16, &'static str)>;

impl Conversation<'_> {
    async fn run(&mut self, socket: &mut WebSocket, frames: &mut OutboxReader) -> Farewell {
        let clock = self.desk.sources().clock.clone();
        let (mut heard, mut ping_at) = (clock.now(), clock.now() + PING);
        loop {
            tokio::select! {
                frame = frames.next() => match frame {
                    Some(frame) => {
                        if send(socket, frame.to_string()).await.is_err() {
                            return None;
                        }
                        frames.written(&frame);
                    }
                    None if frames.overrun() => return Some((OVERRUN, "too much unread")),
                    None => return Some(match self.desk.session_of(self.who.user.id).await {
                        Some(session) if session == self.who.session => (REPLACED, "another page took over"),
                        _ => (close_code::NORMAL, "session ended"),
                    }),
                },
                message = socket.recv() => {
                    heard = clock.now();
                    match message {
                        Some(Ok(Message::Text(text))) => {
                            if let Err(end) = self.take(socket, text.as_str()).await {
                                return end;
                            }
                        }
                        Some(Ok(Message::Binary(_))) => {
                            if let Err(end) = self.bad_frame(socket, None, "Frames are text.".into()).await {
                                return end;
                            }
                        }
                        Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                        Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                    }
                }
                () = clock.sleep_until(ping_at) => {
                    let now: Timestamp = clock.now();
                    if now.since(heard) >= SILENCE {
                        return Some((close_code::AWAY, "silence"));
                    }
                    let ping = socket.send(Message::Ping(Default::default()));
                    if !matches!(tokio::time::timeout(SEND_PATIENCE, ping).await, Ok(Ok(()))) {
                        return None;
                    }
                    ping_at = now + PING;
                }
            }
        }
    }

    /// One frame of the page. `Err` ends the conversation.
    async fn take(&mut self, socket: &mut WebSocket, text: &str) -> Result<(), Farewell> {
        let frame: serde_json::Value = match serde_json::from_str(text) {
            Ok(frame) => frame,
            Err(error) => {
                return self.bad_frame(socket, None, format!("The frame is not JSON: {error}.")).await;
            }
        };
        let re = frame.get("id").and_then(serde_json::Value::as_u64);
        let command = match serde_json::from_value::<Command>(frame) {
            Ok(command) if re.is_some() => command,
            Ok(_) => return self.bad_frame(socket, None, "A command carries an id.".into()).await,
            Err(error) => {
                return self.bad_frame(socket, re, format!("The command is not understood: {error}.")).await;
            }
        };
        let answer = match self.desk.command(self.who.user.id, self.who.session, command).await {
            Ok(()) => Answer { re, ok: Some(serde_json::Map::new()), problem: None },
            Err(refusal) => Answer { re, ok: None, problem: Some(Problem::of(&refusal)) },
        };
        self.answer(socket, &answer).await
    }

    async fn bad_frame(
        &mut self,
        socket: &mut WebSocket,
        re: Option<u64>,
        why: String,
    ) -> Result<(), Farewell> {
        self.bad_frames += 1;
        self.counters.bad_frame();
        let problem = Problem::of(&Refusal::Malformed { why });
        self.answer(socket, &Answer { re, ok: None, problem: Some(problem) }).await?;
        if self.bad_frames >= BAD_FRAMES_MAX {
            return Err(Some((close_code::POLICY, "too many frames that are not understood")));
        }
        Ok(())
    }

    async fn answer(&self, socket: &mut WebSocket, answer: &Answer) -> Result<(), Farewell> {
        let text = serde_json::to_string(answer).unwrap_or_default();
        send(socket, text).await.map_err(|()| None)
    }
}

async fn send(socket: &mut WebSocket, text: String) -> Result<(), ()> {
    match tokio::time::timeout(SEND_PATIENCE, socket.send(Message::Text(text.into()))).await {
        Ok(Ok(())) => Ok(()),
        _ => Err(()),
    }
}

/// Says good-bye and waits a moment for the answer (RFC 6455 §7.1.1): whoever closes the connection at once may cut off
/// frames that are still on their way.
async fn close(socket: &mut WebSocket, code: u16, reason: &'static str) {
    let good_bye = async {
        let frame = Message::Close(Some(CloseFrame { code, reason: reason.into() }));
        if socket.send(frame).await.is_ok() {
            while let Some(Ok(message)) = socket.recv().await {
                if matches!(message, Message::Close(_)) {
                    return;
                }
            }
        }
    };
    // A page that does not answer is let go all the same.
    let _ = tokio::time::timeout(CLOSE_PATIENCE, good_bye).await;
}
