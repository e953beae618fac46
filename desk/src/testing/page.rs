//! A console page, without a browser.

use serde_json::Value;

use super::PATIENCE;
use crate::auth::Identity;
use crate::console::outbox::{OutboxReader, outbox};
use crate::console::protocol::Command;
use crate::refusal::Refusal;
use crate::start::DeskHandle;

/// A console page.
pub struct Page {
    /// Who sits before it.
    pub who: Identity,
    /// The first frame.
    pub welcome: Value,
    desk: DeskHandle,
    frames: OutboxReader,
    last: u64,
}

impl Page {
    /// Opens a page of a session.
    pub async fn attach(desk: &DeskHandle, who: &Identity, after: Option<u64>) -> Self {
        let (page, frames) = outbox();
        desk.attach(who, after, page).await.unwrap();
        let mut page = Self {
            who: who.clone(),
            welcome: Value::Null,
            desk: desk.clone(),
            frames,
            last: after.unwrap_or(0),
        };
        page.welcome = page.frame().await.expect("a welcome");
        assert_eq!(page.welcome["event"], "welcome");
        if page.welcome.get("snapshot").is_some() {
            page.last = page.welcome["seq"].as_u64().unwrap();
        }
        page
    }

    /// The next frame; `None` when the desk let go of the page.
    pub async fn frame(&mut self) -> Option<Value> {
        let frame = tokio::time::timeout(PATIENCE, self.frames.next()).await.expect("a frame");
        let frame = frame?;
        self.frames.written(&frame);
        Some(serde_json::from_str(&frame).unwrap())
    }

    /// The next event of this name that fits; numbers are checked to have no gap on the way.
    pub async fn event(&mut self, name: &str, fits: impl Fn(&Value) -> bool) -> Value {
        loop {
            let frame =
                self.frame().await.unwrap_or_else(|| panic!("the page was let go before `{name}` came"));
            if let Some(seq) = frame["seq"].as_u64().filter(|_| frame["event"] != "welcome") {
                assert_eq!(seq, self.last + 1, "a gap before {frame}");
                self.last = seq;
            }
            if frame["event"] == name && fits(&frame) {
                return frame;
            }
        }
    }

    /// The banner of a code.
    pub async fn banner(&mut self, code: &str) -> Value {
        self.event("banner", |event| event["code"] == code).await
    }

    /// The own state, once it is this one.
    pub async fn state(&mut self, state: &str) -> Value {
        self.event("me", |event| event["agent"]["state"]["state"] == state).await
    }

    /// The page asks for something.
    pub async fn does(&self, command: Command) -> Result<(), Refusal> {
        self.desk.command(self.who.user.id, self.who.session, command).await
    }

    /// The page is closed, as browsers close: without a word.
    pub async fn closes(self) -> u64 {
        let Self { frames, who, desk, last, .. } = self;
        drop(frames);
        desk.detached(who.user.id).await;
        last
    }

    /// The last event the page has seen.
    pub fn last_seen(&self) -> u64 {
        self.last
    }
}
