//! What colleagues see of somebody in the directory, apart from routing (STATE-23): on a call with a customer, not to be
//! disturbed, away, or available. It keeps nobody from calling or writing (STATE-25), and routing does not ask for it.

use std::time::Duration;

use model::agent::AgentState;
use model::id::UserId;
use model::journal::Event;
use model::time::Timestamp;

use super::call::Call;
use super::core::{Core, Effect};
use crate::console::protocol::{Command, ConsoleEvent, Presence};
use crate::refusal::Refusal;

/// Whoever does nothing at the workplace for this long is away (STATE-24).
const AWAY_AFTER: Duration = Duration::from_secs(15 * 60);

/// What is known of one person.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Attendance {
    /// The last thing done at the workplace.
    active_at: Timestamp,
    away: bool,
    /// Chosen by hand; it outlives a sign-out.
    do_not_disturb: bool,
}

impl Core {
    /// What colleagues see; `None` of whom is not signed in.
    pub fn presence(&self, user: UserId) -> Option<Presence> {
        let seen = self.floor.agent(user).filter(|seen| seen.state != AgentState::LoggedOut)?;
        // An internal call is none with a customer (STATE-26).
        let with_customer = |call: &Call| call.inside().is_none();
        if seen.active.iter().any(|id| self.calls.get(id).is_some_and(with_customer)) {
            return Some(Presence::OnCall);
        }
        let known = self.people.get(&user).map(|person| person.attendance).unwrap_or_default();
        Some(match known {
            Attendance { do_not_disturb: true, .. } => Presence::DoNotDisturb,
            Attendance { away: true, .. } => Presence::Away,
            _ => Presence::Available,
        })
    }

    /// Whether somebody chose not to be disturbed (STATE-25).
    pub fn undisturbed(&self, user: UserId) -> bool {
        self.people.get(&user).is_some_and(|person| person.attendance.do_not_disturb)
    }

    /// Who was not to be disturbed when the last run ended.
    pub fn leave_alone(&mut self, users: impl IntoIterator<Item = UserId>) {
        for user in users {
            self.person(user).attendance.do_not_disturb = true;
        }
    }

    /// Whether a command is something that a person did. Pages connect phones and read anew by themselves.
    pub(super) fn is_activity(command: &Command) -> bool {
        !matches!(command, Command::PhoneOffer { .. } | Command::PhoneReady { .. } | Command::Resync)
    }

    /// Something was done at the workplace: nobody is away there (STATE-24).
    pub(super) fn active(&mut self, user: UserId, now: Timestamp, out: &mut Vec<Effect>) {
        let known = &mut self.person(user).attendance;
        known.active_at = now;
        let was_away = std::mem::take(&mut known.away);
        let due = now + AWAY_AFTER;
        // Later activity moves only the own time; the earliest of all is looked for when it has come.
        self.next_away = Some(self.next_away.map_or(due, |next| next.min(due)));
        if was_away {
            self.show_me(user, now, out);
        }
    }

    /// Do not disturb, or no longer (STATE-25).
    pub(super) fn set_do_not_disturb(
        &mut self,
        agent: UserId,
        on: bool,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        if self.person(agent).attendance.do_not_disturb != on {
            self.person(agent).attendance.do_not_disturb = on;
            out.push(Effect::Journal(Event::DoNotDisturb { agent, on }));
            self.show_me(agent, now, out);
        }
        Ok(())
    }

    /// Whoever did nothing for long enough is away.
    pub(super) fn away_tick(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        if self.next_away.is_none_or(|due| due > now) {
            return;
        }
        let (mut gone, mut next) = (Vec::new(), None::<Timestamp>);
        for (user, person) in &mut self.people {
            let signed_in = self.floor.state(*user).is_some_and(|(state, _)| state != AgentState::LoggedOut);
            if person.attendance.away || !signed_in {
                continue;
            }
            let due = person.attendance.active_at + AWAY_AFTER;
            if due <= now {
                person.attendance.away = true;
                gone.push(*user);
            } else {
                next = Some(next.map_or(due, |next| next.min(due)));
            }
        }
        self.next_away = next;
        gone.sort_unstable();
        for user in gone {
            self.show_me(user, now, out);
        }
    }

    fn show_me(&self, agent: UserId, now: Timestamp, out: &mut Vec<Effect>) {
        if let Some(view) = self.agent_view(agent, now) {
            out.push(Effect::Tell(agent, Box::new(ConsoleEvent::Me { agent: view })));
        }
    }
}
