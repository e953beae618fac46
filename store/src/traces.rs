//! What went over the wire for calls (SIP-08), packed: a call's messages repeat each other, and are looked at seldom.

use async_trait::async_trait;
use model::id::{InteractionId, TenantId};
use model::time::Timestamp;
use model::trace::{CallTrace, TracedMessage};

use crate::error::{StoreError, WriteError};

/// Traces of calls.
#[async_trait]
pub trait Traces: Send + Sync {
    /// Keeps traces of calls that are over, all of them or none. Of a call that has one already it changes nothing.
    async fn save_traces(
        &self,
        tenant: TenantId,
        ended_at: Timestamp,
        traces: &[CallTrace],
    ) -> Result<(), WriteError>;
    /// The trace of a call, as long as it is kept.
    async fn trace(
        &self,
        tenant: TenantId,
        interaction: InteractionId,
    ) -> Result<Option<CallTrace>, StoreError>;
    /// Forgets traces of calls that ended before a time, at most 1,000 of them; how many those were.
    async fn forget_traces(&self, before: Timestamp) -> Result<u64, WriteError>;
}

/// How traces are packed; the first octet says so.
const POSTCARD_LZ4: u8 = 1;
/// A call's messages are bounded where they are noted; what says that it is longer than this is no trace.
const UNPACKED_MAX: usize = 8 << 20;

pub(crate) fn pack(trace: &CallTrace) -> Result<Vec<u8>, StoreError> {
    let plain = postcard::to_stdvec(&(trace.left_out, &trace.messages)).map_err(corrupt)?;
    let mut packed = vec![POSTCARD_LZ4];
    packed.extend(lz4_flex::compress_prepend_size(&plain));
    Ok(packed)
}

pub(crate) fn unpack(interaction: InteractionId, packed: &[u8]) -> Result<CallTrace, StoreError> {
    let rest = packed.strip_prefix(&[POSTCARD_LZ4]).ok_or_else(|| corrupt("unknown packing"))?;
    let (size, rest) = lz4_flex::block::uncompressed_size(rest).map_err(corrupt)?;
    if size > UNPACKED_MAX {
        return Err(corrupt("too long"));
    }
    let plain = lz4_flex::block::decompress(rest, size).map_err(corrupt)?;
    let (left_out, messages): (u32, Vec<TracedMessage>) = postcard::from_bytes(&plain).map_err(corrupt)?;
    Ok(CallTrace { interaction, messages, left_out })
}

fn corrupt(why: impl std::fmt::Display) -> StoreError {
    StoreError::Corrupt { column: "traces.packed".into(), detail: why.to_string() }
}
