//! What becomes of calls to an extension that its owner does not take: set by the owner, and by administrators (VM-02, VM-13, VM-16).

use model::dialling::Dialled;
use model::diversion::Diversion;
use model::id::UserId;
use model::people::{PhoneKind, Privilege, User};
use serde_json::json;

use crate::audit::Actor;
use crate::auth::Identity;
use crate::refusal::Refusal;
use crate::start::DeskHandle;
use crate::trouble::read;

impl DeskHandle {
    /// What somebody has set; of another person only an administrator asks.
    pub async fn diversion(&self, who: &Identity, user: UserId) -> Result<Diversion, Refusal> {
        self.may_divert(who, user)?;
        Ok(self.configuration().diversions.get(&user).cloned().unwrap_or_default())
    }

    /// Sets it, from the next call on. The phone of whoever has one on the desk is forwarded by an administrator (VM-15).
    pub async fn set_diversion(
        &self,
        who: &Identity,
        user: UserId,
        mut wanted: Diversion,
        actor: Actor,
    ) -> Result<Diversion, Refusal> {
        let owner = self.may_divert(who, user)?;
        let before = self.configuration().diversions.get(&user).cloned().unwrap_or_default();
        if let Some(dialled) =
            Dialled::parse(&wanted.forwarding.number).filter(|found| found.after.is_empty())
        {
            wanted.forwarding.number = dialled.number;
        }
        if owner.phone == PhoneKind::Sip
            && wanted.forwarding != before.forwarding
            && !who.may(Privilege::Administer)
        {
            return Err(Refusal::NotNow {
                why: "Calls to a phone on the desk are forwarded by an administrator.",
            });
        }
        let errors = self.configuration().diversion_errors(&owner, &wanted);
        if !errors.is_empty() {
            return Err(Refusal::Invalid { errors });
        }
        let detail = json!({ "forwarding": wanted.forwarding, "voicemail": wanted.voicemail });
        self.audit().record(actor, "user.diversion", user, detail).await?;
        self.store().diversions().save_diversion(self.tenant(), user, &wanted).await.map_err(read)?;
        self.reload().await?;
        Ok(wanted)
    }

    /// A person, for who may say what callers of their extension come to: they themselves, and administrators.
    pub(crate) fn may_divert(&self, who: &Identity, user: UserId) -> Result<User, Refusal> {
        who.needs(if who.user.id == user { Privilege::TakeInteractions } else { Privilege::Administer })?;
        self.configuration().users.get(&user).cloned().ok_or(Refusal::missing("user"))
    }
}
