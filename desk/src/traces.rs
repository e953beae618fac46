//! What went over the wire for calls (SIP-08): noted by signalling, kept for days, shown to those who look after the appliance.

use model::id::InteractionId;
use model::trace::CallTrace;

use crate::audit::Actor;
use crate::refusal::Refusal;
use crate::start::DeskHandle;
use crate::trouble::read;

/// What the audit log says when somebody looks at a trace: numbers and addresses are in it.
const READ: &str = "trace.read";

impl DeskHandle {
    /// The trace of a call: `live`, if the call is not over, or the one that is kept. Audited.
    pub async fn trace(
        &self,
        interaction: InteractionId,
        live: Option<CallTrace>,
        actor: Actor,
    ) -> Result<CallTrace, Refusal> {
        let trace = match live {
            Some(live) => Some(live),
            None => self.store().traces().trace(self.tenant(), interaction).await.map_err(read)?,
        };
        let trace = trace.ok_or(Refusal::missing("trace"))?;
        self.audit().record(actor, READ, interaction, serde_json::json!({})).await?;
        Ok(trace)
    }

    /// Keeps traces of calls that are over, or says in the log that they are lost: calls do not wait for them.
    pub async fn keep_traces(&self, traces: &[CallTrace]) {
        if let Err(error) = self.store().traces().save_traces(self.tenant(), self.now(), traces).await {
            tracing::warn!(%error, calls = traces.len(), "traces of calls could not be kept");
        }
    }
}
