//! Personal queues of emails (MAIL-01, MAIL-04, MAIL-17, MAIL-18): what an agent postponed, took, was given by a supervisor
//! or a colleague, or had open when signing out, and what customers answered to. It is assigned to the agent and not in hand, so it takes no capacity, and the
//! router's floor does not hold it; opened, it is in hand as if it had been offered.

use model::id::{InteractionId, OfferToken, ServiceId, UserId};
use model::interaction::Channel;
use model::journal::Event;
use model::people::Privilege;
use model::time::Timestamp;
use model::written::{Assignment, Author, CHAT_TEXT_MAX, PERSONAL_MAX};
use router::{Arrival, Input};
use serde_json::json;

use super::super::core::{Core, Effect};
use super::{Kept, Stage, Written, cleaned};
use crate::console::protocol::{ConsoleEvent, Level};
use crate::refusal::Refusal;

const QUEUE_FULL: Refusal =
    Refusal::NotNow { why: "There are 1000 emails in that personal queue, and no more may be." };
const OVER: Refusal = Refusal::NotNow { why: "The contact has ended." };
const ONLY_EMAILS: Refusal = Refusal::NotNow { why: "Only emails lie in personal queues." };

impl Core {
    /// The agent puts an offered email into the own queue and stays as before (MAIL-04).
    pub(crate) fn postpone(
        &mut self,
        agent: UserId,
        token: OfferToken,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let interaction = self.ringing.get(&(token, agent)).ok_or(Refusal::OfferGone)?.interaction;
        self.email(interaction)?;
        self.room_in_queue(agent)?;
        self.tell_floor(Input::Postpone { agent, token }, now, out).map_err(Self::refused)?;
        self.lies_with(interaction, Kept { agent, since: now, why: Assignment::Postponed, by: None }, out);
        Ok(())
    }

    /// The agent takes an email from the group queue into the own one (MAIL-01). The floor decides who was first.
    pub(crate) fn keep(
        &mut self,
        agent: UserId,
        interaction: InteractionId,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let waits = self.email(interaction)?.stage == Stage::Waiting;
        if !waits || self.is_offered(interaction) {
            return Err(Refusal::TakenAlready);
        }
        if !self.floor.may_answer(agent, interaction) {
            return Err(Refusal::NotForYou);
        }
        self.room_in_queue(agent)?;
        self.put_by(interaction, Kept { agent, since: now, why: Assignment::Taken, by: None }, now, out)
    }

    /// The agent opens an email of the own queue: in hand, as if it had been offered.
    pub(crate) fn open_kept(
        &mut self,
        agent: UserId,
        interaction: InteractionId,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let written = self.written.get(&interaction);
        let own = written.filter(|written| written.kept().is_some_and(|kept| kept.agent == agent));
        let channel = own.ok_or(Refusal::missing("contact"))?.channel;
        if !self.floor.has_room(agent, channel) {
            return Err(Refusal::HandsFull);
        }
        let input = Input::Begin { interaction, agent, channel, internal: false };
        self.tell_floor(input, now, out).map_err(Self::refused)
    }

    /// The agent puts an open email into the own queue.
    pub(crate) fn set_aside(
        &mut self,
        agent: UserId,
        interaction: InteractionId,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        self.written_of(agent, interaction)?;
        self.email(interaction)?;
        self.room_in_queue(agent)?;
        self.put_by(interaction, Kept { agent, since: now, why: Assignment::Postponed, by: None }, now, out)
    }

    /// The agent returns an own email to the group queue, where it has its old place (MAIL-18).
    pub(crate) fn return_to_group(
        &mut self,
        agent: UserId,
        interaction: InteractionId,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let service = self.own_email(agent, interaction)?.service;
        self.queue_again(interaction, service, now, out)
    }

    /// The agent passes an own email on to a colleague or to another service (MAIL-01).
    pub(crate) fn pass_email_on(
        &mut self,
        agent: UserId,
        interaction: InteractionId,
        to: (Option<UserId>, Option<ServiceId>),
        remark: &str,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let from = self.own_email(agent, interaction)?.service;
        let remark = Some(remark.trim()).filter(|text| !text.is_empty());
        let remark = remark.map(|text| cleaned(text, CHAT_TEXT_MAX)).transpose();
        let remark =
            remark.map_err(|_| Refusal::field("/remark", format!("at most {CHAT_TEXT_MAX} characters")))?;
        let by = Some(agent);
        match to {
            (Some(to), None) => {
                if to == agent {
                    return Err(Refusal::NotNow { why: "It is yours already." });
                }
                self.takes_emails(to)?;
                self.note_for_colleagues(interaction, agent, remark, now, out);
                let kept = Kept { agent: to, since: now, why: Assignment::Transferred, by };
                self.put_by(interaction, kept, now, out)?;
                self.tell_assigned(interaction, out);
                Ok(())
            }
            (None, Some(service)) if service != from => {
                self.group_takes(service)?;
                self.note_for_colleagues(interaction, agent, remark, now, out);
                self.queue_again(interaction, service, now, out)
            }
            _ => Err(Refusal::NotNow {
                why: "Choose a colleague, or a service that it does not belong to yet.",
            }),
        }
    }

    /// A supervisor gives an email to an agent (MAIL-01), out of the group queue or out of somebody's personal one.
    pub(crate) fn assign(
        &mut self,
        by: UserId,
        interaction: InteractionId,
        agent: UserId,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        if !self.supervises(by) {
            return Err(Refusal::Forbidden { needs: Privilege::Supervise });
        }
        let in_hand = matches!(self.email(interaction)?.stage, Stage::Work { .. });
        if in_hand || self.is_offered(interaction) {
            return Err(Refusal::TakenAlready);
        }
        self.takes_emails(agent)?;
        let kept = Kept { agent, since: now, why: Assignment::Assigned, by: Some(by) };
        self.put_by(interaction, kept, now, out)?;
        self.tell_assigned(interaction, out);
        Ok(())
    }

    /// Puts an email into a personal queue, out of whatever queue or hand it is in.
    pub(super) fn put_by(
        &mut self,
        interaction: InteractionId,
        kept: Kept,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        self.off_the_floor(interaction, now, out)?;
        self.lies_with(interaction, kept, out);
        Ok(())
    }

    /// Takes it from the floor; what lies in a personal queue is not there.
    fn off_the_floor(
        &mut self,
        interaction: InteractionId,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let written = self.email(interaction)?;
        if !written.up() {
            return Err(OVER);
        }
        if written.kept().is_some() {
            return Ok(());
        }
        let had = written.agent();
        self.tell_floor(Input::LayAside { interaction }, now, out).map_err(Self::refused)?;
        self.help_over(interaction, out);
        if let Some(agent) = had {
            out.push(Effect::Tell(agent, Box::new(ConsoleEvent::WorkEnded { interaction })));
        }
        Ok(())
    }

    /// It is off the floor and belongs to an agent.
    pub(super) fn lies_with(&mut self, interaction: InteractionId, kept: Kept, out: &mut Vec<Effect>) {
        let Kept { agent, why, by, .. } = kept;
        out.push(Effect::Journal(Event::Assigned { interaction, agent, why, by }));
        self.restage(interaction, Stage::Personal(kept), out);
        self.touch(interaction);
    }

    /// Puts it into the queue of a service, at the place it has by its age.
    fn queue_again(
        &mut self,
        interaction: InteractionId,
        service: ServiceId,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        self.group_takes(service)?;
        self.off_the_floor(interaction, now, out)?;
        let Some(written) = self.restage(interaction, Stage::Waiting, out) else { return Ok(()) };
        let (since, channel) = (Some(written.waits_since), written.channel);
        self.move_written(interaction, service);
        let arrival = Arrival::new(interaction, service, channel);
        self.tell_floor(Input::Arrive(Arrival { since, returns: true, ..arrival }), now, out)
            .map_err(Self::refused)
    }

    fn group_takes(&self, service: ServiceId) -> Result<(), Refusal> {
        let known = self.config.services.get(&service);
        if !known.is_some_and(|known| known.queue.takes(Channel::Email)) || self.floor.is_full() {
            return Err(Refusal::NotNow { why: "The service does not take it at the moment." });
        }
        Ok(())
    }

    fn note_for_colleagues(
        &mut self,
        interaction: InteractionId,
        agent: UserId,
        remark: Option<String>,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        if let Some(remark) = remark {
            self.add_message(interaction, Author::Note { agent }, remark, now, out);
        }
    }

    /// Tells the agent that an email was put into the own queue.
    pub(super) fn tell_assigned(&self, interaction: InteractionId, out: &mut Vec<Effect>) {
        let Some(written) = self.written.get(&interaction) else { return };
        let Some(Kept { agent, why, by, .. }) = written.kept() else { return };
        let by = by.and_then(|by| self.config.users.get(&by)).map(|user| user.name.as_str());
        // Without a subject it is known by its sender.
        let subject =
            written.noted.get("subject").or(written.caller_name.as_ref()).unwrap_or(&written.caller);
        let params = json!({ "why": why, "by": by, "subject": subject });
        self.banner(agent, Level::Info, "email_assigned", params, out);
    }

    fn email(&self, interaction: InteractionId) -> Result<&Written, Refusal> {
        let written = self.written.get(&interaction).ok_or(Refusal::missing("contact"))?;
        if written.channel == Channel::Email { Ok(written) } else { Err(ONLY_EMAILS) }
    }

    /// An email that the agent has open, or in the own queue.
    fn own_email(&self, agent: UserId, interaction: InteractionId) -> Result<&Written, Refusal> {
        let written = self.email(interaction)?;
        let own = written.agent() == Some(agent) || written.kept().is_some_and(|kept| kept.agent == agent);
        if !own {
            Err(Refusal::missing("contact"))
        } else if !written.up() {
            Err(OVER)
        } else {
            Ok(written)
        }
    }

    /// Whether an email is in the agent's hands or personal queue, and goes on.
    pub(crate) fn holds_email(&self, agent: UserId, interaction: InteractionId) -> Result<(), Refusal> {
        self.own_email(agent, interaction).map(drop)
    }

    /// Whether emails may be put into somebody's queue.
    pub(super) fn takes_emails(&self, agent: UserId) -> Result<(), Refusal> {
        if !self.config.handles_emails(agent) {
            return Err(Refusal::missing("agent"));
        }
        self.room_in_queue(agent)
    }

    fn room_in_queue(&self, agent: UserId) -> Result<(), Refusal> {
        let held = self.lists.personal(agent).map_or(0, std::collections::BTreeSet::len);
        if held < PERSONAL_MAX { Ok(()) } else { Err(QUEUE_FULL) }
    }

    /// Whether it is being offered to somebody.
    pub(super) fn is_offered(&self, interaction: InteractionId) -> bool {
        self.ringing.values().any(|ringing| ringing.interaction == interaction)
    }
}
