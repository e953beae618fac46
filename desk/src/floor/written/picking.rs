//! Whom an agent may pick from the queues, instead of being offered somebody.

use model::id::{InteractionId, UserId};
use model::interaction::Channel;
use model::time::Timestamp;
use router::{Input, Pickable};
use serde::Serialize;
use utoipa::ToSchema;

use super::super::core::{Core, Effect};
use crate::console::protocol::ServiceName;
use crate::refusal::Refusal;

/// Contacts listed at once.
const LISTED: usize = 100;

/// Written contacts that wait and that an agent may pick (LIVE-02, LIVE-06).
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct WaitingContacts {
    /// The first hundred in the order in which they are served.
    pub items: Vec<WaitingContact>,
    /// How many there are besides; of each service the first thousand are counted.
    pub more: usize,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct WaitingContact {
    /// Which one.
    #[schema(value_type = String)]
    pub interaction: InteractionId,
    /// Kind of contact.
    #[schema(value_type = String)]
    pub channel: Channel,
    /// Of which service.
    pub service: ServiceName,
    /// Who writes: an address or a number, if one is known.
    pub caller: String,
    /// Name, if one is known.
    pub caller_name: Option<String>,
    /// Where it was written.
    pub contact: String,
    /// Since when the customer waits.
    pub since: u64,
    /// Why it cannot be picked at this moment: `hands_full`, or `state` of the agent; null: it can.
    pub not_now: Option<&'static str>,
}

impl Core {
    /// Whom the agent may pick.
    pub fn waiting_contacts(&self, agent: UserId) -> WaitingContacts {
        let (found, all) = self.floor.to_pick(agent, LISTED);
        let more = all - found.len();
        let show = |Pickable { interaction, not_now }| {
            let written = self.written.get(&interaction)?;
            Some(WaitingContact {
                interaction,
                channel: written.channel,
                service: self.config.name_service(written.service),
                caller: written.caller.clone(),
                caller_name: written.caller_name.clone(),
                contact: written.address.clone(),
                since: written.waits_since.millis(),
                not_now: not_now.map(|refusal| match refusal {
                    router::Refusal::NoRoom => "hands_full",
                    _ => "state",
                }),
            })
        };
        WaitingContacts { items: found.into_iter().filter_map(show).collect(), more }
    }

    /// The agent picks one of them; of two who pick the same the floor gives it to the first.
    pub(crate) fn take_from_queue(
        &mut self,
        agent: UserId,
        interaction: InteractionId,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        self.tell_floor(Input::Take { agent, interaction }, now, out).map_err(|refusal| match refusal {
            router::Refusal::Stale | router::Refusal::UnknownInteraction => Refusal::TakenAlready,
            router::Refusal::NotAllowed => Refusal::NotForYou,
            other => Self::refused(other),
        })
    }
}
