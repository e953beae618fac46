//! The SIP messages of a call as the API shows them.

use model::trace::{CallTrace, TracedMessage, Wire};
use serde::Serialize;
use utoipa::ToSchema;

/// What went over the wire for a call.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Trace {
    /// In the order in which they were read and written.
    pub messages: Vec<Message>,
    /// How many are missing before the last 64 of these: there were too many.
    pub left_out: u32,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Message {
    /// When it was read or written, in milliseconds since 1970.
    pub at: u64,
    /// How long after the first message, in microseconds.
    pub after_us: u64,
    /// Whether the appliance sent it.
    pub outgoing: bool,
    /// `udp`, `tcp` or `tls`.
    #[schema(value_type = String)]
    pub wire: Wire,
    /// The appliance's address and port.
    pub ours: String,
    /// The far end's.
    pub theirs: String,
    /// What the picture of the call says of it: `INVITE`, `180 Ringing`; with SDP in its body, a description goes along.
    pub summary: String,
    /// Whether there is a session description in it.
    pub sdp: bool,
    /// Which dialog.
    pub call_id: String,
    /// Which request of it: `1 INVITE`.
    pub cseq: String,
    /// All of it. What is no UTF-8 is shown as a replacement character.
    pub text: String,
}

impl Trace {
    /// As it is shown.
    pub fn new(trace: &CallTrace) -> Self {
        let begin = trace.messages.first().map_or(0, |message| message.at.micros());
        Self {
            messages: trace.messages.iter().map(|message| shown(message, begin)).collect(),
            left_out: trace.left_out,
        }
    }
}

fn shown(message: &TracedMessage, begin: u64) -> Message {
    let text = String::from_utf8_lossy(&message.bytes).into_owned();
    let head = text.split("\r\n\r\n").next().unwrap_or_default();
    Message {
        at: message.at.millis(),
        after_us: message.at.micros().saturating_sub(begin),
        outgoing: message.outgoing,
        wire: message.wire,
        ours: message.ours.to_string(),
        theirs: message.theirs.to_string(),
        summary: summary(head.lines().next().unwrap_or_default()),
        sdp: field(head, &["Content-Type", "c"]).eq_ignore_ascii_case("application/sdp"),
        call_id: field(head, &["Call-ID", "i"]).to_owned(),
        cseq: field(head, &["CSeq"]).to_owned(),
        text,
    }
}

/// The method of a request, status and reason of an answer.
fn summary(line: &str) -> String {
    match line.strip_prefix("SIP/2.0 ") {
        Some(answer) => answer.to_owned(),
        None => line.split(' ').next().unwrap_or_default().to_owned(),
    }
}

fn field<'a>(head: &'a str, names: &[&str]) -> &'a str {
    let of = |line: &'a str| {
        let (name, value) = line.split_once(':')?;
        names.iter().any(|n| n.eq_ignore_ascii_case(name.trim())).then(|| value.trim())
    };
    head.lines().find_map(of).unwrap_or_default()
}
