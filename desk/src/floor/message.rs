//! Callers who leave a message for a service (ROUTE-07) or for whose extension they called (VM-01): asked whether one more is kept, captured, and
//! written down.

use std::time::Duration;

use flow::{Input, Opened, Reply};
use model::call::CallOrder;
use model::diversion::MessageBox;
use model::id::{InteractionId, RecordingId};
use model::journal::Event;
use model::service::VoicemailRules;
use model::time::Timestamp;
use store::voicemails::NewVoicemail;

use super::call::Stage;
use super::core::{Core, Effect, RecordingNews};
use super::facts::order;

/// A message that a caller leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message {
    /// For whom.
    pub to: MessageBox,
    /// What is said is captured as this; `None`: the caller does not speak yet.
    pub recording: Option<RecordingId>,
}

impl Core {
    /// A flow wants to take a message. Whether as many are kept as may be, the store knows.
    pub(super) fn take_message(
        &mut self,
        interaction: InteractionId,
        service: &str,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let named = self.config.service_named(service).map(|service| service.id);
        let Some(call) = self.calls.get_mut(&interaction) else { return };
        // A service that is gone since the flow began: the number's own. Who called an extension speaks to its owner.
        let to = match (call.inside(), named.or(call.service())) {
            (Some(inside), _) => MessageBox::Own { owner: inside.callee },
            (None, Some(service)) => MessageBox::Service { service },
            (None, None) => return,
        };
        let Some(rules) = self.config.message_rules(to) else {
            return self.in_flow(interaction, Input::NoMessage, now, out);
        };
        call.message = Some(Message { to, recording: None });
        call.asked = (call.asked.0 + 1, 0);
        out.push(Effect::CountMessages(interaction, call.asked.0, to, rules.messages_max));
    }

    /// Whether one more message is kept.
    pub(super) fn messages_counted(
        &mut self,
        interaction: InteractionId,
        reply: &Reply,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let Some(to) = self.message_of(interaction).map(|message| message.to) else { return };
        let rules = self.config.message_rules(to).unwrap_or_default();
        let input = if *reply == Reply::missing() {
            self.refuse_message(interaction, out);
            Input::NoMessage
        } else {
            let length_max = rules.length_max();
            Input::MessageTaken(Opened { greeting: rules.greeting, length_max })
        };
        self.in_flow(interaction, input, now, out);
    }

    /// The tone was heard: the caller speaks.
    pub(super) fn begin_message(&mut self, interaction: InteractionId, out: &mut Vec<Effect>) {
        let recording = self.sources.id();
        if let Some(message) = self.calls.get_mut(&interaction).and_then(|call| call.message.as_mut()) {
            message.recording = Some(recording);
            out.push(order(CallOrder::RecordMessage { interaction, recording }));
        }
    }

    /// The caller is heard and captured.
    pub(super) fn message_begun(
        &self,
        interaction: InteractionId,
        recording: RecordingId,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let Some(call) = self.calls.get(&interaction) else { return };
        let Some(Message { to, .. }) = call.message else { return };
        out.push(Effect::Journal(Event::MessageBegun { interaction, to, recording }));
        out.push(Effect::Voicemail(Box::new(NewVoicemail {
            recording,
            tenant: self.tenant,
            interaction,
            to,
            caller: call.caller.clone(),
            caller_name: call.caller_name.clone(),
            left_at: now,
        })));
        out.push(Effect::Recording(interaction, recording, RecordingNews::Started));
    }

    /// The message is over: by a key, by silence, by its length, or because the caller hung up.
    pub(super) fn message_over(
        &mut self,
        interaction: InteractionId,
        spoken: Duration,
        out: &mut Vec<Effect>,
    ) {
        let Some(call) = self.calls.get_mut(&interaction) else { return };
        let Some(Message { to, recording: Some(recording) }) = call.message.take() else { return };
        let kept = spoken >= VoicemailRules::SHORTEST;
        call.left_message |= kept;
        out.push(order(CallOrder::EndMessage { interaction }));
        out.push(Effect::Journal(Event::MessageOver { interaction, to, recording, spoken, kept }));
        if !kept {
            out.push(Effect::DropVoicemail(recording));
        }
    }

    /// The caller hung up, perhaps in the middle of a message.
    pub(super) fn message_cut_off(
        &mut self,
        interaction: InteractionId,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let spoken = self.flows.get(interaction).and_then(|caller| caller.run.spoken(now));
        if let Some(spoken) = spoken {
            self.message_over(interaction, spoken, out);
        }
    }

    /// What the caller says cannot be captured, or not any longer.
    pub(super) fn message_failed(
        &mut self,
        interaction: InteractionId,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        self.refuse_message(interaction, out);
        self.in_flow(interaction, Input::NoMessage, now, out);
    }

    /// Whether this is being captured as a message.
    pub(super) fn is_message(&self, interaction: InteractionId, recording: RecordingId) -> bool {
        self.message_of(interaction).is_some_and(|message| message.recording == Some(recording))
    }

    fn message_of(&self, interaction: InteractionId) -> Option<Message> {
        self.calls.get(&interaction).filter(|call| call.stage == Stage::InFlow)?.message
    }

    fn refuse_message(&mut self, interaction: InteractionId, out: &mut Vec<Effect>) {
        let message = self.calls.get_mut(&interaction).and_then(|call| call.message.take());
        if let Some(Message { to, .. }) = message {
            out.push(Effect::Journal(Event::MessageRefused { interaction, to }));
        }
    }
}
