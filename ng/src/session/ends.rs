//! The end of calls: by delete, after a delay, or because nothing comes any more.

use std::time::Duration;

use media::control::{Command, Direction, Event};
use model::time::Timestamp;

use super::call::{Call, Dialogue};
use super::figures::Reading;
use super::{Begun, Config, Machine, Output, Step, Work};
use crate::request::{Command as Asked, Request};
use crate::wire::Value;

/// rtpengine's words, which proxies know.
const NOT_FOUND: &str = "Call-ID not found or tags didn't match";

/// The answer to a request for a call that is not there.
pub(super) fn unknown(request: &Request) -> Value {
    match request.command {
        Asked::Delete if !request.options.fatal => Value::ok().with("warning", NOT_FOUND),
        Asked::Delete => Value::error(NOT_FOUND),
        Asked::BlockMedia(_)
        | Asked::BlockDtmf(_)
        | Asked::PlayMedia
        | Asked::StopMedia
        | Asked::PlayDtmf
        | Asked::Subscribe
        | Asked::Subscribed
        | Asked::Unsubscribe => Value::error("Unknown call-ID"),
        _ => Value::error("Unknown call-id"),
    }
}

impl Machine {
    pub(super) fn begin_delete(
        &mut self,
        id: &str,
        request: &Request,
        now: Timestamp,
    ) -> Result<Begun, String> {
        let delay = request.options.delete_delay.unwrap_or(self.config.delete_delay);
        let call = self.calls.get_mut(id).ok_or(NOT_FOUND)?;
        let mut numbers: Vec<u64> = Vec::new();
        let Some(from) = request.from_tag.as_deref() else {
            // Without a tag the whole call goes, and the answer has no figures.
            let reading = Reading { dialogues: Vec::new(), bare: true };
            let all: Vec<u64> = call.dialogues.iter().map(|dialogue| dialogue.number).collect();
            return Ok(self.part(id, &all, delay, now, reading));
        };
        let alone = call.find_branch(from, request.via_branch.as_deref()).filter(|(index, side)| {
            let dialogue = &call.dialogues[*index];
            !dialogue.answered && dialogue.parties[1 - side].branches.len() == 1
        });
        if let Some((index, _)) = alone.filter(|_| call.dialogues.len() > 1) {
            let number = call.dialogues[index].number;
            let reading = Reading { dialogues: vec![number], bare: false };
            return Ok(self.part(id, &[number], delay, now, reading));
        }
        for dialogue in &mut call.dialogues {
            let Some(side) = dialogue.parties.iter().position(|party| party.is(from)) else { continue };
            if forget_branch(dialogue, 1 - side, request) {
                return Ok(Begun::Reply(Value::ok()));
            }
            let other = &dialogue.parties[1 - side];
            let meant = request.to_tag.as_deref().is_none_or(|to| other.tag.is_none() || other.is(to));
            if meant {
                numbers.push(dialogue.number);
            }
        }
        if numbers.is_empty() {
            return Ok(Begun::Reply(unknown(request)));
        }
        let reading = Reading { dialogues: numbers.clone(), bare: false };
        Ok(self.part(id, &numbers, delay, now, reading))
    }

    /// Ends dialogues, at once or later.
    fn part(
        &mut self,
        id: &str,
        numbers: &[u64],
        delay: Duration,
        now: Timestamp,
        reading: Reading,
    ) -> Begun {
        let Some(call) = self.calls.get_mut(id) else { return Begun::Reply(Value::ok()) };
        if delay > Duration::ZERO {
            let mut steps = Vec::new();
            for dialogue in call.dialogues.iter_mut().filter(|dialogue| numbers.contains(&dialogue.number)) {
                dialogue.ends_at = Some(now + delay);
                if !reading.bare {
                    steps.extend(dialogue.legs().map(|leg| Step::Try(Command::Stats { leg: leg.id })));
                }
            }
            return Begun::Job(steps, Work::Figures(reading));
        }
        // Marked as due now: they are taken out when their figures were read.
        let mut steps = Vec::new();
        for dialogue in call.dialogues.iter_mut().filter(|dialogue| numbers.contains(&dialogue.number)) {
            dialogue.ends_at = Some(now);
            steps.extend(dialogue.legs().map(|leg| Step::Try(Command::Stats { leg: leg.id })));
        }
        if reading.bare {
            steps.clear();
        }
        Begun::Job(steps, Work::Figures(reading))
    }

    /// Takes dialogues out whose time has come; what the plane is to do for it.
    pub(super) fn bury(&mut self, id: &str, now: Timestamp) -> Vec<Step> {
        let Some(call) = self.calls.get_mut(id) else { return Vec::new() };
        let due = |dialogue: &Dialogue| dialogue.ends_at.is_some_and(|at| at <= now);
        let mut steps: Vec<Step> = Vec::new();
        for dialogue in call.dialogues.iter().filter(|dialogue| due(dialogue)) {
            steps.extend(Self::deletions(dialogue));
        }
        let before = call.dialogues.len();
        call.dialogues.retain(|dialogue| !due(dialogue));
        if call.dialogues.len() < before {
            steps.extend(call.end_copies());
        }
        if before > 0 && call.dialogues.is_empty() {
            if let Some(recording) = call.recording.take() {
                steps.insert(0, Step::Try(Command::StopRecording { recording: recording.id }));
            }
            self.totals.ended(now.since(call.created));
        }
        steps
    }

    pub(super) fn tick(&mut self, now: Timestamp, out: &mut Vec<Output>) {
        let mut due = Vec::new();
        for (id, call) in self.calls.iter_mut().filter(|(_, call)| call.busy.is_none()) {
            let last = call.last_signal;
            let mut ends = false;
            for dialogue in &mut call.dialogues {
                if dialogue.ends_at.is_none() && is_forgotten(dialogue, last, &self.config, now) {
                    dialogue.ends_at = Some(now);
                    self.totals.timed_out += 1;
                }
                ends |= dialogue.ends_at.is_some_and(|at| at <= now);
            }
            if ends {
                due.push(id.clone());
            }
        }
        for id in due {
            let steps = self.bury(&id, now);
            let job = self.open(&id, None, steps, Work::Reply(Value::ok()));
            if let Some(call) = self.calls.get_mut(&id) {
                call.busy = Some(job);
            }
            self.advance(job, now, out);
        }
    }

    /// Ends every call; one that is busy when its job is done and the next second has passed.
    pub(super) fn end_all(&mut self, now: Timestamp, out: &mut Vec<Output>) {
        for dialogue in self.calls.values_mut().flat_map(|call| &mut call.dialogues) {
            dialogue.ends_at = Some(now);
        }
        self.tick(now, out);
    }

    pub(super) fn event(&mut self, event: &Event, now: Timestamp, out: &mut Vec<Output>) {
        let (Event::Started { leg } | Event::Silent { leg, .. } | Event::PromptEnded { leg }) = event else {
            return;
        };
        let Some(id) = self.legs.get(leg).cloned() else { return };
        let Some(call) = self.calls.get_mut(&id) else { return };
        match event {
            Event::Started { leg } => {
                if let Some(leg) = call.leg_mut(*leg) {
                    leg.started = true;
                    leg.quiet_since = None;
                }
            }
            Event::Silent { leg, lasting } => {
                if let Some(leg) = call.leg_mut(*leg) {
                    leg.quiet_since = Some(now - *lasting);
                }
            }
            Event::PromptEnded { leg } => {
                let steps = sound_ended(call, *leg);
                if !steps.is_empty() {
                    self.aside(&id, steps, now, out);
                }
            }
            _ => {}
        }
    }
}

/// What a leg hears after a sound: the sound again, or the other party.
fn sound_ended(call: &mut Call, id: model::id::LegId) -> Vec<Step> {
    use media::control::Source;
    let partner = call.partner(id);
    let Some(leg) = call.leg_mut(id) else { return Vec::new() };
    let source = match leg.sound.as_mut().filter(|sound| sound.left > 0) {
        Some(sound) => {
            sound.left -= 1;
            Source::Prompt { prompt: std::sync::Arc::clone(&sound.prompt), repeat: false }
        }
        None => {
            leg.sound = None;
            partner.map_or(Source::Nothing, Source::Leg)
        }
    };
    vec![Step::Try(Command::Hear { leg: id, source })]
}

/// A delete for one branch of a fork, while others may still answer or did.
fn forget_branch(dialogue: &mut Dialogue, side: usize, request: &Request) -> bool {
    let Some(party) = dialogue.parties.get_mut(side) else { return false };
    if let Some(to) = request.to_tag.as_deref()
        && party.tag.as_deref() != Some(to)
        && party.earlier.iter().any(|earlier| earlier == to)
    {
        party.earlier.retain(|earlier| earlier != to);
        return true;
    }
    let Some(branch) = request.via_branch.as_deref() else { return false };
    if dialogue.answered || party.branches.len() < 2 {
        return false;
    }
    let before = party.branches.len();
    party.branches.retain(|known| known != branch);
    party.branches.len() < before
}

/// Whether nobody will miss it.
fn is_forgotten(dialogue: &Dialogue, last_signal: Timestamp, config: &Config, now: Timestamp) -> bool {
    let signalled = now.since(last_signal.max(dialogue.created));
    if !dialogue.answered {
        return signalled >= config.offered_after;
    }
    let held = dialogue.legs().any(|leg| {
        leg.setup
            .as_ref()
            .is_some_and(|setup| setup.direction != Direction::SendRecv || setup.remote.is_none())
    });
    let patience = if held { config.held_after } else { config.silent_after };
    signalled >= patience
        && dialogue.legs().all(|leg| {
            // A leg that a later offer made and nobody answered says nothing about the call.
            leg.setup.is_none() || leg.quiet_since.is_some_and(|since| now.since(since) >= patience)
        })
}
