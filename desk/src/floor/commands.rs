//! What an agent's page asks for.

use model::agent::NotReadyReason;
use model::call::{AfterJoin, CallOrder};
use model::id::{DispositionId, InteractionId, ServiceId, SessionId, UserId};
use model::interaction::EndedBy;
use model::journal::Event;
use model::people::PhoneKind;
use model::time::Timestamp;
use router::Input;

use super::call::{Call, Seat};
use super::core::{Core, Effect};
use super::outbound::ToDial;
use crate::console::protocol::{Command, ConsoleEvent, Phase};
use crate::refusal::Refusal;

/// Longest remark.
pub const COMMENT_MAX: usize = 4_000;
/// Most digits in one command.
const DIGITS_MAX: usize = 32;
/// Longest SDP offer.
const SDP_MAX: usize = 16 * 1024;

/// An internal call is over with the hang-up.
const NO_WORK_AFTER: Refusal =
    Refusal::NotNow { why: "An internal call is not coded and has no after-call work." };

/// What an agent has in hand, or after-call work of: of any kind of contact.
pub(super) struct OwnWork<'a> {
    /// None of an internal call.
    pub service: Option<ServiceId>,
    /// Whether it goes on.
    pub up: bool,
    /// The interaction that it was a part of, which the agent passed on.
    part_of: Option<InteractionId>,
    disposition: &'a mut Option<DispositionId>,
    comment: &'a mut String,
}

impl Core {
    /// Does what the page of `agent` asks for, or says why not; a refused command changes nothing.
    pub fn command(
        &mut self,
        agent: UserId,
        session: SessionId,
        command: Command,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        if Self::is_activity(&command) {
            self.active(agent, now, out);
        }
        match command {
            Command::Active => Ok(()),
            Command::DoNotDisturb { on } => self.set_do_not_disturb(agent, on, now, out),
            Command::Ready => self.wish(agent, Input::Ready { agent }, now, out),
            Command::NotReady { reason } => {
                let reason = match reason {
                    Some(id) if self.config.reasons.contains_key(&id) => NotReadyReason::Chosen(id),
                    Some(_) => return Err(Refusal::missing("reason")),
                    None => NotReadyReason::ByHand,
                };
                self.wish(agent, Input::NotReady { agent, reason }, now, out)
            }
            Command::Offline => self.wish(agent, Input::Offline { agent }, now, out),
            Command::Online => self.ask(Input::Online { agent }, now, out),
            Command::Accept { offer } => {
                if !self.ringing.contains_key(&(offer, agent)) {
                    return Err(Refusal::OfferGone);
                }
                let interaction = self.ringing.get(&(offer, agent)).map(|ringing| ringing.interaction);
                if !interaction.is_some_and(|interaction| self.written.contains_key(&interaction)) {
                    if matches!(self.phone_of(agent), PhoneKind::Sip | PhoneKind::Number) {
                        return Err(Refusal::NotNow { why: "Pick up your phone to accept." });
                    }
                    self.clear_the_line(agent, None, out)?;
                }
                self.ask(Input::Accept { agent, token: offer }, now, out)
            }
            Command::Decline { offer } => self.ask(Input::Decline { agent, token: offer }, now, out),
            Command::PutBack { offer } => self.put_back(agent, offer, now, out),
            Command::Take { interaction } => self.take_from_queue(agent, interaction, now, out),
            Command::Postpone { offer } => self.postpone(agent, offer, now, out),
            Command::Keep { interaction } => self.keep(agent, interaction, now, out),
            Command::Open { interaction } => self.open_kept(agent, interaction, now, out),
            Command::SetAside { interaction } => self.set_aside(agent, interaction, now, out),
            Command::GiveBack { interaction } => self.return_to_group(agent, interaction, now, out),
            Command::PassOn { interaction, user, service, remark } => {
                self.pass_email_on(agent, interaction, (user, service), &remark, now, out)
            }
            Command::Assign { interaction, user } => self.assign(agent, interaction, user, now, out),
            Command::Write { interaction, text } => self.agent_writes(agent, interaction, &text, now, out),
            Command::HangUp { interaction } if self.written_by(agent, interaction) => {
                self.end_written(interaction, EndedBy::Agent, now, out)
            }
            Command::Call { user, extension } => {
                self.call_colleague(agent, (user, extension), None, now, out)
            }
            Command::Dial { number, service, caller_id } => {
                self.dial_out(agent, ToDial { number, service, caller_id }, None, now, out)
            }
            Command::Consult { interaction, user, extension, number } => {
                self.consult(agent, interaction, (user, extension, number), now, out)
            }
            Command::SendScreen { interaction } => self.send_screen(agent, interaction, out),
            Command::CompleteTransfer { interaction, from } => {
                self.bring_over(agent, interaction, from, AfterJoin::Leave, out)
            }
            Command::Hold { interaction } => {
                self.talking(agent, interaction)?;
                out.push(Effect::Order(CallOrder::Hold { interaction, agent }));
                Ok(())
            }
            Command::Retrieve { interaction } => {
                self.talking(agent, interaction)?;
                self.clear_the_line(agent, Some(interaction), out)?;
                self.hold_others(agent, interaction, out);
                out.push(Effect::Order(CallOrder::Retrieve { interaction, agent }));
                Ok(())
            }
            Command::StartFlow { interaction, flow } => self.start_flow(agent, interaction, flow, now, out),
            Command::TakeBack { interaction } => self.take_back(agent, interaction, out),
            Command::Transfer { interaction, service, user, number } => {
                self.transfer(agent, interaction, (service, user, number), now, out)
            }
            Command::Merge { interaction, from } => {
                self.bring_over(agent, interaction, from, AfterJoin::Stay, out)
            }
            Command::Leave { interaction } => self.leave(agent, interaction, out),
            Command::Drop { interaction, from } => self.drop_party(agent, interaction, from, out),
            Command::PauseRecording { interaction } => self.pause_own(agent, interaction, true, out),
            Command::ResumeRecording { interaction } => self.pause_own(agent, interaction, false, out),
            Command::Mute { interaction } => self.mute(agent, interaction, true, out),
            Command::Unmute { interaction } => self.mute(agent, interaction, false, out),
            Command::AskHelp { interaction } => self.ask_help(agent, interaction, true, now, out),
            Command::TakeBackHelp { interaction } => self.ask_help(agent, interaction, false, now, out),
            Command::Attend { interaction, how } => self.attend(agent, interaction, how, now, out),
            Command::StopAttending { interaction } => self.stop_attending(agent, interaction, out),
            Command::TakeOver { interaction } => self.take_over(agent, interaction, out),
            Command::HangUp { interaction } => {
                let call = self.work_of(agent, interaction)?;
                if !call.up() {
                    return Err(Refusal::NotNow { why: "The call is over already." });
                }
                let by = call.seat(agent).map_or(EndedBy::Agent, Seat::side);
                out.push(Effect::Order(CallOrder::HangUp { interaction, by }));
                Ok(())
            }
            Command::Digits { interaction, digits } => self.send_digits(agent, interaction, digits, out),
            Command::Code { interaction, disposition, comment } => {
                self.code(agent, interaction, disposition, comment, out)
            }
            Command::CallBack { interaction } => {
                self.work_of(agent, interaction)?;
                self.dial_back(interaction, now, out)
            }
            Command::ContinueWrapUp { interaction } => {
                self.own_work(agent, interaction)?;
                self.ask(Input::WrapUpContinue { interaction }, now, out)
            }
            Command::Complete { interaction } => self.complete(agent, interaction, now, out),
            Command::PhoneOffer { sdp } => self.attach_phone(agent, session, sdp, out),
            Command::PhoneReady { microphone, detail } => {
                let cut = |text: String| text.chars().take(200).collect::<String>();
                let problem = (!microphone).then(|| detail.map_or_else(|| "no_microphone".into(), cut));
                self.person(agent).phone_problem = problem;
                let phone = self.phone_view(agent);
                out.push(Effect::Tell(agent, Box::new(ConsoleEvent::Phone { phone })));
                Ok(())
            }
            // Answered by the driver, which knows the page.
            Command::Resync => Ok(()),
        }
    }

    /// Asks the floor for another state. While there is work it only notes what comes after (STATE-16), which is no change
    /// of state: the page is told here.
    fn wish(
        &mut self,
        agent: UserId,
        input: Input,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let before = self.agent_view(agent, now);
        self.ask(input, now, out)?;
        if let (Some(before), Some(agent_view)) = (before, self.agent_view(agent, now))
            && before.state == agent_view.state
            && before.after_work != agent_view.after_work
        {
            out.push(Effect::Tell(agent, Box::new(ConsoleEvent::Me { agent: agent_view })));
        }
        Ok(())
    }

    /// A supervisor puts an agent to work or takes one out (STATE-22).
    pub fn force(
        &mut self,
        agent: UserId,
        ready: bool,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        if !self.config.users.contains_key(&agent) {
            return Err(Refusal::missing("agent"));
        }
        let input = if ready { Input::ForceReady { agent } } else { Input::ForceNotReady { agent } };
        self.wish(agent, input, now, out)?;
        let state = if ready { "ready" } else { "not_ready" };
        self.banner(
            agent,
            crate::console::protocol::Level::Info,
            "state_forced",
            serde_json::json!({ "state": state }),
            out,
        );
        Ok(())
    }

    /// A supervisor ends a call.
    pub fn hang_up(&mut self, interaction: InteractionId, out: &mut Vec<Effect>) -> Result<(), Refusal> {
        let call = self.calls.get(&interaction).filter(|call| call.up());
        let call = call.ok_or(Refusal::missing("call"))?;
        if call.open_callback().is_some() {
            return Err(Refusal::NotNow { why: "The customer is to be called back. Cancel that instead." });
        }
        out.push(Effect::Order(CallOrder::HangUp { interaction, by: EndedBy::Agent }));
        Ok(())
    }

    fn ask(&mut self, input: Input, now: Timestamp, out: &mut Vec<Effect>) -> Result<(), Refusal> {
        self.tell_floor(input, now, out).map_err(Self::refused)
    }

    /// The agent's own work; of other people's there is none to be seen.
    pub(super) fn work_of(
        &mut self,
        agent: UserId,
        interaction: InteractionId,
    ) -> Result<&mut Call, Refusal> {
        let call = self.calls.get_mut(&interaction).filter(|call| call.seat(agent).is_some());
        call.ok_or(Refusal::missing("call"))
    }
    /// The agent's own work, a call or a written contact.
    pub(super) fn own_work(
        &mut self,
        agent: UserId,
        interaction: InteractionId,
    ) -> Result<OwnWork<'_>, Refusal> {
        if self.written_by(agent, interaction) {
            let written = self.written.get_mut(&interaction).ok_or(Refusal::missing("contact"))?;
            let (service, up) = (Some(written.service), written.up());
            let (disposition, comment) = (&mut written.disposition, &mut written.comment);
            return Ok(OwnWork { service, up, part_of: None, disposition, comment });
        }
        let call = self.work_of(agent, interaction)?;
        let (service, up, part_of) = (call.service(), call.up(), call.part_of);
        let (disposition, comment) = (&mut call.disposition, &mut call.comment);
        Ok(OwnWork { service, up, part_of, disposition, comment })
    }
    pub(super) fn talking(
        &mut self,
        agent: UserId,
        interaction: InteractionId,
    ) -> Result<&mut Call, Refusal> {
        let call = self.work_of(agent, interaction)?;
        match call.seat(agent).and_then(|seat| call.phase(seat)) {
            Some((Phase::Talking | Phase::Held, _)) => Ok(call),
            _ => Err(Refusal::NotNow { why: "There is no conversation now." }),
        }
    }

    fn mute(
        &mut self,
        agent: UserId,
        interaction: InteractionId,
        muted: bool,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        self.talking(agent, interaction)?;
        out.push(Effect::Order(CallOrder::Mute { interaction, agent, muted }));
        Ok(())
    }

    fn send_digits(
        &mut self,
        agent: UserId,
        interaction: InteractionId,
        digits: String,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        if self.is_dialled_by(agent, interaction) {
            return self.press_later(interaction, &digits);
        }
        self.talking(agent, interaction)?;
        let fit = |c| matches!(c, '0'..='9' | '*' | '#' | 'A'..='D' | ',');
        if digits.is_empty() || digits.len() > DIGITS_MAX || !digits.chars().all(fit) {
            return Err(Refusal::field("/digits", "1 to 32 of 0-9 * # A-D and the comma"));
        }
        out.push(Effect::Order(CallOrder::SendDigits { interaction, agent, digits }));
        Ok(())
    }

    /// Sets disposition and remark, during the call or after it (ACW-03, ACW-05).
    fn code(
        &mut self,
        agent: UserId,
        interaction: InteractionId,
        disposition: Option<DispositionId>,
        comment: Option<String>,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        if comment.as_ref().is_some_and(|text| text.len() > COMMENT_MAX) {
            return Err(Refusal::field("/comment", format!("at most {COMMENT_MAX} octets")));
        }
        let service = self.own_work(agent, interaction)?.service.ok_or(NO_WORK_AFTER)?;
        if let Some(id) = disposition {
            let known = self.config.dispositions.get(&id).is_some_and(|d| d.service == service);
            if !known {
                return Err(Refusal::field("/disposition", "not in the list of the service"));
            }
        }
        let work = self.own_work(agent, interaction)?;
        *work.disposition = disposition.or(*work.disposition);
        if let Some(text) = &comment {
            work.comment.clone_from(text);
        }
        out.push(Effect::Journal(match work.part_of {
            Some(whole) => {
                Event::PartCoded { interaction: whole, part: interaction, agent, disposition, comment }
            }
            None => Event::Coded { interaction, agent, disposition, comment },
        }));
        self.show_work(interaction, out);
        Ok(())
    }

    /// Ends after-call work (ACW-04); without a mandatory disposition it is refused (ACW-02, ERR-16).
    fn complete(
        &mut self,
        agent: UserId,
        interaction: InteractionId,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let work = self.own_work(agent, interaction)?;
        let (service, coded) = (work.service.ok_or(NO_WORK_AFTER)?, work.disposition.is_some());
        if work.up {
            return Err(Refusal::NotNow { why: "The call is still up." });
        }
        let mandatory = self.config.services.get(&service).is_some_and(|s| s.disposition_mandatory);
        if mandatory && !coded {
            return Err(Refusal::DispositionRequired);
        }
        self.ask(Input::Complete { agent, interaction }, now, out)
    }

    fn attach_phone(
        &mut self,
        agent: UserId,
        session: SessionId,
        sdp: String,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        if self.phone_of(agent) != PhoneKind::Browser {
            return Err(Refusal::NotNow { why: "Your phone is not the one in the browser." });
        }
        if sdp.len() > SDP_MAX {
            return Err(Refusal::field("/sdp", format!("at most {SDP_MAX} octets")));
        }
        let tenant = self.tenant;
        out.push(Effect::Order(CallOrder::AttachPhone { agent, tenant, session, sdp }));
        Ok(())
    }
}
