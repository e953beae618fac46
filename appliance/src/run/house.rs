//! What the API asks the appliance beside the desk.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use control_api::wire::legs::MediaLegs;
use control_api::{PartHealth, Soon};
use media::plane::Plane;
use model::id::InteractionId;
use model::trace::CallTrace;
use signaling::trace::Tracer;

use crate::legs::Legs;

/// What the API tells of the parts behind the desk.
pub(super) struct House {
    pub plane: Arc<Plane>,
    pub accepts: Arc<AtomicBool>,
    pub recordings: PathBuf,
    pub legs: Legs,
    pub tracer: Arc<Tracer>,
}

/// Below this much room recordings are about to fail.
const DISK_MIN: u64 = 256 << 20;

impl control_api::Appliance for House {
    fn parts(&self) -> Vec<PartHealth> {
        let free = rustix::fs::statvfs(&self.recordings).map(|v| v.f_bavail * v.f_frsize);
        let disk = match free {
            Ok(free) if free < DISK_MIN => Some(format!("only {} MiB left for recordings", free >> 20)),
            Ok(_) => None,
            Err(error) => Some(error.to_string()),
        };
        let legs: u64 = self.plane.handle().counters().iter().map(|t| t.counters.legs).sum();
        vec![
            PartHealth { name: "media".into(), ok: true, detail: Some(format!("{legs} legs")) },
            PartHealth { name: "disk".into(), ok: disk.is_none(), detail: disk },
        ]
    }
    fn media_driver(&self) -> String {
        let mut names: Vec<&str> = self.plane.info().threads.iter().map(|t| t.driver.name()).collect();
        names.dedup();
        names.join(", ")
    }
    fn accepts_calls(&self) -> bool {
        self.accepts.load(Ordering::Relaxed)
    }
    fn trace(&self, interaction: InteractionId) -> Option<CallTrace> {
        self.tracer.live(interaction)
    }
    fn legs(&self) -> Soon<'_, Option<Arc<MediaLegs>>> {
        Box::pin(self.legs.read())
    }
}
