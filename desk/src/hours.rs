//! Opening hours of services, and the emergency switch.
//!
//! Hours are whole minutes, so at each full minute it is seen whether a service opens or closes. If one does, the floor is set up anew
//! as after any change, and the journal names the point: the past is decided again by what was open then.

use std::sync::Arc;

use model::id::ServiceId;
use model::service::Service;
use model::time::Timestamp;
use serde_json::json;

use crate::audit::Actor;
use crate::configuration::Configured;
use crate::refusal::Refusal;
use crate::start::{DeskHandle, Inner};
use crate::trouble::{read, write};

const MINUTE_MS: u64 = 60_000;

/// Opens and closes services by their hours, as long as the desk is there.
pub(crate) fn keep(desk: &Arc<Inner>) {
    let desk = Arc::downgrade(desk);
    tokio::spawn(async move {
        loop {
            let Some(now) = desk.upgrade().map(DeskHandle) else { return };
            if now.configuration().out_of_hours(now.now()) != *now.configuration().closed_by_hours()
                && let Err(refusal) = now.reload().await
            {
                tracing::error!(%refusal, "a service cannot be opened or closed by its hours; the next minute tries again");
            }
            let sources = now.sources().clone();
            drop(now);
            let minute = sources.now().millis() / MINUTE_MS + 1;
            sources.clock.sleep_until(Timestamp::from_millis(minute * MINUTE_MS)).await;
        }
    });
}

/// How often switching is tried while somebody else changes the same service.
const TRIES: u32 = 3;

impl DeskHandle {
    /// Switches the emergency treatment of a service on or off (ROUTE-07): new callers meet it instead of everything else.
    pub async fn set_emergency(&self, id: ServiceId, on: bool, actor: Actor) -> Result<Service, Refusal> {
        let service = self.switch_emergency(id, on, actor).await?;
        self.reload().await?;
        Ok(service)
    }

    /// The same of all services at once; tells how many it was another for. What could be switched is in force whatever else failed.
    pub async fn set_emergency_everywhere(&self, on: bool, actor: Actor) -> Result<usize, Refusal> {
        let config = self.configuration();
        let other = config.services.values().filter(|service| service.queue.emergency != on);
        let (mut switched, mut failed) = (0, None);
        for service in other {
            match self.switch_emergency(service.id, on, actor).await {
                Ok(_) => switched += 1,
                Err(refusal) => failed = Some(refusal),
            }
        }
        self.reload().await?;
        failed.map_or(Ok(switched), Err)
    }

    /// Stores and audits it; in force with the next reload.
    async fn switch_emergency(&self, id: ServiceId, on: bool, actor: Actor) -> Result<Service, Refusal> {
        let rows = Service::rows(self.store());
        let mut tries = 0;
        let service = loop {
            let row = rows.get(self.tenant(), id).await.map_err(read)?.ok_or(Refusal::missing("service"))?;
            let mut service = row.item;
            service.queue.emergency = on;
            // Nothing else of the service is looked over: a sound that is missing somewhere must not stand in the way.
            tries += 1;
            match rows.update(&service, row.version).await.map_err(write) {
                Err(Refusal::Stale) if tries < TRIES => {}
                Err(refusal) => return Err(refusal),
                Ok(row) => break row.item,
            }
        };
        let what = json!({ "name": service.name, "on": on });
        self.audit().record(actor, "service.emergency", id, what).await?;
        Ok(service)
    }
}
