//! The machine's media orders as commands of the plane: addresses, files and samples are filled in here.

use std::time::Duration;

use media::control::{Answer, Channel, Command, MediaError, PauseReason, RoomOrder, Source, Transport};
use model::call::Sound;
use model::id::{Id, InteractionId, RoomId};

use super::Driver;
use crate::call::words::{Heard, MediaOrder};

/// A call has one room at most.
pub(super) fn room_of(interaction: InteractionId) -> RoomId {
    RoomId::from_uuid(interaction.uuid())
}

impl Driver {
    pub(super) async fn order_media(&mut self, order: MediaOrder) -> Result<Answer, MediaError> {
        self.note(&order);
        let command = match order {
            MediaOrder::Create { leg, near } => {
                let listener = match (&self.customer, self.listener_of(leg)) {
                    (_, Some(listener)) => listener,
                    (Some(side), None) if leg == self.customer_leg => side.flow.listener,
                    _ => self.phone_listener,
                };
                Command::CreateLeg {
                    leg,
                    transport: Transport::Ports { interface: self.shared.interface(listener) },
                    near,
                }
            }
            MediaOrder::Configure { leg, setup } => Command::ConfigureLeg { leg, setup },
            MediaOrder::Hear { leg, heard } => Command::Hear { leg, source: self.source(heard) },
            MediaOrder::StopHearing { leg, speaker } => Command::StopHearing { leg, speaker },
            MediaOrder::Bridge { a, b } => Command::Bridge { a, b },
            MediaOrder::Mute { leg, muted } => Command::Mute { leg, muted },
            MediaOrder::SendDigits { leg, digits } => {
                Command::SendDtmf { leg, digits, each: Duration::from_millis(100) }
            }
            MediaOrder::StartRecording(recording) => Command::StartRecording {
                recording,
                file: self.shared.recordings.join(format!("{recording}.pbr")),
            },
            MediaOrder::Untap { recording, channel } => Command::Tap { recording, channel, leg: None },
            MediaOrder::Room(order) => Command::Room { room: room_of(self.interaction), order },
            MediaOrder::TapRoom { recording, without } => Command::TapRoom {
                recording,
                channel: Channel::Right,
                room: room_of(self.interaction),
                without: Some(without),
            },
            MediaOrder::Tap { recording, channel, leg } => {
                Command::Tap { recording, channel, leg: Some(leg) }
            }
            MediaOrder::PauseRecording { recording, paused: true, .. } => {
                Command::PauseRecording { recording, why: PauseReason::CardData }
            }
            MediaOrder::PauseRecording { recording, .. } => Command::ResumeRecording { recording },
            MediaOrder::StopRecording(recording) => Command::StopRecording { recording },
            MediaOrder::Measure(leg) => Command::BeginMeasuring { leg },
            MediaOrder::Stats(leg) => Command::Stats { leg },
            MediaOrder::Delete(leg) => Command::DeleteLeg { leg },
        };
        self.shared.command(command).await
    }

    fn source(&self, heard: Heard) -> Source {
        match heard {
            Heard::Nothing => Source::Nothing,
            Heard::Leg(leg) => Source::Leg(leg),
            Heard::Announcement => Source::Prompt { prompt: self.shared.announce.clone(), repeat: false },
            // One music for all who wait: it goes on behind an announcement, and nobody hears its beginning again and again.
            Heard::Sound(Sound::QueueMusic) => Source::PlayAlong((self.shared.sounds)(Sound::QueueMusic)),
            Heard::Named(name) => Source::Prompt { prompt: (self.shared.named_sounds)(&name), repeat: false },
            Heard::Sound(sound) => {
                Source::Prompt { prompt: (self.shared.sounds)(sound), repeat: sound.repeats() }
            }
        }
    }

    /// Keeps the list of what has to be given back.
    fn note(&self, order: &MediaOrder) {
        let mut held = self.held();
        match order {
            MediaOrder::Create { leg, .. } => {
                held.legs.insert(*leg);
            }
            MediaOrder::Delete(leg) => {
                held.legs.remove(leg);
            }
            MediaOrder::Measure(leg) => {
                held.softphones.insert(*leg);
            }
            MediaOrder::Room(RoomOrder::Open(_)) => held.room = true,
            MediaOrder::Room(RoomOrder::Close) => held.room = false,
            MediaOrder::StartRecording(recording) => held.recording = Some(*recording),
            MediaOrder::StopRecording(_) => held.recording = None,
            _ => {}
        }
    }
}
