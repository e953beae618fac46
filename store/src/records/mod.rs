//! Service records: one line for each interaction (REC-01 to REC-06).

mod fold;

use std::collections::BTreeSet;

use async_trait::async_trait;
use model::id::{InteractionId, ServiceId, TenantId, UserId};
use model::interaction::{Channel, Direction, EndStatus, ServiceRecord};
use model::time::Timestamp;

pub use self::fold::{duration, fold_record, is_unfinished, time};
use crate::error::StoreError;
use crate::page::{Cursor, Page};

/// Which records to list (REC-01). The default lists all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordFilter {
    /// Arrived not before this.
    pub from: Option<Timestamp>,
    /// Arrived before this.
    pub to: Option<Timestamp>,
    /// Handled by this agent, first or later, or called by this agent within the house. Who sees only own records is decided by the caller, who fills this in.
    pub agent: Option<UserId>,
    /// Of this service.
    pub service: Option<ServiceId>,
    /// Of these kinds of contact; none: of all.
    pub channels: BTreeSet<Channel>,
    /// Inbound, outbound or internal.
    pub direction: Option<Direction>,
    /// The calling number contains this; letters of either case.
    pub caller: Option<String>,
    /// The called number contains this; letters of either case.
    pub contact: Option<String>,
    /// Ended like this.
    pub status: Option<EndStatus>,
}

/// Service records. The journal's projector writes them; everybody else reads. What the journal of the same store has made durable is seen; a store
/// opened beside it, in another process, may be behind by [`crate::JournalConfig::save_after`].
#[async_trait]
pub trait Records: Send + Sync {
    /// Inserts or replaces a record. For imports and repair: a record of a live interaction is changed by appending
    /// to the journal, whose projector would overwrite it.
    async fn save_record(&self, record: &ServiceRecord) -> Result<(), StoreError>;
    /// One record.
    async fn record(&self, tenant: TenantId, id: InteractionId) -> Result<Option<ServiceRecord>, StoreError>;
    /// A page of records, newest arrival first; records of the same moment keep one order.
    async fn records(
        &self,
        tenant: TenantId,
        filter: &RecordFilter,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<ServiceRecord>, StoreError>;
    /// What a crash left open: not ended, or talked but after-call work not completed. Oldest first, at most 10,000 of those
    /// after a record, which is named by its arrival and interaction.
    async fn unfinished_records(
        &self,
        tenant: TenantId,
        after: Option<(Timestamp, InteractionId)>,
    ) -> Result<Vec<ServiceRecord>, StoreError>;
}
