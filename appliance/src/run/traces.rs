//! Traces of calls on their way into the database, and out of it when they are old.

use std::time::Duration;

use desk::DeskHandle;
use model::time::Timestamp;
use model::trace::CallTrace;
use store::Store;
use tokio::sync::mpsc;

use crate::clock;

/// Traces that are written together: they come out together, about once a second.
const TOGETHER_MAX: usize = 500;
/// How often old ones are looked for.
const SWEEP_EVERY: Duration = Duration::from_secs(3_600);

/// Keeps traces until signalling ends; those of calls that ended longer ago than `keep` are forgotten.
pub(super) async fn keep(
    desk: DeskHandle,
    store: Store,
    mut traces: mpsc::Receiver<CallTrace>,
    keep: Duration,
) {
    let mut sweep = tokio::time::interval(SWEEP_EVERY);
    let mut some = Vec::new();
    loop {
        tokio::select! {
            _ = sweep.tick() => forget(&store, keep).await,
            many = traces.recv_many(&mut some, TOGETHER_MAX) => {
                if many == 0 {
                    return;
                }
                desk.keep_traces(&some).await;
                some.clear();
            }
        }
    }
}

async fn forget(store: &Store, keep: Duration) {
    let keep = u64::try_from(keep.as_micros()).unwrap_or(u64::MAX);
    let before = Timestamp::from_micros(clock::now().micros().saturating_sub(keep));
    loop {
        match store.traces().forget_traces(before).await {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) => {
                return tracing::warn!(%error, "old traces of calls stay for now; the next hour tries again");
            }
        }
    }
}
