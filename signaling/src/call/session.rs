//! One leg's session description through the life of a call: who offered what, what was agreed, where our end is.

use media::control::{Direction, LegCreated, LegSetup, Security};
use model::media::Codec;

use crate::sdp::{Ability, Agreed, KeySeed, LocalSession, Refusal, Sdp, answer, apply_answer, offer};

/// A leg's negotiation.
#[derive(Debug)]
pub struct Session {
    ability: Ability,
    seed: KeySeed,
    local: LocalSession,
    at: Option<LegCreated>,
    /// An answer of ours that waits for the leg's address.
    agreed: Option<Agreed>,
    /// An offer of ours that waits for its answer.
    offered: Option<Sdp>,
    current: Option<LegSetup>,
}

/// A description to send, and what to tell the media plane first; `None`: it knows already.
pub struct Turn {
    /// Our description.
    pub sdp: String,
    /// A setup that differs from the current one.
    pub setup: Option<LegSetup>,
    /// The far end does not want to hear us.
    pub held: bool,
}

impl Session {
    /// Nothing negotiated yet.
    pub fn new(ability: Ability, seed: KeySeed, id: u64) -> Self {
        Self {
            ability,
            seed,
            local: LocalSession::new(id),
            at: None,
            agreed: None,
            offered: None,
            current: None,
        }
    }

    /// Looks at the first offer before a leg is made for it.
    pub fn consider(&mut self, sdp: &str) -> Result<(), Refusal> {
        self.agreed = Some(answer(&Sdp::parse(sdp.as_bytes())?, &self.ability, &self.seed)?);
        Ok(())
    }

    /// Whether an offer was considered and waits for the leg.
    pub fn has_considered(&self) -> bool {
        self.agreed.is_some()
    }

    /// The leg is there: our answer to the considered offer.
    pub fn answer_at(&mut self, at: LegCreated) -> Result<Turn, Refusal> {
        self.at = Some(at);
        let agreed = self.agreed.take().ok_or(Refusal::Ours("nothing was offered"))?;
        self.turn(&agreed)
    }

    /// The leg is there: our own offer.
    pub fn offer_at(&mut self, at: LegCreated) -> Result<String, Refusal> {
        self.at = Some(at);
        self.offer_again()
    }

    /// Our offer in a running session.
    pub fn offer_again(&mut self) -> Result<String, Refusal> {
        let at = self.at.as_ref().ok_or(Refusal::Ours("there is no leg"))?;
        let sdp = offer(&self.ability, at, &self.seed, &mut self.local)?;
        let text = sdp.to_string();
        self.offered = Some(sdp);
        Ok(text)
    }

    /// What the answer to our offer says: the new setup, unless nothing changed, and whether we are held.
    pub fn apply(&mut self, sdp: &str) -> Result<(Option<LegSetup>, bool), Refusal> {
        let offered = self.offered.take().ok_or(Refusal::Ours("nothing was offered"))?;
        let settled = apply_answer(&offered, &Sdp::parse(sdp.as_bytes())?, &self.ability, &self.seed)?;
        Ok((self.changed(settled.setup), settled.held))
    }

    /// What a description that came before the answer says (RFC 3960): our offer goes on waiting for the answer proper.
    pub fn apply_early(&mut self, sdp: &str) -> Result<Option<LegSetup>, Refusal> {
        let offered = self.offered.clone();
        let applied = self.apply(sdp);
        self.offered = offered;
        applied.map(|(setup, _)| setup)
    }

    /// Whether an offer of ours waits for its answer.
    pub fn awaits_answer(&self) -> bool {
        self.offered.is_some()
    }

    /// Answers an offer in a running session. On refusal nothing changes (RFC 3264 §8).
    pub fn renegotiate(&mut self, sdp: &str) -> Result<Turn, Refusal> {
        let agreed = answer(&Sdp::parse(sdp.as_bytes())?, &self.ability, &self.seed)?;
        self.turn(&agreed)
    }

    /// What is spoken.
    pub fn codec(&self) -> Option<Codec> {
        self.current.as_ref()?.send.map(|send| send.codec)
    }
    /// Whether media is encrypted.
    pub fn is_secure(&self) -> bool {
        self.current.as_ref().is_some_and(|s| s.security != Security::None)
    }
    /// Whether the far end should be sending audio. One that holds us by `sendonly` may send music and need not: most
    /// phones send nothing then.
    pub fn expects_audio(&self) -> bool {
        self.direction() == Some(Direction::SendRecv)
    }
    /// The direction agreed last.
    pub fn direction(&self) -> Option<Direction> {
        self.current.as_ref().map(|s| s.direction)
    }

    fn turn(&mut self, agreed: &Agreed) -> Result<Turn, Refusal> {
        let at = self.at.as_ref().ok_or(Refusal::Ours("there is no leg"))?;
        let sdp = agreed.sdp(at, &mut self.local)?.to_string();
        let setup = self.changed(agreed.settled.setup.clone());
        Ok(Turn { sdp, setup, held: agreed.settled.held })
    }

    fn changed(&mut self, setup: LegSetup) -> Option<LegSetup> {
        if self.current.as_ref() == Some(&setup) {
            return None;
        }
        self.current = Some(setup.clone());
        Some(setup)
    }
}

#[cfg(test)]
mod tests {
    use media::control::LegCreated;
    use model::service::SrtpPolicy;

    use super::*;
    use crate::call::fixture::sdp;

    /// Most phones send nothing while they hold, whatever `sendonly` would allow: that must not look like a lost phone.
    #[test]
    fn silence_is_a_fault_only_of_a_far_end_that_talks_both_ways() {
        let mut session = Session::new(Ability::sip(SrtpPolicy::Accept), KeySeed::new([1; 32]), 1);
        session.consider(&sdp("192.0.2.9", "sendrecv", 1)).unwrap();
        let [rtp, rtcp] = ["192.0.2.1:30000", "192.0.2.1:30001"].map(|at| at.parse().unwrap());
        assert!(!session.answer_at(LegCreated { rtp, rtcp, ice: None }).unwrap().held);
        assert!(session.expects_audio());
        for (version, (direction, held)) in
            (2..).zip([("sendonly", true), ("inactive", true), ("sendrecv", false)])
        {
            let turn = session.renegotiate(&sdp("192.0.2.9", direction, version)).unwrap();
            assert_eq!((turn.held, session.expects_audio()), (held, !held), "{direction}");
        }
    }
}
