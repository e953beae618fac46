//! What pages and the API show of written contacts.

use model::id::{InteractionId, OfferToken, UserId};
use model::interaction::{Channel, Direction};
use model::time::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::super::core::{Core, Ringing};
use super::{Stage, Written};
use crate::console::protocol::{OfferView, Phase, ServiceName, WorkView, WrapUpView, WrittenView};

/// A written contact as its channel sees it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ContactView {
    /// Which one.
    #[schema(value_type = String)]
    pub interaction: InteractionId,
    /// Kind of contact.
    #[schema(value_type = String)]
    pub channel: Channel,
    /// Of which service.
    pub service: ServiceName,
    /// `waiting`, `assigned` (an email in the personal queue of an agent), `open` or `ended`.
    pub phase: &'static str,
    /// The name of the agent who has it.
    pub agent: Option<String>,
    /// The place in the line, from 1, while it waits.
    pub position: Option<u32>,
    /// Seconds it will probably wait still, when something is known.
    pub expected_wait_s: Option<u64>,
    /// The number of the last message.
    pub last_message: u32,
}

impl Core {
    /// A live contact as its channel sees it.
    pub fn contact_view(&self, interaction: InteractionId, now: Timestamp) -> Option<ContactView> {
        let written = self.written.get(&interaction)?;
        let phase = match written.stage {
            Stage::Waiting => "waiting",
            Stage::Personal(_) => "assigned",
            Stage::Work { phase: Phase::WrapUp, .. } => "ended",
            Stage::Work { .. } => "open",
        };
        let agent = written.agent().or(written.kept().map(|kept| kept.agent));
        let agent = agent.and_then(|agent| self.config.users.get(&agent));
        let expected = self.floor.expected_wait(interaction, now);
        Some(ContactView {
            interaction,
            channel: written.channel,
            service: self.config.name_service(written.service),
            phase,
            agent: agent.map(|user| user.name.clone()),
            position: self.floor.position(interaction).and_then(|place| u32::try_from(place).ok()),
            expected_wait_s: expected.map(|wait| wait.as_secs_f64().ceil() as u64),
            last_message: written.last_message,
        })
    }

    /// An offer of a written contact (CHAT-02).
    pub(crate) fn written_offer_view(
        &self,
        (offer, agent): (OfferToken, UserId),
        ringing: &Ringing,
        now: Timestamp,
    ) -> Option<OfferView> {
        let written = self.written.get(&ringing.interaction)?;
        Some(OfferView {
            offer,
            interaction: ringing.interaction,
            direction: Direction::Inbound,
            service: Some(self.config.name_service(written.service)),
            channel: written.channel,
            caller: written.caller.clone(),
            caller_name: written.caller_name.clone(),
            contact: written.address.clone(),
            noted: written.noted.clone(),
            callback: None,
            colleague: None,
            passed_by: None,
            about: None,
            waited_ms: u64::try_from(now.since(written.waits_since).as_millis()).unwrap_or(u64::MAX),
            deadline: ringing.deadline.millis(),
            auto_answer: false,
            // An email is postponed instead (MAIL-03).
            may_put_back: written.channel != Channel::Email && self.config.rules_of(agent).put_back,
        })
    }

    /// A written contact as its agent sees it (CHAT-03).
    pub(crate) fn written_work_view(&self, interaction: InteractionId, agent: UserId) -> Option<WorkView> {
        let written = self.written.get(&interaction)?;
        let Stage::Work { agent: holder, phase, since, until } = written.stage else { return None };
        if holder != agent {
            return None;
        }
        let Written { caller, caller_name, address, noted, .. } = written.clone();
        Some(WorkView {
            interaction,
            direction: Direction::Inbound,
            service: Some(self.config.name_service(written.service)),
            channel: written.channel,
            caller,
            caller_name,
            contact: address,
            noted,
            callback: None,
            colleague: None,
            passed_by: None,
            passed_to: None,
            record: interaction,
            consults: None,
            screen: None,
            conference: None,
            attendants: Vec::new(),
            outgoing: false,
            phase,
            refused_why: None,
            muted: false,
            since: since.millis(),
            answered_at: written.answered_at.map(Timestamp::millis),
            wrap_up: (phase == Phase::WrapUp).then(|| WrapUpView {
                until: until.map(Timestamp::millis),
                may_continue: until.is_some() && self.config.rules_of(agent).wrap_up_continue,
            }),
            disposition: written.disposition,
            comment: written.comment.clone(),
            quality: None,
            recording: false,
            recording_pause: None,
            flow: None,
            help_since: self.help_since(interaction, agent).map(Timestamp::millis),
            digits: String::new(),
            written: Some(WrittenView {
                last_message: written.last_message,
                unanswered_since: written.unanswered_since.map(Timestamp::millis),
            }),
        })
    }
}
