//! Sounds, digits, blocking and recording: what a proxy may do with a call that is up.

use std::sync::Arc;
use std::time::Duration;

use media::control::{Channel, Command, PauseReason, Source};
use model::id::{LegId, RecordingId};
use model::time::Timestamp;

use super::call::{Call, Dialogue, Leg, Recording, Sound};
use super::{Begun, Chance, Config, Job, Machine, SoundSource, Step, Work, chance};
use crate::request::Request;
use crate::wire::Value;

/// A sound repeated more often than this is repeated until it is stopped.
const REPEATS_MAX: i64 = 1_000;
/// Digits of one `play DTMF`.
const DIGITS_MAX: usize = 64;
/// Octets of a file's name.
const FILE_NAME_MAX: usize = 1_024;

/// A sound that is being loaded for these legs.
#[derive(Debug)]
pub(super) struct Playing {
    legs: Vec<LegId>,
    times: i64,
}

/// A recording that began or ended.
#[derive(Debug)]
pub(super) enum Recorded {
    Begun(Recording),
    Paused(bool),
    Ended,
}

impl Machine {
    /// Legs that carry voices towards the parties that a request means, on lines that are up.
    fn meant(&self, id: &str, request: &Request) -> Result<Vec<LegId>, String> {
        self.meant_of(id, request, |dialogue, side| dialogue.voices_of(side).collect())
    }

    fn meant_of(
        &self,
        id: &str,
        request: &Request,
        legs_of: impl Fn(&Dialogue, usize) -> Vec<&Leg>,
    ) -> Result<Vec<LegId>, String> {
        let call = self.calls.get(id).ok_or("Unknown call-id")?;
        let mut legs = Vec::new();
        let label = request.options.label.as_deref();
        for dialogue in &call.dialogues {
            for (side, party) in dialogue.parties.iter().enumerate() {
                let meant = match (&request.from_tag, label) {
                    _ if request.options.all => true,
                    (Some(tag), _) => party.is(tag),
                    (None, Some(label)) => party.label.as_deref() == Some(label),
                    (None, None) => request.text("address").is_none(),
                };
                if meant {
                    let up = legs_of(dialogue, side).into_iter().filter(|leg| leg.setup.is_some());
                    legs.extend(up.map(|leg| leg.id));
                }
            }
        }
        if legs.is_empty() {
            Err("No matching call participant with media found".to_owned())
        } else {
            Ok(legs)
        }
    }

    pub(super) fn begin_block_media(&self, id: &str, request: &Request, on: bool) -> Result<Begun, String> {
        let legs = self.meant_of(id, request, |dialogue, side| dialogue.legs_of(side).collect())?;
        let steps = legs.into_iter().map(|leg| Step::Plane(Command::Mute { leg, muted: on })).collect();
        Ok(Begun::Job(steps, Work::Reply(Value::ok())))
    }

    /// A leg without telephone events drops those that come.
    pub(super) fn begin_block_digits(
        &mut self,
        id: &str,
        request: &Request,
        on: bool,
    ) -> Result<Begun, String> {
        let meant = self.meant(id, request)?;
        let call = self.calls.get_mut(id).ok_or("Unknown call-id")?;
        let mut steps = Vec::new();
        for dialogue in &mut call.dialogues {
            for leg in dialogue.legs_mut().filter(|leg| meant.contains(&leg.id)) {
                leg.digits_blocked = on;
                let Some(setup) = &mut leg.setup else { continue };
                if on {
                    leg.events = leg.events.or(setup.events);
                }
                setup.events = leg.events.filter(|_| !on);
                let setup = Box::new(setup.clone());
                steps.push(Step::Plane(Command::ConfigureLeg { leg: leg.id, setup }));
            }
        }
        Ok(Begun::Job(steps, Work::Reply(Value::ok())))
    }

    pub(super) fn begin_play(&self, id: &str, request: &Request) -> Result<Begun, String> {
        let legs = self.meant(id, request)?;
        let source = match (request.text("file"), request.body.get("blob")) {
            (Some(file), _) if file.len() <= FILE_NAME_MAX => SoundSource::File(file),
            (None, Some(Value::Text(octets))) => SoundSource::Blob(octets.clone()),
            _ => return Err("No media file specified".to_owned()),
        };
        let times = request.int("repeat-times").unwrap_or(1).max(1);
        Ok(Begun::Job(vec![Step::Sound(source)], Work::Play(Playing { legs, times })))
    }

    pub(super) fn end_play(&mut self, job: &mut Job, playing: Playing) -> (Value, Vec<Step>) {
        let (Some(prompt), Some(call)) = (job.sound.take(), self.calls.get_mut(&job.call)) else {
            return (Value::error("No media file specified"), Vec::new());
        };
        let repeat = playing.times > REPEATS_MAX;
        let left = if repeat { 0 } else { u32::try_from(playing.times - 1).unwrap_or(0) };
        let mut steps = Vec::new();
        for id in playing.legs {
            let Some(leg) = call.leg_mut(id) else { continue };
            leg.sound = Some(Sound { prompt: Arc::clone(&prompt), left });
            let source = Source::Prompt { prompt: Arc::clone(&prompt), repeat };
            steps.push(Step::Plane(Command::Hear { leg: id, source }));
        }
        let ms = u64::try_from(prompt.length().as_millis()).unwrap_or(u64::MAX);
        (Value::dict().with("duration", ms).with("result", "ok"), steps)
    }

    pub(super) fn begin_stop(&mut self, id: &str, request: &Request) -> Result<Begun, String> {
        let legs = self.meant(id, request)?;
        let call = self.calls.get_mut(id).ok_or("Unknown call-id")?;
        let mut steps = Vec::new();
        for id in legs {
            let partner = call.partner(id);
            if let Some(leg) = call.leg_mut(id)
                && leg.sound.take().is_some()
            {
                let source = partner.map_or(Source::Nothing, Source::Leg);
                steps.push(Step::Plane(Command::Hear { leg: id, source }));
            }
        }
        Ok(Begun::Job(steps, Work::Reply(Value::ok())))
    }

    /// The party that is meant seems to press the keys, so the other one hears them.
    pub(super) fn begin_digits(&self, id: &str, request: &Request) -> Result<Begun, String> {
        const NOTHING: &str = "No SSRC context present for DTMF injection";
        let legs = self.meant(id, request).map_err(|_| NOTHING)?;
        let call = self.calls.get(id).ok_or("Unknown call-id")?;
        let code =
            request.text("code").or_else(|| request.text("digit")).ok_or("No valid DTMF code in message")?;
        let digits = digits(&code).ok_or("No valid DTMF code in message")?;
        let ms = request.int("duration").unwrap_or(250).clamp(40, 5_000);
        let each = Duration::from_millis(ms.unsigned_abs());
        let hearers: Vec<LegId> = legs.into_iter().filter_map(|leg| call.partner(leg)).collect();
        if hearers.is_empty() {
            return Err(NOTHING.to_owned());
        }
        let send = |leg| Step::Plane(Command::SendDtmf { leg, digits: digits.clone(), each });
        Ok(Begun::Job(hearers.into_iter().map(send).collect(), Work::Reply(Value::ok())))
    }

    pub(super) fn begin_recording(&mut self, id: &str, now: Timestamp) -> Result<Begun, String> {
        let call = self.calls.get_mut(id).ok_or("Unknown call-id")?;
        if let Some(recording) = call.recording {
            let resume = || Step::Plane(Command::ResumeRecording { recording: recording.id });
            let steps = if recording.paused { vec![resume()] } else { Vec::new() };
            return Ok(Begun::Job(steps, Work::Record(Recorded::Paused(false))));
        }
        let (recording, steps) = recording(call, &self.config, &mut *self.chance, now)?;
        Ok(Begun::Job(steps, Work::Record(Recorded::Begun(recording))))
    }

    pub(super) fn stop_recording(&self, id: &str) -> Result<Begun, String> {
        let call = self.calls.get(id).ok_or("Unknown call-id")?;
        let Some(recording) = call.recording else { return Ok(Begun::Reply(Value::ok())) };
        let steps = vec![Step::Try(Command::StopRecording { recording: recording.id })];
        Ok(Begun::Job(steps, Work::Record(Recorded::Ended)))
    }

    pub(super) fn pause_recording(&self, id: &str) -> Result<Begun, String> {
        let call = self.calls.get(id).ok_or("Unknown call-id")?;
        let Some(recording) = call.recording else { return Ok(Begun::Reply(Value::ok())) };
        let why = PauseReason::Proxy;
        let steps = vec![Step::Plane(Command::PauseRecording { recording: recording.id, why })];
        Ok(Begun::Job(steps, Work::Record(Recorded::Paused(true))))
    }

    pub(super) fn end_record(&mut self, job: &Job, recorded: Recorded) -> (Value, Vec<Step>) {
        if let Some(call) = self.calls.get_mut(&job.call) {
            match recorded {
                Recorded::Begun(recording) => call.recording = Some(recording),
                Recorded::Paused(paused) => {
                    if let Some(recording) = &mut call.recording {
                        recording.paused = paused;
                    }
                }
                Recorded::Ended => call.recording = None,
            }
        }
        (Value::ok(), Vec::new())
    }
}

/// A new recording of a call, and how it begins: the first offerer on the left, the other on the right.
pub(super) fn recording(
    call: &Call,
    config: &Config,
    chance: &mut dyn Chance,
    now: Timestamp,
) -> Result<(Recording, Vec<Step>), String> {
    let folder = config.recordings.as_ref().ok_or("Call recording is not configured on this node")?;
    let id: RecordingId = chance::id(chance, now);
    let file = folder.join(format!("{id}.{}", media::record::EXTENSION));
    let mut steps = vec![Step::Plane(Command::StartRecording { recording: id, file })];
    steps.extend(taps(id, call.first_pair()));
    Ok((Recording { id, paused: false }, steps))
}

/// Which legs the channels capture.
pub(super) fn taps(recording: RecordingId, pair: Option<[LegId; 2]>) -> Vec<Step> {
    let Some([left, right]) = pair else { return Vec::new() };
    [(Channel::Left, left), (Channel::Right, right)]
        .map(|(channel, leg)| Step::Plane(Command::Tap { recording, channel, leg: Some(leg) }))
        .into()
}

/// `5`, `#`, or an event number of RFC 4733 as rtpengine takes it: 10 is `*`, 11 is `#`, 12 to 15 are `A` to `D`.
fn digits(code: &str) -> Option<String> {
    let plain = |c: char| matches!(c, '0'..='9' | '*' | '#' | 'A'..='D');
    match code {
        "10" => Some("*".to_owned()),
        "11" => Some("#".to_owned()),
        "12" => Some("A".to_owned()),
        "13" => Some("B".to_owned()),
        "14" => Some("C".to_owned()),
        "15" => Some("D".to_owned()),
        _ => {
            (!code.is_empty() && code.len() <= DIGITS_MAX && code.chars().all(plain)).then(|| code.to_owned())
        }
    }
}
