//! Whose media legs are, for those who watch them.

use model::id::{LegId, RecordingId};

use super::Machine;

/// Whose a leg is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegOwner {
    /// The leg.
    pub leg: LegId,
    /// The call's id, as the proxy calls it.
    pub call: String,
    /// The party's tag; `None` before its answer.
    pub tag: Option<String>,
    /// What the proxy calls the party, if it does.
    pub label: Option<String>,
}

impl Machine {
    /// Of every leg that calls have now.
    pub fn owners(&self) -> Vec<LegOwner> {
        let mut owners = Vec::with_capacity(self.legs());
        for (call, dialogue) in
            self.calls.iter().flat_map(|(id, call)| call.dialogues.iter().map(move |dialogue| (id, dialogue)))
        {
            for line in &dialogue.lines {
                let legs = line.legs.iter().zip(&dialogue.parties);
                owners.extend(legs.filter_map(|(leg, party)| {
                    Some(LegOwner {
                        leg: leg.as_ref()?.id,
                        call: call.clone(),
                        tag: party.tag.clone(),
                        label: party.label.clone(),
                    })
                }));
            }
        }
        for (call, copies) in
            self.calls.iter().flat_map(|(id, call)| call.subscriptions.iter().map(move |one| (id, one)))
        {
            owners.extend(copies.lines.iter().map(|line| LegOwner {
                leg: line.leg.id,
                call: call.clone(),
                tag: Some(copies.tag.clone()),
                label: None,
            }));
        }
        owners
    }

    /// The call that a leg belongs to.
    pub fn call_of(&self, leg: LegId) -> Option<&str> {
        self.legs.get(&leg).map(String::as_str)
    }

    /// The call that is recorded as this. Looks at all calls: for what happens seldom.
    pub fn recorded_call(&self, recording: RecordingId) -> Option<&str> {
        let mut calls = self.calls.iter();
        calls
            .find(|(_, call)| call.recording.as_ref().is_some_and(|it| it.id == recording))
            .map(|(id, _)| id.as_str())
    }
}
