//! What console pages and the appliance say to each other (docs/protocols/console.md), as types: commands here, then
//! events, and the views that both events and snapshots show.

mod consult;
mod events;
mod supervision;
mod views;

use model::call::Attending;
use model::id::{DispositionId, FlowId, InteractionId, OfferToken, ReasonId, ServiceId, UserId};
use serde::Deserialize;

pub use self::consult::{ConferenceView, PartyKind, PartyView, ScreenView};
pub use self::events::{ConsoleEvent, Level, OfferOver, SessionOver};
pub use self::supervision::{AttendantView, AttendedView};
pub use self::views::*;

/// A command of a page, without the page's own counter.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", tag = "do")]
pub enum Command {
    /// Take work (STATE-04).
    Ready,
    /// Stop taking work; while busy, at the end of the work (STATE-16).
    NotReady {
        /// Chosen from the tenant's list.
        #[serde(default)]
        reason: Option<ReasonId>,
    },
    /// Leave service (STATE-20).
    Offline,
    /// Re-enter service.
    Online,
    /// Somebody did something at the workplace that the appliance would not know of; pages say it once a minute at most
    /// (STATE-24).
    Active,
    /// Colleagues see that nothing should disturb, or no longer; they can still call and write (STATE-25).
    DoNotDisturb {
        /// Whether from now on.
        on: bool,
    },
    /// Answer the offer.
    Accept {
        /// The lease.
        offer: OfferToken,
    },
    /// Refuse the offer.
    Decline {
        /// The lease.
        offer: OfferToken,
    },
    /// Put an offered chat back for others, without becoming Not ready (LIVE-05).
    PutBack {
        /// The lease.
        offer: OfferToken,
    },
    /// Take somebody who waits in a queue of written contacts (LIVE-06).
    Take {
        /// Which contact.
        interaction: InteractionId,
    },
    /// Put an offered email into the own personal queue, without a change of state (MAIL-04).
    Postpone {
        /// The lease.
        offer: OfferToken,
    },
    /// Take a waiting email into the own personal queue (MAIL-01).
    Keep {
        /// Which contact.
        interaction: InteractionId,
    },
    /// Open an email of the own personal queue.
    Open {
        /// Which contact.
        interaction: InteractionId,
    },
    /// Put an open email into the own personal queue.
    SetAside {
        /// Which contact.
        interaction: InteractionId,
    },
    /// Return an own email to the group queue, at its place (MAIL-18).
    GiveBack {
        /// Which contact.
        interaction: InteractionId,
    },
    /// Pass an own email on, to one of the two: into the personal queue of a colleague, or into the queue of another service
    /// (MAIL-01).
    PassOn {
        /// Which contact.
        interaction: InteractionId,
        /// To whom.
        #[serde(default)]
        user: Option<UserId>,
        /// Into whose queue.
        #[serde(default)]
        service: Option<ServiceId>,
        /// For whoever has it next; at most 4000 characters.
        #[serde(default)]
        remark: String,
    },
    /// As a supervisor: give an email that waits, or lies in a personal queue, to an agent (MAIL-01).
    Assign {
        /// Which contact.
        interaction: InteractionId,
        /// To whom.
        user: UserId,
    },
    /// Answer in an own chat or email.
    Write {
        /// Which contact.
        interaction: InteractionId,
        /// Plain text.
        text: String,
    },
    /// Call a colleague, by one of the two (OUT-03).
    Call {
        /// Who.
        #[serde(default)]
        user: Option<UserId>,
        /// Under which internal number.
        #[serde(default)]
        extension: Option<String>,
    },
    /// Call a number outside (OUT-01).
    Dial {
        /// As typed or pasted: digits with an optional `+`, and what people write between them; after a comma what is pressed
        /// when it answers (OUT-08).
        number: String,
        /// Under which service it is counted (OUT-02); the agent's first when none is named.
        #[serde(default)]
        service: Option<ServiceId>,
        /// Which of the house's numbers is shown there (OUT-11); without it one of the service's, else of the house.
        #[serde(default)]
        caller_id: Option<String>,
    },
    /// The far side hears music.
    Hold {
        /// Which call.
        interaction: InteractionId,
    },
    /// Back from hold.
    Retrieve {
        /// Which call.
        interaction: InteractionId,
    },
    /// Send the customer through a flow, and wait for them (CTRL-06).
    StartFlow {
        /// Which call.
        interaction: InteractionId,
        /// Which of the flows of the call's service.
        flow: FlowId,
    },
    /// Take the customer back out of it.
    TakeBack {
        /// Which call.
        interaction: InteractionId,
    },
    /// The far side does not hear the agent.
    Mute {
        /// Which call.
        interaction: InteractionId,
    },
    /// The far side hears the agent again.
    Unmute {
        /// Which call.
        interaction: InteractionId,
    },
    /// Pass the customer on and leave (XFER-05), to one of the three.
    Transfer {
        /// Which call.
        interaction: InteractionId,
        /// Into the queue of this service.
        #[serde(default)]
        service: Option<ServiceId>,
        /// To this colleague.
        #[serde(default)]
        user: Option<UserId>,
        /// To this number outside, as typed.
        #[serde(default)]
        number: Option<String>,
    },
    /// Ask somebody about a call, which is held meanwhile (XFER-01): one of the three.
    Consult {
        /// About which call.
        interaction: InteractionId,
        /// This colleague.
        #[serde(default)]
        user: Option<UserId>,
        /// Whoever has this internal number.
        #[serde(default)]
        extension: Option<String>,
        /// This number outside, as typed.
        #[serde(default)]
        number: Option<String>,
    },
    /// Show the colleague who is asked what there is to see of the call (XFER-02).
    SendScreen {
        /// The call with the colleague.
        interaction: InteractionId,
    },
    /// Pass the customer on to whom the agent asked, and leave both calls (XFER-04).
    CompleteTransfer {
        /// The customer's call.
        interaction: InteractionId,
        /// The call with whom takes over.
        from: InteractionId,
    },
    /// Bring whoever the agent called into a call of theirs: everybody hears everybody (XFER-09).
    Merge {
        /// The call that they come into.
        interaction: InteractionId,
        /// The call with them.
        from: InteractionId,
    },
    /// Leave a conference; the others go on (XFER-13).
    Leave {
        /// Which call.
        interaction: InteractionId,
    },
    /// As its organiser: take somebody out of a conference (XFER-13).
    Drop {
        /// Which call.
        interaction: InteractionId,
        /// Whom, by the call that they came from.
        from: InteractionId,
    },
    /// What is said is left out of the recording (RECO-04: card data).
    PauseRecording {
        /// Which call.
        interaction: InteractionId,
    },
    /// It is recorded again.
    ResumeRecording {
        /// Which call.
        interaction: InteractionId,
    },
    /// Ask for help with what is in hand; supervisors are told (HELP-01).
    AskHelp {
        /// Which interaction.
        interaction: InteractionId,
    },
    /// No help is needed any more.
    TakeBackHelp {
        /// Which interaction.
        interaction: InteractionId,
    },
    /// As a supervisor: take part in an agent's call, or in another way from now on (HELP-03 to HELP-05).
    Attend {
        /// Which call.
        interaction: InteractionId,
        /// `monitor`, `coach` or `barge_in`.
        how: Attending,
    },
    /// Leave it; the others go on.
    StopAttending {
        /// Which call.
        interaction: InteractionId,
    },
    /// As a supervisor who talks to the customer: have the call from now on; its agent leaves.
    TakeOver {
        /// Which call.
        interaction: InteractionId,
    },
    /// End the call or the chat.
    HangUp {
        /// Which call.
        interaction: InteractionId,
    },
    /// Keypad.
    Digits {
        /// Which call.
        interaction: InteractionId,
        /// `0-9 * # A-D ,`.
        digits: String,
    },
    /// Set disposition or comment (ACW-03, ACW-05).
    Code {
        /// Which call.
        interaction: InteractionId,
        /// How it ended.
        #[serde(default)]
        disposition: Option<DispositionId>,
        /// Free text.
        #[serde(default)]
        comment: Option<String>,
    },
    /// The notice before a callback was read: dial (CB-01).
    CallBack {
        /// Which call.
        interaction: InteractionId,
    },
    /// Stop the countdown (STATE-10).
    ContinueWrapUp {
        /// Which call.
        interaction: InteractionId,
    },
    /// End after-call work.
    Complete {
        /// Which call.
        interaction: InteractionId,
    },
    /// Connect or re-connect the softphone.
    PhoneOffer {
        /// SDP offer.
        sdp: String,
    },
    /// What the page found out about its devices.
    PhoneReady {
        /// Whether there is a microphone it may use.
        microphone: bool,
        /// In words.
        #[serde(default)]
        detail: Option<String>,
    },
    /// A new snapshot.
    Resync,
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::id::Id;
    use utoipa::PartialSchema as _;

    #[test]
    fn a_command_reads_as_the_protocol_says() {
        let offer = OfferToken::from_number(4);
        let text = format!(r#"{{"id": 7, "do": "accept", "offer": "{offer}"}}"#);
        assert_eq!(serde_json::from_str::<Command>(&text).unwrap(), Command::Accept { offer });
        assert_eq!(
            serde_json::from_str::<Command>(r#"{"do":"not_ready"}"#).unwrap(),
            Command::NotReady { reason: None }
        );
        assert!(serde_json::from_str::<Command>(r#"{"do":"self_destruct"}"#).is_err());
    }
    /// Every field that pages get of calls, chats, callbacks and queues stands in the page about the protocol.
    #[test]
    fn the_page_about_the_protocol_names_every_field() {
        let page = include_str!("../../../../docs/protocols/console.md");
        let fields = |schema: utoipa::openapi::RefOr<utoipa::openapi::Schema>| {
            let schema = serde_json::to_value(schema).unwrap();
            schema["properties"].as_object().unwrap().keys().cloned().collect::<Vec<_>>()
        };
        for (view, fields) in [
            ("OfferView", fields(OfferView::schema())),
            ("WorkView", fields(WorkView::schema())),
            ("CallbackView", fields(CallbackView::schema())),
            ("QueueView", fields(QueueView::schema())),
            ("PeriodView", fields(PeriodView::schema())),
            ("HelpView", fields(HelpView::schema())),
            ("AttendedView", fields(AttendedView::schema())),
        ] {
            let (_, said) = page.split_once(&format!("\n    {view}:")).unwrap();
            for field in fields {
                let named = said.lines().take(8).any(|line| line.contains(&format!("\"{field}\"")));
                assert!(named, "{view} has {field}");
            }
        }
    }
}
