//! An offer: legs towards both parties, and the description for the one that is to answer.

use media::control::{Command, Transport};
use model::id::LegId;
use model::time::Timestamp;

use super::call::{BRANCHES_MAX, DIALOGUES_MAX, Dialogue, Leg, Line, OfferedLine, Party, Pending};
use super::{Begun, Job, Machine, Step, Work, chance, codecs, travel};
use crate::request::{Options, Profile, Request};
use crate::sdp::{Format, IceLines, Medium, MediumOut, Relay, Rewrite, Sdp, write};
use crate::wire::Value;

/// An offer whose legs are being made.
#[derive(Debug)]
pub(super) struct Offering {
    dialogue: Option<u64>,
    by: usize,
    from: String,
    to: Option<String>,
    branch: Option<String>,
    sdp: Sdp,
    options: Options,
    lines: Vec<OfferedLine>,
    /// Legs that are made: of which line, towards which party.
    makes: Vec<(usize, usize, LegId, Transport)>,
}

impl Machine {
    pub(super) fn begin_offer(
        &mut self,
        id: &str,
        request: Request,
        now: Timestamp,
    ) -> Result<Begun, String> {
        let octets = request.sdp.as_deref().ok_or("No SDP body in message")?;
        let from = request.from_tag.clone().ok_or("No from-tag in message")?;
        let sdp = Sdp::read(octets).map_err(|e| e.to_string())?;
        let options = request.options;
        if options.loop_protect && sdp.attribute("rtpengine").is_some() {
            return Ok(Begun::Reply(Value::ok().with("sdp", Value::Text(octets.to_vec()))));
        }
        let call = self.calls.get_mut(id).ok_or("Unknown call-id")?;
        call.last_signal = now;
        let mut lines = Vec::new();
        let mut needs = Vec::new();
        let mut why = None;
        for medium in &sdp.media {
            let plan = plan(medium, &options, &self.config.interfaces).unwrap_or_else(|reason| {
                why = Some(reason);
                None
            });
            if let Some((profile, formats, transports)) = plan {
                lines.push(OfferedLine::Relayed { profile, formats });
                needs.push(Some(transports));
            } else {
                let passed =
                    medium.port != 0 && medium.profile.is_none() && medium.protocol.starts_with("TCP");
                lines.push(if passed { OfferedLine::Passed } else { OfferedLine::Refused });
                needs.push(None);
            }
        }
        let (to, branch) = (request.to_tag.as_deref(), request.via_branch.as_deref());
        let found = call
            .find_branch(&from, branch)
            .or_else(|| call.find(&from, to))
            .filter(|(index, side)| !parts_ways(&call.dialogues[*index], 1 - side, to, branch));
        if found.is_none() && call.dialogues.len() >= DIALOGUES_MAX {
            return Err("Parallel session limit reached".to_owned());
        }
        let by = found.map_or(0, |(_, side)| side);
        let dialogue = found.and_then(|(index, _)| call.dialogues.get(index));
        let mut wanted = Vec::new();
        for (index, [here, there]) in needs.iter().enumerate().filter_map(|(i, need)| Some((i, (*need)?))) {
            for (side, transport) in [(by, here), (1 - by, there)] {
                let leg = dialogue.and_then(|dialogue| dialogue.lines.get(index)?.legs[side].as_ref());
                if !leg.is_some_and(|leg| travel::is_same_kind(leg.transport, transport)) {
                    wanted.push((index, side, transport));
                }
            }
        }
        let alive = sdp.media.iter().any(|medium| medium.port != 0);
        if alive && lines.iter().all(|line| matches!(line, OfferedLine::Refused)) {
            return Err(
                why.unwrap_or_else(|| "No medium of the offer can be carried by this node".to_owned())
            );
        }
        let number = dialogue.map(|dialogue| dialogue.number);
        let mut near = dialogue.and_then(|dialogue| dialogue.legs().next()).map(|leg| leg.id);
        let (mut steps, mut makes) = (Vec::new(), Vec::new());
        for (index, side, transport) in wanted {
            let leg: LegId = chance::id(&mut *self.chance, now);
            steps.push(Step::Plane(Command::CreateLeg { leg, transport, near }));
            near = near.or(Some(leg));
            makes.push((index, side, leg, transport));
        }
        let offering = Offering {
            dialogue: number,
            by,
            from,
            to: request.to_tag,
            branch: request.via_branch,
            sdp,
            options,
            lines,
            makes,
        };
        Ok(Begun::Job(steps, Work::Offer(Box::new(offering))))
    }

    pub(super) fn end_offer(
        &mut self,
        job: &mut Job,
        offering: Offering,
        now: Timestamp,
    ) -> (Value, Vec<Step>) {
        let Offering { dialogue, by, from, to, branch, sdp, options, lines, makes } = offering;
        let fresh = self.number();
        let Some(call) = self.calls.get_mut(&job.call) else {
            let gone = job.made.drain(..).map(|(leg, _)| Step::Try(Command::DeleteLeg { leg })).collect();
            return (Value::error("Unknown call-id"), gone);
        };
        let number = dialogue.filter(|number| call.dialogue(*number).is_some()).unwrap_or_else(|| {
            // A call has one, but where it forks; room for more would be a fifth of its memory.
            call.dialogues.reserve_exact(1);
            call.dialogues.push(Dialogue {
                number: fresh,
                created: now,
                parties: [Party::default(), Party::default()],
                lines: Vec::new(),
                pending: None,
                answered: false,
                ends_at: None,
            });
            self.totals.began += u64::from(call.dialogues.len() == 1);
            fresh
        });
        let Some(dialogue) = call.dialogue_mut(number) else {
            return (Value::error("Unknown call-id"), Vec::new());
        };
        // A call that is signalled again lives on, as with rtpengine.
        dialogue.ends_at = None;
        dialogue.parties[by].speaks_as(&from);
        dialogue.parties[by].label = options.label.clone().or(dialogue.parties[by].label.take());
        let other = &mut dialogue.parties[1 - by];
        if let Some(to) = to.filter(|_| other.tag.is_none()) {
            other.tag = Some(to);
        }
        if let Some(branch) = branch
            && !other.branches.contains(&branch)
            && other.branches.len() < BRANCHES_MAX
        {
            other.branches.push(branch);
        }
        dialogue.lines.resize_with(dialogue.lines.len().max(sdp.media.len()), Line::default);
        let mut gone = Vec::new();
        for ((index, side, leg, transport), (_, created)) in makes.into_iter().zip(job.made.drain(..)) {
            let Some(line) = dialogue.lines.get_mut(index) else { continue };
            let keys = travel::keys(&mut *self.chance);
            if let Some(old) = line.legs[side].replace(Leg::new(leg, transport, created, keys)) {
                gone.push(Step::Try(Command::DeleteLeg { leg: old.id }));
                line.joined = None;
            }
        }
        for ((line, medium), fate) in dialogue.lines.iter_mut().zip(&sdp.media).zip(&lines) {
            line.kind.clone_from(&medium.kind);
            line.ptime = medium.ptime.clone().or(line.ptime.take());
            line.protocols[by].clone_from(&medium.protocol);
            if let OfferedLine::Relayed { profile, .. } = fate {
                line.protocols[1 - by] = profile.name().to_owned();
            }
        }
        for (line, medium) in dialogue.lines.iter_mut().zip(&sdp.media) {
            if let Some(leg) = line.legs[1 - by].as_mut().filter(|_| travel::offers_ice(medium, &options)) {
                leg.may_be_checked(&mut *self.chance);
            }
        }
        let media = sdp.media.iter().zip(&lines).enumerate().map(|(index, (medium, fate))| {
            let line = dialogue.lines.get(index);
            match (fate, line.and_then(|line| line.legs[1 - by].as_ref())) {
                (OfferedLine::Relayed { profile, formats }, Some(leg)) => {
                    let by_dtls = leg.transport == Transport::Ice || travel::is_by_dtls(*profile, &options);
                    let mut relay = relayed(leg, medium, profile.name(), &options);
                    relay.formats.clone_from(formats);
                    if profile.is_secure() && !by_dtls {
                        relay.crypto =
                            travel::offered(leg, &options).iter().map(|crypto| crypto.line()).collect();
                    }
                    relay.rtcp_mux =
                        relay.ice.is_some() || options.mux.offer || medium.rtcp_mux && !options.mux.demux;
                    if travel::offers_ice(medium, &options) && !by_dtls {
                        relay.ice = travel::own_ice(leg, false);
                    }
                    relay.dtls = by_dtls.then(|| ("actpass".to_owned(), self.config.fingerprint.clone()));
                    relay.ptime = options.ptime.map(|ms| ms.to_string()).or_else(|| line?.ptime.clone());
                    relay.mid = options.generate_mid.then(|| (index + 1).to_string());
                    MediumOut::Relayed(Box::new(relay))
                }
                (OfferedLine::Passed, _) => MediumOut::Passed,
                _ => MediumOut::Refused,
            }
        });
        let media = media.collect();
        let loop_mark = options.loop_protect.then(|| {
            let mut mark = [0; 6];
            self.chance.fill(&mut mark);
            mark.iter().map(|octet| format!("{octet:02x}")).collect()
        });
        let text = write(&sdp, &Rewrite { options: &options, media, loop_mark });
        dialogue.pending = Some(Pending { by, sdp, options, lines });
        (Value::dict().with("sdp", Value::Text(text)).with("result", "ok"), gone)
    }
}

/// Whether this is another branch of an offer, which has ports of its own like each of its siblings: they may be told to
/// travel differently, and more than one may answer.
fn parts_ways(dialogue: &Dialogue, other: usize, request_to: Option<&str>, branch: Option<&str>) -> bool {
    let party = &dialogue.parties[other];
    let other_branch = branch.is_some_and(|branch| party.branches.iter().all(|known| known != branch));
    other_branch && request_to.is_none() && !party.branches.is_empty()
}

type Plan = Option<(Profile, Vec<Format>, [Transport; 2])>;

/// What becomes of an offered medium: `None` when it does not go through the plane.
fn plan(medium: &Medium, options: &Options, interfaces: &[super::Interface]) -> Result<Plan, String> {
    let Some(own) = medium.profile.filter(|_| medium.is_rtp()) else { return Ok(None) };
    let formats = codecs::offered(&medium.formats, &options.codec);
    if !formats.iter().any(Format::is_main)
        || !codecs::usable(&medium.formats, &options.codec).iter().any(Format::is_main)
    {
        return Err("No codec of the offer can be carried by this node".to_owned());
    }
    let profile = options.profile.unwrap_or(own);
    let name = |place: usize| options.interfaces.get(place).map(String::as_str);
    let here = travel::towards_writer(medium, interfaces, name(0))?;
    let there = travel::towards_other(profile, medium, options, interfaces, name(1))?;
    Ok(Some((profile, formats, [here, there])))
}

/// What a leg's description has in common for offers and answers.
pub(super) fn relayed(leg: &Leg, medium: &Medium, protocol: &str, options: &Options) -> Relay {
    let zero = medium.is_held_by_zeros();
    Relay {
        rtp: leg.created.rtp,
        rtcp: leg.created.rtcp,
        protocol: protocol.to_owned(),
        formats: Vec::new(),
        way: if options.original_sendrecv { medium.way } else { Some(medium.direction()) },
        zero: zero && !options.replace.zero_address,
        rtcp_mux: false,
        crypto: Vec::new(),
        dtls: None,
        ptime: None,
        ice: leg.created.ice.as_ref().map(|ice| IceLines {
            ufrag: ice.ufrag.clone(),
            pwd: ice.pwd.clone(),
            candidates: ice.candidates.clone(),
            rtcp: None,
        }),
        mid: None,
    }
}
