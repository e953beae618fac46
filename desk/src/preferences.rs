//! What each user wants for themselves, in whatever browser.

use model::people::{OwnPhone, PhoneKind, Privilege};
use store::preferences::Wanted;

use crate::auth::Identity;
use crate::floor::phones::chosen;
use crate::floor::request::Request;
use crate::refusal::Refusal;
use crate::start::DeskHandle;

/// The phones of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phones {
    /// The kind that an administrator set.
    pub set: PhoneKind,
    /// The number outside that an administrator set.
    pub mobile: Option<String>,
    /// What the user chose instead, from the next sign-in on.
    pub own: Option<OwnPhone>,
    /// Whether the user may name a number.
    pub own_numbers: bool,
}

impl DeskHandle {
    /// What a user wants to see or not.
    pub async fn preferences(&self, who: &Identity) -> Result<Wanted, Refusal> {
        self.0.store.preferences().preferences(self.tenant(), who.user.id).await.map_err(crate::trouble::read)
    }

    /// Shows a user the notice before a callback, or not any more, in whatever browser (CB-03).
    pub async fn show_callback_notice(&self, who: &Identity, shown: bool) -> Result<(), Refusal> {
        self.want(who, |wanted| wanted.no_callback_notice = !shown).await
    }

    /// The phone that is set for a user, and the one they chose instead, from their next sign-in on (CONN-10).
    pub async fn phones(&self, who: &Identity) -> Result<Phones, Refusal> {
        let own = self.preferences(who).await?.own_phone;
        let configuration = self.configuration();
        Ok(Phones {
            set: configuration.phone_of(who.user.id),
            mobile: configuration.users.get(&who.user.id).and_then(|user| user.mobile.clone()),
            own,
            own_numbers: configuration.dialling.own_numbers,
        })
    }

    /// Lets a user have another phone than the one that is set, from the next sign-in on; `None`: the one that is set.
    pub async fn choose_phone(
        &self,
        who: &Identity,
        choice: Option<(PhoneKind, Option<String>)>,
    ) -> Result<(), Refusal> {
        let configuration = self.configuration();
        let own = choice
            .map(|(kind, number)| chosen(&configuration, who.user.id, kind, number.as_deref()))
            .transpose()?;
        self.want(who, |wanted| wanted.own_phone = own).await
    }

    /// The house's numbers, of which an agent who dials may choose the one that is shown (OUT-11).
    pub fn house_numbers(&self, who: &Identity) -> Result<Vec<String>, Refusal> {
        who.needs(Privilege::CallOut)?;
        let mut numbers: Vec<_> = self.configuration().numbers.keys().cloned().collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    async fn want(&self, who: &Identity, change: impl FnOnce(&mut Wanted)) -> Result<(), Refusal> {
        let mut wanted = self.preferences(who).await?;
        change(&mut wanted);
        let (tenant, user) = (self.tenant(), who.user.id);
        let preferences = self.0.store.preferences();
        preferences.save_preferences(tenant, user, &wanted).await.map_err(crate::trouble::read)?;
        self.0.mailbox.send(Request::Prefer(user, wanted)).await.map_err(|_| Refusal::Unavailable)
    }
}
