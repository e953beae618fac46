//! What a proxy asks for: the command, whom it concerns, and the options, in types.
//!
//! Names are case-sensitive and may be written with a space or `-`. Whatever is unknown is ignored and named in
//! [`Options::unknown`], as rtpengine does it, so that an older proxy script goes on working.

mod flags;
mod options;
#[cfg(test)]
mod tests;
mod words;

pub use options::Options;
pub use words::{CodecOps, Dtls, Ice, MuxWish, Profile, Replace, RtcpAttribute, Sdes};

use crate::wire::Value;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Is somebody there?
    Ping,
    /// A session description on its way to the party that answers it.
    Offer,
    /// The answer on its way back.
    Answer,
    /// The end of a call or of a part of it.
    Delete,
    /// A call's figures.
    Query,
    /// Which calls there are.
    List,
    /// Figures of the node.
    Statistics,
    /// A party's audio is not passed on (`block media`, `silence media`), or is again.
    BlockMedia(bool),
    /// A party's digits are not passed on, or are again.
    BlockDtmf(bool),
    /// A party hears a sound.
    PlayMedia,
    /// A party hears the other one again.
    StopMedia,
    /// A party seems to press a key.
    PlayDtmf,
    /// A recording begins, or goes on.
    StartRecording,
    /// The recording ends.
    StopRecording,
    /// The recording is silent until it is started again.
    PauseRecording,
    /// Somebody wants copies of what parties say.
    Subscribe,
    /// The answer to the description that a subscriber got.
    Subscribed,
    /// No more copies.
    Unsubscribe,
    /// A command of rtpengine that this node does not have.
    NotHere(String),
}

/// rtpengine's commands that this node refuses by name.
const NOT_HERE: [&str; 12] = [
    "publish",
    "connect",
    "create",
    "create answer",
    "mesh",
    "transform",
    "inject start",
    "inject stop",
    "start forwarding",
    "stop forwarding",
    "trace start",
    "trace stop",
];

impl Command {
    fn read(name: &str) -> Option<Self> {
        let name = name.replace('-', " ");
        Some(match name.as_str() {
            "ping" => Self::Ping,
            "offer" => Self::Offer,
            "answer" => Self::Answer,
            "delete" => Self::Delete,
            "query" => Self::Query,
            "list" => Self::List,
            "statistics" => Self::Statistics,
            "block media" | "silence media" => Self::BlockMedia(true),
            "unblock media" | "unsilence media" => Self::BlockMedia(false),
            "block DTMF" => Self::BlockDtmf(true),
            "unblock DTMF" => Self::BlockDtmf(false),
            "play media" => Self::PlayMedia,
            "stop media" => Self::StopMedia,
            "play DTMF" => Self::PlayDtmf,
            "subscribe request" => Self::Subscribe,
            "subscribe answer" => Self::Subscribed,
            "unsubscribe" => Self::Unsubscribe,
            "start recording" => Self::StartRecording,
            "stop recording" => Self::StopRecording,
            "pause recording" => Self::PauseRecording,
            other if NOT_HERE.contains(&other) => Self::NotHere(other.to_owned()),
            _ => return None,
        })
    }
}

/// A request.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// What is asked for.
    pub command: Command,
    /// Which call.
    pub call_id: Option<String>,
    /// The party that speaks.
    pub from_tag: Option<String>,
    /// The other party.
    pub to_tag: Option<String>,
    /// Which branch of a forked call.
    pub via_branch: Option<String>,
    /// The session description.
    pub sdp: Option<Vec<u8>>,
    /// How it is to be done.
    pub options: Options,
    /// The whole dictionary, for keys that single commands have.
    pub body: Value,
}

/// Octets a call-id or tag may have; real ones have less than a hundred.
pub const NAME_MAX: usize = 512;

impl Request {
    /// Reads a dictionary. The error is the text that proxies know.
    pub fn read(body: Value) -> Result<Self, &'static str> {
        let command =
            body.get("command").and_then(Value::text).ok_or("Dictionary contains no key \"command\"")?;
        let command = Command::read(&command).ok_or("Unrecognized command")?;
        let name = |key: &str| {
            body.get(key).and_then(Value::text).filter(|text| !text.is_empty() && text.len() <= NAME_MAX)
        };
        let sdp = match body.get("sdp") {
            Some(Value::Text(octets)) if !octets.is_empty() => Some(octets.clone()),
            _ => None,
        };
        Ok(Self {
            command,
            call_id: name("call-id"),
            from_tag: name("from-tag"),
            to_tag: name("to-tag"),
            via_branch: name("via-branch").filter(|branch| branch != "auto"),
            sdp,
            options: Options::read(&body),
            body,
        })
    }

    /// A text that only this command has.
    pub fn text(&self, key: &str) -> Option<String> {
        self.body.get(key).and_then(Value::text)
    }
    /// A number that only this command has.
    pub fn int(&self, key: &str) -> Option<i64> {
        self.body.get(key).and_then(Value::int)
    }
}
