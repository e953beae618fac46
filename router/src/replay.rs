//! After a crash: the floor as the journal has it, and what a restart ends.

use model::interaction::{EndStatus, EndedBy};
use model::journal::{Entry, Event, OfferEnd};
use model::time::Timestamp;

use crate::config::{ConfigError, FloorConfig};
use crate::floor::Floor;
use crate::io::Output;
use crate::item::Phase;
use crate::timers::Timer;

impl Floor {
    /// The floor that wrote these entries, as it stood after the last one. Entries of other rooms are passed over.
    ///
    /// Nothing is decided: the entries say what was. What has become due since then is done by the next
    /// [`Floor::tick`], exactly as it would have been without the crash.
    pub fn replay<'a>(
        config: FloorConfig,
        entries: impl IntoIterator<Item = &'a Entry>,
    ) -> Result<Self, ConfigError> {
        let mut floor = Self::new(config)?;
        for entry in entries {
            floor.fold(entry);
        }
        floor.pass_silently();
        Ok(floor)
    }

    /// Makes one more entry true, and decides nothing.
    pub fn fold(&mut self, entry: &Entry) {
        self.now = self.now.max(entry.at);
        self.apply(&entry.event, entry.at);
    }

    /// Goes on under another configuration, and decides nothing: what the change brought about is told by the entries that
    /// follow.
    pub fn fold_configuration(&mut self, config: FloorConfig, at: Timestamp) -> Result<(), ConfigError> {
        config.check()?;
        self.stand_at(at);
        let answer = self.swap(config);
        self.stand_at(at);
        answer
    }

    /// A folded floor as it stood at `at`, just before anything was decided there: steps that have begun by then have
    /// begun, refusals that are old enough are forgiven.
    pub fn stand_at(&mut self, at: Timestamp) {
        self.now = self.now.max(at);
        self.pass_silently();
    }

    /// Moves on what time moves without an entry in the journal: steps and forgiven refusals.
    fn pass_silently(&mut self) {
        let mut loud = Vec::new();
        while let Some((due, timer)) = self.timers.first()
            && due <= self.now
        {
            match timer {
                Timer::Step { .. } | Timer::Late { .. } | Timer::CoolDown { .. } => {
                    self.timers.pop();
                    self.fire_if_applies(due, timer);
                }
                // Its service let it wait on when this was due, whatever another configuration may say later.
                Timer::Wait { item } if !self.ends_wait(item) => self.timers.pop(),
                // If it still applies, the crash came between the deadline and its entry: it is yet to be done.
                Timer::Offer { .. } | Timer::Wait { .. } | Timer::WrapUp { .. } | Timer::Stay { .. } => {
                    self.timers.pop();
                    loud.push((due, timer));
                }
            }
        }
        for (due, timer) in loud {
            self.arm(due, timer);
        }
        self.trim_timers();
        for (agent, ..) in self.touched.drain(..) {
            self.agents[agent].touched = false;
        }
        for number in std::mem::take(&mut self.stirred) {
            self.agents[number].stirred = false;
            self.refile(number);
        }
        self.freed.clear();
        self.loose.clear();
        self.staff_left = false;
        // What was told when it happened is not told again.
        self.out.clear();
    }

    /// Ends what did not survive the process: open offers, calls unanswered or in hand, and sign-ins.
    ///
    /// Written contacts have no line that could break: those that wait wait on at their place, those in hand stay with their
    /// agents, who may come back. Of everybody else the journal accounts afterwards (I10).
    pub fn restart(&mut self, now: Timestamp, out: &mut Vec<Output>) {
        self.now = self.now.max(now);
        std::mem::swap(&mut self.out, out);
        let mut items: Vec<_> = self.items.iter().map(|(key, item)| (item.id, key)).collect();
        items.sort_unstable();
        for (interaction, key) in items {
            let Some(item) = self.items.get(key) else { continue };
            let stays = item.channel.is_written();
            if let Phase::Offered(ring) = &item.phase {
                let token = ring.token;
                for number in ring.members.clone() {
                    let agent = self.agent_id(number);
                    self.record(Event::OfferEnded { interaction, agent, token, why: OfferEnd::Restart });
                }
            }
            let Some(item) = self.items.get(key) else { continue };
            let over = matches!(item.phase, Phase::Wrapping { .. });
            if stays && !over {
                continue;
            }
            if !over && item.is_callback() {
                // Nobody was on the line whom the crash could have cut off.
                let agent =
                    if let Phase::Active { agent } = item.phase { Some(self.agent_id(agent)) } else { None };
                self.record(Event::LaidAside { interaction, agent });
            } else if !over {
                self.record(Event::Ended {
                    interaction,
                    status: EndStatus::Interrupted,
                    by: EndedBy::System,
                });
            }
            self.complete_one(key);
        }
        let mut agents: Vec<_> =
            self.agents.iter().filter(|agent| agent.session.is_some()).map(|agent| agent.id).collect();
        agents.sort_unstable();
        for agent in agents {
            self.record(Event::AgentLoggedOut { agent });
        }
        // Who is gone may come back at once: those who wait are not told that nobody is there.
        self.staff_left = false;
        self.finish(out);
    }
}
