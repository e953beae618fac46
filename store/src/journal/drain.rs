//! At the start: what the last run could only write to its spool file goes to the database.

use std::path::PathBuf;

use model::id::TenantId;

use super::JournalOpenError;
use super::ledger::{CommitError, Head, Line};
use super::spool::Spool;
use crate::Store;

/// Commits what a former run left in its spool file. Gives the place of the file if it contradicts the database; then
/// nothing of it was committed.
pub(super) async fn drain(
    store: &Store,
    spool: &mut Spool,
    left: &[Line],
    heads: &mut [(TenantId, Head)],
    batch_max: usize,
) -> Result<Option<PathBuf>, JournalOpenError> {
    let mut new = Vec::new();
    let mut ends: Vec<(TenantId, Head)> = heads.to_vec();
    for line in left {
        let entry = &line.entry;
        let end = ends.iter_mut().find(|(tenant, _)| *tenant == entry.tenant);
        let fits = match end {
            Some((_, end)) if entry.seq.0 == end.seq.0 + 1 => {
                end.seq = entry.seq;
                new.push(line.clone());
                true
            }
            // It may be there already: the crash came between the commit and the emptying of the file.
            Some((tenant, end)) if entry.seq <= end.seq => {
                let stored = store.engine.read_entries(*tenant, entry.seq, 1).await?;
                stored.first().is_some_and(|stored| *stored == **entry)
            }
            _ => false,
        };
        if !fits {
            tracing::error!(path = %spool.path().display(), seq = entry.seq.0, tenant = %entry.tenant,
                "the journal's spool file contradicts the database; it is set aside");
            return Ok(Some(spool.set_aside()?));
        }
    }
    for lines in new.chunks(batch_max.max(1)) {
        for line in lines {
            if let Some((_, head)) = heads.iter_mut().find(|(tenant, _)| *tenant == line.entry.tenant) {
                head.seq = line.entry.seq;
            }
        }
        let moved: Vec<_> = heads
            .iter()
            .filter(|(tenant, _)| lines.iter().any(|l| l.entry.tenant == *tenant))
            .copied()
            .collect();
        match store.engine.commit(lines, &moved, lines.len()).await {
            Ok(_) => {}
            Err(CommitError::Store(error)) => return Err(error.into()),
            Err(CommitError::Fenced) => return Err(JournalOpenError::Fenced),
        }
    }
    tracing::info!(events = left.len(), "events of the last run were brought in from the spool file");
    spool.clear()?;
    Ok(None)
}
