//! Live media legs as they travel: to supervisors, and from a media node's `/legs`. Rates are over the time since the look
//! before, a second or more ago; without one they are `null`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One live leg: one party's RTP, both ways.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Leg {
    /// Its id.
    pub leg: String,
    /// The call it is in: an interaction, or on a media node the proxy's call-id. `null`: a softphone that is in no call.
    pub call: Option<String>,
    /// Who is at its far end.
    pub who: LegWho,
    /// `audio` or `video`.
    pub medium: String,
    /// Where it sends, address and port.
    pub remote: Option<String>,
    /// What comes in: `PCMU`, `opus` …, or `passed` for a format that is not understood. `null` before the first packet.
    pub codec_in: Option<String>,
    /// What is sent.
    pub codec_out: Option<String>,
    /// `none`, `waiting` (for keys), or how keys came and the ciphers: `sdes AES_CM_128_HMAC_SHA1_80`, `dtls …`.
    pub security: String,
    /// What it hears: `nothing`, `leg`, `sound` or `room`.
    pub hears: String,
    /// Which leg or room that is.
    pub hears_id: Option<String>,
    /// Who carries what comes in: `user` space or the `kernel`.
    pub carried: String,
    /// Whether its words are dropped.
    pub muted: bool,
    /// Whether a recording captures it.
    pub recorded: bool,
    /// Since it was made.
    pub age_ms: Option<u64>,
    /// The media thread it lives on.
    pub thread: usize,
    /// What comes from the far end.
    pub received: LegReceived,
    /// What is sent to it.
    pub sent: LegSent,
    /// Round trip, once the far end has answered a report of ours.
    pub rtt_ms: Option<f32>,
    /// How long the voice it hears waits in the jitter buffer; `null` where packets are passed on as they come.
    pub buffer_ms: Option<u32>,
    /// Listening quality of what comes in, 1 to 4.5 (E-model).
    pub mos: Option<f32>,
    /// The worst 5 s of it.
    pub mos_worst: Option<f32>,
    /// The conversation's quality, once the round trip is known.
    pub mos_conversational: Option<f32>,
}

/// Who is at the far end of a leg.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LegWho {
    /// `trunk`, `phone` or `browser`; on a media node `party` or `browser`; `unknown` for a moment while a leg comes or goes.
    pub kind: String,
    /// The trunk's or the agent's name; on a media node the party's label or tag.
    pub name: Option<String>,
}

/// What comes from the far end of a leg.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LegReceived {
    /// RTP packets so far.
    pub packets: u64,
    /// Their octets, RTP headers included, IP and UDP not.
    pub octets: u64,
    /// Packets missing so far.
    pub lost: u64,
    /// Packets dropped so far: wrong source, bad tag, unknown payload type.
    pub rejected: u64,
    /// Packets a second.
    pub packets_per_s: Option<f32>,
    /// Kilobits of RTP a second.
    pub kbits_per_s: Option<f32>,
    /// Share missing of those since the look before; without one, of all.
    pub loss_percent: f32,
    /// Jitter now (RFC 3550).
    pub jitter_ms: f32,
}

/// What is sent to the far end of a leg.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LegSent {
    /// RTP packets so far.
    pub packets: u64,
    /// Their octets, RTP headers included, IP and UDP not.
    pub octets: u64,
    /// Packets a second.
    pub packets_per_s: Option<f32>,
    /// Kilobits of RTP a second.
    pub kbits_per_s: Option<f32>,
    /// What the far end last reported as lost.
    pub far_loss_percent: Option<f32>,
    /// What it last reported as jitter.
    pub far_jitter_ms: Option<f32>,
}

/// The media plane as a whole.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MediaTotals {
    /// Live legs.
    pub legs: usize,
    /// Open conferences.
    pub rooms: usize,
    /// Datagrams that came in, a second; those the kernel carried included.
    pub packets_in_per_s: Option<f32>,
    /// Datagrams sent, a second; those the kernel carried included.
    pub packets_out_per_s: Option<f32>,
    /// Datagrams that were not let through, by reason; reasons without any are left out.
    pub dropped: Vec<Dropped>,
    /// Media threads.
    pub threads: Vec<MediaThread>,
}

/// Datagrams that were not let through for one reason.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Dropped {
    /// As in the metric `patchbay_rtp_dropped_total`.
    pub reason: String,
    /// So far.
    pub total: u64,
    /// A second.
    pub per_s: Option<f32>,
}

/// A media thread.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MediaThread {
    /// Its number.
    pub thread: usize,
    /// `io_uring` or `mmsg`.
    pub driver: String,
    /// Share of the last second it worked.
    pub busy_percent: f32,
}

/// All legs at one moment, or a page of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MediaLegs {
    /// When it was looked, in milliseconds since 1970; at most a second ago.
    pub at: u64,
    /// The whole.
    pub totals: MediaTotals,
    /// Legs, by id: oldest first.
    pub items: Vec<Leg>,
    /// Where to go on; `null` on the last page.
    pub next_cursor: Option<String>,
}
