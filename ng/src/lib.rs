//! rtpengine's NG control protocol: a SIP proxy that speaks to rtpengine speaks to our media plane instead (MEDIA-15).
//!
//! ```text
//! proxy ── UDP ──▶ driver ──▶ wire: cookie, bencode or JSON, repeated datagrams
//!                               ▼
//!                            request: command, tags, flags
//!                               ▼
//!                            session: calls and their legs, pure ── commands ──▶ media plane
//!                               │ ▲
//!                               ▼ │
//!                            sdp: read and rewritten line by line
//! ```
//! What is done, ignored and refused of the protocol: `docs/protocols/ng.md`.
#![forbid(unsafe_code)]

pub mod driver;
pub mod node;
pub mod request;
pub mod sdp;
pub mod session;
mod sounds;
mod told;
pub mod wire;

pub use driver::{Config, OwnersHandle, Server, StatusHandle, Surroundings, serve};
