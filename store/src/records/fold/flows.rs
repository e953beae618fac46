//! Flows that agents started during a call (CTRL-06).

use model::flow::{FlowEnd, RecordedFlow};
use model::interaction::ServiceRecord;
use model::time::Timestamp;

/// Flows of one record. Of those after the last one nothing is kept; the journal has them.
const FLOWS_KEPT: usize = 16;

/// One began. Tells whether it is kept.
pub(super) fn began(record: &mut ServiceRecord, flow: RecordedFlow) -> bool {
    let room = record.flows.len() < FLOWS_KEPT;
    if room {
        record.flows.push(flow);
    }
    room
}

/// The one that goes on is over. Tells whether there was one.
pub(super) fn over(record: &mut ServiceRecord, why: FlowEnd, at: Timestamp) -> bool {
    let open = record.flows.iter_mut().find(|flow| flow.over.is_none());
    let found = open.is_some();
    if let Some(flow) = open {
        flow.over = Some((at, why));
    }
    found
}
