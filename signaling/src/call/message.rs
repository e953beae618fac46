//! A message that the caller leaves: one channel is captured, and silence is told.

use media::control::{Answer, Channel, MediaError};
use model::call::CallFact;
use model::id::RecordingId;

use super::Call;
use super::link::Link;
use super::words::{MediaOrder, Output};

impl Call {
    /// Captures what the caller says. Not while two talk: a late order must not mix up their recording.
    pub(super) fn record_message(&mut self, recording: RecordingId, out: &mut Vec<Output>) {
        if !matches!(self.link, Link::Apart) || self.message.is_some() {
            return;
        }
        // Passed on, and nobody took the call: what was talked before is no part of the message.
        if let Some(talk) = self.recording.take() {
            out.push(Output::Media(MediaOrder::StopRecording(talk)));
        }
        self.message = Some(recording);
        out.push(Output::Media(MediaOrder::StartRecording(recording)));
    }

    /// The plane began to capture the message, or cannot.
    pub(super) fn message_answered(
        &mut self,
        recording: RecordingId,
        result: Result<Answer, MediaError>,
        out: &mut Vec<Output>,
    ) {
        let interaction = self.interaction;
        match result {
            Ok(_) => {
                self.recording = Some(recording);
                let (channel, leg) = (Channel::Left, self.leg);
                out.push(Output::Media(MediaOrder::Tap { recording, channel, leg }));
                out.push(Output::Fact(CallFact::RecordingStarted { interaction, recording }));
                // Who was silent while the greeting was heard is told of only now.
                if self.quiet {
                    out.push(Output::Fact(CallFact::CallerSilent { interaction, silent: true }));
                }
            }
            Err(why) => {
                self.message = None;
                let why = why.to_string();
                out.push(Output::Fact(CallFact::RecordingFailed { interaction, recording, why }));
            }
        }
    }

    /// The message is over; what comes next may be recorded anew.
    pub(super) fn end_message(&mut self, out: &mut Vec<Output>) {
        if let Some(recording) = self.message.take().filter(|recording| self.recording == Some(*recording)) {
            self.recording = None;
            out.push(Output::Media(MediaOrder::StopRecording(recording)));
        }
    }

    /// The caller fell silent, or speaks again.
    pub(super) fn caller_silent(&mut self, silent: bool, out: &mut Vec<Output>) {
        if std::mem::replace(&mut self.quiet, silent) != silent && self.message.is_some() {
            out.push(Output::Fact(CallFact::CallerSilent { interaction: self.interaction, silent }));
        }
    }
}
