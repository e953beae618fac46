//! What a node's operator is told of the media plane. A proxy asks for figures and is told of nothing, so the log is where troubles
//! are read.

use media::control::Event;
use media::quality::watch::Trouble;

use crate::session::Machine;

/// Writes what an operator would want to know of into the log, with the call it is about.
pub(crate) fn tell(machine: &Machine, event: &Event) {
    match event {
        Event::RecordingFailed { recording, why } => {
            let call = machine.recorded_call(*recording).unwrap_or("ended");
            tracing::error!(call, %recording, why, "NG: a recording is no longer complete; the call goes on");
        }
        Event::Trouble { leg, trouble: Trouble::NothingToRecord, began } => {
            let call = machine.call_of(*leg).unwrap_or("ended");
            match began {
                true => {
                    tracing::warn!(call, %leg, "NG: a recorded party sends nothing, so nothing of it is recorded")
                }
                false => tracing::info!(call, %leg, "NG: a recorded party is heard again, or need not be"),
            }
        }
        Event::SecureFailed { leg, why } => {
            let call = machine.call_of(*leg).unwrap_or("ended");
            tracing::warn!(call, %leg, why, "NG: media could not be secured; nothing flows");
        }
        _ => {}
    }
}
