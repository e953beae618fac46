//! SIP endpoint, SDP, trunks, registrar and the call machine.
//!
//! Orders of the desk come in ([`model::call::CallOrder`]), facts go out ([`model::call::CallFact`]); media is ordered from
//! the media plane. The way of a call:
//!
//! ```text
//! octets ──▶ endpoint (gate, check, transactions) ──▶ switchboard (trunk? phone? which call?) ──▶ one task a call
//!                                                                                                   │ Call::handle
//!            desk ◀── facts ── ◀─────────────────────────────────────────────────────────────────── outputs ──▶ media plane
//! ```
//! - [`endpoint`]: sockets and transactions; the only room that knows the SIP library
//! - [`call`]: what becomes of a call, pure; [`phones`]: the agents' softphones (pure) and registrations
//! - [`sdp`], [`check`], [`digest`], [`registrar`], [`trunk`]: pure, each one subject
//! - [`service`]: the door: what signalling is started with, and its handle
//!
//! A call is driven like this; the driver does it with sockets and a media plane:
//!
//! ```
//! use model::{call::{CallFact, Rejection, Source}, id::*, service::SrtpPolicy, time::Timestamp};
//! use signaling::call::{Call, NewCall, words::{Input, Order, Output, PeerOrder}};
//! use signaling::sdp::{Ability, KeySeed};
//!
//! let now = Timestamp::from_millis(1_800_000_000_000);
//! let (mut call, first) = Call::begin(NewCall {
//!     interaction: InteractionId::from_number(1), tenant: TenantId::from_number(1),
//!     from: Source::Trunk { trunk: TrunkId::from_number(1) },
//!     srtp: SrtpPolicy::Accept, caller: "+4930123".into(), caller_name: None, contact: "100".into(), offer: None,
//!     leg: LegId::from_number(1), ability: Ability::sip(SrtpPolicy::Accept), seed: KeySeed::new([0; 32]), session: 1,
//!     timer: None,
//! }, now);
//! assert!(matches!(first[..], [Output::Fact(CallFact::Incoming { .. })]));
//! let outputs = call.handle(Input::Order(Order::Reject(Rejection::UnknownNumber)), now);
//! assert!(matches!(outputs[0], Output::Customer(PeerOrder::Refuse { status: 404, .. })));
//! assert!(matches!(outputs[1], Output::Fact(CallFact::Ended { .. })) && call.is_over());
//! ```
//!
//! Not here: which agent is rung and when (`router`, `desk`), packets (`media`). Not yet: PRACK, SUBSCRIBE, a WebSocket
//! transport.
#![forbid(unsafe_code)]

pub mod authorities;
pub mod call;
pub mod check;
pub mod digest;
pub mod endpoint;
pub mod phones;
pub mod registrar;
pub mod sdp;
pub mod service;
mod switchboard;
pub mod trace;
pub mod trunk;

pub use endpoint::counters::Counters;
