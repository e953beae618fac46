//! Copies of what parties say, for recorders and listeners: subscribe, its answer, and unsubscribe. SIPREC works by these.
//!
//! Each medium that is subscribed to has a leg of its own towards the subscriber. It sends and hears nobody, so the call does not
//! notice it: parties go on when a subscriber is gone, and what a subscriber sends is dropped.

use media::control::{Command, Direction, Format as PlaneFormat, LegSetup, Source, Transport};
use model::id::LegId;
use model::time::Timestamp;

use super::call::{Call, Leg, Party};
use super::offer::relayed;
use super::{Begun, Job, Machine, Step, Work, chance, travel};
use crate::request::{Options, Profile, Request};
use crate::sdp::{Crypto, Format, MediumOut, Relay, Rewrite, Sdp, write};
use crate::wire::Value;

/// Subscribers of one call.
pub(super) const SUBSCRIPTIONS_MAX: usize = 16;
/// Media of one subscription.
const LINES_MAX: usize = 16;

/// Somebody who gets copies.
#[derive(Debug)]
pub(super) struct Subscription {
    /// The subscriber's tag.
    pub tag: String,
    pub lines: Vec<Copied>,
    /// How it was offered.
    options: Options,
}

/// One medium of a party, on its way to a subscriber.
#[derive(Debug)]
pub(super) struct Copied {
    /// The leg whose words are copied.
    pub source: LegId,
    /// Whose words they are.
    pub speaker: String,
    pub label: Option<String>,
    /// Which medium of the speaker's, from one.
    pub index: usize,
    /// Which ways the speaker's medium goes.
    pub mode: &'static str,
    pub leg: Leg,
    pub formats: Vec<Format>,
    profile: Profile,
}

/// A subscription whose legs are being made.
#[derive(Debug)]
pub(super) struct Subscribing {
    tag: String,
    options: Options,
    profile: Profile,
    wanted: Vec<Wanted>,
    session: u64,
}

#[derive(Debug)]
struct Wanted {
    source: LegId,
    speaker: String,
    label: Option<String>,
    index: usize,
    mode: &'static str,
    formats: Vec<Format>,
    leg: LegId,
    transport: Transport,
}

/// What the plane did with a subscriber's answer.
#[derive(Debug)]
pub(super) struct Subscribed {
    tag: String,
    setups: Vec<(LegId, Box<LegSetup>)>,
    gone: Vec<LegId>,
}

impl Machine {
    pub(super) fn begin_subscribe(
        &mut self,
        id: &str,
        request: Request,
        now: Timestamp,
    ) -> Result<Begun, String> {
        let from_tags: Vec<String> = match request.body.get("from-tags") {
            Some(tags) => tags.words(),
            None => request.from_tag.iter().cloned().collect(),
        };
        let label = request.options.label.clone();
        let options = request.options;
        let profile = options.profile.unwrap_or(Profile::Avp);
        if travel::is_by_dtls(profile, &options) {
            return Err("Subscribers get RTP or SRTP with SDES keys from this node".to_owned());
        }
        let tag = match request.to_tag {
            Some(tag) => tag,
            None => {
                let mut random = [0; 32];
                self.chance.fill(&mut random);
                random.iter().map(|octet| format!("{octet:02x}")).collect()
            }
        };
        let call = self.calls.get_mut(id).ok_or("Unknown call-ID")?;
        call.last_signal = now;
        let parties = || call.dialogues.iter().flat_map(|dialogue| &dialogue.parties);
        if let Some(from) = from_tags.iter().find(|from| !parties().any(|party| party.is(from))) {
            tracing::debug!(tag = from, "NG: a subscription to nobody");
            return Err("From-tag given, but no such tag exists".to_owned());
        }
        let others = call.subscriptions.iter().filter(|one| one.tag != tag).count();
        if others >= SUBSCRIPTIONS_MAX {
            return Err("Too many subscriptions for this call".to_owned());
        }
        let is_meant = |party: &Party| {
            options.all
                || from_tags.iter().any(|tag| party.is(tag))
                || from_tags.is_empty() && label.is_some() && party.label == label
        };
        let mut wanted = Vec::new();
        let mut steps = Vec::new();
        for dialogue in &call.dialogues {
            for (side, party) in dialogue.parties.iter().enumerate() {
                if !is_meant(party) {
                    continue;
                }
                for (index, line) in dialogue.lines.iter().enumerate().filter(|(_, line)| line.is_audio()) {
                    let Some(leg) = line.legs[side].as_ref() else { continue };
                    let Some(setup) = leg.setup.as_ref() else { continue };
                    let formats = spoken(setup);
                    if formats.is_empty() || wanted.len() >= LINES_MAX {
                        continue;
                    }
                    let name = options.interfaces.first().map(String::as_str);
                    let ipv6 = options.ipv6.unwrap_or(leg.created.rtp.is_ipv6());
                    let transport = travel::ports(&self.config.interfaces, name, ipv6)?;
                    let new: LegId = chance::id(&mut *self.chance, now);
                    steps.push(Step::Plane(Command::CreateLeg { leg: new, transport, near: Some(leg.id) }));
                    wanted.push(Wanted {
                        source: leg.id,
                        speaker: party.tag.clone().unwrap_or_default(),
                        label: party.label.clone(),
                        index: index + 1,
                        mode: mode(setup.direction),
                        formats,
                        leg: new,
                        transport,
                    });
                }
            }
        }
        if wanted.is_empty() {
            return Err("No monologues matched".to_owned());
        }
        let session = self.number();
        let subscribing = Subscribing { tag, options, profile, wanted, session };
        Ok(Begun::Job(steps, Work::Subscribe(Box::new(subscribing))))
    }

    pub(super) fn end_subscribe(&mut self, job: &mut Job, work: Subscribing) -> (Value, Vec<Step>) {
        let Subscribing { tag, options, profile, wanted, session } = work;
        let made: Vec<_> = job.made.drain(..).collect();
        let Some(call) = self.calls.get_mut(&job.call) else {
            let gone = made.into_iter().map(|(leg, _)| Step::Try(Command::DeleteLeg { leg })).collect();
            return (Value::error("Unknown call-id"), gone);
        };
        let mut lines = Vec::new();
        for (wanted, (_, created)) in wanted.into_iter().zip(made) {
            let Wanted { source, speaker, label, index, mode, formats, leg, transport } = wanted;
            let keys = travel::keys(&mut *self.chance);
            let leg = Leg::new(leg, transport, created, keys);
            lines.push(Copied { source, speaker, label, index, mode, leg, formats, profile });
        }
        let before = call.subscriptions.iter().position(|one| one.tag == tag);
        let old = before.map(|place| call.subscriptions.swap_remove(place));
        let gone = old.iter().flat_map(Subscription::deletions).collect();
        let text = description(&lines, &options, session);
        let mut value = told(&lines, options.siprec).with("to-tag", tag.as_str()).with("result", "ok");
        value = value.with("sdp", Value::Text(text));
        call.subscriptions.push(Subscription { tag, lines, options });
        (value, gone)
    }

    pub(super) fn begin_subscribed(
        &mut self,
        id: &str,
        request: &Request,
        now: Timestamp,
    ) -> Result<Begun, String> {
        let octets = request.sdp.as_deref().ok_or("No SDP body in message")?;
        let tag = request.to_tag.as_deref().ok_or("No to-tag in message")?;
        let answer = Sdp::read(octets).map_err(|e| e.to_string())?;
        let call = self.calls.get_mut(id).ok_or("Unknown call-ID")?;
        call.last_signal = now;
        let subscription = call.subscriptions.iter().find(|one| one.tag == tag).ok_or("To-tag not found")?;
        let (mut steps, mut setups, mut gone) = (Vec::new(), Vec::new(), Vec::new());
        if answer.media.len() > subscription.lines.len() {
            return Err("Failed to process subscription answer".to_owned());
        }
        for (place, line) in subscription.lines.iter().enumerate() {
            let medium = answer.media.get(place).filter(|medium| medium.is_rtp());
            let setup = medium.and_then(|medium| {
                let chosen = medium
                    .formats
                    .iter()
                    .find(|format| format.codec().is_some() && format.twin(&line.formats).is_some())?;
                let security = travel::of_answerer(&line.leg, medium, line.profile, &subscription.options)?;
                let (remote, remote_rtcp, latching) = travel::remote(medium, &request.options);
                let events = medium.formats.iter().find(|format| format.is_events());
                Some(LegSetup {
                    remote,
                    remote_rtcp,
                    rtcp_mux: medium.rtcp_mux,
                    send: Some(PlaneFormat {
                        payload_type: chosen.payload_type,
                        codec: chosen.codec()?,
                        ptime_ms: 20,
                    }),
                    events: events.map(|events| media::control::EventFormat {
                        payload_type: events.payload_type,
                        clock_hz: events.clock_hz,
                    }),
                    security,
                    direction: if medium.direction().sends_receives().1 {
                        Direction::SendOnly
                    } else {
                        Direction::Inactive
                    },
                    latching,
                    ..LegSetup::default()
                })
            });
            let leg = line.leg.id;
            match setup {
                Some(setup) => {
                    steps.push(Step::Plane(Command::ConfigureLeg { leg, setup: Box::new(setup.clone()) }));
                    steps.push(Step::Plane(Command::Hear { leg, source: Source::Leg(line.source) }));
                    setups.push((leg, Box::new(setup)));
                }
                None => gone.push(leg),
            }
        }
        let work = Subscribed { tag: tag.to_owned(), setups, gone };
        Ok(Begun::Job(steps, Work::Subscribed(work)))
    }

    pub(super) fn end_subscribed(
        &mut self,
        job: &Job,
        work: Subscribed,
        now: Timestamp,
    ) -> (Value, Vec<Step>) {
        let Subscribed { tag, setups, gone } = work;
        let found = self.calls.get_mut(&job.call);
        let found = found.and_then(|call| call.subscriptions.iter_mut().find(|one| one.tag == tag));
        let Some(subscription) = found else { return (Value::error("To-tag not found"), Vec::new()) };
        for (id, setup) in setups {
            if let Some(line) = subscription.lines.iter_mut().find(|line| line.leg.id == id) {
                line.leg.is_set_up(*setup, now);
            }
        }
        subscription.lines.retain(|line| !gone.contains(&line.leg.id));
        (Value::ok(), gone.into_iter().map(|leg| Step::Try(Command::DeleteLeg { leg })).collect())
    }

    pub(super) fn begin_unsubscribe(&mut self, id: &str, request: &Request) -> Result<Begun, String> {
        let tag = request.to_tag.as_deref().ok_or("No to-tag in message")?;
        let call = self.calls.get_mut(id).ok_or("Unknown call-ID")?;
        // Ended twice is as good as once, as with rtpengine.
        let Some(place) = call.subscriptions.iter().position(|one| one.tag == tag) else {
            return Ok(Begun::Reply(Value::ok()));
        };
        let steps = call.subscriptions.swap_remove(place).deletions().collect();
        Ok(Begun::Job(steps, Work::Reply(Value::ok())))
    }
}

impl Subscription {
    /// What ends it.
    pub fn deletions(&self) -> impl Iterator<Item = Step> {
        self.lines.iter().map(|line| Step::Try(Command::DeleteLeg { leg: line.leg.id }))
    }
}

impl Call {
    /// Ends copies whose speakers are gone.
    pub(super) fn end_copies(&mut self) -> Vec<Step> {
        let legs: Vec<LegId> =
            self.dialogues.iter().flat_map(|dialogue| dialogue.legs()).map(|leg| leg.id).collect();
        let mut steps = Vec::new();
        for subscription in &mut self.subscriptions {
            subscription.lines.retain(|line| {
                let lives = legs.contains(&line.source);
                if !lives {
                    steps.push(Step::Try(Command::DeleteLeg { leg: line.leg.id }));
                }
                lives
            });
        }
        self.subscriptions.retain(|subscription| !subscription.lines.is_empty());
        steps
    }
}

/// Whose words are copied, in rtpengine's shape; with the labels of the media for SIPREC.
fn told(lines: &[Copied], siprec: bool) -> Value {
    let mut speakers: Vec<&str> = lines.iter().map(|line| line.speaker.as_str()).collect();
    speakers.dedup();
    let mut value = Value::dict();
    if siprec {
        let medium = |line: &Copied| {
            let medium = Value::dict().with("index", line.index as u64).with("type", "audio");
            medium.with("mode", line.mode)
        };
        let mut tag_medias: Vec<Value> = Vec::new();
        let mut labels = Value::dict();
        for speaker in &speakers {
            let own = || lines.iter().enumerate().filter(|(_, line)| line.speaker == *speaker);
            let medias: Vec<Value> =
                own().map(|(number, line)| medium(line).with("label", number.to_string())).collect();
            let mut entry = Value::dict().with("tag", *speaker);
            if let Some(label) = own().find_map(|(_, line)| line.label.as_ref()) {
                entry = entry.with("label", label.as_str());
            }
            tag_medias.push(entry.with("medias", medias));
            for (number, line) in own() {
                let mut entry = medium(line).with("tag", *speaker);
                if let Some(label) = &line.label {
                    entry = entry.with("label", label.as_str());
                }
                labels = labels.with(number.to_string(), entry);
            }
        }
        value = value.with("tag-medias", tag_medias).with("media-labels", labels);
    }
    if let [speaker] = speakers.as_slice() {
        value = value.with("from-tag", *speaker);
    }
    let from_tags: Vec<Value> = speakers.iter().map(|speaker| Value::from(*speaker)).collect();
    value.with("from-tags", from_tags)
}

/// What a party sends, of what we understand, by its payload types.
fn spoken(setup: &LegSetup) -> Vec<Format> {
    let mut formats: Vec<Format> =
        setup.receive.iter().map(|format| Format::of(format.codec, format.payload_type)).collect();
    if !formats.is_empty() {
        formats.extend(setup.events.map(|events| {
            let format = Format::events(events.payload_type, events.clock_hz);
            Format { lines: Vec::new(), ..format }
        }));
    }
    formats
}

/// A direction as the party sees it.
const fn mode(ours: Direction) -> &'static str {
    match ours {
        Direction::SendRecv => "sendrecv",
        Direction::SendOnly => "recvonly",
        Direction::RecvOnly => "sendonly",
        Direction::Inactive => "inactive",
    }
}

/// The offer for a subscriber.
fn description(lines: &[Copied], options: &Options, session: u64) -> Vec<u8> {
    let Some(first) = lines.first() else { return Vec::new() };
    let ip = first.leg.created.rtp.ip();
    let address = crate::sdp::in_words(ip);
    let mut text = format!("v=0\r\no=- {session} 1 {address}\r\ns=-\r\nt=0 0\r\n");
    for (number, line) in lines.iter().enumerate() {
        let types: Vec<String> = line.formats.iter().map(|format| format.payload_type.to_string()).collect();
        text.push_str(&format!("m=audio 9 {} {}\r\nc={address}\r\n", line.profile.name(), types.join(" ")));
        if options.siprec {
            text.push_str(&format!("a=label:{number}\r\n"));
        }
    }
    let Ok(sdp) = Sdp::read(text.as_bytes()) else { return Vec::new() };
    let media = sdp.media.iter().zip(lines).map(|(medium, line)| {
        let mut relay: Relay = relayed(&line.leg, medium, line.profile.name(), options);
        relay.formats.clone_from(&line.formats);
        relay.way = Some(crate::sdp::Way::SendOnly);
        if line.profile.is_secure() {
            relay.crypto = travel::offered(&line.leg, options).iter().map(Crypto::line).collect();
        }
        MediumOut::Relayed(Box::new(relay))
    });
    let media = media.collect();
    write(&sdp, &Rewrite { options, media, loop_mark: None })
}
