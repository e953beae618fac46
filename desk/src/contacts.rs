//! Written contacts for whoever brings them from a channel of their own, and their messages for whoever may read them.

use model::id::{InteractionId, UserId};
use model::interaction::Channel;
use model::people::Privilege;
use model::written::{Author, EMAIL_TEXT_MAX};

use crate::auth::Identity;
use crate::console::protocol::Message;
use crate::floor::callback::NewCallback;
use crate::floor::request::Request;
use crate::floor::written::{Asked, ContactView, NewContact, WaitingContacts, WrittenList, Wrote};
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
        let asked = text.clone();
        let answer = self.ask(|answer| Request::CustomerWrites(interaction, asked, answer)).await?;
        if answer != Err(Refusal::missing("contact")) {
            return answer;
        }
        // An email that has ended goes on.
        let record = self.store().records().record(self.tenant(), interaction).await.map_err(read)?;
        match record.filter(|record| record.channel == Channel::Email) {
            // What was journaled did not reach the records yet.
            Some(record) if record.ended_at.is_none() => Err(Refusal::Unavailable),
            Some(record) => self.ask(|answer| Request::Reopen(Box::new(record), text, answer)).await?,
            None => answer,
        }
    }

    /// What an agent has written of an answer to an own email and not sent.
    pub async fn draft(&self, who: &Identity, interaction: InteractionId) -> Result<String, Refusal> {
        self.holds_email(who, interaction).await?;
        self.store().messages().draft(self.tenant(), interaction).await.map_err(read)
    }

    /// Keeps it, until the answer is sent.
    pub async fn save_draft(
        &self,
        who: &Identity,
        interaction: InteractionId,
        text: &str,
    ) -> Result<(), Refusal> {
        if text.chars().count() > EMAIL_TEXT_MAX {
            return Err(Refusal::field("/text", format!("at most {EMAIL_TEXT_MAX} characters")));
        }
        self.holds_email(who, interaction).await?;
        let saved = self.store().messages().save_draft(self.tenant(), interaction, text, self.now()).await;
        saved.map_err(read)
    }

    async fn holds_email(&self, who: &Identity, interaction: InteractionId) -> Result<(), Refusal> {
        let user = who.user.id;
        self.read(move |core, _| core.holds_email(user, interaction)).await?
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

    /// A page of the queues of written contacts, as this user may see them.
    pub async fn written_list(&self, who: &Identity, asked: Asked) -> Result<WrittenList, Refusal> {
        let user = who.user.id;
        self.read(move |core, _| core.written_list(user, &asked)).await
    }

    /// Messages after a number, at most 500: for the channel, for the agent who has or had the contact, and for whoever sees
    /// all records. Agents may also read what lies in their
    /// own queue, or waits for them. Remarks for colleagues are not for the channel.
    pub async fn messages(
        &self,
        who: &Identity,
        interaction: InteractionId,
        after: u32,
    ) -> Result<Vec<Message>, Refusal> {
        let user = who.user.id;
        let all = [Privilege::BringContacts, Privilege::SeeAllRecords];
        if !all.into_iter().any(|privilege| who.may(privilege))
            && !self
                .read(move |core, _| {
                    core.work_view(interaction, user).is_some() || core.may_preview(user, interaction)
                })
                .await?
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
        let only_channel = who.may(Privilege::BringContacts) && !who.may(Privilege::SeeAllRecords);
        let shown = found.map_err(read)?.into_iter();
        let shown = shown.filter(|message| !only_channel || !matches!(message.by, Author::Note { .. }));
        Ok(shown.map(show).collect())
    }
}
