//! An answer: both legs learn what was negotiated, and the offerer's description is written.

use media::control::{Command, LegSetup, Security, Video};
use model::id::LegId;
use model::time::Timestamp;

use super::call::{Leg, OfferedLine, Pending};
use super::offer::relayed;
use super::{Begun, Chance, Job, Machine, Step, Work, codecs, extras, travel};
use crate::request::{Options, Profile, Request};
use crate::sdp::{Crypto, Format, Medium, MediumOut, Relay, Rewrite, Sdp, write};
use crate::wire::Value;

/// An answer whose legs are being set up.
#[derive(Debug)]
pub(super) struct Answering {
    dialogue: u64,
    /// The description for the offerer.
    text: Vec<u8>,
    /// What becomes of each line.
    lines: Vec<Settled>,
    record: bool,
}

/// What was settled for a line.
#[derive(Debug)]
enum Settled {
    /// No media: its legs go.
    Nothing,
    /// By the offerer's leg and the answerer's, in the order of the parties.
    Joined { setups: [(LegId, Box<LegSetup>); 2], answered: Option<(usize, Crypto)> },
}

impl Machine {
    pub(super) fn begin_answer(
        &mut self,
        id: &str,
        request: Request,
        now: Timestamp,
    ) -> Result<Begun, String> {
        let octets = request.sdp.as_deref().ok_or("No SDP body in message")?;
        let from = request.from_tag.as_deref().ok_or("No from-tag in message")?;
        let to = request.to_tag.as_deref().ok_or("No to-tag in message")?;
        let answer = Sdp::read(octets).map_err(|e| e.to_string())?;
        let options = request.options;
        let call = self.calls.get_mut(id).ok_or("Unknown call-id")?;
        call.last_signal = now;
        // Scripts that answer inside a request may have the tags the other way round.
        // A branch that nobody knew answers whatever its offerer offered.
        let branch = call.find_branch(from, request.via_branch.as_deref());
        let known = branch.or_else(|| call.find(from, Some(to))).or_else(|| call.find(to, Some(from)));
        let found = known.or_else(|| call.find_offerer(from));
        let dialogue = found.and_then(|(index, _)| call.dialogues.get_mut(index)).ok_or("Unknown call-id")?;
        let Some(pending) = dialogue.pending.take() else { return Err("Unknown call-id".to_owned()) };
        let by = pending.by;
        let their_tag = if dialogue.parties[by].is(from) { to } else { from };
        dialogue.parties[1 - by].speaks_as(their_tag);
        if let Some(label) = &options.label {
            dialogue.parties[1 - by].label = Some(label.clone());
        }
        dialogue.ends_at = None;
        for (line, offered) in dialogue.lines.iter_mut().zip(&pending.sdp.media) {
            if let Some(leg) = line.legs[by].as_mut().filter(|_| travel::answers_ice(offered, &options)) {
                leg.may_be_checked(&mut *self.chance);
            }
        }
        let mut settled = Vec::new();
        let mut media = Vec::new();
        for (index, medium) in answer.media.iter().enumerate() {
            let legs = dialogue.lines.get(index).and_then(|line| {
                let (ours, theirs) = (line.legs[by].as_ref()?, line.legs[1 - by].as_ref()?);
                Some((ours, theirs))
            });
            let (out, fate) = match (pending.lines.get(index), legs) {
                (Some(OfferedLine::Relayed { profile, formats }), Some(legs)) if medium.is_rtp() => {
                    let line = OneLine {
                        pending: &pending,
                        index,
                        profile: *profile,
                        shown: formats,
                        answer: medium,
                        options: &options,
                        ptime: dialogue.lines.get(index).and_then(|line| line.ptime.clone()),
                        fingerprint: &self.config.fingerprint,
                    };
                    line.settle(legs, &mut *self.chance)
                }
                (Some(OfferedLine::Passed), _) if medium.port != 0 => (MediumOut::Passed, Settled::Nothing),
                _ => (MediumOut::Refused, Settled::Nothing),
            };
            media.push(out);
            settled.push(fate);
        }
        settled.resize_with(dialogue.lines.len().max(settled.len()), || Settled::Nothing);
        let rewrite = Rewrite { options: &options, media, loop_mark: None };
        let text = write(&answer, &rewrite);
        let record = options.record_call || pending.options.record_call;
        dialogue.pending = Some(pending);
        let mut steps = Vec::new();
        for (line, fate) in dialogue.lines.iter().zip(&settled) {
            let Settled::Joined { setups, .. } = fate else { continue };
            for (leg, setup) in setups {
                steps.push(Step::Plane(Command::ConfigureLeg { leg: *leg, setup: setup.clone() }));
            }
            let [(a, _), (b, _)] = setups;
            let plays = line.legs.iter().flatten().any(|leg| leg.sound.is_some());
            if line.joined != Some([*a, *b]) && !plays {
                steps.push(Step::Plane(Command::Bridge { a: *a, b: *b }));
            }
        }
        let answering = Answering { dialogue: dialogue.number, text, lines: settled, record };
        Ok(Begun::Job(steps, Work::Answer(Box::new(answering))))
    }

    pub(super) fn end_answer(
        &mut self,
        job: &Job,
        answering: Answering,
        now: Timestamp,
    ) -> (Value, Vec<Step>) {
        let Answering { dialogue: number, text, lines, record } = answering;
        let Some(call) = self.calls.get_mut(&job.call) else {
            return (Value::error("Unknown call-id"), Vec::new());
        };
        let mut steps = Vec::new();
        let Some(dialogue) = call.dialogue_mut(number) else {
            return (Value::error("Unknown call-id"), Vec::new());
        };
        dialogue.answered = true;
        for (line, fate) in dialogue.lines.iter_mut().zip(lines) {
            match fate {
                Settled::Nothing => {
                    let gone = line.legs.iter_mut().filter_map(Option::take);
                    steps.extend(gone.map(|leg| Step::Try(Command::DeleteLeg { leg: leg.id })));
                    line.joined = None;
                }
                Settled::Joined { setups, answered } => {
                    line.joined = Some([setups[0].0, setups[1].0]);
                    if let Some((side, key)) = answered
                        && let Some(leg) = &mut line.legs[side]
                    {
                        leg.answered = Some(key);
                    }
                    for (id, setup) in setups {
                        if let Some(leg) = line.legs.iter_mut().flatten().find(|leg| leg.id == id) {
                            leg.events = setup.events.or(leg.events.filter(|_| leg.digits_blocked));
                            leg.is_set_up(*setup, now);
                        }
                    }
                }
            }
        }
        // Legs may have changed under a subscriber, or under a recording.
        steps.extend(call.end_copies());
        if let Some(recording) = call.recording {
            steps.extend(extras::taps(recording.id, call.first_pair()).into_iter().map(as_try));
        } else if record
            && call.recording.is_none()
            && let Ok((recording, more)) = extras::recording(call, &self.config, &mut *self.chance, now)
        {
            // A recording that cannot begin is no reason to fail the call; the plane tells why.
            call.recording = Some(recording);
            steps.extend(more.into_iter().map(as_try));
        }
        (Value::dict().with("sdp", Value::Text(text)).with("result", "ok"), steps)
    }
}

fn as_try(step: Step) -> Step {
    match step {
        Step::Plane(command) => Step::Try(command),
        other => other,
    }
}

/// A line of an answer with all that belongs to it.
struct OneLine<'a> {
    pending: &'a Pending,
    index: usize,
    profile: Profile,
    shown: &'a [Format],
    answer: &'a Medium,
    options: &'a Options,
    /// The packet time that was said last.
    ptime: Option<String>,
    /// Ours.
    fingerprint: &'a str,
}

impl OneLine<'_> {
    /// `legs`: towards the offerer and the answerer.
    fn settle(&self, legs: (&Leg, &Leg), chance: &mut dyn Chance) -> (MediumOut, Settled) {
        self.try_settle(legs, chance).unwrap_or((MediumOut::Refused, Settled::Nothing))
    }

    fn try_settle(&self, legs: (&Leg, &Leg), chance: &mut dyn Chance) -> Option<(MediumOut, Settled)> {
        let Self { pending, answer, .. } = self;
        let offer = pending.sdp.media.get(self.index)?;
        let agreed = codecs::agree(offer, self.shown, answer, &pending.options, self.options)?;
        let theirs = travel::of_answerer(legs.1, answer, self.profile, &pending.options)?;
        let learns = travel::remote(offer, &pending.options).2;
        let (ours, key) = travel::of_offerer(legs.0, offer, self.options, learns, chance)?;
        let way = answer.direction();
        // As with rtpengine nobody caps it.
        let video = agreed
            .is_video(offer)
            .then(|| Video { max_bits_per_second: 100_000_000, repairs: agreed.repairs.clone() });
        let by_keys = |security: &Security| !matches!(security, Security::DtlsAlone { .. });
        let to_answerer = {
            let (remote, remote_rtcp, latching) = travel::remote(answer, self.options);
            LegSetup {
                remote,
                remote_rtcp,
                rtcp_mux: answer.rtcp_mux || is_ice(&theirs),
                send: agreed.to_answerer,
                receive: agreed.from_answerer.clone(),
                passed: agreed.passed_answerer.clone(),
                comfort_noise: agreed.noise.map(|[_, theirs]| theirs),
                shape: agreed.shape[1],
                video: video.clone(),
                events: agreed.answerer_events.filter(|_| !legs.1.digits_blocked),
                checks: travel::checks(legs.1, answer)
                    .filter(|_| by_keys(&theirs) && travel::offers_ice(offer, &pending.options)),
                security: theirs,
                direction: travel::direction(way.mirrored()),
                latching,
                ..LegSetup::default()
            }
        };
        let rtcp_mux = is_ice(&ours) || self.mux_for_offerer(offer);
        let answers = by_keys(&ours) && travel::answers_ice(offer, self.options);
        let to_offerer = {
            let (remote, remote_rtcp, latching) = travel::remote(offer, &pending.options);
            LegSetup {
                remote,
                remote_rtcp,
                rtcp_mux,
                send: agreed.to_offerer,
                receive: agreed.from_offerer.clone(),
                passed: agreed.passed_offerer.clone(),
                comfort_noise: agreed.noise.map(|[ours, _]| ours),
                shape: agreed.shape[0],
                video: video.clone(),
                events: agreed.offerer_events.filter(|_| !legs.0.digits_blocked),
                checks: travel::checks(legs.0, offer).filter(|_| answers),
                security: ours,
                direction: travel::direction(way),
                latching,
                ..LegSetup::default()
            }
        };
        let mut relay: Relay = relayed(legs.0, answer, &offer.protocol, self.options);
        relay.formats = agreed.listed;
        relay.rtcp_mux = rtcp_mux;
        if answers && !is_ice(&to_offerer.security) {
            relay.ice = travel::own_ice(legs.0, rtcp_mux);
        }
        relay.crypto = key.iter().map(Crypto::line).collect();
        if let Security::Dtls { active, .. } | Security::DtlsAlone { active, .. } = &to_offerer.security {
            let setup = if *active { "active" } else { "passive" };
            relay.dtls = Some((setup.to_owned(), self.fingerprint.to_owned()));
        }
        let asked = self.options.ptime.or(pending.options.ptime_reverse).map(|ms| ms.to_string());
        relay.ptime = asked.or_else(|| answer.ptime.clone()).or_else(|| self.ptime.clone());
        relay.mid = offer.mid.clone();
        let by = pending.by;
        let mut setups = [(legs.0.id, Box::new(to_offerer)), (legs.1.id, Box::new(to_answerer))];
        if by == 1 {
            setups.reverse();
        }
        let settled = Settled::Joined { setups, answered: key.map(|key| (by, key)) };
        Some((MediumOut::Relayed(Box::new(relay)), settled))
    }

    fn mux_for_offerer(&self, offer: &Medium) -> bool {
        let (first, second) = (&self.pending.options.mux, &self.options.mux);
        let wished = first.demux || first.accept || second.accept || self.answer.rtcp_mux;
        offer.rtcp_mux && wished && !first.reject && !second.reject
    }
}

/// On the shared port there is no other for RTCP.
const fn is_ice(security: &Security) -> bool {
    matches!(security, Security::Dtls { .. })
}
