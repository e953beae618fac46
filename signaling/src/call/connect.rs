//! Bringing customer and agent together: the recording first, then the two tones, then the bridge.

use media::control::{Answer, Channel, MediaError};
use model::call::CallFact;
use model::id::{LegId, RecordingId, UserId};
use model::interaction::EndedBy;
use model::journal::Party;
use model::time::Timestamp;

use super::agent::{Agent, SoftphoneHalf};
use super::figures::Tally;
use super::link::{EndState, Joined, Link, Stage};
use super::words::{Connect, Heard, MediaOrder, Output};
use super::{ANNOUNCEMENT_MAX, Call, QUALITY_EVERY};

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
        let picked = matches!(&self.agent, Agent::Phone(phone) if phone.ready && phone.confirming.is_none() && phone.agent == agent);
        if !picked {
            let ring = match &self.agent {
                Agent::Phone(phone) => phone.ring,
                Agent::Softphone(soft) => soft.ring,
                Agent::Outside(outside) => Some(outside.ring),
                Agent::Nobody => None,
                // Nobody is asked for while a number outside is dialled, or talks.
                Agent::Dialled(_) | Agent::FarEnd(_) => return,
            };
            self.drop_agent(out);
            let Some(soft) = softphone else {
                if let Some(ring) = ring {
                    self.ring_nothing(ring, "the softphone is not connected".to_owned(), out);
                }
                return;
            };
            let (media, tally) = (soft.leg, Tally::default());
            let softphone = SoftphoneHalf { ring, media, codec: soft.codec, half: Some(half), tally };
            self.agent = Agent::Softphone(Box::new(softphone));
            // What it received in earlier calls is not this call's.
            out.push(Output::Media(MediaOrder::Measure(soft.leg)));
            out.push(Output::Media(MediaOrder::Mute { leg: soft.leg, muted: false }));
            out.push(Output::Fact(CallFact::LegAnswered {
                interaction: self.interaction,
                leg: half,
                party: Party::Agent { agent },
                codec: soft.codec,
                secure: true,
            }));
        }
        self.link_with(Party::Agent { agent }, record, announce, now, out);
    }

    /// Brings the customer together with whoever is at the other end.
    pub(super) fn link_with(
        &mut self,
        party: Party,
        record: Option<RecordingId>,
        announce: bool,
        now: Timestamp,
        out: &mut Vec<Output>,
    ) {
        self.end_message(out);
        self.then_hang_up = false;
        self.playing = None;
        self.link = Link::Connecting { party, announce, stage: Stage::Recording };
        match (self.recording, record) {
            (None, Some(recording)) => out.push(Output::Media(MediaOrder::StartRecording(recording))),
            // Passed on: it goes on, whatever it was to be called.
            (Some(recording), Some(_)) => {
                if let Some(leg) = self.agent.media_leg() {
                    let channel = Channel::Right;
                    out.push(Output::Media(MediaOrder::Tap { recording, channel, leg }));
                }
                self.announce_or_bridge(now, out);
            }
            (open, None) => {
                if let Some(recording) = open {
                    self.recording = None;
                    out.push(Output::Media(MediaOrder::StopRecording(recording)));
                }
                self.announce_or_bridge(now, out);
            }
        }
    }

    pub(super) fn recording_answered(
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

    /// A channel that is not captured: the recording goes on, but it is no recording of this call (RECO-04).
    pub(super) fn tap_answered(
        &self,
        recording: RecordingId,
        result: Result<Answer, MediaError>,
        out: &mut Vec<Output>,
    ) {
        if let Err(why) = result {
            let why = format!("one side is not captured: {why}");
            out.push(Output::Fact(CallFact::RecordingFailed {
                interaction: self.interaction,
                recording,
                why,
            }));
        }
    }

    /// Nothing comes from a leg that is captured, or something again (RECO-04).
    pub(super) fn recording_silent(&mut self, leg: LegId, silent: bool, out: &mut Vec<Output>) {
        let (Some(recording), Some(linked)) = (self.recording, self.linked_party()) else { return };
        let (party, before) = if leg == self.leg {
            (Party::Customer, &mut self.unheard.0)
        } else if self.agent.media_leg() == Some(leg) {
            (linked, &mut self.unheard.1)
        } else {
            return;
        };
        // A softphone's trouble is told to all its agent's calls: the end of another recording's is none of this one's.
        if std::mem::replace(before, silent) != silent {
            let interaction = self.interaction;
            out.push(Output::Fact(CallFact::RecordingSilent { interaction, recording, party, silent }));
        }
    }

    /// Card data is read out, or is not any more (RECO-04).
    pub(super) fn pause_recording(&mut self, by: Option<UserId>, paused: bool, out: &mut Vec<Output>) {
        match self.recording {
            Some(recording) => out.push(Output::Media(MediaOrder::PauseRecording { recording, by, paused })),
            None => {
                let (interaction, why) = (self.interaction, "the call is not recorded".to_owned());
                out.push(Output::Fact(CallFact::PauseFailed { interaction, by, paused, why }));
            }
        }
    }

    /// Said only when it is so: an agent who reads "paused" may ask for the card.
    pub(super) fn pause_answered(
        &self,
        (recording, by, paused): (RecordingId, Option<UserId>, bool),
        result: Result<Answer, MediaError>,
        out: &mut Vec<Output>,
    ) {
        let interaction = self.interaction;
        out.push(Output::Fact(match result {
            Ok(_) => CallFact::RecordingPaused { interaction, recording, by, paused },
            Err(why) => CallFact::PauseFailed { interaction, by, paused, why: why.to_string() },
        }));
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

    pub(super) fn bridge(&mut self, out: &mut Vec<Output>) {
        let (Link::Connecting { stage, .. }, Some(agent_leg)) = (&mut self.link, self.agent.media_leg())
        else {
            return;
        };
        *stage = Stage::Bridging;
        out.push(Output::Media(MediaOrder::Bridge { a: self.leg, b: agent_leg }));
    }

    pub(super) fn bridged(
        &mut self,
        result: Result<Answer, MediaError>,
        now: Timestamp,
        out: &mut Vec<Output>,
    ) {
        match (&self.link, result) {
            (Link::Connecting { party, .. }, Ok(_)) => {
                let party = *party;
                self.link = Link::Joined(Joined {
                    party,
                    aside: false,
                    since: now,
                    caller: EndState::default(),
                    called: EndState::default(),
                    poll_at: now + QUALITY_EVERY,
                    polled: (None, None),
                    faults: Default::default(),
                });
                let interaction = self.interaction;
                out.push(Output::Fact(match party {
                    Party::Agent { agent } => CallFact::Bridged { interaction, agent },
                    Party::Customer | Party::FarEnd => CallFact::FarEndBridged { interaction },
                }));
            }
            (_, result) if self.is_taking() => self.seated(result, out),
            (_, Err(why)) => self.end(EndedBy::System, Some(format!("could not be bridged: {why}")), out),
            // Back together after a softphone was away.
            (_, Ok(_)) => {}
        }
    }
}
