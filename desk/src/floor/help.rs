//! Asking for help (HELP-01): an agent flags what is in hand, supervisors see who and what (HELP-02), and service goes on.
//!
//! A flag is one agent's and of one interaction, whatever its channel. It is over when the agent takes it back or the
//! interaction ends.

use model::id::{InteractionId, UserId};
use model::interaction::{Channel, Direction};
use model::journal::Event;
use model::people::Privilege;
use model::time::Timestamp;

use super::core::{Core, Effect};
use crate::console::protocol::{ConsoleEvent, HelpView};
use crate::refusal::Refusal;

impl Core {
    /// An agent asks for help with something in hand, or needs none any more. Asked already, or not: nothing happens.
    pub(super) fn ask_help(
        &mut self,
        agent: UserId,
        interaction: InteractionId,
        asked: bool,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        if !self.own_work(agent, interaction)?.up {
            return Err(Refusal::NotNow { why: "It is over already." });
        }
        if self.help.contains_key(&(interaction, agent)) == asked {
            return Ok(());
        }
        if asked {
            self.help.insert((interaction, agent), now);
            out.push(Effect::Journal(Event::HelpAsked { interaction, agent }));
            if let Some(help) = self.help_view((interaction, agent), now) {
                self.tell_supervisors(agent, &ConsoleEvent::HelpAsked { help }, out);
            }
        } else {
            self.help.remove(&(interaction, agent));
            out.push(Effect::Journal(Event::HelpTakenBack { interaction, agent }));
            self.tell_supervisors(agent, &ConsoleEvent::HelpOver { interaction, agent }, out);
        }
        self.show_work(interaction, out);
        Ok(())
    }

    /// An interaction ended, and with it whatever was asked about it.
    pub(super) fn help_over(&mut self, interaction: InteractionId, out: &mut Vec<Effect>) {
        let of_it = self.help.keys().filter(|(of, _)| *of == interaction);
        for (_, agent) in of_it.copied().collect::<Vec<_>>() {
            self.help.remove(&(interaction, agent));
            self.tell_supervisors(agent, &ConsoleEvent::HelpOver { interaction, agent }, out);
        }
    }

    /// Since when an agent asks for help with an interaction.
    pub(super) fn help_since(&self, interaction: InteractionId, agent: UserId) -> Option<Timestamp> {
        self.help.get(&(interaction, agent)).copied()
    }

    /// Who asks for help now, longest first; the viewer knows of the own flags.
    pub fn help_views(&self, viewer: UserId) -> Vec<HelpView> {
        let of_others = self.help.iter().filter(|((_, agent), _)| *agent != viewer);
        let mut views: Vec<_> = of_others.filter_map(|(key, since)| self.help_view(*key, *since)).collect();
        views.sort_by_key(|view| view.since);
        views
    }

    fn help_view(&self, (interaction, agent): (InteractionId, UserId), since: Timestamp) -> Option<HelpView> {
        if let Some(written) = self.written.get(&interaction) {
            return Some(HelpView {
                interaction,
                agent: self.config.name_colleague(agent),
                since: since.millis(),
                channel: written.channel,
                direction: Direction::Inbound,
                service: Some(self.config.name_service(written.service)),
                colleague: None,
                caller: written.caller.clone(),
                caller_name: written.caller_name.clone(),
                contact: written.address.clone(),
            });
        }
        let call = self.calls.get(&interaction)?;
        let seat = call.seat(agent)?;
        Some(HelpView {
            interaction,
            agent: self.config.name_colleague(agent),
            since: since.millis(),
            channel: Channel::Voice,
            direction: call.direction(),
            service: call.service().map(|service| self.config.name_service(service)),
            colleague: call.other_of(seat).map(|user| self.config.name_colleague(user)),
            caller: call.caller.clone(),
            caller_name: call.caller_name.clone(),
            contact: call.contact.clone(),
        })
    }

    /// Whether somebody sees and steers agents.
    pub(super) fn supervises(&self, user: UserId) -> bool {
        self.config.users.get(&user).is_some_and(|user| user.role.may(Privilege::Supervise))
    }

    /// Everybody who supervises, but for the one it is about.
    pub(super) fn supervisors(&self, but: Option<UserId>) -> impl Iterator<Item = UserId> {
        self.config.users.keys().copied().filter(move |user| Some(*user) != but && self.supervises(*user))
    }

    fn tell_supervisors(&self, of: UserId, event: &ConsoleEvent, out: &mut Vec<Effect>) {
        out.extend(self.supervisors(Some(of)).map(|user| Effect::Tell(user, Box::new(event.clone()))));
    }
}
