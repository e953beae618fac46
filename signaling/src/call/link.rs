//! Customer and agent together: hold, mute, digits, loss of a softphone, silence, figures. How they come together: `connect`.

use std::time::Duration;

use media::control::{Answer, LegStats, MediaError};
use model::call::{CallFact, Sound};
use model::id::{LegId, UserId};
use model::interaction::EndedBy;
use model::journal::Party;
use model::media::StreamStats;
use model::time::Timestamp;

use super::agent::Agent;
use super::words::{Heard, MediaOrder, Output, Step};
use super::{Call, QUALITY_EVERY, SILENCE_GRACE, SOFTPHONE_AWAY_MAX};

/// How customer and agent stand to each other.
#[derive(Debug)]
pub(super) enum Link {
    /// Not together.
    Apart,
    /// On the way: recording first, then the tones, then the bridge.
    Connecting {
        /// Whom.
        agent: UserId,
        /// Two tones before.
        announce: bool,
        /// How far.
        stage: Stage,
    },
    /// They talk, or the customer is held.
    Joined(Joined),
}

/// How far connecting is.
#[derive(Debug)]
pub(super) enum Stage {
    /// The recording is being started.
    Recording,
    /// The agent hears the tones.
    Announcing {
        /// Not longer than.
        until: Timestamp,
    },
    /// The bridge is being made.
    Bridging,
}

/// A conversation.
#[derive(Debug)]
pub(super) struct Joined {
    pub(super) agent: UserId,
    pub(super) since: Timestamp,
    pub(super) held: bool,
    pub(super) muted: bool,
    /// The softphone is away, and is waited for until then.
    pub(super) away_until: Option<Timestamp>,
    /// Figures are read next.
    pub(super) poll_at: Timestamp,
    /// Figures of the customer and of the agent, as they come in.
    pub(super) polled: (Option<StreamStats>, Option<StreamStats>),
}

impl Link {
    pub(super) fn deadline(&self, silent_since: Option<Timestamp>) -> Timestamp {
        match self {
            Self::Apart => Timestamp::NEVER,
            Self::Connecting { stage: Stage::Announcing { until }, .. } => *until,
            Self::Connecting { .. } => Timestamp::NEVER,
            Self::Joined(joined) => {
                let silence = silent_since.map_or(Timestamp::NEVER, |_| joined.since + SILENCE_GRACE);
                joined.poll_at.min(joined.away_until.unwrap_or(Timestamp::NEVER)).min(silence)
            }
        }
    }
}

impl Call {
    /// Hold or retrieve; saying it twice changes nothing.
    pub(super) fn hold(&mut self, held: bool, out: &mut Vec<Output>) {
        let Link::Joined(joined) = &mut self.link else { return };
        if joined.held == held {
            return;
        }
        joined.held = held;
        let away = joined.away_until.is_some();
        match self.agent.media_leg() {
            // The agent may have talked to somebody else meanwhile: back means both ways.
            Some(agent_leg) if !held && !away => {
                out.push(Output::Media(MediaOrder::Bridge { a: self.leg, b: agent_leg }));
            }
            _ => self.customer_hears(out),
        }
        out.push(Output::Fact(CallFact::HoldChanged { interaction: self.interaction, held }));
    }

    /// The phone's own hold key works as the console's.
    pub(super) fn phone_holds(&mut self, holds: bool, out: &mut Vec<Output>) {
        let Agent::Phone(phone) = &mut self.agent else { return };
        if std::mem::replace(&mut phone.holds, holds) != holds {
            self.hold(holds, out);
        }
    }

    pub(super) fn mute(&mut self, muted: bool, out: &mut Vec<Output>) {
        let (Link::Joined(joined), Some(leg)) = (&mut self.link, self.agent.media_leg()) else { return };
        if joined.muted == muted {
            return;
        }
        joined.muted = muted;
        out.push(Output::Media(MediaOrder::Mute { leg, muted }));
        out.push(Output::Fact(CallFact::MuteChanged { interaction: self.interaction, muted }));
    }

    pub(super) fn send_digits(&mut self, digits: String, out: &mut Vec<Output>) {
        let allowed = |c: char| matches!(c, '0'..='9' | '*' | '#' | 'A'..='D' | ',');
        if self.is_answered() && !digits.is_empty() && digits.len() <= 64 && digits.chars().all(allowed) {
            out.push(Output::Media(MediaOrder::SendDigits { leg: self.leg, digits }));
        }
    }

    /// What the customer hears while joined.
    fn customer_hears(&self, out: &mut Vec<Output>) {
        let (Link::Joined(joined), Some(agent_leg)) = (&self.link, self.agent.media_leg()) else { return };
        // WRTC-02: never silence. Music says that somebody will be back.
        let heard = if joined.held || joined.away_until.is_some() {
            Heard::Sound(Sound::HoldMusic)
        } else {
            Heard::Leg(agent_leg)
        };
        self.hear(self.leg, heard, out);
    }

    /// The media of the agent's softphone went or came back; the page may have been loaded anew (WRTC-02).
    pub(super) fn softphone_moved(&mut self, leg: LegId, up: bool, now: Timestamp, out: &mut Vec<Output>) {
        if !matches!(&self.agent, Agent::Softphone(soft) if soft.media == leg) {
            return;
        }
        match &mut self.link {
            Link::Joined(joined) => {
                let away_until = (!up).then(|| joined.away_until.unwrap_or(now + SOFTPHONE_AWAY_MAX));
                if joined.away_until.is_some() != away_until.is_some() {
                    joined.away_until = away_until;
                    let held = joined.held;
                    self.customer_hears(out);
                    // While this customer is held, the agent may be talking to another.
                    if up && !held {
                        self.hear(leg, Heard::Leg(self.leg), out);
                    }
                }
            }
            // Between accepting and talking: the lease cannot be kept.
            Link::Connecting { .. } if !up => {
                self.end(EndedBy::System, Some("the agent's softphone was lost".to_owned()), out);
            }
            Link::Connecting { .. } => {}
            Link::Apart if !up => {
                let ring = match &self.agent {
                    Agent::Softphone(soft) => soft.ring,
                    _ => None,
                };
                self.agent = Agent::Nobody;
                if let Some(ring) = ring {
                    self.ring_nothing(ring, "the softphone was lost".to_owned(), out);
                }
            }
            Link::Apart => {}
        }
    }

    pub(super) fn fell_silent(
        &mut self,
        leg: LegId,
        lasting: Duration,
        now: Timestamp,
        out: &mut Vec<Output>,
    ) {
        let joined = matches!(self.link, Link::Joined(_));
        if leg == self.leg {
            self.silent_since = Some(now - lasting);
            if joined && self.session.expects_audio() {
                let failure = format!("nothing was heard from the customer for {} s", lasting.as_secs());
                self.end(EndedBy::System, Some(failure), out);
            }
            return;
        }
        let phone_silent =
            matches!(&self.agent, Agent::Phone(phone) if phone.leg == leg && phone.session.expects_audio());
        if joined && phone_silent {
            let failure = format!("nothing was heard from the agent's phone for {} s", lasting.as_secs());
            self.end(EndedBy::System, Some(failure), out);
        }
    }

    pub(super) fn quality_changed(&self, leg: LegId, poor: bool, out: &mut Vec<Output>) {
        let Link::Joined(joined) = &self.link else { return };
        let party = if leg == self.leg {
            Party::Customer
        } else if self.agent.media_leg() == Some(leg) {
            Party::Agent { agent: joined.agent }
        } else {
            return;
        };
        out.push(Output::Fact(CallFact::QualityChanged { interaction: self.interaction, party, poor }));
    }

    pub(super) fn link_tick(&mut self, now: Timestamp, out: &mut Vec<Output>) {
        match &mut self.link {
            Link::Connecting { stage: Stage::Announcing { until }, .. } if *until <= now => self.bridge(out),
            Link::Joined(joined) => {
                if joined.away_until.is_some_and(|at| at <= now) {
                    let failure = "the agent's softphone did not come back".to_owned();
                    return self.end(EndedBy::System, Some(failure), out);
                }
                if self.silent_since.is_some() && joined.since + SILENCE_GRACE <= now {
                    // Reported once; a customer who holds us may be silent.
                    self.silent_since = None;
                    if self.session.expects_audio() {
                        let failure =
                            "nothing was heard from the customer since the call was connected".to_owned();
                        return self.end(EndedBy::System, Some(failure), out);
                    }
                }
                if joined.poll_at <= now {
                    joined.poll_at = now + QUALITY_EVERY;
                    joined.polled = (None, None);
                    let legs = [Some(self.leg), self.agent.media_leg()];
                    out.extend(legs.into_iter().flatten().map(|leg| Output::Media(MediaOrder::Stats(leg))));
                }
            }
            _ => {}
        }
    }

    /// The media plane's answers that are not about a leg's making.
    pub(super) fn media_answered(
        &mut self,
        step: Step,
        result: Result<Answer, MediaError>,
        now: Timestamp,
        out: &mut Vec<Output>,
    ) {
        match step {
            Step::Created(leg) | Step::Configured(leg) if leg == self.leg => {
                self.customer_media(step, result, now, out)
            }
            Step::Created(_) | Step::Configured(_) => self.phone_media(step, result, out),
            Step::Bridged => self.bridged(result, now, out),
            Step::Recording(recording) => self.recording_answered(recording, result, now, out),
            Step::Stats(leg) => {
                if let Ok(Answer::Stats(stats)) = result {
                    self.figures(leg, &stats, out);
                }
            }
            Step::Stopped(_) | Step::Deleted(_) | Step::Minor => {}
        }
    }

    fn figures(&mut self, leg: LegId, stats: &LegStats, out: &mut Vec<Output>) {
        let received = match &mut self.agent {
            Agent::Softphone(soft) if soft.media == leg && leg != self.leg => match &soft.before {
                None => {
                    soft.before = Some(stats.received);
                    return;
                }
                Some(before) => since(stats.received, *before),
            },
            _ => stats.received,
        };
        let Link::Joined(joined) = &mut self.link else { return };
        if leg == self.leg {
            joined.polled.0 = Some(received);
        } else {
            joined.polled.1 = Some(received);
        }
        if let (Some(customer), Some(agent)) = joined.polled {
            joined.polled = (None, None);
            out.push(Output::Fact(CallFact::Quality { interaction: self.interaction, customer, agent }));
        }
    }
}

/// What was counted after `before`. Jitter, MOS and the like are of the moment and stay.
pub(super) fn since(now: StreamStats, before: StreamStats) -> StreamStats {
    StreamStats {
        packets: now.packets.saturating_sub(before.packets),
        octets: now.octets.saturating_sub(before.octets),
        lost: now.lost.saturating_sub(before.lost),
        duplicates: now.duplicates.saturating_sub(before.duplicates),
        rejected: now.rejected.saturating_sub(before.rejected),
        ..now
    }
}

impl Call {
    /// Whether the customer is on hold.
    pub(super) fn is_held(&self) -> bool {
        matches!(&self.link, Link::Joined(joined) if joined.held)
    }

    /// The agent who is, or is being, linked.
    pub(super) fn linked_agent(&self) -> Option<UserId> {
        match &self.link {
            Link::Apart => None,
            Link::Connecting { agent, .. } => Some(*agent),
            Link::Joined(joined) => Some(joined.agent),
        }
    }
}
