//! Written contacts for whoever brings them from a channel of their own, and their messages for whoever may read them.

use model::id::{InteractionId, UserId};
use model::people::Privilege;

use crate::auth::Identity;
use crate::console::protocol::Message;
use crate::floor::callback::NewCallback;
use crate::floor::request::Request;
use crate::floor::written::{ContactView, NewContact, WaitingContacts, Wrote};
use crate::refusal::Refusal;
use crate::start::DeskHandle;
use crate::trouble::read;

impl DeskHandle {
    /// Brings a contact with its first message.
    pub async fn bring_contact(&self, contact: NewContact) -> Result<Wrote, Refusal> {
        let interaction = self.sources().id();
        self.ask(|answer| Request::Bring(interaction, Box::new(contact), answer)).await?
    }

    /// Books a callback for a customer who has not called (CB-01).
    pub async fn book_callback(&self, wanted: NewCallback) -> Result<InteractionId, Refusal> {
        let interaction = self.sources().id();
        self.ask(|answer| Request::BookCallback(interaction, Box::new(wanted), answer)).await??;
        Ok(interaction)
    }

    /// The customer writes on.
    pub async fn write_for_customer(
        &self,
        interaction: InteractionId,
        text: String,
    ) -> Result<Wrote, Refusal> {
        self.ask(|answer| Request::CustomerWrites(interaction, text, answer)).await?
    }

    /// The customer ends it.
    pub async fn end_for_customer(&self, interaction: InteractionId) -> Result<(), Refusal> {
        self.ask(|answer| Request::CustomerEnds(interaction, answer)).await?
    }

    /// A live contact as its channel sees it.
    pub async fn contact(&self, interaction: InteractionId) -> Result<ContactView, Refusal> {
        let view = self.read(move |core, now| core.contact_view(interaction, now)).await?;
        view.ok_or(Refusal::missing("contact"))
    }

    /// Whom an agent may pick from the queues (LIVE-06).
    pub async fn waiting_contacts(&self, agent: UserId) -> Result<WaitingContacts, Refusal> {
        self.read(move |core, _| core.waiting_contacts(agent)).await
    }

    /// Messages after a number, at most 500: for the channel, for the agent who has or had the contact, and for whoever sees
    /// all records.
    pub async fn messages(
        &self,
        who: &Identity,
        interaction: InteractionId,
        after: u32,
    ) -> Result<Vec<Message>, Refusal> {
        let user = who.user.id;
        let all = [Privilege::BringContacts, Privilege::SeeAllRecords];
        if !all.into_iter().any(|privilege| who.may(privilege))
            && !self.read(move |core, _| core.work_view(interaction, user).is_some()).await?
        {
            let record = self.store().records().record(self.tenant(), interaction).await.map_err(read)?;
            if record.is_none_or(|record| record.agent != Some(user)) {
                return Err(Refusal::missing("contact"));
            }
        }
        let found = self.store().messages().messages(self.tenant(), interaction, after, 500).await;
        let show = |message: model::written::Message| {
            let model::written::Message { number, at, by, text, .. } = message;
            Message { number, at: at.millis(), by, text }
        };
        Ok(found.map_err(read)?.into_iter().map(show).collect())
    }
}
