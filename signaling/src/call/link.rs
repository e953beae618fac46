//! Customer and agent together: recording, the two tones, bridge, hold, mute, loss of a softphone, figures.

use std::time::Duration;

use media::control::{Answer, Channel, LegStats, MediaError};
use model::call::{CallFact, Sound};
use model::id::{LegId, RecordingId, UserId};
use model::interaction::EndedBy;
use model::journal::Party;
use model::media::StreamStats;
use model::time::Timestamp;

use super::agent::{Agent, SoftphoneHalf};
use super::words::{Connect, Heard, MediaOrder, Output, Step};
use super::{ANNOUNCEMENT_MAX, Call, QUALITY_EVERY, SILENCE_GRACE, SOFTPHONE_AWAY_MAX};

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
    agent: UserId,
    since: Timestamp,
    held: bool,
    muted: bool,
    /// The softphone is away, and is waited for until then.
    away_until: Option<Timestamp>,
    /// Figures are read next.
    poll_at: Timestamp,
    /// Figures of the customer and of the agent, as they come in.
    polled: (Option<StreamStats>, Option<StreamStats>),
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
    pub(super) fn connect(
        &mut self,
        Connect { agent, softphone, half, record, announce }: Connect,
        now: Timestamp,
        out: &mut Vec<Output>,
    ) {
        if !matches!(self.link, Link::Apart) {
            return;
        }
        // A phone that was picked up is the one; else the softphone as it is now (it may have come anew since it rang).
        let picked = matches!(&self.agent, Agent::Phone(phone) if phone.ready && phone.ring.agent == agent);
        if !picked {
            let ring = match &self.agent {
                Agent::Phone(phone) => Some(phone.ring),
                Agent::Softphone(soft) => soft.ring,
                Agent::Nobody => None,
            };
            self.drop_agent(out);
            let Some(soft) = softphone else {
                if let Some(ring) = ring {
                    self.ring_nothing(ring, "the softphone is not connected".to_owned(), out);
                }
                return;
            };
            self.agent =
                Agent::Softphone(SoftphoneHalf { ring, media: soft.leg, half: Some(half), before: None });
            // What it received in earlier calls is not this call's.
            out.push(Output::Media(MediaOrder::Stats(soft.leg)));
            out.push(Output::Media(MediaOrder::Mute { leg: soft.leg, muted: false }));
            out.push(Output::Fact(CallFact::LegAnswered {
                interaction: self.interaction,
                leg: half,
                party: Party::Agent { agent },
                codec: soft.codec,
                secure: true,
            }));
        }
        self.then_hang_up = false;
        self.link = Link::Connecting { agent, announce, stage: Stage::Recording };
        match record {
            Some(recording) => out.push(Output::Media(MediaOrder::StartRecording(recording))),
            None => self.announce_or_bridge(now, out),
        }
    }

    fn recording_answered(
        &mut self,
        recording: RecordingId,
        result: Result<Answer, MediaError>,
        now: Timestamp,
        out: &mut Vec<Output>,
    ) {
        if !matches!(self.link, Link::Connecting { stage: Stage::Recording, .. }) {
            return;
        }
        let interaction = self.interaction;
        match (result, self.agent.media_leg()) {
            (Ok(_), Some(agent_leg)) => {
                self.recording = Some(recording);
                // RECO-01: the customer left, our side right.
                let taps = [(Channel::Left, self.leg), (Channel::Right, agent_leg)];
                out.extend(
                    taps.map(|(channel, leg)| Output::Media(MediaOrder::Tap { recording, channel, leg })),
                );
                out.push(Output::Fact(CallFact::RecordingStarted { interaction, recording }));
            }
            // The call goes on; that it is not recorded is said.
            (Err(why), _) => out.push(Output::Fact(CallFact::RecordingFailed {
                interaction,
                recording,
                why: why.to_string(),
            })),
            (Ok(_), None) => {}
        }
        self.announce_or_bridge(now, out);
    }

    fn announce_or_bridge(&mut self, now: Timestamp, out: &mut Vec<Output>) {
        let (Link::Connecting { announce, stage, .. }, Some(leg)) = (&mut self.link, self.agent.media_leg())
        else {
            return;
        };
        if *announce {
            *stage = Stage::Announcing { until: now + ANNOUNCEMENT_MAX };
            self.hear(leg, Heard::Announcement, out);
        } else {
            self.bridge(out);
        }
    }

    pub(super) fn announcement_over(&mut self, leg: LegId, out: &mut Vec<Output>) {
        if matches!(self.link, Link::Connecting { stage: Stage::Announcing { .. }, .. })
            && self.agent.media_leg() == Some(leg)
        {
            self.bridge(out);
        }
    }

    fn bridge(&mut self, out: &mut Vec<Output>) {
        let (Link::Connecting { stage, .. }, Some(agent_leg)) = (&mut self.link, self.agent.media_leg())
        else {
            return;
        };
        *stage = Stage::Bridging;
        out.push(Output::Media(MediaOrder::Bridge { a: self.leg, b: agent_leg }));
    }

    fn bridged(&mut self, result: Result<Answer, MediaError>, now: Timestamp, out: &mut Vec<Output>) {
        match (&self.link, result) {
            (Link::Connecting { agent, .. }, Ok(_)) => {
                let agent = *agent;
                self.link = Link::Joined(Joined {
                    agent,
                    since: now,
                    held: false,
                    muted: false,
                    away_until: None,
                    poll_at: now + QUALITY_EVERY,
                    polled: (None, None),
                });
                out.push(Output::Fact(CallFact::Bridged { interaction: self.interaction, agent }));
            }
            (_, Err(why)) => self.end(EndedBy::System, Some(format!("could not be bridged: {why}")), out),
            // Back together after a softphone was away.
            (_, Ok(_)) => {}
        }
    }

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
