//! Whoever can come from one call into another, with what belongs to them: how they are connected, what they are, what they do.

use model::id::{LegId, UserId};
use model::interaction::EndedBy;
use model::journal::Party;
use model::media::Codec;

use super::agent::{Agent, Phone, SoftphoneHalf};
use super::customer::Pending;
use super::far_end::FarEnd;
use super::figures::{Figures, Tally};
use super::link::EndState;
use super::session::Session;
use super::timer::SessionTimer;
use super::words::{Branch, Heard, MediaOrder, Output, PhoneOrder};

/// Whoever comes from one call into another.
#[derive(Debug)]
pub struct Who {
    /// The colleague; `None`: somebody outside.
    pub(super) agent: Option<UserId>,
    /// What they were in the call they come from.
    pub(super) party: Party,
    pub(super) line: Line,
    pub(super) state: EndState,
    /// The agent who brings them held them.
    pub(super) was_held: bool,
}

/// How they are connected.
#[derive(Debug)]
pub(super) enum Line {
    /// A softphone, which outlives calls.
    Softphone(SoftphoneLine),
    /// A leg of its own, with a dialog.
    Dialog(Box<DialogLine>),
}

/// A softphone's part.
#[derive(Clone, Copy, Debug)]
pub(super) struct SoftphoneLine {
    pub(super) media: LegId,
    /// The part's name.
    pub(super) half: LegId,
    pub(super) codec: Codec,
    pub(super) tally: Tally,
}

/// A SIP phone or a trunk.
#[derive(Debug)]
pub(super) struct DialogLine {
    pub(super) branch: Branch,
    pub(super) leg: LegId,
    pub(super) session: Session,
    pub(super) timer: Option<SessionTimer>,
    /// A phone put its side on hold.
    pub(super) holds: bool,
    pub(super) pending: Option<Pending>,
}

impl Who {
    /// By which they speak and hear.
    pub(super) fn media(&self) -> LegId {
        match &self.line {
            Line::Softphone(soft) => soft.media,
            Line::Dialog(dialog) => dialog.leg,
        }
    }
    /// The name of their half in facts.
    pub(super) fn half(&self) -> LegId {
        match &self.line {
            Line::Softphone(soft) => soft.half,
            Line::Dialog(dialog) => dialog.leg,
        }
    }
    pub(super) fn codec(&self) -> Option<(Codec, bool)> {
        match &self.line {
            Line::Softphone(soft) => Some((soft.codec, true)),
            Line::Dialog(dialog) => Some((dialog.session.codec()?, dialog.session.is_secure())),
        }
    }
    pub(super) fn figures(&self) -> Figures {
        match &self.line {
            Line::Softphone(soft) => Figures::of_softphone(&soft.tally, self.state.holds),
            Line::Dialog(_) => Figures::Own,
        }
    }
    /// The same, when another call has the media plane count anew.
    pub(super) fn figures_so_far(&self) -> Figures {
        match &self.line {
            Line::Softphone(soft) => Figures::of_softphone(&soft.tally, true),
            Line::Dialog(_) => Figures::Own,
        }
    }
    /// What they said before belongs to another call.
    pub(super) fn counted_anew(mut self) -> Self {
        if let Line::Softphone(soft) = &mut self.line {
            soft.tally = Tally::default();
        }
        self
    }
    /// What they are in a call in which they have the agent's place.
    pub(super) fn as_party(&self) -> Party {
        self.agent.map_or(Party::FarEnd, |agent| Party::Agent { agent })
    }
    /// Which side they are said to be when they hang up.
    pub(super) fn side(&self) -> EndedBy {
        match self.party {
            Party::Customer => EndedBy::Customer,
            Party::Agent { .. } | Party::FarEnd => EndedBy::Agent,
        }
    }

    /// In the agent's place.
    pub(super) fn into_seat(self) -> (Agent, EndState) {
        let agent = match (self.line, self.agent) {
            (Line::Softphone(SoftphoneLine { media, half, codec, tally }), _) => {
                Agent::Softphone(Box::new(SoftphoneHalf {
                    ring: None,
                    media,
                    codec,
                    half: Some(half),
                    tally,
                }))
            }
            (Line::Dialog(line), Some(agent)) => Agent::Phone(Box::new(Phone::taken_over(*line, agent))),
            (Line::Dialog(line), None) => {
                let DialogLine { branch, leg, session, timer, pending, .. } = *line;
                Agent::FarEnd(Box::new(FarEnd { branch, leg, session, timer, pending }))
            }
        };
        (agent, self.state)
    }

    /// Out of an agent's place; back as it was, if that is nobody who talks.
    pub(super) fn of_seat(seat: Agent, party: Party, state: EndState) -> Result<Self, (Agent, EndState)> {
        let agent = match party {
            Party::Agent { agent } => Some(agent),
            Party::Customer | Party::FarEnd => None,
        };
        let line = match seat {
            Agent::Softphone(soft) => match soft.half {
                Some(half) => Line::Softphone(SoftphoneLine {
                    media: soft.media,
                    half,
                    codec: soft.codec,
                    tally: soft.tally,
                }),
                None => return Err((Agent::Softphone(soft), state)),
            },
            Agent::Phone(phone) => match phone.into_line() {
                Ok(line) => Line::Dialog(Box::new(line)),
                Err(phone) => return Err((Agent::Phone(phone), state)),
            },
            Agent::FarEnd(far) => {
                let FarEnd { branch, leg, session, timer, pending } = *far;
                Line::Dialog(Box::new(DialogLine { branch, leg, session, timer, holds: false, pending }))
            }
            other @ (Agent::Nobody | Agent::Outside(_) | Agent::Dialled(_)) => return Err((other, state)),
        };
        Ok(Self { agent, party, line, state, was_held: false })
    }

    /// Lets go of their line: what is still to be asked of the media plane. A softphone that is not here is left as it is.
    pub(super) fn let_go(&self, here: bool, out: &mut Vec<Output>) -> MediaOrder {
        match &self.line {
            Line::Softphone(soft) => {
                if here {
                    out.push(Output::Media(MediaOrder::Hear { leg: soft.media, heard: Heard::Nothing }));
                    out.push(Output::Media(MediaOrder::Mute { leg: soft.media, muted: false }));
                }
                MediaOrder::Stats(soft.media)
            }
            Line::Dialog(dialog) => {
                out.push(Output::Phone(dialog.branch, PhoneOrder::End));
                MediaOrder::Delete(dialog.leg)
            }
        }
    }
}
